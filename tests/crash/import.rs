//! An import is killed before and after each of its calls, and at every system call that changes a file: the same
//! command, or `rotate` once the key is stored, goes on.

use std::sync::Arc;

use crate::keychain::desktop::Desktop;
use crate::sandbox::Fault;
use crate::skip::skip;
use crate::workstation::Ran;

use super::bench::{Auth, Bench, UNTIL_LISTS_ARE_FRESH};
use super::system_calls::{CHANGING, can_trace, kill_points, traced};

/// The purge took the key, and there is another one from the console.
struct Scene {
    bench: Bench,
    file: String,
    id: String,
}

impl Scene {
    fn new(bench: Bench) -> Self {
        bench.note_keys();
        bench.sandbox.delete_key(bench.old());
        let (id, secret) = bench.sandbox.seed_key("alice", bench.sandbox.now(), "Active");
        let path = bench.path("accessKeys.csv");
        std::fs::write(&path, format!("Access key ID,Secret access key\r\n{id},{secret}\r\n")).unwrap();
        bench.sandbox.clear_calls();
        Self { bench, file: path.display().to_string(), id }
    }

    fn arguments(&self) -> [&str; 3] {
        ["import", "--yes", &self.file]
    }

    /// The stored key may be a dead one until the import has stored its own; the file is whole all the while.
    #[track_caller]
    fn import(&self) -> Ran {
        let ran = self.bench.ended(self.bench.spawn(self.bench.signed(&self.arguments())));
        self.bench.file_is_whole();
        ran
    }

    /// What this profile holds was imported, or came of it.
    fn is_stored(&self) -> bool {
        self.bench.published().0 != self.bench.old()
    }

    /// Up to three runs without faults; says how many it took.
    #[track_caller]
    fn settle(&self, by_rotate: bool) -> usize {
        self.bench.sandbox.clear_faults();
        self.bench.time_passes(UNTIL_LISTS_ARE_FRESH);
        if by_rotate && self.is_stored() {
            return self.bench.settle();
        }
        for run in 1..=3 {
            let ran = self.import();
            match ran.code {
                Some(0) => {
                    self.bench.is_settled();
                    self.imported_is_off();
                    return run;
                }
                Some(5) => self.bench.time_passes(UNTIL_LISTS_ARE_FRESH),
                _ => panic!("run {run} after the kill: {ran:?}\n{}", self.bench.picture()),
            }
        }
        panic!("three runs did not put it right: {}", self.bench.picture());
    }

    #[track_caller]
    fn imported_is_off(&self) {
        let state = self.bench.sandbox.key(&self.id).map(|key| key.status);
        assert_ne!(state.as_deref(), Some("Active"), "the pasted copy is alive: {}", self.bench.picture());
    }
}

fn sweep(how: &str, bench: &dyn Fn() -> Bench, by_rotate: bool) {
    let (mut points, mut runs, mut most) = (0, 0, 0);
    for fault in [Fault::KillBefore, Fault::KillAfter] {
        for n in 1.. {
            let scene = Scene::new(bench());
            scene.bench.sandbox.fault("*", n, fault.clone());
            let ran = scene.import();
            runs += 1;
            if ran.code.is_some() {
                ran.expect(0);
                assert_eq!(scene.bench.sandbox.calls().len(), n - 1);
                scene.bench.is_settled();
                break;
            }
            points += 1;
            let took = scene.settle(by_rotate);
            runs += took;
            most = most.max(took);
        }
    }
    assert!(points > 20, "{points}");
    println!(
        "import with {how}, then rotate: {by_rotate}: {points} kill points, {runs} runs, {most} to settle at most"
    );
}

#[test]
fn an_import_may_die_at_any_call_and_is_run_again() {
    sweep("a code", &|| Bench::new(Auth::Mfa), false);
}

#[test]
fn an_import_may_die_at_any_call_and_rotate_goes_on() {
    sweep("the key itself", &|| Bench::new(Auth::Key), true);
}

#[test]
fn an_import_into_the_keychain_may_die_at_any_call() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    sweep("the key itself, in the keychain", &|| Bench::in_keychain(Auth::Key, &desktop), false);
}

#[test]
fn an_import_may_die_at_any_system_call() {
    if !can_trace() {
        return skip("needs strace and ptrace: the sweep over an import's system calls");
    }
    let scene = Scene::new(Bench::new(Auth::Key));
    let trace = scene.bench.path("trace");
    let options = ["-o".to_owned(), trace.display().to_string(), format!("--trace={CHANGING}")];
    let home = scene.bench.home().canonicalize().unwrap().display().to_string();
    scene.bench.ended(scene.bench.spawn(traced(&scene.bench.signed(&scene.arguments()), &options))).expect(0);
    let all = kill_points(&std::fs::read_to_string(&trace).unwrap(), &home);
    assert!(all.len() > 20, "{all:?}");
    let (mut points, mut runs, mut most) = (0, 0, 0);
    for (name, n) in &all {
        let scene = Scene::new(Bench::new(Auth::Key));
        let options = ["-o".to_owned(), "/dev/null".to_owned(), format!("--inject={name}:signal=KILL:when={n}")];
        let ran = scene.bench.ended(scene.bench.spawn(traced(&scene.bench.signed(&scene.arguments()), &options)));
        scene.bench.file_is_whole();
        runs += 1;
        if ran.code.is_none() {
            points += 1;
            let took = scene.settle(n % 2 == 0);
            runs += took;
            most = most.max(took);
        }
    }
    assert!(points * 10 >= all.len() * 9, "only {points} of {} points were reached", all.len());
    println!("import: {points} system call kill points, {runs} runs, {most} to settle at most");
}
