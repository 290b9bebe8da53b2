//! I3 for the keychain: no secret, session token or MFA code in the arguments or the environment of any process that
//! a rotation starts, in the loudest log, in a dump, or in a file that others may read.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::{Arc, Mutex};

use super::*;
use crate::skip::skip;
use crate::workstation::Ran;

/// A command that prints alice's next code, and the code.
fn code_command(station: &Workstation) -> (String, String) {
    let code = station.sandbox.next_totp("alice");
    let script = station.path("code command");
    fs::write(station.path("code"), format!("{code}\n")).unwrap();
    fs::write(&script, format!("#!/bin/sh\ncat '{}'\n", station.path("code").display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    (format!("'{}'", script.display()), code)
}

/// As loud as it gets.
fn loud(mut command: Command) -> Command {
    for (name, value) in [("RUST_LOG", "trace"), ("LOG_SENSITIVE_BODIES", "1"), ("RUST_BACKTRACE", "full")] {
        command.env(name, value);
    }
    command
}

#[track_caller]
fn holds_none(what: &str, text: &str, secrets: &[String]) {
    for secret in secrets {
        assert!(!text.contains(secret.as_str()), "a secret is in {what}");
        assert!(!text.contains(&format!("{:?}", secret.as_bytes())), "a secret's bytes are in {what}");
        assert!(!text.contains(&format!("{:02x?}", secret.as_bytes())), "a secret's bytes are in {what}");
    }
    // The sandbox's session tokens begin so, as AWS's do.
    for sign in ["IQoJb3JpZ2luX2Vj", "SessionToken", "SecretAccessKey", "TokenCode"] {
        assert!(!text.contains(sign), "{sign} is in {what}");
    }
}

#[test]
fn no_process_that_a_rotation_starts_is_given_a_secret_and_no_log_tells_one() {
    let Some((station, _desktop)) = station() else { return };
    if !crate::crash::can_trace() {
        return skip("needs strace and ptrace: arguments and environments of children");
    }
    let (command, code) = code_command(&station);
    let mut known = secrets(&station);
    let trace = station.path("trace");
    let options =
        ["strace", "-f", "-v", "-s", "100000", "-qq", "-o", trace.to_str().unwrap(), "--trace=execve,execveat"];
    let rotate = station.command(&["rotate", "-vv", "--mfa-command", &command]);
    let traced = crate::crash::under(&options.map(str::to_owned), &rotate);
    let ran = Ran::from(loud(traced).output().unwrap()).expect(0);
    known.extend(secrets(&station));
    known.push(code);
    let trace = fs::read_to_string(trace).unwrap();
    let started: Vec<&str> = trace.lines().filter(|line| line.contains("execve(")).collect();
    assert!(started.len() >= 3 && trace.contains("code command") && trace.contains("AWS_REGION"), "{trace}");
    holds_none("an argument or an environment", &trace, &known);
    holds_none("the output", &(ran.stdout + &ran.stderr), &known);
}

#[test]
fn no_other_command_tells_a_secret_however_loud() {
    let Some((station, desktop)) = station() else { return };
    let mut known = secrets(&station);
    let code = station.sandbox.next_totp("alice");
    let mut outputs = vec![station.rotate(&["-vv"]).expect(0)];
    known.extend(secrets(&station));
    known.push(code);
    for arguments in [
        &["status", "-vv"][..],
        &["status", "-vv", "--json"],
        &["rotate", "-vv", "--dry-run", "--no-mfa"],
        &["rollback", "-vv", "--no-mfa"],
    ] {
        outputs.push(Ran::from(loud(station.command(arguments)).output().unwrap()));
    }
    // Standard output is the key's; the log is not.
    let handed =
        Ran::from(loud(station.command(&["credential-process", "-vv", "--profile", "default"])).output().unwrap());
    outputs.push(Ran { stdout: String::new(), ..handed.expect(0) });
    desktop.lock();
    for arguments in [&["rotate", "-vv", "--no-mfa"][..], &["credential-process", "-vv", "--profile", "default"]] {
        outputs.push(Ran::from(loud(station.command(arguments)).output().unwrap()).expect(8));
    }
    for ran in outputs {
        holds_none("the output", &(ran.stdout + &ran.stderr), &known);
    }
}

/// `/proc/PID/limits` and the owner of `/proc/PID/environ`, at each call of a rotation.
#[test]
fn a_process_at_work_dumps_no_core_and_is_closed_to_its_user() {
    let Some((station, _desktop)) = station() else { return };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (kept, control) = (Arc::clone(&seen), station.sandbox.control());
    station.sandbox.on_call(move |_| {
        let pid = control.client();
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let memory = fs::metadata(format!("/proc/{pid}/mem")).map(|found| (found.uid(), found.mode() & 0o777));
        kept.lock().unwrap().push((limits, memory.unwrap()));
    });
    let code = station.sandbox.next_totp("alice");
    let mut command = station.command(&["rotate", "--mfa-code", &code]);
    let child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    station.sandbox.set_client(Some(child.id()));
    assert!(child.wait_with_output().unwrap().status.success());
    let seen = seen.lock().unwrap();
    assert!(seen.len() > 10, "{}", seen.len());
    for (limits, (owner, mode)) in seen.iter() {
        let dumps = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(dumps.split_whitespace().skip(4).collect::<Vec<_>>(), ["0", "0", "bytes"]);
        assert_eq!((*owner, *mode), (0, 0o600), "not dumpable: its memory is root's");
    }
}

/// It is too short-lived to be looked at: what it asks the system for tells.
#[test]
fn credential_process_closes_itself_before_it_reads_a_key() {
    let Some((station, _desktop)) = station() else { return };
    if !crate::crash::can_trace() {
        return skip("needs strace and ptrace: what credential-process asks for first");
    }
    let trace = station.path("trace");
    let options =
        ["strace", "-f", "-qq", "-o", trace.to_str().unwrap(), "--trace=prctl,prlimit64,setrlimit,connect,openat"];
    let traced = crate::crash::under(&options.map(str::to_owned), &credential_process(&station, "default"));
    Ran::from({ traced }.output().unwrap()).expect(0);
    let trace = fs::read_to_string(trace).unwrap();
    let at =
        |word: &str| trace.lines().position(|line| line.contains(word)).unwrap_or_else(|| panic!("{word}: {trace}"));
    let first_key = at(".aws/credentials").min(at("connect("));
    assert!(at("PR_SET_DUMPABLE") < first_key && at("RLIMIT_CORE") < first_key, "{trace}");
}

#[test]
fn everything_that_is_made_is_its_owners_alone() {
    let Some((station, desktop)) = station() else { return };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (kept, state) = (Arc::clone(&seen), station.state());
    station.sandbox.after_call(move |_| kept.lock().unwrap().extend(modes_below(&state)));
    station.rotate(&[]).expect(0);
    station.with_code("rollback", &[]).expect(0);
    let mut seen = seen.lock().unwrap().clone();
    seen.extend(modes_below(&station.state()));
    assert!(seen.len() > 20, "{}", seen.len());
    for (path, is_folder, mode) in seen {
        assert_eq!(mode, if is_folder { 0o700 } else { 0o600 }, "{}", path.display());
    }
    // gnome-keyring's own file is its business; that the secrets lie there, and not in clear text, is ours to know.
    no_file_holds(&files_below(&desktop.files()), &secrets(&station));
}

fn modes_below(folder: &Path) -> Vec<(PathBuf, bool, u32)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let found = paths.filter_map(|path| fs::symlink_metadata(&path).ok().map(|found| (path, found)));
    found
        .flat_map(|(path, found)| {
            let below = if found.is_dir() { modes_below(&path) } else { Vec::new() };
            [(path, found.is_dir(), found.mode() & 0o777)].into_iter().chain(below)
        })
        .collect()
}
