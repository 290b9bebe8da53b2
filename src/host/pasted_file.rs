//! The file that a key is imported from: read once, within bounds, and erased where that is asked for.
//!
//! What it holds is `keys::pasted`'s to understand. Nothing here may write into it but zeros.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::keys::pasted::LONGEST;

use super::atomic_file::{self, FileError};
use super::git;

/// A file that cannot be imported from.
#[derive(Debug, thiserror::Error)]
pub enum NotReadable {
    #[error("{} is a directory", .path.display())]
    Directory { path: PathBuf },
    #[error("{name} cannot be read: {source}")]
    Io { name: String, source: io::Error },
}

/// The whole file, or one byte more than may be in it. Pipes count as files (`<(…)` of a shell).
///
/// # Errors
/// [`NotReadable`] for a directory and for what the system refuses.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, NotReadable> {
    let failed = |source| NotReadable::Io { name: path.display().to_string(), source };
    if fs::metadata(path).map_err(failed)?.is_dir() {
        return Err(NotReadable::Directory { path: path.to_owned() });
    }
    bounded(File::open(path).map_err(failed)?).map_err(failed)
}

/// As [`read`], of standard input.
///
/// # Errors
/// [`NotReadable`] for what the system refuses.
pub fn read_stdin() -> Result<Zeroizing<Vec<u8>>, NotReadable> {
    // Not through `std::io::stdin`: its buffer would keep what was read.
    bounded(stdin()).map_err(|source| NotReadable::Io { name: "standard input".to_owned(), source })
}

#[cfg(unix)]
fn stdin() -> impl Read {
    struct Stdin;
    impl Read for Stdin {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            Ok(rustix::io::retry_on_intr(|| rustix::io::read(io::stdin(), &mut *into))?)
        }
    }
    Stdin
}

#[cfg(not(unix))]
fn stdin() -> impl Read {
    io::stdin()
}

fn bounded(file: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    // Reserved at once: growing would leave copies of the secret behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
    file.take(LONGEST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Why erasing the file would not erase the key, or would erase something else; `None` where nothing speaks against
/// it. `read` is what the file held when it was imported.
#[must_use]
pub fn obstacle(path: &Path, read: &[u8]) -> Option<String> {
    let name = path.display();
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) => return Some(format!("{name} cannot be looked at: {error}")),
    };
    if found.is_symlink() {
        let target = fs::canonicalize(path).map_or_else(|_| "elsewhere".to_owned(), |file| file.display().to_string());
        return Some(format!("{name} is a symbolic link: the key is in {target}"));
    }
    if !found.is_file() {
        return Some(format!("{name} is not a regular file"));
    }
    if names(&found) > 1 {
        return Some(format!("{name} has {} hard links: the key would stay under the other names", names(&found)));
    }
    if git::is_tracked(path) == Some(true) {
        return Some(format!("{name} is tracked by git: the key is in its history, whatever becomes of the file"));
    }
    match self::read(path) {
        Ok(now) if *now == read => None,
        Ok(_) => Some(format!("{name} was changed since it was read")),
        Err(error) => Some(error.to_string()),
    }
}

/// Overwrites the file and removes it.
///
/// # Errors
/// [`FileError`] where it is still there.
pub fn erase(path: &Path) -> Result<(), FileError> {
    atomic_file::erase(path)
}

#[cfg(unix)]
fn names(found: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(found)
}

#[cfg(not(unix))]
fn names(_found: &Metadata) -> u64 {
    1
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::disallowed_methods)]

    use super::*;

    #[test]
    fn what_cannot_be_read_is_told_by_its_kind() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap_err().to_string().ends_with("is a directory"));
        assert!(read(&folder.path().join("none")).unwrap_err().to_string().contains("cannot be read"));
        let long = folder.path().join("long");
        fs::write(&long, vec![b'x'; LONGEST * 2]).unwrap();
        assert_eq!(read(&long).unwrap().len(), LONGEST + 1);
    }

    #[test]
    fn a_link_and_a_changed_file_are_not_erased_blindly() {
        let folder = tempfile::tempdir().unwrap();
        let (csv, link, other) = (folder.path().join("csv"), folder.path().join("link"), folder.path().join("other"));
        fs::write(&csv, "key").unwrap();
        assert_eq!(obstacle(&csv, b"key"), None);
        std::os::unix::fs::symlink(&csv, &link).unwrap();
        assert!(obstacle(&link, b"key").unwrap().contains("symbolic link"));
        assert!(obstacle(&csv, b"other").unwrap().contains("was changed"));
        assert!(obstacle(&folder.path().join("none"), b"").unwrap().contains("cannot be looked at"));
        fs::hard_link(&csv, &other).unwrap();
        assert!(obstacle(&csv, b"key").unwrap().contains("2 hard links"));
        fs::remove_file(&other).unwrap();
        erase(&csv).unwrap();
        assert!(!csv.exists());
    }
}
