//! One invocation's work, made ready: settings and event read and checked, credentials had, the bucket named.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::event::{Event, Step};
use super::failed::{Failed, Kind};
use super::log::{Level, Log};
use super::metrics::Metrics;
use super::settings::{self, Variables};
use super::store::{Parts, Store};
use super::work::unread;
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
use crate::host::report::merge::opening;
use crate::keys::facts::Time;
use crate::ports::{Clock, MemberAccount};
use crate::runner::purge::{Purge, Scope, Settings};

/// Nothing new is begun when the invocation has so much time left: calls under way end, within 15 s, and what was done is
/// told.
const RESERVE: TimeDelta = TimeDelta::seconds(30);
/// Until the report of it is in the bucket.
const UPLOAD: TimeDelta = TimeDelta::seconds(10);
/// The last of it is for the answer.
const ANSWER: TimeDelta = TimeDelta::seconds(5);
/// What folders of invocations are called; after it comes the process.
const FOLDER: &str = "keyrot-me-purge-";
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
    /// When Lambda ends the invocation, in local time.
    killed: Time,
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
        Ok(Self { event, log, settings, clock, variables, words, function, estate, killed: deadline })
    }

    pub fn store(&self) -> Result<Store<'_>, Failed> {
        clear_folders();
        let folder = tempfile::Builder::new().prefix(&format!("{FOLDER}{}-", std::process::id())).tempdir();
        let folder = folder.map_err(|error| Failed::unexpected(format!("no folder for files: {error}")))?;
        // Lambda keeps the request's id when it repeats an invocation: the folder's name tells the two apart.
        let own = folder.path().file_name().unwrap_or_default().to_string_lossy();
        let bucket = Bucket::new(&self.estate, &self.variables.bucket, &format!("{} {own}", self.log.request));
        let left = (self.last_moment() - self.clock.now()).to_std().unwrap_or_default();
        Ok(Store { bucket, run: &self.event.run, log: &self.log, folder, until: Instant::now() + left })
    }

    /// Until then reports and notices are sent, in local time.
    pub fn last_moment(&self) -> Time {
        self.killed - ANSWER
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
        if self.event.step == Step::Purge && !self.event.accounts.is_empty() {
            header.rules.insert("only_accounts".to_owned(), self.event.accounts.clone().into());
        }
        Ok(header)
    }

    /// Tells one set of rules from another.
    pub fn digest(&self) -> Result<String, Failed> {
        let header = self.header(self.clock.now())?;
        let mut hasher = DefaultHasher::new();
        (header.applied, asked_of(header.rules).to_string()).hash(&mut hasher);
        Ok(format!("{:016x}", hasher.finish()))
    }

    /// # Errors
    /// [`Failed`] of kind Usage where parts of this run were asked for something else: its name would promise what it is
    /// not.
    pub fn same_run(&self, parts: &[PathBuf]) -> Result<(), Failed> {
        let ours = self.header(self.clock.now())?;
        let (applied, rules) = (ours.applied, asked_of(ours.rules));
        for part in parts {
            let header = opening(part).map_err(|error| unread(&error))?;
            if header.applied != applied || asked_of(header.rules) != rules {
                let run = &self.event.run;
                return Err(Failed::usage(format!(
                    "the run {run} was begun with other settings, or another event: this is another run, give it a name of its own"
                )));
            }
        }
        Ok(())
    }

    /// Owners and ticket systems are told by the invocation that did it, readers of summaries once for each run.
    pub async fn notifier(&self, audience: Audience) -> Result<Option<Notifier>, Failed> {
        let notifier = Notifier::read(&self.args()?, &self.settings).map_err(settings::refused)?;
        let Some(mut notifier) = notifier.map(|notifier| notifier.only(audience)) else { return Ok(None) };
        notifier.connect_anyway(&self.estate).await;
        Ok(Some(notifier))
    }

    /// Webhooks that are refused are found before a key is touched.
    ///
    /// # Errors
    /// [`Failed`] of kind Usage.
    pub async fn prove_notices(&self) -> Result<(), Failed> {
        let notifier = Notifier::read(&self.args()?, &self.settings).map_err(settings::refused)?;
        let Some(mut notifier) = notifier else { return Ok(()) };
        notifier.connect(&self.estate).await.map_err(settings::refused)
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

/// What was asked, without what differs from one invocation of a run to the next.
fn asked_of(mut rules: Map<String, Value>) -> Value {
    rules.remove("scheduled");
    Value::Object(rules)
}

/// An environment serves one invocation at a time: what earlier ones left, which were killed, is in nobody's way but the
/// disk's. On a machine with several processes, each keeps its own.
fn clear_folders() {
    let is_over = |name: &str| {
        let process = name.strip_prefix(FOLDER).and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        let ended = |id: u32| Path::new("/proc/self").exists() && !Path::new("/proc").join(id.to_string()).exists();
        process.is_some_and(|id| id == std::process::id() || ended(id))
    };
    let entries = std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| is_over(&entry.file_name().to_string_lossy())) {
        // What cannot be removed is another user's.
        drop(std::fs::remove_dir_all(entry.path()));
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
