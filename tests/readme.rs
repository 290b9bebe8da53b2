//! README is run: its console blocks against the sandbox, output included, and its exit codes against
//! the program's own list.

pub mod console;
#[cfg(target_os = "linux")]
mod tour;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::program;

fn readme() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md")
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
