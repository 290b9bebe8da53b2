//! Pinentry at a real pseudo-terminal: pinentry-tty and pinentry-curses themselves.
#![cfg(target_os = "linux")]

use super::mfa_sources::{mfa, path_of, program_named};
use super::terminal::Person;
use super::*;
use crate::skip::skip;

/// A station whose `pinentry` is this program; false, said in words, where that is not installed.
fn with(station: &Workstation, name: &str) -> bool {
    let real = format!("/usr/bin/{name}");
    if !Path::new(&real).exists() {
        skip(&format!("needs {name}: a code through the real pinentry"));
        return false;
    }
    program_named(station, "pinentry", &format!("exec {real} \"$@\""));
    mfa(station, "pinentry = true");
    true
}

/// The shell's own variable: `script` gives the person the station's environment.
fn rotating(station: &Workstation) -> Option<Person> {
    Person::with_path(station, &path_of(station), "rotate")
}

#[test]
fn pinentry_tty_asks_and_its_answer_is_the_code() {
    let station = station();
    if !with(&station, "pinentry-tty") {
        return;
    }
    let code = station.sandbox.next_totp("alice");
    let Some(mut person) = rotating(&station) else { return };
    person.sees("MFA code of arn:aws:iam::123456789012:mfa/alice").sees("Code:").types("99887\n");
    person.sees("A code has six digits.").sees("Code:").types(&format!("{code}\n"));
    let seen = person.sees("rotated: ").leaves_with(0);
    assert!(!seen.contains(&code), "{seen}");
    assert_eq!(station.sandbox.keys_of("alice").len(), 2);
}

#[test]
fn a_refused_code_is_asked_for_again_in_pinentry() {
    let station = station();
    if !with(&station, "pinentry-tty") {
        return;
    }
    let good = station.sandbox.next_totp("alice");
    let wrong = format!("{:06}", (good.parse::<u32>().unwrap() + 7) % 1_000_000);
    let Some(mut person) = rotating(&station) else { return };
    person.sees("Code:").types(&format!("{wrong}\n"));
    person.sees("STS refused that code").sees("NEXT").sees("Code:").types(&format!("{good}\n"));
    person.sees("rotated: ").leaves_with(0);
}

#[test]
fn ctrl_c_in_pinentry_tty_leaves_everything_and_the_echo_on() {
    let station = station();
    if !with(&station, "pinentry-tty") {
        return;
    }
    let before = Scene::of(&station);
    let Some(mut person) = rotating(&station) else { return };
    person.sees("Code:").types("998\u{3}");
    let seen = person.sees("stopped by a signal before anything was changed").leaves_with(5);
    assert!(
        !seen.contains("MFA code of arn:aws:iam::123456789012:mfa/alice: "),
        "the prompt is not asked as well: {seen}"
    );
    assert_eq!(before, Scene::of(&station));
}

#[test]
fn pinentry_curses_asks_and_its_answer_is_the_code() {
    let station = station();
    if !with(&station, "pinentry-curses") {
        return;
    }
    let code = station.sandbox.next_totp("alice");
    let Some(mut person) = rotating(&station) else { return };
    person.sees("Code:").types(&format!("{code}\r"));
    let seen = person.sees("rotated: ").leaves_with(0);
    assert!(!seen.contains(&code), "{seen}");
}

#[test]
fn a_dialog_that_was_cancelled_is_followed_by_no_prompt() {
    let station = station();
    if !with(&station, "pinentry-curses") {
        return;
    }
    let before = Scene::of(&station);
    let Some(mut person) = rotating(&station) else { return };
    // From the code to OK, from there to Cancel.
    person.sees("<Cancel>").types("\t\t\r");
    let seen = person.sees("the MFA code was cancelled in pinentry").leaves_with(4);
    assert!(!seen.contains("mfa/alice: "), "{seen}");
    assert_eq!(before, Scene::of(&station));
}

#[test]
fn without_pinentry_the_terminal_asks() {
    let station = station();
    mfa(&station, "pinentry = true");
    let code = station.sandbox.next_totp("alice");
    let tools = "/no/such/folder";
    let Some(mut person) = Person::with_path(&station, tools, "rotate") else { return };
    person.sees("pinentry is not installed: asking in another way").sees("mfa/alice: ").types(&format!("{code}\n"));
    person.sees("rotated: ");
}

/// With a display that does not answer, a pinentry falls back on a terminal: it is given none that it could open.
#[test]
fn without_a_terminal_no_real_pinentry_finds_one() {
    for name in ["pinentry-tty", "pinentry-curses"] {
        let station = station();
        if !with(&station, name) {
            continue;
        }
        let mut command = Command::new("setsid");
        command.arg("--wait").arg(program()).arg("rotate").env_clear().envs(station.environment());
        command.env("PATH", path_of(&station)).env("DISPLAY", ":99").stdin(std::process::Stdio::null());
        let words = ["no MFA code could be had: pinentry failed: ", "; there is no terminal to ask"];
        refused(&station, || Ran::from(command.output().unwrap()), 4, &words);
    }
}

/// The dialog hangs; a signal to the program alone, as a service manager sends it, ends both.
#[test]
fn a_pinentry_that_hangs_is_left_by_a_signal_and_does_not_stay_behind() {
    let station = station();
    let pid = station.path("pid");
    let script = format!("echo $$ > {0}.new; mv {0}.new {0}; echo OK; exec sleep 1000", pid.display());
    program_named(&station, "pinentry", &script);
    mfa(&station, "pinentry = true");
    let mut command = station.command(&["rotate"]);
    command.env("PATH", path_of(&station)).env("DISPLAY", ":99");
    let child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    while !pid.exists() {
        std::thread::yield_now();
    }
    let dialog = std::fs::read_to_string(&pid).unwrap().trim().to_owned();
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    Ran::from(child.wait_with_output().unwrap()).expect(5);
    assert!(!Path::new("/proc").join(&dialog).exists(), "process {dialog} was left behind");
}
