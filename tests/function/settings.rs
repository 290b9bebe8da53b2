//! Each variable of packaging/aws/README.md, and what is none.

use serde_json::json;

use super::{Rig, account};
use crate::sandbox::HOME;

const README: &str = include_str!("../../packaging/aws/README.md");

#[track_caller]
fn refused(name: &str, value: &str, words: &str) {
    let rig = Rig::new(0, 0).with(name, value);
    let said = rig.run(&json!({})).ended.error("Usage");
    assert!(said.contains(words), "{name}={value}: {said}");
    assert!(!said.contains(" --"), "{name}={value} is explained by an option: {said}");
    assert_eq!(rig.sandbox.calls().len(), 0, "{name}={value}");
}

#[test]
fn nonsense_is_refused_by_the_variables_name_before_any_call() {
    for (name, value, words) in [
        ("KEYROT_ME_MAX_AGE", "", "KEYROT_ME_MAX_AGE is not set"),
        ("KEYROT_ME_MAX_AGE", "soon", "KEYROT_ME_MAX_AGE: "),
        ("KEYROT_ME_MAX_AGE", "0", "KEYROT_ME_MAX_AGE 0 takes every key"),
        ("KEYROT_ME_GROUPS", "", "KEYROT_ME_GROUPS is not set"),
        ("KEYROT_ME_GROUPS", "a b", "cannot be the name"),
        ("KEYROT_ME_ALL_USERS", "true", "KEYROT_ME_ALL_USERS"),
        ("KEYROT_ME_ALL_USERS", "yes", "KEYROT_ME_ALL_USERS is \"yes\", and must be true or false"),
        ("KEYROT_ME_GRACE", "-1d", "KEYROT_ME_GRACE: "),
        ("KEYROT_ME_WARN_BEFORE", "9d", "KEYROT_ME_WARN_BEFORE 9 d is no shorter than KEYROT_ME_MAX_AGE"),
        ("KEYROT_ME_UNUSED_FOR", "x", "KEYROT_ME_UNUSED_FOR: "),
        ("KEYROT_ME_EXEMPT_GROUPS", "Developers", "KEYROT_ME_EXEMPT_GROUPS"),
        ("KEYROT_ME_EXEMPT_GROUPS", ",", "KEYROT_ME_EXEMPT_GROUPS is \",\""),
        ("KEYROT_ME_EXEMPT_GROUPS", "Spared,,Other", "an item between the commas is empty"),
        ("KEYROT_ME_EXEMPT_GROUPS", " ", "KEYROT_ME_EXEMPT_GROUPS is blank"),
        ("KEYROT_ME_OUS", " ", "KEYROT_ME_OUS is blank"),
        ("KEYROT_ME_ACCOUNTS", ",", "KEYROT_ME_ACCOUNTS is"),
        ("KEYROT_ME_ROLE", " ", "KEYROT_ME_ROLE is blank"),
        ("KEYROT_ME_EXEMPT_TAG", "1", "KEYROT_ME_EXEMPT_TAG is \"1\""),
        ("KEYROT_ME_ORG", "TRUE", "KEYROT_ME_ORG is \"TRUE\""),
        ("KEYROT_ME_OUS", "workloads", "organizational unit"),
        ("KEYROT_ME_ACCOUNTS", "123456789012", "KEYROT_ME_ACCOUNTS"),
        ("KEYROT_ME_ROLE", "arn:aws:iam::1:role/x", "KEYROT_ME_ROLE: "),
        ("KEYROT_ME_EXTERNAL_ID", "x", "KEYROT_ME_EXTERNAL_ID: "),
        ("KEYROT_ME_MAX_AFFECTED", "110%", "KEYROT_ME_MAX_AFFECTED: "),
        ("KEYROT_ME_ALLOW_EMPTY", "no", "KEYROT_ME_ALLOW_EMPTY is \"no\""),
        ("KEYROT_ME_NOTIFY", "fax:1", "KEYROT_ME_NOTIFY: "),
        ("KEYROT_ME_NOTIFY_LIMIT", "many", "KEYROT_ME_NOTIFY_LIMIT: "),
        ("KEYROT_ME_NOTIFY_TEMPLATES", "/nowhere", "KEYROT_ME_NOTIFY"),
        ("KEYROT_ME_TEAM_ADDRESS", "a@b.example", "KEYROT_ME_NOTIFY"),
        ("KEYROT_ME_REPORT_BUCKET", "", "KEYROT_ME_REPORT_BUCKET is not set"),
        ("KEYROT_ME_REPORT_BUCKET", "Reports/here", "a bucket's name"),
        ("KEYROT_ME_METRICS_NAMESPACE", "AWS/Lambda", "KEYROT_ME_METRICS_NAMESPACE"),
        ("AWS_ENDPOINT_URL_S3", "http://s3.example.com", "plain http"),
        ("AWS_REGION", "no region", "region"),
    ] {
        refused(name, value, words);
    }
}

#[test]
fn a_variable_that_nobody_knows_is_refused_with_the_nearest_name() {
    for (name, nearest) in [
        ("KEYROT_ME_DRYRUN", "the nearest is KEYROT_ME_"),
        ("KEYROT_ME_GROUP", "the nearest is KEYROT_ME_GROUPS"),
        ("KEYROT_ME_EXEMPT_GROUP", "the nearest is KEYROT_ME_EXEMPT_GROUPS"),
        ("KEYROT_ME_CONFIG", "is no setting of this function"),
    ] {
        refused(name, "true", nearest);
    }
}

#[test]
fn the_address_of_a_webhook_is_not_repeated() {
    let rig = Rig::new(0, 0).with("KEYROT_ME_NOTIFY", "slack:https://hooks.example.com/services/T0/B0/xyzzy");
    let ran = rig.run(&json!({}));
    let (out, err) = (ran.stdout.clone(), ran.stderr.clone());
    let said = ran.ended.error("Usage");
    assert!(said.contains("put it into a file"), "{said}");
    assert!(![said, out, err].concat().contains("xyzzy"));
}

#[test]
fn anything_but_true_is_a_dry_run() {
    for value in ["", "false", "yes", "True", "1"] {
        let rig = Rig::new(1, 1).with("KEYROT_ME_APPLY", value);
        assert_eq!(rig.run(&json!({})).ended.answer()["applied"], json!(false), "{value}");
        assert_eq!(rig.writes(), (0, 0));
    }
}

#[test]
fn each_setting_reaches_the_engine() {
    let rig = Rig::new(2, 1)
        .with("KEYROT_ME_GROUPS", "Developers, Contractors")
        .with("KEYROT_ME_EXEMPT_GROUPS", "Spared")
        .with("KEYROT_ME_EXEMPT_TAG", "true")
        .with("KEYROT_ME_MAX_AGE", "20d")
        .with("KEYROT_ME_GRACE", "3d")
        .with("KEYROT_ME_WARN_BEFORE", "19d")
        .with("KEYROT_ME_UNUSED_FOR", "2d")
        .with("KEYROT_ME_MAX_AFFECTED", "17")
        .with("KEYROT_ME_ALLOW_EMPTY", "true")
        .with("KEYROT_ME_ROLE", "keyrot-me-purge");
    for id in [account(1), account(2)] {
        rig.sandbox.add_group_in(&id, "Contractors", &[]);
        rig.sandbox.add_group_in(&id, "Spared", &[]);
    }
    let answer = rig.run(&json!({"run": "all"})).ended.answer();
    assert_eq!(answer["complete"], json!(true), "{answer}");
    let rules = &rig.json_report("all")["rules"];
    for (name, value) in [
        ("groups", json!(["Developers", "Contractors"])),
        ("exempt_groups", json!(["Spared"])),
        ("exempt_tag", json!(true)),
        ("max_age_seconds", json!(20 * 86_400)),
        ("grace_seconds", json!(3 * 86_400)),
        ("warn_before_seconds", json!(19 * 86_400)),
        ("unused_for_seconds", json!(2 * 86_400)),
        ("max_affected", json!("17")),
        ("role", json!("keyrot-me-purge")),
        ("organization", json!(true)),
    ] {
        assert_eq!(rules[name], value, "{name}");
    }
}

#[test]
fn users_accounts_and_units_are_taken_from_the_settings() {
    let rig = Rig::new(3, 1).with("KEYROT_ME_GROUPS", "").with("KEYROT_ME_ALL_USERS", "true");
    assert_eq!(rig.run(&json!({"run": "all"})).ended.answer()["done"]["disable"], 3);
    let rig = Rig::new(3, 1).with("KEYROT_ME_ORG", "").with("KEYROT_ME_ACCOUNTS", &account(2));
    assert_eq!(rig.run(&json!({"run": "two"})).ended.answer()["accounts"], 1);
    let rig = Rig::new(3, 1);
    let unit = rig.sandbox.add_unit(&rig.root, "Workloads");
    rig.sandbox.place(&account(3), &unit);
    let rig = rig.with("KEYROT_ME_OUS", &unit);
    assert_eq!(rig.run(&json!({"run": "unit"})).ended.answer()["accounts"], 1);
}

#[test]
fn without_accounts_it_is_the_functions_own() {
    let rig = Rig::new(0, 0).with("KEYROT_ME_ORG", "").with("KEYROT_ME_EXTERNAL_ID", "");
    rig.sandbox.allow_role(HOME, "keyrot-me-function", include_str!("../../packaging/iam/purge-role.json"));
    rig.sandbox.add_group("Developers", &[]);
    super::rig::developer(&rig.sandbox, HOME, "dev-1");
    let answer = rig.run(&json!({"run": "own"})).ended.answer();
    assert_eq!((&answer["complete"], &answer["done"]["disable"]), (&json!(true), &json!(1)), "{answer}");
    assert_eq!(rig.json_report("own")["accounts"][0]["account"], HOME);
}

#[test]
fn the_readme_names_the_variables_that_there_are() {
    let documented: Vec<&str> =
        README.lines().filter_map(|line| line.strip_prefix("| `KEYROT_ME_")?.split('`').next()).collect();
    assert_eq!(documented.len(), 25, "{documented:?}");
    for name in documented {
        // Switches and numbers refuse it, texts take it; what is not known is told as that.
        let rig = Rig::new(0, 0).with(&format!("KEYROT_ME_{name}"), "x-nonsense");
        let ended = format!("{:?}", rig.run(&json!({"run": "x"})).ended);
        assert!(!ended.contains("no setting of this function"), "KEYROT_ME_{name}: {ended}");
    }
}

#[test]
fn outside_of_lambda_it_says_what_to_run_instead() {
    let output = std::process::Command::new(super::function()).env_clear().output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("AWS_LAMBDA_RUNTIME_API") && said.contains("keyrot-me purge"), "{said}");
}

#[test]
fn a_time_out_that_leaves_no_time_is_told() {
    let rig = Rig::new(1, 1);
    let runtime = rig.start();
    let ended = runtime.begin(&json!({}), "r", std::time::Duration::from_secs(30)).wait();
    assert!(rig.over(runtime, ended).ended.error("Usage").contains("give it minutes"));
    assert_eq!(rig.sandbox.calls().len(), 0);
}

#[test]
fn what_an_invocation_left_that_was_killed_is_removed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::new(1, 1).with("TMPDIR", folder.path().to_str().unwrap());
    // No process has this number: Linux gives none above 2^22.
    let (left, other) = (folder.path().join("keyrot-me-purge-4194999-a"), folder.path().join("keyrot-me-else"));
    let alive = folder.path().join(format!("keyrot-me-purge-{}-b", std::process::id()));
    for folder in [&left, &other, &alive] {
        std::fs::create_dir(folder).unwrap();
        std::fs::write(folder.join("0001.json"), "x").unwrap();
    }
    rig.run(&json!({})).ended.answer();
    assert_eq!(left.exists(), !cfg!(target_os = "linux"));
    assert!(other.exists() && alive.exists());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), if cfg!(target_os = "linux") { 2 } else { 3 });
}
