//! One invocation's work, made ready: settings and event read and checked, credentials had, the bucket named.

use chrono::TimeDelta;
use serde_json::Value;

use super::event::{Event, Step};
use super::failed::{Failed, Kind};
use super::log::{Level, Log};
use super::metrics::Metrics;
use super::settings::{self, Variables};
use super::store::{Parts, Store};
use crate::aws::bucket::Bucket;
use crate::aws::endpoint::Destination;
use crate::aws::estate::AwsEstate;
use crate::cli::args::{Output, Purge as Args};
use crate::cli::machine::elsewhere;
use crate::cli::purge::asked;
use crate::cli::purge::notify::{Audience, Notifier};
use crate::host::clock::SystemClock;
use crate::host::paths;
use crate::host::report::ReportHeader;
use crate::keys::facts::Time;
use crate::ports::{Clock, MemberAccount};
use crate::runner::purge::{Purge, Scope, Settings};

/// Nothing new is begun when the invocation has so much time left: calls under way end, within 15 s, and what was done is
/// told.
const RESERVE: TimeDelta = TimeDelta::seconds(30);
/// Until the report of it is in the bucket.
const UPLOAD: TimeDelta = TimeDelta::seconds(10);
/// Nobody is at a terminal.
const OUTPUT: Output = Output { json: false, quiet: true, verbose: 0 };

/// What Lambda says of an invocation.
pub struct Invocation {
    pub event: Value,
    pub request: String,
    pub function: String,
    /// In local time.
    pub deadline: Time,
}

pub struct Job {
    pub event: Event,
    pub log: Log,
    pub settings: Settings,
    pub clock: SystemClock,
    variables: Variables,
    words: Vec<String>,
    function: String,
    estate: AwsEstate,
}

impl Job {
    /// # Errors
    /// [`Failed`] of kind Usage before any call; of `CannotSignIn` where there are no credentials.
    pub async fn open(invocation: Invocation) -> Result<Self, Failed> {
        let Invocation { event, request, function, deadline } = invocation;
        let event = Event::parse(event, &request)?;
        let variables = settings::read(&paths::env_with(settings::PREFIX))?;
        let words = event.narrow(&variables.words)?;
        let clock = SystemClock::default();
        let args = settings::parsed(&words)?;
        let mut settings = asked::settings(&args, OUTPUT, clock.now()).map_err(settings::refused)?;
        settings.only.clone_from(&event.accounts);
        settings.deadline = Some(in_time(clock.now(), deadline)?);
        // What is kept of a run is a report.
        settings.report_last_use = true;
        let destination = Destination::of_environment(&paths::env).map_err(|problem| elsewhere(&problem))?;
        Notifier::read(&args, &settings).map_err(settings::refused)?;
        let log = Log { request, run: event.run.clone() };
        if let Some(custom) = destination.custom_endpoints().first() {
            log.line(Level::Warn, "calls do not go to AWS itself", [("endpoint", custom.url.as_str().into())]);
        }
        let estate = AwsEstate::connect(destination, None).await;
        let estate = estate.map_err(|problem| Failed::new(Kind::CannotSignIn, problem.to_string()))?;
        Ok(Self { event, log, settings, clock, variables, words, function, estate })
    }

    pub fn store(&self) -> Result<Store<'_>, Failed> {
        let folder = tempfile::Builder::new().prefix("keyrot-me-").tempdir();
        let folder = folder.map_err(|error| Failed::unexpected(format!("no folder for files: {error}")))?;
        let bucket = Bucket::new(&self.estate, &self.variables.bucket);
        Ok(Store { bucket, run: &self.event.run, log: &self.log, folder })
    }

    pub fn purge<'a>(&'a self, settings: &'a Settings) -> Purge<'a, AwsEstate, SystemClock> {
        Purge { estate: &self.estate, clock: &self.clock, settings }
    }

    pub fn metrics(&self) -> Metrics<'_> {
        Metrics { namespace: &self.variables.namespace, function: &self.function, run: &self.event.run }
    }

    pub fn narrowed(&self) -> bool {
        self.event.narrows(self.variables.words.iter().any(|word| word == "--apply"))
    }

    pub fn args(&self) -> Result<Args, Failed> {
        settings::parsed(&self.words)
    }

    /// What the reports say was asked.
    pub fn header(&self, began: Time) -> Result<ReportHeader, Failed> {
        let mut header = asked::header(&self.args()?, &self.settings, began);
        let scheduled = self.event.scheduled.map(|at| at.to_rfc3339());
        let more = [("run", Some(self.event.run.clone())), ("scheduled", scheduled)];
        for (label, value) in more.into_iter().filter_map(|(label, value)| Some((label, value?))) {
            header.facts.push((label.to_owned(), value.clone()));
            header.rules.insert(label.to_owned(), value.into());
        }
        Ok(header)
    }

    /// Owners and ticket systems are told by the invocation that did it, readers of summaries once for each run.
    pub async fn notifier(&self, audience: Audience) -> Result<Option<Notifier>, Failed> {
        let notifier = Notifier::read(&self.args()?, &self.settings).map_err(settings::refused)?;
        let Some(mut notifier) = notifier.map(|notifier| notifier.only(audience)) else { return Ok(None) };
        notifier.connect(&self.estate).await.map_err(settings::refused)?;
        Ok(Some(notifier))
    }

    pub fn parts(&self) -> Parts {
        match (self.event.step, self.event.report_only) {
            (Step::Account, _) => Parts::Account(self.event.accounts.concat()),
            (_, true) => Parts::Review,
            (_, false) => Parts::Purge,
        }
    }

    /// The name that reports of this run have before their extension.
    pub fn report(&self) -> &'static str {
        if self.event.report_only { "review" } else { "purge" }
    }

    /// For one account of those that the step `accounts` found.
    pub fn settings_of(&self, account: MemberAccount) -> Settings {
        Settings { scope: Scope::Listed(vec![account]), only: Vec::new(), ..self.settings.clone() }
    }
}

/// Until when something may be begun.
fn in_time(now: Time, deadline: Time) -> Result<Time, Failed> {
    let until = deadline - RESERVE - UPLOAD;
    let needed = (RESERVE + UPLOAD).num_seconds();
    let why =
        format!("the function's time-out leaves no time: the last {needed} s belong to its report; give it minutes");
    if until > now { Ok(until) } else { Err(Failed::usage(why)) }
}
