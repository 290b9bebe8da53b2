//! The way back in when the key is gone: one command with `--auth-profile`.

use super::auth_profile::{ACCOUNT_2, SELF_SERVICE, boss, role, sign_in};
use super::*;
use crate::sandbox::ADMINISTRATOR;

/// How the key went.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Went {
    Off,
    Deleted,
}

const BOTH: [Went; 2] = [Went::Off, Went::Deleted];

fn goes(station: &Workstation, went: Went) {
    let held = station.held_id();
    match went {
        Went::Off => station.sandbox.set_status(&held, "Inactive"),
        Went::Deleted => station.sandbox.delete_key(&held),
    }
}

/// `rotate --auth-profile login --yes`, and what must be so then.
#[track_caller]
fn one_command(station: &Workstation) -> Ran {
    let (before, held) = (station.credentials(), station.held_id());
    let ran = station.run(&["rotate", "--auth-profile", "login", "--yes"]).expect(0);
    no_secret(station, &ran);
    let keys = station.sandbox.keys_of("alice");
    let new = keys.iter().find(|key| key.status == "Active").expect("a key that works");
    assert_ne!(new.id, held);
    assert_eq!(keys.iter().filter(|key| key.status == "Active").count(), 1);
    let changed: Vec<_> = station.credentials().lines().map(str::to_owned).collect();
    let was: Vec<_> = before.lines().map(str::to_owned).collect();
    let differ = changed.iter().zip(&was).filter(|(now, was)| now != was).count();
    assert_eq!((changed.len(), differ), (was.len(), 2), "two values change, and nothing else");
    assert_eq!(station.held_id(), new.id);
    ran
}

#[track_caller]
fn is_fresh(station: &Workstation) {
    let status = station.run(&["status", "--json"]).expect(0).json();
    let key = status["keys"].as_array().unwrap().iter().find(|key| key["profiles"][0] == "default").unwrap();
    assert_eq!((key["verdict"].as_str(), key["status"].as_str()), (Some("fresh"), Some("Active")), "{status}");
    assert_eq!(status["unfinished"].as_array().unwrap().len(), 0);
}

#[test]
fn a_key_that_was_never_rotated_here_and_is_gone_is_replaced() {
    for went in BOTH {
        let station = station();
        goes(&station, went);
        sign_in(&station);
        one_command(&station);
        is_fresh(&station);
        let left = if went == Went::Off { 2 } else { 1 };
        assert_eq!(station.sandbox.keys_of("alice").len(), left);
    }
}

#[test]
fn a_key_of_an_earlier_rotation_that_is_gone_is_replaced() {
    for went in BOTH {
        let station = station();
        station.rotate(&[]).expect(0);
        goes(&station, went);
        sign_in(&station);
        one_command(&station);
        is_fresh(&station);
        assert!(station.sandbox.count("GetAccessKeyInfo") == 0, "the journal knows whose it was");
    }
}

#[test]
fn after_the_real_purge_one_command_makes_it_fresh() {
    let station = station();
    station.add_security_team();
    station.settings(
        "[rotation]\nsettle = { every = \"0s\" }\n[purge]\nlimit = \"5d\"\nat = \"Fri 23:55\"\ntimezone = \"UTC\"\n",
    );
    let purge = ["purge", "--profile", "security", "--group", "Developers", "--max-age", "5d", "--apply"];
    let disabled = station.run(&purge).expect(0);
    assert!(disabled.stdout.contains(&station.held_id()), "{}", disabled.stdout);
    let words = [&station.held_id(), "is not accepted", "rotate --auth-profile NAME --yes", "keyrot-me import"];
    refused(&station, || station.run(&["rotate", "--mfa-code", "123456"]), 9, &words);
    sign_in(&station);
    one_command(&station);
    is_fresh(&station);
    // And the purge leaves the new key alone.
    station.run(&purge).expect(0);
    is_fresh(&station);
}

/// Action, how it ended, and who signs, of a key that the journal knows.
const CALLS: [(&str, &str, &str, &str); 10] = [
    ("GetCallerIdentity", "InvalidClientTokenId", "old", "that it does not work any more"),
    ("GetCallerIdentity", "OK", "other", "that the other profile is of the same account"),
    ("ListAccessKeys", "OK", "other", "S2, and whether it may act on that user at all"),
    ("CreateAccessKey", "OK", "other", "S4"),
    ("GetCallerIdentity", "OK", "new", "S6 at STS"),
    ("ListAccessKeys", "OK", "new", "S6 at IAM"),
    ("GetCallerIdentity", "OK", "new", "S8"),
    ("ListAccessKeys", "OK", "other", "S9: the new one is Active there, the old one off already or gone"),
    ("UpdateAccessKey", "NoSuchEntity", "other", "S9: that it is gone is IAM's to say, not a list's"),
    ("GetCallerIdentity", "OK", "new", "S9b"),
];

#[test]
fn a_dead_keys_rotation_makes_these_calls() {
    for went in BOTH {
        let station = station();
        station.settings("[rotation]\nsettle = { every = \"0s\", successes = 1 }\n");
        station.rotate(&[]).expect(0);
        station.run(&["finish", "--now", "--no-mfa"]).expect(0);
        let old = station.held_id();
        goes(&station, went);
        let other = sign_in(&station);
        station.sandbox.clear_calls();
        one_command(&station);
        let signer = |id: &str| match id {
            id if id == old => "old",
            id if id == other => "other",
            _ => "new",
        };
        let calls = station.sandbox.calls().into_iter();
        let made: Vec<_> = calls.map(|call| (signer(&call.key_id), call.action, call.outcome)).collect();
        let expected: Vec<_> = CALLS
            .iter()
            .filter(|(_, outcome, ..)| went == Went::Deleted || *outcome != "NoSuchEntity")
            .map(|(action, outcome, signer, _)| (*signer, (*action).to_owned(), (*outcome).to_owned()))
            .collect();
        assert_eq!(made, expected, "{went:?}");
    }
}

#[test]
fn an_administrator_gets_no_key_into_anothers_profile() {
    let station = station();
    boss(&station);
    goes(&station, Went::Off);
    // IAM tells whose it is, though the journal does not know it.
    station.run(&["rotate", "--auth-profile", "boss"]).expect(0);
    assert_eq!(station.sandbox.keys_of("boss").len(), 1);
    is_fresh(&station);
    let gone = super::station();
    boss(&gone);
    goes(&gone, Went::Deleted);
    // Nobody tells: only somebody who says so makes it the administrator's.
    let words = [&gone.held_id(), "whether it was a key of boss", "--yes"];
    refused(&gone, || gone.run(&["rotate", "--auth-profile", "boss"]), 3, &words);
}

#[test]
fn a_role_takes_the_word_of_the_journal_or_of_iam_and_no_other() {
    let known = station();
    known.rotate(&[]).expect(0);
    role(&known, &[ADMINISTRATOR]);
    goes(&known, Went::Deleted);
    known.run(&["rotate", "--auth-profile", "role", "--yes"]).expect(0);
    is_fresh(&known);
    let told = station();
    role(&told, &[ADMINISTRATOR]);
    goes(&told, Went::Off);
    told.run(&["rotate", "--auth-profile", "role"]).expect(0);
    is_fresh(&told);
    let unknown = station();
    role(&unknown, &[ADMINISTRATOR]);
    goes(&unknown, Went::Deleted);
    let words = [&unknown.held_id(), "assumed-role/keys", "whose it was", "aws login"];
    refused(&unknown, || unknown.run(&["rotate", "--auth-profile", "role", "--yes"]), 9, &words);
}

#[test]
fn a_dead_key_of_another_account_is_refused() {
    let station = station();
    station.sandbox.add_account(ACCOUNT_2);
    station.sandbox.add_user((ACCOUNT_2, "alice"));
    let (id, secret) = station.sandbox.seed_key((ACCOUNT_2, "alice"), station.sandbox.now(), "Active");
    let own = station.sandbox.keys_of("alice").remove(0);
    station.write_credentials(station.credentials().replace(&own.id, &id).replace(&own.secret, &secret));
    station.sandbox.delete_key(&id);
    station.sandbox.set_policies("alice", &[SELF_SERVICE]);
    sign_in(&station);
    let words = [id.as_str(), "is of account 210987654321", "alice in account 123456789012"];
    refused(&station, || station.run(&["rotate", "--auth-profile", "login", "--yes"]), 9, &words);
}

#[test]
fn where_nobody_may_tell_whose_a_dead_key_was_somebody_must_say_so() {
    let station = station();
    goes(&station, Went::Deleted);
    sign_in(&station);
    let words = [&station.held_id(), "whether it was a key of alice in account 123456789012", "--yes"];
    refused(&station, || station.run(&["rotate", "--auth-profile", "login"]), 3, &words);
    refused(&station, || station.run(&["rotate", "--dry-run", "--auth-profile", "login"]), 3, &words);
    one_command(&station);
}

#[test]
fn of_two_full_slots_the_dead_one_is_given_up_by_name() {
    let station = station();
    let dead = station.held_id();
    goes(&station, Went::Off);
    let (other, _) = station.sandbox.seed_key("alice", station.sandbox.now(), "Active");
    sign_in(&station);
    let replace = format!("--replace {dead}");
    let words = ["both slots are taken by", &dead, &other, &replace];
    refused(&station, || station.run(&["rotate", "--auth-profile", "login", "--yes"]), 3, &words);
    station.run(&["rotate", "--auth-profile", "login", "--yes", "--replace", &dead]).expect(0);
    let keys: Vec<_> = station.sandbox.keys_of("alice").into_iter().map(|key| key.id).collect();
    assert_eq!(keys, [other, station.held_id()]);
    is_fresh(&station);
}

#[test]
fn with_both_slots_full_of_other_keys_one_must_be_named() {
    let station = station();
    goes(&station, Went::Deleted);
    let [(first, _), (second, _)] =
        ["Active", "Inactive"].map(|status| station.sandbox.seed_key("alice", station.sandbox.now(), status));
    sign_in(&station);
    let gone = format!("while {} is gone", station.held_id());
    let replace = format!("--replace {second}");
    let words = ["both slots are taken", &first, &second, &gone, &replace];
    refused(&station, || station.run(&["rotate", "--auth-profile", "login", "--yes"]), 3, &words);
    station.run(&["rotate", "--auth-profile", "login", "--yes", "--replace", &second]).expect(0);
    is_fresh(&station);
}

#[test]
fn nothing_rolls_back_to_a_dead_key_and_it_says_why() {
    let station = station();
    let dead = station.held_id();
    goes(&station, Went::Off);
    sign_in(&station);
    let ran = one_command(&station);
    assert!(!ran.stdout.contains("rollback undoes"), "{}", ran.stdout);
    let words = [dead.as_str(), "was off or deleted before its successor was made"];
    refused(&station, || station.run(&["rollback", "--auth-profile", "login"]), 3, &words);
    refused(&station, || station.run(&["rollback", "--no-mfa"]), 3, &words);
    station.run(&["finish", "--now", "--auth-profile", "login"]).expect(0);
    assert_eq!(station.sandbox.keys_of("alice").len(), 1);
}

#[test]
fn a_deleted_key_leaves_nothing_behind() {
    let station = station();
    goes(&station, Went::Deleted);
    sign_in(&station);
    let json = station.run(&["rotate", "--auth-profile", "login", "--yes", "--json"]).expect(0).json();
    let rotation = &json["rotations"][0];
    assert_eq!((rotation["outcome"].as_str(), rotation["old_key"].as_str()), (Some("rotated"), Some("deleted")));
    assert_eq!(rotation["delete_after"], serde_json::Value::Null);
    assert_eq!(station.stash(), Vec::<PathBuf>::new());
    // Nothing waits for its grace: the next rotation begins at once.
    station.rotate(&[]).expect(0);
}

/// Killed after the create's answer was kept: the new key itself goes on, without the other profile.
#[test]
fn what_was_begun_is_finished_without_the_other_profile_too() {
    for went in BOTH {
        let station = station();
        goes(&station, went);
        sign_in(&station);
        // The proof of the new key.
        station.sandbox.fault("ListAccessKeys", 2, crate::sandbox::Fault::KillBefore);
        let child = station.command(&["rotate", "--auth-profile", "login", "--yes"]).spawn().unwrap();
        station.sandbox.set_client(Some(child.id()));
        assert_eq!(child.wait_with_output().unwrap().status.code(), None);
        station.sandbox.set_client(None);
        station.sandbox.clear_faults();
        station.rotate(&[]).expect(0);
        assert_eq!(station.sandbox.count("CreateAccessKey"), 1);
        is_fresh(&station);
    }
}

#[test]
fn a_user_with_passkeys_only_rotates_by_aws_login() {
    let station = station();
    station.sandbox.remove_devices("alice");
    station.sandbox.add_passkey("alice");
    let words = ["passkeys or security keys only", "aws login --profile NAME", "rotate --auth-profile NAME"];
    refused(&station, || station.run(&["rotate", "--mfa-code", "123456"]), 4, &words);
    sign_in(&station);
    station.run(&["rotate", "--auth-profile", "login"]).expect(0);
    is_fresh(&station);
}
