//! `rotate` with its flags: dry run, age gate, several keys, quota, and the JSON of each outcome.

use chrono::TimeDelta;
use serde_json::Value;

use super::*;
use crate::sandbox::{Always, Fault, MFA_DEMANDED_TO_READ, OWN_KEYS};

/// Rotates with the key itself: more often in a minute than there are codes.
fn free(station: &Workstation, more: &[&str]) -> Ran {
    station.run(&[&["rotate", "--no-mfa"], more].concat())
}

/// All fields that DESIGN section 3 names, with their types.
#[track_caller]
fn rotation(json: &Value) -> &Value {
    assert_eq!(json["version"], 1);
    let rotation = &json["rotations"][0];
    for name in ["profiles", "account", "user", "outcome", "old_access_key_id", "new_access_key_id", "old_key"] {
        assert!(rotation.get(name).is_some(), "{name}: {json}");
    }
    assert!(["rotated", "nothing-to-do", "unfinished", "blocked"].contains(&rotation["outcome"].as_str().unwrap()));
    assert!(["inactive", "deleted", "active"].contains(&rotation["old_key"].as_str().unwrap()), "{json}");
    assert!(rotation["reason"].is_string(), "{json}");
    assert_eq!((&rotation["account"], &rotation["user"]), (&"123456789012".into(), &"alice".into()));
    rotation
}

#[test]
fn the_json_of_a_rotation_tells_all() {
    let station = station();
    let old = station.held_id();
    let ran = free(&station, &["--json"]).expect(0);
    let json = ran.json();
    let rotation = rotation(&json);
    assert_eq!(ran.stdout.lines().count(), 1, "one object: {}", ran.stdout);
    assert_eq!(rotation["profiles"], serde_json::json!(["default"]));
    assert_eq!((rotation["outcome"].as_str(), rotation["old_key"].as_str()), (Some("rotated"), Some("inactive")));
    assert_eq!(rotation["old_access_key_id"], old.as_str());
    assert_eq!(rotation["new_access_key_id"], station.held_id().as_str());
    assert_eq!(rotation["error"], Value::Null);
    let until: chrono::DateTime<chrono::Utc> = rotation["delete_after"].as_str().unwrap().parse().unwrap();
    let grace = until - station.sandbox.now();
    assert!(grace > TimeDelta::hours(23) && grace <= TimeDelta::hours(24), "{grace}");
    no_secret(&station, &ran);
}

#[test]
fn the_words_of_a_rotation_tell_all() {
    let station = station();
    let old = station.held_id();
    let ran = free(&station, &["--retire-after", "2d"]).expect(0);
    let new = station.held_id();
    let words = format!("default: rotated: {old} → {new} (alice in account 123456789012)\n");
    assert!(ran.stdout.starts_with(&words), "{}", ran.stdout);
    assert!(ran.stdout.contains(&format!("{old} is off and will be deleted by the first rotate or finish after")));
    let quiet = super::station();
    let ran = free(&quiet, &["--quiet"]).expect(0);
    assert!(ran.stderr.is_empty() && ran.stdout.contains("rotated: "), "{ran:?}");
}

#[test]
fn an_old_key_in_grace_blocks_and_yes_deletes_it() {
    let station = station();
    let first = station.held_id();
    free(&station, &[]).expect(0);
    let words = [first.as_str(), "is kept until", "quota of two keys", "`keyrot-me rotate --yes`"];
    refused(&station, || free(&station, &[]), 3, &words);
    let json = free(&station, &["--json"]).expect(3).json();
    let blocked = rotation(&json);
    assert_eq!((blocked["outcome"].as_str(), blocked["old_key"].as_str()), (Some("blocked"), Some("inactive")));
    assert_eq!((blocked["error"]["exit_code"].as_i64(), blocked["deleted"].as_array().unwrap().len()), (Some(3), 0));
    let json = free(&station, &["--json", "--yes"]).expect(0).json();
    assert_eq!(rotation(&json)["deleted"], serde_json::json!([first]));
    assert_eq!(rotation(&json)["outcome"], "rotated");
    assert!(station.sandbox.key(&first).is_none());
    assert_eq!(station.stash().len(), 1, "the deleted key's copy is erased");
}

#[test]
fn past_its_grace_the_old_key_is_deleted_by_the_next_rotate() {
    let station = station();
    let first = station.held_id();
    station.settings("[rotation]\nretire_after = \"1h\"\nsettle = { every = \"0s\" }\n");
    free(&station, &[]).expect(0);
    let json = free(&station, &["--json", "--retire-after", "0"]).expect(0).json();
    assert_eq!(rotation(&json)["deleted"], serde_json::json!([first]));
    assert_eq!(rotation(&json)["old_key"], "inactive", "even without a grace deleting is a later run's");
    station.run(&["finish", "--no-mfa", "--retire-after", "0"]).expect(0);
    assert_eq!(station.sandbox.keys_of("alice").len(), 1);
}

#[test]
fn a_young_key_is_left_alone() {
    let station = station();
    station.run(&["rotate", "--if-older-than", "41d"]).expect(0);
    let ran = unchanged(&station, || station.run(&["rotate", "--if-older-than", "41d"]));
    assert!(ran.stdout.contains("default: nothing to do: the key is 40 d old"), "{}", ran.stdout);
    let json = unchanged(&station, || station.run(&["rotate", "--json", "--if-older-than", "41d"])).json();
    let nothing = rotation(&json);
    assert_eq!((nothing["outcome"].as_str(), nothing["old_key"].as_str()), (Some("nothing-to-do"), Some("active")));
    assert_eq!(nothing["new_access_key_id"], Value::Null);
    assert!(nothing["reason"].as_str().unwrap().contains("40 d old"), "{json}");
    free(&station, &["--if-older-than", "40d"]).expect(0);
    assert_eq!(station.sandbox.keys_of("alice").len(), 2);
}

#[track_caller]
fn unchanged(station: &Workstation, act: impl FnOnce() -> Ran) -> Ran {
    let before = Scene::of(station);
    let ran = act().expect(0);
    assert_eq!(before, Scene::of(station));
    ran
}

#[test]
fn a_dry_run_reads_and_prints_the_steps() {
    let station = station();
    let old = station.held_id();
    station.sandbox.clear_calls();
    let ran = unchanged(&station, || station.run(&["rotate", "--dry-run"]));
    assert_eq!(actions(&station), ["GetCallerIdentity", "ListAccessKeys"]);
    let steps: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(steps[0], "default: a run would");
    assert!(steps[1].contains("create a new key"), "{}", ran.stdout);
    assert!(ran.stdout.contains(&format!("replace {old} by the new key")), "{}", ran.stdout);
    assert!(ran.stdout.contains(&format!("switch {old} off")), "{}", ran.stdout);
    assert!(!ran.stdout.contains("AKIANEWKEY"), "{}", ran.stdout);
    assert!(!station.state().exists(), "not even the state folder is made");
    let json = station.run(&["rotate", "--dry-run", "--json"]).expect(0).json();
    let shown = json["dry_run"][0]["steps"].as_array().unwrap();
    assert_eq!(shown.len(), steps.len() - 1);
    free(&station, &[]).expect(0);
    let ran = unchanged(&station, || station.run(&["rotate", "--dry-run"]));
    assert!(ran.stdout.contains(&format!("stop: the retired key {old} is kept until")), "{}", ran.stdout);
}

#[test]
fn a_dry_run_that_may_not_list_says_why() {
    let station = station();
    station.sandbox.set_policies("alice", &[OWN_KEYS, MFA_DEMANDED_TO_READ]);
    let words = ["IAM does not permit it", "a dry run has no MFA code"];
    refused(&station, || station.run(&["rotate", "--dry-run"]), 6, &words);
}

#[test]
fn all_rotates_the_keys_of_two_users() {
    let station = station();
    let bob = station.sandbox.keys_of("bob").remove(0);
    let text = station.credentials().replace("AKIAELSEWHERE0000001", &bob.id);
    station.write_credentials(text.replace("not/a/real+secret", &bob.secret));
    let json = station.run(&["rotate", "--all", "--no-mfa", "--json"]).expect(0).json();
    let users: Vec<&Value> = json["rotations"].as_array().unwrap().iter().map(|one| &one["user"]).collect();
    assert_eq!(users, ["alice", "bob"]);
    for user in ["alice", "bob"] {
        let held: Vec<_> = station.sandbox.keys_of(user).into_iter().map(|key| key.status).collect();
        assert_eq!(held, ["Inactive", "Active"], "{user}");
    }
    let shown = station.run(&["status", "--all", "--json"]).expect(0).json();
    assert_eq!(shown["keys"].as_array().unwrap().len(), 4, "{shown}");
}

#[test]
fn one_key_that_fails_does_not_keep_the_others_from_their_rotation() {
    let station = station();
    let bob = station.sandbox.keys_of("bob").remove(0);
    let alice =
        station.credentials().replace("AKIAELSEWHERE0000001", &bob.id).replace("not/a/real+secret", &bob.secret);
    station.write_credentials(alice);
    let gone = station.held_id();
    station.sandbox.delete_key(&gone);
    let ran = station.run(&["rotate", "--all", "--no-mfa"]).expect(9);
    assert!(ran.stderr.contains(&format!("{gone} is not accepted")), "{}", ran.stderr);
    assert!(ran.stdout.contains("elsewhere: rotated: "), "{}", ran.stdout);
}

#[test]
fn two_active_keys_block_until_one_is_named() {
    let station = station();
    let (other, _) = station.sandbox.seed_key("alice", station.sandbox.now() - TimeDelta::days(3), "Active");
    station.sandbox.set_last_used(&other, station.sandbox.now() - TimeDelta::hours(2), "s3", "eu-west-1");
    let held = station.held_id();
    let words = [other.as_str(), "(Active), is not ours", "--replace", "3 d old", "by s3 in eu-west-1", held.as_str()];
    refused(&station, || free(&station, &[]), 3, &words);
    refused(&station, || free(&station, &["--yes"]), 3, &[other.as_str(), "--replace"]);
    let words = [held.as_str(), "cannot be given up before its successor works", "name the other key"];
    refused(&station, || free(&station, &["--replace", &held]), 3, &words);
    free(&station, &["--replace", "AKIAUNKNOWN000000001"]).expect(3);
    let json = free(&station, &["--json", "--replace", &other]).expect(0).json();
    assert_eq!(rotation(&json)["deleted"], serde_json::json!([other]));
    assert!(station.sandbox.key(&other).is_none());
}

#[test]
fn an_inactive_key_of_somebody_blocks_until_it_is_named() {
    for status in ["Inactive", "Expired"] {
        let station = station();
        let (other, _) = station.sandbox.seed_key("alice", station.sandbox.now(), status);
        let words = [other.as_str(), status, "is not ours", "no use recorded"];
        refused(&station, || free(&station, &[]), 3, &words);
        free(&station, &["--replace", &other]).expect(0);
    }
}

#[test]
fn a_key_that_is_gone_or_off_is_told_with_the_way_back() {
    let station = station();
    let held = station.held_id();
    station.sandbox.set_status(&held, "Inactive");
    let words = [held.as_str(), "is not accepted", "--auth-profile", "keyrot-me import"];
    refused(&station, || free(&station, &[]), 9, &words);
    station.sandbox.delete_key(&held);
    refused(&station, || station.run(&["rotate", "--no-mfa"]), 9, &words);
    let json = station.run(&["rotate", "--json", "--no-mfa"]).expect(9).json();
    assert_eq!(json["rotations"][0]["outcome"], "blocked", "{json}");
    assert_eq!(json["rotations"][0]["error"]["exit_code"], 9);
}

#[test]
fn a_wrong_secret_is_told_and_not_shown() {
    let station = station();
    let key = station.sandbox.keys_of("alice").remove(0);
    station.write_credentials(station.credentials().replace(&key.secret, "wrong+secret/wrong+secret/wrong+secret40"));
    let words = [key.id.as_str(), "SignatureDoesNotMatch"];
    let ran = refused(&station, || station.run(&["rotate", "--no-mfa"]), 9, &words);
    assert!(!ran.stderr.contains("wrong+secret"), "{}", ran.stderr);
}

#[test]
fn what_iam_denies_is_named() {
    let station = station();
    station.sandbox.deny("CreateAccessKey");
    let words = ["IAM does not permit it", "iam:CreateAccessKey", "AccessDenied", "self-service.json"];
    refused_writes(&station, || free(&station, &[]), 6, &words);
    let listing = super::station();
    listing.sandbox.deny("ListAccessKeys");
    refused(&listing, || free(&listing, &[]), 6, &["iam:ListAccessKeys"]);
}

#[test]
fn an_unfinished_rotation_is_reported_and_the_next_run_goes_on() {
    let station = station();
    let old = station.held_id();
    station.sandbox.fault("UpdateAccessKey", Always, Fault::denied());
    let json = free(&station, &["--json"]).expect(5).json();
    let unfinished = rotation(&json);
    assert_eq!((unfinished["outcome"].as_str(), unfinished["old_key"].as_str()), (Some("unfinished"), Some("active")));
    assert_eq!(unfinished["old_access_key_id"], old.as_str());
    assert!(unfinished["error"]["hint"].as_str().unwrap().contains("keyrot-me rotate"), "{json}");
    let ran = station.run(&["status"]).expect(0);
    assert!(ran.stdout.contains(&format!("a rotation of {old} is unfinished")), "{}", ran.stdout);
    refused(&station, || station.run(&["finish"]), 5, &["unfinished", "`keyrot-me rotate`"]);
    station.sandbox.clear_faults();
    let json = free(&station, &["--json", "--if-older-than", "90d"]).expect(0).json();
    assert_eq!(rotation(&json)["outcome"], "rotated", "an age gate does not keep it from being resumed");
    assert_eq!(station.sandbox.key(&old).unwrap().status, "Inactive");
}

#[test]
fn a_root_key_or_a_roles_is_refused() {
    let station = station();
    for arn in ["arn:aws:iam::123456789012:root", "arn:aws:sts::123456789012:assumed-role/admin/me"] {
        let sts = FakeSts::start(move |_| arn.to_owned());
        let act = || Ran::from(sts.command(&station, &["rotate", "--no-mfa"]).output().unwrap());
        refused_before_any_call(&station, act, 2, &[arn, "no IAM user"]);
    }
}

/// I8, before S7 and before S9: whose key it is, is compared at every proof.
#[test]
fn a_new_key_that_belongs_to_somebody_else_is_not_trusted() {
    for other in ["arn:aws:iam::123456789012:user/bob", "arn:aws:iam::210987654321:user/alice"] {
        let station = station();
        let old = station.held_id();
        let sts = FakeSts::start({
            let (old, own) = (old.clone(), station.sandbox.user_arn("alice"));
            move |request| if request.contains(&old) { own.clone() } else { other.to_owned() }
        });
        let before = station.credentials();
        let ran = Ran::from(sts.command(&station, &["rotate", "--no-mfa"]).output().unwrap()).expect(3);
        assert!(ran.stderr.contains(other) && ran.stderr.contains("it was not stored"), "{}", ran.stderr);
        assert_eq!(station.credentials(), before);
        assert_eq!(station.sandbox.key(&old).unwrap().status, "Active");
    }
}

#[test]
fn a_stored_key_that_turns_out_to_be_somebody_elses_leaves_the_old_one_on() {
    let station = station();
    let old = station.held_id();
    // The first proof is the old key's, three are the new key's, the fifth is that of the stored one.
    let sts = FakeSts::start({
        let (own, mut asked) = (station.sandbox.user_arn("alice"), 0);
        move |_| {
            asked += 1;
            if asked <= 4 { own.clone() } else { "arn:aws:iam::123456789012:user/bob".to_owned() }
        }
    });
    let ran = Ran::from(sts.command(&station, &["rotate", "--no-mfa"]).output().unwrap()).expect(3);
    assert!(ran.stderr.contains("user/bob") && !ran.stderr.contains("not stored"), "{}", ran.stderr);
    assert_ne!(station.held_id(), old);
    assert_eq!(station.sandbox.key(&old).unwrap().status, "Active");
    assert_eq!(station.sandbox.count("UpdateAccessKey"), 0);
}
