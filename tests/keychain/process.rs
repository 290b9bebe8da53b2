//! `credential-process`: what it answers, from where, with what exit code, and what it does not do.

use super::*;
use crate::skip::skip;
use crate::workstation::Ran;
use desktop::{KEYS, record};

fn ask(station: &Workstation, profile: &str) -> Ran {
    Ran::from(credential_process(station, profile).output().unwrap())
}

#[test]
fn the_key_of_the_keychain_is_handed_out_as_the_contract_says() {
    let Some((station, _desktop)) = station() else { return };
    let (id, secret) = active(&station);
    let ran = ask(&station, "default").expect(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (&*format!("{}\n", record(&id, &secret)), ""));
    assert_eq!(station.sandbox.calls().len(), 0);
}

#[test]
fn the_key_of_the_file_is_handed_out_without_a_keychain() {
    let station = Workstation::new(program());
    let (id, secret) = active(&station);
    let ran = ask(&station, "default").expect(0);
    assert_eq!(ran.stdout, format!("{}\n", record(&id, &secret)));
    assert_eq!(station.sandbox.calls().len(), 0);
}

#[test]
fn a_missing_entry_exits_with_9_and_says_nothing_on_standard_output() {
    let Some((station, desktop)) = station() else { return };
    desktop.clear(KEYS, "default");
    for profile in ["default", "nobody"] {
        let ran = ask(&station, profile).expect(9);
        assert_eq!(ran.stdout, "");
        assert!(ran.stderr.contains(&format!("hold a key of profile '{profile}'")), "{}", ran.stderr);
        assert!(ran.stderr.contains("\nnext: "), "{}", ran.stderr);
        let ran = Ran::from(credential_process(&station, profile).arg("--json").output().unwrap()).expect(9);
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn an_entry_that_somebody_edited_is_refused_and_not_shown() {
    let Some((station, desktop)) = station() else { return };
    let (id, secret) = active(&station);
    let good = record(&id, &secret);
    for edited in [
        secret.clone(),
        good.replace("\"Version\":1", "\"Version\":2"),
        good.replace(&id, &secret),
        good.replace('}', ",\"SessionToken\":\"t\"}"),
        good.replace(&secret, ""),
        format!("{good}{good}"),
    ] {
        desktop.store(KEYS, "default", &edited);
        let ran = ask(&station, "default").expect(8);
        assert_eq!(ran.stdout, "", "{edited}");
        assert!(
            ran.stderr.contains("damaged, or edited by somebody") && ran.stderr.contains("\nnext: "),
            "{}",
            ran.stderr
        );
        assert!(!ran.stderr.contains(&secret), "{}", ran.stderr);
        let ran = station.rotate(&[]).expect(8);
        assert!(ran.stderr.contains("damaged") && !ran.stderr.contains(&secret), "{}", ran.stderr);
        assert_eq!(writes(&station), 0);
    }
}

#[test]
fn white_space_that_a_person_left_around_an_entry_does_no_harm() {
    let Some((station, desktop)) = station() else { return };
    let (id, secret) = active(&station);
    desktop.store(KEYS, "default", &format!(" {}\n", record(&id, &secret)));
    assert_eq!(ask(&station, "default").expect(0).stdout, format!("{}\n", record(&id, &secret)));
}

#[test]
fn two_entries_under_one_name_are_named() {
    let Some((station, desktop)) = station() else { return };
    let (id, secret) = active(&station);
    desktop.store_twice("default", &record(&id, &secret));
    let ran = ask(&station, "default").expect(8);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("is there twice"), "{ran:?}");
}

#[test]
fn a_key_with_a_session_token_beside_it_is_not_handed_out() {
    let station = Workstation::new(program());
    let (id, secret) = active(&station);
    let keys =
        format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\naws_session_token = t\n");
    station.write_credentials(keys);
    let ran = ask(&station, "default").expect(8);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("session token") && !ran.stderr.contains(&secret), "{}", ran.stderr);
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_the_keychain_is_not_asked_instead() {
    let Some((station, _desktop)) = station() else { return };
    station.write_credentials("[default\n");
    let ran = ask(&station, "default").expect(8);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("credentials:1"), "{ran:?}");
}

/// Each traced system call of one run, under strace.
fn traced(station: &Workstation, calls: &str) -> Option<String> {
    if !crate::crash::can_trace() {
        skip("needs strace and ptrace: what credential-process does not do");
        return None;
    }
    let trace = station.path("trace");
    let options = ["strace", "-f", "-qq", "-o", trace.to_str().unwrap(), &format!("--trace={calls}")];
    let prefix = options.map(str::to_owned);
    let ran = Ran::from(crate::crash::under(&prefix, &credential_process(station, "default")).output().unwrap());
    ran.expect(0);
    Some(fs::read_to_string(trace).unwrap())
}

const OUTWARD: &str = "execve,execveat,fork,vfork,clone,clone3,connect,socket";

#[test]
fn it_speaks_to_the_bus_alone_and_starts_nothing() {
    let Some((station, desktop)) = station() else { return };
    let Some(trace) = traced(&station, OUTWARD) else { return };
    let of = |name: &str| trace.lines().filter(|line| line.contains(&format!(" {name}("))).collect::<Vec<_>>();
    assert_eq!(of("execve").len(), 1, "itself: {trace}");
    assert!(of("fork").is_empty() && of("vfork").is_empty() && of("execveat").is_empty(), "{trace}");
    for thread in [of("clone"), of("clone3")].concat() {
        assert!(thread.contains("CLONE_THREAD"), "a process: {thread}");
    }
    let socket = desktop.address.split(['=', ',']).nth(1).unwrap();
    assert!(!of("connect").is_empty(), "{trace}");
    for connection in of("connect") {
        assert!(connection.contains(socket), "{connection}");
    }
    for made in of("socket") {
        assert!(made.contains("AF_UNIX"), "{made}");
    }
}

#[test]
fn with_the_key_in_the_file_it_speaks_to_nobody() {
    let mut station = Workstation::new(program());
    // A bus that is not there would be noticed.
    station.bus = Some("unix:path=/nowhere/bus".to_owned());
    let Some(trace) = traced(&station, OUTWARD) else { return };
    assert_eq!(trace.lines().count(), 1, "one execve, and no thread: {trace}");
}

#[test]
fn it_writes_no_file() {
    let Some((station, _desktop)) = station() else { return };
    let Some(trace) = traced(&station, "openat,open,creat,mkdir,mkdirat,rename,renameat2,unlink") else { return };
    let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "mkdir", "rename", "unlink", "creat("];
    for line in trace.lines().filter(|line| !line.contains("/dev/null")) {
        assert!(!writes.iter().any(|word| line.contains(word)), "{line}");
    }
}

#[test]
fn a_closed_standard_output_is_no_success() {
    let Some((station, _desktop)) = station() else { return };
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = credential_process(&station, "default").stdout(full).stderr(std::process::Stdio::null()).status();
    assert_eq!(status.unwrap().code(), Some(1));
}

#[test]
fn a_reader_that_is_gone_is_no_success() {
    let Some((station, _desktop)) = station() else { return };
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = credential_process(&station, "default").stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nobody took the key"));
}
