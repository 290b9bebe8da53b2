//! The timer: one task of this user that the system's own scheduler starts each day, made up for after sleep and power-off.
//!
//! What is started, and when, is a [`Task`]; each scheduler's files are rendered from it by pure functions, on every
//! platform. It knows nothing of keys, and reads no environment but through `paths`.

use std::path::PathBuf;

use crate::keys::facts::{NotValid, Time};
use crate::keys::timetable::Timetable;

/// What the scheduler starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Absolute.
    pub program: PathBuf,
    /// The words behind it, as a program gets them.
    pub arguments: Vec<String>,
    pub at: Timetable,
    /// What a scheduler's empty environment lacks; never a secret.
    pub environment: Vec<(String, String)>,
    /// Neither the run nor a program that it starts can gain rights (systemd's `NoNewPrivileges`).
    pub confined: bool,
}

/// Who starts tasks on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Systemd,
    Launchd,
    Windows,
}

/// A scheduler that can be used now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheduler {
    Here(Kind),
    /// Such as WSL 1 or a container; in words.
    None {
        why: String,
    },
}

/// What an installation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    pub change: Change,
    /// Where it is written; for Windows the task's name.
    pub places: Vec<String>,
    /// What the user should know, a sentence each.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    New,
    Changed,
    /// Byte for byte as it was, and switched on.
    None,
}

/// What is installed, as the scheduler has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledTask {
    pub program: PathBuf,
    pub arguments: Vec<String>,
    /// `None` where somebody's own hour stands there.
    pub at: Option<Timetable>,
    pub next: Option<Time>,
    /// When the scheduler started it last, where it knows.
    pub last: Option<Time>,
    /// The exit code of that run, where it knows.
    pub last_exit: Option<i32>,
    /// What keeps it from being started, in words: masked, disabled, stopped. `None` where all is well.
    pub trouble: Option<String>,
    pub places: Vec<String>,
}

impl InstalledTask {
    #[must_use]
    pub fn active(&self) -> bool {
        self.trouble.is_none()
    }
}

/// Why the scheduler did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// A path, profile or variable that a scheduler's file cannot hold.
    #[error(transparent)]
    NotValid(#[from] NotValid),
    /// A file of that name that this program did not write, or that was edited since.
    #[error("{what}")]
    NotOurs { what: String, hint: String },
    #[error("{0}")]
    File(String),
    /// A tool of the system failed; with what it said.
    #[error("{0}")]
    Tool(String),
    #[error("{why}")]
    NoScheduler { why: String },
}

/// The one that this machine has.
pub async fn scheduler() -> Scheduler {
    Scheduler::None { why: "not built yet".to_owned() }
}

/// Installs the task, or changes the one that is installed; nothing is touched where it is so already.
///
/// # Errors
/// [`ScheduleError`]; what was written is taken back as far as that is possible.
pub async fn install(task: &Task) -> Result<Installed, ScheduleError> {
    let _ = task;
    Err(ScheduleError::NoScheduler { why: "not built yet".to_owned() })
}

/// What is installed; `None` where nothing is.
///
/// # Errors
/// [`ScheduleError`] where the scheduler does not answer.
pub async fn look() -> Result<Option<InstalledTask>, ScheduleError> {
    Ok(None)
}

/// Takes away all that an installation made; false where nothing was there.
///
/// # Errors
/// [`ScheduleError`]; run again, it goes on.
pub async fn remove() -> Result<bool, ScheduleError> {
    Ok(false)
}
