//! A run of the timer opens no terminal, reads nothing that is typed, and asks nothing, even where all is there for it.

use std::path::Path;
use std::process::Stdio;

use super::*;
use crate::cli::mfa_sources::{path_of, program_named};
use crate::skip::skip;

/// The program and all that it starts, under strace, at a pseudo-terminal of its own.
fn traced_at_a_terminal(station: &Workstation, more: &str) -> Option<(String, String)> {
    if !crate::crash::can_trace() {
        skip("needs strace and ptrace: that the timer's run opens no terminal");
        return None;
    }
    let trace = station.path("trace");
    let line = format!(
        "strace -f -qq -o {} --trace=open,openat,read,readv,poll,ppoll {} rotate --scheduled --jitter 0 {more}; echo \"left with $?\"",
        trace.display(),
        program()
    );
    let mut script = Command::new("script");
    script.args(["-q", "-f", "-e", "-c", &line, "/dev/null"]).env_clear().envs(station.environment());
    script.env("SHELL", "/bin/sh").env("PATH", path_of(station)).env("DISPLAY", ":99").env("TZ", "UTC");
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // Open as long as it takes: the end of the input would look like an answer.
    let _typed = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    Some((std::fs::read_to_string(trace).unwrap(), shown))
}

#[track_caller]
fn touches_no_terminal(trace: &str) {
    assert!(trace.contains("open"), "{trace}");
    for line in trace.lines().filter(|line| line.contains(" open")) {
        assert!(!line.contains("/dev/tty") && !line.contains("/dev/pts"), "{line}");
    }
    assert!(!trace.contains(" read(0,") && !trace.contains(" readv(0,"), "{trace}");
    // Rust's start looks at the three standard streams, for no event.
    assert!(!trace.contains("{fd=0, events=POLL"), "waits for what is typed");
}

#[test]
fn nothing_of_a_terminal_is_opened_or_read() {
    let station = station();
    settings(&station, "[mfa]\npinentry = true\n");
    let Some((trace, shown)) = traced_at_a_terminal(&station, "") else { return };
    touches_no_terminal(&trace);
    assert!(shown.contains("left with 10"), "{shown}");
}

/// A display that is not there: the real dialogs look for a terminal then.
#[test]
fn a_real_pinentry_is_given_no_terminal_though_there_is_one() {
    for name in ["pinentry-tty", "pinentry-curses"] {
        let real = format!("/usr/bin/{name}");
        if !Path::new(&real).exists() {
            skip(&format!("needs {name}: that a timer's run keeps it off the terminal"));
            continue;
        }
        let station = station();
        settings(&station, "[mfa]\npinentry = true\n");
        program_named(&station, "pinentry", &format!("exec {real} \"$@\""));
        let Some((trace, shown)) = traced_at_a_terminal(&station, "") else { return };
        touches_no_terminal(&trace);
        assert!(shown.contains("pinentry failed") && shown.contains("left with 10"), "{shown}");
    }
}

#[test]
fn a_rotation_touches_no_terminal_and_two_keys_ask_nothing() {
    let station = station();
    let Some((trace, shown)) = traced_at_a_terminal(&station, "--no-mfa") else { return };
    touches_no_terminal(&trace);
    assert!(shown.contains("rotated: ") && shown.contains("left with 0"), "{shown}");
    settings(&station, "max_age = \"0\"\n");
    let Some((trace, shown)) = traced_at_a_terminal(&station, "--no-mfa") else { return };
    touches_no_terminal(&trace);
    assert!(!shown.contains("[y/N]") && shown.contains("left with 10"), "{shown}");
}
