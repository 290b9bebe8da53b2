//! `status`: facts for people and programs, limits, and what it does where IAM tells nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::*;
use crate::sandbox::{Always, Fault, MFA_DEMANDED_TO_READ, OWN_KEYS};

/// Every field that DESIGN section 3 names, with its type.
#[track_caller]
fn keys(json: &Value) -> Vec<&Value> {
    assert_eq!(json["version"], 1);
    assert!(json["unfinished"].is_array() && json["errors"].is_array(), "{json}");
    let keys: Vec<&Value> = json["keys"].as_array().unwrap().iter().collect();
    for key in &keys {
        assert_eq!(key.as_object().unwrap().len(), 13, "{key}");
        let or_null = |name: &str, test: fn(&Value) -> bool| assert!(key[name].is_null() || test(&key[name]), "{key}");
        assert!(key["profiles"].as_array().unwrap().iter().all(Value::is_string), "{key}");
        assert!(key["access_key_id"].as_str().unwrap().starts_with("AKIA"), "{key}");
        assert!(key["limit_seconds"].as_i64().unwrap() > 0, "{key}");
        assert!(["iam", "journal"].contains(&key["source"].as_str().unwrap()), "{key}");
        for name in ["account", "user", "status", "next"] {
            or_null(name, Value::is_string);
        }
        or_null("age_seconds", Value::is_i64);
        for name in ["created", "purge_at"] {
            or_null(name, |value| value.as_str().unwrap().parse::<DateTime<Utc>>().is_ok());
        }
        or_null("verdict", |word| ["fresh", "due", "overdue", "retired", "gone"].contains(&word.as_str().unwrap()));
        or_null("last_used", |used| {
            let has = |name: &str| used[name].is_string();
            has("at") && has("service") && has("region")
        });
    }
    keys
}

fn status(station: &Workstation, more: &[&str]) -> Value {
    station.run(&[&["status", "--json"], more].concat()).expect(0).json()
}

#[test]
fn the_json_has_every_field_of_the_contract() {
    let station = station();
    let old = station.held_id();
    station.sandbox.set_last_used(&old, station.sandbox.now() - TimeDelta::minutes(5), "s3", "eu-west-1");
    let json = status(&station, &[]);
    let key = keys(&json)[0];
    assert_eq!(key["profiles"], serde_json::json!(["default"]));
    assert_eq!((&key["account"], &key["user"]), (&"123456789012".into(), &"alice".into()));
    assert_eq!((key["access_key_id"].as_str(), key["status"].as_str()), (Some(old.as_str()), Some("Active")));
    assert_eq!((key["verdict"].as_str(), key["source"].as_str()), (Some("due"), Some("iam")));
    assert_eq!(key["age_seconds"].as_i64().unwrap() / 86_400, 40);
    assert_eq!((key["limit_seconds"].as_i64(), &key["purge_at"]), (Some(5 * 86_400), &Value::Null));
    assert_eq!(key["last_used"]["service"], "s3");
    assert!(key["next"].as_str().unwrap().contains("create a new key"), "{key}");
    assert_eq!(json["unfinished"], serde_json::json!([]));
}

#[test]
fn the_table_shows_the_same_to_people() {
    let station = station();
    station.rotate(&[]).expect(0);
    let shown = station.run(&["status"]).expect(0).stdout;
    let rows: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["PROFILES", "KEY", "STATE", "AGE", "LAST", "USED", "LIMIT", "PURGE", "VERDICT"]);
    let (old, new) = (&rows[1], &rows[2]);
    assert_eq!((old[0], old[2], old.last().unwrap()), ("-", "Inactive", &"retired"), "{shown}");
    assert_eq!((new[0], new[1], new.last().unwrap()), ("default", station.held_id().as_str(), &"fresh"), "{shown}");
    assert!(shown.contains("default: alice in account 123456789012"), "{shown}");
    assert!(shown.contains("default: next: leave "), "{shown}");
}

#[test]
fn check_tells_scripts_how_keys_stand() {
    let station = station();
    station.run(&["status", "--check"]).expect(10);
    station.run(&["status"]).expect(0);
    station.settings("[purge]\nlimit = \"5d\"\n[rotation]\nsettle = { every = \"0s\" }\n");
    station.run(&["status", "--check"]).expect(11);
    station.rotate(&[]).expect(0);
    station.run(&["status", "--check"]).expect(0);
}

#[test]
fn the_purge_that_takes_a_key_is_shown() {
    let station = station();
    station.settings("[purge]\nlimit = \"50d\"\nat = \"Fri 23:55\"\ntimezone = \"Europe/Berlin\"\n");
    let json = status(&station, &[]);
    let key = keys(&json)[0];
    let at: DateTime<Utc> = key["purge_at"].as_str().unwrap().parse().unwrap();
    let created: DateTime<Utc> = key["created"].as_str().unwrap().parse().unwrap();
    assert!(at >= created + TimeDelta::days(50) && at < created + TimeDelta::days(57), "{key}");
    assert_eq!(at.format("%a").to_string(), "Fri");
    assert_eq!((key["limit_seconds"].as_i64(), key["verdict"].as_str()), (Some(50 * 86_400), Some("due")));
    assert!(station.run(&["status"]).expect(0).stdout.contains(" in "), "the table counts down");
    station.settings("[purge]\nlimit = \"5d\"\n");
    let over = status(&station, &[]);
    assert_eq!(keys(&over)[0]["verdict"], "overdue");
    assert!(station.run(&["status"]).expect(0).stdout.contains("at the next one"));
}

#[test]
fn offline_asks_nobody() {
    let station = station();
    station.sandbox.clear_calls();
    let json = status(&station, &["--offline"]);
    let key = keys(&json)[0];
    assert_eq!(
        (key["source"].as_str(), &key["verdict"], &key["status"]),
        (Some("journal"), &Value::Null, &Value::Null)
    );
    station.rotate(&[]).expect(0);
    station.sandbox.clear_calls();
    let json = status(&station, &["--offline"]);
    let verdicts: Vec<&str> = keys(&json).iter().map(|key| key["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["fresh", "retired"]);
    assert_eq!(keys(&json)[0]["user"], "alice");
    station.run(&["status", "--offline", "--check"]).expect(0);
    assert_eq!(actions(&station), Vec::<String>::new());
}

#[test]
fn where_keys_are_listed_with_mfa_only_the_journal_speaks_and_says_so() {
    let station = station();
    station.sandbox.set_policies("alice", &[OWN_KEYS, MFA_DEMANDED_TO_READ]);
    let serial = station.sandbox.user_arn("alice").replace(":user/", ":mfa/");
    let shown = station.run(&["status"]).expect(0);
    assert!(shown.stdout.contains("facts of the local journal, not of IAM"), "{}", shown.stdout);
    assert!(shown.stdout.contains("with MFA only") && shown.stdout.contains('?'), "{}", shown.stdout);
    station.rotate(&["--mfa-serial", &serial]).expect(0);
    let json = status(&station, &[]);
    let found = keys(&json);
    assert!(found.iter().all(|key| key["source"] == "journal"), "{json}");
    assert_eq!((found[0]["verdict"].as_str(), found[1]["verdict"].as_str()), (Some("fresh"), Some("retired")));
    assert!(found[0]["age_seconds"].is_i64() && json["errors"] == serde_json::json!([]), "{json}");
    assert_eq!(station.sandbox.count("GetSessionToken"), 1, "the rotation's");
}

#[test]
fn a_key_that_is_gone_is_told() {
    let station = station();
    station.sandbox.delete_key(&station.held_id());
    let words = [&station.held_id(), "is not accepted", "InvalidClientTokenId", "--auth-profile"];
    let ran = refused(&station, || station.run(&["status"]), 9, &words);
    assert!(ran.stdout.contains(" gone"), "{}", ran.stdout);
    let json = station.run(&["status", "--json"]).expect(9).json();
    assert_eq!(keys(&json)[0]["verdict"], "gone");
    assert_eq!(json["errors"][0]["exit_code"], 9);
    station.run(&["status", "--check"]).expect(9);
}

#[test]
fn an_unfinished_rotation_is_shown_with_its_phase() {
    let station = station();
    let old = station.held_id();
    station.sandbox.fault("UpdateAccessKey", Always, Fault::denied());
    station.rotate(&[]).expect(5);
    let json = status(&station, &[]);
    let unfinished = &json["unfinished"][0];
    assert_eq!((unfinished["phase"].as_str(), unfinished["user"].as_str()), (Some("reread"), Some("alice")));
    assert_eq!(unfinished["old_access_key_id"], old.as_str());
    assert_eq!(unfinished["new_access_key_id"], station.held_id().as_str());
    unfinished["began"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    assert_eq!(status(&station, &["--offline"])["unfinished"], json["unfinished"]);
    assert!(keys(&json)[0]["next"].as_str().unwrap().contains(&format!("switch {old} off")), "{json}");
}

#[test]
fn two_keys_of_one_user_in_two_profiles_are_shown_once_each() {
    let station = station();
    let (other, secret) = station.sandbox.seed_key("alice", station.sandbox.now(), "Active");
    let text = station.credentials().replace("AKIAELSEWHERE0000001", &other).replace("not/a/real+secret", &secret);
    station.write_credentials(text);
    let json = status(&station, &["--all"]);
    let shown: Vec<_> = keys(&json).iter().map(|key| (&key["profiles"][0], key["last_used"].is_object())).collect();
    assert_eq!(shown, [(&"default".into(), true), (&"elsewhere".into(), true)], "{json}");
}

#[test]
fn one_key_that_cannot_be_looked_at_does_not_hide_the_others() {
    let station = station();
    let json = station.run(&["status", "--all", "--json"]).expect(9).json();
    assert_eq!(json["errors"].as_array().unwrap().len(), 1, "{json}");
    let found = keys(&json);
    let verdicts: Vec<&Value> = found.iter().map(|key| &key["verdict"]).collect();
    assert_eq!(verdicts, ["due", "gone"]);
}

/// About one round trip: when the last call arrives, the first is not answered yet.
#[test]
fn the_calls_are_made_at_once() {
    let station = station();
    station.sandbox.fault("GetCallerIdentity", 1, Fault::Delay(Duration::from_secs(2)));
    let unanswered = Arc::new(Mutex::new(Vec::new()));
    let (seen, sandbox) = (Arc::clone(&unanswered), station.sandbox.control());
    station.sandbox.on_call(move |_| {
        let open = sandbox.calls().iter().filter(|call| call.outcome == "…").count();
        seen.lock().unwrap().push(open);
    });
    station.run(&["status"]).expect(0);
    assert_eq!(unanswered.lock().unwrap().len(), 3);
    let mut calls = actions(&station);
    calls.sort();
    assert_eq!(calls, ["GetAccessKeyLastUsed", "GetCallerIdentity", "ListAccessKeys"]);
    assert!(unanswered.lock().unwrap().iter().any(|open| *open >= 2), "each waited for the one before");
}
