//! `cargo bench --bench purge`: wall time, calls, refusals and peak memory of the central purge, in its release build,
//! beside a plain boto3 script and Cloud Custodian. It prints a table and judges nothing.
//!
//! AWS is the tests' emulator, in a process of its own; the first rows say how fast it is by itself. Each program runs
//! in a process of its own too, and its memory is that process's (of several processes: their sum). The last rows have
//! no connections: an organization made up in memory, under the program's own runner and reports.
//!
//! Every run is a dry run, unless its row says otherwise, and writes its reports. `found` is the number of over-age
//! keys that a run came to; it should be the number that there are. One run of a row is shown: the median by its time.
//!
//! Words after `--` choose rows: `cargo bench --bench purge -- 2,000`. By environment:
//!
//! | variable | |
//! |---|---|
//! | `KEYROT_BENCH_PYTHON` | a Python that has boto3, c7n and c7n-org, such as `venv/bin/python` after `pip install boto3 c7n c7n-org`; without it their rows say 'not installed' |
//! | `KEYROT_BENCH_RUNS` | runs of a row [default: 3]; a row whose first run takes more than 20 s has one |
//! | `KEYROT_BENCH_DELAY` | milliseconds before each answer [default: 30] |
//! | `KEYROT_BENCH_ACCOUNTS` | accounts of the largest simulation [default: 500] |
//! | `KEYROT_BENCH_PROGRAM` | another build of keyrot-me to measure, such as one before a change |

#![allow(clippy::disallowed_methods, reason = "this is no part of the program")]

#[path = "purge/client.rs"]
mod client;
#[path = "purge/emulator.rs"]
mod emulator;
#[path = "purge/foreign.rs"]
mod foreign;
#[path = "purge/measured.rs"]
mod measured;
#[allow(dead_code, unused_imports, reason = "each target that has the sandbox uses a part of it")]
#[path = "../tests/sandbox/mod.rs"]
mod sandbox;
#[path = "purge/scale.rs"]
mod scale;

use std::fmt;
use std::process::Command;
use std::str::FromStr;
use std::time::Duration;

use emulator::{EXEMPT, Emulator, GROUP, LIMIT, ROLE, World};
use foreign::Foreign;
use measured::Measured;
use scale::{Came, Size};

/// A row whose first run takes longer has no second one.
const LONG: Duration = Duration::from_secs(20);
/// As many as the program has at once.
const CONNECTIONS: usize = 64;

struct Case {
    name: &'static str,
    world: World,
    target: &'static str,
    foreign: &'static [Foreign],
}

fn cases(delay: u64) -> Vec<Case> {
    let both: &[Foreign] = &[Foreign::Boto3, Foreign::Custodian];
    let world = World { accounts: 0, users: 2_000, exempt: 500, over_age: 300, delay, rate: None };
    let silent = World { delay: 0, exempt: 0, ..world };
    let throttled = World { users: 300, exempt: 0, over_age: 73, rate: Some((20.0, 40.0)), ..world };
    vec![
        Case { name: "2,000 users", world, target: "<= 5 s, 1,803 calls, <= 25 MiB", foreign: both },
        Case {
            name: "20 accounts x 50 users",
            world: World { accounts: 20, users: 50, exempt: 10, over_age: 8, ..world },
            target: "<= 4 s, <= 25 MiB",
            foreign: both,
        },
        Case {
            name: "throttled at 20/s, burst 40",
            world: throttled,
            target: "375 calls in 16.75 s + 5 %, <= 5 refused",
            foreign: both,
        },
        Case { name: "2,000 keys, no delay", world: silent, target: "<= 25 MiB", foreign: &[] },
        Case {
            name: "20 accounts x 2,000 keys, no delay",
            world: World { accounts: 20, ..silent },
            target: "<= 25 MiB, as with one account",
            foreign: &[],
        },
    ]
}

/// Accounts, users in each, keys of each, whether it is a dry run, whether every key is over age.
fn sizes(most: usize) -> Vec<(String, Size)> {
    let dry = Size { accounts: 1, users: 2_000, keys: 1, apply: false, all_keys: false };
    let of = |accounts, users, keys| Size { accounts, users, keys, ..dry };
    let mut all: Vec<Size> = [1, 10, 100].into_iter().filter(|n| *n < most).map(|n| of(n, 2_000, 1)).collect();
    all.extend([of(most, 2_000, 1), of(1, 5_000, 2), of(20, 5_000, 2)]);
    all.push(Size { apply: true, ..of(20, 2_000, 1) });
    all.push(Size { apply: true, all_keys: true, ..of(20, 2_000, 1) });
    all.into_iter().map(|size| (size.name(), size)).collect()
}

impl Size {
    fn name(&self) -> String {
        let how = match (self.apply, self.all_keys) {
            (false, _) => "",
            (true, false) => ", --apply",
            (true, true) => ", --apply --all-keys",
        };
        format!("in memory: {} accounts x {} users x {} keys{how}", self.accounts, self.users, self.keys)
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--role", "emulator", world] => return emulator::serve(world),
        ["--role", "simulation", size, folder] => return scale::simulate(size, folder),
        // `cargo bench` says so; `cargo test --all-targets` does not, and has nothing to wait for here.
        _ if !arguments.iter().any(|argument| argument == "--bench") => return,
        _ => {}
    }
    let words: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    let delay = number("KEYROT_BENCH_DELAY", 30);
    println!(
        "{:<58} {:<18} {:>8} {:>8} {:>8} {:>8} {:>8} {:>6}  target",
        "", "", "s", "calls", "refused", "found", "peak MiB", "runs"
    );
    for delay in [0, delay] {
        emulator_alone(delay, &wanted);
    }
    for case in cases(delay).into_iter().filter(|case| wanted(case.name)) {
        case.measure();
    }
    for (name, size) in sizes(number("KEYROT_BENCH_ACCOUNTS", 500)).into_iter().filter(|(name, _)| wanted(name)) {
        simulated(&name, size);
    }
}

fn number<T: FromStr>(variable: &str, default: T) -> T
where
    T::Err: fmt::Debug,
{
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// One line of the table.
struct Line {
    seconds: f64,
    calls: u64,
    refused: Option<usize>,
    found: String,
    /// In KiB; zero where it was not measured.
    peak: u64,
    note: String,
}

impl Line {
    fn print(&self, name: &str, program: &str, runs: usize, target: &str) {
        let refused = self.refused.map_or_else(|| "-".to_owned(), |refused| refused.to_string());
        #[allow(clippy::cast_precision_loss, reason = "no program takes 2^53 KiB")]
        let peak = if self.peak == 0 { "-".to_owned() } else { format!("{:.1}", self.peak as f64 / 1024.0) };
        println!(
            "{name:<58} {program:<18} {:>8.2} {:>8} {refused:>8} {:>8} {peak:>8} {runs:>6}  {}{target}",
            self.seconds, self.calls, self.found, self.note
        );
    }
}

/// The median of several runs by time, and how many there were.
fn median(mut run: impl FnMut() -> Line) -> (Line, usize) {
    let mut lines = vec![run()];
    while lines.len() < number("KEYROT_BENCH_RUNS", 3) && lines[0].seconds < LONG.as_secs_f64() {
        lines.push(run());
    }
    let runs = lines.len();
    lines.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
    (lines.swap_remove(runs / 2), runs)
}

fn emulator_alone(delay: u64, wanted: &impl Fn(&str) -> bool) {
    let name = format!("the emulator alone, {delay} ms, {CONNECTIONS} connections");
    if !wanted(&name) {
        return;
    }
    let calls = 10_000;
    let world = World { accounts: 0, users: 2_000, exempt: 500, over_age: 300, delay, rate: None };
    let (line, runs) = median(|| {
        let mut emulator = Emulator::start(&world);
        let wall = client::load(&emulator.address, CONNECTIONS, calls);
        assert_eq!(emulator.counted().calls(), calls);
        Line {
            seconds: wall.as_secs_f64(),
            calls: calls as u64,
            refused: None,
            found: "-".to_owned(),
            peak: 0,
            note: String::new(),
        }
    });
    line.print(&name, "raw sockets", runs, "");
}

impl Case {
    fn measure(&self) {
        let (line, runs) = median(|| self.own());
        line.print(self.name, "keyrot-me", runs, self.target);
        for foreign in self.foreign {
            let name = foreign.name(&self.world);
            match foreign.program(&self.world) {
                None => println!("{:<58} {name:<18} not installed (see {})", self.name, foreign::PYTHON),
                Some(program) => {
                    let (line, runs) = median(|| self.line(|emulator| foreign.run(&program, &self.world, emulator)));
                    line.print(self.name, name, runs, "");
                }
            }
        }
    }

    /// A fresh emulator for each run: the buckets of a throttled account are full again.
    fn line(&self, run: impl FnOnce(&Emulator) -> (Measured, Option<usize>)) -> Line {
        let mut emulator = Emulator::start(&self.world);
        let (ran, found) = run(&emulator);
        let counted = emulator.counted();
        let there = self.world.over_age * self.world.accounts.max(1);
        let note = match (ran.code, found == Some(there)) {
            (Some(0), true) => String::new(),
            (code, _) => format!("exit {}, {there} keys are there: {}; ", code.unwrap_or(-1), last_line(&ran.stderr)),
        };
        Line {
            seconds: ran.wall.as_secs_f64(),
            calls: counted.calls() as u64,
            refused: Some(counted.refused),
            found: found.map_or_else(|| "-".to_owned(), |found| found.to_string()),
            peak: ran.peak,
            note,
        }
    }

    fn own(&self) -> Line {
        self.line(|emulator| {
            let home = tempfile::tempdir().unwrap();
            let program = std::env::var("KEYROT_BENCH_PROGRAM");
            let mut command = Command::new(program.as_deref().unwrap_or(env!("CARGO_BIN_EXE_keyrot-me")));
            let limit = format!("{LIMIT}d");
            command.args(["purge", "--json", "--group", GROUP, "--exempt-group", EXEMPT, "--max-age", &limit]);
            if self.world.exempt == 0 {
                command.arg("--allow-empty");
            }
            if self.world.accounts > 0 {
                command.args(["--org", "--role", ROLE]);
            }
            command.env_clear().env("HOME", home.path()).envs(emulator.environment());
            let ran = measured::run(&mut command);
            let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
            let found = told["totals"]["disable"].as_u64().and_then(|found| usize::try_from(found).ok());
            (ran, found)
        })
    }
}

fn last_line(text: &str) -> String {
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    line.chars().take(120).collect()
}

fn simulated(name: &str, size: Size) {
    let (line, runs) = median(|| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        let told = serde_json::to_string(&size).unwrap();
        command.args(["--role", "simulation", &told]).arg(folder.path());
        let ran = measured::run(&mut command);
        let came: Came = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr));
        assert!(came.complete);
        let written: u64 =
            std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().metadata().unwrap().len()).sum();
        let note = format!("{} keys, reports of {} MB; ", came.keys, written / 1_000_000);
        Line { seconds: came.seconds, calls: came.calls, refused: None, found: "-".to_owned(), peak: came.peak, note }
    });
    line.print(name, "runner", runs, "<= 25 MiB, flat");
}
