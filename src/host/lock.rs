//! The run lock: one rotation at a time on this machine.
//!
//! A kernel lock on a file that is never renamed or deleted, so a killed run frees it by dying. Nothing here
//! may wait for the lock, or judge by the pid in the file whether it is held: only the kernel knows.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

const NAME: &str = "lock";
/// Enough for a pid and its line feed, in bytes.
const PID_LENGTH: u64 = 32;

/// Held until dropped.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    #[error("another run of keyrot-me is at work{}", .pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Held {
        /// `None` where it cannot be read: on Windows the lock keeps readers out too.
        pid: Option<u32>,
        /// When the holder took the lock, by this machine's clock.
        since: Option<SystemTime>,
    },
    #[error("cannot lock {}: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl LockError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Held { .. } => "wait until it has ended, then run again",
            Self::Io { .. } => "the state folder must be writable, on a file system that has locks",
        }
    }
}

impl RunLock {
    /// Takes the lock of `state_folder`, which must exist, or says at once who holds it.
    pub fn acquire(state_folder: &Path) -> Result<Self, LockError> {
        let path = state_folder.join(NAME);
        let failed = |source| LockError::Io { path: path.clone(), source };
        let mut file = open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held_by(&mut file)),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        sign(&mut file).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}

fn held_by(file: &mut File) -> LockError {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(PID_LENGTH).read_to_string(&mut text));
    let pid = read.ok().and_then(|_| text.trim().parse().ok());
    // Its last write is the pid's.
    let since = file.metadata().and_then(|meta| meta.modified()).ok();
    LockError::Held { pid, since }
}

#[cfg(test)]
mod tests {}
