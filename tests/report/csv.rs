//! The CSV report, read back with the csv crate.

use std::collections::HashMap;

use keyrot_me::host::report::ReportFile;
use keyrot_me::keys::purge::row::{AccountSummary, KeyRow, Outcome, Summary};
use keyrot_me::ports::PurgeReport;

use super::rows::{HOSTILE, account, bad_account, header, hostile_row, row, stopped, summary, user};

type Row = HashMap<String, String>;

fn written(keys: &[KeyRow], accounts: &[AccountSummary], summary: &Summary) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("purge.csv");
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

fn rows(text: &str) -> Vec<Row> {
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(Result::unwrap).collect()
}

#[test]
fn a_key_is_a_row_under_named_columns() {
    let text = written(&[row(2), row(3)], &[], &summary(&[]));
    assert_eq!(
        text.lines().next().unwrap(),
        "account,user,user_id,access_key_id,status,created,age_days,age_seconds,last_used,last_used_service,\
         last_used_region,decision,rule,until,result,error,request_id,time,note,undo"
    );
    assert!(!text.contains('\r'), "lines end in LF");
    let rows = rows(&text);
    assert_eq!(rows.len(), 2);
    for (column, cell) in [
        ("account", "111122223333"),
        ("user", "user-2"),
        ("user_id", "AIDA6"),
        ("access_key_id", "AKIAEXAMPLE000000002"),
        ("status", "Active"),
        ("created", "2026-11-18T10:55:03Z"),
        ("age_days", "2.50"),
        ("age_seconds", "216000"),
        ("last_used", "2026-11-20T20:55:03Z"),
        ("last_used_service", "s3"),
        ("last_used_region", "eu-central-1"),
        ("decision", "disable"),
        ("rule", "over-age"),
        ("until", ""),
        ("result", "done"),
        ("error", ""),
        ("request_id", "0f1e2d3c-2"),
        ("time", "2026-11-20T22:55:03Z"),
        ("note", ""),
        ("undo", "aws iam update-access-key --user-name=user-2 --access-key-id AKIAEXAMPLE000000002 --status Active"),
    ] {
        assert_eq!(rows[0][column], cell, "{column}");
    }
    assert_eq!((rows[1]["until"].as_str(), rows[1]["last_used"].as_str()), ("2026-11-27T22:55:03Z", ""));
}

#[test]
fn days_are_rounded_down() {
    let nearly = KeyRow { age: chrono::TimeDelta::seconds(5 * 86_400 - 1), ..row(0) };
    assert_eq!(rows(&written(&[nearly], &[], &summary(&[])))[0]["age_days"], "4.99");
}

#[test]
fn what_a_spreadsheet_takes_for_a_formula_becomes_text() {
    for name in ["=cmd|'/C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1"] {
        let hostile = KeyRow { user: user(name), outcome: Outcome::Failed(name.into()), ..row(2) };
        let read = rows(&written(&[hostile], &[bad_account(name)], &summary(&[])));
        assert!(read.len() > 3);
        for (column, cell) in read.iter().flatten() {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝']), "{column}: {cell:?}");
        }
        assert_eq!(read[0]["user"], format!("'{name}"));
        assert_eq!(read[0]["error"], format!("'{name}"));
    }
    let harmless = KeyRow { user: user("a=b+c-d@example.com"), ..row(0) };
    assert_eq!(rows(&written(&[harmless], &[], &summary(&[])))[0]["user"], "a=b+c-d@example.com");
}

#[test]
fn hostile_text_stays_in_its_cell() {
    let read = rows(&written(&[hostile_row(), row(0)], &[bad_account(HOSTILE)], &summary(&[])));
    for column in ["user", "status", "last_used_service", "last_used_region", "error", "request_id", "note"] {
        assert_eq!(read[0][column], HOSTILE, "{column}");
    }
    assert_eq!(read[1]["user"], "user-0");
}

#[test]
fn what_is_no_key_has_a_row_without_a_key() {
    let read = rows(&written(&[row(0)], &[bad_account("bob"), account(1)], &stopped(&[])));
    let told: Vec<[&str; 6]> = read[1..]
        .iter()
        .map(|row| ["account", "user", "access_key_id", "decision", "rule", "note"].map(|column| row[column].as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ["bob", "", "", "left", "", "bob"],
            [
                "bob",
                "",
                "",
                "capped",
                "",
                "40 of 100 keys would be disabled or deleted, at most 25 may be: nothing was changed"
            ],
            ["bob", "bob", "", "exempt", "exempt-tag", "bob"],
            ["bob", "bob", "", "skip", "unread", "user/bob: bob"],
            ["111122223334", "ci", "", "exempt", "exempt-group", "KeyExempt"],
            ["", "", "", "skip", "unread", "organization: stopped before it was listed"],
            ["", "", "", "stopped", "", "the purge was asked to stop before its end"],
        ]
    );
    assert_eq!(read[3]["until"], "2026-12-21T00:00:00Z");
}
