//! Where a run of the timer needs somebody: told in the line, exit code 10, and nothing changed that a person decides.

use chrono::TimeDelta;

use super::*;
use crate::cli::auth_profile::{sign_in, sign_in_as};
use crate::sandbox::{Fault, MFA_DEMANDED, OWN_KEYS};

/// Nothing is written, and the line has these words, what to run, and that no desktop was there.
#[track_caller]
fn called_for(station: &Workstation, more: &[&str], words: &[&str]) -> String {
    let before = writes(station);
    let line = scheduled(station, more, 10);
    for word in words.iter().chain(&["; next: ", "no notification could be shown: "]) {
        assert!(line.contains(word), "{word:?} is not in {line}");
    }
    assert_eq!(writes(station), before);
    line
}

#[test]
fn without_anything_that_gives_a_code_a_person_is_needed() {
    let station = station();
    settings(&station, "[purge]\nlimit = \"90d\"\nat = \"Fri 23:55\"\n");
    let held = station.held_id();
    let words =
        ["no MFA code can be had without a person", &format!("{held} is 40 d old"), "the purge takes it on Fri "];
    let line = called_for(&station, &[], &words);
    assert!(line.starts_with("default: not rotated: ") && line.contains("23:55, in 5"), "{line}");
    assert!(line.contains("next: run `keyrot-me rotate --profile default`, or set command under [mfa]"), "{line}");
}

#[test]
fn a_program_that_gives_no_code_is_told() {
    let station = station();
    settings(&station, "[mfa]\ncommand = \"false\"\n");
    called_for(&station, &[], &["the MFA command false failed", "next: run `keyrot-me rotate --profile default`"]);
}

#[test]
fn pinentry_without_a_desktop_is_none() {
    let station = station();
    settings(&station, "[mfa]\npinentry = true\n");
    called_for(&station, &[], &["pinentry has neither a display nor a terminal"]);
}

#[test]
fn what_iam_does_not_permit_is_told() {
    let station = station();
    station.sandbox.set_policies("alice", &[OWN_KEYS, MFA_DEMANDED]);
    let before = station.sandbox.keys_of("alice").len();
    let line = scheduled(&station, &["--no-mfa"], 10);
    assert!(line.contains("IAM does not permit it") && line.contains("run without --no-mfa"), "{line}");
    assert_eq!(station.sandbox.keys_of("alice").len(), before);
}

#[test]
fn a_sign_in_that_is_over_is_told_with_what_is_known_of_the_key() {
    let station = station();
    settings(&station, IN_FIVE_DAYS);
    sign_in_as(&station, "alice", true, "2020-01-01T00:00:00Z");
    let held = station.held_id();
    let words = [&format!("{held} is 40 d old"), "the purge takes it on ", "aws login --profile login"];
    let line = called_for(&station, &["--auth-profile", "login"], &words);
    assert!(line.starts_with("default: not rotated: "), "{line}");
}

#[test]
fn a_key_that_somebody_switched_off_is_not_replaced_by_a_timer() {
    for gone in [false, true] {
        let station = station();
        sign_in(&station);
        let held = station.held_id();
        if gone {
            station.sandbox.delete_key(&held);
        } else {
            station.sandbox.set_status(&held, "Inactive");
        }
        let words = [if gone { "does not work any more" } else { "is Inactive at IAM" }, "--yes"];
        called_for(&station, &["--auth-profile", "login"], &words);
        assert_eq!(station.sandbox.count("CreateAccessKey"), 0);
    }
}

#[test]
fn two_active_keys_block_and_each_is_named_with_its_last_use() {
    let station = station();
    let now = station.sandbox.now();
    let (other, _) = station.sandbox.seed_key("alice", now - TimeDelta::days(9), "Active");
    station.sandbox.set_last_used(&other, now - TimeDelta::days(2), "s3", "eu-central-1");
    with_codes(&station, "");
    let words = [&format!("{other} (Active, 9 d old): used 20"), "by s3 in eu-central-1", "rotate --replace"];
    called_for(&station, &[], &words);
    assert_eq!(codes_asked_for(&station), 0, "nothing would be written");
}

#[test]
fn an_inactive_key_that_is_not_ours_blocks_and_is_named_with_its_last_use() {
    let station = station();
    let (other, _) = station.sandbox.seed_key("alice", station.sandbox.now() - TimeDelta::days(9), "Inactive");
    called_for(&station, &["--no-mfa"], &[&format!("{other} (Inactive, 9 d old): no use recorded")]);
}

#[test]
fn a_key_that_is_off_or_gone_is_told_with_the_way_back_in() {
    for gone in [false, true] {
        let station = station();
        settings(&station, IN_FIVE_DAYS);
        let held = station.held_id();
        if gone {
            station.sandbox.delete_key(&held);
        } else {
            station.sandbox.set_status(&held, "Inactive");
        }
        let line = called_for(&station, &[], &[&format!("{held} is not accepted"), "two ways back in"]);
        assert!(!line.contains("the purge takes it"), "there is nothing left to take: {line}");
    }
}

#[test]
fn a_wrong_clock_is_told() {
    let station = station();
    station.sandbox.advance(std::time::Duration::from_secs(900));
    called_for(&station, &["--no-mfa"], &["clock is 9", "set the clock"]);
}

#[test]
fn a_state_folder_that_cannot_be_used_is_told() {
    let station = station();
    std::fs::create_dir_all(station.path(".local/state")).unwrap();
    std::fs::write(station.state(), "a file").unwrap();
    let ran = Ran::from(timer(&station, &[]).output().unwrap()).expect(10);
    let (line, rest) = ran.stderr.split_once('\n').unwrap();
    assert!(line.starts_with("default: not rotated: ") && line.contains("the record of reminders cannot"), "{line}");
    assert!(rest.starts_with("warning: the record of this run cannot be written"), "{rest}");
}

#[test]
fn a_setup_that_is_wrong_keeps_its_exit_code_and_is_told_too() {
    let station = station();
    settings(&station, "max_aeg = \"5d\"\n");
    let line = scheduled(&station, &[], 2);
    assert!(line.contains("config.toml:3: unknown key") && line.contains("no notification could be shown"), "{line}");
    settings(&station, "");
    assert!(scheduled(&station, &["--profile", "nobody"], 2).contains("there is no profile 'nobody'"));
    assert!(scheduled(&station, &["--mfa-command", "a 'b"], 2).contains("--mfa-command"));
    assert_eq!(station.sandbox.calls().len(), 0);
}

#[test]
fn a_profile_that_cannot_be_used_does_not_keep_the_others_from_their_turn() {
    let station = station();
    let line = scheduled(&station, &["--no-mfa", "--profile", "nobody", "--profile", "default"], 2);
    assert!(line.starts_with("default: rotated: ") && line.contains(" | nobody: not rotated: "), "{line}");
}

/// The create's answer is lost, and CloudTrail tells nothing.
#[test]
fn a_lost_key_is_switched_off_told_and_deleted_after_its_grace() {
    let station = station();
    station.sandbox.accept_any_clock();
    station.sandbox.fault("CreateAccessKey", 1, Fault::ActAndDrop);
    let (control, mut created, mut jumped) = (station.sandbox.control(), false, false);
    station.sandbox.on_call(move |call| match call.action.as_str() {
        "CreateAccessKey" => created = true,
        "ListAccessKeys" | "LookupEvents" if created && !jumped => {
            jumped = true;
            control.advance(std::time::Duration::from_secs(61));
        }
        _ => {}
    });
    let held = station.held_id();
    let line = scheduled(&station, &["--no-mfa"], 10);
    let lost = station.sandbox.keys_of("alice").into_iter().find(|key| key.id != held).unwrap();
    assert_eq!(lost.status, "Inactive");
    assert!(line.contains(&format!("{}, whose secret was lost, is off and kept until ", lost.id)), "{line}");
    called_for(&station, &["--no-mfa"], &["whose secret was lost"]);
    let line = scheduled(&station, &["--no-mfa", "--retire-after", "0"], 0);
    assert!(station.sandbox.key(&lost.id).is_none());
    assert!(line.contains(&format!("deleted {}", lost.id)), "{line}");
}
