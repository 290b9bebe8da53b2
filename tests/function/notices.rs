//! Who is told by which invocation: readers of summaries once for each run, however many invocations it took.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Rig, account};
use crate::sandbox::{Always, Fault, HOME};

const MAY_PUBLISH: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sns:Publish","Resource":"*"}]}"#;

fn told(accounts: usize) -> Rig {
    let rig = Rig::new(accounts, 2);
    let topic = rig.sandbox.add_topic(HOME, "security");
    rig.sandbox.allow_role(HOME, "keyrot-me-function", MAY_PUBLISH);
    rig.with("KEYROT_ME_NOTIFY", &format!("sns:{topic}"))
}

fn failed(metrics: &[Value]) -> Vec<u64> {
    metrics.iter().filter_map(|it| it["NotificationsFailed"].as_u64()).collect()
}

#[test]
fn a_run_of_two_invocations_is_told_once() {
    let rig = told(3);
    rig.sandbox.fault_about("ListGroupsForUser", &account(3), Always, Fault::Delay(Duration::from_secs(2)));
    let runtime = rig.start();
    let event = json!({"run": "friday"});
    Rig::begin_with(&runtime, &event, Duration::from_secs(2)).wait().error("Unfinished");
    assert_eq!(rig.sandbox.messages().len(), 0);
    rig.sandbox.clear_faults();
    let ended = runtime.invoke(&event);
    let ran = rig.over(runtime, ended);
    assert_eq!(ran.ended.clone().answer()["notified"], json!({"sent": 1, "failed": 0, "held": 0}));
    let messages = rig.sandbox.messages();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(failed(&ran.metrics()), [0]);
}

#[test]
fn the_pieces_of_a_run_are_told_by_its_last() {
    let rig = told(2);
    let runtime = rig.start();
    let step = |name: &str| json!({"run": "friday", "step": name});
    runtime.invoke(&step("accounts")).answer();
    for id in [HOME.to_owned(), account(1), account(2)] {
        runtime.invoke(&json!({"run": "friday", "step": "account", "account": id})).answer();
    }
    assert_eq!(rig.sandbox.messages().len(), 0);
    assert_eq!(runtime.invoke(&step("coverage")).answer()["notified"]["sent"], 1);
    assert_eq!(rig.sandbox.messages().len(), 1);
}

#[test]
fn a_notice_that_fails_is_counted_and_the_purge_stands() {
    let rig = told(1);
    rig.sandbox.deny("Publish");
    let ran = rig.run(&json!({"run": "friday"}));
    let answer = ran.ended.clone().answer();
    assert_eq!((&answer["complete"], &answer["done"]["disable"]), (&json!(true), &json!(2)));
    assert_eq!(answer["notified"]["failed"], 1);
    assert_eq!(failed(&ran.metrics()), [1]);
    assert!(ran.log().iter().any(|line| line["message"] == "a notice was not sent"));
}

const MAY_MAIL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ses:SendEmail","ses:GetSuppressedDestination"],"Resource":"*"}]}"#;

/// A webhook's secret that the function may not read.
fn refused(rig: Rig, kind: &str) -> Rig {
    let arn = rig.sandbox.add_secret(HOME, "us-east-1", "hook", "no address");
    rig.with("KEYROT_ME_NOTIFY", &format!("{kind}:{arn}"))
}

#[test]
fn a_webhook_that_is_refused_is_told_before_a_key_is_touched() {
    for (kind, step) in [("slack", "purge"), ("ticket", "purge"), ("slack", "accounts")] {
        let rig = refused(Rig::new(1, 1), kind);
        let said = rig.run(&json!({"run": "friday", "step": step})).ended.error("Usage");
        assert!(said.contains("hook"), "{said}");
        assert_eq!((rig.writes(), rig.objects("")), ((0, 0), Vec::new()), "{kind} {step}");
    }
}

#[test]
fn a_webhook_that_is_refused_once_keys_were_touched_is_a_notice_that_failed() {
    let rig = refused(Rig::new(1, 1), "ses").with("KEYROT_ME_NOTIFY", "");
    // The part, then the page.
    rig.sandbox.fault("PutObject", 2, Fault::denied());
    rig.run(&json!({"run": "friday"})).ended.error("Unexpected");
    let rig = refused(rig, "slack");
    let ran = rig.run(&json!({"run": "friday"}));
    let answer = ran.ended.clone().answer();
    assert_eq!((&answer["complete"], &answer["done"]["disable"]), (&json!(true), &json!(1)));
    assert_eq!((&answer["notified"]["failed"], failed(&ran.metrics())), (&json!(1), vec![1]));
    assert_eq!(rig.object("history.jsonl").lines().count(), 1);
}

#[test]
fn owners_that_were_held_back_count_and_the_summary_tells_of_them() {
    let rig = told(2);
    rig.sandbox.allow_role(HOME, "keyrot-me-function", MAY_MAIL);
    let topic = rig.variables().iter().find(|(name, _)| name == "KEYROT_ME_NOTIFY").unwrap().1.clone();
    let rig = rig
        .with("KEYROT_ME_NOTIFY", &format!("{topic},ses:keys@example.com"))
        .with("KEYROT_ME_OWNER_ADDRESS", "{user}-{account}@example.com")
        .with("KEYROT_ME_NOTIFY_LIMIT", "1");
    let ran = rig.run(&json!({"run": "friday"}));
    assert_eq!(ran.ended.clone().answer()["notified"]["held"], 4);
    assert_eq!(failed(&ran.metrics()).iter().sum::<u64>(), 4);
    let summary = &rig.sandbox.messages()[0].text;
    assert!(summary.contains("4 owners of 4 keys were not written to"), "{summary}");
}
