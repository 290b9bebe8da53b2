//! The rotation against moto.

use std::time::Duration;

use super::moto::{ALICE, Moto};
use crate::workstation::Ran;

/// What a user needs to rotate their own keys, written as far as moto understands policies.
const OWN_KEYS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*","Action":[
    "iam:ListAccessKeys","iam:CreateAccessKey","iam:UpdateAccessKey","iam:DeleteAccessKey",
    "iam:GetAccessKeyLastUsed","iam:ListMFADevices","sts:GetSessionToken"]}]}"#;

#[test]
fn a_key_rotates_itself_and_finish_deletes_the_old_one() {
    let Some(moto) = Moto::start() else { return };
    let old = moto.alice();
    let before = moto.credentials();
    let status = moto.run(&["status", "--json"]).expect(0).json();
    assert_eq!(status["keys"][0]["access_key_id"], old);
    assert_eq!(status["keys"][0]["status"], "Active");
    assert_eq!(status["keys"][0]["user"], ALICE);
    assert_eq!(status["keys"][0]["source"], "iam");

    let ran = moto.run(&["rotate", "--no-mfa", "--json"]).expect(0).json();
    let new = moto.held();
    assert_ne!(new, old);
    assert_eq!(ran["rotations"][0]["new_access_key_id"], new);
    assert_eq!(moto.keys(), both((&old, "Inactive"), (&new, "Active")));
    assert_eq!(without_keys(&moto.credentials()), without_keys(&before), "only the two values change");
    let status = moto.run(&["status", "--json"]).expect(0).json();
    let row = |id: &str| status["keys"].as_array().unwrap().iter().find(|key| key["access_key_id"] == id).unwrap();
    assert_eq!(row(&old)["status"], "Inactive");
    assert_eq!(row(&new)["profiles"][0], "default");
    assert!(row(&new)["last_used"]["service"].is_string(), "{status}");

    moto.run(&["finish", "--no-mfa"]).expect(0);
    assert_eq!(moto.keys().len(), 2, "the grace is not over");
    moto.run(&["finish", "--now", "--no-mfa"]).expect(0);
    assert_eq!(moto.keys(), [(new, "Active".to_owned())]);
}

#[test]
fn with_a_code_a_session_signs_and_rollback_puts_everything_back() {
    let Some(moto) = Moto::start() else { return };
    let old = moto.alice();
    let serial = moto.give_alice_a_device();
    let before = moto.credentials();
    moto.run(&["rotate", "--mfa-code", "123456"]).expect(0);
    let new = moto.held();
    assert_eq!(moto.keys(), both((&old, "Inactive"), (&new, "Active")));
    moto.run(&["rollback", "--mfa-code", "123457", "--mfa-serial", &serial]).expect(0);
    assert_eq!(moto.credentials(), before);
    assert_eq!(moto.keys(), both((&old, "Active"), (&new, "Inactive")));
    moto.run(&["finish", "--now", "--mfa-code", "123458"]).expect(0);
    assert_eq!(moto.keys(), [(old, "Active".to_owned())]);
}

#[test]
fn a_key_that_is_young_enough_is_left_alone_and_one_past_the_age_is_not() {
    let Some(moto) = Moto::start() else { return };
    let old = moto.alice();
    let ran = moto.run(&["rotate", "--if-older-than", "5d"]).expect(0);
    assert!(ran.stdout.contains("nothing to do"), "{}", ran.stdout);
    assert_eq!(moto.keys(), [(old.clone(), "Active".to_owned())]);
    std::thread::sleep(Duration::from_millis(1100));
    moto.run(&["rotate", "--if-older-than", "1s", "--no-mfa"]).expect(0);
    assert_ne!(moto.held(), old);
}

#[test]
fn a_second_rotation_inside_the_grace_needs_a_yes() {
    let Some(moto) = Moto::start() else { return };
    let first = moto.alice();
    moto.run(&["rotate", "--no-mfa"]).expect(0);
    let second = moto.held();
    let ran = moto.run(&["rotate", "--no-mfa"]).expect(3);
    assert!(ran.stderr.contains(&first), "{}", ran.stderr);
    assert_eq!(moto.keys(), both((&first, "Inactive"), (&second, "Active")));
    moto.run(&["rotate", "--no-mfa", "--yes"]).expect(0);
    assert_eq!(moto.keys(), both((&second, "Inactive"), (&moto.held(), "Active")));
}

#[test]
fn a_key_of_another_machine_fills_the_quota_until_the_user_names_it() {
    let Some(moto) = Moto::start() else { return };
    let old = moto.alice();
    let (other, _) = moto.admin.create_key(ALICE);
    let before = moto.credentials();
    // Not even an agreement to everything picks one of two keys that are in use.
    let ran = moto.run(&["rotate", "--no-mfa", "--yes"]).expect(3);
    assert!(ran.stderr.contains(&other), "{}", ran.stderr);
    assert_eq!(moto.credentials(), before);
    assert_eq!(moto.keys(), both((&old, "Active"), (&other, "Active")));
    moto.run(&["rotate", "--no-mfa", "--replace", &other]).expect(0);
    assert_eq!(moto.keys(), both((&old, "Inactive"), (&moto.held(), "Active")));
}

#[test]
fn with_signatures_checked_every_call_of_a_rotation_passes() {
    let Some(moto) = Moto::start() else { return };
    let old = moto.alice();
    moto.admin.put_policy(ALICE, OWN_KEYS);
    let before = moto.credentials();
    let moto = moto.enforced();
    moto.run(&["rotate", "--no-mfa"]).expect(0);
    let new = moto.held();
    assert_eq!(moto.keys(), both((&old, "Inactive"), (&new, "Active")));
    moto.run(&["rollback", "--no-mfa"]).expect(0);
    assert_eq!(moto.credentials(), before);
    moto.run(&["rotate", "--no-mfa", "--yes"]).expect(0);
    moto.run(&["finish", "--now", "--no-mfa"]).expect(0);
    assert_eq!(moto.keys(), [(moto.held(), "Active".to_owned())]);
    // The first key is deleted by now, and refused as AWS refuses it.
    moto.write_credentials(&before);
    stops(&moto.run(&["status"]));
    stops(&moto.run(&["rotate", "--no-mfa"]));
}

#[test]
fn a_wrong_secret_changes_nothing() {
    let Some(moto) = Moto::start() else { return };
    let old = moto.alice();
    moto.admin.put_policy(ALICE, OWN_KEYS);
    let moto = moto.enforced();
    moto.run(&["status"]).expect(0);
    let text = moto.credentials();
    let secret = text.lines().find(|line| line.starts_with("aws_secret_access_key")).unwrap();
    moto.write_credentials(&text.replace(secret, "aws_secret_access_key = not/the/secret"));
    stops(&moto.run(&["status"]));
    stops(&moto.run(&["rotate", "--no-mfa"]));
    assert_eq!(moto.keys(), [(old, "Active".to_owned())]);
}

#[test]
fn a_lack_of_rights_changes_nothing() {
    let Some(moto) = Moto::start() else { return };
    let old = moto.alice();
    let before = moto.credentials();
    let moto = moto.enforced();
    stops(&moto.run(&["rotate", "--no-mfa"]));
    assert_eq!(moto.credentials(), before);
    assert_eq!(moto.keys(), [(old, "Active".to_owned())]);
}

#[test]
fn a_session_that_nobody_accepts_creates_nothing() {
    let Some(moto) = Moto::start() else { return };
    let old = moto.alice();
    moto.give_alice_a_device();
    moto.admin.put_policy(ALICE, OWN_KEYS);
    let before = moto.credentials();
    let moto = moto.enforced();
    stops(&moto.run(&["rotate", "--mfa-code", "123456"]));
    assert_eq!(moto.credentials(), before);
    assert_eq!(moto.keys(), [(old, "Active".to_owned())]);
    // Nothing was begun: the next run, signed by the key itself, needs no help.
    moto.run(&["rotate", "--no-mfa"]).expect(0);
}

/// moto's STS gives the role, and tells the key's account; its IAM does what the role asks for alice.
#[test]
fn a_role_rotates_the_key_of_another_user() {
    let Some(moto) = Moto::start() else { return };
    let old = moto.alice();
    moto.add_user("boss");
    let (boss, secret) = moto.admin.create_key("boss");
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
        "Principal":{"AWS":"arn:aws:iam::123456789012:root"}}]}"#;
    let role = moto.admin.iam.create_role().role_name("keys").assume_role_policy_document(trust);
    let arn = moto.admin.wait_for(role.send()).unwrap().role.unwrap().arn;
    let before = moto.credentials()
        + &format!("[boss]\naws_access_key_id={boss}\naws_secret_access_key={secret}\n")
        + &format!("[role]\nrole_arn={arn}\nsource_profile=boss\n");
    moto.write_credentials(&before);
    for command in [&["rotate"][..], &["rollback"], &["finish", "--now"]] {
        moto.run(&[command, &["--auth-profile", "role"]].concat()).expect(0);
    }
    assert_eq!(moto.credentials(), before);
    assert_eq!(moto.keys(), [(old, "Active".to_owned())]);
    assert_eq!(moto.admin.keys("boss").len(), 1);
}

/// With an error of its own: no success, no panic, no kill.
#[track_caller]
fn stops(ran: &Ran) {
    assert!(ran.code.is_some_and(|code| (1..=11).contains(&code)), "{ran:?}");
    assert!(ran.stderr.contains("HTTP 403"), "{}", ran.stderr);
}

fn both(a: (&str, &str), b: (&str, &str)) -> Vec<(String, String)> {
    let mut both = [a, b].map(|(id, status)| (id.to_owned(), status.to_owned())).to_vec();
    both.sort();
    both
}

fn without_keys(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with("aws_")).collect()
}
