//! The JSON report: DESIGN's object, whole at every length, on standard output too.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use keyrot_me::host::report::{ReportFile, Reports};
use keyrot_me::keys::purge::row::{AccountSummary, KeyRow, Summary};
use keyrot_me::ports::PurgeReport;

use super::rows::{HOSTILE, account, bad_account, header, hostile_row, row, stopped, summary};

fn written(keys: &[KeyRow], accounts: &[AccountSummary], summary: &Summary) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("purge.json");
    let mut report = ReportFile::create(&path, &header()).unwrap();
    for key in keys {
        report.key(key).unwrap();
    }
    for account in accounts {
        report.account(account).unwrap();
    }
    report.finish(summary).unwrap();
    std::fs::read_to_string(path).unwrap()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn it_is_one_object_at_every_length() {
    for length in [0, 1, 10_000] {
        let keys: Vec<KeyRow> = (0..length).map(row).collect();
        let accounts: Vec<AccountSummary> = (0..length as u64 / 5).map(account).collect();
        let report = parsed(&written(&keys, &accounts, &summary(&accounts)));
        assert_eq!(report["keys"].as_array().unwrap().len(), length);
        assert_eq!(report["accounts"].as_array().unwrap().len(), length / 5);
        assert_eq!(report["complete"], true);
        for (number, key) in report["keys"].as_array().unwrap().iter().enumerate() {
            assert_eq!(key["user"], format!("user-{number}"));
        }
    }
}

#[test]
fn a_key_and_an_account_are_a_line_each() {
    let text = written(&[row(1), row(2)], &[account(0)], &summary(&[account(0)]));
    let line = text.lines().find(|line| line.contains("AKIAEXAMPLE000000002")).unwrap();
    assert_eq!(parsed(line.trim_end_matches(','))["decision"], "disable");
    let line = text.lines().find(|line| line.contains("users_expected\":60,\"users_evaluated\":60")).unwrap();
    assert_eq!(parsed(line.trim_end_matches(','))["name"], "team 0");
}

#[test]
fn it_says_what_design_promises_of_a_key() {
    let failed = KeyRow { outcome: keyrot_me::keys::purge::row::Outcome::Failed("iam: no".into()), ..row(9) };
    let report = parsed(&written(&[row(2), failed], &[], &summary(&[])));
    assert_eq!(
        report["keys"][0],
        json!({
            "account": "111122223333", "user": "user-2", "user_id": "AIDA6", "access_key_id": "AKIAEXAMPLE000000002",
            "status": "Active", "created": "2026-11-18T10:55:03Z", "age_seconds": 216_000,
            "last_used": { "at": "2026-11-20T20:55:03Z", "service": "s3", "region": "eu-central-1" },
            "decision": "disable", "rule": "over-age", "until": null, "result": "done", "error": null,
            "request_id": "0f1e2d3c-2", "at": "2026-11-20T22:55:03Z", "note": null,
            "undo": "aws iam update-access-key --user-name=user-2 --access-key-id AKIAEXAMPLE000000002 --status Active",
        })
    );
    let failed = &report["keys"][1];
    assert_eq!((&failed["result"], &failed["error"]), (&json!("failed"), &json!("iam: no")));
    assert_eq!((&failed["last_used"], &failed["undo"]), (&Value::Null, &Value::Null));
}

#[test]
fn it_says_what_design_promises_of_accounts_and_the_whole() {
    let accounts = [account(0), bad_account("222233334444")];
    let report = parsed(&written(&[], &accounts, &summary(&accounts)));
    assert_eq!((&report["version"], &report["applied"], &report["complete"]), (&json!(1), &json!(true), &json!(false)));
    assert_eq!(report["totals"]["keep"], 30);
    assert_eq!(report["totals"].as_object().unwrap().len(), 7);
    assert_eq!(report["rules"]["max_age"], 432_000);
    assert_eq!(report["started"], "2026-11-20T22:55:00Z");
    assert_eq!((&report["ended"], &report["stopped"]), (&json!("2026-11-20T23:01:30Z"), &Value::Null));
    assert_eq!(report["coverage"]["users_expected"], 120);
    assert_eq!(report["coverage"]["accounts_incomplete"], 1);
    let [good, bad] = [&report["accounts"][0], &report["accounts"][1]];
    assert_eq!((&good["complete"], &good["left"], &good["cap"]), (&json!(true), &Value::Null, &Value::Null));
    assert_eq!(
        (&good["users_expected"], &good["keys_evaluated"], &good["calls"]),
        (&json!(60), &json!(100), &json!(70))
    );
    assert_eq!(
        good["exemptions"],
        json!([
            { "user": "ci", "user_id": "AIDA2", "by": "group", "group": "KeyExempt", "reason": null, "expires": null,
              "keys": [] },
            { "user": "build", "user_id": "AIDA5", "by": "tag", "group": null, "reason": "OPS-7 vendor migration",
              "expires": "2026-12-21T00:00:00Z", "keys": ["AKIAEXAMPLE000000005"] },
        ])
    );
    assert_eq!((&bad["complete"], &bad["account"]), (&json!(false), &json!("222233334444")));
    assert_eq!(bad["skipped"], json!([{ "what": "user/222233334444", "cause": "222233334444" }]));
    assert_eq!(bad["cap"], json!({ "affected": 40, "allowed": 25, "scanned": 100 }));
}

#[test]
fn a_purge_that_was_stopped_says_so() {
    let report = parsed(&written(&[row(0)], &[], &stopped(&[])));
    assert_eq!((&report["complete"], &report["stopped"]), (&json!(false), &json!("asked")));
    assert_eq!(report["skipped"], json!([{ "what": "organization", "cause": "stopped before it was listed" }]));
}

#[test]
fn hostile_text_stays_text() {
    let text = written(&[hostile_row()], &[bad_account(HOSTILE)], &summary(&[]));
    let report = parsed(&text);
    let key = &report["keys"][0];
    for field in ["user", "status", "error", "request_id", "note"] {
        assert_eq!(key[field], HOSTILE, "{field}");
    }
    assert_eq!(report["accounts"][0]["exemptions"][1]["reason"], HOSTILE);
    assert_eq!(text.lines().filter(|line| line.contains("access_key_id")).count(), 1, "one line a key");
}

const ROWS: &str = "KEYROT_ME_TEST_ROWS";

/// What the tests below start; does nothing in a normal run.
#[test]
fn worker() {
    let Some(rows) = std::env::var(ROWS).ok().and_then(|rows| rows.parse().ok()) else { return };
    let mut reports = Reports::create(&[], true, &header()).unwrap();
    (0..rows).for_each(|number| reports.key(&row(number)).unwrap());
    reports.finish(&summary(&[])).unwrap();
    eprintln!("finished");
}

/// Nobody reads `rows` keys, but the one who is given the child.
fn to_stdout(rows: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "report::json::worker"])
        .env(ROWS, rows.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn standard_output_gets_the_object_too() {
    let output = to_stdout(300).wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let object = &text[text.find("{\"version\"").unwrap()..];
    let report = serde_json::Deserializer::from_str(object).into_iter::<Value>().next().unwrap().unwrap();
    assert_eq!(report["keys"].as_array().unwrap().len(), 300);
    assert_eq!(report["complete"], true);
}

#[test]
fn a_reader_that_goes_away_ends_nothing() {
    let mut child = to_stdout(5_000);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    while !{
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        line.contains("user-3\"")
    } {}
    drop(stdout);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    child.wait().unwrap();
    assert!(said.contains("finished"), "{said}");
    assert!(!said.contains("cannot write to standard output"), "{said}");
}
