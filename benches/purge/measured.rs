//! Wall time and peak memory of a child process and of its own children (Linux only for the memory).
//!
//! `ru_maxrss` would not do: it counts from before the exec, and so the memory of this process.

use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Rare enough to cost nothing. The highest mark of one process is kept by the kernel; only what it adds in its last
/// moments can be missed, and of several processes a short overlap.
const EVERY: Duration = Duration::from_millis(10);

pub struct Measured {
    pub wall: Duration,
    /// Of all processes together, in KiB.
    pub peak: u64,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

pub fn run(command: &mut Command) -> Measured {
    let began = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (pid, ended) = (child.id(), AtomicBool::new(false));
    let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    thread::scope(|scope| {
        let watch = scope.spawn(|| watch(pid, &ended));
        let (stdout, stderr) = (scope.spawn(|| all_of(stdout)), scope.spawn(|| all_of(stderr)));
        let status = child.wait().unwrap();
        let wall = began.elapsed();
        ended.store(true, Ordering::SeqCst);
        Measured {
            wall,
            peak: watch.join().unwrap(),
            code: status.code(),
            stdout: stdout.join().unwrap(),
            stderr: stderr.join().unwrap(),
        }
    })
}

/// Of this process so far, in KiB.
pub fn own_peak() -> u64 {
    of_status(std::process::id(), "VmHWM:").unwrap_or_default()
}

fn all_of(mut stream: impl Read) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn watch(pid: u32, ended: &AtomicBool) -> u64 {
    let mut peak = 0;
    while !ended.load(Ordering::SeqCst) {
        let family = family(pid);
        let now: u64 = family.iter().filter_map(|pid| of_status(*pid, "VmRSS:")).sum();
        let alone = if family.len() == 1 { of_status(pid, "VmHWM:").unwrap_or_default() } else { 0 };
        peak = peak.max(now).max(alone);
        thread::sleep(EVERY);
    }
    peak
}

/// The process and its descendants.
fn family(root: u32) -> Vec<u32> {
    let children = |pid: u32| {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
        lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>())
    };
    let (mut known, mut open) = (HashSet::from([root]), vec![root]);
    while let Some(pid) = open.pop() {
        open.extend(children(pid).filter(|child| known.insert(*child)));
    }
    known.into_iter().collect()
}

fn of_status(pid: u32, field: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
