//! The purge is killed, loses an answer, is throttled or told to stop, at each of its calls in turn.

use std::sync::Mutex;
use std::time::Duration;

use chrono::TimeDelta;
use rustix::process::{Pid, Signal, kill_process};

use super::bench::{Bench, GRACE};
use crate::sandbox::Fault;
use crate::workstation::Ran;

const APPLY: &str =
    "--group Developers --max-age 5d --exempt-group Spared --exempt-tag --max-affected 100% --apply --json";
/// Much of it is waiting for another process.
const AT_ONCE: usize = 4;

/// For each call of an undisturbed run.
fn at_each_call(arguments: &str, attack: impl Fn(usize) + Sync) {
    at_each_call_with("", arguments, attack);
}

fn at_each_call_with(more: &str, arguments: &str, attack: impl Fn(usize) + Sync) {
    let probe = Bench::with(more);
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

const ROLE: &str = r#"
[[account]]
name = "home"
role = "keyrot-me-purge"
"#;

#[test]
fn a_session_that_ends_at_any_call_leaves_a_true_report_and_the_next_run_finishes() {
    let arguments = format!("{APPLY} --role keyrot-me-purge");
    at_each_call_with(ROLE, &arguments, |n| {
        let (bench, when) = (Bench::with(ROLE), format!("(session over at call {n})"));
        let (sandbox, mut calls) = (bench.stage.sandbox.control(), 0);
        bench.stage.sandbox.on_call(move |_| {
            calls += 1;
            if calls == n {
                sandbox.expire_sessions();
            }
        });
        let ran = bench.run(&arguments);
        bench.check(GRACE, &when);
        bench.check_report(&ran, &when);
        bench.check_that_it_is_finished(&arguments, &when);
    });
}

/// Every seventh call alone: the time that runs out is real.
#[test]
fn out_of_time_in_the_middle_the_report_is_whole_and_the_next_run_finishes() {
    let arguments = format!("{APPLY} --time-limit 2s");
    at_each_call(APPLY, |n| {
        if n % 7 != 0 {
            return;
        }
        let (bench, when) = (Bench::new(), format!("(out of time at call {n})"));
        bench.stage.sandbox.fault("*", n, Fault::Delay(Duration::from_millis(2_500)));
        let ran = bench.run(&arguments);
        bench.check(GRACE, &when);
        bench.check_records(&when);
        bench.check_report(&ran, &when);
        bench.check_that_it_is_finished(APPLY, &when);
    });
}

#[test]
fn three_purges_at_once_do_no_harm_and_lists_may_be_stale() {
    for (stale, grace) in [(0, GRACE), (8, GRACE), (0, TimeDelta::zero()), (8, TimeDelta::zero())] {
        let (bench, when) = (Bench::new(), format!("(lists {stale} s old, grace {grace})"));
        bench.stage.sandbox.stale_lists(Duration::from_secs(stale));
        let arguments = if grace.is_zero() { format!("{APPLY} --grace 0") } else { APPLY.to_owned() };
        let running: Vec<_> = (0..3).map(|_| bench.start(&arguments)).collect();
        for child in running {
            let ran = Ran::from(child.wait_with_output().unwrap());
            assert!([Some(0), Some(20)].contains(&ran.code), "{when}: {}", ran.stderr);
        }
        bench.check(grace, &when);
        if grace.is_zero() {
            bench.stage.sandbox.stale_lists(Duration::ZERO);
            bench.run(&arguments).expect(0);
            assert_eq!(bench.status("one"), "gone", "{when}");
        } else {
            bench.check_records(&when);
            bench.stage.sandbox.stale_lists(Duration::ZERO);
            bench.check_that_it_is_finished(&arguments, &when);
        }
    }
}
