//! The steps of packaging/aws/README.md: the whole purge by one function, or its pieces by a state machine.

use serde_json::Value;

use super::answer;
use super::event::Step;
use super::failed::{Failed, Kind};
use super::job::Job;
use super::store::Store;
use super::whole::Telling;
use super::{whole, work};
use crate::cli::purge::notify::Notified;
use crate::host::report::merge::merge;
use crate::keys::purge::row::Summary;
use crate::ports::{Cause, MemberAccount};
use crate::runner::purge::{Scope, Settings};

pub async fn run(job: &Job) -> Result<Value, Failed> {
    let store = job.store()?;
    match job.event.step {
        Step::Purge => purge(job, &store).await,
        Step::Accounts => accounts(job, &store).await,
        Step::Account => account(job, &store).await,
        Step::Coverage => coverage(job, &store).await,
    }
}

async fn purge(job: &Job, store: &Store<'_>) -> Result<Value, Failed> {
    let (parts, last) = store.parts(&job.parts()).await?;
    job.same_run(&parts)?;
    if let Some(found) = whole::found(job, store, &parts).await? {
        return Ok(answered(job, &found.summary, &found.notified, &found.reports));
    }
    if parts.is_empty() {
        job.prove_notices().await?;
    }
    let settings = Settings { finished: work::finished(&parts)?, ..job.settings.clone() };
    let work = Box::pin(work::purge(job, store, &settings, last)).await?;
    // Others of this run may have ended meanwhile.
    let (parts, _) = store.parts(&job.parts()).await?;
    let mut whole = Box::pin(whole::publish(job, store, &parts, &[], Telling::First(&work.notified))).await?;
    if !whole.first {
        // Who was first may not have had all parts. Each lists them once its own is there, so the last of all has.
        let (parts, _) = store.parts(&job.parts()).await?;
        whole = Box::pin(whole::publish(job, store, &parts, &[], Telling::Again)).await?;
    }
    Ok(answered(job, &whole.summary, &both(work.notified, whole.notified), &whole.reports))
}

async fn accounts(job: &Job, store: &Store<'_>) -> Result<Value, Failed> {
    let key = store.accounts_key();
    job.prove_notices().await?;
    let listed = match store.accounts(&job.digest()?).await? {
        Some(listed) => listed,
        None => listed(job, store).await?,
    };
    Ok(answer::of_accounts(&job.event.run, listed.len(), store.bucket.name(), &key))
}

async fn listed(job: &Job, store: &Store<'_>) -> Result<Vec<MemberAccount>, Failed> {
    let found = job.purge(&job.settings).accounts().await.map_err(|error| {
        let refused = matches!(error.cause, Cause::KeyNotAccepted | Cause::SessionExpired | Cause::SignatureRefused);
        let kind = if refused { Kind::CannotSignIn } else { Kind::Unexpected };
        Failed::new(kind, format!("the accounts cannot be listed: {error}"))
    })?;
    let rules = job.digest()?;
    if store.put_accounts(&found, &rules).await? {
        return Ok(found);
    }
    // Another invocation of the same run was first: the map goes over its list.
    store.accounts(&rules).await?.ok_or_else(|| Failed::unexpected("the run's list of accounts is gone"))
}

async fn account(job: &Job, store: &Store<'_>) -> Result<Value, Failed> {
    let id = job.event.accounts.concat();
    let listed = of_run(job, store).await?;
    let member = listed.into_iter().find(|member| member.id == id);
    let member = member.ok_or_else(|| Failed::usage(format!("account {id} is not in {}", store.accounts_key())))?;
    if let Scope::Accounts(ids) = &job.settings.scope
        && !ids.contains(&id)
    {
        return Err(Failed::usage(format!("account {id} is not among the accounts of the settings")));
    }
    let (parts, last) = store.parts(&job.parts()).await?;
    job.same_run(&parts)?;
    if work::finished(&parts)?.contains(&id) {
        let summary = merge(&parts, &mut whole::Nobody).map_err(|error| work::unread(&error))?;
        return Ok(answered(job, &summary, &Notified::default(), &[]));
    }
    let work = Box::pin(work::purge(job, store, &job.settings_of(member), last)).await?;
    Ok(answered(job, &work.summary, &work.notified, &[work.address]))
}

async fn coverage(job: &Job, store: &Store<'_>) -> Result<Value, Failed> {
    let expected = of_run(job, store).await?;
    let parts = store.parts_of_accounts().await?;
    job.same_run(&parts)?;
    let whole = match whole::found(job, store, &parts).await? {
        Some(found) if found.summary.complete() => found,
        // An execution that is redriven does what failed, and then asks again.
        found => {
            let nothing = Notified::default();
            let telling = found.map_or(Telling::First(&nothing), |_| Telling::Again);
            Box::pin(whole::publish(job, store, &parts, &expected, telling)).await?
        }
    };
    if whole.summary.complete() {
        return Ok(answered(job, &whole.summary, &whole.notified, &whole.reports));
    }
    let (incomplete, all) = (whole.summary.accounts_incomplete, whole.summary.accounts);
    let report = whole.reports.first().cloned().unwrap_or_default();
    Err(Failed::new(
        Kind::Incomplete,
        format!(
            "the coverage is incomplete in {incomplete} of {all} accounts: {report} names what was left alone and why"
        ),
    ))
}

async fn of_run(job: &Job, store: &Store<'_>) -> Result<Vec<MemberAccount>, Failed> {
    let address = store.bucket.address(&store.accounts_key());
    let listed = store.accounts(&job.digest()?).await?;
    listed.ok_or_else(|| Failed::usage(format!("{address} is not there: the step accounts of this run comes first")))
}

fn answered(job: &Job, summary: &Summary, notified: &Notified, reports: &[String]) -> Value {
    answer::of_summary(&job.event.run, job.event.step, summary, notified, reports)
}

fn both(one: Notified, other: Notified) -> Notified {
    Notified {
        sent: one.sent + other.sent,
        failed: one.failed + other.failed,
        held: one.held + other.held,
        problems: [one.problems, other.problems].concat(),
    }
}
