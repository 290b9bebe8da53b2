//! The embedded metric format: what is counted agrees with the report, and keeps the format's bounds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::rig::developer;
use super::{Rig, account};

const README: &str = include_str!("../../packaging/aws/README.md");

fn documented() -> Vec<String> {
    let section = README.split("## Metrics").nth(1).unwrap().split("\n## ").next().unwrap();
    let words = section.split('`').skip(1).step_by(2);
    words.filter(|word| !["Function", "Account"].contains(word)).map(str::to_owned).collect()
}

/// Each object's dimensions and numbers, after it was checked as the specification says.
fn read(object: &Value) -> (Vec<String>, BTreeMap<String, u64>) {
    let [directive] = object["_aws"]["CloudWatchMetrics"].as_array().unwrap().as_slice() else { panic!("{object}") };
    assert_eq!(directive["Namespace"], "KeyrotMe");
    let age = object["_aws"]["Timestamp"].as_i64().unwrap() - chrono::Utc::now().timestamp_millis();
    assert!(age.abs() < 600_000, "milliseconds: {object}");
    let [dimensions] = directive["Dimensions"].as_array().unwrap().as_slice() else { panic!("{object}") };
    let named: Vec<String> = dimensions
        .as_array()
        .unwrap()
        .iter()
        .map(|name| object[name.as_str().unwrap()].as_str().unwrap().to_owned())
        .collect();
    let metrics = directive["Metrics"].as_array().unwrap();
    assert!(metrics.len() <= 100);
    let number = |metric: &Value| {
        let name = metric["Name"].as_str().unwrap();
        let unit = if name.ends_with("Age") { "Seconds" } else { "Count" };
        assert_eq!(metric["Unit"], unit, "{name}");
        assert!(documented().contains(&name.to_owned()), "{name} is not documented");
        (name.to_owned(), object[name].as_u64().unwrap())
    };
    (named, metrics.iter().map(number).collect())
}

#[test]
fn what_is_counted_agrees_with_the_report() {
    let rig = Rig::new(3, 2).with("KEYROT_ME_WARN_BEFORE", "4d12h").with("KEYROT_ME_EXEMPT_TAG", "true");
    developer(&rig.sandbox, &account(1), "spared");
    let until = (rig.sandbox.now() + chrono::TimeDelta::days(30)).format("%Y-%m-%d OPS-7 vendor").to_string();
    rig.sandbox.set_tag((account(1).as_str(), "spared"), "keyrot-me/exempt", &until);
    rig.sandbox.remove_role(&account(3), "keyrot-me-purge");
    let ran = rig.run(&json!({"run": "friday"}));
    ran.ended.clone().answer();
    let report = rig.json_report("friday");
    let all: Vec<_> = ran.metrics().iter().map(read).collect();
    let (function, whole) = all.iter().find(|(names, _)| names.len() == 1).unwrap();
    assert_eq!(function, &["keyrot-me-purge"]);
    assert_eq!(whole["RunsFinished"], 1);
    assert_eq!(whole["KeysScanned"], report["coverage"]["keys_evaluated"].as_u64().unwrap());
    assert_eq!(whole["KeysDisabled"], 4);
    assert_eq!(whole["KeysDeleted"], 0);
    assert_eq!(whole["KeysWarned"], report["totals"]["warn"].as_u64().unwrap());
    assert_eq!(whole["KeysExempt"], report["totals"]["exempt"].as_u64().unwrap());
    assert!(whole["KeysExempt"] > 0);
    assert_eq!(whole["UsersWithKeys"], 5);
    assert_eq!(whole["AccountsIncomplete"], 1);
    assert_eq!(whole["OldestKeyAge"] / 86_400, 30);
    assert!((15 * 86_400..16 * 86_400).contains(&whole["AverageKeyAge"]), "{whole:?}");
    for (names, of_account) in all.iter().filter(|(names, _)| names.len() == 2) {
        let id = &names[1];
        let told = report["accounts"].as_array().unwrap().iter().find(|it| it["account"] == json!(id)).unwrap();
        assert_eq!(of_account["KeysScanned"], told["keys_evaluated"].as_u64().unwrap(), "{id}");
        assert_eq!(of_account["AccountsIncomplete"], u64::from(told["complete"] == json!(false)), "{id}");
        assert_eq!(of_account["KeysNearLimit"], told["keys_evaluated"].as_u64().unwrap() / 2, "{id}");
    }
    let sum: u64 = all.iter().filter(|(names, _)| names.len() == 2).map(|(_, numbers)| numbers["KeysDisabled"]).sum();
    assert_eq!(sum, 4);
}

#[test]
fn a_dry_run_counts_nothing_as_done_and_names_the_namespace_of_the_settings() {
    let rig = Rig::new(1, 2).with("KEYROT_ME_APPLY", "").with("KEYROT_ME_METRICS_NAMESPACE", "Security/Keys");
    let ran = rig.run(&json!({}));
    ran.ended.clone().answer();
    let total = ran.metrics().into_iter().find(|it| it["RunsFinished"] == 1).unwrap();
    assert_eq!((&total["KeysDisabled"], &total["KeysScanned"]), (&json!(0), &json!(4)));
    assert_eq!(total["_aws"]["CloudWatchMetrics"][0]["Namespace"], "Security/Keys");
}

#[test]
fn a_run_that_the_event_narrowed_is_no_point_on_a_curve() {
    let rig = Rig::new(2, 1);
    for event in [json!({"run": "a", "account": account(1)}), json!({"run": "b", "dry_run": true})] {
        let ran = rig.run(&event);
        ran.ended.clone().answer();
        assert_eq!(ran.stdout, "", "{event}");
    }
    assert!(!rig.objects("").contains(&"history.jsonl".to_owned()));
}

#[test]
fn a_cap_counts_where_it_left_keys_untouched_and_not_in_a_dry_run() {
    for (apply, capped) in [("true", 1), ("false", 0)] {
        let rig = Rig::new(1, 3).with("KEYROT_ME_MAX_AFFECTED", "2").with("KEYROT_ME_APPLY", apply);
        let ran = rig.run(&json!({}));
        assert_eq!(ran.ended.clone().answer()["accounts_capped"], 1);
        for object in ran.metrics().iter().filter(|it| it["RunsFinished"] == 1 || it["Account"] == json!(account(1))) {
            assert_eq!(object["AccountsCapped"], capped, "{object}");
        }
    }
}
