//! A whole rotation of a key that is in the keychain, its way back and its end; libsecret reads what we wrote.

use std::sync::{Arc, Mutex};

use super::*;
use crate::sandbox::Fault;
use desktop::{KEYS, STASH, record};

#[test]
fn a_rotation_replaces_the_entry_and_no_file_ever_holds_a_secret() {
    let Some((station, desktop)) = station() else { return };
    let (old, old_secret) = active(&station);
    let config = fs::read(station.path(".aws/config")).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (kept, home) = (Arc::clone(&seen), station.home.path().to_owned());
    station.sandbox.after_call(move |_| kept.lock().unwrap().extend(files_below(&home)));
    let ran = station.rotate(&[]).expect(0);
    let (new, new_secret) = active(&station);
    assert!(ran.stdout.contains(&format!("rotated: {old} → {new}")), "{}", ran.stdout);
    assert_eq!(desktop.lookup(KEYS, "default"), Some(record(&new, &new_secret)), "as the contract says, byte for byte");
    assert_eq!(desktop.stashed(), [(old, old_secret)]);
    assert_eq!(desktop.contents("keyrot-me probe"), Vec::<String>::new());
    assert_eq!(fs::read(station.path(".aws/config")).unwrap(), config);
    let seen = seen.lock().unwrap();
    assert!(seen.len() > 20, "{}", seen.len());
    no_file_holds(&seen, &secrets(&station));
    no_file_holds(&files_below(station.home.path()), &secrets(&station));
}

#[test]
fn a_rotation_makes_no_more_calls_than_one_of_a_file() {
    let Some((station, _desktop)) = station() else { return };
    let serial = station.sandbox.user_arn("alice").replacen(":user/", ":mfa/", 1);
    station.rotate(&["--mfa-serial", &serial]).expect(0);
    assert_eq!(station.sandbox.calls().len(), 14);
}

#[test]
fn a_rollback_puts_the_old_key_back_into_the_entry() {
    let Some((station, desktop)) = station() else { return };
    let old = active(&station);
    station.rotate(&[]).expect(0);
    let new = active(&station);
    station.with_code("rollback", &[]).expect(0);
    assert_eq!(active(&station), old);
    assert_eq!(desktop.key("default"), Some(old));
    assert_eq!(desktop.stashed(), [new]);
    no_file_holds(&files_below(station.home.path()), &secrets(&station));
}

#[test]
fn finish_deletes_the_old_key_and_its_stashed_copy() {
    let Some((station, desktop)) = station() else { return };
    station.rotate(&[]).expect(0);
    assert_eq!(desktop.contents(STASH).len(), 1);
    station.with_code("finish", &["--now"]).expect(0);
    assert_eq!(desktop.contents(STASH), Vec::<String>::new());
    assert_eq!(station.sandbox.keys_of("alice").len(), 1);
    assert_eq!(desktop.key("default"), Some(active(&station)));
}

#[test]
fn a_key_that_cannot_be_stashed_is_deleted_again() {
    let Some((station, desktop)) = station() else { return };
    station.settings("[rotation]\nsettle = { every = \"0s\" }\n[store]\nwait = \"1s\"\n");
    let old = active(&station);
    let desktop = Arc::new(desktop);
    let sleeper = Arc::clone(&desktop);
    station.sandbox.after_call(move |call| {
        if call.action == "CreateAccessKey" {
            sleeper.fall_silent();
        }
    });
    let ran = station.rotate(&[]).expect(8);
    desktop.wake_up();
    assert!(ran.stderr.contains("could not be kept and was deleted again"), "{}", ran.stderr);
    assert_eq!(active(&station), old);
    assert_eq!(station.sandbox.keys_of("alice").len(), 1);
    assert_eq!(desktop.key("default"), Some(old));
    no_file_holds(&files_below(station.home.path()), &secrets(&station));
    station.sandbox.clear_hooks();
    // Until then a list of IAM's may be too old to tell that the key is gone.
    station.sandbox.advance(std::time::Duration::from_secs(90));
    station.rotate(&[]).expect(0);
    assert_eq!(desktop.key("default"), Some(active(&station)));
}

#[test]
fn status_shows_the_key_of_the_keychain_and_tells_what_is_unfinished() {
    let Some((station, _desktop)) = station() else { return };
    let old = active(&station).0;
    let key = |station: &Workstation| station.run(&["status", "--json"]).expect(0).json()["keys"][0].clone();
    assert_eq!(key(&station)["profiles"], serde_json::json!(["default"]));
    assert_eq!(key(&station)["access_key_id"], old.as_str());
    station.sandbox.fault("UpdateAccessKey", 1, Fault::denied());
    station.rotate(&[]).expect(5);
    let json = station.run(&["status", "--json"]).expect(0).json();
    assert_eq!(json["unfinished"].as_array().unwrap().len(), 1, "{json}");
    let offline = station.run(&["status", "--offline"]).expect(0);
    no_file_holds(
        &[(PathBuf::from("the output"), (offline.stdout + &offline.stderr).into_bytes())],
        &secrets(&station),
    );
}

#[test]
fn a_dry_run_touches_no_entry() {
    let Some((station, desktop)) = station() else { return };
    let before = (desktop.contents(KEYS), desktop.contents(STASH));
    let watch = desktop.watch();
    let ran = station.run(&["rotate", "--dry-run", "--no-mfa"]).expect(0);
    assert!(ran.stdout.contains("create a new key"), "{}", ran.stdout);
    let methods = watch.methods(&desktop);
    assert!(methods.iter().any(|name| name == "SearchItems"), "{methods:?}");
    assert!(!methods.iter().any(|name| ["CreateItem", "SetSecret", "Delete", "Unlock"].contains(&name.as_str())));
    assert_eq!((desktop.contents(KEYS), desktop.contents(STASH)), before);
}
