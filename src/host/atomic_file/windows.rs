//! The same questions as in `unix.rs`, as far as Windows asks them: access is a matter of inherited ACLs there.
//!
//! Nothing here may create or remove a file.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::path::Path;

use tempfile::NamedTempFile;
use windows_sys::Win32::Storage::FileSystem::{REPLACEFILE_IGNORE_MERGE_ERRORS, ReplaceFileW};

use super::FileError;

pub(super) fn open_for_reading(path: &Path) -> io::Result<File> {
    File::open(path)
}

pub(super) fn open_for_erasing(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).open(path)
}

pub(super) fn open_to_erase(path: &Path, _: &Metadata) -> io::Result<File> {
    open_for_erasing(path)
}

pub(super) fn same_file(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// `ReplaceFileW` without a backup leaves none.
pub(super) fn has_no_name(_: &File) -> bool {
    true
}

pub(super) fn is_link_loop(error: &io::Error) -> bool {
    const ERROR_CANT_RESOLVE_FILENAME: i32 = 1921;
    error.raw_os_error() == Some(ERROR_CANT_RESOLVE_FILENAME)
}

pub(super) fn is_ours(_: &Metadata) -> bool {
    true
}

pub(super) fn has_other_names(_: &Metadata) -> bool {
    false
}

pub(super) fn refuse_shared(_: &Path, _: &Metadata) -> Result<(), FileError> {
    Ok(())
}

pub(super) fn refuse_unreplaceable(path: &Path) -> Result<(), FileError> {
    open_for_erasing(path).map(drop).map_err(FileError::io("write", path))
}

pub(super) fn others_can_read(_: &Metadata) -> bool {
    false
}

pub(super) fn others_can_write(_: &Metadata) -> bool {
    false
}

pub(super) fn others_have_rights(_: &Metadata) -> bool {
    false
}

pub(super) fn same_rights(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// Nothing to do: `ReplaceFileW` gives the new file the ACL and the attributes of the old one.
pub(super) fn dress(_: &File, _: &Metadata, _: &Path) -> Result<(), FileError> {
    Ok(())
}

pub(super) fn make_owner_only(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

pub(super) fn sync(file: &File) -> io::Result<()> {
    file.sync_all()
}

/// NTFS journals names itself, and a folder cannot be flushed without administrator's rights.
pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

pub(super) fn swap(temp: NamedTempFile, target: &Path) -> io::Result<()> {
    // Closed first: an open replacement cannot be moved.
    let temp = temp.into_temp_path();
    replace_file(target, &temp)
}

#[expect(unsafe_code, reason = "ReplaceFileW keeps the old file's ACL, and std has no call for it")]
fn replace_file(target: &Path, replacement: &Path) -> io::Result<()> {
    let wide = |path: &Path| path.as_os_str().encode_wide().chain([0]).collect::<Vec<u16>>();
    let (target, replacement) = (wide(target), wide(replacement));
    let none = std::ptr::null();
    // SAFETY: both names end in NUL and outlive the call; the other pointers may be null by its contract.
    let done = unsafe {
        let flags = REPLACEFILE_IGNORE_MERGE_ERRORS;
        ReplaceFileW(target.as_ptr(), replacement.as_ptr(), none, flags, none.cast(), none.cast())
    };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
