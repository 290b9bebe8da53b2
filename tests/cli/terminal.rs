//! A person at a real pseudo-terminal (util-linux `script`): hidden codes, questions, Ctrl-C.
#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::*;

/// Far more than any answer takes: it only ends a test that would hang.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) struct Person {
    child: Child,
    screen: Receiver<Vec<u8>>,
    seen: String,
    /// Up to where `sees` has looked.
    read: usize,
}

impl Person {
    /// At a terminal in which the program runs, and `stty` after it; `None`, said in words, without `script`.
    pub fn at(station: &Workstation, command: &str) -> Option<Self> {
        Self::with_path(station, &std::env::var("PATH").unwrap_or_default(), command)
    }

    /// As [`Person::at`], where the program finds others in `path`.
    pub fn with_path(station: &Workstation, path: &str, command: &str) -> Option<Self> {
        if !possible("a person at a terminal", Command::new("script").arg("--version")) {
            return None;
        }
        let line = format!("trap : INT; PATH='{path}' {} {command}; echo \"left with $?\"; stty -a", program());
        let mut script = Command::new("script");
        script.args(["-q", "-f", "-c", &line, "/dev/null"]).env_clear().envs(station.environment());
        script.env("SHELL", "/bin/sh").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = script.spawn().unwrap();
        let mut shown = child.stdout.take().unwrap();
        let (send, screen) = channel();
        std::thread::spawn(move || {
            let mut piece = [0; 1024];
            while let Ok(length @ 1..) = shown.read(&mut piece) {
                let _ = send.send(piece[..length].to_vec());
            }
        });
        Some(Self { child, screen, seen: String::new(), read: 0 })
    }

    #[track_caller]
    pub fn sees(&mut self, what: &str) -> &mut Self {
        while !self.seen[self.read..].contains(what) {
            let Ok(more) = self.screen.recv_timeout(PATIENCE) else { panic!("{what:?} is not in:\n{}", self.seen) };
            self.seen += &String::from_utf8_lossy(&more);
        }
        self.read += self.seen[self.read..].find(what).unwrap() + what.len();
        self
    }

    pub fn types(&mut self, what: &str) -> &mut Self {
        self.child.stdin.as_mut().unwrap().write_all(what.as_bytes()).unwrap();
        self
    }

    /// Waits for the end, which comes with this exit code and the terminal's echo on.
    #[track_caller]
    pub fn leaves_with(&mut self, code: i32) -> String {
        self.sees(&format!("left with {code}\r\n")).sees("iexten");
        assert!(self.seen.contains(" echo ") && !self.seen.contains("-echo "), "{}", self.seen);
        self.seen.clone()
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_code_is_asked_for_and_not_shown() {
    let station = station();
    let code = station.sandbox.next_totp("alice");
    let Some(mut person) = Person::at(&station, "rotate") else { return };
    let serial = station.sandbox.user_arn("alice").replace(":user/", ":mfa/");
    person.sees(&format!("MFA code of {serial}: ")).types(&format!("{code}\n"));
    let seen = person.leaves_with(0);
    assert!(!seen.contains(&code) && seen.contains("rotated: "), "{seen}");
    assert_eq!(station.sandbox.keys_of("alice").len(), 2);
}

#[test]
fn three_refused_codes_end_it_and_each_time_the_next_one_is_asked_for() {
    let station = station();
    let wrong = format!("{:06}", (station.sandbox.totp_now("alice").parse::<u32>().unwrap() + 7) % 1_000_000);
    let before = Scene::of(&station);
    let Some(mut person) = Person::at(&station, "rotate") else { return };
    person.sees("MFA code of").types("99887\n").sees("a code has six digits");
    person.sees("MFA code of").types(&format!("{wrong}\n"));
    for _ in 0..2 {
        person.sees("wait for the NEXT one").sees("MFA code of").types(&format!("{wrong}\n"));
    }
    let seen = person.sees("STS refused 3 codes").leaves_with(4);
    assert!(!seen.contains(&wrong) && !seen.contains("99887"), "{seen}");
    assert_eq!(before, Scene::of(&station));
    assert_eq!(station.sandbox.count("GetSessionToken"), 3);
}

/// The echo is off before the prompt is there, however soon one types.
#[test]
fn what_is_typed_at_once_is_not_shown() {
    let station = station();
    let Some(mut person) = Person::at(&station, "rotate") else { return };
    for _ in 0..40 {
        person.sees("MFA code of").types("99887\n").sees("a code has six digits");
    }
    let seen = person.sees("MFA code of").types("\u{3}").leaves_with(5);
    assert!(!seen.contains("99887"), "{seen}");
}

#[test]
fn a_good_code_after_a_refused_one_serves() {
    let station = station();
    let good = station.sandbox.next_totp("alice");
    let wrong = format!("{:06}", (good.parse::<u32>().unwrap() + 7) % 1_000_000);
    let Some(mut person) = Person::at(&station, "rotate") else { return };
    person
        .sees("MFA code of")
        .types(&format!("{wrong}\n"))
        .sees("NEXT")
        .sees("MFA code of")
        .types(&format!("{good}\n"));
    person.sees("rotated: ").leaves_with(0);
}

#[test]
fn ctrl_c_at_the_code_leaves_everything_and_the_echo_on() {
    let station = station();
    let before = Scene::of(&station);
    let Some(mut person) = Person::at(&station, "rotate") else { return };
    person.sees("MFA code of").types("998\u{3}");
    let seen = person.sees("stopped by a signal before anything was changed").leaves_with(5);
    assert!(!seen.contains("998"), "{seen}");
    assert_eq!(before, Scene::of(&station));
    assert!(station.stash().is_empty());
}

#[test]
fn a_question_is_answered_by_yes_and_by_nothing_else() {
    for (answer, code, left) in [("y\n", 0, 2), ("yes\n", 0, 2), ("n\n", 3, 2), ("\n", 3, 2), ("\u{4}", 3, 2)] {
        let station = station();
        let old = station.held_id();
        station.run(&["rotate", "--no-mfa"]).expect(0);
        let Some(mut person) = Person::at(&station, "rotate --no-mfa") else { return };
        person.sees("delete it now? [y/N] ").types(answer).leaves_with(code);
        assert_eq!(station.sandbox.key(&old).is_none(), code == 0, "{answer:?}");
        assert_eq!(station.sandbox.keys_of("alice").len(), left, "{answer:?}");
    }
}

#[test]
fn ctrl_c_at_a_question_leaves_everything() {
    let station = station();
    station.run(&["rotate", "--no-mfa"]).expect(0);
    let before = Scene::of(&station);
    let Some(mut person) = Person::at(&station, "rotate --no-mfa") else { return };
    person.sees("delete it now? [y/N] ").types("\u{3}").sees("stopped by a signal").leaves_with(5);
    assert_eq!(before, Scene::of(&station));
}

#[test]
fn somebody_elses_inactive_key_is_asked_about_and_an_active_one_is_not() {
    let station = station();
    let (other, _) = station.sandbox.seed_key("alice", station.sandbox.now(), "Inactive");
    let Some(mut person) = Person::at(&station, "rotate --no-mfa") else { return };
    person.sees(&format!("{other} is Inactive and fills IAM's quota. delete it for good? [y/N] ")).types("y\n");
    person.leaves_with(0);
    assert!(station.sandbox.key(&other).is_none());
    let active = super::station();
    active.sandbox.seed_key("alice", active.sandbox.now(), "Active");
    let mut person = Person::at(&active, "rotate --no-mfa").unwrap();
    let seen = person.leaves_with(3);
    assert!(!seen.contains("[y/N]") && seen.contains("--replace"), "{seen}");
}

#[test]
fn whose_a_dead_key_was_is_asked_where_nobody_can_tell() {
    for (answer, code, keys) in [("y\n", 0, 1), ("n\n", 3, 0)] {
        let station = station();
        station.sandbox.delete_key(&station.held_id());
        auth_profile::sign_in(&station);
        let Some(mut person) = Person::at(&station, "rotate --auth-profile login") else { return };
        let question = format!("whose key {} was. was it alice's, in account 123456789012?", station.held_id());
        person.sees(&question).types(answer).leaves_with(code);
        assert_eq!(station.sandbox.keys_of("alice").len(), keys);
    }
}

#[test]
fn of_two_full_slots_the_dead_key_is_asked_about() {
    let station = station();
    let dead = station.held_id();
    station.sandbox.set_status(&dead, "Inactive");
    let (other, _) = station.sandbox.seed_key("alice", station.sandbox.now(), "Active");
    auth_profile::sign_in(&station);
    let Some(mut person) = Person::at(&station, "rotate --auth-profile login") else { return };
    person.sees(&format!("{dead} is Inactive and fills IAM's quota. delete it for good?")).types("y\n").leaves_with(0);
    let keys: Vec<_> = station.sandbox.keys_of("alice").into_iter().map(|key| key.id).collect();
    assert_eq!(keys, [other, station.held_id()]);
}
