//! `rotate --scheduled`: the real program without anybody there, against the sandbox and real desktops.

mod due;

use crate::program;
use crate::workstation::{Ran, Workstation};

/// A purge that is days away.
const FAR: &str = "[purge]\nlimit = \"90d\"\n";

/// A station whose timer gets codes from a program.
fn station() -> Workstation {
    Workstation::new(program())
}

fn settings(station: &Workstation, more: &str) {
    station.settings(&format!("[rotation]\nsettle = {{ every = \"0s\" }}\n{more}"));
}

/// Codes come from a program that prints the one of this moment.
fn with_codes(station: &Workstation, more: &str) {
    let code = station.sandbox.next_totp("alice");
    settings(station, &format!("[mfa]\ncommand = \"echo {code}\"\n{more}"));
}

fn scheduled(station: &Workstation, more: &[&str]) -> Ran {
    station.run(&[&["rotate", "--scheduled", "--jitter", "0"], more].concat())
}
