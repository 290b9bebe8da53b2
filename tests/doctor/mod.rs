//! `doctor`: each of its findings, broken on purpose, and mended by the command that it names where that can be run here.

mod aws;
mod clean;
mod files;
mod machine;
mod programs;

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::program;
use crate::workstation::{Ran, Workstation};

/// The least policy for a developer, which demands MFA.
const SELF_SERVICE: &str = include_str!("../../packaging/iam/self-service.json");

/// Alice's machine with nothing to mend: a young key, and the policy that ships with the program.
fn healthy() -> Workstation {
    let station = Workstation::new(program());
    station.sandbox.set_policies("alice", &[SELF_SERVICE]);
    let made = station.sandbox.now() - chrono::TimeDelta::hours(1);
    station.sandbox.set_created(&station.held_id(), made);
    station
}

/// A finding, with all that programs rely on.
#[track_caller]
fn checks(ran: &Ran) -> Vec<Value> {
    let json = ran.json();
    assert_eq!(json["version"], 1, "{json}");
    let checks = json["checks"].as_array().unwrap().clone();
    for check in &checks {
        assert_eq!(check.as_object().unwrap().len(), 6, "{check}");
        assert!(check["check"].is_string() && check["what"].is_string(), "{check}");
        assert!(check["profile"].is_string() || check["profile"].is_null(), "{check}");
        let well = match check["state"].as_str().unwrap() {
            "ok" => true,
            "note" | "problem" => false,
            other => panic!("{other}"),
        };
        assert_eq!((check["why"].is_null(), check["fix"].is_null()), (well, well), "{check}");
    }
    let clean = checks.iter().all(|check| check["state"] != "problem");
    assert_eq!(json["clean"], clean);
    assert_eq!(ran.code, Some(if clean { 0 } else { 3 }), "{json}");
    checks
}

#[track_caller]
fn doctor(station: &Workstation, more: &[&str]) -> Vec<Value> {
    checks(&station.run(&[&["doctor", "--json"], more].concat()))
}

/// What is not well, but for the endpoint, which is the sandbox's, and the timer, which has tests of its own.
fn findings(checks: &[Value]) -> Vec<&Value> {
    let ours = ["endpoint", "timer", "last-run", "notifications"];
    checks.iter().filter(|check| check["state"] != "ok" && !ours.contains(&check["check"].as_str().unwrap())).collect()
}

/// The one finding of `check`, which is not well, has this state, these words, and a fix that is a command.
#[track_caller]
fn found(all: &[Value], check: &str, state: &str, words: &[&str]) -> Value {
    let of: Vec<&Value> = all.iter().filter(|one| one["check"] == check && one["state"] != "ok").collect();
    assert_eq!(of.len(), 1, "{check} in {all:#?}");
    assert_eq!(of[0]["state"], state, "{}", of[0]);
    let text = format!("{} {}", of[0]["what"].as_str().unwrap(), of[0]["why"].as_str().unwrap());
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text:?}");
    }
    assert!(is_command(fix(of[0])), "{}", of[0]);
    of[0].clone()
}

/// As [`found`], and everything else is well.
#[track_caller]
fn only(all: &[Value], check: &str, state: &str, words: &[&str]) -> Value {
    let one = found(all, check, state, words);
    assert_eq!(findings(all), [&one]);
    one
}

#[track_caller]
fn nothing_wrong(station: &Workstation) {
    let all = doctor(station, &[]);
    assert_eq!(findings(&all), Vec::<&Value>::new());
}

fn fix(finding: &Value) -> &str {
    finding["fix"].as_str().unwrap()
}

/// A shell takes it as it is, and its first word is a program that such machines have.
fn is_command(fix: &str) -> bool {
    let words = shell_words::split(fix).unwrap_or_default();
    let known = [
        "keyrot-me",
        "aws",
        "chmod",
        "ls",
        "mv",
        "git",
        "unset",
        "curl",
        "timedatectl",
        "cargo",
        "${EDITOR:-vi}",
        "secret-tool",
        "gnome-keyring-daemon",
        "journalctl",
    ];
    words.first().is_some_and(|first| known.contains(&first.as_str())) && !fix.contains('\n')
}

/// Types the fix into a shell of this machine; `keyrot-me` is the program under test.
#[track_caller]
fn mend(station: &Workstation, finding: &Value, more: &str) {
    let line = fix(finding).replacen("keyrot-me", program(), usize::from(fix(finding).starts_with("keyrot-me")));
    let output = Command::new("sh")
        .args(["-c", &format!("{line} {more}")])
        .env_clear()
        .envs(station.environment())
        .current_dir(station.home.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{line}: {output:?}");
}

/// As [`mend`], with a good MFA code.
#[track_caller]
fn mend_with_code(station: &Workstation, finding: &Value) {
    let code = station.sandbox.next_totp("alice");
    mend(station, finding, &format!("--mfa-code {code}"));
}

fn config(station: &Workstation, text: &str) {
    fs::write(station.path(".aws/config"), text).unwrap();
}
