//! README is run: its console blocks against the sandbox, output included, and its exit codes against
//! the program's own list.
//!
//! `KEYROT_BLESS=1` writes what the program prints now into README instead of comparing.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::program;
use crate::workstation::Workstation;

fn readme() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

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

/// Runs one `$ ` line as typed, with a good code for the one in the text, both outputs as a terminal shows them.
fn run(station: &Workstation, typed: &str) -> String {
    station.sandbox.advance(Duration::from_secs(30));
    let line = typed.replace("123456", &station.sandbox.next_totp("alice"));
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
    lines.fold(String::new(), |shown, line| shown + line.trim_end() + "\n")
}

/// The README with the output of every command in its console blocks as it is now.
fn refreshed(text: &str, station: &Workstation) -> String {
    let (mut fresh, mut in_console, mut skipping) = (String::new(), false, false);
    for line in text.lines() {
        if line.starts_with("```") {
            in_console = line == "```console";
            skipping = false;
        }
        if let Some(typed) = line.strip_prefix("$ ").filter(|_| in_console) {
            fresh.push_str(line);
            fresh.push('\n');
            fresh.push_str(&run(station, typed));
            skipping = true;
        } else if !skipping || line.is_empty() {
            fresh.push_str(line);
            fresh.push('\n');
            skipping &= !line.is_empty();
        }
    }
    fresh
}

#[test]
fn the_commands_of_the_readme_print_what_it_shows() {
    let station = Workstation::new(program());
    station.settings(
        "[rotation]\nsettle = { every = \"0s\" }\n[purge]\nlimit = \"5d\"\nat = \"Fri 23:55\"\ntimezone = \"Europe/Berlin\"\n",
    );
    station.add_security_team();
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

#[test]
fn the_exit_codes_of_the_readme_are_those_of_the_program() {
    let help = Command::new(program()).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let text = fs::read_to_string(readme()).unwrap();
    let (_, codes) = help.split_once("Exit codes:\n").unwrap();
    let listed: Vec<(&str, String)> = codes
        .lines()
        .filter_map(|line| line.trim().split_once(' '))
        .map(|(code, meaning)| (code, meaning.trim().to_owned()))
        .collect();
    assert_eq!(listed.len(), 14);
    for (code, meaning) in listed {
        assert!(text.contains(&format!("| {code} | {meaning} |")), "README lacks: | {code} | {meaning} |");
    }
}
