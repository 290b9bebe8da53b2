//! The timer: one task of this user that the system's own scheduler starts each day, made up for after sleep and power-off.
//!
//! What is started, and when, is a [`Task`]; each scheduler's files are rendered from it by pure functions, on every
//! platform. It knows nothing of keys, and reads no environment but through `paths`.

pub mod confine;
mod cron;
pub mod environment;
pub mod launchd;
mod seal;
pub mod systemd;
#[cfg(test)]
mod tests;
mod tool;
pub mod windows;
mod xml;

use std::path::PathBuf;

use chrono::{Local, LocalResult, TimeZone, Utc};

use crate::keys::facts::{NotValid, Time};
use crate::keys::timetable::Timetable;
use crate::ports::Clock;

use super::clock::SystemClock;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheduler {
    Systemd,
    Launchd,
    Windows,
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
    /// `None` where it cannot be read from the arguments.
    pub at: Option<Timetable>,
    pub next: Option<Time>,
    /// When the scheduler started it last, where it knows.
    pub last: Option<Time>,
    /// The exit code of that run, where it knows.
    pub last_exit: Option<i32>,
    /// How that run ended, where it was not by an exit code: a time-out, a signal.
    pub failed: Option<String>,
    /// What keeps it from being started, in words: masked, disabled, stopped. `None` where all is well.
    pub trouble: Option<String>,
    /// Its files; for Windows the task's name.
    pub places: Vec<String>,
}

impl Scheduler {
    /// As it stands in JSON.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::Systemd => Some("systemd"),
            Self::Launchd => Some("launchd"),
            Self::Windows => Some("windows"),
            Self::None { .. } => None,
        }
    }

    /// What starts the installed task at once.
    #[must_use]
    pub fn start(&self) -> &'static str {
        match self {
            Self::Systemd => "systemctl --user start keyrot-me; journalctl --user --unit keyrot-me --lines 3",
            Self::Launchd => {
                "launchctl kickstart gui/$(id -u)/me.keyrot.keyrot-me; tail -n 3 ~/Library/Logs/keyrot-me.log"
            }
            Self::Windows => "schtasks /Run /TN keyrot-me",
            Self::None { .. } => "keyrot-me rotate --scheduled",
        }
    }
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
    #[error("there is no scheduler for a timer here: {why}")]
    NoScheduler { why: String },
}

/// The words that an installed task starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Read {
    program: PathBuf,
    arguments: Vec<String>,
}

impl Read {
    fn installed(self, places: Vec<String>) -> InstalledTask {
        let mut words = self.arguments.iter().skip_while(|word| *word != "--at");
        let at = words.nth(1).and_then(|hour| hour.parse().ok());
        let Self { program, arguments } = self;
        let (next, last, last_exit, failed, trouble) = (None, None, None, None, None);
        InstalledTask { program, arguments, at, next, last, last_exit, failed, trouble, places }
    }
}

impl Task {
    /// A line of its own would be a setting of its own in a unit file.
    ///
    /// # Errors
    /// [`NotValid`] for control characters, and for a program whose path is not absolute or not text.
    pub fn check(&self) -> Result<(), NotValid> {
        let not_valid = |what, value: &str, why| Err(NotValid { what, value: value.to_owned(), why });
        let program = self.program.to_string_lossy();
        if self.program.to_str().is_none() || !self.program.is_absolute() {
            return not_valid("path of this program", &program, "it has to be absolute and readable text");
        }
        let arguments = self.arguments.iter().map(|word| ("word of the timer's command line", word.as_str()));
        let variables = self.environment.iter().map(|(_, value)| ("variable for the timer", value.as_str()));
        for (what, text) in arguments.chain(variables).chain([("path of this program", &*program)]) {
            if text.contains(char::is_control) {
                return not_valid(what, text, "line breaks and control characters cannot stand in a scheduler's file");
            }
        }
        Ok(())
    }

    /// The line for `crontab -e`, where there is no scheduler of ours.
    #[must_use]
    pub fn cron_line(&self) -> String {
        cron::line(self)
    }
}

/// The one that this machine has.
pub async fn scheduler() -> Scheduler {
    if cfg!(windows) {
        Scheduler::Windows
    } else if cfg!(target_os = "macos") {
        Scheduler::Launchd
    } else {
        match systemd::probe().await {
            Ok(()) => Scheduler::Systemd,
            Err(why) => Scheduler::None { why },
        }
    }
}

/// Installs the task, or changes the one that is installed; nothing is touched where it is so already.
///
/// # Errors
/// [`ScheduleError`]; what was written is taken back as far as that is possible.
pub async fn install(task: &Task) -> Result<Installed, ScheduleError> {
    task.check()?;
    match scheduler().await {
        Scheduler::Systemd => {
            systemd::check(task)?;
            systemd::install(task).await
        }
        Scheduler::Launchd => launchd::install(task).await,
        Scheduler::Windows => {
            windows::check(task)?;
            windows::install(task).await
        }
        Scheduler::None { why } => Err(ScheduleError::NoScheduler { why }),
    }
}

/// What is installed; `None` where nothing is. Files are found where no scheduler answers, too.
///
/// # Errors
/// [`ScheduleError`] where the scheduler does not answer as it should.
pub async fn look() -> Result<Option<InstalledTask>, ScheduleError> {
    if cfg!(windows) {
        windows::look().await
    } else if cfg!(target_os = "macos") {
        launchd::look().await
    } else {
        systemd::look().await
    }
}

/// Takes away all that an installation made; false where nothing was there.
///
/// # Errors
/// [`ScheduleError`]; run again, it goes on.
pub async fn remove() -> Result<bool, ScheduleError> {
    if cfg!(windows) {
        windows::remove().await
    } else if cfg!(target_os = "macos") {
        launchd::remove().await
    } else {
        systemd::remove().await
    }
}

/// For schedulers that do not tell.
fn next_run(at: Option<Timetable>) -> Option<Time> {
    Some(next_in(&Local, at?, SystemClock::default().now()))
}

/// An hour that daylight saving skips is taken on the next day, as systemd does it; one that it repeats, the first time.
fn next_in<Zone: TimeZone>(zone: &Zone, at: Timetable, now: Time) -> Time {
    let mut wall = now.with_timezone(zone).naive_local();
    loop {
        wall = at.next_wake(wall);
        match zone.from_local_datetime(&wall) {
            LocalResult::Single(found) | LocalResult::Ambiguous(found, _) if found > now => {
                return found.with_timezone(&Utc);
            }
            _ => {}
        }
    }
}
