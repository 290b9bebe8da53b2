//! The program is killed on entry to every system call that changes a file of this user.
//!
//! A first run under strace tells which calls these are; each of them is a kill point of its own run. The program's
//! files are written by its main thread only, so only that one is traced.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use crate::skip::skip;

use super::bench::{Auth, Bench, UNTIL_LISTS_ARE_FRESH, under};
use super::calls::Scene;

pub const CHANGING: &str = "openat,creat,write,pwrite64,writev,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,\
                        chmod,fchmod,fchmodat,fchown,ftruncate,truncate,flock,link,linkat,symlink,mkdir,mkdirat,close";

/// A file system without a rename that refuses to replace, as many network ones are.
const NO_RENAMEAT2: &str = "--inject=renameat2:error=EINVAL";

/// `command` under strace with these options.
pub fn traced(command: &Command, options: &[String]) -> Command {
    let mut prefix = vec!["strace".to_owned(), "-qq".to_owned(), "-y".to_owned()];
    prefix.extend_from_slice(options);
    under(&prefix, command)
}

pub fn can_trace() -> bool {
    let probe = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    probe.is_ok_and(|status| status.success())
}

/// The name and number of each call in the trace that changes something below home.
pub fn kill_points(trace: &str, home: &str) -> Vec<(String, usize)> {
    let mut counts = BTreeMap::<&str, usize>::new();
    let mut points = Vec::new();
    for line in trace.lines() {
        let Some((name, rest)) = line.split_once('(') else { continue };
        let n = counts.entry(name).or_default();
        *n += 1;
        let reads =
            matches!(name, "openat") && !["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| rest.contains(flag));
        if rest.contains(home) && !reads && name != "close" {
            points.push((name.to_owned(), *n));
        }
    }
    points
}

/// One sweep: a command, what it runs on, and what else strace does to it.
pub struct Sweep<'a> {
    pub scene: Scene,
    pub how: &'a str,
    pub bench: &'a dyn Fn() -> Bench,
    pub also: &'static [&'static str],
}

impl Sweep<'_> {
    fn prepare(&self) -> Bench {
        self.scene.prepare_on((self.bench)())
    }

    fn options(&self, output: &str, more: String) -> Vec<String> {
        let mut options = vec!["-o".to_owned(), output.to_owned()];
        options.extend(self.also.iter().map(|&option| option.to_owned()));
        options.push(more);
        options
    }

    fn points(&self) -> Vec<(String, usize)> {
        let bench = self.prepare();
        let trace = bench.path("trace");
        let options = self.options(&trace.display().to_string(), format!("--trace={CHANGING}"));
        bench.run_to_end(traced(&bench.signed(self.scene.arguments()), &options)).expect(0);
        let home = bench.home.path().canonicalize().unwrap();
        let points = kill_points(&fs::read_to_string(&trace).unwrap(), &home.display().to_string());
        assert!(points.iter().any(|(name, _)| name == "fsync") && points.len() > 10, "{points:?}");
        points
    }

    /// True when it was killed there.
    fn killed_at(&self, bench: &Bench, name: &str, n: usize) -> bool {
        let options = self.options("/dev/null", format!("--inject={name}:signal=KILL:when={n}"));
        let child = bench.spawn(traced(&bench.signed(self.scene.arguments()), &options));
        bench.wait_for(child).code.is_none()
    }

    pub fn run(&self, wanted: impl Fn(&str) -> bool) {
        if !can_trace() {
            return skip("needs strace and ptrace: the sweep over system calls");
        }
        let mut all = self.points();
        all.retain(|(name, _)| wanted(name));
        let (mut points, mut runs, mut most) = (0, 0, 0);
        for (name, n) in &all {
            let bench = self.prepare();
            runs += 1;
            if !self.killed_at(&bench, name, *n) {
                bench.is_settled();
                continue;
            }
            points += 1;
            bench.time_passes(UNTIL_LISTS_ARE_FRESH);
            let took = bench.settle();
            runs += took;
            most = most.max(took);
        }
        assert!(points * 10 >= all.len() * 9, "only {points} of {} points were reached", all.len());
        let Self { scene, how, .. } = self;
        println!("{scene:?} with {how}: {points} system call kill points, {runs} runs, {most} to settle at most");
    }
}

/// Every point of the scene, signed one way; the other way too where `KEYROT_FULL_SWEEP` asks for it.
fn sweep(scene: Scene, auth: Auth) {
    let with = |auth| Sweep { scene, how: &format!("{auth:?}"), bench: &|| Bench::new(auth), also: &[] }.run(|_| true);
    with(auth);
    if std::env::var_os("KEYROT_FULL_SWEEP").is_some() {
        with(if auth == Auth::Mfa { Auth::Key } else { Auth::Mfa });
    }
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

#[test]
fn a_new_file_may_die_between_its_two_names() {
    let links = |name: &str| name.contains("link");
    let bench = || Bench::new(Auth::Key);
    Sweep { scene: Scene::FirstRotation, how: "Key", bench: &bench, also: &[NO_RENAMEAT2] }.run(links);
}
