//! Each rendering as it was reviewed. `KEYROT_BLESS=1` writes what is rendered now.

use std::fs;
use std::path::{Path, PathBuf};

use keyrot_me::host::schedule::{Task, launchd, systemd, windows};

use super::task;

fn expected(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schedule/expected").join(name)
}

#[track_caller]
fn is_as_reviewed(name: &str, rendered: &str) {
    if std::env::var("KEYROT_BLESS").is_ok() {
        fs::write(expected(name), rendered).unwrap();
    }
    assert_eq!(fs::read_to_string(expected(name)).unwrap(), rendered, "{name}");
}

#[test]
fn the_renderings_are_as_they_were_reviewed() {
    is_as_reviewed("keyrot-me.service", &systemd::service(&task()));
    is_as_reviewed("keyrot-me.timer", &systemd::timer(&task()));
    is_as_reviewed("agent.plist", &launchd::agent(&task(), Path::new("/Users/a & b/Library/Logs/keyrot-me.log")));
    is_as_reviewed("task.xml", &windows::definition(&task()));
}

#[test]
fn a_run_that_may_gain_rights_is_the_only_one_that_is_not_confined() {
    let free = systemd::service(&Task { confined: false, ..task() });
    assert!(!free.contains("NoNewPrivileges") && !free.contains("RestrictSUIDSGID"), "{free}");
    assert!(systemd::service(&task()).contains("\nNoNewPrivileges=true\n"));
}

#[test]
fn a_cron_line_is_what_sh_reads_as_the_same_words() {
    let line = task().cron_line();
    assert!(line.starts_with("5 7 * * * AWS_CONFIG_FILE="), "{line}");
    // As cron does it: `\%` is a `%`, and no other `%` is there.
    let command = line.strip_prefix("5 7 * * * ").unwrap().replace("\\%", "\u{1}");
    assert!(!command.contains('%'), "{line}");
    let words = command.replace('\u{1}', "%").replacen("'/opt/my tools/50% $off/keyrot-me'", "printf '%s\\0'", 1);
    let printed = std::process::Command::new("sh").args(["-c", &words]).output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    let words: Vec<&str> = printed.strip_suffix('\0').unwrap().split('\0').collect();
    assert_eq!(words, super::NASTY);
}

#[test]
fn line_breaks_and_control_characters_are_refused() {
    for bad in ["a\nExecStart=/bin/sh", "a\r", "a\0", "\u{1b}[2J", "\u{85}"] {
        let in_argument = Task { arguments: vec![bad.to_owned()], ..task() };
        let in_variable = Task { environment: vec![("AWS_CONFIG_FILE".to_owned(), bad.to_owned())], ..task() };
        let in_path = Task { program: format!("/opt/{bad}").into(), ..task() };
        for task in [in_argument, in_variable, in_path] {
            assert!(task.check().unwrap_err().to_string().contains("control characters"), "{bad:?}");
        }
    }
    assert!(Task { program: "keyrot-me".into(), ..task() }.check().unwrap_err().to_string().contains("absolute"));
    task().check().unwrap();
}
