//! The state machine's steps: accounts, each account, the coverage of all.

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::BUCKET;
use super::{Rig, Runtime, account};
use crate::sandbox::{Always, Fault, HOME};

fn step(name: &str) -> Value {
    json!({"run": "friday", "step": name})
}

fn of(id: &str) -> Value {
    json!({"run": "friday", "step": "account", "account": id})
}

/// The ids that the map goes over.
fn listed(rig: &Rig, runtime: &Runtime) -> Vec<String> {
    let answer = runtime.invoke(&step("accounts")).answer();
    assert_eq!((&answer["bucket"], &answer["key"]), (&json!(BUCKET), &json!("runs/friday/accounts.json")));
    let listed: Vec<Value> = serde_json::from_str(&rig.object("runs/friday/accounts.json")).unwrap();
    assert_eq!(answer["accounts"], json!(listed.len()));
    listed.iter().map(|one| one["account"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_pieces_make_the_whole_run() {
    let rig = Rig::new(4, 2);
    let runtime = rig.start();
    rig.sandbox.set_account_state(&account(4), "SUSPENDED");
    let ids = listed(&rig, &runtime);
    assert_eq!(ids, [HOME.to_owned(), account(1), account(2), account(3), account(4)]);
    for id in &ids {
        let answer = runtime.invoke(&of(id)).answer();
        assert_eq!(
            (&answer["step"], &answer["complete"], &answer["accounts"]),
            (&json!("account"), &json!(true), &json!(1)),
            "{answer}"
        );
    }
    let listings = rig.sandbox.count("ListAccounts");
    let ended = runtime.invoke(&step("coverage"));
    let ran = rig.over(runtime, ended);
    let answer = ran.ended.clone().answer();
    assert_eq!(
        (&answer["complete"], &answer["accounts"], &answer["done"]["disable"]),
        (&json!(true), &json!(5), &json!(6))
    );
    assert_eq!(listings, 1, "the organization is listed once for all");
    assert_eq!(rig.writes(), (6, 1));
    let report = rig.json_report("friday");
    let left: Vec<&Value> = report["accounts"].as_array().unwrap().iter().filter(|it| !it["left"].is_null()).collect();
    assert_eq!(left.len(), 2, "the management account, and one that is suspended: {left:?}");
    assert_eq!(ran.metrics().len(), 5 + 1);
    assert_eq!(rig.object("history.jsonl").lines().count(), 1);
}

#[test]
fn an_account_that_is_not_in_the_runs_list_is_refused() {
    let rig = Rig::new(1, 1);
    let runtime = rig.start();
    assert!(runtime.invoke(&of(&account(1))).error("Usage").contains("the step accounts of this run comes first"));
    assert!(runtime.invoke(&step("coverage")).error("Usage").contains("comes first"));
    listed(&rig, &runtime);
    rig.sandbox.clear_calls();
    assert!(runtime.invoke(&of("999999999999")).error("Usage").contains("not in runs/friday/accounts.json"));
    let calls: Vec<String> = rig.sandbox.calls().into_iter().map(|call| call.action).collect();
    assert_eq!(calls, ["GetObject"]);
}

#[test]
fn a_list_that_other_settings_made_is_refused() {
    let mut rig = Rig::new(2, 1);
    listed(&rig, &rig.start());
    let ids = rig.sandbox.objects(BUCKET);
    rig.set("KEYROT_ME_EXEMPT_GROUPS", "Spared");
    for event in [step("accounts"), of(&account(1)), step("coverage")] {
        let said = rig.run(&event).ended.error("Usage");
        assert!(said.contains("accounts.json was made by other settings"), "{event}: {said}");
    }
    assert_eq!((rig.writes(), rig.sandbox.objects(BUCKET)), ((0, 0), ids));
}

#[test]
fn where_no_account_was_told_of_the_coverage_names_each() {
    let rig = Rig::new(2, 1);
    let runtime = rig.start();
    listed(&rig, &runtime);
    let ended = runtime.invoke(&step("coverage"));
    let ran = rig.over(runtime, ended);
    let said = ran.ended.clone().error("Incomplete");
    assert!(said.contains("3 of 3 accounts"), "{said}");
    let report = rig.json_report("friday");
    assert_eq!(report["accounts"].as_array().unwrap().len(), 3);
    let total = ran.metrics().into_iter().find(|it| it["RunsFinished"] == 1).unwrap();
    assert_eq!(total["AccountsIncomplete"], 3);
}

#[test]
fn two_coverages_at_once_tell_the_run_once() {
    let rig = Rig::new(1, 1);
    let runtime = rig.start();
    for id in listed(&rig, &runtime) {
        runtime.invoke(&of(&id)).answer();
    }
    drop(runtime);
    let (one, other) = (rig.start(), rig.start());
    // Both have looked whether the run is told already.
    let gate = rig.sandbox.gate("PutObject", None, 1);
    let first = one.begin(&step("coverage"), "a", Duration::from_secs(900));
    assert!(gate.reached(Duration::from_secs(60)));
    let second = other.begin(&step("coverage"), "a", Duration::from_secs(900)).wait();
    gate.open();
    assert_eq!((&first.wait().answer()["complete"], &second.answer()["complete"]), (&json!(true), &json!(true)));
    let told = [one.stop().0, other.stop().0].concat();
    assert_eq!(told.matches("RunsFinished\":1").count(), 1, "{told}");
}

#[test]
fn the_list_of_a_run_is_made_once() {
    let rig = Rig::new(2, 1);
    let runtime = rig.start();
    let first = listed(&rig, &runtime);
    rig.sandbox.add_account("300000000000");
    assert_eq!(listed(&rig, &runtime), first);
    assert_eq!(rig.sandbox.count("ListAccounts"), 1);
}

#[test]
fn an_account_that_nobody_told_of_makes_the_coverage_incomplete_and_is_named() {
    let rig = Rig::new(3, 1);
    let runtime = rig.start();
    listed(&rig, &runtime);
    for id in [HOME.to_owned(), account(1), account(3)] {
        runtime.invoke(&of(&id)).answer();
    }
    let ended = runtime.invoke(&step("coverage"));
    let ran = rig.over(runtime, ended);
    let said = ran.ended.clone().error("Incomplete");
    assert!(said.contains("1 of 4 accounts") && said.contains("purge.html"), "{said}");
    let report = rig.json_report("friday");
    let left: Vec<&Value> =
        (report["accounts"].as_array().unwrap().iter()).filter(|it| it["complete"] == json!(false)).collect();
    assert_eq!((left.len(), &left[0]["account"]), (1, &json!(account(2))));
    assert_eq!(left[0]["skipped"][0]["what"], json!(format!("account/{}", account(2))));
    let total = ran.metrics().into_iter().find(|it| it["RunsFinished"] == 1).unwrap();
    assert_eq!(total["AccountsIncomplete"], 1);
    // The execution is redriven: the account is done, and the coverage asked for again.
    let runtime = rig.start();
    runtime.invoke(&of(&account(2))).answer();
    let ended = runtime.invoke(&step("coverage"));
    let again = rig.over(runtime, ended);
    let answer = again.ended.clone().answer();
    assert_eq!(
        (&answer["complete"], &answer["accounts"], &answer["done"]["disable"]),
        (&json!(true), &json!(4), &json!(3))
    );
    assert_eq!(rig.json_report("friday")["complete"], json!(true));
    assert_eq!((again.stdout.as_str(), rig.object("history.jsonl").lines().count()), ("", 1), "told once");
}

#[test]
fn an_account_is_cut_by_its_deadline_and_goes_on_with_nothing_done_twice() {
    let rig = Rig::new(1, 4);
    let runtime = rig.start();
    listed(&rig, &runtime);
    rig.sandbox.fault("ListGroupsForUser", Always, Fault::Delay(Duration::from_secs(2)));
    let one = of(&account(1));
    let said = Rig::begin_with(&runtime, &one, Duration::from_secs(1)).wait().error("Unfinished");
    assert!(said.contains(&account(1)), "{said}");
    rig.sandbox.clear_faults();
    let answer = runtime.invoke(&one).answer();
    assert_eq!(answer["complete"], json!(true), "{answer}");
    // A third finds it finished, and does nothing.
    rig.sandbox.clear_calls();
    let third = runtime.invoke(&one).answer();
    assert_eq!((&third["complete"], &third["done"]["disable"]), (&json!(true), &json!(4)));
    assert_eq!(rig.sandbox.count("AssumeRole"), 0);
    runtime.invoke(&of(HOME)).answer();
    let whole = runtime.invoke(&step("coverage")).answer();
    assert_eq!((&whole["complete"], &whole["done"]["disable"]), (&json!(true), &json!(4)));
    assert_eq!(rig.keys("Inactive"), 4);
}

#[test]
fn the_settings_own_accounts_are_listed_too() {
    let rig = Rig::new(2, 1).with("KEYROT_ME_ORG", "").with("KEYROT_ME_ACCOUNTS", &account(2));
    let runtime = rig.start();
    assert_eq!(listed(&rig, &runtime), [account(2)]);
    assert_eq!(runtime.invoke(&of(&account(2))).answer()["done"]["disable"], 1);
    assert_eq!(runtime.invoke(&step("coverage")).answer()["complete"], json!(true));
}

#[test]
fn an_organization_that_cannot_be_listed_fails_the_step() {
    let rig = Rig::new(1, 1);
    rig.sandbox.deny("ListAccounts");
    let said = rig.run(&step("accounts")).ended.error("Unexpected");
    assert!(said.contains("organizations:ListAccounts"), "{said}");
    assert_eq!(rig.objects(""), Vec::<String>::new());
}
