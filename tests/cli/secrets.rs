//! I3: no secret key, session token or MFA code in output, arguments, environments, other files or dumps.
#![cfg(target_os = "linux")]

use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use super::*;
use crate::sandbox::{Always, Fault, LOOKUP_EVENTS, OWN_KEYS};

/// As loud as it gets.
fn loud(station: &Workstation, arguments: &[&str]) -> Command {
    let mut command = station.command(arguments);
    command.args(["-vv"]);
    for (name, value) in [("RUST_LOG", "trace"), ("LOG_SENSITIVE_BODIES", "1"), ("RUST_BACKTRACE", "full")] {
        command.env(name, value);
    }
    command
}

fn secrets(station: &Workstation) -> Vec<String> {
    ["alice", "bob"].iter().flat_map(|user| station.sandbox.keys_of(*user)).map(|key| key.secret).collect()
}

#[track_caller]
fn holds_none(what: &str, text: &str, secrets: &[String]) {
    for secret in secrets {
        let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        assert!(!text.contains(secret.as_str()) && !text.contains(&form), "a secret is in {what}");
        assert!(!text.contains(&format!("{:?}", secret.as_bytes())), "a secret's bytes are in {what}");
    }
    // The sandbox's session tokens begin so, as AWS's do.
    assert!(!text.contains("IQoJb3JpZ2luX2Vj"), "a session token is in {what}");
    for sign in ["X-Amz-Security-Token", "x-amz-security-token", "SessionToken", "TokenCode", "SecretAccessKey"] {
        assert!(!text.contains(sign), "{sign} is in {what}: bodies or headers are logged");
    }
}

#[test]
fn no_output_holds_a_secret_however_loud() {
    let station = station();
    station.sandbox.set_policies("alice", &[OWN_KEYS, LOOKUP_EVENTS]);
    station.sandbox.trail_delay(std::time::Duration::ZERO);
    let known = Arc::new(Mutex::new(secrets(&station)));
    let (made, sandbox) = (Arc::clone(&known), station.sandbox.control());
    station.sandbox.after_call(move |_| {
        made.lock().unwrap().extend(sandbox.keys_of("alice").into_iter().map(|key| key.secret));
    });
    let code = station.sandbox.next_totp("alice");
    let mut outputs = vec![loud(&station, &["rotate", "--mfa-code", &code]).output().unwrap()];
    known.lock().unwrap().push(code.clone());
    for arguments in [
        &["status"][..],
        &["status", "--json"],
        &["rotate", "--dry-run"],
        &["rotate", "--mfa-code", &code],
        &["rollback", "--mfa-code", "000000"],
        &["rotate", "--no-mfa"],
        &["finish", "--now", "--no-mfa"],
    ] {
        outputs.push(loud(&station, arguments).output().unwrap());
    }
    station.sandbox.fault("*", Always, Fault::Garbage);
    outputs.push(loud(&station, &["rotate", "--no-mfa"]).output().unwrap());
    station.sandbox.clear_faults();
    for fault in [Fault::ErrorAfter(500), Fault::CutAnswer, Fault::Garbage] {
        station.sandbox.fault("CreateAccessKey", 1, fault);
        outputs.push(loud(&station, &["rotate", "--no-mfa", "--yes", "--json"]).output().unwrap());
    }
    let known = known.lock().unwrap();
    assert!(known.len() > 20, "{}", known.len());
    for output in outputs {
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        holds_none("the output", &text, &known);
    }
}

#[test]
fn no_output_of_an_import_holds_the_secret_however_loud() {
    for (answers, arguments) in
        [(true, &["--no-mfa", "--yes"][..]), (true, &["--no-rotate", "--json"]), (false, &["--yes"])]
    {
        let (station, id, secret, file) = import::after_the_purge();
        let mut known = secrets(&station);
        if !answers {
            station.settings("[rotation]\nsettle = { every = \"0s\", within = \"1s\" }\n");
            station.sandbox.fault("*", Always, Fault::Garbage);
        }
        let output = loud(&station, &[&["import", &file], arguments].concat()).output().unwrap();
        known.extend(secrets(&station));
        assert!(known.contains(&secret) && String::from_utf8_lossy(&output.stderr).contains(&id));
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        holds_none("the output", &text, &known);
    }
}

#[test]
fn no_child_is_given_a_secret() {
    let station = station();
    let code = station.sandbox.next_totp("alice");
    let dump = station.path("dump");
    let script = station.path("code-command");
    let text = format!(
        "#!/bin/sh\nfor of in $$ $PPID; do cat /proc/$of/cmdline /proc/$of/environ; done > {} 2>/dev/null\n\
         cat {}\n",
        dump.display(),
        station.path("code").display()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::write(station.path("code"), &code).unwrap();
    let mut known = secrets(&station);
    let command = script.display().to_string();
    let ran = Ran::from(loud(&station, &["rotate", "--mfa-command", &command]).output().unwrap()).expect(0);
    known.extend(secrets(&station));
    known.push(code);
    let dumped = String::from_utf8_lossy(&std::fs::read(dump).unwrap()).into_owned();
    assert!(dumped.contains("AWS_REGION"), "the child's environment was seen: {dumped}");
    holds_none("a child's arguments or environment", &dumped, &known);
    holds_none("the output", &(ran.stdout + &ran.stderr), &known);
}

#[test]
fn secrets_lie_in_the_credentials_file_and_the_stash_only_and_nobody_else_may_read_them() {
    let station = station();
    let mut known = secrets(&station);
    let code = station.sandbox.next_totp("alice");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (home, kept) = (station.home.path().to_owned(), Arc::clone(&seen));
    station.sandbox.after_call(move |_| {
        let read = |(path, mode): (PathBuf, u32)| std::fs::read(&path).ok().map(|bytes| (path, mode, bytes));
        kept.lock().unwrap().extend(files_below(&home).into_iter().filter_map(read));
    });
    station.run(&["rotate", "--mfa-code", &code]).expect(0);
    known.extend(secrets(&station));
    let (credentials, stash, state) = (station.credentials_path(), station.state().join("stash"), station.state());
    let mut copies = 0;
    for (path, mode, bytes) in seen.lock().unwrap().iter() {
        let text = String::from_utf8_lossy(bytes);
        if *path == credentials || path.starts_with(&stash) {
            copies += 1;
            assert_eq!(*mode, 0o600, "{}", path.display());
        } else {
            holds_none(&path.display().to_string(), &text, &known);
            assert!(!text.contains(&code), "{}", path.display());
        }
        assert!(!path.starts_with(&state) || *mode == 0o600, "{} is {mode:o}", path.display());
    }
    assert!(copies > 20, "{copies}");
    for (path, mode) in files_below(&station.path(".local")).into_iter().filter(|(path, _)| path.starts_with(&state)) {
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
    assert_eq!(mode_of(&state), 0o700);
}

#[test]
fn a_process_at_work_dumps_no_core_and_is_closed_to_its_user() {
    let station = station();
    let Some(mut command) = as_stranger(&station, "a process of another user", &["rotate", "--no-mfa"]) else { return };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (kept, pid) = (Arc::clone(&seen), Arc::new(Mutex::new(0)));
    let child = Arc::clone(&pid);
    station.sandbox.on_call(move |_| {
        let pid = loop {
            match *child.lock().unwrap() {
                0 => std::thread::yield_now(),
                pid => break pid,
            }
        };
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(format!("/proc/{pid}/environ")).unwrap());
        kept.lock().unwrap().push((limits, owner));
    });
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut running = command.spawn().unwrap();
    *pid.lock().unwrap() = running.id();
    assert!(running.wait().unwrap().success());
    let seen = seen.lock().unwrap();
    assert!(seen.len() > 10, "{}", seen.len());
    for (limits, owner) in seen.iter() {
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().skip(4).collect::<Vec<_>>(), ["0", "0", "bytes"]);
        assert_eq!(*owner, 0, "not dumpable: /proc/PID is root's, and no debugger of the user gets in");
    }
}
