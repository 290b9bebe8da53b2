//! Crashes while the key is in the keychain: the program is killed around every call to AWS, around every message
//! that changes an entry, and on entry to every system call that changes a file. What must hold then is what must hold of
//! a file, and that no secret is in one.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use crate::keychain::desktop::Desktop;
use crate::sandbox::Fault;
use crate::skip::skip;
use crate::workstation::Ran;

use super::bench::{Auth, Bench, UNTIL_LISTS_ARE_FRESH};
use super::calls::{Scene, sweep_on};
use super::system_calls::{Sweep, can_trace, traced};

const SCENES: [(Scene, Auth); 4] = [
    (Scene::FirstRotation, Auth::Mfa),
    (Scene::NextRotation, Auth::Key),
    (Scene::Finish, Auth::Key),
    (Scene::Rollback, Auth::Mfa),
];

fn how(auth: Auth) -> String {
    format!("{auth:?}, in the keychain")
}

#[test]
fn a_command_may_die_at_any_call() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    for (scene, auth) in SCENES {
        sweep_on(scene, &how(auth), &|| Bench::in_keychain(auth, &desktop));
    }
}

#[test]
fn a_command_may_die_at_any_system_call_that_changes_a_file() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    // The others change the files as they do with the key in a file.
    let all = std::env::var_os("KEYROT_FULL_SWEEP").is_some();
    for (scene, auth) in SCENES {
        if !all && !matches!(scene, Scene::FirstRotation | Scene::Rollback) {
            continue;
        }
        let bench = || Bench::in_keychain(auth, &desktop);
        Sweep { scene, how: &how(auth), bench: &bench, also: &[] }.run(|_| true);
    }
}

/// The messages that change an entry.
const CHANGING: [&str; 3] = ["CreateItem", "SetSecret", "Delete"];

/// Which of the messages that the program sends to the bus are worth dying at: those that change an entry, which are not
/// sent then, and those that come next, by when the change was made.
fn kill_points(trace: &str) -> Vec<usize> {
    let mut counts = BTreeMap::<&str, usize>::new();
    let mut points = Vec::new();
    let every = std::env::var_os("KEYROT_FULL_SWEEP").is_some();
    for line in trace.lines().filter(|line| line.contains(" sendmsg(")) {
        let sender = line.split_whitespace().next().unwrap();
        let n = counts.entry(sender).or_default();
        *n += 1;
        if CHANGING.iter().any(|name| line.contains(name)) {
            points.extend([*n, *n + 1]);
        } else if every {
            points.push(*n);
        }
    }
    // strace counts for each thread: a second one that sends would be killed in the first one's place.
    assert_eq!(counts.len(), 1, "{counts:?}");
    points.sort_unstable();
    points.dedup();
    points
}

/// Kills the scene's command around each message that changes an entry.
fn sweep_bus(scene: Scene, how: &str, make: &dyn Fn() -> Bench, check: &dyn Fn(&Bench)) {
    let options = |more: &[&str]| more.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let all = {
        let bench = scene.prepare_on(make());
        let trace = bench.path("trace");
        let seen = options(&["-f", "-s", "4096", "--trace=sendmsg", "-o", trace.to_str().unwrap()]);
        bench.run_to_end(traced(&bench.signed(scene.arguments()), &seen)).expect(0);
        kill_points(&fs::read_to_string(&trace).unwrap())
    };
    // Writing and deleting the probe is what the least of them do.
    assert!(all.len() > 4, "{all:?}");
    let (mut points, mut runs, mut most) = (0, 0, 0);
    for n in &all {
        let bench = scene.prepare_on(make());
        let inject = format!("--inject=sendmsg:signal=KILL:when={n}");
        let kill = options(&["-f", "-o", "/dev/null", "--trace=sendmsg", &inject]);
        let ran = bench.wait_for(bench.spawn(traced(&bench.signed(scene.arguments()), &kill)));
        runs += 1;
        if ran.code.is_none() {
            points += 1;
            bench.time_passes(UNTIL_LISTS_ARE_FRESH);
            let took = bench.settle();
            runs += took;
            most = most.max(took);
        }
        bench.is_settled();
        check(&bench);
    }
    assert!(points + 1 >= all.len(), "only {points} of {} points were reached", all.len());
    println!("{scene:?} with {how}: {points} kill points on the bus, {runs} runs, {most} to settle at most");
}

#[test]
fn a_command_may_die_at_any_message_to_the_keychain() {
    if !can_trace() {
        return skip("needs strace and ptrace: the sweep over messages to the keychain");
    }
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    for (scene, auth) in SCENES {
        sweep_bus(scene, &how(auth), &|| Bench::in_keychain(auth, &desktop), &|_| {});
    }
}

/// Profile `work` has the key in the file, `default` and `third` have it in the keychain.
fn everywhere(auth: Auth, desktop: &Arc<Desktop>) -> Bench {
    let bench = Bench::in_keychain(auth, desktop);
    let (id, secret) = bench.published();
    desktop.store_key("third", &id, &secret);
    let lines = [bench.process_line("default"), bench.process_line("third")];
    let config = format!("[default]\n{}\n[profile third]\n{}\n", lines[0], lines[1]);
    fs::write(bench.path(".aws/config"), config).unwrap();
    bench.write_credentials(format!("[work]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"));
    bench.original.lock().unwrap().text = bench.credentials();
    bench
}

#[test]
fn a_key_in_three_places_is_one_key_again_whatever_message_the_program_dies_at() {
    if !can_trace() {
        return skip("needs strace and ptrace: the sweep over messages to the keychain");
    }
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let check = |bench: &Bench| {
        let key = bench.published();
        assert_eq!(desktop.key("third"), Some(key.clone()), "{}", bench.picture());
        assert_eq!(super::bench::published(&bench.credentials()), key, "{}", bench.picture());
    };
    sweep_bus(Scene::FirstRotation, "three places", &|| everywhere(Auth::Mfa, &desktop), &check);
}

#[test]
fn between_publish_and_deactivate_credential_process_answers_with_the_new_key() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    for in_keychain in [true, false] {
        let bench = if in_keychain { Bench::in_keychain(Auth::Mfa, &desktop) } else { Bench::new(Auth::Mfa) };
        bench.sandbox.fault("UpdateAccessKey", 1, Fault::KillBefore);
        assert_eq!(bench.run_signed(&["rotate"]).code, None);
        let keys = bench.active();
        assert_eq!(keys.len(), 2, "the old key is still on");
        let new = keys.iter().find(|key| key.id != bench.old()).unwrap();
        let ran =
            Ran::from(bench.unsigned(&["credential-process", "--profile", "default"]).output().unwrap()).expect(0);
        assert_eq!(ran.json()["AccessKeyId"], new.id.as_str());
        assert_eq!(ran.json()["SecretAccessKey"], new.secret.as_str());
        bench.time_passes(UNTIL_LISTS_ARE_FRESH);
        bench.settle();
    }
}

/// The program lives on and finds that out; so does the key.
#[test]
fn the_keychains_own_daemon_may_die_at_any_call() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let mut ends = BTreeMap::new();
    for n in 1.. {
        let bench = Bench::in_keychain(Auth::Mfa, &desktop);
        let killer = Arc::clone(&desktop);
        bench.at_call(n, move || killer.kill_keyring());
        let child = bench.spawn(bench.signed(&["rotate", "--yes"]));
        let ran = Ran::from(child.wait_with_output().unwrap());
        bench.sandbox.clear_hooks();
        if bench.sandbox.calls().len() < n {
            break;
        }
        desktop.restart_keyring();
        *ends.entry(ran.code).or_insert(0) += 1;
        assert!(matches!(ran.code, Some(0 | 5 | 8)), "call {n}: {ran:?}");
        bench.some_stored_key_is_active();
        bench.no_secret_left_the_keychain();
        bench.time_passes(UNTIL_LISTS_ARE_FRESH);
        bench.settle();
    }
    assert!(ends.get(&Some(8)).is_some_and(|count| *count > 5), "{ends:?}");
    println!("the daemon killed at every call: exit codes {ends:?}");
}
