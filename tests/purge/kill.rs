//! The purge is killed, loses an answer, is throttled or told to stop, at each of its calls in turn.

use std::sync::Mutex;

use chrono::TimeDelta;
use rustix::process::{Pid, Signal, kill_process};

use super::bench::{Bench, GRACE};
use crate::sandbox::Fault;

const APPLY: &str =
    "--group Developers --max-age 5d --exempt-group Spared --exempt-tag --max-affected 100% --apply --json";
/// Much of it is waiting for another process.
const AT_ONCE: usize = 4;

/// For each call of an undisturbed run.
fn at_each_call(arguments: &str, attack: impl Fn(usize) + Sync) {
    let probe = Bench::new();
    probe.stage.sandbox.clear_calls();
    probe.run(arguments).expect(0);
    let calls = probe.stage.sandbox.calls().len();
    assert!(calls > 40, "{calls} calls attack too little");
    let queue = Mutex::new(1..=calls);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(n) = { queue.lock().unwrap().next() } {
                    attack(n);
                }
            });
        }
    });
}

#[test]
fn killed_at_any_call_the_next_runs_finish_and_no_grace_is_shortened() {
    at_each_call(APPLY, |n| {
        let (bench, when) = (Bench::new(), format!("(killed after call {n})"));
        bench.stage.sandbox.fault("*", n, Fault::KillAfter);
        let ran = bench.run(APPLY);
        assert_eq!(ran.code, None, "{when}: {}", ran.stderr);
        bench.check(GRACE, &when);
        bench.check_that_it_is_finished(APPLY, &when);
    });
}

/// The record of a key that went in the very last moment may stay: nothing asks for the tags of its user any more.
#[test]
fn killed_at_any_call_without_grace_the_next_run_finishes() {
    let arguments = format!("{APPLY} --grace 0");
    at_each_call(&arguments, |n| {
        let (bench, when) = (Bench::new(), format!("(killed after call {n})"));
        bench.stage.sandbox.fault("*", n, Fault::KillAfter);
        bench.run(&arguments);
        bench.run(&arguments).expect(0);
        bench.check(TimeDelta::zero(), &when);
        for label in ["one", "two", "again", "past", "unrecorded", "waits"] {
            assert_eq!(bench.status(label), "gone", "{label} {when}");
        }
    });
}

#[test]
fn a_lost_answer_at_any_call_is_told_as_it_is_and_got_over() {
    at_each_call(APPLY, |n| {
        let others = [Fault::ErrorAfter(500), Fault::Refuse, Fault::ErrorBefore(503), Fault::Throttle];
        for fault in [Fault::ActAndDrop, others[n % others.len()].clone()] {
            let (bench, when) = (Bench::new(), format!("({fault:?} at call {n})"));
            bench.stage.sandbox.fault("*", n, fault);
            let ran = bench.run(APPLY);
            bench.check(GRACE, &when);
            bench.check_records(&when);
            let report = bench.check_report(&ran, &when);
            assert!(report.complete, "{when}: {}", ran.stderr);
        }
    });
}

#[test]
fn asked_to_stop_at_any_call_the_report_is_whole_and_nothing_is_half_done() {
    for arguments in [APPLY.to_owned(), format!("{APPLY} --grace 0")] {
        at_each_call(&arguments, |n| {
            let (bench, when) = (Bench::new(), format!("(stopped at call {n} of {arguments})"));
            let (sandbox, mut calls) = (bench.stage.sandbox.control(), 0);
            let signal = if n % 2 == 0 { Signal::INT } else { Signal::TERM };
            bench.stage.sandbox.on_call(move |_| {
                calls += 1;
                if calls == n {
                    let client = Pid::from_raw(sandbox.client().cast_signed()).unwrap();
                    kill_process(client, signal).unwrap();
                }
            });
            let ran = bench.run(&arguments);
            bench.check(if arguments == APPLY { GRACE } else { TimeDelta::zero() }, &when);
            bench.check_records(&when);
            let report = bench.check_report(&ran, &when);
            assert!(report.complete || ran.stderr.contains("run it again"), "{when}: {}", ran.stderr);
        });
    }
}
