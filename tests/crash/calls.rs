//! The program is killed before and after every one of its calls to AWS.

use crate::sandbox::Fault;

use super::SECOND;
use super::bench::{Auth, Bench, UNTIL_LISTS_ARE_FRESH};

/// A command and what lies behind it when it begins.
#[derive(Clone, Copy, Debug)]
pub enum Scene {
    /// Of the 40-day-old key.
    FirstRotation,
    /// With a retired key still in grace, which `--yes` gives up.
    NextRotation,
    Finish,
    Rollback,
    /// Of a key that was switched off, or with `true` deleted.
    DeadKey(bool),
}

impl Scene {
    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            Scene::FirstRotation | Scene::NextRotation | Scene::DeadKey(_) => &["rotate", "--yes"],
            Scene::Finish => &["finish", "--now"],
            Scene::Rollback => &["rollback"],
        }
    }

    pub fn prepare(self, auth: Auth) -> Bench {
        self.prepare_on(match self {
            Scene::DeadKey(deleted) => Bench::with_dead_key(deleted),
            _ => Bench::new(auth),
        })
    }

    pub fn prepare_on(self, bench: Bench) -> Bench {
        if !matches!(self, Scene::FirstRotation | Scene::DeadKey(_)) {
            bench.run_signed(&["rotate"]).expect(0);
            bench.time_passes(61 * SECOND);
        }
        bench.sandbox.clear_calls();
        bench
    }
}

fn sweep(scene: Scene, auth: Auth) {
    sweep_on(scene, &format!("{auth:?}"), &|| Bench::new(auth));
}

/// Kills at call after call, until a run ends unhurt.
pub fn sweep_on(scene: Scene, how: &str, bench: &dyn Fn() -> Bench) {
    let (mut points, mut runs, mut most) = (0, 0, 0);
    for fault in [Fault::KillBefore, Fault::KillAfter] {
        for n in 1.. {
            let bench = scene.prepare_on(bench());
            bench.sandbox.fault("*", n, fault.clone());
            let ran = bench.run_signed(scene.arguments());
            runs += 1;
            if ran.code.is_some() {
                ran.expect(0);
                assert_eq!(bench.sandbox.calls().len(), n - 1);
                bench.is_settled();
                break;
            }
            points += 1;
            bench.time_passes(UNTIL_LISTS_ARE_FRESH);
            let took = bench.settle();
            runs += took;
            most = most.max(took);
        }
    }
    assert!(points > 4);
    println!("{scene:?} with {how}: {points} kill points, {runs} runs, {most} to settle at most");
}

/// The next run begins at once, and waits itself for what it must wait for: IAM's clock hurries.
#[test]
fn the_next_run_may_begin_at_once() {
    for n in 1.. {
        let bench = Bench::new(Auth::Key);
        bench.sandbox.fault("*", n, Fault::KillAfter);
        if bench.run_signed(&["rotate", "--yes"]).code.is_some() {
            break;
        }
        let control = bench.sandbox.control();
        bench.sandbox.on_call(move |call| {
            if call.action == "ListAccessKeys" {
                control.advance(25 * SECOND);
            }
        });
        let ran = bench.run_signed(&["rotate", "--yes"]);
        assert_eq!(ran.code, Some(0), "killed at call {n}: {ran:?}\n{}", bench.picture());
        bench.is_settled();
    }
}

/// The run that repairs dies as well, at each of its calls.
#[test]
fn a_rotation_may_die_twice() {
    let (mut points, mut runs) = (0, 0);
    for (n, m) in (1..=9).flat_map(|n| (1..=9).map(move |m| (n, m))) {
        let bench = Bench::new(Auth::Key);
        bench.sandbox.fault("*", n, Fault::KillAfter);
        bench.run_signed(&["rotate", "--yes"]);
        bench.time_passes(UNTIL_LISTS_ARE_FRESH);
        bench.sandbox.fault("*", m, Fault::KillAfter);
        if bench.run_signed(&["rotate", "--yes"]).code.is_none() {
            points += 1;
            bench.time_passes(UNTIL_LISTS_ARE_FRESH);
            runs += 2 + bench.settle();
        }
    }
    assert!(points > 40, "{points}");
    println!("{points} pairs of kill points, {runs} runs");
}

#[test]
fn a_first_rotation_with_a_code_may_die_at_any_call() {
    sweep(Scene::FirstRotation, Auth::Mfa);
}

#[test]
fn a_first_rotation_without_a_code_may_die_at_any_call() {
    sweep(Scene::FirstRotation, Auth::Key);
}

#[test]
fn a_next_rotation_with_a_code_may_die_at_any_call() {
    sweep(Scene::NextRotation, Auth::Mfa);
}

#[test]
fn a_next_rotation_without_a_code_may_die_at_any_call() {
    sweep(Scene::NextRotation, Auth::Key);
}

#[test]
fn finish_may_die_at_any_call() {
    sweep(Scene::Finish, Auth::Mfa);
    sweep(Scene::Finish, Auth::Key);
}

#[test]
fn a_rollback_with_a_code_may_die_at_any_call() {
    sweep(Scene::Rollback, Auth::Mfa);
}

#[test]
fn a_rollback_without_a_code_may_die_at_any_call() {
    sweep(Scene::Rollback, Auth::Key);
}

#[test]
fn a_rotation_that_another_profile_signs_may_die_at_any_call() {
    sweep(Scene::FirstRotation, Auth::Login);
    sweep(Scene::Rollback, Auth::Login);
}

#[test]
fn a_rotation_of_a_key_that_is_off_may_die_at_any_call() {
    sweep(Scene::DeadKey(false), Auth::Login);
}

#[test]
fn a_rotation_of_a_key_that_is_gone_may_die_at_any_call() {
    sweep(Scene::DeadKey(true), Auth::Login);
}
