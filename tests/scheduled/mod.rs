//! `rotate --scheduled`: the real program without anybody there, against the sandbox and real desktops.

mod due;
mod needs_a_person;
#[cfg(target_os = "linux")]
mod nobody_there;
mod notified;
#[cfg(target_os = "linux")]
mod real_desktop;
mod recorder;
mod waits;

use std::process::Command;

use serde_json::Value;

use crate::program;
use crate::workstation::{Ran, Workstation};
use recorder::Recorder;

/// Nothing that changes anything.
const WRITES: [&str; 3] = ["CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey"];

/// A purge whose hour is not known: it takes the 40-day-old key in five days.
const IN_FIVE_DAYS: &str = "[purge]\nlimit = \"45d\"\n";

fn station() -> Workstation {
    Workstation::new(program())
}

/// A station at a desktop that records; `None`, said in words, where there is none.
fn at_a_desktop() -> Option<(Workstation, Recorder)> {
    let recorder = Recorder::start()?;
    let mut station = station();
    recorder.seat(&mut station);
    Some((station, recorder))
}

fn settings(station: &Workstation, more: &str) {
    station.settings(&format!("[rotation]\nsettle = {{ every = \"0s\" }}\n{more}"));
}

/// Codes come from a program, which leaves a line in `asked` each time.
fn with_codes(station: &Workstation, more: &str) {
    let code = station.sandbox.next_totp("alice");
    let asked = station.path("asked");
    let script = format!("echo once >> {}; echo {code}", asked.display());
    settings(station, &format!("[mfa]\ncommand = \"sh -c '{script}'\"\n{more}"));
}

fn codes_asked_for(station: &Workstation) -> usize {
    std::fs::read_to_string(station.path("asked")).unwrap_or_default().lines().count()
}

fn timer(station: &Workstation, more: &[&str]) -> Command {
    let mut command = station.command(&[&["rotate", "--scheduled", "--jitter", "0"], more].concat());
    command.env("TZ", "UTC");
    command
}

/// One run, which says one line and nothing on standard output.
#[track_caller]
fn scheduled(station: &Workstation, more: &[&str], code: i32) -> String {
    let ran = Ran::from(timer(station, more).output().unwrap()).expect(code);
    assert_eq!((ran.stdout.as_str(), ran.stderr.lines().count()), ("", 1), "{}", ran.stderr);
    for key in station.sandbox.keys_of("alice") {
        assert!(!ran.stderr.contains(&key.secret));
    }
    if code != 7 {
        let last = last_run(station);
        assert_eq!((last["exit"].as_i64(), last["line"].as_str()), (Some(code.into()), Some(ran.stderr.trim_end())));
    }
    ran.stderr
}

fn last_run(station: &Workstation) -> Value {
    serde_json::from_slice(&std::fs::read(station.state().join("last-run.json")).unwrap()).unwrap()
}

fn writes(station: &Workstation) -> usize {
    WRITES.iter().map(|action| station.sandbox.count(action)).sum()
}

/// As if so many days had passed since the last reminder.
fn days_later(station: &Workstation, days: i64) {
    let path = station.state().join("reminders.json");
    let mut ledger: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for entry in ledger["reminders"].as_object_mut().unwrap().values_mut() {
        let day: chrono::NaiveDate = entry["day"].as_str().unwrap().parse().unwrap();
        entry["day"] = (day - chrono::TimeDelta::days(days)).to_string().into();
    }
    std::fs::write(&path, ledger.to_string()).unwrap();
}
