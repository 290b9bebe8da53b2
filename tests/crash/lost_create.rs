//! `CreateAccessKey` goes wrong: the one call that is not idempotent, and whose lost answer is a lost secret.

use chrono::TimeDelta;

use crate::sandbox::{Always, Fault, LOOKUP_EVENTS};

use super::SECOND;
use super::bench::{Auth, Bench, UNTIL_LISTS_ARE_FRESH};

/// It happened, and nobody here knows the secret.
fn lost() -> [Fault; 5] {
    [Fault::ActAndDrop, Fault::CutAnswer, Fault::Garbage, Fault::ErrorAfter(500), Fault::ErrorAfter(503)]
}

fn with_trail(auth: Auth) -> Bench {
    let bench = Bench::new(auth);
    bench.sandbox.add_policy("alice", LOOKUP_EVENTS);
    bench.sandbox.trail_delay(std::time::Duration::ZERO);
    bench
}

/// The keys that alice has besides the old one.
fn others(bench: &Bench) -> Vec<String> {
    let keys = bench.sandbox.keys_of("alice").into_iter().map(|key| key.id);
    keys.filter(|id| id != bench.old()).collect()
}

#[test]
fn a_lost_key_that_cloudtrail_attributes_is_deleted_and_the_same_run_goes_on() {
    for (fault, auth) in lost().into_iter().flat_map(|fault| [(fault.clone(), Auth::Mfa), (fault, Auth::Key)]) {
        let bench = with_trail(auth);
        bench.sandbox.fault("CreateAccessKey", 1, fault.clone());
        bench.run_signed(&["rotate"]).expect(0);
        bench.is_settled();
        assert_eq!(bench.sandbox.count("CreateAccessKey"), 2, "{fault:?}");
        assert_eq!(bench.sandbox.count("DeleteAccessKey"), 1, "{fault:?}");
        assert_eq!(bench.sandbox.keys_of("alice").len(), 2, "{fault:?}: the lost key is gone");
    }
}

#[test]
fn without_cloudtrail_a_yes_deletes_the_lost_key_once_the_list_can_be_trusted() {
    for fault in lost() {
        let bench = Bench::new(Auth::Mfa);
        bench.sandbox.fault("CreateAccessKey", 1, fault.clone());
        bench.hurry_after_create();
        bench.run_signed(&["rotate", "--yes"]).expect(0);
        bench.is_settled();
        let calls = bench.sandbox.calls();
        let created = calls.iter().position(|call| call.action == "CreateAccessKey").unwrap();
        let off = calls.iter().position(|call| call.action == "UpdateAccessKey").unwrap();
        let gone = calls.iter().position(|call| call.action == "DeleteAccessKey").unwrap();
        assert!(created < off && off < gone, "{fault:?}: switched off before it is deleted");
        assert_eq!(calls[off].parameters["AccessKeyId"], calls[gone].parameters["AccessKeyId"]);
        assert!(calls[off].at - calls[created].at >= TimeDelta::seconds(60), "{fault:?}");
    }
}

#[test]
fn a_lost_key_stays_as_it_is_while_the_list_may_be_stale() {
    let bench = Bench::new(Auth::Mfa);
    bench.sandbox.fault("CreateAccessKey", 1, Fault::ActAndDrop);
    let (send, receive) = std::sync::mpsc::channel::<u32>();
    // The first list is before the create, the second finds the lost key, the third comes after what was found out
    // about it, and before the fourth there was a wait.
    let mut lists = 0;
    bench.sandbox.on_call(move |call| {
        lists += usize::from(call.action == "ListAccessKeys");
        if lists == 4 {
            terminate(receive.recv().unwrap());
            lists += 1;
        }
    });
    let child = bench.spawn(bench.signed(&["rotate", "--yes"]));
    send.send(child.id()).unwrap();
    let ran = bench.wait_for(child).expect(5);
    assert!(ran.stderr.contains("waiting"), "{}", ran.stderr);
    assert_eq!(bench.active().len(), 2, "the lost key is untouched: {}", bench.picture());
    bench.time_passes(UNTIL_LISTS_ARE_FRESH);
    bench.settle();
}

fn terminate(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
}

#[test]
fn a_lost_key_that_the_list_does_not_show_yet_is_waited_for() {
    let bench = with_trail(Auth::Key);
    bench.sandbox.stale_lists(30 * SECOND);
    bench.sandbox.fault("CreateAccessKey", 1, Fault::ActAndDrop);
    let (control, mut created) = (bench.sandbox.control(), false);
    bench.sandbox.on_call(move |call| {
        created |= call.action == "CreateAccessKey";
        if created && call.action == "ListAccessKeys" {
            control.advance(13 * SECOND);
        }
    });
    bench.run_signed(&["rotate"]).expect(0);
    bench.is_settled();
    assert_eq!(bench.sandbox.count("CreateAccessKey"), 2);
    assert_eq!(bench.sandbox.keys_of("alice").len(), 2, "the lost key is gone");
}

#[test]
fn nobody_there_to_decide_blocks_and_names_the_lost_key() {
    for fault in lost() {
        let bench = Bench::new(Auth::Mfa);
        bench.sandbox.fault("CreateAccessKey", 1, fault);
        bench.hurry_after_create();
        let ran = bench.run_signed(&["rotate"]).expect(3);
        let lost = others(&bench).remove(0);
        assert!(ran.stderr.contains(&lost), "{}", ran.stderr);
        assert_eq!(bench.active().len(), 2, "nothing was touched");
        bench.settle();
        assert!(!others(&bench).contains(&lost), "--yes had it deleted");
    }
}

#[test]
fn a_create_that_failed_before_it_acted_is_made_again_once_that_is_certain() {
    let faults = [Fault::ErrorBefore(500), Fault::ErrorBefore(503), Fault::Refuse, Fault::Html];
    for (fault, auth) in faults.into_iter().zip([Auth::Mfa, Auth::Key].into_iter().cycle()) {
        let bench = Bench::new(auth);
        bench.sandbox.fault("CreateAccessKey", 1, fault);
        bench.hurry_after_create();
        bench.run_signed(&["rotate"]).expect(0);
        bench.is_settled();
        assert_eq!(bench.sandbox.count("DeleteAccessKey"), 0);
        let calls = bench.sandbox.calls();
        let creates: Vec<_> = calls.iter().filter(|call| call.action == "CreateAccessKey").collect();
        assert!(creates[1].at - creates[0].at >= TimeDelta::seconds(60));
    }
}

#[test]
fn what_loses_every_create_ends_the_run_at_the_second_one() {
    let bench = Bench::new(Auth::Mfa);
    bench.sandbox.fault("CreateAccessKey", Always, Fault::Html);
    bench.hurry_after_create();
    let ran = bench.run_signed(&["rotate", "--yes"]).expect(5);
    assert!(ran.stderr.contains("lost once more") && ran.stderr.contains("login page"), "{}", ran.stderr);
    assert_eq!(bench.sandbox.count("CreateAccessKey"), 2);
    assert!(others(&bench).is_empty());
    bench.sandbox.clear_faults();
    bench.time_passes(UNTIL_LISTS_ARE_FRESH);
    bench.settle();
}

#[test]
fn a_create_that_hangs_counts_as_lost_after_its_time_out() {
    let bench = with_trail(Auth::Mfa);
    bench.sandbox.fault("CreateAccessKey", 1, Fault::ActAndHang);
    bench.run_signed(&["rotate"]).expect(0);
    bench.is_settled();
    assert_eq!(bench.sandbox.count("CreateAccessKey"), 2);
}

#[test]
fn a_create_that_is_throttled_four_times_is_made_at_the_fifth() {
    for times in [1, 4] {
        let bench = Bench::new(Auth::Mfa);
        bench.sandbox.throttle_next("CreateAccessKey", times);
        bench.run_signed(&["rotate"]).expect(0);
        bench.is_settled();
        assert_eq!(bench.sandbox.count("CreateAccessKey"), times + 1);
        assert_eq!(bench.sandbox.count("GetSessionToken"), 1, "one code");
    }
}

#[test]
fn a_create_that_is_throttled_throughout_leaves_everything_as_it_was() {
    let bench = Bench::new(Auth::Key);
    bench.sandbox.fault("CreateAccessKey", Always, Fault::Throttle);
    let ran = bench.run_signed(&["rotate"]);
    assert!(matches!(ran.code, Some(1 | 5)), "{ran:?}");
    assert!(ran.stderr.contains("hrottl") && ran.stderr.contains("run again"), "{}", ran.stderr);
    assert_eq!(bench.sandbox.count("CreateAccessKey"), 5);
    assert!(others(&bench).is_empty());
    assert_eq!(bench.settle(), 1);
}

#[test]
fn a_quota_that_another_machine_filled_meanwhile_blocks_and_names_its_key() {
    let bench = Bench::new(Auth::Mfa);
    let (control, mut seeded) = (bench.sandbox.control(), false);
    bench.sandbox.on_call(move |call| {
        if call.action == "CreateAccessKey" && !std::mem::replace(&mut seeded, true) {
            control.seed_key("alice", control.now(), "Active");
        }
    });
    let ran = bench.run_signed(&["rotate", "--yes"]).expect(3);
    let foreign = others(&bench).remove(0);
    assert!(ran.stderr.contains(&foreign), "{}", ran.stderr);
    assert_eq!(bench.active().len(), 2, "not touched");
    assert_eq!(bench.sandbox.count("CreateAccessKey"), 1);
}

#[test]
fn a_key_that_another_machine_made_meanwhile_and_uses_is_not_touched() {
    for fault in [Fault::ErrorBefore(500), Fault::Refuse] {
        let bench = Bench::new(Auth::Mfa);
        bench.sandbox.fault("CreateAccessKey", 1, fault);
        let (control, mut seeded) = (bench.sandbox.control(), false);
        bench.sandbox.on_call(move |call| {
            if call.action == "CreateAccessKey" && !std::mem::replace(&mut seeded, true) {
                let (id, _) = control.seed_key("alice", control.now(), "Active");
                control.set_last_used(&id, control.now(), "s3", "eu-central-1");
            }
        });
        bench.hurry_after_create();
        let ran = bench.run_signed(&["rotate", "--yes"]).expect(3);
        let foreign = others(&bench).remove(0);
        assert!(ran.stderr.contains(&foreign) && ran.stderr.contains("s3"), "{}", ran.stderr);
        assert_eq!(bench.active().len(), 2, "not touched");
        assert_eq!(bench.sandbox.count("UpdateAccessKey") + bench.sandbox.count("DeleteAccessKey"), 0);
        bench.sandbox.clear_hooks();
        bench.time_passes(SECOND);
        // Once its owner has given it up, the rotation is as any other.
        bench.sandbox.delete_key(&foreign);
        bench.settle();
    }
}
