//! A deadline that cuts a run short, and the invocations that go on: nothing is done twice, and one report tells all.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Rig, account};
use crate::sandbox::{Always, Fault};

/// Until the deadline cuts: accounts that answer late are not done then.
const SHORT: Duration = Duration::from_secs(3);

fn slow(rig: &Rig, accounts: impl IntoIterator<Item = usize>) {
    for n in accounts {
        rig.sandbox.fault_about("ListGroupsForUser", &account(n), Always, Fault::Delay(Duration::from_secs(2)));
    }
}

#[test]
fn a_deadline_cuts_and_a_second_invocation_finishes_with_nothing_done_twice() {
    let rig = Rig::new(6, 3);
    slow(&rig, 4..=6);
    let runtime = rig.start();
    let event = json!({"run": "friday"});
    let said = Rig::begin_with(&runtime, &event, SHORT).wait().error("Unfinished");
    assert!(said.contains("accounts are left (") && said.contains("same run"), "{said}");
    assert!(said.contains(&account(5)) && !said.contains(&account(1)), "{said}");
    assert_eq!(rig.objects("reports/"), Vec::<String>::new());
    assert_eq!(rig.objects("runs/"), ["runs/friday/parts/0001.json"]);
    let before = rig.writes().0;
    assert!((9..18).contains(&before), "{before} writes before the deadline");
    rig.sandbox.clear_faults();
    let ended = runtime.invoke(&event);
    let ran = rig.over(runtime, ended);
    let answer = ran.ended.clone().answer();
    assert_eq!(
        (&answer["complete"], &answer["accounts"], &answer["done"]["disable"]),
        (&json!(true), &json!(7), &json!(18))
    );
    assert_eq!((rig.writes(), rig.keys("Inactive")), ((18, 1), 18));
    let report = rig.json_report("friday");
    let done = |key: &&Value| key["decision"] == "disable" && key["result"] == "done";
    assert_eq!(report["keys"].as_array().unwrap().iter().filter(done).count(), 18);
    assert_eq!((&report["complete"], report["accounts"].as_array().unwrap().len()), (&json!(true), 7));
    assert_eq!(rig.objects("runs/").len(), 2);
    let totals: Vec<Value> = ran.metrics().into_iter().filter(|it| it["RunsFinished"] == 1).collect();
    assert_eq!((totals.len(), &totals[0]["KeysDisabled"]), (1, &json!(18)), "both invocations' sums, once");
    assert_eq!(rig.object("history.jsonl").lines().count(), 1);
}

#[test]
fn accounts_that_are_finished_are_not_called_again() {
    let rig = Rig::new(6, 3);
    slow(&rig, [6]);
    let runtime = rig.start();
    let event = json!({"run": "friday"});
    Rig::begin_with(&runtime, &event, SHORT).wait().error("Unfinished");
    rig.sandbox.clear_faults();
    rig.sandbox.clear_calls();
    runtime.invoke(&event).answer();
    let entered: Vec<String> =
        rig.sandbox.calls().into_iter().filter(|call| call.action == "GetGroup").map(|call| call.account).collect();
    assert_eq!(entered, [account(6)]);
}

#[test]
fn an_account_that_is_incomplete_for_another_reason_is_not_tried_again() {
    let rig = Rig::new(6, 3);
    slow(&rig, [6]);
    rig.sandbox.remove_role(&account(2), "keyrot-me-purge");
    let runtime = rig.start();
    let event = json!({"run": "friday"});
    Rig::begin_with(&runtime, &event, SHORT).wait().error("Unfinished");
    rig.sandbox.clear_faults();
    rig.sandbox.clear_calls();
    let answer = runtime.invoke(&event).answer();
    assert_eq!((&answer["complete"], &answer["accounts_incomplete"]), (&json!(false), &json!(1)));
    let tried = rig.sandbox.calls().into_iter().filter(|call| call.action == "AssumeRole");
    assert!(tried.into_iter().all(|call| !call.parameters["RoleArn"].contains(&account(2))));
}

#[test]
fn a_dry_run_is_cut_and_finished_in_the_same_way() {
    let rig = Rig::new(4, 3).with("KEYROT_ME_APPLY", "false");
    rig.sandbox.fault_about("ListAccessKeys", &account(4), Always, Fault::Delay(Duration::from_secs(2)));
    let runtime = rig.start();
    Rig::begin_with(&runtime, &json!({}), Duration::from_secs(1)).wait().error("Unfinished");
    rig.sandbox.clear_faults();
    // Lambda repeats the invocation with the same request id.
    let answer = runtime.invoke(&json!({})).answer();
    assert_eq!((&answer["run"], &answer["complete"]), (&json!("request-1"), &json!(true)));
    assert_eq!((&answer["totals"]["disable"], &answer["totals"]["keep"]), (&json!(12), &json!(12)));
}
