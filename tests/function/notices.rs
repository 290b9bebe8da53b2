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
