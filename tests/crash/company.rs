//! The program in company on its own machine: a second run, other tools that write the AWS files, and signals.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use rustix::process::{Pid, Signal, kill_process};

use crate::skip::skip;
use crate::workstation::Ran;

use super::SECOND;
use super::bench::{Auth, Bench, UNTIL_LISTS_ARE_FRESH, under};
use super::system_calls::can_trace;

#[test]
fn of_two_runs_one_works_and_the_other_names_it_and_ends() {
    let seen = Arc::new(AtomicUsize::new(0));
    let bench = Bench::new(Auth::Key);
    let others = ["rotate", "finish", "rollback"].map(|command| bench.unsigned(&[command, "--no-mfa"]));
    let (mut others, counted, holder) = (others, Arc::clone(&seen), Arc::new(AtomicU32::new(0)));
    let pid = Arc::clone(&holder);
    bench.sandbox.on_call(move |call| {
        // The calls of the others would come here too, and wait for ever.
        assert!(!call.action.is_empty());
        for other in &mut others {
            let done = other.output().unwrap();
            let said = String::from_utf8(done.stderr).unwrap();
            assert_eq!(done.status.code(), Some(7), "{said}");
            while pid.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            assert!(said.contains(&format!("process {}", pid.load(Ordering::SeqCst))), "{said}");
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let child = bench.spawn(bench.signed(&["rotate"]));
    holder.store(child.id(), Ordering::SeqCst);
    bench.wait_for(child).expect(0);
    bench.is_settled();
    assert_eq!(seen.load(Ordering::SeqCst), 3 * bench.sandbox.calls().len());
}

/// At every call in turn another tool edits the credentials file, in place and cutting it first, as `aws configure`
/// does; the edit and the rotation both last.
fn edited_meanwhile(edit: fn(&str) -> String) {
    for n in 1.. {
        let bench = Bench::new(Auth::Key);
        let (path, original, done) =
            (bench.credentials_path(), bench.original.clone(), Arc::new(AtomicBool::new(false)));
        let edited = Arc::clone(&done);
        bench.at_call(n, move || {
            let mut original = original.lock().unwrap();
            original.text = edit(&original.text);
            fs::write(&path, edit(&fs::read_to_string(&path).unwrap())).unwrap();
            edited.store(true, Ordering::SeqCst);
        });
        bench.run_signed(&["rotate"]).expect(0);
        bench.is_settled();
        if !done.load(Ordering::SeqCst) {
            assert!(n > 5);
            break;
        }
    }
}

#[test]
fn a_profile_that_another_tool_adds_meanwhile_is_kept() {
    edited_meanwhile(|text| format!("[added]\naws_session_token = x\n\n{text}"));
}

#[test]
fn a_setting_that_another_tool_adds_to_our_profile_is_kept() {
    edited_meanwhile(|text| text.replace("[default]\n", "[default]\nregion = eu-central-1\n"));
}

/// Another tool edits the file whenever a temporary one of ours lies beside it: between our reading and our
/// renaming, which strace draws out. Says what the run came to.
fn edited_under_our_hands(edit: fn(&str) -> String) -> Option<(Bench, Ran)> {
    if !can_trace() {
        skip("needs strace and ptrace: an edit between reading and renaming");
        return None;
    }
    let bench = Bench::new(Auth::Key);
    let slow = ["strace", "-qq", "-o", "/dev/null", "--inject=fsync:delay_enter=150000"].map(str::to_owned);
    let child = bench.spawn(under(&slow, &bench.signed(&["rotate", "--yes"])));
    let (path, original, ended) = (bench.credentials_path(), bench.original.clone(), Arc::new(AtomicBool::new(false)));
    let stop = Arc::clone(&ended);
    let editor = std::thread::spawn(move || {
        let mut seen = BTreeSet::new();
        while !stop.load(Ordering::SeqCst) {
            for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
                let name = entry.unwrap().file_name();
                if name.to_string_lossy().starts_with(".keyrot-me-") && seen.insert(name) {
                    let mut original = original.lock().unwrap();
                    original.text = edit(&original.text);
                    fs::write(&path, edit(&fs::read_to_string(&path).unwrap())).unwrap();
                }
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        seen.len()
    });
    let ran = bench.ended(child);
    ended.store(true, Ordering::SeqCst);
    assert!(editor.join().unwrap() > 0);
    Some((bench, ran))
}

#[test]
fn an_edit_between_our_reading_and_our_renaming_is_kept() {
    let edit = |text: &str| if text.matches("# e\n").count() < 4 { format!("{text}# e\n") } else { text.to_owned() };
    let Some((bench, ran)) = edited_under_our_hands(edit) else { return };
    ran.expect(0);
    bench.file_is_whole();
    bench.is_settled();
}

#[test]
fn another_key_in_our_profile_is_not_overwritten() {
    for n in 1.. {
        let bench = Bench::new(Auth::Key);
        let (path, done) = (bench.credentials_path(), Arc::new(AtomicBool::new(false)));
        let edited = Arc::clone(&done);
        // Another key of alice's, put there by hand.
        let foreign = ("AKIAPUTTHEREBYHAND00", "another/secret");
        bench.at_call(n, move || {
            let text = fs::read_to_string(&path).unwrap();
            let (id, secret) = super::bench::published(&text);
            fs::write(&path, text.replace(&id, foreign.0).replace(&secret, foreign.1)).unwrap();
            edited.store(true, Ordering::SeqCst);
        });
        let before = bench.credentials();
        let ran = bench.ended(bench.spawn(bench.signed(&["rotate", "--yes"])));
        if !done.load(Ordering::SeqCst) {
            ran.expect(0);
            break;
        }
        assert_eq!(bench.published(), (foreign.0.to_owned(), foreign.1.to_owned()), "call {n}: overwritten");
        assert_ne!(ran.code, Some(1), "call {n}: {ran:?}");
        // Put back what was there, whatever the run had made of it, and go on.
        fs::write(bench.credentials_path(), before).unwrap();
        if bench.sandbox.key(bench.old()).is_some_and(|key| key.status == "Active") {
            bench.time_passes(UNTIL_LISTS_ARE_FRESH);
            bench.settle();
        }
    }
}

/// The signal comes while AWS is answering call n.
fn stopped_by(signal: Signal) {
    let mut stopped = 0;
    for (auth, n) in (1..=16).flat_map(|n| [(Auth::Mfa, n), (Auth::Key, n)]) {
        let bench = Bench::new(auth);
        let pid = Arc::new(AtomicU32::new(0));
        let client = Arc::clone(&pid);
        bench.at_call(n, move || {
            while client.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            let pid = i32::try_from(client.load(Ordering::SeqCst)).unwrap();
            kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
        });
        let child = bench.spawn(bench.signed(&["rotate"]));
        pid.store(child.id(), Ordering::SeqCst);
        let ran = bench.wait_for(child);
        let calls = bench.sandbox.calls();
        if calls.len() < n {
            ran.expect(0);
            continue;
        }
        if ran.code == Some(0) {
            assert_eq!(calls.len(), n, "only the last step may be finished to its end: {ran:?}");
        } else {
            stopped += 1;
            let ran = ran.expect(5);
            assert!(ran.stderr.contains("signal"), "{}", ran.stderr);
        }
        // Never between create and stage: whatever was made is stored here.
        for key in bench.sandbox.keys_of("alice") {
            assert!(
                bench.stored().contains(&(key.id.clone(), key.secret)),
                "{} is stored: {}",
                key.id,
                bench.picture()
            );
        }
        bench.time_passes(SECOND);
        assert_eq!(bench.settle(), 1);
        assert!(bench.sandbox.count("CreateAccessKey") <= 2);
    }
    assert!(stopped > 12, "{stopped}");
    println!("{signal:?}: {stopped} runs stopped and resumed");
}

#[test]
fn an_interrupt_at_any_call_stops_after_the_step_and_is_resumed() {
    stopped_by(Signal::INT);
}

#[test]
fn a_termination_at_any_call_stops_after_the_step_and_is_resumed() {
    stopped_by(Signal::TERM);
}
