//! What an event may say: it narrows, and never widens.

use serde_json::{Value, json};

use super::{Rig, account};

/// The kind and the words of the error that an event ends in, and that nothing was called before it.
#[track_caller]
fn refused(rig: &Rig, event: &Value) -> String {
    rig.sandbox.clear_calls();
    let ran = rig.run(event);
    assert_eq!(rig.sandbox.calls().len(), 0, "{event}");
    ran.ended.error("Usage")
}

#[test]
fn an_event_that_is_not_understood_is_refused_before_any_call() {
    let rig = Rig::new(1, 1);
    for (event, words) in [
        (json!([]), "no JSON object"),
        (json!("purge"), "no JSON object"),
        (json!({"dryrun": true}), "unknown field `dryrun`"),
        (json!({"dry_run": "yes"}), "the event"),
        (json!({"apply": true}), "unknown field `apply`"),
        (json!({"max_age": "1d"}), "unknown field"),
        (json!({"step": "everything"}), "unknown variant"),
        (json!({"account": "12345"}), "twelve digits"),
        (json!({"account": []}), "empty list"),
        (json!({"account": null}), "a null"),
        (json!({"dry_run": null}), "a null"),
        (json!({"report_only": null}), "a null"),
        (json!({"step": null}), "a null"),
        (json!({"step": "accounts", "account": account(1)}), "all accounts"),
        (json!({"account": ["123456789012", "x"]}), "twelve digits"),
        (json!({"run": "../../etc"}), "letters, digits"),
        (json!({"run": ".."}), "not dots alone"),
        (json!({"run": "x".repeat(65)}), "1 to 64"),
        (json!({"scheduled": "Friday"}), "no time like"),
        (json!({"period": "7d"}), "report_only"),
        (json!({"report_only": true, "period": "7 parsecs"}), "period"),
        (json!({"step": "account"}), "one account"),
        (json!({"step": "account", "account": [account(1), account(2)]}), "one account"),
        (json!({"step": "coverage", "account": account(1)}), "all accounts"),
    ] {
        let said = refused(&rig, &event);
        assert!(said.contains(words), "{event}: {said}");
    }
}

#[test]
fn an_event_cannot_turn_a_dry_run_into_an_enforcement() {
    let rig = Rig::new(1, 1).with("KEYROT_ME_APPLY", "false");
    assert!(refused(&rig, &json!({"dry_run": false})).contains("KEYROT_ME_APPLY"));
    let answer = rig.run(&json!({"run": "dry"})).ended.answer();
    assert_eq!((&answer["applied"], &answer["done"]["disable"]), (&json!(false), &json!(0)));
    assert_eq!(rig.writes(), (0, 0));
}

#[test]
fn an_event_makes_a_dry_run_of_an_enforcement() {
    let rig = Rig::new(1, 2);
    let answer = rig.run(&json!({"run": "dry", "dry_run": true})).ended.answer();
    assert_eq!((&answer["applied"], &answer["totals"]["disable"]), (&json!(false), &json!(2)));
    assert_eq!(rig.writes(), (0, 0));
    assert_eq!(rig.json_report("dry")["applied"], json!(false));
}

#[test]
fn an_event_names_some_of_the_accounts_and_no_other() {
    let rig = Rig::new(3, 1);
    let some = json!({"run": "some", "account": [account(2)]});
    let answer = rig.run(&some).ended.answer();
    assert_eq!(
        (&answer["accounts"], &answer["complete"], &answer["done"]["disable"]),
        (&json!(1), &json!(true), &json!(1))
    );
    rig.sandbox.add_account("300000000000");
    let answer = rig.run(&json!({"run": "more", "account": [account(1), "300000000000"]})).ended.answer();
    assert_eq!((&answer["complete"], &answer["accounts_incomplete"]), (&json!(false), &json!(1)));
    let report = rig.json_report("more");
    let accounts = report["accounts"].as_array().unwrap();
    let other = accounts.iter().find(|it| it["account"] == "300000000000").unwrap();
    assert!(other["skipped"][0]["cause"].as_str().unwrap().contains("not among the accounts"), "{other}");
    assert_eq!(rig.writes(), (2, 1));
}

#[test]
fn accounts_of_the_settings_are_narrowed_as_those_of_the_organization() {
    let both = format!("{}, {}", account(1), account(2));
    let rig = Rig::new(3, 1).with("KEYROT_ME_ORG", "").with("KEYROT_ME_ACCOUNTS", &both);
    let answer = rig.run(&json!({"run": "a", "account": account(3)})).ended.answer();
    assert_eq!((&answer["complete"], &answer["accounts"]), (&json!(false), &json!(1)));
    assert_eq!(rig.writes(), (0, 0));
    let answer = rig.run(&json!({"run": "b", "account": account(1)})).ended.answer();
    assert_eq!((&answer["complete"], &answer["done"]["disable"]), (&json!(true), &json!(1)));
}

#[test]
fn the_schedules_time_and_the_runs_name_are_in_the_report() {
    let rig = Rig::new(1, 1);
    let event = json!({"run": "friday-47", "scheduled": "2026-11-20T23:55:00Z"});
    rig.run(&event).ended.answer();
    let rules = &rig.json_report("friday-47")["rules"];
    assert_eq!((&rules["run"], &rules["scheduled"]), (&json!("friday-47"), &json!("2026-11-20T23:55:00+00:00")));
    let page = rig.report("friday-47", "purge.html");
    assert!(page.contains("2026-11-20T23:55:00"), "the page does not tell when it was scheduled");
}

#[test]
fn an_event_without_a_name_is_the_run_of_its_request() {
    let rig = Rig::new(1, 1);
    let answer = rig.run(&json!({})).ended.answer();
    assert_eq!(answer["run"], "request-1");
    assert_eq!(rig.objects("runs/request-1/parts/"), ["runs/request-1/parts/0001.json"]);
}

#[test]
fn a_name_of_a_run_that_was_asked_for_something_else_is_refused() {
    let mut rig = Rig::new(2, 1);
    rig.run(&json!({"run": "some", "account": account(1)})).ended.answer();
    for event in [
        json!({"run": "some"}),
        json!({"run": "some", "account": account(2)}),
        json!({"run": "some", "account": account(1), "dry_run": true}),
    ] {
        let said = rig.run(&event).ended.error("Usage");
        assert!(said.contains("this is another run"), "{event}: {said}");
    }
    rig.run(&json!({"run": "some", "account": account(1), "scheduled": "2026-11-20T23:55:00Z"})).ended.answer();
    rig.set("KEYROT_ME_MAX_AGE", "6d");
    rig.run(&json!({"run": "some", "account": account(1)})).ended.error("Usage");
    assert_eq!(rig.writes(), (1, 1));
}
