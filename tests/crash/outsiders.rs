//! Others at work on the same user's keys meanwhile: the purge, an administrator, a second machine.
//!
//! I1 leaves outsiders aside; what is asked here is that nothing is made worse, that the end has a name, and that
//! whatever still works leads on.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::sandbox::Control;

use super::SECOND;
use super::bench::{Auth, Bench, UNTIL_LISTS_ARE_FRESH};
use super::calls::Scene;

const SHORT_SETTLE: &str = "settle = { every = \"0s\", successes = 1, within = \"2s\" }";

/// At each call in turn somebody does this to the old key.
fn old_key_struck(auth: Auth, strike: fn(&Control, &str)) {
    let mut ends = std::collections::BTreeMap::new();
    for n in 1.. {
        let bench = Bench::new(auth);
        bench.settings(SHORT_SETTLE);
        bench.note_keys();
        let (control, old) = (bench.sandbox.control(), bench.old().to_owned());
        bench.at_call(n, move || strike(&control, &old));
        // From then on IAM's clock hurries: the list that shows it could be a stale one.
        let (control, mut calls, mut jumped) = (bench.sandbox.control(), 0, false);
        bench.sandbox.on_call(move |call| {
            calls += 1;
            if calls >= n && call.action == "ListAccessKeys" && !std::mem::replace(&mut jumped, true) {
                control.advance(61 * SECOND);
            }
        });
        let ran = bench.ended(bench.spawn(bench.signed(&["rotate"])));
        if bench.sandbox.calls().len() < n {
            break;
        }
        *ends.entry(ran.code).or_insert(0) += 1;
        assert!(matches!(ran.code, Some(0 | 5 | 9)), "call {n} with {auth:?}: {ran:?}\n{}", bench.picture());
        let active = bench.active();
        if active.is_empty() {
            // Struck before there was another: nothing was made, and the way back in is told.
            assert_eq!(bench.sandbox.count("CreateAccessKey") * usize::from(auth == Auth::Mfa), 0, "call {n}");
            assert_eq!(ran.code, Some(9), "call {n}: {ran:?}");
            assert!(ran.stderr.contains(bench.old()) && ran.stderr.contains("next: "), "{}", ran.stderr);
            continue;
        }
        bench.some_stored_key_is_active();
        bench.time_passes(UNTIL_LISTS_ARE_FRESH);
        bench.settle();
    }
    println!("the old key struck at every call with {auth:?}: {ends:?}");
}

#[test]
fn the_purge_may_switch_the_old_key_off_at_any_call() {
    for auth in [Auth::Mfa, Auth::Key] {
        old_key_struck(auth, |control, old| {
            control.set_status(old, "Inactive");
        });
    }
}

#[test]
fn the_purge_may_delete_the_old_key_at_any_call() {
    for auth in [Auth::Mfa, Auth::Key] {
        old_key_struck(auth, |control, old| {
            if control.key(old).is_some() {
                control.delete_key(old);
            }
        });
    }
}

#[test]
fn a_retired_key_that_somebody_switched_on_again_is_named_and_not_touched() {
    for auth in [Auth::Mfa, Auth::Key] {
        let bench = Scene::NextRotation.prepare(auth);
        bench.sandbox.set_status(bench.old(), "Active");
        for command in [&["rotate", "--yes"][..], &["finish", "--now"]] {
            let ran = bench.run_signed(command).expect(3);
            assert!(ran.stderr.contains(bench.old()), "{}", ran.stderr);
            assert_eq!(bench.active().len(), 2, "not touched");
            bench.time_passes(31 * SECOND);
        }
        assert_eq!(bench.sandbox.count("DeleteAccessKey") + bench.sandbox.count("CreateAccessKey"), 0);
        bench.sandbox.set_status(bench.old(), "Inactive");
        bench.settle();
    }
}

#[test]
fn a_new_key_that_somebody_deletes_before_it_is_published_is_given_up() {
    let bench = Bench::new(Auth::Mfa);
    bench.settings(SHORT_SETTLE);
    bench.note_keys();
    let (control, old) = (bench.sandbox.control(), bench.old().to_owned());
    let mut created = false;
    bench.sandbox.on_call(move |call| {
        let struck = created && call.action == "GetCallerIdentity";
        created |= call.action == "CreateAccessKey";
        for key in control.keys_of("alice") {
            if struck && key.id != old {
                control.delete_key(&key.id);
            }
        }
    });
    bench.run_signed(&["rotate"]).expect(5);
    assert_eq!(bench.published().0, bench.old());
    bench.time_passes(UNTIL_LISTS_ARE_FRESH);
    bench.settle();
}

/// Somebody switches the new key off at call n of a rotation, unless the old one is off by then.
fn new_key_struck(n: usize) -> Bench {
    let bench = Bench::new(Auth::Mfa);
    bench.settings(SHORT_SETTLE);
    let (control, old) = (bench.sandbox.control(), bench.old().to_owned());
    bench.at_call(n, move || {
        for key in control.keys_of("alice") {
            if key.id != old && control.key(&old).is_some_and(|key| key.status == "Active") {
                control.set_status(&key.id, "Inactive");
            }
        }
    });
    let ran = bench.run_signed(&["rotate"]);
    let struck = bench.active().iter().all(|key| key.id == bench.old());
    assert!(if struck { matches!(ran.code, Some(3 | 5)) } else { ran.code == Some(0) }, "call {n}: {ran:?}");
    bench.sandbox.clear_hooks();
    bench
}

#[test]
fn a_new_key_that_somebody_switches_off_meanwhile_keeps_the_old_one_on() {
    for n in 6..=11 {
        let bench = new_key_struck(n);
        bench.some_stored_key_is_active();
        for key in bench.sandbox.keys_of("alice").iter().filter(|key| key.id != bench.old()) {
            bench.sandbox.set_status(&key.id, "Active");
        }
        bench.time_passes(UNTIL_LISTS_ARE_FRESH);
        bench.settle();
    }
}

#[test]
fn a_new_key_that_somebody_switched_off_can_be_rolled_back() {
    for n in 6..=10 {
        let bench = new_key_struck(n);
        bench.time_passes(UNTIL_LISTS_ARE_FRESH);
        let ran = bench.run_signed(&["rotate", "--yes"]).expect(3);
        let new = bench.sandbox.keys_of("alice").into_iter().find(|key| key.id != bench.old()).unwrap();
        assert!(ran.stderr.contains(&new.id) && ran.stderr.contains("rollback"), "{}", ran.stderr);
        bench.time_passes(31 * SECOND);
        bench.run_signed(&["rollback"]).expect(0);
        assert_eq!(bench.published().0, bench.old(), "call {n}: {}", bench.picture());
        bench.is_settled();
    }
}

/// A second machine of the same user: a copy of this one's home.
struct SecondMachine {
    home: tempfile::TempDir,
}

impl SecondMachine {
    fn of(bench: &Bench) -> Self {
        let home = tempfile::tempdir().unwrap();
        let copied = Command::new("cp").arg("-a").arg(bench.path(".")).arg(home.path()).status().unwrap();
        assert!(copied.success());
        Self { home }
    }

    fn command(&self, bench: &Bench, arguments: &[&str]) -> Command {
        let home = self.home.path();
        let mut command = bench.unsigned(arguments);
        command.env("HOME", home).env("XDG_CONFIG_HOME", home.join(".config"));
        command.env("XDG_STATE_HOME", home.join(".local/state"));
        command
    }
}

#[test]
fn a_second_machine_that_rotates_meanwhile_is_noticed_by_both() {
    for n in 1.. {
        let bench = Bench::new(Auth::Key);
        bench.settings(SHORT_SETTLE);
        let second = SecondMachine::of(&bench);
        let mut other = second.command(&bench, &["rotate", "--no-mfa", "--yes"]);
        other.stdout(Stdio::null()).stderr(Stdio::null());
        let done = Arc::new(Mutex::new(None));
        let started = Arc::clone(&done);
        // In the background: its own calls wait for this hook.
        bench.at_call(n, move || *started.lock().unwrap() = Some(other.spawn().unwrap()));
        let first = bench.ended(bench.spawn(bench.signed(&["rotate", "--yes"])));
        let Some(mut child) = done.lock().unwrap().take() else { break };
        let second_code = child.wait().unwrap().code();
        let codes = (first.code, second_code);
        assert!(!matches!(first.code, None | Some(1)), "call {n}: {codes:?} {first:?}");
        assert!(!matches!(second_code, None | Some(1)), "call {n}: {codes:?}");
        // One of the machines holds an Active key.
        let theirs = std::fs::read_to_string(second.home.path().join(".aws/credentials")).unwrap();
        let theirs = super::bench::published(&theirs);
        let works = |id: &str| bench.active().iter().any(|key| key.id == id);
        assert!(works(&theirs.0) || bench.stored().iter().any(|(id, _)| works(id)), "call {n}: {codes:?}");
        assert!(bench.sandbox.keys_of("alice").len() <= 2);
    }
}
