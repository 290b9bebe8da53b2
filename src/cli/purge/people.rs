//! What people read of a purge on standard output: a line for each key that is not simply kept, as it comes,
//! and at the end what it came to. Words only; nothing is decided here.

use std::fmt::Display;

use super::notify::Notified;
use super::review;
use crate::host::console::{err, out};
use crate::host::report::ReportHeader;
use crate::keys::purge::Verb;
use crate::keys::purge::row::{AccountSummary, ExemptBy, KeyRow, Outcome, Summary};
use crate::keys::words::{duration, when};
use crate::ports::{PurgeReport, ReportError};

/// Skips and exemptions of one account that are shown; reports hold them all.
const MOST_SHOWN: usize = 20;

/// The people's report on the screen.
pub struct People {
    applied: bool,
    /// The account of the last line.
    account: String,
}

impl People {
    /// A run that changes keys says first what it goes by: where nobody takes that, nothing is changed.
    pub fn begin(applied: bool, header: &ReportHeader) -> Self {
        if applied {
            let facts = header.facts.iter().map(|(label, value)| format!("{label}: {value}")).collect::<Vec<_>>();
            show(format_args!("purge of {}", facts.join("; ")));
        }
        Self { applied, account: String::new() }
    }
}

/// For standard output. Names, tags and messages are other people's text: none of it may steer the terminal.
pub fn show(text: impl Display) {
    out(text.to_string().replace(|letter: char| letter.is_control() && letter != '\n', "\u{fffd}"));
}

/// For standard error.
fn warn(text: impl Display) {
    err(text.to_string().replace(char::is_control, "\u{fffd}"));
}

/// What became of one key.
pub fn line(row: &KeyRow, applied: bool) -> String {
    format!(
        "  {:<9} {}  {:>9} old  {:<13} {}{}",
        verb(row, applied),
        row.key,
        duration(row.age),
        row.decision.rule.as_str(),
        row.user.name,
        more(row)
    )
}

impl PurgeReport for People {
    fn key(&mut self, row: &KeyRow) -> Result<(), ReportError> {
        if row.decision.verb == Verb::Keep {
            return Ok(());
        }
        if self.account != row.account {
            self.account.clone_from(&row.account);
            show(format_args!("account {}", row.account));
        }
        show(line(row, self.applied));
        Ok(())
    }

    fn account(&mut self, account: &AccountSummary) -> Result<(), ReportError> {
        let id = &account.account;
        if let Some(why) = &account.left {
            show(format_args!("account {id}: left out: {why}"));
        }
        for exempt in account.exemptions.iter().take(MOST_SHOWN) {
            let by = match &exempt.by {
                ExemptBy::Group(group) => format!("member of {group}"),
                ExemptBy::Tag { reason, ends } => format!("{reason}, until {}", when(*ends)),
            };
            show(format_args!("  exempt    user {}: {by}", exempt.user.name));
        }
        for skipped in account.skipped.iter().take(MOST_SHOWN) {
            warn(format_args!("warning: account {id}: {} was left alone: {}", skipped.what, skipped.cause));
        }
        if account.skipped.len() > MOST_SHOWN {
            warn(format_args!(
                "warning: account {id}: {} more were left alone: see --report",
                account.skipped.len() - MOST_SHOWN
            ));
        }
        if let Some(cap) = account.cap {
            let (verb, next) = if self.applied {
                ("was left untouched", "read the report, then run again with a higher --max-affected")
            } else {
                ("would be left untouched", "--apply needs a higher --max-affected here")
            };
            warn(format_args!(
                "warning: account {id} {verb}: {} of its {} keys are to go, and the cap allows {}; {next}",
                cap.affected, cap.scanned, cap.allowed
            ));
        }
        Ok(())
    }
}

fn verb(row: &KeyRow, applied: bool) -> &'static str {
    match (row.decision.verb, &row.outcome) {
        (_, Outcome::Failed(_)) => "FAILED",
        (Verb::Disable, Outcome::Done) => "disabled",
        (Verb::Delete, Outcome::Done) => "deleted",
        (Verb::Disable | Verb::Delete, Outcome::Planned) if applied => "untouched",
        (verb, _) => verb.as_str(),
    }
}

fn more(row: &KeyRow) -> String {
    let until = row.decision.until.map(|until| match row.decision.verb {
        Verb::Warn => format!("  over the limit at {}", when(until)),
        Verb::Wait => format!("  deleted after {}", when(until)),
        _ => format!("  until {}", when(until)),
    });
    let note = row.decision.note.as_ref().map(|note| format!("  ({note})"));
    let failed = match &row.outcome {
        Outcome::Failed(cause) if row.decision.note.is_none() => Some(format!("  ({cause})")),
        _ => None,
    };
    let undo = row.undo().map(|undo| format!("\n            undo: {undo}"));
    [until, note, failed, undo].into_iter().flatten().collect()
}

/// What the run came to.
pub fn summary(summary: &Summary) {
    let accounts = summary.accounts - summary.accounts_left;
    out(format_args!(
        "{}: {}, {}, {}: {}",
        match (summary.applied, summary.complete()) {
            (false, _) => "dry run, nothing was changed",
            (true, true) => "done",
            (true, false) => "not all was done",
        },
        counted(accounts, "account"),
        counted(summary.users_evaluated, "user"),
        counted(summary.totals.keys(), "key"),
        totals(summary)
    ));
    if summary.users_exempt > 0 {
        out(format_args!("{} exempt by their group", counted(summary.users_exempt, "user")));
    }
    let throttled = if summary.throttled > 0 { format!(", {} throttled", summary.throttled) } else { String::new() };
    let took = summary.ended.signed_duration_since(summary.started).num_milliseconds().max(0);
    out(format_args!("{}{throttled}, {}.{} s", counted(summary.calls, "IAM call"), took / 1000, took % 1000 / 100));
    if let Some(review) = &summary.review {
        review::tell(review);
        return;
    }
    let to_go = summary.totals.of(Verb::Disable) + summary.totals.of(Verb::Delete);
    if !summary.applied && to_go > 0 {
        out("next: read the list, then run the same command with --apply");
    }
}

/// What came of the notices.
pub fn notified(told: &Notified, quiet: bool) {
    for problem in &told.problems {
        warn(format_args!("warning: {problem}"));
    }
    if !quiet {
        err(format_args!("notices: {} sent, {} failed, {} held", told.sent, told.failed, told.held));
    }
}

/// Each decision, and of those that write how many were carried out.
fn totals(summary: &Summary) -> String {
    let mut parts = Vec::new();
    for verb in Verb::ALL {
        let (planned, done) = (summary.totals.of(verb), summary.done.of(verb));
        match verb {
            Verb::Disable | Verb::Delete if summary.applied => {
                parts.extend((done > 0).then(|| format!("{done} {}d", verb.as_str())));
                parts.extend((planned > done).then(|| format!("{} not {}d", planned - done, verb.as_str())));
            }
            _ => parts.extend((planned > 0).then(|| format!("{planned} {}", words(verb)))),
        }
    }
    if parts.is_empty() { "no keys".to_owned() } else { parts.join(", ") }
}

fn words(verb: Verb) -> &'static str {
    match verb {
        Verb::Keep => "kept",
        Verb::Warn => "warned",
        Verb::Disable => "to disable",
        Verb::Wait => "waiting for their grace",
        Verb::Delete => "to delete",
        Verb::Exempt => "exempt",
        Verb::Skip => "left alone",
    }
}

fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
