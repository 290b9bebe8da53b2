//! The AWS CLI and boto3 get the key through `credential_process`, from a program whose path has a space in it.

use std::process::Stdio;

use super::*;
use crate::sandbox::Fault;
use crate::skip::skip;
use crate::workstation::Ran;

const CALLER: &str = "import boto3, json; print(json.dumps(boto3.client('sts').get_caller_identity()['Arn']))";
const KEYS: &str = "import boto3, json; iam = boto3.client('iam'); \
                    print(json.dumps([k['AccessKeyId'] for k in iam.list_access_keys()['AccessKeyMetadata']]))";

/// The folder of the programs of a Python that has `awscli` and `boto3`: `KEYROT_AWS_PYTHON` names that Python.
fn tools() -> Option<PathBuf> {
    let found = std::env::var_os("KEYROT_AWS_PYTHON").map(PathBuf::from).filter(|python| python.is_file());
    if found.is_none() {
        skip("needs KEYROT_AWS_PYTHON, a Python with awscli and boto3: credential_process in the AWS CLI and boto3");
    }
    found?.parent().map(Path::to_owned)
}

/// Alice's machine, whose config file names the program by a path with a space in it, in the folder beside it.
fn station_with_a_space(desktop: &Desktop) -> (Workstation, tempfile::TempDir) {
    let folder = tempfile::Builder::new().prefix("keyrot me tools ").tempdir().unwrap();
    let named = folder.path().join("keyrot-me");
    std::os::unix::fs::symlink(program(), &named).unwrap();
    let mut station = Workstation::new(named);
    station.bus = Some(desktop.address.clone());
    let (id, secret) = station.hand_out_by_program();
    desktop.store_key("default", &id, &secret);
    (station, folder)
}

fn run(station: &Workstation, program: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(station.environment()).env("PYTHONDONTWRITEBYTECODE", "1");
    // No instance to ask, and no retries to wait for, should the credentials be missing.
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_MAX_ATTEMPTS", "1");
    command.env("AWS_DEFAULT_REGION", "us-east-1");
    Ran::from(command.output().unwrap())
}

/// Both tools sign with this key, which the sandbox checks.
#[track_caller]
fn both_sign_with(station: &Workstation, tools: &Path, id: &str) {
    station.sandbox.clear_calls();
    let arn = station.sandbox.user_arn("alice");
    let cli = run(station, &tools.join("aws"), &["sts", "get-caller-identity", "--output", "json"]).expect(0);
    assert_eq!(cli.json()["Arn"], arn.as_str());
    let boto = run(station, &tools.join("python"), &["-c", CALLER]).expect(0);
    assert_eq!(boto.json(), arn.as_str());
    let calls = station.sandbox.calls();
    let signers: Vec<_> = calls.iter().map(|call| call.key_id.clone()).collect();
    assert_eq!(signers, [id, id]);
    let listed = run(station, &tools.join("python"), &["-c", KEYS]).expect(0);
    assert!(listed.json().as_array().unwrap().contains(&id.into()), "{listed:?}");
}

#[test]
fn the_aws_cli_and_boto3_sign_with_what_the_program_hands_out() {
    let (Some(tools), Some(desktop)) = (tools(), Desktop::start()) else { return };
    let (station, _folder) = station_with_a_space(&desktop);
    both_sign_with(&station, &tools, &active(&station).0);
    station.rotate(&[]).expect(0);
    both_sign_with(&station, &tools, &active(&station).0);
}

/// A run that stands still there for as long as it likes: a killed one.
#[test]
fn they_sign_with_a_key_that_works_at_every_moment_of_a_rotation() {
    let (Some(tools), Some(desktop)) = (tools(), Desktop::start()) else { return };
    for (action, fault, is_new) in [
        ("CreateAccessKey", Fault::KillAfter, false),
        ("UpdateAccessKey", Fault::KillBefore, true),
        ("UpdateAccessKey", Fault::KillAfter, true),
    ] {
        let (station, _folder) = station_with_a_space(&desktop);
        let old = active(&station).0;
        station.sandbox.fault(action, 1, fault);
        let code = station.sandbox.next_totp("alice");
        let mut command = station.command(&["rotate", "--mfa-code", &code]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        station.sandbox.set_client(Some(child.id()));
        assert_eq!(child.wait_with_output().unwrap().status.code(), None, "it was killed");
        let ids: Vec<_> = station.sandbox.keys_of("alice").into_iter().map(|key| key.id).collect();
        let expected = ids.iter().find(|id| (**id != old) == is_new).unwrap();
        both_sign_with(&station, &tools, expected);
    }
}

#[test]
fn what_the_program_says_of_a_missing_entry_reaches_the_person() {
    let (Some(tools), Some(desktop)) = (tools(), Desktop::start()) else { return };
    let (station, _folder) = station_with_a_space(&desktop);
    desktop.clear(desktop::KEYS, "default");
    let ran = run(&station, &tools.join("aws"), &["sts", "get-caller-identity"]);
    assert_ne!(ran.code, Some(0));
    assert!(ran.stderr.contains("hold a key of profile 'default'"), "{}", ran.stderr);
}
