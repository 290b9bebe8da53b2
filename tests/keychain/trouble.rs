//! A keychain that is locked, silent or not there: the wait is bounded, the words are clear, nothing is made at IAM and
//! nothing secret reaches a plain file.

use super::*;
use crate::workstation::Ran;

const IMPATIENT: &str = "[rotation]\nsettle = { every = \"0s\" }\n[store]\nwait = \"1s\"\n";

/// `rotate`, `status` and `credential-process` all end with 8, these words and a remedy; nothing is touched.
#[track_caller]
fn refused(station: &Workstation, words: &str, remedy: &str) {
    station.settings(IMPATIENT);
    let secrets = secrets(station);
    let code = station.sandbox.next_totp("alice");
    for arguments in [
        &["rotate", "--mfa-code", &code][..],
        &["rotate", "--all", "--no-mfa", "--yes"],
        &["rollback", "--no-mfa"],
        &["finish", "--now", "--no-mfa"],
        &["status"],
        &["credential-process", "--profile", "default"],
    ] {
        let ran: Ran = station.run(arguments).expect(8);
        assert_eq!(ran.stdout, "", "{arguments:?}");
        assert!(ran.stderr.contains(words) && ran.stderr.contains(remedy), "{arguments:?}: {}", ran.stderr);
        assert!(!secrets.iter().any(|secret| ran.stderr.contains(secret)));
    }
    assert_eq!(station.sandbox.calls().len(), 0, "it is found before any call");
    no_file_holds(&files_below(station.home.path()), &secrets);
}

#[test]
fn a_locked_keychain_whose_prompt_nobody_answers_stops_every_command() {
    let Some((station, desktop)) = station() else { return };
    desktop.lock();
    refused(&station, "the keychain is locked, and was not unlocked", "next: unlock the keychain");
}

#[test]
fn without_a_session_bus_there_is_no_keychain_and_the_message_says_what_it_needs() {
    let Some((mut station, _desktop)) = station() else { return };
    station.bus = None;
    refused(&station, "there is no keychain to talk to", "next: it needs a session bus and a Secret Service");
}

#[test]
fn a_bus_that_is_gone_is_no_keychain() {
    let Some((station, desktop)) = station() else { return };
    drop(desktop);
    refused(&station, "there is no keychain to talk to", "next: it needs a session bus");
}

#[test]
fn a_bus_without_a_secret_service_is_no_keychain() {
    let Some(desktop) = Desktop::without_keychain() else { return };
    let mut station = Workstation::new(program());
    station.bus = Some(desktop.address.clone());
    station.hand_out_by_program();
    refused(&station, "there is no keychain to talk to", "next: it needs a session bus and a Secret Service");
}

#[test]
fn a_keychain_that_never_answers_is_given_up_after_the_configured_time() {
    let Some((station, desktop)) = station() else { return };
    desktop.fall_silent();
    refused(&station, "the keychain gave no answer within 1 s", "next: unlock the keychain");
}

#[test]
fn a_keychain_that_falls_silent_in_the_middle_leaves_a_rotation_that_the_next_run_finishes() {
    let Some((station, desktop)) = station() else { return };
    station.settings(IMPATIENT);
    let desktop = std::sync::Arc::new(desktop);
    let sleeper = std::sync::Arc::clone(&desktop);
    let mut lists = 0;
    station.sandbox.after_call(move |call| {
        // The proof of the new key.
        lists += usize::from(call.action == "ListAccessKeys");
        if call.action == "ListAccessKeys" && lists == 2 {
            sleeper.fall_silent();
        }
    });
    let ran = station.rotate(&[]);
    desktop.wake_up();
    assert_eq!(ran.code, Some(8), "{ran:?}");
    assert_eq!(station.sandbox.keys_of("alice").iter().filter(|key| key.status == "Active").count(), 2);
    assert_eq!(desktop.stashed().len(), 1, "the new key's secret is kept");
    station.sandbox.clear_hooks();
    station.rotate(&[]).expect(0);
    assert_eq!(desktop.key("default"), Some(active(&station)));
    no_file_holds(&files_below(station.home.path()), &secrets(&station));
}

#[test]
fn a_key_in_the_file_alone_is_rotated_without_a_keychain() {
    let mut station = Workstation::new(program());
    station.bus = Some("unix:path=/nowhere/bus".to_owned());
    station.rotate(&[]).expect(0);
    station.run(&["credential-process", "--profile", "default"]).expect(0);
}

#[test]
fn a_person_is_asked_to_unlock_once_in_a_run() {
    let Some(desktop) = Desktop::with_somebody_there() else { return };
    let station = on(&desktop);
    desktop.lock();
    let watch = desktop.watch();
    station.rotate(&[]).expect(0);
    let methods = watch.methods(&desktop);
    let count = |name: &str| methods.iter().filter(|method| *method == name).count();
    assert_eq!((count("Unlock"), count("Prompt")), (1, 1), "{methods:?}");
    assert!(count("SearchItems") > 10 && count("CreateItem") > 0 && count("SetSecret") > 0, "{methods:?}");
    assert_eq!(desktop.key("default"), Some(active(&station)));
    desktop.lock();
    let watch = desktop.watch();
    credential_process(&station, "default").output().unwrap();
    let methods = watch.methods(&desktop);
    assert_eq!(methods.iter().filter(|method| *method == "Prompt").count(), 1, "{methods:?}");
}

#[test]
fn a_dismissed_prompt_is_shown_once_in_a_run() {
    let Some((station, desktop)) = station() else { return };
    desktop.lock();
    let watch = desktop.watch();
    station.rotate(&["--all"]).expect(8);
    let methods = watch.methods(&desktop);
    assert_eq!(methods.iter().filter(|method| *method == "Prompt").count(), 1, "{methods:?}");
}

#[test]
fn the_session_with_the_keychain_is_encrypted() {
    let Some((station, desktop)) = station() else { return };
    let (_, secret) = active(&station);
    let overheard = desktop.overhear(|| {
        credential_process(&station, "default").output().unwrap();
    });
    assert!(
        overheard.contains("GetSecret") && overheard.contains("dh-ietf1024-sha256-aes128-cbc-pkcs7"),
        "{overheard}"
    );
    assert!(!overheard.contains(&secret));
}
