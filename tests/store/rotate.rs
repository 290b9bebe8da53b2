//! `rotate --store` and `store.kind`: the key goes where it is to be, then it is rotated there.

use super::*;

fn active(home: &Home) -> (String, String) {
    let key = home.station.sandbox.keys_of("alice").into_iter().find(|key| key.status == "Active").unwrap();
    (key.id, key.secret)
}

fn rotated_in_the_keychain(home: &Home) {
    assert_ne!(active(home), home.key());
    assert_eq!(home.desktop.key("default"), Some(active(home)));
    assert_eq!(home.found("default"), Some(active(home)));
    assert_eq!(home.desktop.stashed(), [home.key()]);
    for key in home.station.sandbox.keys_of("alice") {
        assert_eq!(home.files_with(&key.secret), Vec::<PathBuf>::new());
    }
}

#[test]
fn rotate_moves_the_key_first_where_the_option_says_so() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    let ran = home.run_signed(&["rotate", "--store", "keychain"]).expect(0);
    assert!(ran.stderr.contains("is in the keychain and no longer in the AWS files"), "{}", ran.stderr);
    rotated_in_the_keychain(&home);
}

#[test]
fn rotate_moves_the_key_first_where_the_settings_say_so_and_only_once() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    home.station.settings("[rotation]\nsettle = { every = \"0s\" }\n[profile.default.store]\nkind = \"keychain\"\n");
    let ran = home.run_signed(&["rotate", "--json"]).expect(0);
    assert_eq!(ran.json()["rotations"][0]["outcome"], "rotated");
    rotated_in_the_keychain(&home);
    home.station.sandbox.advance(std::time::Duration::from_secs(61));
    let ran = home.run_signed(&["rotate", "--yes"]).expect(0);
    assert!(!ran.stderr.contains("no longer in the AWS files"), "{}", ran.stderr);
    assert_eq!(home.found("default"), Some(active(&home)));
}

#[test]
fn rotate_brings_a_key_back_into_the_file() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    home.to_keychain();
    home.run_signed(&["rotate", "--store", "file"]).expect(0);
    assert_eq!(home.station.held_id(), active(&home).0);
    assert_eq!(home.config(), "[default]\n");
    home.keychain_is_empty();
}

#[test]
fn a_dry_run_says_that_it_would_move_the_key() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    let before = home.station.credentials();
    let ran = home.run(&["rotate", "--dry-run", "--store", "keychain"]).expect(0);
    let first = format!("a run would\n  - move {} into the keychain, and set credential_process\n", home.id);
    assert!(ran.stdout.contains(&first), "{}", ran.stdout);
    let ran = home.run(&["rotate", "--dry-run", "--store", "keychain", "--json"]).expect(0);
    assert!(ran.json()["dry_run"][0]["steps"][0].as_str().unwrap().starts_with("move "));
    assert_eq!((home.station.credentials(), home.config()), (before, String::new()));
    let ran = home.run(&["rotate", "--dry-run", "--store", "file"]).expect(0);
    assert!(!ran.stdout.contains("- move"), "{}", ran.stdout);
}

#[test]
fn a_key_that_is_in_the_file_already_needs_no_keychain() {
    let Some(desktop) = Desktop::without_keychain().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    home.run_signed(&["rotate", "--store", "file"]).expect(0);
    assert_eq!(home.station.held_id(), active(&home).0);
}

#[test]
fn what_the_move_refuses_stops_the_run_before_any_call() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    home.station.write_credentials(format!("[default]\n{0}[work]\n{0}", home.pair()));
    let ran = home.run_signed(&["rotate", "--store", "keychain"]).expect(3);
    assert!(ran.stderr.contains("work too"), "{}", ran.stderr);
    assert_eq!(home.station.sandbox.calls().len(), 0);
}

#[test]
fn an_unfinished_rotation_is_finished_where_it_began_and_the_next_run_moves_the_key() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    home.station.sandbox.fault("UpdateAccessKey", 1, crate::sandbox::Fault::KillBefore);
    let code = home.station.sandbox.next_totp("alice");
    let child = home.command(&["rotate", "--mfa-code", &code]).spawn().unwrap();
    home.station.sandbox.set_client(Some(child.id()));
    assert_eq!(child.wait_with_output().unwrap().status.code(), None);
    home.station.sandbox.set_client(None);
    home.station.sandbox.clear_faults();
    let ran = home.run_signed(&["rotate", "--store", "keychain"]).expect(0);
    assert!(ran.stderr.contains("moved to the keychain by the next run"), "{}", ran.stderr);
    home.keychain_is_empty();
    home.station.sandbox.advance(std::time::Duration::from_secs(61));
    home.run_signed(&["rotate", "--store", "keychain", "--yes"]).expect(0);
    assert_eq!(home.desktop.key("default"), Some(active(&home)));
}
