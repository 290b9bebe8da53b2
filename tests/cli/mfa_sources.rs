//! Where MFA codes come from: the order of the sources, and when the next one is tried.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::skip::skip;

/// A program `name` in the home's `bin`, which comes first in `PATH`.
pub fn program_named(station: &Workstation, name: &str, script: &str) -> PathBuf {
    let folder = station.path("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

pub fn path_of(station: &Workstation) -> String {
    format!("{}:{}", station.path("bin").display(), std::env::var("PATH").unwrap_or_default())
}

fn run(station: &Workstation, arguments: &[&str]) -> Ran {
    Ran::from(station.command(arguments).env("PATH", path_of(station)).output().unwrap())
}

pub fn mfa(station: &Workstation, table: &str) {
    station.settings(&format!("[rotation]\nsettle = {{ every = \"0s\" }}\n[mfa]\n{table}\n"));
}

/// The three programs as their manuals have them, and what each prints.
#[test]
fn the_programs_that_people_use_print_codes_that_are_taken() {
    for (name, arguments, printed) in [
        ("ykman", "oath accounts code --single aws", "CODE\n"),
        ("op", "item get AWS --otp", "CODE\n"),
        ("pass", "otp show aws", "CODE\n"),
        // Without --single: the account's name and the code.
        ("ykman", "oath accounts code aws", "Amazon Web Services:alice@example  CODE\n"),
    ] {
        let station = station();
        let code = station.sandbox.next_totp("alice");
        let script = format!(
            "[ \"$*\" = '{arguments}' ] || exit 64\necho 'Touch your YubiKey...' >&2\nprintf '{}'",
            printed.replace("CODE", &code).replace('\n', "\\n")
        );
        program_named(&station, name, &script);
        run(&station, &["rotate", "--mfa-command", &format!("{name} {arguments}")]).expect(0);
    }
}

#[test]
fn oathtool_makes_codes_that_sts_takes() {
    if Command::new("oathtool").arg("--version").output().is_err() {
        return skip("needs oathtool: codes of a real TOTP program");
    }
    let station = station();
    let seed = station.path("seed");
    std::fs::write(&seed, station.sandbox.totp_seed_base32("alice")).unwrap();
    let command = format!("oathtool --totp --base32 @{}", seed.display());
    mfa(&station, &format!("command = \"{command}\""));
    station.run(&["rotate"]).expect(0);
    assert_eq!(station.sandbox.count("GetSessionToken"), 1);
}

#[test]
fn the_next_source_is_tried_while_nobody_was_asked() {
    let station = station();
    let code = station.sandbox.next_totp("alice");
    let good = program_named(&station, "good", &format!("echo {code}"));
    mfa(&station, &format!("command = \"{}\"", good.display()));
    let ran = run(&station, &["rotate", "--mfa-command", "false"]).expect(0);
    assert!(
        ran.stderr.contains("the MFA command false failed") && ran.stderr.contains("asking in another way"),
        "{}",
        ran.stderr
    );
}

#[test]
fn all_that_was_tried_is_told_where_nothing_gave_a_code() {
    let station = station();
    mfa(&station, "command = \"echo rubbish\"\npinentry = true");
    let words = [
        "no MFA code could be had: the MFA command /no/such/program cannot be started",
        "; the MFA command echo did not print exactly one code",
        "; pinentry has neither a display nor a terminal",
        "; there is no terminal to ask",
    ];
    let command = || {
        let mut command = station.command(&["rotate", "--mfa-command", "/no/such/program"]);
        // Without a controlling terminal, wherever the tests run.
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let mut alone = Command::new("setsid");
        alone.arg("--wait").arg(program()).args(arguments).env_clear().envs(station.environment());
        command = alone;
        Ran::from(command.stdin(std::process::Stdio::null()).output().unwrap())
    };
    refused(&station, command, 4, &words);
}

#[test]
fn a_given_code_is_followed_by_no_other_source() {
    let station = station();
    let asked = station.path("asked");
    let good = program_named(&station, "good", &format!("touch {}; echo 000000", asked.display()));
    mfa(&station, &format!("command = \"{}\"", good.display()));
    let used = station.sandbox.next_totp("alice");
    station.run(&["rotate", "--mfa-code", &used]).expect(0);
    refused(&station, || station.run(&["rollback", "--mfa-code", &used]), 4, &["used before", "NEXT code"]);
    assert!(!asked.exists());
}

/// The dialog got a display that is not there, so that it cannot fall back on a terminal either.
#[test]
fn a_pinentry_with_a_display_is_given_no_terminal_where_there_is_none() {
    let station = station();
    let code = station.sandbox.next_totp("alice");
    let asked = station.path("asked");
    let script = format!(
        "echo OK; while read -r line; do echo \"$line\" >> {}; case $line in GETPIN) echo 'D {code}'; echo OK;; *) echo OK;; esac; done",
        asked.display()
    );
    program_named(&station, "pinentry", &script);
    mfa(&station, "pinentry = true");
    let mut command = Command::new("setsid");
    command.arg("--wait").arg(program()).arg("rotate").env_clear().envs(station.environment());
    command.env("PATH", path_of(&station)).env("DISPLAY", ":99").stdin(std::process::Stdio::null());
    Ran::from(command.output().unwrap()).expect(0);
    let asked = std::fs::read_to_string(asked).unwrap();
    assert!(asked.contains("OPTION ttyname=\n"), "{asked}");
}
