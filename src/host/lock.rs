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
mod tests {
    #![allow(clippy::disallowed_methods)]

    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use super::*;

    const FOLDER: &str = "KEYROT_ME_TEST_LOCK_FOLDER";

    #[test]
    fn one_holds_it_and_the_other_learns_who() {
        let folder = tempfile::tempdir().unwrap();
        let held = RunLock::acquire(folder.path()).unwrap();
        let refused = RunLock::acquire(folder.path()).unwrap_err();
        let LockError::Held { pid, since } = &refused else { panic!("{refused}") };
        assert_eq!(*pid, cfg!(unix).then(std::process::id));
        assert!(since.is_some_and(|since| since.elapsed().is_ok_and(|age| age.as_secs() < 60)));
        assert!(refused.to_string().starts_with("another run of keyrot-me is at work"));
        drop(held);
        RunLock::acquire(folder.path()).unwrap();
    }

    #[test]
    fn a_pid_left_behind_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(NAME), "1\nand a longer text than a pid\n").unwrap();
        drop(RunLock::acquire(folder.path()).unwrap());
        let text = std::fs::read_to_string(folder.path().join(NAME)).unwrap();
        assert_eq!(text, format!("{}\n", std::process::id()), "never deleted, and its text replaced");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = RunLock::acquire(Path::new("/nowhere/at/all")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
        assert!(!error.hint().is_empty());
    }

    #[test]
    fn a_killed_run_frees_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "host::lock::tests::hold_until_killed"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line.contains("locked")));
        let refused = RunLock::acquire(folder.path()).unwrap_err();
        let LockError::Held { pid, .. } = refused else { panic!("{refused}") };
        assert_eq!(pid, cfg!(unix).then_some(child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        RunLock::acquire(folder.path()).unwrap();
    }

    /// The child of the test above; does nothing in a normal run.
    #[test]
    fn hold_until_killed() {
        let Some(folder) = std::env::var_os(FOLDER) else { return };
        let _lock = RunLock::acquire(Path::new(&folder)).unwrap();
        println!("locked");
        std::thread::sleep(std::time::Duration::from_mins(1));
    }
}
