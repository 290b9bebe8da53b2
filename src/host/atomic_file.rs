//! The only writer of files: replaces one wholly and durably, or not at all.
//!
//! The contract, much as git's lock files have it:
//!
//! - At every instant, power cuts included, the name shows the whole old or the whole new content. The new
//!   content is written to a temporary file in the same folder, fsynced, renamed over the old, and the folder
//!   is fsynced. [`Snapshot::replace`] returning `Ok` means that the new content is on the disk.
//! - A symbolic link stays one: it is resolved, and all this happens beside its target.
//! - The mode is never widened. What others could read becomes theirs no longer: 0644 becomes 0600; 0400 stays.
//! - Another program's change since the snapshot is not overwritten: the file is read again right before the
//!   rename. (Between the two there is a moment that no lock of ours can close: AWS tools take none.)
//! - Temporary files carry our prefix, and [`sweep`] removes what a killed run left, with the run lock held.
//!
//! Nothing here may know what the files hold, or create an AWS file that does not exist.

mod error;
#[cfg(unix)]
#[path = "atomic_file/unix.rs"]
mod platform;
#[cfg(windows)]
#[path = "atomic_file/windows.rs"]
mod platform;
mod private;
#[cfg(test)]
mod tests;

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use zeroize::Zeroizing;

pub use self::error::FileError;
pub use self::private::{
    create_file, create_private_dir, erase, erase_aside, prove_creatable, put, write_new_secret_file,
};

const TEMP_PREFIX: &str = ".keyrot-me-";
const TEMP_SUFFIX: &str = ".tmp";

/// Larger files are refused, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// A file as it was when it was read for an edit.
pub struct Snapshot {
    path: PathBuf,
    target: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
    meta: Metadata,
}

/// Reads a file that is about to be edited, and refuses one that could not be replaced as the contract says.
///
/// # Errors
/// [`FileError`] for a missing or unreadable file, a dangling or cyclic link, a hard link, a file that is
/// not regular or is another user's, and one over 1 MiB.
pub fn read_for_edit(path: &Path) -> Result<Snapshot, FileError> {
    let target = resolve(path)?;
    let found = fs::symlink_metadata(&target).map_err(FileError::io("look at", &target))?;
    if !found.is_file() {
        return Err(FileError::NotAFile { path: target });
    }
    let file = platform::open_for_reading(&target).map_err(FileError::io("read", &target))?;
    // Asked of the open file: the name may have got another one since.
    let meta = file.metadata().map_err(FileError::io("look at", &target))?;
    if !meta.is_file() {
        return Err(FileError::NotAFile { path: target });
    }
    platform::refuse_shared(&target, &meta)?;
    let bytes = read_bounded(&file, &target, meta.len())?;
    Ok(Snapshot { path: path.to_owned(), target, bytes, meta })
}

impl Snapshot {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file itself, behind every link.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The folder of [`Snapshot::target`]: there the temporary files are.
    pub fn folder(&self) -> &Path {
        folder_of(&self.target)
    }

    /// Group or others may read it: worth a warning. The next replacement ends it.
    pub fn others_can_read(&self) -> bool {
        platform::others_can_read(&self.meta)
    }

    /// Puts `new` in the file's place.
    ///
    /// # Errors
    /// [`FileError::Changed`] when the file is not as it was read: read again, apply the edit to that, and
    /// call this again. [`FileError::NotDurable`] when the new content is there, but the folder could not be
    /// synced. After any other error the file is as it was.
    pub fn replace(&self, new: &[u8]) -> Result<(), FileError> {
        let mut temp = own_temp(self.folder())?;
        temp.write_all(new).map_err(FileError::io("write a temporary file beside", &self.target))?;
        self.seal(temp.as_file())?;
        self.refuse_if_changed()?;
        platform::swap(temp, &self.target).map_err(FileError::io("replace", &self.target))?;
        let not_durable = |source| FileError::NotDurable { path: self.target.clone(), source };
        platform::sync_folder(self.folder()).map_err(not_durable)
    }

    /// As [`Snapshot::replace`]. The bytes that stood in the file are then overwritten where they were: an erased
    /// secret is not left in free blocks of the disk, as far as a file system overwrites in place.
    pub fn replace_and_erase(&self, new: &[u8]) -> Result<(), FileError> {
        let old = platform::open_to_erase(&self.target, &self.meta).map_err(FileError::io("write", &self.target))?;
        if !old.metadata().is_ok_and(|meta| platform::same_file(&meta, &self.meta)) {
            return Err(FileError::Changed { path: self.path.clone() });
        }
        self.replace(new)?;
        // Only now: until the new name was durable, a power cut could have brought the old file back.
        if platform::has_no_name(&old) {
            // A courtesy, as in `erase`: what was asked for is done.
            let _ = private::zero(old, self.meta.len());
        }
        Ok(())
    }

    /// Owner, mode, and the content on the disk.
    fn seal(&self, temp: &File) -> Result<(), FileError> {
        platform::dress(temp, &self.meta, &self.target)?;
        platform::sync(temp).map_err(FileError::io("sync a temporary file beside", &self.target))
    }

    fn refuse_if_changed(&self) -> Result<(), FileError> {
        let now = read_for_edit(&self.path)?;
        let same = now.target == self.target && now.bytes == self.bytes && platform::same_rights(&now.meta, &self.meta);
        if same { Ok(()) } else { Err(FileError::Changed { path: self.path.clone() }) }
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("target", &self.target).finish_non_exhaustive()
    }
}

/// Proves that the file at `path` could be replaced by one of `size` bytes, by doing all but the rename.
///
/// A full disk or quota, a read-only mount, an immutable file or folder and a folder without write permission
/// show up here, before any key is created.
pub fn prove_writable(path: &Path, size: u64) -> Result<(), FileError> {
    let snapshot = read_for_edit(path)?;
    platform::refuse_unreplaceable(&snapshot.target)?;
    let mut temp = own_temp(snapshot.folder())?;
    io::copy(&mut io::repeat(b'#').take(size), &mut temp)
        .map_err(FileError::io("write a temporary file beside", &snapshot.target))?;
    snapshot.seal(temp.as_file())?;
    temp.close().map_err(FileError::io("remove a temporary file beside", &snapshot.target))
}

/// Proves that files can be made in `folder`, by making one and removing it.
pub fn prove_folder(folder: &Path) -> Result<(), FileError> {
    own_temp(folder)?.close().map_err(FileError::io("remove a temporary file in", folder))
}

/// True when this user owns the file or folder, and nobody else has any right to it.
///
/// # Errors
/// [`FileError`] where it cannot be looked at.
pub fn is_private(path: &Path) -> Result<bool, FileError> {
    let meta = fs::metadata(path).map_err(FileError::io("look at", path))?;
    Ok(platform::is_ours(&meta) && !platform::others_have_rights(&meta))
}

/// Group or others may write to it: they decide what it says. False where that is not known.
#[must_use]
pub fn others_can_write(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| platform::others_can_write(&meta))
}

/// Erases the temporary files that a killed run left in `folder`; says how many. Only with the run lock held:
/// another run's file in use looks the same.
pub fn sweep(folder: &Path) -> Result<usize, FileError> {
    let mut swept = 0;
    for entry in fs::read_dir(folder).map_err(FileError::io("list", folder))? {
        let entry = entry.map_err(FileError::io("list", folder))?;
        if is_own_temp(&entry) {
            erase(&entry.path())?;
            swept += 1;
        }
    }
    Ok(swept)
}

/// Makes the names in `folder` durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    platform::sync_folder(folder)
}

fn is_own_temp(entry: &fs::DirEntry) -> bool {
    let name = entry.file_name();
    let name = name.to_string_lossy();
    let named_so = name.starts_with(TEMP_PREFIX) && name.ends_with(TEMP_SUFFIX);
    // `DirEntry::metadata` does not follow links: a link is not a file here.
    named_so && entry.metadata().is_ok_and(|meta| meta.is_file() && platform::is_ours(&meta))
}

/// Created with `O_EXCL` and mode 0600, as tempfile does by itself; removed when it is dropped.
fn own_temp(folder: &Path) -> Result<NamedTempFile, FileError> {
    let made = tempfile::Builder::new().prefix(TEMP_PREFIX).suffix(TEMP_SUFFIX).rand_bytes(12).tempfile_in(folder);
    made.map_err(FileError::io("create a temporary file in", folder))
}

fn resolve(path: &Path) -> Result<PathBuf, FileError> {
    fs::canonicalize(path).map_err(|error| {
        let path = path.to_owned();
        if platform::is_link_loop(&error) {
            return FileError::LinkLoop { path };
        }
        if error.kind() != io::ErrorKind::NotFound {
            return FileError::io("find", &path)(error);
        }
        if path.is_symlink() { FileError::DanglingLink { path } } else { FileError::NotFound { path } }
    })
}

fn read_bounded(file: &File, path: &Path, expected: u64) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let room = usize::try_from(expected.min(MAX_BYTES)).unwrap_or_default() + 1;
    // Reserved at once: growing would leave copies of the secrets behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(FileError::io("read", path))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(FileError::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}

/// `.` for a bare name.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
