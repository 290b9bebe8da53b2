//! Pinentries that are scripts: what each says, and what is made of it.
#![cfg(unix)]
#![allow(clippy::disallowed_methods)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use super::*;

/// Reads the protocol's requests and answers `GETPIN` with the script's words. What it was asked stands in `asked`.
struct Fake {
    folder: tempfile::TempDir,
}

impl Fake {
    fn new(getpin: &str) -> Self {
        Self::script(&format!(
            "echo 'OK Pleased to meet you'\nwhile read -r line; do\n  echo \"$line\" >> \"$0.asked\"\n  case $line in\n  \
             GETPIN*) {getpin} ;;\n  BYE*) echo OK; exit 0 ;;\n  *) echo OK ;;\n  esac\ndone"
        ))
    }

    fn script(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pinentry");
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        Self { folder }
    }

    fn pinentry(&self) -> Pinentry {
        let programs = vec![self.folder.path().join("pinentry").display().to_string()];
        Pinentry { programs, terminal: Some("/dev/null".to_owned()), patience: Duration::from_secs(60) }
    }

    fn asked(&self) -> String {
        fs::read_to_string(self.folder.path().join("pinentry.asked")).unwrap_or_default()
    }
}

fn ask(pinentry: &Pinentry, refused: u32, stop: &Stop) -> Result<SecretKey, NoAnswer> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(pinentry.ask("arn:aws:iam::123456789012:mfa/alice", refused, stop));
    runtime.shutdown_background();
    answer
}

fn ends_with(getpin: &str) -> NoAnswer {
    ask(&Fake::new(getpin).pinentry(), 0, &Stop::default()).unwrap_err()
}

#[test]
fn the_dialog_names_the_device_and_the_code_is_taken() {
    let fake = Fake::new("echo 'D 123456'; echo OK");
    assert_eq!(ask(&fake.pinentry(), 0, &Stop::default()).unwrap().expose(), "123456");
    let asked = fake.asked();
    for line in ["OPTION ttyname=/dev/null", "SETTITLE keyrot-me", "SETPROMPT Code:", "SETTIMEOUT 120"] {
        assert!(asked.contains(line), "{line} is not in {asked}");
    }
    assert!(asked.contains("SETDESC MFA code of arn:aws:iam::123456789012:mfa/alice") && !asked.contains("SETERROR"));
    ask(&fake.pinentry(), 1, &Stop::default()).unwrap();
    assert!(fake.asked().contains("SETERROR STS refused that code"), "{}", fake.asked());
}

#[test]
fn what_is_no_code_is_asked_for_again_at_most_three_times() {
    let fake = Fake::new("echo 'D hunter2'; echo OK");
    let given_up = ask(&fake.pinentry(), 0, &Stop::default()).unwrap_err();
    assert!(given_up.asked && given_up.why.contains("in 3 tries") && !given_up.why.contains("hunter2"), "{given_up:?}");
    assert_eq!(fake.asked().matches("GETPIN").count(), 3);
    assert_eq!(fake.asked().matches("SETERROR A code has six digits.").count(), 2);
    let empty = ends_with("echo OK");
    assert!(empty.asked, "{empty:?}");
    let second =
        Fake::new("if grep -q SETERROR \"$0.asked\"; then echo 'D  123456 '; else echo 'D 12345'; fi; echo OK");
    assert_eq!(ask(&second.pinentry(), 0, &Stop::default()).unwrap().expose(), "123456");
}

#[test]
fn a_person_who_cancels_or_does_not_answer_was_asked() {
    for (error, says) in [
        ("ERR 83886179 Operation cancelled <Pinentry>", "cancelled"),
        ("ERR 83886278 Operation fully cancelled <Pinentry>", "cancelled"),
        ("ERR 83886142 Timeout <Pinentry>", "no answer within 120 s"),
    ] {
        let ended = ends_with(&format!("echo '{error}'"));
        assert!(ended.asked && ended.why.contains(says), "{ended:?}");
    }
}

#[test]
fn a_pinentry_that_fails_or_talks_rubbish_asked_nobody_and_is_not_quoted() {
    for (getpin, says) in [
        ("echo 'ERR 83918950 Inappropriate ioctl for device <Pinentry>'", "Inappropriate ioctl"),
        ("echo 'hunter2 123456'", "did not speak its protocol"),
        ("printf '\\377\\376\\n'", "did not speak its protocol"),
        ("exit 3", "did not speak its protocol"),
    ] {
        let ended = ends_with(getpin);
        assert!(!ended.asked && ended.why.contains(says), "{getpin}: {ended:?}");
        assert!(!ended.why.contains("hunter2") && !ended.why.contains("123456"), "{ended:?}");
    }
    let silent = ask(&Fake::script("exit 0").pinentry(), 0, &Stop::default()).unwrap_err();
    assert!(!silent.asked, "{silent:?}");
    let missing = Pinentry { programs: vec!["/no/such/pinentry".to_owned()], ..Fake::new("").pinentry() };
    let missing = ask(&missing, 0, &Stop::default()).unwrap_err();
    assert!(!missing.asked && missing.why.contains("not installed"), "{missing:?}");
}

/// Of the dialog's process, whose id it wrote down.
#[cfg(target_os = "linux")]
fn is_gone(fake: &Fake) -> bool {
    let pid = fs::read_to_string(fake.folder.path().join("pinentry.asked")).unwrap();
    let pid = pid.lines().find_map(|line| line.strip_prefix("pid ")).unwrap().to_owned();
    !std::path::Path::new("/proc").join(pid).exists()
}

/// `exec`: a dialog is one process.
const HANGS: &str = "echo \"pid $$\" >> \"$0.asked\"; exec sleep 1000";

#[cfg(target_os = "linux")]
#[test]
fn a_dialog_that_hangs_is_ended_with_its_process() {
    for deaf in ["", "trap '' INT; "] {
        let fake = Fake::new(&format!("{deaf}{HANGS}"));
        let patience = Duration::from_secs(1);
        let hung = ask(&Pinentry { patience, ..fake.pinentry() }, 0, &Stop::default()).unwrap_err();
        assert!(hung.asked && hung.why.contains("no answer within 1 s"), "{hung:?}");
        assert!(is_gone(&fake), "a process was left behind ({deaf:?})");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_stop_ends_the_dialog_with_its_process() {
    let fake = Fake::new(HANGS);
    let stop = Stop::default();
    let (asked, wish) = (fake.folder.path().join("pinentry.asked"), stop.clone());
    let begun = Instant::now();
    std::thread::spawn(move || {
        while !fs::read_to_string(&asked).is_ok_and(|text| text.contains("pid ")) && begun.elapsed().as_secs() < 60 {
            std::thread::yield_now();
        }
        wish.request();
    });
    let stopped = ask(&fake.pinentry(), 0, &stop).unwrap_err();
    assert!(stopped.asked && stopped.why.contains("stopped"), "{stopped:?}");
    assert!(is_gone(&fake), "a process was left behind");
}
