//! The purge of one invocation: what earlier ones of the run left, until its deadline; its report is kept as a part.

use std::path::{Path, PathBuf};

use futures_util::future::join;
use serde_json::Value;

use super::failed::{Failed, Kind};
use super::job::Job;
use super::log::{Level, Log};
use super::store::Store;
use crate::cli::purge::not_signed_in;
use crate::cli::purge::notify::{Audience, Notified, Notifier};
use crate::host::gauge::TerminalGauge;
use crate::host::report::Reports;
use crate::host::report::merge::{Finished, MergeError, finished_accounts};
use crate::keys::purge::Verb;
use crate::keys::purge::row::{AccountSummary, KeyRow, Stopped, Summary};
use crate::ports::{CallError, Clock, PurgeReport, ReportError};
use crate::runner::purge::{Ended, Settings};

/// Named in an error's message; the part names the others.
const MOST_NAMED: usize = 10;

/// What one invocation did.
pub struct Work {
    pub summary: Summary,
    pub notified: Notified,
    /// Where its own report is kept.
    pub address: String,
}

/// The accounts that earlier parts finished.
pub fn finished(parts: &[PathBuf]) -> Result<Vec<String>, Failed> {
    let of = |part: &PathBuf| finished_accounts(part).map_err(|error| unread(&error));
    let all: Vec<Finished> = parts.iter().map(of).collect::<Result<_, _>>()?;
    Ok(all.into_iter().flat_map(|part| part.accounts).collect())
}

pub fn unread(error: &MergeError) -> Failed {
    Failed::unexpected(format!("the parts of this run are no whole: {error}"))
}

/// Purges what `settings` leave to do. Its report is in the bucket when this returns, whatever else went wrong; where it
/// could not be put there, the error says so and the log has each key that was touched.
pub async fn purge(job: &Job, store: &Store<'_>, settings: &Settings, last: u32) -> Result<Work, Failed> {
    let part = store.file("this-part.json");
    let header = job.header(job.clock.now())?;
    let notifier = job.notifier(Audience::Owners).await?;
    let reports = Reports::create(std::slice::from_ref(&part), false, &header);
    let reports = reports.map_err(|error| Failed::unexpected(error.to_string()))?;
    let mut reader = Reader { reports, notifier, log: &job.log };
    let ended = job.purge(settings).run(&mut reader, &None::<TerminalGauge>).await;
    let Reader { reports, notifier, .. } = reader;
    let written = reports.finish(&ended.summary).map_err(|error| Failed::unexpected(error.to_string()));
    if let Some(error) = &ended.not_listed {
        return Err(not_listed(error));
    }
    let keep = async {
        match (written, nothing_but_refused(&ended)) {
            (Ok(()), false) => store.add_part(&job.parts(), last, &part).await,
            (Ok(()), true) => Ok(String::new()),
            (Err(error), _) => Err(error),
        }
    };
    // Neither waits for the other: after a deadline there is time for one.
    let (kept, sent) = Box::pin(join(keep, send(job, notifier, &ended.summary))).await;
    told(job, &sent);
    let address = kept.map_err(|failed| not_kept(&job.log, &ended.summary, &failed))?;
    if let Some(failure) = not_signed_in(&ended) {
        return Err(failure.into());
    }
    if ended.summary.stopped.is_some() {
        return Err(unfinished(&ended.summary, &part));
    }
    Ok(Work { summary: ended.summary, notified: sent, address })
}

async fn send(job: &Job, notifier: Option<Notifier>, summary: &Summary) -> Notified {
    let Some(mut notifier) = notifier else { return Notified::default() };
    // Nothing comes after it in this invocation; else the whole run's reports do.
    if summary.stopped.is_some() {
        notifier.ends_at(job.last_moment());
    }
    notifier.send(summary, &job.clock).await
}

/// No part and no report: they would say that the run is over, and nobody was looked at.
fn not_listed(error: &CallError) -> Failed {
    let next = "nothing was done; an invocation with the same run begins again";
    Failed::new(Kind::Unfinished, format!("the accounts could not be listed this time: {error}; {next}"))
}

/// The run's own credentials were refused before anything was done: such a part would have the next invocation take
/// accounts for finished that nobody saw.
fn nothing_but_refused(ended: &Ended) -> bool {
    ended.sign_in.is_some() && ended.summary.done.keys() == 0
}

/// What did not reach whom it was for, in the log and in the metrics.
pub fn told(job: &Job, notified: &Notified) {
    for problem in &notified.problems {
        job.log.line(Level::Warn, "a notice was not sent", [("error", problem.as_str().into())]);
    }
    if *notified != Notified::default() {
        job.metrics().notices(job.clock.now(), notified.failed + notified.held);
    }
}

fn not_kept(log: &Log, summary: &Summary, failed: &Failed) -> Failed {
    let (disabled, deleted) = (summary.done.of(Verb::Disable), summary.done.of(Verb::Delete));
    let numbers = [("disabled", Value::from(disabled)), ("deleted", Value::from(deleted))];
    log.line(Level::Error, "the report of what was done could not be kept: the lines above name each key", numbers);
    let done = format!("{disabled} keys were disabled and {deleted} deleted: the log names them");
    Failed::new(failed.kind, format!("the report could not be kept: {}; {done}", failed.message))
}

fn unfinished(summary: &Summary, part: &Path) -> Failed {
    let left = finished_accounts(part).unwrap_or_default().left;
    let why = match summary.stopped {
        Some(Stopped::OutOfTime) => "the time of this invocation is over",
        _ => "this invocation was stopped",
    };
    let mut named = left.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
    if left.len() > MOST_NAMED {
        named.push_str(", …");
    }
    let left = if named.is_empty() {
        "the accounts were not listed yet".to_owned()
    } else {
        format!("{} accounts are left ({named})", left.len())
    };
    Failed::new(Kind::Unfinished, format!("{why}: {left}; an invocation with the same run goes on from there"))
}

/// Who takes what the purge tells.
struct Reader<'a> {
    reports: Reports,
    notifier: Option<Notifier>,
    log: &'a Log,
}

impl PurgeReport for Reader<'_> {
    fn key(&mut self, row: &KeyRow) -> Result<(), ReportError> {
        self.log.key(row);
        let told = self.reports.key(row);
        told.and(self.notifier.as_mut().map_or(Ok(()), |notifier| notifier.key(row)))
    }

    fn account(&mut self, account: &AccountSummary) -> Result<(), ReportError> {
        let told = self.reports.account(account);
        told.and(self.notifier.as_mut().map_or(Ok(()), |notifier| notifier.account(account)))
    }
}
