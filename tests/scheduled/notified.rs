//! What a person sees on the desktop, how often, and what is said where there is none.

use std::os::unix::net::UnixListener;

use super::*;
use crate::keychain::desktop::Desktop;

#[test]
fn a_notification_says_which_key_how_old_when_the_purge_takes_it_and_what_to_run() {
    let Some((station, recorder)) = at_a_desktop() else { return };
    settings(&station, IN_FIVE_DAYS);
    let held = station.held_id();
    let line = scheduled(&station, &[], 10);
    assert!(line.trim_end().ends_with("; a notification was shown"), "{line}");
    let shown = recorder.shown();
    let [one] = &shown[..] else { panic!("{shown:?}") };
    assert_eq!((one.app.as_str(), one.actions, one.replaces), ("keyrot-me", 0, 0));
    assert_eq!((one.urgency, one.expires), (1, -1));
    assert_eq!(one.summary, format!("AWS access key …{} is 40 d old: its rotation needs you", &held[16..]));
    let lines: Vec<&str> = one.body.lines().collect();
    assert_eq!(lines[0], format!("Profile default, key {held}, 40 d old."));
    assert!(lines[1].starts_with("The purge takes it on ") && lines[1].contains(", in 4 d 23 h"), "{}", one.body);
    assert!(lines[2].starts_with("Not rotated: no MFA code can be had without a person"), "{}", one.body);
    assert!(lines[3].starts_with("Next: run `keyrot-me rotate --profile default`"), "{}", one.body);
    assert!(station.sandbox.keys_of("alice").iter().all(|key| !one.body.contains(&key.secret)));
}

#[test]
fn a_key_is_told_of_once_a_day_and_the_next_day_in_the_same_place() {
    let Some((station, recorder)) = at_a_desktop() else { return };
    scheduled(&station, &[], 10);
    let line = scheduled(&station, &[], 10);
    assert!(line.contains("; a notification was shown today already"), "{line}");
    assert_eq!(recorder.shown().len(), 1);
    days_later(&station, 1);
    scheduled(&station, &[], 10);
    scheduled(&station, &[], 10);
    let all = recorder.shown();
    assert_eq!(all.iter().map(|shown| shown.replaces).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn the_sharper_reminder_replaces_the_days_first_and_has_other_words() {
    let Some((station, recorder)) = at_a_desktop() else { return };
    settings(&station, &format!("{IN_FIVE_DAYS}[notify]\nremind_before = \"1d\"\n"));
    scheduled(&station, &[], 10);
    settings(&station, &format!("{IN_FIVE_DAYS}[notify]\nremind_before = \"6d\"\n"));
    scheduled(&station, &[], 10);
    scheduled(&station, &[], 10);
    let all = recorder.shown();
    let [first, sharp] = &all[..] else { panic!("{all:?}") };
    assert_eq!((first.urgency, sharp.urgency, sharp.expires, sharp.replaces), (1, 2, 0, 1));
    assert!(sharp.summary.starts_with("The purge takes AWS access key …"), "{}", sharp.summary);
    assert!(sharp.summary.contains(" in 4 d 23 h"), "{}", sharp.summary);
}

/// Numbers begin anew with each server: what has this one's first now is somebody else's.
#[test]
fn what_another_server_has_shown_is_not_replaced() {
    let Some((station, mut recorder)) = at_a_desktop() else { return };
    scheduled(&station, &[], 10);
    days_later(&station, 1);
    recorder.restart();
    scheduled(&station, &[], 10);
    assert_eq!(recorder.shown()[0].replaces, 0);
}

#[test]
fn keys_that_are_no_longer_here_are_forgotten_and_a_damaged_ledger_is_none() {
    let Some((station, recorder)) = at_a_desktop() else { return };
    let held = station.held_id();
    scheduled(&station, &[], 10);
    let ledger = || std::fs::read_to_string(station.state().join("reminders.json")).unwrap();
    assert!(ledger().contains(&held));
    std::fs::write(station.state().join("reminders.json"), "{\"version\":1,\"remin").unwrap();
    scheduled(&station, &[], 10);
    assert_eq!(recorder.shown().len(), 2);
    scheduled(&station, &["--no-mfa"], 0);
    scheduled(&station, &["--no-mfa"], 0);
    assert!(!ledger().contains(&held), "{}", ledger());
}

/// Profiles have no such names, as the SDK reads them; other words come from elsewhere.
#[test]
fn foreign_words_are_no_markup() {
    let Some((station, recorder)) = at_a_desktop() else { return };
    settings(&station, "[mfa]\ncommand = \"'/no/such/<b>&'\"\n");
    scheduled(&station, &[], 10);
    let shown = recorder.shown();
    assert!(shown[0].body.contains("the MFA command /no/such/&lt;b&gt;&amp; cannot be started"), "{shown:?}");
    assert!(!shown[0].summary.contains(['<', '&']));
}

#[test]
fn notifications_can_be_switched_off_and_the_line_still_says_it() {
    let Some((station, recorder)) = at_a_desktop() else { return };
    settings(&station, "[notify]\ndesktop = false\n");
    let line = scheduled(&station, &[], 10);
    assert!(line.contains("40 d old") && line.contains("; notifications are switched off"), "{line}");
    assert_eq!(recorder.shown().len(), 0);
}

#[test]
fn a_setup_that_is_wrong_is_shown_too() {
    let Some((station, recorder)) = at_a_desktop() else { return };
    settings(&station, "max_aeg = \"5d\"\n");
    scheduled(&station, &[], 2);
    scheduled(&station, &[], 2);
    let shown = recorder.shown();
    assert_eq!((shown.len(), shown[0].summary.as_str()), (1, "The rotation of your AWS access key needs you"));
    assert!(shown[0].body.contains("unknown key"), "{shown:?}");
}

/// The key in the file might stand in the keychain too: it has to wait as well.
#[test]
fn a_locked_keychain_is_shown_for_each_key_that_it_holds_up() {
    let Some(desktop) = Desktop::start() else { return };
    let mut station = station();
    station.bus = Some(desktop.address.clone());
    settings(&station, "[store]\nwait = \"1s\"\n");
    let line = station.process_line("kept");
    std::fs::write(station.path(".aws/config"), format!("[profile kept]\n{line}\n")).unwrap();
    desktop.store_key("kept", "AKIAIOSFODNN7EXAMPLE", "not/a/real+secret");
    desktop.lock();
    let Some(recorder) = Recorder::on(desktop) else { return };
    let line = scheduled(&station, &["--no-mfa", "--profile", "kept", "--profile", "default"], 10);
    assert!(line.starts_with("default: not rotated: the keychain is locked"), "{line}");
    assert!(line.contains(" | kept: not rotated: the keychain is locked"), "{line}");
    let shown = recorder.shown();
    assert!(shown.len() == 2 && shown[0].body.contains("Next: unlock the keychain"), "{shown:?}");
    assert_eq!(writes(&station), 0);
}

/// The same words on standard error, whatever kind of desktop there is not.
#[test]
fn where_nothing_can_be_shown_it_is_said_and_tried_again_the_same_day() {
    let mut station = station();
    let none = |station: &Workstation, why: &str| {
        let line = scheduled(station, &[], 10);
        assert!(line.contains("40 d old") && line.contains("no notification could be shown: "), "{line}");
        assert!(line.contains(why), "{line}");
    };
    none(&station, "No such file");
    let socket = station.path("deaf");
    let _deaf = UnixListener::bind(&socket).unwrap();
    station.bus = Some(format!("unix:path={}", socket.display()));
    none(&station, "the desktop gave no answer within 5 s");
    let Some(desktop) = Desktop::without_keychain() else { return };
    station.bus = Some(desktop.address.clone());
    none(&station, "org.freedesktop.Notifications");
    let Some(recorder) = Recorder::on(desktop) else { return };
    recorder.answers("raise dbus.exceptions.DBusException('full up', name='org.example.Full')");
    none(&station, "full up");
    recorder.answers("ret = 7");
    assert!(scheduled(&station, &[], 10).contains("; a notification was shown\n"));
    days_later(&station, 1);
    recorder.fall_silent();
    none(&station, "the desktop gave no answer within 5 s");
}
