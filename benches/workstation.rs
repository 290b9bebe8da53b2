//! `cargo bench --bench workstation`: wall time, peak memory and AWS calls of the whole program, in its
//! release build, as the person at the keyboard has them. It prints a table and judges nothing.
//!
//! AWS is the tests' emulator. It runs in a thread of this process, so its work is in the times (some
//! hundred microseconds a call) and not in the memory. With an answer delay each call costs what a
//! region's round trip would. The keychain is a gnome-keyring on a bus of its own. Words after `--` choose rows:
//! `cargo bench --bench workstation -- status`.

#![allow(clippy::disallowed_methods, reason = "this is no part of the program")]

#[cfg(unix)]
#[allow(dead_code, reason = "each target that has the desktop uses a part of it")]
#[path = "../tests/keychain/desktop.rs"]
mod desktop;
#[cfg(unix)]
#[path = "workstation/hand_out.rs"]
mod hand_out;
#[allow(dead_code, unused_imports, reason = "each target that has the sandbox uses a part of it")]
#[path = "../tests/sandbox/mod.rs"]
mod sandbox;
#[cfg(unix)]
#[path = "../tests/skip.rs"]
mod skip;
#[allow(dead_code, reason = "each target that has the workstation uses a part of it")]
#[path = "../tests/workstation/mod.rs"]
mod workstation;

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sandbox::{Always, Fault};
use workstation::Workstation;

/// Runs that are timed, after one that is not; and further ones whose memory is watched.
const TIMED: usize = 20;
const WATCHED: usize = 3;
const ROUND_TRIP: Duration = Duration::from_millis(30);

struct Case {
    arguments: &'static [&'static str],
    delay: Duration,
    target: &'static str,
}

const CASES: [Case; 6] = [
    Case { arguments: &["--help"], delay: Duration::ZERO, target: "< 10 ms" },
    Case { arguments: &["status", "--offline"], delay: Duration::ZERO, target: "no call" },
    Case { arguments: &["status"], delay: Duration::ZERO, target: "" },
    Case { arguments: &["status"], delay: ROUND_TRIP, target: "about one round trip" },
    Case { arguments: &["rotate"], delay: Duration::ZERO, target: "<= 100 ms, < 30 MiB, <= 14 calls" },
    Case { arguments: &["rotate"], delay: ROUND_TRIP, target: "about one round trip a call" },
];

fn main() {
    // `cargo bench` says so; `cargo test --all-targets` does not, and has nothing to wait for here.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let wanted: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    println!("{:<34} {:>8} {:>8} {:>8} {:>9} {:>6}  target", "", "min ms", "median", "max", "peak MiB", "calls");
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str()));
    for case in &CASES {
        let name = case.name();
        if is_wanted(&name) {
            case.measure(&name);
        }
    }
    #[cfg(unix)]
    hand_out::measure(&is_wanted);
}

/// One line of the table.
struct Row<'a> {
    name: &'a str,
    /// Milliseconds.
    times: Vec<f64>,
    /// KiB.
    peak: Option<u32>,
    calls: usize,
    target: &'a str,
}

impl Row<'_> {
    fn print(mut self) {
        self.times.sort_by(f64::total_cmp);
        let peak = self.peak.map_or_else(|| "-".to_owned(), |kib| format!("{:.1}", f64::from(kib) / 1024.0));
        println!(
            "{:<34} {:>8.1} {:>8.1} {:>8.1} {peak:>9} {:>6}  {}",
            self.name,
            self.times[0],
            self.times[self.times.len() / 2],
            self.times[self.times.len() - 1],
            self.calls,
            self.target
        );
    }
}

impl Case {
    fn name(&self) -> String {
        let words = self.arguments.join(" ");
        if self.delay.is_zero() { words } else { format!("{words}, {} ms a call", self.delay.as_millis()) }
    }

    fn measure(&self, name: &str) {
        let (mut times, mut calls) = (Vec::new(), Vec::new());
        for _ in 0..=TIMED {
            let station = self.station();
            let mut command = self.command(&station);
            let began = Instant::now();
            let ended = command.output().unwrap();
            times.push(began.elapsed().as_secs_f64() * 1000.0);
            assert!(ended.status.success(), "{name}: {}", String::from_utf8_lossy(&ended.stderr));
            calls.push(station.sandbox.calls().len());
        }
        times.remove(0);
        let peak = (0..WATCHED).filter_map(|_| peak_kib(&mut self.command(&self.station()))).max();
        let calls = calls.into_iter().max().unwrap();
        Row { name, times, peak, calls, target: self.target }.print();
    }

    /// A machine and an AWS of its own for every run: a rotation leaves both as no second run would find them.
    fn station(&self) -> Workstation {
        let station = Workstation::new(env!("CARGO_BIN_EXE_keyrot-me"));
        let serial = station.sandbox.user_arn("alice").replacen(":user/", ":mfa/", 1);
        fs::write(station.path(".aws/config"), format!("[default]\nmfa_serial = {serial}\n")).unwrap();
        if !self.delay.is_zero() {
            station.sandbox.fault("*", Always, Fault::Delay(self.delay));
        }
        station.sandbox.clear_calls();
        station
    }

    fn command(&self, station: &Workstation) -> Command {
        let mut command = station.command(self.arguments);
        if self.arguments == ["rotate"] {
            command.args(["--mfa-code", &station.sandbox.next_totp("alice")]);
        }
        command
    }
}

/// The highest `VmHWM` that was seen while it ran (Linux only). `ru_maxrss` would not do: it counts from
/// before the exec, and so the memory of this process.
fn peak_kib(command: &mut Command) -> Option<u32> {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = None;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = peak.max(line.and_then(|kib| kib.trim().trim_end_matches(" kB").parse().ok()));
        std::thread::yield_now();
    }
    peak
}
