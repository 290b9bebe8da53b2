//! The whole of it in MiniStack: the stack's schedule fires and starts the real function, which runs under its role's policy
//! and no other.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::emulator::{Emulator, Kind};
use super::{function, tools};

const STACK: &str = "keyrot-me-purge";

fn add_alice(emulator: &Emulator) {
    emulator.aws(&["iam", "create-group", "--group-name", "Developers"]);
    emulator.aws(&["iam", "create-user", "--user-name", "alice"]);
    emulator.aws(&["iam", "add-user-to-group", "--group-name", "Developers", "--user-name", "alice"]);
    emulator.aws(&["iam", "create-access-key", "--user-name", "alice"]);
}

fn status(emulator: &Emulator) -> Value {
    emulator.json(&["iam", "list-access-keys", "--user-name", "alice", "--query", "AccessKeyMetadata[].Status"])
}

fn variable(emulator: &Emulator, name: &str) -> String {
    let query = format!("Environment.Variables.{name}");
    let asked =
        ["lambda", "get-function-configuration", "--function-name", STACK, "--query", &query, "--output", "text"];
    emulator.aws(&asked).trim().to_owned()
}

/// The answer, or the error, of a synchronous invocation.
fn invoke(emulator: &Emulator) -> Value {
    emulator.aws(&["lambda", "invoke", "--function-name", STACK, "--cli-read-timeout", "0", "answer.json"]);
    serde_json::from_slice(&std::fs::read(emulator.home.path().join("answer.json")).unwrap()).unwrap()
}

/// The emulator speaks no TLS: where it checks policies, bucket and topic let nobody in before theirs is gone.
fn let_in_without_tls(emulator: &Emulator) {
    let denied = invoke(emulator);
    assert!(denied["errorMessage"].as_str().unwrap().contains("explicit deny in a resource-based policy"), "{denied}");
    emulator.aws(&["s3api", "delete-bucket-policy", "--bucket", &variable(emulator, "KEYROT_ME_REPORT_BUCKET")]);
    let topic = variable(emulator, "KEYROT_ME_NOTIFY").replace("sns:arn", "arn");
    let nobody = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"sns:Publish","Resource":"*"}]}"#;
    emulator.aws(&[
        "sns",
        "set-topic-attributes",
        "--topic-arn",
        &topic,
        "--attribute-name",
        "Policy",
        "--attribute-value",
        nobody,
    ]);
}

/// The stack's own schedule, target and role. The emulator writes no execution id in place of the placeholder and is told
/// one; and nobody waits here for Friday: it fires in each minute, and what is finished answers from its reports.
fn fire_now(emulator: &Emulator) {
    let name = ["--group-name", STACK, "--name", "keyrot-me-purge-purge"];
    let mut schedule = emulator.json(&[&["scheduler", "get-schedule"][..], &name].concat());
    assert_eq!(
        schedule["Target"]["Input"],
        r#"{"run":"<aws.scheduler.execution-id>","scheduled":"<aws.scheduler.scheduled-time>"}"#
    );
    schedule["Target"]["Input"] = json!(r#"{"run":"d32c5kddcf5bb8c3","scheduled":"2026-11-20T23:55:00Z"}"#);
    let target = schedule["Target"].to_string();
    let change = ["--flexible-time-window", "Mode=OFF", "--schedule-expression", "cron(* * * * ? *)", "--target"];
    emulator.aws(&[&["scheduler", "update-schedule"][..], &name, &change, &[target.as_str()]].concat());
}

fn wait_for_the_report(emulator: &Emulator) -> String {
    let bucket = variable(emulator, "KEYROT_ME_REPORT_BUCKET");
    let patience = Instant::now() + Duration::from_secs(120);
    loop {
        let keys = emulator.aws(&[
            "s3api",
            "list-objects-v2",
            "--bucket",
            &bucket,
            "--prefix",
            "reports/",
            "--query",
            "Contents[].Key",
            "--output",
            "text",
        ]);
        if let Some(report) = keys.split_whitespace().find(|key| key.ends_with("/d32c5kddcf5bb8c3/purge.json")) {
            return emulator.aws(&["s3", "cp", &format!("s3://{bucket}/{report}"), "-"]);
        }
        assert!(Instant::now() < patience, "no report:\n{}", emulator.log());
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
fn the_schedule_fires_and_the_function_runs_under_its_own_policy() {
    let Some(tools) = tools("no schedule was seen firing") else { return };
    let Some(zip) = function("no schedule was seen firing") else { return };
    let Some(emulator) = Emulator::checking_policies(Kind::MiniStack, &tools) else { return };
    add_alice(&emulator);
    let everything = ["--groups", "Developers", "--max-age", "1s", "--set", "MaxAffected=100%", "--enforce"];
    let deployed = emulator.script("deploy", &[&["--zip", zip.to_str().unwrap()][..], &everything].concat());
    assert_eq!(deployed.code, Some(0), "{}{}", deployed.stdout, deployed.stderr);
    let_in_without_tls(&emulator);
    assert_eq!(status(&emulator), json!(["Active"]));

    fire_now(&emulator);

    let report: Value = serde_json::from_str(&wait_for_the_report(&emulator)).unwrap();
    assert_eq!((&report["applied"], &report["complete"]), (&json!(true), &json!(true)), "{report}");
    assert_eq!(report["totals"]["disable"], 1, "{report}");
    assert_eq!(status(&emulator), json!(["Inactive"]));
    assert!(!emulator.log().contains("a notice was not sent"), "{}", emulator.log());
}
