//! Owners, modes, links and fsync as Unix has them.
//!
//! Nothing here may create or remove a file.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::geteuid;
use tempfile::NamedTempFile;

use super::FileError;

const PERMISSION_BITS: u32 = 0o7777;
const OTHERS: u32 = 0o077;

/// Opens without following a last link and without waiting for the writer of a pipe.
pub(super) fn open_for_reading(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

pub(super) fn open_for_erasing(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).custom_flags(OFlags::NOFOLLOW.bits().cast_signed()).open(path)
}

/// Also where the owner may not write (0400): the mode is as it was again on return.
pub(super) fn open_to_erase(path: &Path, meta: &Metadata) -> io::Result<File> {
    match open_for_erasing(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let mode = meta.mode() & PERMISSION_BITS;
            make_owner_only(path, mode | 0o200)?;
            let opened = open_for_erasing(path);
            make_owner_only(path, mode)?;
            opened
        }
        other => other,
    }
}

pub(super) fn same_file(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

pub(super) fn has_no_name(file: &File) -> bool {
    file.metadata().is_ok_and(|meta| meta.nlink() == 0)
}

pub(super) fn is_link_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

pub(super) fn is_ours(meta: &Metadata) -> bool {
    meta.uid() == geteuid().as_raw()
}

pub(super) fn has_other_names(meta: &Metadata) -> bool {
    meta.nlink() > 1
}

pub(super) fn refuse_shared(path: &Path, meta: &Metadata) -> Result<(), FileError> {
    let path = path.to_owned();
    if has_other_names(meta) {
        return Err(FileError::HardLinked { path, links: meta.nlink() });
    }
    if !is_ours(meta) {
        return Err(FileError::OtherOwner { path, owner: meta.uid(), me: geteuid().as_raw() });
    }
    Ok(())
}

/// What a rename over the file would meet later: an immutable file, or a file that is a mount point.
pub(super) fn refuse_unreplaceable(path: &Path) -> Result<(), FileError> {
    // Permission is judged after the immutable flag, and by another errno: EACCES (mode 0400) is fine.
    match open_for_erasing(path) {
        Err(error) if error.raw_os_error() == Some(Errno::PERM.raw_os_error()) => {
            return Err(FileError::Immutable { path: path.to_owned() });
        }
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
            return Err(FileError::io("write", path)(error));
        }
        _ => {}
    }
    if is_mount_point(path) { Err(FileError::MountPoint { path: path.to_owned() }) } else { Ok(()) }
}

/// A single file mounted into a container: rename over it fails with EBUSY.
#[cfg(target_os = "linux")]
fn is_mount_point(path: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty())
        .is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(not(target_os = "linux"))]
fn is_mount_point(_: &Path) -> bool {
    false
}

pub(super) fn others_can_read(meta: &Metadata) -> bool {
    meta.mode() & 0o044 != 0
}

pub(super) fn others_can_write(meta: &Metadata) -> bool {
    meta.mode() & 0o022 != 0
}

pub(super) fn others_have_rights(meta: &Metadata) -> bool {
    meta.mode() & OTHERS != 0
}

pub(super) fn same_rights(one: &Metadata, other: &Metadata) -> bool {
    (one.mode(), one.uid(), one.gid()) == (other.mode(), other.uid(), other.gid())
}

/// Gives the temporary file the owner and the mode of the file it will replace, less what others had.
pub(super) fn dress(temp: &File, like: &Metadata, target: &Path) -> Result<(), FileError> {
    let failed = |doing| FileError::io(doing, target);
    let made = temp.metadata().map_err(failed("look at the temporary file beside"))?;
    if made.gid() != like.gid() {
        // Refused for a group we are not in. Harmless then: the group gets no rights below.
        let _ = std::os::unix::fs::fchown(temp, None, Some(like.gid()));
    }
    let wanted = like.mode() & PERMISSION_BITS & !OTHERS;
    if made.mode() & PERMISSION_BITS != wanted {
        // Refused or without effect where the file system keeps no modes (FAT, some network shares).
        let _ = temp.set_permissions(Permissions::from_mode(wanted));
    }
    let now = temp.metadata().map_err(failed("look at the temporary file beside"))?;
    let wider = now.mode() & PERMISSION_BITS & !(like.mode() & PERMISSION_BITS);
    if wider == 0 { Ok(()) } else { Err(FileError::WouldWiden { path: target.to_owned() }) }
}

pub(super) fn make_owner_only(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(path, Permissions::from_mode(mode))
}

/// Until the disk has it. On macOS `sync_all` is `F_FULLFSYNC`, which network file systems may not know.
pub(super) fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        #[cfg(target_vendor = "apple")]
        Err(error) if error.raw_os_error() == Some(Errno::NOTSUP.raw_os_error()) => Ok(rustix::fs::fsync(file)?),
        done => done,
    }
}

/// Makes a rename or a removal in `folder` durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    match sync(&File::open(folder)?) {
        // Some FUSE and network file systems cannot sync a folder: there is nothing more to be had.
        Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => Ok(()),
        done => done,
    }
}

pub(super) fn swap(temp: NamedTempFile, target: &Path) -> io::Result<()> {
    temp.persist(target).map(drop).map_err(|failed| failed.error)
}
