//! The tour: every command in README's console blocks, one after the other, on one workstation with a real keychain.
//!
//! `KEYROT_BLESS=1` writes what the program prints now into README instead of comparing.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::cli::auth_profile::sign_in;
use crate::keychain::desktop::Desktop;
use crate::program;
use crate::workstation::Workstation;

use super::console::{Line, lines};
use super::readme;

/// What differs from run to run gets one look: key ids, times, spans of time, codes.
fn normal(text: &str) -> String {
    let mut words = Vec::new();
    for line in text.lines() {
        let line: Vec<String> = line.split_whitespace().map(normal_word).collect();
        words.push(line.join(" "));
    }
    words.join("\n")
}

fn normal_word(word: &str) -> String {
    let core = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if core.len() == 21 && core.starts_with("AIDA") {
        return word.replace(core, "USER");
    }
    let digits = core.bytes().filter(u8::is_ascii_digit).count();
    if core.len() == 20 && core.starts_with("AKIA") {
        return word.replace(core, "KEY");
    }
    if digits > 0 && core.bytes().all(|byte| byte.is_ascii_digit() || b"-:.".contains(&byte)) {
        return word.replace(core, "N");
    }
    // Which of several calls at once IAM noted first.
    if matches!(word, "iam" | "sts") {
        return "SERVICE".to_owned();
    }
    // Units of a span depend on how long it is.
    if matches!(word, "d" | "h" | "min" | "s") { String::new() } else { word.to_owned() }
}

/// What the text has for a key of alice that is switched off.
const OFF: &str = "AKIAOLDKEYOFALICE000";
/// What the text has for a file that the console made.
const CSV: &str = "alice_accessKeys.csv";

/// What the text has for the code of the moment.
const CODE: &str = "123456";

/// Seconds that pass before a command: nothing is to be waited for, STS takes one code ahead, and at the end the clocks
/// must not be five minutes apart.
fn passing(typed: &str) -> u64 {
    match typed {
        _ if typed.contains("--auth-profile") || typed.contains(CSV) => 61,
        _ if typed.contains(CODE) => 25,
        _ => 0,
    }
}

/// Another weekend has passed: alice's key is off, and she has been to the console.
fn purged_again(station: &Workstation) {
    let held = station.held_id();
    for key in station.sandbox.keys_of("alice") {
        if key.id == held {
            station.sandbox.set_status(&key.id, "Inactive");
        } else {
            station.sandbox.delete_key(&key.id);
        }
    }
    let (id, secret) = station.sandbox.seed_key("alice", station.sandbox.now(), "Active");
    fs::write(station.path(CSV), format!("Access key ID,Secret access key\r\n{id},{secret}\r\n")).unwrap();
}

/// Runs one `$ ` line as typed, with a good code and a real key for those in the text, both outputs as a terminal shows
/// them.
fn run(station: &Workstation, typed: &str) -> String {
    if typed.contains(CSV) {
        purged_again(station);
    }
    let off = station.sandbox.keys_of("alice").into_iter().find(|key| key.status == "Inactive");
    let mut line = typed.replace(OFF, &off.map(|key| key.id).unwrap_or_default());
    station.sandbox.advance(Duration::from_secs(passing(typed)));
    if typed.contains(CODE) {
        line = line.replace(CODE, &station.sandbox.next_totp("alice"));
    }
    let line = line.replacen("keyrot-me", program(), 1);
    let output = Command::new("sh")
        .args(["-c", &format!("{line} 2>&1")])
        .env_clear()
        .envs(station.environment())
        .current_dir(station.home.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("note: calls go to"));
    let shown = lines.fold(String::new(), |shown, line| shown + line.trim_end() + "\n");
    by_user(&shown).replace(&station.home.path().display().to_string(), "/home/alice")
}

/// A purge writes to several users at once, and tells each key as it is done: here they stand in the users' order.
fn by_user(shown: &str) -> String {
    let (mut sorted, mut done) = (String::new(), Vec::<String>::new());
    for line in shown.split_inclusive('\n') {
        if line.starts_with("  disabled  ") {
            done.push(line.to_owned());
        } else if let Some(last) = done.last_mut().filter(|_| line.trim_start().starts_with("undo: ")) {
            last.push_str(line);
        } else {
            done.sort_by_key(|block| {
                block.lines().next().and_then(|first| first.split(' ').next_back().map(str::to_owned))
            });
            sorted.extend(done.drain(..));
            sorted.push_str(line);
        }
    }
    sorted.extend(done);
    sorted
}

#[test]
fn what_a_purge_did_at_once_is_shown_in_the_users_order() {
    let line = |user: &str| format!("  disabled  AKIA  40 d old  over-age  {user}\n     undo: of {user}\n");
    let (alice, bob) = (line("alice"), line("bob"));
    for shown in [format!("account 1\n{alice}{bob}done\n"), format!("account 1\n{bob}{alice}done\n")] {
        assert_eq!(by_user(&shown), format!("account 1\n{alice}{bob}done\n"));
    }
}

/// The README with the output of every command in its console blocks as it is now.
fn refreshed(text: &str, station: &Workstation) -> String {
    let mut fresh = String::new();
    for line in lines(text) {
        match line {
            Line::Text(text) => fresh += text,
            Line::Printed => continue,
            Line::Typed(typed, _) => {
                fresh += "$ ";
                fresh += typed;
                fresh.push('\n');
                fresh += &run(station, typed);
                continue;
            }
        }
        fresh.push('\n');
    }
    fresh
}

/// Among them are those that need a keychain: it is a real one.
#[test]
fn the_commands_of_the_readme_print_what_it_shows() {
    let Some(desktop) = Desktop::start() else { return };
    let mut station = Workstation::new(program());
    station.bus = Some(desktop.address.clone());
    station.settings(
        "[rotation]\nsettle = { every = \"0s\" }\n[purge]\nlimit = \"5d\"\nat = \"Fri 23:55\"\ntimezone = \"Europe/Berlin\"\n",
    );
    station.add_security_team();
    sign_in(&station);
    let text = fs::read_to_string(readme()).unwrap();
    let fresh = refreshed(&text, &station);
    if std::env::var("KEYROT_BLESS").is_ok() {
        fs::write(readme(), &fresh).unwrap();
    }
    assert!(text.matches("\n$ keyrot-me").count() >= 9, "the tour is gone");
    let written = fs::read_to_string(readme()).unwrap();
    for (shown, printed) in normal(&written).lines().zip(normal(&fresh).lines()) {
        assert_eq!(shown, printed, "run the tests with KEYROT_BLESS=1 to renew README");
    }
}
