//! `--auth-profile`: where the credentials may come from, what they are called for, and every refusal.

use super::*;
use crate::sandbox::{ADMINISTRATOR, Always, Fault, HOME, MFA_DEMANDED, OWN_KEYS};

pub const SELF_SERVICE: &str = include_str!("../../packaging/iam/self-service.json");
pub const ACCOUNT_2: &str = "210987654321";

/// Profile `login`: what `aws login` leaves behind for alice. The sandbox plays no sign-in service: nothing is renewed.
pub fn sign_in(station: &Workstation) -> String {
    sign_in_as(station, "alice", true, "2099-01-01T00:00:00Z")
}

pub fn sign_in_as(station: &Workstation, user: &str, mfa: bool, until: &str) -> String {
    let (id, secret, token) = station.sandbox.sign_in(user, mfa);
    let arn = station.sandbox.user_arn(user);
    config(station, &format!("[profile login]\nlogin_session = {arn}\n"));
    let cache = station.path(".aws/login/cache");
    std::fs::create_dir_all(&cache).unwrap();
    std::fs::write(cache.join(format!("{}.json", sha256(&arn))), cached(&id, &secret, &token, until)).unwrap();
    id
}

/// As the AWS CLI writes it (aws-config, `login/cache.rs`).
fn cached(id: &str, secret: &str, token: &str, until: &str) -> String {
    serde_json::json!({
        "accessToken": {
            "accessKeyId": id, "secretAccessKey": secret, "sessionToken": token,
            "accountId": HOME, "expiresAt": until,
        },
        "tokenType": "aws_sigv4", "refreshToken": "nothing", "idToken": "nothing",
        "clientId": "arn:aws:signin:::devtools/same-device", "dpopKey": "nothing",
    })
    .to_string()
}

fn sha256(text: &str) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// Profile `boss`: the static key of an administrator.
pub fn boss(station: &Workstation) -> (String, String) {
    station.sandbox.add_user("boss");
    station.sandbox.set_policies("boss", &[ADMINISTRATOR]);
    let (id, secret) = station.sandbox.seed_key("boss", station.sandbox.now(), "Active");
    let section = format!("\n[boss]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    station.write_credentials(station.credentials() + &section);
    (id, secret)
}

/// Profile `role`, which `boss` takes on.
pub fn role(station: &Workstation, policies: &[&str]) {
    boss(station);
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole",
            "Principal":{{"AWS":"arn:aws:iam::{HOME}:root"}}}}]}}"#
    );
    let arn = station.sandbox.add_role(HOME, "keys", &trust, policies);
    config(station, &format!("[profile role]\nrole_arn = {arn}\nsource_profile = boss\n"));
}

fn rotates(station: &Workstation, profile: &str) {
    let (before, old) = (station.credentials(), station.sandbox.keys_of("alice").remove(0));
    station.sandbox.clear_calls();
    let ran = station.run(&["rotate", "--auth-profile", profile]).expect(0);
    no_secret(station, &ran);
    let [retired, new] = &station.sandbox.keys_of("alice")[..] else { panic!("not two keys") };
    assert_eq!(
        (retired.id.as_str(), retired.status.as_str(), new.status.as_str()),
        (old.id.as_str(), "Inactive", "Active")
    );
    assert_eq!(station.credentials(), before.replace(&old.id, &new.id).replace(&old.secret, &new.secret));
    for call in station.sandbox.calls().iter().filter(|call| WRITES.contains(&call.action.as_str())) {
        assert!(call.key_id != old.id && call.key_id != new.id, "{call:?}");
        assert_eq!(call.parameters["UserName"], "alice");
    }
    assert_eq!(station.sandbox.count("GetSessionToken"), 0);
}

#[test]
fn a_role_signs() {
    let station = station();
    role(&station, &[ADMINISTRATOR]);
    rotates(&station, "role");
    assert_eq!(station.sandbox.count("AssumeRole"), 1);
}

#[test]
fn an_administrators_key_signs() {
    let station = station();
    boss(&station);
    rotates(&station, "boss");
    assert_eq!(station.sandbox.keys_of("boss").len(), 1, "and gets no key itself");
}

#[cfg(unix)]
#[test]
fn a_programs_credentials_sign() {
    let station = station();
    let (id, secret) = boss(&station);
    std::fs::write(
        station.path("handed"),
        format!(r#"{{"Version":1,"AccessKeyId":"{id}","SecretAccessKey":"{secret}"}}"#),
    )
    .unwrap();
    config(&station, &format!("[profile program]\ncredential_process = cat {}\n", station.path("handed").display()));
    rotates(&station, "program");
}

#[test]
fn aws_login_signs_and_its_mfa_counts() {
    let station = station();
    station.sandbox.set_policies("alice", &[OWN_KEYS, MFA_DEMANDED]);
    sign_in(&station);
    rotates(&station, "login");
}

#[test]
fn it_rolls_back_and_finishes_too() {
    let station = station();
    role(&station, &[ADMINISTRATOR]);
    let before = station.credentials();
    station.run(&["rotate", "--auth-profile", "role"]).expect(0);
    station.run(&["rollback", "--auth-profile", "role"]).expect(0);
    assert_eq!(station.credentials(), before);
    station.run(&["finish", "--now", "--auth-profile", "role"]).expect(0);
    let keys = station.sandbox.keys_of("alice");
    assert_eq!((keys.len(), keys[0].status.as_str()), (1, "Active"));
}

/// Action and who signs.
const CALLS: [(&str, &str, &str); 14] = [
    ("GetCallerIdentity", "old", "whose key it is, whether it works, and how the clocks compare"),
    ("GetCallerIdentity", "other", "that the other profile is of the same account"),
    ("ListAccessKeys", "other", "S2, and whether it may act on that user at all"),
    ("CreateAccessKey", "other", "S4"),
    ("GetCallerIdentity", "new", "S6: first of three proofs at STS: same account, same ARN (I8)"),
    ("ListAccessKeys", "new", "S6: and at IAM, which learns of new keys by itself"),
    ("GetCallerIdentity", "new", "S6: second"),
    ("ListAccessKeys", "new", "S6: second"),
    ("GetCallerIdentity", "new", "S6: third"),
    ("ListAccessKeys", "new", "S6: third"),
    ("GetCallerIdentity", "new", "S8: the key as it was read back from the file"),
    ("ListAccessKeys", "other", "S9: immediately before the old key goes off, the new one must be Active"),
    ("UpdateAccessKey", "other", "S9: the old key goes off"),
    ("GetCallerIdentity", "new", "S9b: the new key works without the old one"),
];

#[test]
fn a_rotation_of_a_live_key_makes_these_fourteen_calls() {
    let station = station();
    let old = station.held_id();
    let other = sign_in(&station);
    station.sandbox.clear_calls();
    station.run(&["rotate", "--auth-profile", "login"]).expect(0);
    let signer = |id: &str| match id {
        id if id == old => "old",
        id if id == other => "other",
        _ => "new",
    };
    let made: Vec<_> = station.sandbox.calls().into_iter().map(|call| (call.action, signer(&call.key_id))).collect();
    let expected: Vec<_> = CALLS.iter().map(|(action, signer, _)| ((*action).to_owned(), *signer)).collect();
    assert_eq!(made, expected);
}

#[test]
fn nothing_to_do_costs_three_calls() {
    let station = station();
    sign_in(&station);
    station.run(&["rotate", "--auth-profile", "login", "--if-older-than", "90d"]).expect(0);
    assert_eq!(actions(&station), ["GetCallerIdentity", "GetCallerIdentity", "ListAccessKeys"]);
}

#[test]
fn a_dry_run_asks_the_other_profile_and_changes_nothing() {
    let station = station();
    sign_in(&station);
    let ran = refused_nothing(&station, &["rotate", "--dry-run", "--auth-profile", "login"]);
    assert!(ran.stdout.contains("create a new key"), "{}", ran.stdout);
}

#[track_caller]
fn refused_nothing(station: &Workstation, arguments: &[&str]) -> Ran {
    let before = Scene::of(station);
    let ran = station.run(arguments).expect(0);
    assert_eq!(before, Scene::of(station));
    ran
}

#[test]
fn what_is_wrong_with_the_profile_is_found_before_any_call() {
    let station = station();
    sign_in(&station);
    let by = |profile| station.run(&["rotate", "--auth-profile", profile]);
    refused_before_any_call(&station, || by("logan"), 2, &["no profile 'logan'", "did you mean 'login'?"]);
    refused_before_any_call(&station, || by("default"), 2, &["'default'", "which is to be rotated itself", "--no-mfa"]);
    config(&station, "[profile empty]\nregion = eu-west-1\n");
    refused_before_any_call(&station, || by("empty"), 2, &["'empty' holds no credentials", "aws login"]);
    config(
        &station,
        "[profile one]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = two\n\
         [profile two]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = one\n\
         [profile lost]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = nowhere\n",
    );
    refused_before_any_call(&station, || by("one"), 2, &["circle: one -> two -> one"]);
    refused_before_any_call(&station, || by("lost"), 2, &["'nowhere', which 'lost' names as its source_profile"]);
    for flag in [&["--mfa-code", "123456"][..], &["--mfa-command", "true"], &["--mfa-serial", "x"], &["--no-mfa"]] {
        for command in ["rotate", "finish", "rollback"] {
            let words = [&[command, "--auth-profile", "login"], flag].concat();
            let ran = refused_before_any_call(&station, || station.run(&words), 2, &["--auth-profile", flag[0]]);
            assert!(ran.stderr.contains("cannot be used with"), "{}", ran.stderr);
        }
    }
}

#[test]
fn what_a_program_says_on_its_standard_error_is_not_repeated() {
    let station = station();
    let program = station.path("hand-out");
    std::fs::write(&program, "#!/bin/sh\necho 'seed JBSWY3DP code 123456' >&2\nexit 3\n").unwrap();
    crate::workstation::set_mode(&program, 0o700);
    config(&station, &format!("[profile leaky]\ncredential_process = {}\n", program.display()));
    let ran = station.run(&["rotate", "--auth-profile", "leaky", "-vv"]).expect(9);
    assert!(ran.stderr.contains("leaky") && ran.stderr.contains("by itself"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("JBSWY3DP") && !ran.stderr.contains("123456"), "{}", ran.stderr);
}

#[test]
fn an_expired_or_missing_sign_in_names_the_command_that_renews_it() {
    let station = station();
    config(
        &station,
        "[profile sso]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = r\n\
         [sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n\
         [profile by-sso]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = sso\n",
    );
    let cache = station.path(".aws/sso/cache");
    std::fs::create_dir_all(&cache).unwrap();
    let token = r#"{"accessToken":"nothing","expiresAt":"2020-01-01T00:00:00Z"}"#;
    for profile in ["sso", "by-sso"] {
        for expired in [false, true] {
            if expired {
                std::fs::write(cache.join(format!("{}.json", sha1("corp"))), token).unwrap();
            }
            let act = || station.run(&["rotate", "--auth-profile", profile]);
            refused_before_any_call(&station, act, 9, &[profile, "sign in first: aws sso login --profile sso"]);
        }
    }
}

/// The name of `corp`'s token in the SDK's cache.
fn sha1(session: &str) -> &'static str {
    assert_eq!(session, "corp");
    "ee0bfd2552fbd840c02cc48b6e823320543c450f"
}

#[test]
fn an_expired_aws_login_names_the_command_that_renews_it() {
    let station = station();
    sign_in_as(&station, "alice", true, "2020-01-01T00:00:00Z");
    // Where its renewal goes: nobody is there.
    let by_login = || {
        let mut command = station.command(&["rotate", "--auth-profile", "login"]);
        Ran::from(command.env("AWS_ENDPOINT_URL_SIGNIN", "http://127.0.0.1:1").output().unwrap())
    };
    refused_before_any_call(&station, by_login, 9, &["profile 'login'", "sign in first: aws login --profile login"]);
    std::fs::remove_dir_all(station.path(".aws/login")).unwrap();
    refused_before_any_call(&station, by_login, 9, &["profile 'login'", "sign in first: aws login --profile login"]);
}

#[test]
fn credentials_that_sts_refuses_change_nothing() {
    let station = station();
    sign_in(&station);
    station.sandbox.expire_sessions();
    let words = ["the sign-in of profile 'login' is over", "aws login --profile login"];
    refused(&station, || station.run(&["rotate", "--auth-profile", "login"]), 9, &words);
    boss(&station);
    station.sandbox.keys_of("boss").iter().for_each(|key| station.sandbox.delete_key(&key.id));
    let words = ["the credentials of profile 'boss' are not accepted", "aws sts get-caller-identity --profile boss"];
    refused(&station, || station.run(&["rotate", "--auth-profile", "boss"]), 9, &words);
}

#[test]
fn a_user_of_the_same_name_in_another_account_is_never_touched() {
    let station = station();
    station.sandbox.add_account(ACCOUNT_2);
    station.sandbox.add_user((ACCOUNT_2, "alice"));
    station.sandbox.set_policies((ACCOUNT_2, "alice"), &[SELF_SERVICE]);
    station.sandbox.seed_key((ACCOUNT_2, "alice"), station.sandbox.now(), "Active");
    let (id, secret, token) = station.sandbox.sign_in((ACCOUNT_2, "alice"), true);
    config(
        &station,
        &format!(
            "[profile elsewhere-login]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\naws_session_token = {token}\n"
        ),
    );
    let words = ["alice in account 210987654321", "of account 123456789012", "--auth-profile"];
    for command in ["rotate", "finish", "rollback"] {
        refused(&station, || station.run(&[command, "--auth-profile", "elsewhere-login", "--yes"]), 9, &words);
    }
    // A key that is gone is no reason to take the other alice's.
    let gone = station.held_id();
    station.sandbox.delete_key(&gone);
    refused(&station, || station.run(&["rotate", "--auth-profile", "elsewhere-login", "--yes"]), 9, &words);
    assert_eq!(station.sandbox.keys_of((ACCOUNT_2, "alice")).len(), 1);
}

#[test]
fn a_user_without_permission_is_told_what_would_permit_it() {
    let station = station();
    sign_in_as(&station, "bob", true, "2099-01-01T00:00:00Z");
    let words =
        ["IAM does not permit it to bob (profile 'login')", "iam:ListAccessKeys", "packaging/iam/self-service.json"];
    refused(&station, || station.run(&["rotate", "--auth-profile", "login"]), 6, &words);
    refused(&station, || station.run(&["rotate", "--dry-run", "--auth-profile", "login"]), 6, &words);
    assert_eq!(station.sandbox.count("ListAccessKeys"), 2, "the first list is the probe");
}

#[test]
fn a_session_without_mfa_is_explained() {
    let station = station();
    sign_in_as(&station, "alice", false, "2099-01-01T00:00:00Z");
    let words = ["STS accepts alice (profile 'login'), and IAM does not", "without MFA", "aws login --profile login"];
    refused(&station, || station.run(&["rotate", "--auth-profile", "login"]), 6, &words);
}

#[test]
fn a_sign_in_that_ends_in_the_middle_leaves_it_to_the_next_run() {
    let station = station();
    sign_in(&station);
    let control = station.sandbox.control();
    station.sandbox.after_call(move |call| {
        if call.action == "CreateAccessKey" {
            control.expire_sessions();
        }
    });
    let ran = station.run(&["rotate", "--auth-profile", "login"]).expect(5);
    assert!(ran.stderr.contains("aws login --profile login"), "{}", ran.stderr);
    station.sandbox.clear_hooks();
    sign_in(&station);
    station.run(&["rotate", "--auth-profile", "login"]).expect(0);
    assert_eq!(station.sandbox.count("CreateAccessKey"), 1);
}

#[test]
fn the_key_that_signs_is_never_given_up() {
    let station = station();
    // The second of alice's own keys, in a profile of its own.
    let (id, secret) = station.sandbox.seed_key("alice", station.sandbox.now(), "Active");
    config(&station, &format!("[profile second]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"));
    let replace = || station.run(&["rotate", "--auth-profile", "second", "--replace", &id]);
    refused_before_any_call(&station, replace, 2, &[&id, "cannot be given up", "signs with it"]);
}

#[test]
fn a_lack_of_one_right_stops_before_anything_is_begun_or_is_told() {
    let station = station();
    sign_in(&station);
    station.sandbox.fault("CreateAccessKey", Always, Fault::denied());
    let ran = station.run(&["rotate", "--auth-profile", "login"]).expect(6);
    assert!(ran.stderr.contains("CreateAccessKey"), "{}", ran.stderr);
    station.sandbox.clear_faults();
    station.sandbox.fault("UpdateAccessKey", Always, Fault::denied());
    let ran = station.run(&["rotate", "--auth-profile", "login"]).expect(5);
    assert!(ran.stderr.contains("UpdateAccessKey"), "{}", ran.stderr);
    station.sandbox.clear_faults();
    station.run(&["rotate", "--auth-profile", "login"]).expect(0);
}
