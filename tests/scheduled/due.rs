//! What a run of the timer does by itself, and that it asks for no code in vain.

use chrono::{Datelike, TimeDelta};

use super::*;
use crate::cli::auth_profile::sign_in;
use crate::sandbox::{Fault, MFA_DEMANDED_TO_READ, OWN_KEYS};

#[test]
fn a_key_that_is_due_is_rotated_and_one_line_says_so() {
    let station = station();
    with_codes(&station, IN_FIVE_DAYS);
    let old = station.held_id();
    let line = scheduled(&station, &[], 0);
    let new = station.held_id();
    assert_ne!(new, old);
    assert!(line.starts_with(&format!("default: rotated: {old} → {new} (alice in account 123456789012); ")), "{line}");
    assert_eq!((codes_asked_for(&station), station.sandbox.count("GetSessionToken")), (1, 1));
}

#[test]
fn the_json_is_rotates_own() {
    let station = station();
    let ran = Ran::from(timer(&station, &["--no-mfa", "--json"]).output().unwrap()).expect(0);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    let rotation = &ran.json()["rotations"][0];
    assert_eq!((rotation["outcome"].as_str(), rotation["error"].as_str()), (Some("rotated"), None));
    let ran = Ran::from(timer(&station, &["--json", "--profile", "nobody", "--profile", "default"]).output().unwrap());
    let json = ran.expect(2).json();
    let outcomes: Vec<_> = json["rotations"].as_array().unwrap().iter().map(|one| &one["outcome"]).collect();
    assert_eq!(outcomes, ["nothing-to-do", "blocked"], "{json}");
}

#[test]
fn progress_is_for_those_who_ask_for_it() {
    let station = station();
    let ran = Ran::from(timer(&station, &["--no-mfa", "-v"]).output().unwrap()).expect(0);
    assert!(ran.stderr.contains("  created AKIA") && ran.stderr.contains("\ndefault: rotated: "), "{}", ran.stderr);
}

#[test]
fn a_key_that_is_young_is_left_alone_and_no_code_is_asked_for() {
    let station = station();
    with_codes(&station, "");
    scheduled(&station, &[], 0);
    let line = scheduled(&station, &[], 0);
    assert!(line.starts_with("default: nothing to do: "), "{line}");
    assert_eq!((codes_asked_for(&station), station.sandbox.count("CreateAccessKey")), (1, 1));
}

#[test]
fn what_is_past_its_grace_is_deleted_and_what_is_not_costs_no_code() {
    let station = station();
    with_codes(&station, "");
    let old = station.held_id();
    scheduled(&station, &[], 0);
    assert!(scheduled(&station, &[], 0).contains(&format!("{old} is off and kept until ")));
    assert_eq!(codes_asked_for(&station), 1);
    station.sandbox.advance(std::time::Duration::from_secs(30));
    with_codes(&station, "");
    let line = scheduled(&station, &["--retire-after", "0"], 0);
    assert!(line.contains(&format!("default: deleted {old}")), "{line}");
    assert!(station.sandbox.key(&old).is_none());
    assert_eq!(codes_asked_for(&station), 2);
}

#[test]
fn a_key_in_several_profiles_is_rotated_once_and_all_of_them_are_named() {
    let station = station();
    let (held, text) = (station.held_id(), station.credentials());
    let key = station.sandbox.key(&held).unwrap();
    let section = format!("\n[work]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, key.secret);
    station.write_credentials(text + &section);
    let line = scheduled(&station, &["--no-mfa", "--profile", "default", "--profile", "work"], 0);
    assert!(line.starts_with("default, work: rotated: "), "{line}");
    assert_eq!(station.sandbox.count("CreateAccessKey"), 1);
    assert_eq!(station.credentials().matches(&station.held_id()).count(), 2);
}

#[test]
fn another_profile_may_sign() {
    let station = station();
    sign_in(&station);
    scheduled(&station, &["--auth-profile", "login"], 0);
    assert_eq!((station.sandbox.count("CreateAccessKey"), station.sandbox.count("GetSessionToken")), (1, 0));
}

/// The weekly hour of the timer that came last `ago`.
fn weekly_hour(station: &Workstation, ago: TimeDelta) -> String {
    let at = station.sandbox.now() - ago;
    format!("{} {}", at.weekday(), at.format("%H:%M"))
}

#[test]
fn what_came_due_since_the_weekly_hour_waits_for_the_next_one() {
    let station = station();
    let held = station.held_id();
    station.sandbox.set_created(&held, station.sandbox.now() - TimeDelta::days(5) - TimeDelta::hours(1));
    let day_ago = weekly_hour(&station, TimeDelta::days(1));
    let line = scheduled(&station, &["--no-mfa", "--at", &day_ago], 0);
    assert!(line.contains("nothing to do: the key is 5 d"), "{line}");
    // At the hour itself it was due.
    let just_now = weekly_hour(&station, TimeDelta::minutes(2));
    assert!(scheduled(&station, &["--no-mfa", "--at", &just_now], 0).contains("rotated: "));
}

#[test]
fn what_the_purge_would_take_before_the_next_weekly_hour_does_not_wait() {
    let station = station();
    let held = station.held_id();
    station.sandbox.set_created(&held, station.sandbox.now() - TimeDelta::days(4));
    let friday = weekly_hour(&station, TimeDelta::days(-2));
    settings(&station, &format!("[purge]\nlimit = \"5d\"\nat = \"{friday}\"\n"));
    let day_ago = weekly_hour(&station, TimeDelta::days(1));
    assert!(scheduled(&station, &["--no-mfa", "--at", &day_ago], 0).contains("rotated: "));
}

#[test]
fn a_run_that_was_killed_is_finished_by_the_next_one() {
    let station = station();
    station.sandbox.fault("UpdateAccessKey", 1, Fault::KillBefore);
    let child = timer(&station, &["--no-mfa"]).spawn().unwrap();
    station.sandbox.set_client(Some(child.id()));
    assert_eq!(child.wait_with_output().unwrap().status.code(), None);
    station.sandbox.set_client(None);
    station.sandbox.clear_faults();
    let line = scheduled(&station, &["--no-mfa"], 0);
    assert!(line.contains("rotated: "), "{line}");
    assert_eq!(station.sandbox.count("CreateAccessKey"), 1);
    assert!(scheduled(&station, &["--no-mfa"], 0).contains("nothing to do"));
}

#[test]
fn where_iam_lists_with_mfa_only_the_journal_says_whether_a_code_is_worth_it() {
    let station = station();
    station.sandbox.set_policies("alice", &[OWN_KEYS, MFA_DEMANDED_TO_READ]);
    with_codes(&station, "");
    let serial = station.sandbox.user_arn("alice").replacen(":user/", ":mfa/", 1);
    // Nobody knows how old it is.
    let line = scheduled(&station, &["--mfa-serial", &serial], 10);
    assert!(line.contains("the journal does not know how old AKIA"), "{line}");
    assert_eq!((codes_asked_for(&station), writes(&station)), (0, 0));
    station.rotate(&["--mfa-serial", &serial]).expect(0);
    // Its successor is known, and young; the retired one is in its grace.
    let line = scheduled(&station, &["--mfa-serial", &serial], 0);
    assert!(line.contains("is off and kept until"), "{line}");
    assert_eq!(codes_asked_for(&station), 0);
    station.sandbox.advance(std::time::Duration::from_secs(60));
    with_codes(&station, "[profile.default.rotation]\nmax_age = \"0\"\n");
    let line = scheduled(&station, &["--mfa-serial", &serial, "--retire-after", "0"], 0);
    assert!(line.contains("rotated: ") && line.contains("deleted AKIA"), "{line}");
    assert_eq!(codes_asked_for(&station), 1, "one code for the list, the deletion and the rotation");
}

#[test]
fn questions_that_a_person_answers_are_not_answered_beforehand() {
    let station = station();
    for more in [
        &["--yes"][..],
        &["--replace", "AKIAIOSFODNN7EXAMPLE"],
        &["--mfa-code", "123456"],
        &["--store", "keychain"],
        &["--if-older-than", "5d"],
        &["--dry-run"],
        &["--at", "Montag 09:00"],
    ] {
        let ran = Ran::from(timer(&station, more).output().unwrap()).expect(2);
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    }
    let ran = station.run(&["rotate", "--scheduled", "--jitter", "2h"]).expect(2);
    assert!(ran.stderr.contains("at most one hour"), "{}", ran.stderr);
    for alone in [["rotate", "--at", "Mon 09:00"], ["rotate", "--jitter", "5s"]] {
        station.run(&alone).expect(2);
    }
    assert_eq!(station.sandbox.calls().len(), 0);
}
