//! AWS at its worst: lists that lag, keys that flicker, throttling, refusals, broken answers, sessions that end.

use crate::sandbox::{Always, Fault, Service};
use crate::skip::skip;

use super::SECOND;
use super::bench::{Auth, Bench, UNTIL_LISTS_ARE_FRESH};
use super::calls::Scene;

/// Every action of a rotation that gives up a retired key.
const ACTIONS: [&str; 7] = [
    "GetCallerIdentity",
    "ListMFADevices",
    "GetSessionToken",
    "ListAccessKeys",
    "CreateAccessKey",
    "UpdateAccessKey",
    "DeleteAccessKey",
];

const SHORT_SETTLE: &str = "settle = { every = \"0s\", successes = 1, within = \"2s\" }";

#[test]
fn a_key_that_flickers_at_each_service_in_its_own_way_is_proved_by_a_streak() {
    for auth in [Auth::Mfa, Auth::Key] {
        let bench = Bench::new(auth);
        bench.settings("settle = { every = \"0s\", successes = 3 }");
        bench.sandbox.propagation_script(Service::Sts, &[false, false, true, false, true, true, false]);
        bench.sandbox.propagation_script(Service::Iam, &[false, true, false]);
        bench.run_signed(&["rotate"]).expect(0);
        bench.is_settled();
    }
}

#[test]
fn a_key_that_spreads_slowly_and_unevenly_is_waited_for() {
    let bench = Bench::new(Auth::Mfa);
    bench.sandbox.propagation(Service::Sts, 8 * SECOND);
    bench.sandbox.propagation(Service::Iam, 3 * SECOND);
    bench.run_signed(&["rotate"]).expect(0);
    bench.is_settled();
}

#[test]
fn a_key_that_is_not_accepted_in_time_is_left_for_the_next_run() {
    for service in [Service::Sts, Service::Iam] {
        let bench = Bench::new(Auth::Mfa);
        bench.settings(SHORT_SETTLE);
        bench.sandbox.propagation(service, 60 * SECOND);
        let ran = bench.run_signed(&["rotate"]).expect(5);
        assert!(ran.stderr.contains("not accepted everywhere yet"), "{}", ran.stderr);
        assert_eq!(bench.published().0, bench.old());
        bench.time_passes(61 * SECOND);
        assert_eq!(bench.settle(), 1);
        assert_eq!(bench.sandbox.count("CreateAccessKey"), 1);
    }
}

#[test]
fn lists_that_lag_only_cost_time() {
    for auth in [Auth::Mfa, Auth::Key] {
        let bench = Bench::new(auth);
        bench.sandbox.stale_lists(30 * SECOND);
        let (control, mut lists) = (bench.sandbox.control(), 0);
        bench.sandbox.on_call(move |call| {
            lists += usize::from(call.action == "ListAccessKeys");
            if call.action == "ListAccessKeys" && lists > 3 {
                control.advance(20 * SECOND);
            }
        });
        bench.run_signed(&["rotate"]).expect(0);
        bench.is_settled();
    }
}

#[test]
fn throttling_once_of_every_action_is_not_noticed() {
    for auth in [Auth::Mfa, Auth::Key] {
        let bench = Scene::NextRotation.prepare(auth);
        for action in ACTIONS {
            bench.sandbox.throttle_next(action, 1);
        }
        bench.run_signed(&["rotate", "--yes"]).expect(0);
        bench.is_settled();
    }
}

/// With one action failing throughout, the run ends in a way that has a name, and later runs put it right.
fn throughout(fault: &Fault) {
    for (action, auth) in ACTIONS.into_iter().flat_map(|action| [(action, Auth::Mfa), (action, Auth::Key)]) {
        let bench = Scene::NextRotation.prepare(auth);
        bench.settings(SHORT_SETTLE);
        bench.sandbox.fault(action, Always, fault.clone());
        let ran = bench.run_signed(&["rotate", "--yes"]);
        let begun = bench.sandbox.count("CreateAccessKey") > 0 && action != "CreateAccessKey";
        let denied = *fault == Fault::denied();
        match ran.code {
            // Not called at all when the key itself signs.
            Some(0) => assert_eq!(bench.sandbox.count(action), 0, "{action}"),
            Some(5) => assert!(begun || !denied, "{action} with {auth:?}: {ran:?}"),
            Some(6) => assert!(!begun && denied, "{action} with {auth:?}: {ran:?}"),
            Some(4) => assert_eq!((action, denied), ("ListMFADevices", true), "{ran:?}"),
            Some(1) => assert!(!begun && !denied, "{action} with {auth:?}: {ran:?}"),
            _ => panic!("{action} with {auth:?}: {ran:?}"),
        }
        assert!(ran.code == Some(0) || ran.stderr.contains(action), "{action} is not named: {}", ran.stderr);
        bench.time_passes(UNTIL_LISTS_ARE_FRESH);
        bench.settle();
    }
}

#[test]
fn an_action_that_is_throttled_throughout_loses_nothing() {
    throughout(&Fault::Throttle);
}

#[test]
fn an_action_that_is_denied_throughout_loses_nothing() {
    throughout(&Fault::denied());
}

/// One fault at each call of a rotation in turn.
fn once_at_every_call(fault: &Fault) {
    let mut runs = 0;
    for auth in [Auth::Mfa, Auth::Key] {
        for n in 1.. {
            let bench = Bench::new(auth);
            bench.settings(SHORT_SETTLE);
            bench.sandbox.fault("*", n, fault.clone());
            bench.hurry_after_create();
            let ran = bench.run_signed(&["rotate", "--yes"]);
            assert!(matches!(ran.code, Some(0 | 1 | 4 | 5 | 6)), "{fault:?} at call {n} with {auth:?}: {ran:?}");
            let calls = bench.sandbox.calls();
            if calls.len() < n {
                break;
            }
            assert!(calls.len() < 40, "{fault:?} at call {n}");
            let took = if ran.code == Some(0) { 0 } else { bench.time_passes_and_settles() };
            bench.is_settled();
            runs += 1 + took;
        }
    }
    println!("{fault:?} at every call: {runs} runs");
}

#[test]
fn a_refused_connection_at_any_call_loses_nothing() {
    once_at_every_call(&Fault::Refuse);
}

#[test]
fn a_server_error_at_any_call_loses_nothing() {
    once_at_every_call(&Fault::ErrorBefore(500));
    once_at_every_call(&Fault::ErrorAfter(503));
}

#[test]
fn a_lost_answer_at_any_call_loses_nothing() {
    once_at_every_call(&Fault::ActAndDrop);
    once_at_every_call(&Fault::CutAnswer);
}

#[test]
fn an_answer_that_is_none_at_any_call_loses_nothing() {
    once_at_every_call(&Fault::Garbage);
    once_at_every_call(&Fault::Html);
}

#[test]
fn a_denial_at_any_call_loses_nothing() {
    once_at_every_call(&Fault::denied());
}

#[test]
fn a_session_may_end_at_any_call() {
    for n in 1..=12 {
        let bench = Bench::new(Auth::Mfa);
        let control = bench.sandbox.control();
        bench.at_call(n, move || control.expire_sessions());
        let ran = bench.run_signed(&["rotate"]);
        assert!(matches!(ran.code, Some(0 | 4)), "call {n}: {ran:?}");
        bench.settle();
    }
}

#[test]
fn a_new_code_goes_on_where_the_session_ended() {
    if !std::process::Command::new("curl").arg("--version").output().is_ok_and(|done| done.status.success()) {
        return skip("needs curl: a command that prints codes");
    }
    for n in 3..=12 {
        let bench = Bench::new(Auth::Mfa);
        let control = bench.sandbox.control();
        bench.at_call(n, move || {
            control.expire_sessions();
            control.advance(31 * SECOND);
        });
        let command = format!("curl -s {}/sandbox/totp/alice", bench.sandbox.url());
        bench.run_to_end(bench.unsigned(&["rotate", "--mfa-command", &command])).expect(0);
        bench.is_settled();
    }
}

#[test]
fn a_session_that_dies_with_the_old_key_is_no_harm() {
    let bench = Bench::new(Auth::Mfa);
    bench.sandbox.sessions_die_with_their_key(true);
    bench.run_signed(&["rotate"]).expect(0);
    bench.is_settled();
    bench.time_passes(61 * SECOND);
    bench.run_signed(&["rollback"]).expect(0);
    bench.is_settled();
}

/// Once the old key is off, STS does not take the new one any more.
fn refused_after_deactivation(auth: Auth, sessions_die: bool) -> Bench {
    let bench = Bench::new(auth);
    bench.settings(SHORT_SETTLE);
    bench.sandbox.sessions_die_with_their_key(sessions_die);
    let control = bench.sandbox.control();
    bench.sandbox.after_call(move |call| {
        if call.action == "UpdateAccessKey" && call.parameters["Status"] == "Inactive" {
            let message = "The security token included in the request is invalid.".to_owned();
            let fault = Fault::Deny { code: "InvalidClientTokenId".to_owned(), message };
            control.fault("GetCallerIdentity", Always, fault);
        }
    });
    bench
}

#[test]
fn a_new_key_that_is_refused_once_the_old_one_is_off_brings_the_old_one_back() {
    for auth in [Auth::Mfa, Auth::Key] {
        let bench = refused_after_deactivation(auth, false);
        let ran = bench.run_signed(&["rotate"]).expect(5);
        assert!(ran.stderr.contains(&format!("{} is on again", bench.old())), "{}", ran.stderr);
        assert_eq!(bench.sandbox.key(bench.old()).unwrap().status, "Active");
        assert_eq!(bench.settle(), 1);
        assert_eq!(bench.sandbox.count("CreateAccessKey"), 1);
    }
}

#[test]
fn and_where_the_session_died_with_it_the_next_run_goes_on() {
    let bench = refused_after_deactivation(Auth::Mfa, true);
    bench.run_signed(&["rotate"]).expect(5);
    assert_eq!(bench.settle(), 1);
}
