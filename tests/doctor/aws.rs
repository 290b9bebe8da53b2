//! Keys, MFA devices, permissions and the clock as AWS tells them, broken.

use std::time::Duration;

use chrono::TimeDelta;

use super::*;
use crate::sandbox::{Always, Fault, OWN_KEYS};

#[test]
fn no_way_to_aws_is_one_finding() {
    let station = healthy();
    let mut command = station.command(&["doctor", "--json"]);
    // A port that nobody listens on.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    command.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"));
    let all = checks(&Ran::from(command.output().unwrap()));
    only(&all, "network", "problem", &["AWS gives no answer", "nothing can be rotated"]);
}

#[test]
fn a_key_that_is_gone() {
    let station = healthy();
    station.sandbox.delete_key(&station.held_id());
    let finding = only(&doctor(&station, &[]), "sign-in", "problem", &["is not accepted", "InvalidClientTokenId"]);
    assert_eq!(fix(&finding), "keyrot-me rotate --auth-profile login --yes");
    crate::cli::auth_profile::sign_in(&station);
    mend(&station, &finding, "");
    nothing_wrong(&station);
}

#[test]
fn a_key_that_is_off_and_still_works() {
    let station = healthy();
    station.sandbox.revocation_delay(Duration::from_secs(3600));
    station.sandbox.set_status(&station.held_id(), "Inactive");
    only(&doctor(&station, &[]), "keys", "problem", &["is Inactive at IAM", "stops working"]);
}

#[test]
fn a_clock_that_is_off() {
    let station = healthy();
    station.sandbox.accept_any_clock();
    station.sandbox.advance(Duration::from_secs(120));
    let finding = only(&doctor(&station, &[]), "clock", "note", &["behind AWS's", "codes"]);
    assert_eq!(fix(&finding), "timedatectl set-ntp true");
    station.sandbox.advance(Duration::from_secs(600));
    only(&doctor(&station, &[]), "clock", "problem", &["12 min behind AWS's", "no rotation begins"]);
}

#[test]
fn an_old_key_is_due_and_over_the_limit() {
    let station = healthy();
    station.sandbox.set_created(&station.held_id(), station.sandbox.now() - TimeDelta::days(40));
    only(&doctor(&station, &[]), "key-age", "note", &["40 d old", "it is due"]);
    station.settings(
        "[rotation]\nsettle = { every = \"0s\" }\n[purge]\nlimit = \"5d\"\nat = \"Fri 23:55\"\ntimezone = \"Europe/Berlin\"\n",
    );
    let words = ["40 d old: purge", "over the limit", "switches it off"];
    let finding = only(&doctor(&station, &[]), "key-age", "problem", &words);
    mend_with_code(&station, &finding);
    nothing_wrong(&station);
}

#[test]
fn a_second_key_that_is_nobodys_here() {
    let station = healthy();
    let made = station.sandbox.now() - TimeDelta::days(9);
    for status in ["Inactive", "Active"] {
        let (id, _) = station.sandbox.seed_key("alice", made, status);
        station.sandbox.set_last_used(&id, made + TimeDelta::days(1), "s3", "eu-west-1");
        let words = [&*id, status, "9 d old", "last used", "by s3", "no profile here holds it"];
        let finding = only(&doctor(&station, &[]), "keys", "problem", &words);
        assert_eq!(fix(&finding), format!("keyrot-me rotate --replace {id}"));
        mend(&station, &finding, &format!("--yes --mfa-code {}", station.sandbox.next_totp("alice")));
        nothing_wrong(&station);
        let retired = station.sandbox.keys_of("alice").into_iter().find(|key| key.status == "Inactive").unwrap();
        station.sandbox.delete_key(&retired.id);
        fs::remove_dir_all(station.state()).unwrap();
    }
}

#[test]
fn a_second_key_in_another_profile_is_told_with_it() {
    let station = healthy();
    let (id, secret) = station.sandbox.seed_key("alice", station.sandbox.now(), "Active");
    let text = station.credentials().replace("AKIAELSEWHERE0000001", &id).replace("not/a/real+secret", &secret);
    station.write_credentials(text);
    found(&doctor(&station, &[]), "keys", "problem", &[&id, "profile elsewhere holds it"]);
}

#[test]
fn a_retired_key_past_its_grace_and_one_that_is_on_again() {
    let station = healthy();
    let old = station.held_id();
    station.rotate(&[]).expect(0);
    nothing_wrong(&station);
    station.sandbox.set_status(&old, "Active");
    let finding = only(&doctor(&station, &[]), "keys", "problem", &[&old, "is on again", "somebody needs it"]);
    assert_eq!(fix(&finding), format!("aws iam update-access-key --status Inactive --access-key-id {old}"));
    station.sandbox.set_status(&old, "Inactive");
    station.settings("[rotation]\nretire_after = \"0s\"\n");
    let finding = only(&doctor(&station, &[]), "keys", "note", &[&old, "past its grace"]);
    assert_eq!(fix(&finding), "keyrot-me finish");
    mend_with_code(&station, &finding);
    nothing_wrong(&station);
}

#[test]
fn mfa_devices_that_do_not_serve() {
    let station = healthy();
    station.sandbox.remove_devices("alice");
    only(&doctor(&station, &[]), "mfa-device", "problem", &["has no MFA device"]);
    station.sandbox.add_passkey("alice");
    let finding = only(&doctor(&station, &[]), "mfa-device", "problem", &["passkeys or security keys only", "TOTP"]);
    assert_eq!(fix(&finding), "keyrot-me rotate --auth-profile login");
    let serial = station.sandbox.add_totp("alice");
    nothing_wrong(&station);
    station.settings("[mfa]\nserial = \"arn:aws:iam::123456789012:mfa/lost\"\n");
    let words = ["mfa/lost is none of the user's", &*serial];
    only(&doctor(&station, &[]), "mfa-device", "problem", &words);
    station.settings(&format!("[mfa]\nserial = \"{serial}\"\n"));
    nothing_wrong(&station);
    station.sandbox.add_totp(("123456789012", "alice"));
    station.settings("");
    let finding = only(&doctor(&station, &[]), "mfa-device", "problem", &["2 MFA devices and none is configured"]);
    assert_eq!(fix(&finding), format!("keyrot-me rotate --mfa-serial {serial}"));
    let without = doctor(&station, &["--no-mfa"]);
    assert!(findings(&without).iter().all(|check| check["check"] != "mfa-device"), "none is needed: {without:#?}");
}

#[test]
fn writes_that_are_permitted_without_mfa() {
    let station = healthy();
    station.sandbox.set_policies("alice", &[OWN_KEYS]);
    let words = ["permits UpdateAccessKey and DeleteAccessKey without MFA", "should demand MFA"];
    let finding = only(&doctor(&station, &[]), "permissions", "note", &words);
    assert!(fix(&finding).contains("self-service.json") && fix(&finding).contains("alice"), "{finding}");
    let all = doctor(&station, &["--no-mfa"]);
    assert!(all.iter().all(|check| check["check"] != "permissions" || check["state"] == "ok"), "{all:#?}");
}

#[test]
fn writes_that_are_refused_with_mfa() {
    let station = healthy();
    station.sandbox.fault("DeleteAccessKey", Always, Fault::denied());
    nothing_wrong(&station);
    let code = station.sandbox.next_totp("alice");
    let words = ["IAM refuses DeleteAccessKey", "two keys work"];
    let finding = only(&doctor(&station, &["--mfa-code", &code]), "permissions", "problem", &words);
    assert!(fix(&finding).starts_with("aws iam put-user-policy"), "{finding}");
    station.sandbox.clear_faults();
    let all = doctor(&station, &["--no-mfa"]);
    found(&all, "permissions", "problem", &["IAM refuses UpdateAccessKey and DeleteAccessKey"]);
}

#[test]
fn reads_that_are_refused() {
    let station = healthy();
    for (action, why) in [
        ("ListAccessKeys", "status knows only what the journal knows"),
        ("GetAccessKeyLastUsed", "nobody can say whether a key is in use"),
        ("ListMFADevices", "the MFA device has to be configured"),
    ] {
        station.sandbox.fault(action, Always, Fault::denied());
        only(&doctor(&station, &[]), "permissions", "note", &[&format!("IAM refuses {action}"), why]);
        station.sandbox.clear_faults();
    }
}

#[test]
fn a_trail_that_may_not_be_read() {
    let station = healthy();
    station.sandbox.fault("LookupEvents", Always, Fault::denied());
    let code = station.sandbox.next_totp("alice");
    only(
        &doctor(&station, &["--mfa-code", &code]),
        "trail",
        "note",
        &["LookupEvents is refused", "waiting and asking"],
    );
}

#[test]
fn a_code_that_is_refused() {
    let station = healthy();
    let all = doctor(&station, &["--mfa-code", "000000"]);
    only(&all, "sign-in", "problem", &["no MFA session could be opened", "invalid MFA one time pass code"]);
    assert!(!format!("{all:?}").contains("000000"));
}

#[test]
fn a_profile_that_was_to_sign_and_cannot() {
    let station = healthy();
    config(&station, "[profile login]\nregion = us-east-1\n");
    let finding = found(&doctor(&station, &["--auth-profile", "login"]), "sign-in", "problem", &["login"]);
    assert_eq!(fix(&finding), "aws sts get-caller-identity --profile login");
}
