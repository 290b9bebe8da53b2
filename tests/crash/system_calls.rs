//! The program is killed on entry to every system call that changes a file of this user.
//!
//! A first run under strace tells which calls these are; each of them is a kill point of its own run. The program's
//! files are written by its main thread only, so only that one is traced.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::skip::skip;

use super::bench::{Auth, Bench, UNTIL_LISTS_ARE_FRESH};
use super::calls::Scene;

const CHANGING: &str = "openat,creat,write,pwrite64,writev,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,\
                        chmod,fchmod,fchmodat,fchown,ftruncate,truncate,flock,link,linkat,symlink,mkdir,mkdirat,close";

/// At most so many kill points of one scene, unless `KEYROT_FULL_SWEEP` is set.
const SAMPLE: usize = 60;

/// `command` under strace with these options.
fn traced(command: &Command, options: &[String]) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-qq", "-y"]).args(options).arg(command.get_program()).args(command.get_args());
    strace.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    strace
}

fn can_trace() -> bool {
    let probe = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    probe.is_ok_and(|status| status.success())
}

/// The name and number of each call in the trace that changes something below home.
fn kill_points(trace: &str, home: &str) -> Vec<(String, usize)> {
    let mut counts = BTreeMap::<&str, usize>::new();
    let mut points = Vec::new();
    for line in trace.lines() {
        let Some((name, rest)) = line.split_once('(') else { continue };
        let n = counts.entry(name).or_default();
        *n += 1;
        let reads = matches!(name, "openat") && !["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| rest.contains(flag));
        if rest.contains(home) && !reads && name != "close" {
            points.push((name.to_owned(), *n));
        }
    }
    points
}

fn points_of(scene: Scene, auth: Auth) -> Vec<(String, usize)> {
    let bench = scene.prepare(auth);
    let trace = bench.path("trace");
    let options = ["-o".to_owned(), trace.display().to_string(), "-e".to_owned(), format!("trace={CHANGING}")];
    let ran = bench.run_to_end(traced(&bench.signed(scene.arguments()), &options)).expect(0);
    drop(ran);
    let home = bench.home.path().canonicalize().unwrap();
    let points = kill_points(&fs::read_to_string(&trace).unwrap(), &home.display().to_string());
    assert!(points.iter().any(|(name, _)| name == "fsync") && points.len() > 10, "{points:?}");
    points
}

/// True when it was killed there.
fn killed_at(bench: &Bench, scene: Scene, name: &str, n: usize) -> bool {
    let options = ["-o".to_owned(), "/dev/null".to_owned(), format!("--inject={name}:signal=KILL:when={n}")];
    let mut child = bench.spawn(traced(&bench.signed(scene.arguments()), &options));
    let status = child.wait().unwrap();
    bench.wait_for(child);
    status.signal().is_some()
}

fn sweep(scene: Scene, auth: Auth) {
    if !can_trace() {
        return skip("needs strace and ptrace: the sweep over system calls");
    }
    let all = points_of(scene, auth);
    let stride = if std::env::var_os("KEYROT_FULL_SWEEP").is_some() { 1 } else { all.len().div_ceil(SAMPLE) };
    let (points, runs, most) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    for (name, n) in all.iter().step_by(stride) {
        let bench = scene.prepare(auth);
        runs.fetch_add(1, Ordering::SeqCst);
        if !killed_at(&bench, scene, name, *n) {
            bench.is_settled();
            continue;
        }
        points.fetch_add(1, Ordering::SeqCst);
        bench.time_passes(UNTIL_LISTS_ARE_FRESH);
        let took = bench.settle();
        runs.fetch_add(took, Ordering::SeqCst);
        most.fetch_max(took, Ordering::SeqCst);
    }
    let (points, runs, most) = (points.into_inner(), runs.into_inner(), most.into_inner());
    assert!(points * 10 >= all.len().div_ceil(stride) * 9, "{points} of {} points were reached", all.len());
    println!(
        "{scene:?} with {auth:?}: {points} system calls killed of {} (stride {stride}), {runs} runs, {most} to settle at most",
        all.len()
    );
}

#[test]
fn a_first_rotation_may_die_at_any_system_call() {
    sweep(Scene::FirstRotation, Auth::Mfa);
}

#[test]
fn a_next_rotation_may_die_at_any_system_call() {
    sweep(Scene::NextRotation, Auth::Key);
}

#[test]
fn finish_may_die_at_any_system_call() {
    sweep(Scene::Finish, Auth::Key);
}

#[test]
fn a_rollback_may_die_at_any_system_call() {
    sweep(Scene::Rollback, Auth::Mfa);
}
