//! What the timer's last run came to: one small file in the state folder, for `schedule status` and `doctor`.
//!
//! It holds words and a number, never a secret, and no run depends on it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::record;
use crate::keys::facts::Time;

/// The end of one `rotate --scheduled`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// By the local clock.
    pub at: Time,
    pub exit: u8,
    /// The log line.
    pub line: String,
}

fn file(state: &Path) -> PathBuf {
    state.join("last-run.json")
}

/// `None` where the timer never ran, or the file is not ours to read: it is only told, never trusted.
#[must_use]
pub fn read(state: &Path) -> Option<LastRun> {
    record::read(&file(state))
}

/// Replaces the record; the state folder must be there.
///
/// # Errors
/// The reason in words.
pub fn write(state: &Path, run: &LastRun) -> Result<(), String> {
    record::write(&file(state), run)
}

/// Forgets it; none is no error.
///
/// # Errors
/// The reason in words.
pub fn forget(state: &Path) -> Result<(), String> {
    match std::fs::remove_file(file(state)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.to_string()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_run_is_told_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()), None);
        let run = LastRun { at: "2026-11-16T09:00:12Z".parse().unwrap(), exit: 10, line: "default: notified".into() };
        for exit in [10, 0] {
            let run = LastRun { exit, ..run.clone() };
            write(folder.path(), &run).unwrap();
            assert_eq!(read(folder.path()), Some(run));
        }
        forget(folder.path()).unwrap();
        forget(folder.path()).unwrap();
        assert_eq!(read(folder.path()), None);
        std::fs::create_dir(file(folder.path())).unwrap();
        assert_eq!(read(folder.path()), None);
    }
}
