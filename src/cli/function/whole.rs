//! The whole run, once its parts are there: one report in three formats, the history, the metrics, the team's notice.

use std::path::PathBuf;

use super::failed::Failed;
use super::job::Job;
use super::metrics::Counted;
use super::store::Store;
use super::work::{told, unread};
use crate::cli::purge::notify::{Audience, Notified, Notifier};
use crate::host::history::Line;
use crate::host::report::Reports;
use crate::host::report::merge::{merge, opening};
use crate::keys::facts::Time;
use crate::keys::purge::row::{AccountSummary, KeyRow, Skipped, Summary};
use crate::ports::{Clock, MemberAccount, PurgeReport, ReportError};

/// Extension and content type. The last is what says that the run is finished: it comes when all else is there.
const FORMATS: [(&str, &str); 3] =
    [("html", "text/html; charset=utf-8"), ("csv", "text/csv; charset=utf-8"), ("json", "application/json")];

/// The run's reports, as they stand in the bucket.
pub struct Whole {
    pub summary: Summary,
    pub reports: Vec<String>,
    pub notified: Notified,
    /// This invocation is the one that finished the run, or it was asked to renew it.
    pub first: bool,
}

/// The run as it was finished by an earlier invocation, where one did: it counts, and nothing is done.
pub async fn found(job: &Job, store: &Store<'_>, parts: &[PathBuf]) -> Result<Option<Whole>, Failed> {
    let Some(began) = began(parts)? else { return Ok(None) };
    let folder = store.reports(began);
    let Some(copy) = store.copy(&name(job, &folder, "json"), "finished.json").await? else { return Ok(None) };
    let summary = merge(&[copy], &mut Nobody).map_err(|error| unread(&error))?;
    Ok(Some(Whole { summary, reports: addresses(job, store, &folder), notified: Notified::default(), first: false }))
}

/// Whether a run was told of before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling<'a> {
    /// With what owners' notices came to, for the readers of summaries.
    First(&'a Notified),
    /// It was incomplete, and parts may have come since: its report is renewed, and nobody else is told.
    Again,
}

/// Tells the whole run, and keeps its reports. `expected`: the accounts that must be in it.
///
/// Two invocations that end at once both come here: both put the same reports, and the one whose JSON report is there
/// first tells metrics and team. Killed before that report, the next invocation does all of it again; killed after, the
/// run is without metrics, and the alarm that misses a run tells so.
pub async fn publish(
    job: &Job,
    store: &Store<'_>,
    parts: &[PathBuf],
    expected: &[MemberAccount],
    telling: Telling<'_>,
) -> Result<Whole, Failed> {
    let began = began(parts)?.unwrap_or_else(|| job.clock.now());
    let again = if telling == Telling::Again { "-again" } else { "" };
    let files = FORMATS.map(|(end, _)| store.file(&format!("{}{again}.{end}", job.report())));
    let failed = |error: ReportError| Failed::unexpected(error.to_string());
    let reports = Reports::create(&files, false, &job.header(began)?).map_err(failed)?;
    let mut reader = Reader { reports, notifier: job.notifier(Audience::Readers).await?, accounts: Vec::new() };
    let mut summary = match parts {
        // No invocation told of its account: each is told as absent.
        [] => Summary::default(),
        _ => merge(parts, &mut reader).map_err(|error| unread(&error))?,
    };
    summary.applied = job.header(began)?.applied;
    for account in absent(expected, &reader.accounts) {
        summary.add(&account);
        reader.account(&account).map_err(failed)?;
    }
    if summary.review.is_some() {
        let (earlier, this) = (store.history().await, Line::of(&summary, true).named(store.run));
        summary.review.iter_mut().for_each(|review| review.remember(&earlier, &this));
    }
    if parts.is_empty() {
        (summary.started, summary.ended) = (began, job.clock.now());
    }
    let Reader { reports, notifier, accounts } = reader;
    reports.finish(&summary).map_err(failed)?;
    let folder = store.reports(began);
    let mut whole =
        Whole { summary, reports: addresses(job, store, &folder), notified: Notified::default(), first: true };
    match telling {
        Telling::Again => {
            for ((end, kind), file) in FORMATS.into_iter().zip(&files) {
                store.put(&name(job, &folder, end), file, kind).await?;
            }
        }
        Telling::First(earlier) => {
            whole.first = keep(job, store, &folder, &files, &whole.summary).await?;
            if whole.first {
                let notifier = notifier.map(|notifier| (notifier, earlier));
                whole.notified = announce(job, notifier, &accounts, &whole.summary).await;
            }
        }
    }
    Ok(whole)
}

/// Puts the reports into the bucket; true where this invocation is the one that finished the run.
async fn keep(
    job: &Job,
    store: &Store<'_>,
    folder: &str,
    files: &[PathBuf; 3],
    summary: &Summary,
) -> Result<bool, Failed> {
    let [page, table, (end, kind)] = FORMATS;
    for ((end, kind), file) in [page, table].into_iter().zip(files) {
        store.put(&name(job, folder, end), file, kind).await?;
    }
    if !job.narrowed() {
        store.remember(&Line::of(summary, job.event.report_only).named(store.run)).await;
    }
    store.claim(&name(job, folder, end), &files[2], kind).await
}

async fn announce(
    job: &Job,
    notifier: Option<(Notifier, &Notified)>,
    accounts: &[Counted],
    summary: &Summary,
) -> Notified {
    // A review is beside the purge: what it counted would count twice, and hide a Friday without a run.
    if !job.narrowed() && !job.event.report_only {
        job.metrics().finished(job.clock.now(), accounts, summary);
    }
    let sent = match notifier {
        Some((mut notifier, earlier)) => {
            notifier.after(earlier);
            notifier.ends_at(job.last_moment());
            notifier.send(summary, &job.clock).await
        }
        None => Notified::default(),
    };
    told(job, &sent);
    sent
}

/// When the first of the parts began, which a part that comes later does not change.
fn began(parts: &[PathBuf]) -> Result<Option<Time>, Failed> {
    let all: Result<Vec<_>, _> = parts.iter().map(|part| opening(part)).collect();
    let all = all.map_err(|error| unread(&error))?;
    Ok(all.into_iter().map(|header| header.started).min())
}

fn name(job: &Job, folder: &str, end: &str) -> String {
    format!("{folder}{}.{end}", job.report())
}

fn addresses(job: &Job, store: &Store<'_>, folder: &str) -> Vec<String> {
    ["html", "json", "csv"].map(|end| store.bucket.address(&name(job, folder, end))).to_vec()
}

/// Accounts that no part tells of: their invocations ended as errors.
fn absent(expected: &[MemberAccount], told: &[Counted]) -> Vec<AccountSummary> {
    let is_told = |id: &str| told.iter().any(|account| account.account == id);
    let skipped = |one: &MemberAccount| AccountSummary {
        account: one.id.clone(),
        name: one.name.clone(),
        skipped: vec![Skipped {
            what: format!("account/{}", one.id),
            cause: "no invocation told of it: its error is in the execution of the state machine".to_owned(),
        }],
        ..AccountSummary::default()
    };
    expected.iter().filter(|one| !is_told(&one.id)).map(skipped).collect()
}

struct Reader {
    reports: Reports,
    notifier: Option<Notifier>,
    accounts: Vec<Counted>,
}

impl PurgeReport for Reader {
    fn key(&mut self, row: &KeyRow) -> Result<(), ReportError> {
        let told = self.reports.key(row);
        told.and(self.notifier.as_mut().map_or(Ok(()), |notifier| notifier.key(row)))
    }

    fn account(&mut self, account: &AccountSummary) -> Result<(), ReportError> {
        self.accounts.push(Counted::of(account));
        let told = self.reports.account(account);
        told.and(self.notifier.as_mut().map_or(Ok(()), |notifier| notifier.account(account)))
    }
}

/// Takes a report whose sums alone are wanted.
pub struct Nobody;

impl PurgeReport for Nobody {
    fn key(&mut self, _: &KeyRow) -> Result<(), ReportError> {
        Ok(())
    }

    fn account(&mut self, _: &AccountSummary) -> Result<(), ReportError> {
        Ok(())
    }
}
