//! What can go wrong with a file on this machine, and what to do about it.
//!
//! Nothing here may carry a file's contents.

use std::io;
use std::path::{Path, PathBuf};

/// A file that is refused, or an operation that failed. Unless it says otherwise, nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    #[error("{} does not exist", .path.display())]
    NotFound { path: PathBuf },
    #[error("{} is a symbolic link to a file that does not exist", .path.display())]
    DanglingLink { path: PathBuf },
    #[error("{} is a symbolic link that leads back to itself", .path.display())]
    LinkLoop { path: PathBuf },
    #[error("{} is not a regular file", .path.display())]
    NotAFile { path: PathBuf },
    #[error("{} has {links} hard links: replacing one would leave the old key under the other names", .path.display())]
    HardLinked { path: PathBuf, links: u64 },
    #[error("{} belongs to user id {owner}, and this is user id {me}", .path.display())]
    OtherOwner { path: PathBuf, owner: u32, me: u32 },
    #[error("{} is larger than 1 MiB", .path.display())]
    TooLarge { path: PathBuf },
    #[error("{} is immutable or append-only", .path.display())]
    Immutable { path: PathBuf },
    #[error("{} is itself a mount point and cannot be replaced", .path.display())]
    MountPoint { path: PathBuf },
    #[error("the folder {} can be read by others", .path.display())]
    FolderNotPrivate { path: PathBuf },
    #[error("{} would become readable for more users than it was", .path.display())]
    WouldWiden { path: PathBuf },
    #[error("another program changed {} meanwhile", .path.display())]
    Changed { path: PathBuf },
    #[error("{} exists already", .path.display())]
    Exists { path: PathBuf },
    /// The one case in which the change was made.
    #[error("{} was written, but may not survive a power cut: {source}", .path.display())]
    NotDurable { path: PathBuf, source: io::Error },
    #[error("cannot {doing} {}: {source}", .path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

impl FileError {
    /// Wraps an `io::Error`: for use in `map_err`.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "check the path, or make the file with 'aws configure'",
            Self::DanglingLink { .. } | Self::LinkLoop { .. } => "remove the link, or point it at the real file",
            Self::NotAFile { .. } => "put a regular file there",
            Self::HardLinked { .. } => "copy the file over itself, so that it has one name, or use a symbolic link",
            Self::OtherOwner { .. } => "run as the user that owns the file",
            Self::TooLarge { .. } => "is this really an AWS file? check the path",
            Self::Immutable { .. } => "remove the attribute: chattr -ia FILE (macOS: chflags nouchg FILE)",
            Self::MountPoint { .. } => "mount the folder that holds the file instead of the file",
            Self::FolderNotPrivate { .. } => "take the others' rights away: chmod 700 FOLDER",
            Self::WouldWiden { .. } => "move the file to a file system that keeps Unix modes",
            Self::Changed { .. } => "run again: it starts from the new content",
            Self::Exists { .. } => "an earlier run left it: run again to resume",
            Self::NotDurable { .. } => "run again: it checks what is stored before it goes on",
            Self::Io { source, .. } => io_hint(source.kind()),
        }
    }
}

fn io_hint(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::StorageFull => "free some space or inodes on that disk (df -h, df -i)",
        io::ErrorKind::QuotaExceeded => "your disk quota is used up: delete something, or ask for more",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is mounted read-only: mount it writable",
        io::ErrorKind::FileTooLarge => "the file size limit is too small: see 'ulimit -f'",
        io::ErrorKind::PermissionDenied => {
            "you need the right to read the file and to write in its folder; the folder may be immutable"
        }
        _ => "check the path, its permissions and the disk",
    }
}
