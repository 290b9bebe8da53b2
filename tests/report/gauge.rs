//! The line of progress: at a terminal it is drawn and cleared, elsewhere there is not a byte of it.

use std::process::Command;

use keyrot_me::host::gauge::TerminalGauge;
use keyrot_me::ports::{Gauge, Progress};

use crate::skip::skip;

const SHOW: &str = "KEYROT_ME_TEST_GAUGE";

/// What the tests below start; does nothing in a normal run.
#[test]
fn worker() {
    if std::env::var_os(SHOW).is_none() {
        return;
    }
    let gauge = TerminalGauge::on_stderr();
    for users_done in 0..=300 {
        gauge.show(&Progress { accounts: 1, users: 300, users_done, calls: users_done, ..Progress::default() });
    }
    drop(gauge);
    eprintln!("after it");
}

#[test]
fn without_a_terminal_nothing_is_shown() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "report::gauge::worker"])
        .env(SHOW, "1")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "after it\n");
}

#[cfg(target_os = "linux")]
#[test]
fn at_a_terminal_it_is_one_line_without_colours_that_is_cleared_at_the_end() {
    if Command::new("script").arg("--version").output().is_err() {
        return skip("needs util-linux's script: the gauge at a terminal");
    }
    let exe = std::env::current_exe().unwrap();
    let line = format!("stty cols 80; {} --exact --nocapture report::gauge::worker", exe.display());
    let output = Command::new("script")
        .args(["-q", "-c", &line, "/dev/null"])
        .env(SHOW, "1")
        .env("TERM", "xterm")
        .env("SHELL", "/bin/sh")
        .output()
        .unwrap();
    let screen = String::from_utf8_lossy(&output.stdout);
    let shown = &screen[screen.find("users").unwrap_or_else(|| panic!("{screen:?}"))..screen.find("after it").unwrap()];
    assert!(shown.contains("/300 users, "), "{shown:?}");
    assert!(!shown.contains('\n'), "one line: {shown:?}");
    assert!(!shown.contains("\u{1b}[3") && !shown.contains("\u{1b}[1m"), "no colours: {shown:?}");
    assert!(shown.trim_end_matches('\r').ends_with("\u{1b}[2K"), "cleared: {shown:?}");
}
