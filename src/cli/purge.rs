//! `purge`: what was asked, checked; the run; its reports and its exit code.

mod asked;
mod explain;
mod people;

use crate::aws::credentials::EstateProblem;
use crate::aws::endpoint::Destination;
use crate::aws::estate::AwsEstate;
use crate::aws::profile::ProfileFiles;
use crate::cli::args::{Output, Purge as Args};
use crate::cli::error::{Exit, Failure, halted};
use crate::cli::machine::{found_places, usage};
use crate::host::clock::{Stop, SystemClock};
use crate::host::console::{err, output_gone};
use crate::host::gauge::TerminalGauge;
use crate::host::paths;
use crate::host::report::{ReportHeader, Reports};
use crate::keys::facts::KeyId;
use crate::keys::purge::row::{AccountSummary, KeyRow, Outcome, Stopped, Summary};
use crate::ports::{Clock, PurgeReport, ReportError};
use crate::runner::purge::{Ended, Purge};
use crate::runner::rotate::{CLOCK_TOLERANCE, Halt};
use people::People;

/// Every reader of one run: people on the screen, and the reports.
struct Readers {
    people: Option<People>,
    reports: Reports,
    applied: bool,
}

impl Readers {
    /// A run that changes keys goes on only while somebody takes what it tells. What it changed until it saw that
    /// nobody does goes to standard error.
    fn heard(&self, row: Option<&KeyRow>) -> Result<(), ReportError> {
        if !self.applied || !output_gone() || self.reports.any_file() {
            return Ok(());
        }
        if let Some(row) = row.filter(|row| row.outcome != Outcome::Planned) {
            err(people::line(row, self.applied));
        }
        Err(ReportError {
            name: "on standard output".to_owned(),
            why: "nobody takes it, and no --report is kept".to_owned(),
        })
    }
}

impl PurgeReport for Readers {
    fn key(&mut self, row: &KeyRow) -> Result<(), ReportError> {
        if let Some(people) = &mut self.people {
            people.key(row)?;
        }
        let told = self.reports.key(row);
        self.heard(Some(row)).and(told)
    }

    fn account(&mut self, account: &AccountSummary) -> Result<(), ReportError> {
        if let Some(people) = &mut self.people {
            people.account(account)?;
        }
        let told = self.reports.account(account);
        self.heard(None).and(told)
    }
}

pub async fn run(args: &Args, output: Output) -> Result<Exit, Failure> {
    let stop = Stop::default();
    stop.listen();
    let clock = SystemClock { stop };
    let mut settings = asked::settings(args, output, clock.now())?;
    let (estate, own) = connect(args, output).await?;
    settings.rules.own_keys.extend(own);
    let purge = Purge { estate: &estate, clock: &clock, settings: &settings };
    if let Some(what) = &args.explain {
        return explain::run(&purge, what, output).await;
    }
    let header = asked::header(args, &settings, clock.now());
    let mut readers = readers(args, output, &header)?;
    let gauge = TerminalGauge::on_stderr();
    let ended = purge.run(&mut readers, &gauge).await;
    drop(gauge);
    let written = readers.reports.finish(&ended.summary);
    if readers.people.is_some() {
        people::summary(&ended.summary);
    }
    match exit(&ended, written.err()) {
        // Standard output holds one object, and the report is there already.
        Err(failure) if output.json => {
            err(&failure);
            Ok(failure.exit)
        }
        ended => ended,
    }
}

/// Opened before anything is called: a report that cannot be written changes nothing.
fn readers(args: &Args, output: Output, header: &ReportHeader) -> Result<Readers, Failure> {
    let reports = Reports::create(&args.report, output.json, header)
        .map_err(|error| Failure::new(Exit::Usage, error.to_string()).hint("name another file; nothing was called"))?;
    let people = (!output.json).then(|| People::begin(args.apply, header));
    let readers = Readers { people, reports, applied: args.apply };
    let heard = readers.heard(None);
    heard.map_err(|error| Failure::new(Exit::Usage, error.to_string()).hint("nothing was called; write a --report"))?;
    Ok(readers)
}

/// The credentials, and the long-term key that the profile's chain begins with.
async fn connect(args: &Args, output: Output) -> Result<(AwsEstate, Option<KeyId>), Failure> {
    let places = found_places()?;
    let files = ProfileFiles::load(&places.credentials, &places.config).await.map_err(|problem| usage(&problem))?;
    let of_environment = args.profile.is_none() && paths::env("AWS_ACCESS_KEY_ID").is_some();
    let named = args.profile.clone().or_else(|| paths::env("AWS_PROFILE"));
    let profile = named.as_deref().filter(|_| !of_environment);
    let destination = Destination::for_profile(&files, profile, &paths::env)
        .await
        .map_err(|error| Failure::new(Exit::Usage, error.to_string()).hint(error.hint()))?;
    if !output.quiet {
        for custom in destination.custom_endpoints().iter().take(1) {
            err(format_args!("note: calls go to {}, not to AWS itself", custom.url));
        }
    }
    let estate =
        AwsEstate::connect(destination, args.profile.as_deref()).await.map_err(|problem| no_credentials(&problem))?;
    let source = if of_environment { None } else { files.resolve(profile.unwrap_or("default")).ok() };
    Ok((estate, source.map(|profile| profile.key.id)))
}

fn no_credentials(problem: &EstateProblem) -> Failure {
    let exit = if matches!(problem, EstateProblem::Unusable { .. }) { Exit::CannotSignIn } else { Exit::Usage };
    Failure::new(exit, problem.to_string()).hint(problem.hint())
}

/// What the run came to; that it is incomplete outranks a cap that was hit.
fn exit(ended: &Ended, unwritten: Option<ReportError>) -> Result<Exit, Failure> {
    if let Some(error) = ended.report.clone().or(unwritten) {
        return Err(Failure::new(Exit::Incomplete, error.to_string())
            .hint("make room, then run again: what was done is in the account, a second run goes on from there"));
    }
    if let Some(error) = &ended.sign_in {
        if let Some(by) = ended.clock_offset.filter(|by| by.abs() > CLOCK_TOLERANCE) {
            return Err(halted(&Halt::ClockOff { by }));
        }
        return Err(Failure::new(
            Exit::CannotSignIn,
            format!("the credentials of the purge are not accepted ({error})"),
        )
        .hint("check --profile, or the AWS_ variables of the environment"));
    }
    let summary = &ended.summary;
    if summary.complete() {
        return Ok(if summary.applied && summary.accounts_capped > 0 { Exit::Capped } else { Exit::Done });
    }
    Err(incomplete(summary))
}

fn incomplete(summary: &Summary) -> Failure {
    match summary.stopped {
        Some(Stopped::Asked) => Failure::new(Exit::Incomplete, "the purge was stopped before its end")
            .hint("run it again: it goes on from what is in the accounts"),
        Some(Stopped::OutOfTime) => Failure::new(Exit::Incomplete, "the time limit came before the end")
            .hint("run it again: it goes on from what is in the accounts; or give it more --time-limit"),
        None => match summary.skipped.first() {
            Some(skipped) => Failure::new(Exit::Incomplete, format!("{}: {}", skipped.what, skipped.cause))
                .hint("nothing was done; see packaging/iam for the policies that the purge needs"),
            None => Failure::new(
                Exit::Incomplete,
                format!(
                    "the coverage is incomplete in {} of {} accounts",
                    summary.accounts_incomplete, summary.accounts
                ),
            )
            .hint("the warnings above, and `accounts` in the report, name what was left alone and why"),
        },
    }
}
