//! The command line of `rotate --scheduled`.

#![allow(clippy::doc_markdown, reason = "these comments are the help that people read, not Markdown")]

use chrono::TimeDelta;
use clap::Args;

use crate::keys::facts::NotValid;
use crate::keys::policy::parse_duration;
use crate::keys::timetable::Timetable;

/// A run that starts later than this belongs to another hour.
const MOST_JITTER: TimeDelta = TimeDelta::hours(1);

#[derive(Debug, Args)]
pub struct Scheduled {
    /// As the timer does it: rotate what is due, finish what is unfinished, never ask on a terminal
    ///
    /// Rotates what is due, goes on with what was interrupted, and deletes what is past its grace. A code comes from
    /// --mfa-command, command in [mfa] of the config file, or pinentry on a desktop, and none is asked for unless something
    /// will be written. Where a person is needed, a desktop notification says which key, how old, when the purge takes it
    /// and what to run, once a day for each key; exit code 10, also where nothing can be shown: the same stands on
    /// standard error. What a later run mends by itself (no network, interrupted, another run at work) notifies nobody
    /// unless it lasts or the purge is near; exit code 5 or 7. Keys stay where they are kept.
    #[arg(long, conflicts_with_all = ["if_older_than", "mfa_code", "dry_run", "yes", "replace", "store", "skip_sink"], help_heading = "Timer")]
    pub scheduled: bool,
    /// The timer's weekly hour: a key is rotated that was due then, or that the purge would take before the next one
    /// [default: what is due now]
    #[arg(long, value_name = "DAY HH:MM", requires = "scheduled", help_heading = "Timer")]
    pub at: Option<Timetable>,
    /// Wait a random part of this before anything is done, so that a fleet does not call at once [default: 1m; none
    /// where standard error is a terminal]
    #[arg(long, value_name = "TIME", value_parser = jitter, requires = "scheduled", help_heading = "Timer")]
    pub jitter: Option<TimeDelta>,
}

fn jitter(text: &str) -> Result<TimeDelta, NotValid> {
    let not_valid = NotValid { what: "jitter", value: text.to_owned(), why: "at most one hour" };
    parse_duration(text).and_then(|found| if found > MOST_JITTER { Err(not_valid) } else { Ok(found) })
}
