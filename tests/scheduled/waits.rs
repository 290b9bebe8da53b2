//! Other runs, no network, signals: what a later run mends by itself, and notifies nobody.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};

use chrono::TimeDelta;
use rustix::process::{Pid, Signal, kill_process};

use super::*;
use crate::sandbox::{Always, Fault};

fn terminate(child: &Child) {
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::TERM).unwrap();
}

#[test]
fn of_two_runs_at_once_one_works_and_the_other_says_so() {
    let Some((station, recorder)) = at_a_desktop() else { return };
    let gate = station.sandbox.gate("CreateAccessKey", None, 1);
    let first = timer(&station, &["--no-mfa"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(gate.reached(std::time::Duration::from_mins(1)));
    let line = scheduled(&station, &["--no-mfa"], 7);
    assert!(line.contains(&format!("another run of keyrot-me is at work (process {})", first.id())), "{line}");
    assert!(!station.state().join("last-run.json").exists(), "its end is the other's to tell");
    gate.open();
    let ran = Ran::from(first.wait_with_output().unwrap()).expect(0);
    assert!(ran.stderr.contains("rotated: "), "{}", ran.stderr);
    assert!(scheduled(&station, &["--no-mfa"], 0).contains("nothing to do"));
    assert_eq!(station.sandbox.count("CreateAccessKey"), 1);
    assert_eq!(recorder.shown().len(), 0);
}

/// With its standard error up to the line that has `what`.
fn until(mut command: Command, what: &str) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(what) {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "it ended without {what:?}");
    }
    (child, lines)
}

/// A port on which nobody listens, for now.
fn silent_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn forward(listener: &TcpListener, to: &str) {
    for from in listener.incoming() {
        let (from, to) = (from.unwrap(), TcpStream::connect(to).unwrap());
        for (mut read, mut write) in [(from.try_clone().unwrap(), to.try_clone().unwrap()), (to, from)] {
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut read, &mut write);
                let _ = write.shutdown(std::net::Shutdown::Write);
            });
        }
    }
}

#[test]
fn a_laptop_that_just_woke_up_gets_its_network_first() {
    let station = station();
    let port = silent_port();
    let mut command = timer(&station, &["--no-mfa", "-v"]);
    command.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"));
    let (mut child, lines) = until(command, "waiting for the network");
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let sandbox = station.sandbox.url().trim_start_matches("http://").to_owned();
    std::thread::spawn(move || forward(&listener, &sandbox));
    let rest: Vec<String> = lines.lines().map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest:?}");
    assert!(rest.last().unwrap().starts_with("default: rotated: "), "{rest:?}");
}

#[test]
fn a_signal_ends_every_wait_at_once() {
    let Some((station, recorder)) = at_a_desktop() else { return };
    let mut offline = timer(&station, &["--no-mfa", "-v"]);
    offline.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", silent_port()));
    let (mut child, _lines) = until(offline, "waiting for the network");
    terminate(&child);
    assert_eq!(child.wait().unwrap().code(), Some(5));
    assert_eq!(recorder.shown().len(), 0);
    assert_eq!(last_run(&station)["exit"], 5);
}

#[test]
fn a_signal_ends_the_jitter_at_once() {
    let station = station();
    let mut command = station.command(&["rotate", "--scheduled", "--no-mfa", "--jitter", "1h"]);
    let child = command.stderr(Stdio::piped()).spawn().unwrap();
    // It listens for the signal from then on.
    let status = format!("/proc/{}/status", child.id());
    let caught = || {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let mask = text.lines().find_map(|line| line.strip_prefix("SigCgt:\t")).unwrap_or("0");
        u64::from_str_radix(mask, 16).unwrap() & (1 << 14) != 0
    };
    while !caught() {
        std::thread::yield_now();
    }
    terminate(&child);
    let ran = Ran::from(child.wait_with_output().unwrap()).expect(5);
    assert_eq!(ran.stderr, "stopped by a signal before anything was changed\n");
    assert_eq!(station.sandbox.calls().len(), 0);
}

/// `Fault::ErrorBefore` on a list: AWS is in trouble, and the key is not.
#[test]
fn what_a_later_run_mends_notifies_nobody_unless_the_purge_is_near() {
    let Some((station, recorder)) = at_a_desktop() else { return };
    station.sandbox.throttle_next("GetCallerIdentity", 100);
    let line = scheduled(&station, &["--no-mfa"], 5);
    assert!(line.contains("; the next run goes on"), "{line}");
    assert_eq!(recorder.shown().len(), 0);
    station.sandbox.clear_faults();
    // From here on the journal knows the key's age.
    scheduled(&station, &["--no-mfa"], 0);
    settings(&station, "max_age = \"0\"\n[purge]\nlimit = \"1h\"\n");
    station.sandbox.throttle_next("GetCallerIdentity", 100);
    let line = scheduled(&station, &["--no-mfa"], 10);
    assert!(line.contains("the purge takes it on ") && line.contains("a notification was shown"), "{line}");
    assert_eq!(recorder.shown()[0].urgency, 2);
}

#[test]
fn an_unfinished_rotation_notifies_once_it_lasts() {
    let Some((station, recorder)) = at_a_desktop() else { return };
    station.sandbox.fault("UpdateAccessKey", Always, Fault::denied());
    let line = scheduled(&station, &["--no-mfa"], 5);
    assert!(line.contains("the rotation is not finished: ") && line.contains("the next run goes on"), "{line}");
    assert_eq!(recorder.shown().len(), 0);
    a_day_passes_in_the_journal(&station);
    let line = scheduled(&station, &["--no-mfa"], 10);
    assert!(line.contains("the rotation is not finished: "), "{line}");
    let shown = recorder.shown();
    assert!(shown.len() == 1 && shown[0].body.contains("Next: run `keyrot-me rotate --profile default --no-mfa`"));
    station.sandbox.clear_faults();
    assert!(scheduled(&station, &["--no-mfa"], 0).contains("rotated: "));
}

fn a_day_passes_in_the_journal(station: &Workstation) {
    let path = station.state().join("journal.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let aged = text.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if let Some(at) = line["at"].as_str() {
            let at: chrono::DateTime<chrono::Utc> = at.parse().unwrap();
            line["at"] = (at - TimeDelta::days(1)).to_rfc3339().into();
        }
        line.to_string() + "\n"
    });
    std::fs::write(&path, aged.collect::<String>()).unwrap();
}
