//! The state machine of packaging/aws/stepfunctions over a simulated organization: its own file, run by a small driver that
//! calls the real function for each account.
//!
//! `KEYROT_STATE_MACHINE_ACCOUNTS=500` runs it as large as the figures in packaging/aws/README.md.

pub mod cloud;
mod lint;
pub mod machine;
mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::function::runtime::Ended;
use crate::sandbox::{Always, Fault};
use cloud::{BUCKET, Cloud, FUNCTION, USERS};
use machine::{Fault as Failure, Machine, World, fault};

const DEFINITION: &str = include_str!("../../packaging/aws/stepfunctions/state-machine.asl.json");

fn machine<'a>(cloud: &'a Cloud, at_once: &str) -> Machine<'a, Cloud> {
    let blanks =
        [("Partition", "aws"), ("FunctionArn", FUNCTION), ("ReportBucket", BUCKET), ("MaxConcurrency", at_once)];
    Machine::new(DEFINITION, &blanks, cloud)
}

fn input() -> Value {
    json!({"scheduled": "2026-11-27T23:55:00Z"})
}

/// The organization's report of a run.
fn report(cloud: &Cloud, run: &str) -> Value {
    let keys = cloud.sandbox.objects(BUCKET);
    let key = keys
        .iter()
        .find(|key| key.starts_with("reports/") && key.ends_with(&format!("{run}/purge.json")))
        .unwrap_or_else(|| panic!("{keys:?}"));
    serde_json::from_str(&cloud.sandbox.object(BUCKET, key).unwrap().0).unwrap()
}

fn incomplete(report: &Value) -> BTreeSet<&str> {
    let accounts = report["accounts"].as_array().unwrap().iter();
    accounts.filter(|one| one["complete"] == false).map(|one| one["account"].as_str().unwrap()).collect()
}

/// Calls of an action about the sandbox's whole organization, that were done.
fn done(cloud: &Cloud, action: &str) -> usize {
    cloud.sandbox.calls().iter().filter(|call| call.action == action && call.outcome == "OK").count()
}

#[test]
fn an_organization_is_purged_account_by_account_and_its_coverage_proved() {
    let asked = std::env::var("KEYROT_STATE_MACHINE_ACCOUNTS").ok().map(|text| text.parse().unwrap());
    let count: usize = asked.unwrap_or(60);
    let cloud = Cloud::new(count, 10);
    let machine = machine(&cloud, "10");
    let began = Instant::now();
    let answer = machine.execute("friday", &input()).unwrap();
    let took = began.elapsed();

    assert_eq!([&answer["complete"], &answer["accounts"]], [&json!(true), &json!(count + 1)], "{answer}");
    assert_eq!(answer["done"]["disable"], count);
    let report = report(&cloud, "friday");
    assert_eq!(report["keys"].as_array().unwrap().len(), count * USERS);
    assert_eq!(incomplete(&report), BTreeSet::new());
    assert_eq!(done(&cloud, "UpdateAccessKey"), count);
    assert!(cloud.accounts.iter().all(|account| cloud.old_key(account).1 == "Inactive"));
    assert_eq!(machine.failed.load(Ordering::SeqCst), 0);
    let written = cloud.sandbox.object(BUCKET, "runs/friday/map/map-run/SUCCEEDED_0.json").unwrap().0;
    assert_eq!(written.matches("\"step\":\"account\"").count(), (count + 1) * 2, "input and output of each");
    figures(&cloud, count, took);
}

/// For packaging/aws/README.md.
fn figures(cloud: &Cloud, count: usize, took: Duration) {
    let invocations = cloud.invocations.lock().unwrap();
    let of = |step: &str| -> Vec<f64> {
        let them = invocations.iter().filter(|one| one.event["step"] == step);
        them.map(|one| one.took.as_secs_f64()).collect()
    };
    let each = of("account");
    println!(
        "{count} accounts, ten at once: {:.1} s; {} invocations; {} calls; an account {:.3} s at the mean, {:.3} s at most; \
         the list {:.2} s, the coverage {:.2} s; peak memory {:.0} MiB",
        took.as_secs_f64(),
        invocations.len(),
        cloud.sandbox.calls().len(),
        each.iter().sum::<f64>() / each.iter().map(|_| 1.0).sum::<f64>(),
        each.iter().copied().fold(0.0, f64::max),
        of("accounts")[0],
        of("coverage")[0],
        cloud.peak_memory(),
    );
}

/// The same by one function alone, for comparison; AWS's answers take time, which the sandbox is told to take too.
#[test]
fn one_function_alone_comes_to_the_same() {
    let asked: Option<usize> = std::env::var("KEYROT_STATE_MACHINE_ACCOUNTS").ok().map(|text| text.parse().unwrap());
    let cloud = Cloud::new(asked.unwrap_or(12), 1);
    if asked.is_some() {
        cloud.sandbox.fault("*", Always, Fault::Delay(Duration::from_millis(100)));
    }
    let began = Instant::now();
    let answer = cloud.invoke(FUNCTION, &json!({"run": "friday"})).unwrap();
    let (calls, memory) = (cloud.sandbox.calls().len(), cloud.peak_memory());
    println!(
        "one function, {} accounts: {:.1} s, {calls} calls, peak memory {memory:.0} MiB",
        cloud.accounts.len(),
        began.elapsed().as_secs_f64()
    );
    assert_eq!(
        [&answer["complete"], &answer["done"]["disable"]],
        [&json!(true), &json!(cloud.accounts.len())],
        "{answer}"
    );
}

#[test]
fn accounts_that_fail_stop_no_other_and_are_exactly_those_that_the_report_names() {
    let cloud = Cloud::new(12, 4);
    let [closed, throttled] = [&cloud.accounts[3], &cloud.accounts[7]];
    cloud.close(closed);
    cloud.sandbox.fault_about("ListAccessKeys", throttled, Always, Fault::Throttle);
    let machine = machine(&cloud, "4");
    let fault = machine.execute("friday", &input()).unwrap_err();
    assert_eq!(fault.error, "Incomplete", "{}", fault.cause);
    assert!(fault.cause.contains("incomplete in 2 of 13 accounts"), "{}", fault.cause);
    let report = report(&cloud, "friday");
    assert_eq!(incomplete(&report), BTreeSet::from([closed.as_str(), throttled.as_str()]));
    assert_eq!(done(&cloud, "UpdateAccessKey"), 10);
}

/// More than can be written in two seconds.
const MANY: usize = 40;

/// The function's time ends in the middle of an account: it says so, is called again, and goes on.
#[test]
fn an_account_that_is_cut_short_is_gone_on_with_and_nothing_is_done_twice() {
    let cloud = Cloud::new(3, 3);
    let account = cloud.accounts[1].clone();
    cloud.set("KEYROT_ME_MAX_AFFECTED", "100%");
    for number in 0..MANY {
        let name = format!("late-{number}");
        cloud.sandbox.add_user((account.as_str(), name.as_str()));
        cloud.sandbox.join((account.as_str(), name.as_str()), "Developers");
        cloud.sandbox.seed_key((account.as_str(), name.as_str()), cloud.sandbox.now() - TimeDelta::days(40), "Active");
    }
    // Of the function's time, 40 s are for the end: two are left for the work, and sixteen writes at once take four.
    cloud.cut_short(&account, Duration::from_secs(42));
    cloud.sandbox.fault_about("UpdateAccessKey", &account, Always, Fault::Delay(Duration::from_millis(1_500)));
    let machine = machine(&cloud, "3");
    let answer = machine.execute("friday", &input()).unwrap();
    assert_eq!(answer["complete"], true, "{answer}");
    assert_eq!(machine.retried.load(Ordering::SeqCst), 1);
    let invocations = cloud.invocations.lock().unwrap();
    let of_it: Vec<&Ended> =
        invocations.iter().filter(|one| one.event["account"] == account.as_str()).map(|one| &one.ended).collect();
    assert!(matches!(of_it[0], Ended::Error { kind, .. } if kind == "Unfinished"), "{:?}", of_it[0]);
    assert!(matches!(of_it[1..], [Ended::Answer(_)]), "{of_it:?}");
    let mut disabled: Vec<String> = cloud
        .sandbox
        .calls()
        .into_iter()
        .filter(|call| call.action == "UpdateAccessKey")
        .map(|call| call.parameters["AccessKeyId"].clone())
        .collect();
    disabled.sort();
    let all = disabled.len();
    disabled.dedup();
    assert_eq!([all, disabled.len()], [3 + MANY; 2]);
    let report = report(&cloud, "friday");
    let done = report["keys"].as_array().unwrap().iter().filter(|key| key["result"] == "done").count();
    assert_eq!(done, 3 + MANY);
}

/// Each step fails three times with what has no name of its own.
#[derive(Default)]
struct Shaky(Mutex<BTreeMap<String, u32>>);

impl World for Shaky {
    fn invoke(&self, _: &str, payload: &Value) -> Result<Value, Failure> {
        let mut failed = self.0.lock().unwrap();
        let times = failed.entry(payload["step"].to_string()).or_default();
        *times += 1;
        if *times <= 3 { Err(fault("Unexpected", "a network that was not there")) } else { Ok(payload.clone()) }
    }

    fn get(&self, _: &str, _: &str) -> Option<Vec<u8>> {
        Some(br#"[{"account":"111122223333"}]"#.to_vec())
    }

    fn put(&self, _: &str, _: &str, _: Vec<u8>) {}
}

#[test]
fn what_failed_unexpectedly_is_tried_three_times_more_in_each_step() {
    let world = Shaky::default();
    let blanks = [("Partition", "aws"), ("FunctionArn", FUNCTION), ("ReportBucket", BUCKET), ("MaxConcurrency", "1")];
    let machine = Machine::new(DEFINITION, &blanks, &world);
    machine.execute("friday", &input()).unwrap();
    let [retried, failed] = [&machine.retried, &machine.failed].map(|count| count.load(Ordering::SeqCst));
    assert_eq!([retried, failed], [9, 0]);
}

#[test]
fn a_dry_run_is_asked_for_by_the_executions_input() {
    let cloud = Cloud::new(2, 2);
    let answer = machine(&cloud, "2").execute("look", &json!({"dry_run": true})).unwrap();
    assert_eq!([&answer["applied"], &answer["complete"]], [false, true]);
    assert_eq!(done(&cloud, "UpdateAccessKey"), 0);
}

#[test]
fn what_would_widen_the_settings_or_leave_accounts_out_fails_before_any_account_is_entered() {
    let cloud = Cloud::new(1, 1);
    for (name, input) in [("one", json!({"account": cloud.accounts[0]})), ("misspelt", json!({"dryrun": true}))] {
        let fault = machine(&cloud, "1").execute(name, &input).unwrap_err();
        assert_eq!(fault.error, "Usage", "{}", fault.cause);
    }
    assert_eq!(cloud.sandbox.count("AssumeRole"), 0);
}
