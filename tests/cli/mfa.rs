//! MFA codes and devices: what is asked for, what is refused, and that a refused code changes nothing.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::sandbox::{MFA_DEMANDED, OWN_KEYS};

/// A program that prints `output`, and what it is called with.
fn prints(station: &Workstation, script: &str) -> String {
    let path = station.path("code-command");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path.display().to_string()
}

fn by_command(station: &Workstation, script: &str) -> Ran {
    let command = prints(station, script);
    station.run(&["rotate", "--mfa-command", &command])
}

#[test]
fn a_wrong_code_changes_nothing_and_the_next_one_is_asked_for() {
    let station = station();
    let wrong = format!("{:06}", (station.sandbox.totp_now("alice").parse::<u32>().unwrap() + 7) % 1_000_000);
    let words = ["refused the code given with --mfa-code", "nothing was changed", "NEXT code"];
    let ran = refused(&station, || station.run(&["rotate", "--mfa-code", &wrong]), 4, &words);
    assert!(!ran.stderr.contains(&wrong), "{}", ran.stderr);
    let json = station.run(&["rotate", "--json", "--mfa-code", &wrong]).expect(4).json();
    let rotation = &json["rotations"][0];
    assert_eq!((rotation["outcome"].as_str(), rotation["old_key"].as_str()), (Some("blocked"), Some("active")));
    assert_eq!(rotation["error"]["exit_code"], 4);
}

#[test]
fn a_code_serves_once() {
    let station = station();
    let code = station.sandbox.next_totp("alice");
    station.run(&["rotate", "--mfa-code", &code]).expect(0);
    refused(&station, || station.run(&["rollback", "--mfa-code", &code]), 4, &["used before", "NEXT code"]);
}

#[test]
fn one_code_is_not_given_to_two_users_devices() {
    let station = two_users();
    let code = station.sandbox.next_totp("alice");
    let ran = station.run(&["rotate", "--all", "--mfa-code", &code]).expect(4);
    assert!(ran.stderr.contains("a second MFA code is needed"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--mfa-command"), "{}", ran.stderr);
    assert_eq!((station.sandbox.keys_of("alice").len(), station.sandbox.keys_of("bob").len()), (2, 1));
    assert_eq!(station.sandbox.count("GetSessionToken"), 1, "the used code was not sent again");
}

/// Alice's key in `default`, bob's in `elsewhere`.
fn two_users() -> Workstation {
    let station = station();
    station.sandbox.add_totp("bob");
    let bob = station.sandbox.keys_of("bob").remove(0);
    let text = station.credentials();
    let text = text.replace("AKIAELSEWHERE0000001", &bob.id).replace("not/a/real+secret", &bob.secret);
    station.write_credentials(text);
    station
}

#[test]
fn a_command_gives_the_code_alone_or_within_text() {
    for around in ["CODE", "your code is CODE (30 s left)", "CODE\\r", "\\n\\tCODE\\n\\n"] {
        let station = station();
        let printed = around.replace("CODE", &station.sandbox.next_totp("alice"));
        by_command(&station, &format!("printf '{printed}\\n'; echo please touch the key >&2")).expect(0);
    }
}

#[test]
fn a_command_is_split_as_a_shell_splits_and_its_standard_error_is_shown() {
    let station = station();
    let command = prints(&station, "echo \"$#:$1:$2\" >&2; exit 1");
    let ran = station.run(&["rotate", "--mfa-command", &format!("{command} 'a b' $HOME")]).expect(4);
    assert!(ran.stderr.contains("2:a b:$HOME"), "no shell has seen it:\n{}", ran.stderr);
}

#[test]
fn a_command_that_fails_or_prints_rubbish_is_named_and_its_output_is_not() {
    let station = station();
    for (script, words) in [
        ("echo 493027; exit 3", ["failed (exit status: 3)", "run it by itself"]),
        ("kill -9 $$", ["failed (signal: 9", "run it by itself"]),
        ("echo hunter2 rubbish", ["exactly one code of six digits", "run it by itself"]),
        ("echo 493027 123456", ["exactly one code of six digits", "run it by itself"]),
        ("printf '\\377\\376'", ["exactly one code of six digits", "run it by itself"]),
        ("true", ["exactly one code of six digits", "run it by itself"]),
        ("head -c 1000000 /dev/zero", ["code-command", "run it by itself"]),
    ] {
        let words = [words[0], words[1], "the MFA command", "code-command"];
        let ran = refused(&station, || by_command(&station, script), 4, &words);
        assert!(!ran.stderr.contains("493027") && !ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
    let missing = || station.run(&["rotate", "--mfa-command", "/no/such/program"]);
    refused(&station, missing, 4, &["/no/such/program", "cannot be started"]);
    assert_eq!(station.sandbox.count("GetSessionToken"), 0);
}

#[test]
fn a_configured_command_is_run_and_the_flag_wins() {
    let station = station();
    let code = station.sandbox.next_totp("alice");
    let command = prints(&station, &format!("echo {code}"));
    let text = |command: &str| format!("[rotation]\nsettle = {{ every = \"0s\" }}\n[mfa]\ncommand = \"{command}\"\n");
    station.settings(&text("/no/such/program"));
    station.run(&["rotate", "--mfa-command", &command]).expect(0);
    let other = super::station();
    let command = prints(&other, &format!("echo {}", other.sandbox.next_totp("alice")));
    other.settings(&text(&command));
    other.run(&["rotate"]).expect(0);
}

/// Waits for the device's next step, up to 31 s: the one test that does.
#[test]
fn a_command_is_run_again_when_the_next_code_is_there() {
    let station = station();
    let used = station.sandbox.totp_now("alice");
    station.sandbox.fault(
        "GetSessionToken",
        1,
        crate::sandbox::Fault::Deny {
            code: "AccessDenied".to_owned(),
            message: "MultiFactorAuthentication failed with invalid MFA one time pass code. ".to_owned(),
        },
    );
    let door = format!("{}/sandbox/totp/alice", station.sandbox.url());
    let script = format!("echo run >> {}; curl -s {door}", station.path("runs").display());
    let ran = by_command(&station, &script).expect(0);
    assert!(ran.stderr.contains("waiting for the NEXT one") && !ran.stderr.contains(&used), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(station.path("runs")).unwrap(), "run\nrun\n");
}

#[test]
fn without_a_terminal_the_flags_that_help_are_named() {
    let station = station();
    for command in ["rotate", "rollback"] {
        if command == "rollback" {
            station.rotate(&[]).expect(0);
        }
        let words = ["no terminal to ask", "--mfa-code or --mfa-command"];
        refused(&station, || station.run(&[command]), 4, &words);
    }
}

#[test]
fn a_user_with_passkeys_only_or_without_a_device_is_told_so() {
    let station = station();
    station.sandbox.remove_devices("alice");
    let words = ["has no MFA device", "--no-mfa"];
    refused(&station, || station.run(&["rotate", "--mfa-code", "123456"]), 4, &words);
    station.sandbox.add_passkey("alice");
    let words = ["passkeys or security keys only", "TOTP codes only", "aws login", "register a TOTP device"];
    refused(&station, || station.run(&["rotate", "--mfa-code", "123456"]), 4, &words);
    assert_eq!(station.sandbox.count("GetSessionToken"), 0);
    let both = super::station();
    both.sandbox.add_passkey("alice");
    both.rotate(&[]).expect(0);
}

#[test]
fn of_two_devices_one_must_be_named() {
    let station = station();
    let first = station.sandbox.user_arn("alice").replace(":user/", ":mfa/");
    station.sandbox.add_totp("alice");
    let words = ["2 MFA devices", "--mfa-serial", first.as_str()];
    refused(&station, || station.run(&["rotate", "--mfa-code", "123456"]), 4, &words);
    station.rotate(&["--mfa-serial", &first]).expect(0);
}

#[test]
fn an_unknown_device_is_told_with_its_serial() {
    let station = station();
    let words = ["does not know the MFA device arn:aws:iam::123456789012:mfa/other", "--mfa-serial"];
    let serial = "arn:aws:iam::123456789012:mfa/other";
    refused(&station, || station.rotate(&["--mfa-serial", serial]), 4, &words);
    refused(&station, || station.rotate(&["--mfa-serial", "x"]), 4, &["does not know the MFA device x"]);
}

#[test]
fn where_the_devices_may_not_be_listed_the_serial_must_be_named() {
    let station = station();
    station.sandbox.set_policies("alice", &[OWN_KEYS, MFA_DEMANDED]);
    refused(&station, || station.rotate(&[]), 4, &["list its MFA devices", "--mfa-serial", "mfa_serial"]);
    let serial = station.sandbox.user_arn("alice").replace(":user/", ":mfa/");
    config(&station, &format!("[default]\nmfa_serial = {serial}\n"));
    station.rotate(&[]).expect(0);
}

/// Flag before config before profile before the last rotation's before IAM's list.
#[test]
fn the_serial_is_taken_from_the_nearest_place() {
    let station = station();
    let sent = |arguments: &[&str]| {
        station.sandbox.clear_calls();
        station.rotate(arguments);
        let calls = station.sandbox.calls();
        let session = calls.iter().find(|call| call.action == "GetSessionToken").unwrap();
        (session.parameters["SerialNumber"].clone(), station.sandbox.count("ListMFADevices"))
    };
    let own = station.sandbox.user_arn("alice").replace(":user/", ":mfa/");
    assert_eq!(sent(&[]), (own.clone(), 1));
    station.run(&["finish", "--now", "--no-mfa"]).expect(0);
    assert_eq!(sent(&[]), (own, 0), "the last rotation's");
    config(&station, "[default]\nmfa_serial = arn:aws:iam::123456789012:mfa/of-profile\n");
    assert_eq!(sent(&["--yes"]).0, "arn:aws:iam::123456789012:mfa/of-profile");
    let mfa = "[mfa]\nserial = \"arn:aws:iam::123456789012:mfa/of-config\"\n";
    station.settings(&format!("[rotation]\nsettle = {{ every = \"0s\" }}\n{mfa}"));
    assert_eq!(sent(&["--yes"]).0, "arn:aws:iam::123456789012:mfa/of-config");
    let flag = "arn:aws:iam::123456789012:mfa/flag";
    assert_eq!(sent(&["--yes", "--mfa-serial", flag]).0, flag);
}

#[test]
fn without_mfa_the_key_itself_signs() {
    let station = station();
    station.run(&["rotate", "--no-mfa"]).expect(0);
    assert_eq!(station.sandbox.count("GetSessionToken"), 0);
    let denied = super::station();
    denied.sandbox.set_policies("alice", &[OWN_KEYS, MFA_DEMANDED]);
    let words = ["IAM does not permit it", "CreateAccessKey", "run without --no-mfa"];
    refused_writes(&denied, || denied.run(&["rotate", "--no-mfa"]), 6, &words);
}
