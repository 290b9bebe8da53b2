//! `purge`: what was asked, checked; the run; its reports and its exit code.

pub mod asked;
mod explain;
pub mod notify;
mod past;
mod people;
mod readers;
mod review;

use crate::aws::credentials::EstateProblem;
use crate::aws::endpoint::Destination;
use crate::aws::estate::AwsEstate;
use crate::aws::profile::ProfileFiles;
use crate::cli::args::{Output, Purge as Args};
use crate::cli::error::{Exit, Failure, halted};
use crate::cli::machine::{found_places, usage};
use crate::host::clock::{Stop, SystemClock};
use crate::host::console::err;
use crate::host::gauge::TerminalGauge;
use crate::host::paths;
use crate::keys::facts::KeyId;
use crate::keys::purge::row::{Stopped, Summary};
use crate::ports::{Clock, ReportError};
use crate::runner::purge::{Ended, Purge};
use crate::runner::rotate::{CLOCK_TOLERANCE, Halt};
use notify::{Notified, Notifier};
use past::Kept;
use readers::Readers;

pub async fn run(args: &Args, output: Output) -> Result<Exit, Failure> {
    let stop = Stop::default();
    stop.listen();
    let clock = SystemClock { stop };
    let mut settings = asked::settings(args, output, clock.now())?;
    let mut notifier = Notifier::read(args, &settings)?;
    let kept = Kept::read(args)?;
    let (estate, own) = connect(args, output).await?;
    settings.rules.own_keys.extend(own);
    let purge = Purge { estate: &estate, clock: &clock, settings: &settings };
    if let Some(what) = &args.explain {
        return explain::run(&purge, what, output).await;
    }
    let header = asked::header(args, &settings, clock.now());
    let gauge = (!output.quiet).then(TerminalGauge::on_stderr);
    if let Some(notifier) = &mut notifier {
        notifier.connect(&estate).await?;
    }
    let mut readers = Readers::open(args, output, &header, gauge.as_ref(), notifier)?;
    let mut ended = purge.run(&mut readers, &gauge).await;
    if let Some(kept) = &kept {
        kept.tell(&mut ended.summary);
    }
    let (written, notifier) = readers.finish(&ended.summary);
    drop(gauge);
    let told = match notifier {
        Some(notifier) => {
            let told = notifier.send(&ended.summary, &clock).await;
            people::notified(&told, output.quiet);
            told
        }
        None => Notified::default(),
    };
    let added = kept.map_or(Ok(()), |kept| kept.add(&ended));
    match exit(&ended, written.err(), &told).and_then(|exit| added.map(|()| exit)) {
        // Standard output holds one object, and the report is there already.
        Err(failure) if output.json => {
            err(&failure);
            Ok(failure.exit)
        }
        ended => ended,
    }
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

/// What the run came to; that it is incomplete outranks people who were not told, and that a cap that was hit.
fn exit(ended: &Ended, unwritten: Option<ReportError>, notified: &Notified) -> Result<Exit, Failure> {
    if let Some(error) = ended.report.clone().or(unwritten) {
        return Err(Failure::new(Exit::Incomplete, error.to_string())
            .hint("make room, then run again: what was done is in the account, a second run goes on from there"));
    }
    if let Some(failure) = not_signed_in(ended) {
        return Err(failure);
    }
    let summary = &ended.summary;
    if summary.complete() {
        if notified.failed > 0 {
            return Err(untold(notified));
        }
        return Ok(if summary.applied && summary.accounts_capped > 0 { Exit::Capped } else { Exit::Done });
    }
    if let Some(error) = ended.not_listed.as_ref().filter(|_| summary.stopped.is_none()) {
        let message = format!("the accounts cannot be listed now: {error}");
        return Err(Failure::new(Exit::Incomplete, message).hint("nothing was done: run it again"));
    }
    Err(incomplete(summary))
}

/// The run's own credentials were refused, or its clock is off.
pub fn not_signed_in(ended: &Ended) -> Option<Failure> {
    let error = ended.sign_in.as_ref()?;
    if let Some(by) = ended.clock_offset.filter(|by| by.abs() > CLOCK_TOLERANCE) {
        return Some(halted(&Halt::ClockOff { by }));
    }
    let message = format!("the credentials of the purge are not accepted ({error})");
    Some(Failure::new(Exit::CannotSignIn, message).hint("check --profile, or the AWS_ variables of the environment"))
}

/// Nothing was left alone, but somebody who should know does not.
fn untold(notified: &Notified) -> Failure {
    let notices = if notified.failed == 1 { "notice" } else { "notices" };
    Failure::new(Exit::Incomplete, format!("{} {notices} could not be sent", notified.failed))
        .hint("the purge itself is complete; the warnings above say why, and the report whom it was about")
}

fn incomplete(summary: &Summary) -> Failure {
    match summary.stopped {
        Some(Stopped::Asked) => Failure::new(Exit::Incomplete, "the purge was stopped before its end")
            .hint("run it again: it goes on from what is in the accounts"),
        Some(Stopped::OutOfTime) => Failure::new(Exit::Incomplete, "the time limit came before the end")
            .hint("run it again: it goes on from what is in the accounts; or give it more --time-limit"),
        Some(Stopped::Unreported) | None => match summary.skipped.first() {
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
