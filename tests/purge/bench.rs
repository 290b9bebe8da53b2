//! One population with a key of every kind, and runs of the purge over it that are disturbed on the way.
//!
//! What is true of each such run, however it ended, is asked here; which disturbance it was is the caller's.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;

use super::file::Scenario;
use super::report::Report;
use super::stage::Stage;
use crate::sandbox::{Call, Time};
use crate::workstation::Ran;

/// The program's default.
pub const GRACE: TimeDelta = TimeDelta::days(7);
/// A record has whole seconds, and the service's clock is known to the second.
const SECONDS: TimeDelta = TimeDelta::seconds(2);

/// A key of every kind that the rules know.
const POPULATION: &str = r#"
title = "one of each"
why = ""

[[user]]
name = "alice"
groups = ["Developers"]
keys = [{ label = "one", age = "6d" }, { label = "two", age = "90d" }]

[[user]]
name = "bob"
groups = ["Developers"]
tags = { "keyrot-me/disabled/{past}" = "first={now-9d} last={now-8d} n=2" }
keys = [{ label = "past", age = "30d", status = "Inactive" }, { label = "young", age = "1d" }]

[[user]]
name = "carol"
groups = ["Developers"]
tags = { "keyrot-me/disabled/{again}" = "first={now-9d} last={now-8d} n=1" }
keys = [{ label = "again", age = "30d" }]

[[user]]
name = "dave"
groups = ["Developers", "Spared"]
tags = { "keyrot-me/disabled/{member}" = "first={now-9d} last={now-8d} n=1" }
keys = [{ label = "member", age = "30d", status = "Inactive" }]

[[user]]
name = "erin"
groups = ["Developers"]
tags = { "keyrot-me/exempt" = "{today+30d} OPS-7 vendor" }
keys = [{ label = "tagged", age = "30d" }]

[[user]]
name = "frank"
groups = ["Developers"]
keys = [{ label = "unrecorded", age = "30d", status = "Inactive" }]

[[user]]
name = "gina"
groups = ["Developers"]
keys = [{ label = "warned", age = "4d 12h" }]

[[user]]
name = "heidi"
keys = [{ label = "outside", age = "300d" }]

[[user]]
name = "ivan"
groups = ["Developers"]
tags = { "keyrot-me/disabled/{waits}" = "first={now-1d} last={now-1d} n=1" }
keys = [{ label = "waits", age = "30d", status = "Inactive" }]
"#;

/// Keys that no run may touch, and how they stand.
const UNTOUCHED: [(&str, &str); 5] =
    [("young", "Active"), ("member", "Inactive"), ("tagged", "Active"), ("warned", "Active"), ("outside", "Active")];

pub struct Bench {
    pub stage: Stage,
    /// Key id, action and time of each `UpdateAccessKey` and `DeleteAccessKey` that IAM carried out.
    done: Arc<Mutex<Vec<(String, String, Time)>>>,
}

impl Bench {
    pub fn new() -> Self {
        Self::with("")
    }

    /// With more of the scenario's own words.
    pub fn with(more: &str) -> Self {
        let stage = Stage::new(&Scenario::parse(&format!("{POPULATION}{more}")).unwrap()).unwrap();
        let done: Arc<Mutex<Vec<(String, String, Time)>>> = Arc::default();
        let (log, sandbox) = (Arc::clone(&done), stage.sandbox.control());
        stage.sandbox.after_call(move |call: &Call| {
            if ["UpdateAccessKey", "DeleteAccessKey"].contains(&call.action.as_str()) {
                let key = call.parameters["AccessKeyId"].clone();
                log.lock().unwrap().push((key, call.action.clone(), sandbox.now()));
            }
        });
        Self { stage, done }
    }

    pub fn start(&self, arguments: &str) -> Child {
        let words = self.stage.words(arguments).unwrap();
        let mut command = self.stage.command(&words);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        self.stage.sandbox.set_client(Some(child.id()));
        child
    }

    pub fn run(&self, arguments: &str) -> Ran {
        Ran::from(self.start(arguments).wait_with_output().unwrap())
    }

    pub fn status(&self, label: &str) -> String {
        let id = self.stage.key(label).unwrap().id;
        self.stage.sandbox.key(&id).map_or("gone".to_owned(), |key| key.status)
    }

    fn statuses(&self) -> BTreeMap<String, String> {
        let names: Vec<String> = self.stage.names().keys.values().map(|key| key.id.clone()).collect();
        let status = |id: &String| self.stage.sandbox.key(id).map_or("gone".to_owned(), |key| key.status);
        names.iter().map(|id| (id.clone(), status(id))).collect()
    }

    /// Of the key with this label; none where there is no tag.
    pub fn record(&self, label: &str) -> Option<String> {
        let key = self.stage.key(label).unwrap();
        self.stage.sandbox.tags_of(key.user.as_str()).remove(&format!("keyrot-me/disabled/{}", key.id))
    }

    /// Nobody who is spared lost anything, and no key went before its own grace was over.
    pub fn check(&self, grace: TimeDelta, when: &str) {
        for (label, status) in UNTOUCHED {
            assert_eq!(self.status(label), status, "{label} {when}");
        }
        let done = self.done.lock().unwrap().clone();
        for (at, (key, action, moment)) in done.iter().enumerate() {
            let disabled =
                done[..at].iter().rev().find(|(other, action, _)| other == key && action == "UpdateAccessKey");
            if action != "DeleteAccessKey" {
                continue;
            }
            match disabled {
                Some((_, _, disabled)) => {
                    assert!(
                        *moment - *disabled + SECONDS >= grace,
                        "{key} went {} after its disabling, {when}",
                        *moment - *disabled
                    );
                }
                None if grace.is_zero() => {}
                None => {
                    let inactive_before =
                        ["past", "waits", "unrecorded"].map(|label| self.stage.key(label).unwrap().id);
                    assert!(inactive_before.contains(key), "{key} was deleted and never disabled, {when}");
                }
            }
        }
    }

    /// What the report says of each key is so.
    pub fn check_report(&self, ran: &Ran, when: &str) -> Report {
        let report = Report::read(&ran.stdout).unwrap_or_else(|why| panic!("{when}: {why} {}", ran.stderr));
        let statuses = self.statuses();
        for line in &report.keys {
            let found = statuses[&line.access_key_id].as_str();
            let told = line.words();
            match (line.result.as_str(), line.decision.as_str()) {
                ("done", "disable" | "wait") => assert_eq!(found, "Inactive", "{told} {when}"),
                ("done", "delete") => assert_eq!(found, "gone", "{told} {when}"),
                ("failed", _) => {}
                _ => assert!(!self.touched(&line.access_key_id), "{told} {when}: but it was {found}"),
            }
        }
        let told = |key: &str| report.keys.iter().any(|line| line.access_key_id == key);
        for key in &self.changed() {
            assert!(told(key), "{key} was changed and not reported, {when}");
        }
        let expected = if report.complete { 0 } else { 20 };
        assert_eq!(ran.code, Some(expected), "{when}: {}", ran.stderr);
        report
    }

    /// Ids of the keys that IAM switched off or deleted.
    pub fn changed(&self) -> Vec<String> {
        self.done.lock().unwrap().iter().map(|(key, ..)| key.clone()).collect()
    }

    fn touched(&self, key: &str) -> bool {
        self.changed().iter().any(|changed| changed == key)
    }

    /// No key that this run switched off is without its record.
    pub fn check_records(&self, when: &str) {
        for label in ["one", "two", "again"] {
            if self.status(label) == "Inactive" {
                assert!(self.record(label).is_some(), "{label} is off without a record {when}");
            }
        }
    }

    /// Fault-free runs finish what was begun: at once what can be, after the grace what must wait.
    pub fn check_that_it_is_finished(&self, arguments: &str, when: &str) {
        let sandbox = &self.stage.sandbox;
        sandbox.clear_faults();
        self.run(arguments).expect(0);
        self.check(GRACE, when);
        for (label, status) in [("one", "Inactive"), ("two", "Inactive"), ("again", "Inactive"), ("past", "gone")] {
            assert_eq!(self.status(label), status, "{label} after a second run, {when}");
        }
        self.check_records(when);
        // Just before the earliest grace that was begun in this test is over.
        sandbox.advance(Duration::from_secs(7 * 86_400 - 120));
        self.set_young_again();
        self.run(arguments).expect(0);
        self.check(GRACE, when);
        for label in ["one", "two", "again", "unrecorded"] {
            assert_eq!(self.status(label), "Inactive", "{label} before its grace is over, {when}");
        }
        sandbox.advance(Duration::from_secs(300));
        self.run(arguments).expect(0);
        self.check(GRACE, when);
        for label in ["one", "two", "again", "unrecorded", "waits", "past"] {
            assert_eq!(self.status(label), "gone", "{label} after its grace, {when}");
        }
    }

    /// The days that pass must not make these over-age.
    fn set_young_again(&self) {
        let sandbox = &self.stage.sandbox;
        for (label, age) in [("young", TimeDelta::days(1)), ("warned", TimeDelta::hours(108))] {
            sandbox.set_created(&self.stage.key(label).unwrap().id, sandbox.now() - age);
        }
    }
}
