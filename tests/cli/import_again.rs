//! `import` after an import, or in the middle of a rotation: what was done is not done twice.

use super::import::{after_the_purge, csv, made_in_console};
use super::*;
use crate::sandbox::Fault;

/// A rotation that stopped after its new key was stored and before the old one went off.
fn stopped_before_deactivation(station: &Workstation) {
    station.sandbox.fault("UpdateAccessKey", crate::sandbox::Always, Fault::denied());
    station.run(&["rotate", "--no-mfa"]).expect(5);
    station.sandbox.clear_faults();
}

#[test]
fn what_came_in_and_was_rotated_is_not_brought_in_again() {
    let (station, id, _, file) = after_the_purge();
    station.with_code("import", &[&file]).expect(0);
    let before = Scene::of(&station);
    station.sandbox.clear_calls();
    let ran = station.run(&["import", "--erase", &file]).expect(0);
    assert!(ran.stdout.contains(&format!("nothing to do: {id} came in before")), "{}", ran.stdout);
    assert_eq!((actions(&station), Path::new(&file).exists()), (vec!["GetCallerIdentity".to_owned()], false));
    assert_eq!(Scene { writes: 0, ..before }, Scene::of(&station));
}

#[test]
fn what_is_stored_already_is_only_rotated() {
    let (station, id, _, file) = after_the_purge();
    station.run(&["import", "--no-rotate", &file]).expect(0);
    let ran = station.with_code("import", &[&file]).expect(0);
    assert!(ran.stdout.contains(&format!("rotated: {id} → ")), "{}", ran.stdout);
}

#[test]
fn an_unfinished_rotation_of_the_imported_key_is_gone_on_with() {
    let (station, id, _, file) = after_the_purge();
    station.run(&["import", "--no-rotate", &file]).expect(0);
    stopped_before_deactivation(&station);
    let ran = station.run(&["import", "--no-mfa", &file]).expect(0);
    assert!(ran.stdout.contains("going on with that") && ran.stdout.contains("rotated: "), "{}", ran.stdout);
    assert_eq!(station.sandbox.key(&id).unwrap().status, "Inactive");
}

#[test]
fn a_key_that_is_being_rotated_for_one_profile_is_not_stored_in_another() {
    let (station, id, _, file) = after_the_purge();
    station.run(&["import", "--no-rotate", &file]).expect(0);
    stopped_before_deactivation(&station);
    let words = [&id, "is being rotated already, and not for this profile", "rotate --all"];
    refused(&station, || station.run(&["import", "--profile", "work", &file]), 5, &words);
    let ran = station.run(&["import", "--no-rotate", &file]).expect(0);
    assert!(ran.stdout.contains("`keyrot-me rotate` goes on with that"), "{}", ran.stdout);
}

#[test]
fn while_a_key_of_an_unfinished_rotation_works_no_other_is_needed() {
    let station = station();
    let old = station.held_id();
    stopped_before_deactivation(&station);
    station.sandbox.delete_key(&old);
    let (id, secret) = made_in_console(&station, "alice");
    let file = csv(&station, &id, &secret);
    let words = ["is unfinished", "still works: no other key is needed", "`keyrot-me rotate` finishes it"];
    refused(&station, || station.run(&["import", "--yes", &file]), 5, &words);
    station.run(&["rotate", "--no-mfa"]).expect(0);
}

/// The purge took both keys of an interrupted rotation: without its end in the journal no later run could begin.
#[test]
fn a_rotation_whose_keys_are_both_dead_is_closed() {
    // Before the new key is proved, and after it is stored.
    for denied in ["GetCallerIdentity", "UpdateAccessKey"] {
        let station = station();
        let old = station.held_id();
        station.settings("[rotation]\nsettle = { every = \"0s\", successes = 1, within = \"1s\" }\n");
        // The first proof of who signs is not the one that is meant.
        let from = if denied == "GetCallerIdentity" { 2..=9 } else { 1..=9 };
        from.for_each(|n| station.sandbox.fault(denied, n, Fault::denied()));
        station.run(&["rotate", "--no-mfa"]).expect(5);
        station.sandbox.clear_faults();
        let keys = station.sandbox.keys_of("alice");
        assert_eq!(keys.len(), 2);
        for key in keys {
            station.sandbox.delete_key(&key.id);
        }
        let (id, secret) = made_in_console(&station, "alice");
        let file = csv(&station, &id, &secret);
        let ran = station.with_code("import", &[&file]).expect(0);
        assert!(ran.stdout.contains(&format!("rotated: {id} → ")), "{ran:?}");
        assert!(station.stash().iter().all(|path| !path.to_string_lossy().contains(&old)), "{:?}", station.stash());
        station.run(&["status", "--check"]).expect(0);
    }
}

#[test]
fn another_run_at_work_is_waited_for_by_hand() {
    let (station, _, _, file) = after_the_purge();
    std::fs::create_dir_all(station.state()).unwrap();
    let path = station.state().join("lock");
    std::fs::write(&path, "4711\n").unwrap();
    let lock = std::fs::File::options().read(true).write(true).open(&path).unwrap();
    lock.lock().unwrap();
    refused_before_any_call(&station, || station.run(&["import", &file]), 7, &["another run of keyrot-me is at work"]);
    drop(lock);
    station.with_code("import", &[&file]).expect(0);
}
