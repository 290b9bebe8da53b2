//! Files of our own that hold secrets: in a folder that only their owner can enter, whole or absent.
//!
//! Nothing here may overwrite a file that it did not make.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{FileError, TEMP_PREFIX, TEMP_SUFFIX, folder_of, own_temp, platform};

/// Makes `path` and what is missing above it, mode 0700, durably; takes others' rights away when it exists.
pub fn create_private_dir(path: &Path) -> Result<(), FileError> {
    let missing: Vec<PathBuf> = path.ancestors().take_while(|folder| !folder.exists()).map(Path::to_owned).collect();
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(FileError::io("create the folder", path))?;
    for folder in missing.iter().rev() {
        platform::sync_folder(folder_of(folder)).map_err(FileError::io("sync the folder above", folder))?;
    }
    let found = fs::metadata(path).map_err(FileError::io("look at", path))?;
    if !platform::others_have_rights(&found) {
        return Ok(());
    }
    platform::make_owner_only(path, 0o700).map_err(FileError::io("take others' rights from", path))
}

/// Writes a new file, mode 0600, durably: after an error or a power cut it is whole or absent.
///
/// # Errors
/// [`FileError::Exists`] when there is a file already, [`FileError::FolderNotPrivate`] when others may enter
/// its folder, [`FileError::NotDurable`] when the file is there but its name may not survive a power cut.
pub fn write_new_secret_file(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let folder = folder_of(path);
    let found = fs::metadata(folder).map_err(FileError::io("look at", folder))?;
    if platform::others_have_rights(&found) {
        return Err(FileError::FolderNotPrivate { path: folder.to_owned() });
    }
    write_new(path, bytes)
}

/// As [`write_new_secret_file`], for a file of the user's own: its folder is made, mode 0700, where there is none, and
/// left as it is where it is there.
pub fn create_file(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    create_folder_of(path)?;
    write_new(path, bytes)
}

/// Proves that [`create_file`] could make a file of `size` bytes, by doing all but naming it. The folder stays.
pub fn prove_creatable(path: &Path, size: u64) -> Result<(), FileError> {
    create_folder_of(path)?;
    let mut temp = own_temp(folder_of(path))?;
    io::copy(&mut io::Read::take(io::repeat(b'#'), size), &mut temp).map_err(FileError::io("write", path))?;
    platform::sync(temp.as_file()).map_err(FileError::io("sync", path))?;
    temp.close().map_err(FileError::io("remove a temporary file beside", path))
}

fn create_folder_of(path: &Path) -> Result<(), FileError> {
    let folder = folder_of(path);
    if folder.exists() { Ok(()) } else { create_private_dir(folder) }
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let folder = folder_of(path);
    let mut temp = own_temp(folder)?;
    temp.write_all(bytes).map_err(FileError::io("write", path))?;
    platform::sync(temp.as_file()).map_err(FileError::io("sync", path))?;
    temp.persist_noclobber(path).map_err(|failed| match failed.error.kind() {
        io::ErrorKind::AlreadyExists => FileError::Exists { path: path.to_owned() },
        _ => FileError::io("create", path)(failed.error),
    })?;
    platform::sync_folder(folder).map_err(|source| FileError::NotDurable { path: path.to_owned(), source })
}

/// Replaces `path`, or makes it, mode 0600: whole or not at all, but not durably. For what may be lost.
pub fn put(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut temp = own_temp(folder_of(path))?;
    temp.write_all(bytes).map_err(FileError::io("write", path))?;
    temp.persist(path).map(drop).map_err(|failed| FileError::io("replace", path)(failed.error))
}

/// Overwrites a file with zeros and removes it, durably. A file that is not there is no error.
///
/// The zeros are a courtesy, not a proof: SSDs and copy-on-write file systems put them elsewhere. What makes
/// an erased key harmless is that IAM no longer knows it.
pub fn erase(path: &Path) -> Result<(), FileError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(FileError::io("look at", path)(error)),
    };
    if !found.is_file() {
        return Err(FileError::NotAFile { path: path.to_owned() });
    }
    // A file with another name stays under that one: a run that was killed while it named its file left two.
    if !platform::has_other_names(&found) {
        // A full disk or a read-only file must not keep the name: the removal below decides.
        let _ = overwrite(path, found.len());
    }
    fs::remove_file(path).map_err(FileError::io("remove", path))?;
    platform::sync_folder(folder_of(path)).map_err(FileError::io("sync the folder of", path))
}

/// As [`erase`], for a file in a folder that is swept: it gets a temporary file's name first, so that a run
/// that dies in the middle leaves nothing half erased under a name that is read.
pub fn erase_aside(path: &Path) -> Result<(), FileError> {
    let Some(name) = path.file_name() else { return erase(path) };
    let mut aside = OsString::from(TEMP_PREFIX);
    aside.push(name);
    aside.push(TEMP_SUFFIX);
    let aside = path.with_file_name(aside);
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => {
            rename(path, &aside).map_err(FileError::io("remove", path))?;
            platform::sync_folder(folder_of(path)).map_err(FileError::io("sync the folder of", path))?;
            erase(&aside)
        }
        _ => erase(path),
    }
}

#[expect(clippy::disallowed_methods, reason = "the name is our own, and so is the file")]
fn rename(path: &Path, aside: &Path) -> io::Result<()> {
    fs::rename(path, aside)
}

fn overwrite(path: &Path, length: u64) -> io::Result<()> {
    platform::make_owner_only(path, 0o600)?;
    zero(platform::open_for_erasing(path)?, length)
}

pub(super) fn zero(mut file: File, length: u64) -> io::Result<()> {
    io::copy(&mut io::Read::take(io::repeat(0), length), &mut file)?;
    platform::sync(&file)
}
