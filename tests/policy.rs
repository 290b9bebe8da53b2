//! packaging/iam/self-service.json: enough for everything, nothing in it unused, nobody else's keys, no write
//! without MFA.

use std::time::Duration;

use serde_json::Value;

use crate::cli::auth_profile;
use crate::program;
use crate::sandbox::Fault;
use crate::workstation::Workstation;

const POLICY: &str = include_str!("../packaging/iam/self-service.json");

/// Scenarios by name; each says what went wrong, if anything.
type Scenario = fn(&Workstation) -> Result<(), String>;

/// Each action that the policy allows, with the scenario that breaks without it.
const NEEDED_BY: [(&str, &str, Scenario); 8] = [
    ("iam:CreateAccessKey", "a rotation", rotation),
    ("iam:ListAccessKeys", "a rotation", rotation),
    ("iam:UpdateAccessKey", "a rotation", rotation),
    ("iam:ListMFADevices", "a first rotation whose device nobody named", rotation),
    ("iam:DeleteAccessKey", "a finish", finish),
    ("iam:GetAccessKeyLastUsed", "the last use in status", last_use),
    ("cloudtrail:LookupEvents", "a create whose answer was lost", lost_create),
    ("sts:GetAccessKeyInfo", "a dead key of another account", key_of_another_account),
];

fn alice(policy: &str) -> Workstation {
    let station = Workstation::new(program());
    station.sandbox.set_policies("alice", &[policy]);
    station.sandbox.trail_delay(Duration::ZERO);
    station
}

fn run(station: &Workstation, arguments: &[&str]) -> Result<String, String> {
    let ran = station.run(arguments);
    if ran.code == Some(0) { Ok(ran.stdout) } else { Err(format!("{:?}: {}", ran.code, ran.stderr)) }
}

fn rotation(station: &Workstation) -> Result<(), String> {
    let code = station.sandbox.next_totp("alice");
    run(station, &["rotate", "--mfa-code", &code]).map(drop)
}

fn finish(station: &Workstation) -> Result<(), String> {
    rotation(station)?;
    let code = station.sandbox.next_totp("alice");
    run(station, &["finish", "--now", "--mfa-code", &code]).map(drop)
}

fn rollback(station: &Workstation) -> Result<(), String> {
    rotation(station)?;
    let code = station.sandbox.next_totp("alice");
    run(station, &["rollback", "--mfa-code", &code]).map(drop)
}

fn dry_run(station: &Workstation) -> Result<(), String> {
    run(station, &["rotate", "--dry-run"]).map(drop)
}

fn last_use(station: &Workstation) -> Result<(), String> {
    let json: Value = serde_json::from_str(&run(station, &["status", "--json"])?).unwrap();
    let key = json["keys"].as_array().unwrap().iter().find(|key| key["profiles"][0] == "default").unwrap();
    if key["source"] == "iam" && key["last_used"].is_object() { Ok(()) } else { Err(key.to_string()) }
}

/// The purge deleted the key; a sign-in with MFA at the console makes a fresh one.
fn way_back(station: &Workstation) -> Result<(), String> {
    station.sandbox.delete_key(&station.held_id());
    auth_profile::sign_in(station);
    run(station, &["rotate", "--auth-profile", "login", "--yes"]).map(drop)
}

/// Without the account's word a `--yes` would put alice's key into the profile of another account.
fn key_of_another_account(station: &Workstation) -> Result<(), String> {
    station.sandbox.add_account(auth_profile::ACCOUNT_2);
    let stranger = (auth_profile::ACCOUNT_2, "alice");
    station.sandbox.add_user(stranger);
    let (id, _) = station.sandbox.seed_key(stranger, station.sandbox.now(), "Active");
    station.write_credentials(station.credentials().replace(&station.held_id(), &id));
    station.sandbox.delete_key(&id);
    auth_profile::sign_in(station);
    let ran = station.run(&["rotate", "--auth-profile", "login", "--yes"]);
    if ran.code == Some(9) { Ok(()) } else { Err(format!("{:?}: {}", ran.code, ran.stderr)) }
}

/// Without CloudTrail's word the key would stay, for somebody to decide.
fn lost_create(station: &Workstation) -> Result<(), String> {
    station.settings("[rotation]\nsettle = { every = \"0s\" }\n");
    station.sandbox.fault("CreateAccessKey", 1, Fault::ErrorAfter(500));
    let code = station.sandbox.next_totp("alice");
    let mut child = station.command(&["rotate", "--quiet", "--mfa-code", &code]).spawn().unwrap();
    // Attributed, it goes on at once; else it waits for a fresh list first: the waiting says enough.
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return if status.success() { Ok(()) } else { Err(status.to_string()) };
        }
        let calls = station.sandbox.calls();
        if calls.iter().any(|call| call.action == "LookupEvents" && call.outcome.starts_with("AccessDenied")) {
            child.kill().and_then(|()| child.wait()).unwrap();
            return Err("CloudTrail was not to be asked".to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn policy() -> Value {
    serde_json::from_str(POLICY).unwrap()
}

/// All actions that some statement allows.
fn allowed(policy: &Value) -> Vec<String> {
    let allows = policy["Statement"].as_array().unwrap().iter().filter(|one| one["Effect"] == "Allow");
    allows.flat_map(|statement| texts(&statement["Action"])).collect()
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        many => many.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
    }
}

fn without(action: &str) -> String {
    let mut policy = policy();
    for statement in policy["Statement"].as_array_mut().unwrap().iter_mut().filter(|one| one["Effect"] == "Allow") {
        let left: Vec<String> = texts(&statement["Action"]).into_iter().filter(|one| one != action).collect();
        statement["Action"] = left.into();
    }
    policy.to_string()
}

#[test]
fn with_exactly_this_policy_everything_works() {
    for (name, scenario) in [
        ("rotation", rotation as Scenario),
        ("finish", finish),
        ("rollback", rollback),
        ("dry run", dry_run),
        ("last use", last_use),
        ("lost create", lost_create),
        ("way back", way_back),
        ("key of another account", key_of_another_account),
    ] {
        scenario(&alice(POLICY)).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}

#[test]
fn it_works_for_users_under_a_path_and_in_other_partitions() {
    let station = alice(POLICY);
    let key = station.sandbox.keys_of("alice").remove(0);
    station.sandbox.add_user_at("/dev/eu/", "carol");
    station.sandbox.add_totp("carol");
    station.sandbox.set_policies("carol", &[POLICY]);
    let (id, secret) = station.sandbox.seed_key("carol", station.sandbox.now(), "Active");
    station.write_credentials(station.credentials().replace(&key.id, &id).replace(&key.secret, &secret));
    let code = station.sandbox.next_totp("carol");
    run(&station, &["rotate", "--mfa-code", &code]).unwrap();
    assert_eq!(station.sandbox.keys_of("carol").len(), 2);
}

#[test]
fn each_action_is_needed_and_none_is_unused() {
    let mut listed: Vec<&str> = NEEDED_BY.iter().map(|(action, ..)| *action).collect();
    let mut in_policy = allowed(&policy());
    listed.sort_unstable();
    in_policy.sort_unstable();
    assert_eq!(listed, in_policy);
    for (action, what, scenario) in NEEDED_BY {
        scenario(&alice(POLICY)).unwrap_or_else(|why| panic!("{what} with {action}: {why}"));
        let why = scenario(&alice(&without(action)));
        assert!(why.is_err(), "{what} works without {action}");
    }
}

#[test]
fn without_mfa_nothing_can_be_written_and_reading_works() {
    for arguments in [&["rotate", "--no-mfa"][..], &["rotate", "--no-mfa", "--if-older-than", "1d"]] {
        let station = alice(POLICY);
        let ran = station.run(arguments).expect(6);
        assert!(ran.stderr.contains("CreateAccessKey"), "{}", ran.stderr);
        assert_eq!(station.sandbox.keys_of("alice").len(), 1);
    }
    let station = alice(POLICY);
    rotation(&station).unwrap();
    let before: Vec<_> = station.sandbox.keys_of("alice").into_iter().map(|key| (key.id, key.status)).collect();
    for arguments in [["finish", "--now", "--no-mfa"], ["rollback", "--no-mfa", "--yes"]] {
        station.run(&arguments).expect(if arguments[0] == "finish" { 6 } else { 5 });
        let after: Vec<_> = station.sandbox.keys_of("alice").into_iter().map(|key| (key.id, key.status)).collect();
        assert_eq!(before, after, "{arguments:?}");
    }
    last_use(&station).unwrap();
}

#[test]
fn another_users_keys_cannot_be_touched() {
    let station = alice(POLICY);
    let bob = station.sandbox.keys_of("bob").remove(0);
    let key = station.sandbox.keys_of("alice").remove(0);
    let signer = key_of(&key.id, &key.secret);
    let bobs_id = keyrot_me::keys::facts::KeyId::new(bob.id.clone()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use keyrot_me::keys::secret::{SecretKey, Signer};
        use keyrot_me::ports::{Cause, Iam};
        let aws = keyrot_me::aws::iam::AwsIam::new(crate::aws_wire::destination(&station.sandbox.url()).await);
        let serial = station.sandbox.user_arn("alice").replace(":user/", ":mfa/");
        let code = SecretKey::new(station.sandbox.next_totp("alice"));
        let session = Signer::Session(aws.open_session(&signer, &serial, &code).await.unwrap());
        let id = keyrot_me::keys::journal::RotationId::from_bits(1);
        for signer in [session, Signer::Key(signer)] {
            for refused in [
                aws.list_keys(&signer, "bob").await.map(drop),
                aws.create_key(&signer, "bob", &id).await.map(drop),
                aws.set_active(&signer, "bob", &bobs_id, false).await,
                aws.delete_key(&signer, "bob", &bobs_id).await,
                aws.mfa_serials(&signer, "bob").await.map(drop),
                aws.key_use(&signer, &bobs_id).await.map(drop),
            ] {
                assert_eq!(refused.unwrap_err().cause, Cause::AccessDenied);
            }
        }
    });
    let after = station.sandbox.keys_of("bob").remove(0);
    assert_eq!((after.id, after.status.as_str()), (bob.id, "Active"));
}

fn key_of(id: &str, secret: &str) -> keyrot_me::keys::secret::AccessKey {
    keyrot_me::keys::secret::AccessKey {
        id: keyrot_me::keys::facts::KeyId::new(id).unwrap(),
        secret: keyrot_me::keys::secret::SecretKey::new(secret.to_owned()),
    }
}

#[test]
fn it_fits_into_one_managed_policy_and_demands_mfa_as_design_says() {
    let without_spaces: String = POLICY.chars().filter(|letter| !letter.is_whitespace()).collect();
    assert!(without_spaces.len() < 2_048, "even as an inline policy of a user: {}", without_spaces.len());
    let policy = policy();
    let deny = policy["Statement"].as_array().unwrap().iter().find(|one| one["Effect"] == "Deny").unwrap();
    assert_eq!(deny["Condition"]["BoolIfExists"]["aws:MultiFactorAuthPresent"], "false");
    let reads = ["iam:ListAccessKeys", "iam:GetAccessKeyLastUsed", "iam:ListMFADevices", "sts:GetAccessKeyInfo"]
        .map(str::to_owned);
    let mut both = [texts(&deny["Action"]), reads.to_vec()].concat();
    let mut all = allowed(&policy);
    both.sort_unstable();
    all.sort_unstable();
    assert_eq!(
        both, all,
        "denied without MFA is all but the two reads and the look-ups of the device and of a dead key's account"
    );
}
