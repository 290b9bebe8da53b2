//! What a stop leaves in an account, wherever it comes: never taken for finished, and done by the run's next invocation.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Rig, account};
use crate::sandbox::{Always, Fault};

const SHORT: Duration = Duration::from_secs(1);
const LATE: Fault = Fault::Delay(Duration::from_secs(2));

/// Cut short by `fault`, then to its end without it.
fn cut_and_finished(rig: &Rig, fault: impl FnOnce(&Rig)) -> Value {
    fault(rig);
    let (runtime, event) = (rig.start(), json!({"run": "friday"}));
    let said = Rig::begin_with(&runtime, &event, SHORT).wait().error("Unfinished");
    assert!(said.contains("accounts are left (") && said.contains(&account(1)), "{said}");
    rig.sandbox.clear_faults();
    runtime.invoke(&event).answer()
}

#[test]
fn stopped_between_its_groups_an_account_is_left_to_the_next_invocation() {
    let rig = Rig::new(1, 3).with("KEYROT_ME_EXEMPT_GROUPS", "Spared");
    rig.sandbox.add_group_in(&account(1), "Spared", &[]);
    let answer = cut_and_finished(&rig, |rig| rig.sandbox.fault_about("GetGroup", "Spared", 1, LATE));
    assert_eq!((&answer["complete"], &answer["done"]["disable"]), (&json!(true), &json!(3)));
}

#[test]
fn stopped_at_its_door_an_account_is_left_to_the_next_invocation() {
    let rig = Rig::new(1, 3);
    let answer = cut_and_finished(&rig, |rig| {
        rig.sandbox.fault_about("AssumeRole", &account(1), Always, Fault::Throttle);
    });
    assert_eq!((&answer["complete"], &answer["done"]["disable"]), (&json!(true), &json!(3)));
}

#[test]
fn stopped_between_the_writes_of_its_last_key_an_account_is_left_to_the_next_invocation() {
    let rig = Rig::new(1, 1).with("KEYROT_ME_GRACE", "0");
    let answer = cut_and_finished(&rig, |rig| rig.sandbox.fault("TagUser", 1, LATE));
    assert_eq!((&answer["complete"], &answer["done"]["delete"]), (&json!(true), &json!(1)));
    assert_eq!((rig.keys("Inactive"), rig.keys("Active")), (0, 1));
}

#[test]
fn accounts_that_were_refused_with_the_purge_s_own_credentials_are_left_to_the_next_invocation() {
    let rig = Rig::new(2, 3);
    let code = "ExpiredToken".to_owned();
    let message = "The security token included in the request is expired".to_owned();
    rig.sandbox.fault_about("AssumeRole", &account(2), Always, Fault::Deny { code, message });
    let (runtime, event) = (rig.start(), json!({"run": "friday"}));
    let said = runtime.invoke(&event).error("CannotSignIn");
    assert!(said.contains("not accepted"), "{said}");
    rig.sandbox.clear_faults();
    let answer = runtime.invoke(&event).answer();
    assert_eq!((&answer["complete"], &answer["done"]["disable"]), (&json!(true), &json!(6)));
}

#[test]
fn what_was_done_to_one_user_is_told_while_another_is_slow() {
    let rig = Rig::new(1, 2);
    rig.sandbox.fault_about("UpdateAccessKey", "dev-1", 1, LATE);
    let log = rig.run(&json!({})).log();
    let users: Vec<&Value> =
        log.iter().filter(|line| line["message"] == "disable done").map(|line| &line["user"]).collect();
    assert_eq!(users, [&json!("dev-2"), &json!("dev-1")]);
}
