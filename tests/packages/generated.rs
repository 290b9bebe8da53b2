//! Man pages and completions: the committed ones are the program's own, and tools that read them have no complaint.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::program;
use crate::workstation::Ran;

use super::tool;

const RENEW: &str = "they are stale: KEYROT_BLESS=1 cargo test --test it packages::generated";

/// Each shell with the file that its completions are in.
const SHELLS: [(&str, &str); 4] = [
    ("bash", "packaging/completions/keyrot-me.bash"),
    ("zsh", "packaging/completions/_keyrot-me"),
    ("fish", "packaging/completions/keyrot-me.fish"),
    ("powershell", "packaging/completions/keyrot-me.ps1"),
];

fn keyrot_me(arguments: &[&str]) -> String {
    Ran::from(Command::new(program()).args(arguments).env_clear().output().unwrap()).expect(0).stdout
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()))
        .collect()
}

fn blessing() -> bool {
    std::env::var_os("KEYROT_BLESS").is_some()
}

#[test]
fn the_committed_man_pages_are_the_programs() {
    let fresh = tempfile::tempdir().unwrap();
    keyrot_me(&["man", "--dir", fresh.path().to_str().unwrap()]);
    let committed = Path::new("packaging/man");
    if blessing() {
        fs::remove_dir_all(committed).unwrap();
        fs::create_dir(committed).unwrap();
        for (name, page) in files(fresh.path()) {
            fs::write(committed.join(name), page).unwrap();
        }
    }
    let (fresh, committed) = (files(fresh.path()), files(committed));
    assert!(fresh.len() > 10, "{:?}", fresh.keys());
    let differ: Vec<&String> =
        fresh.keys().chain(committed.keys()).filter(|name| fresh.get(*name) != committed.get(*name)).collect();
    assert!(differ.is_empty(), "{RENEW} ({differ:?})");
}

#[test]
fn the_committed_completions_are_the_programs() {
    for (shell, file) in SHELLS {
        let fresh = keyrot_me(&["completions", shell]);
        if blessing() {
            fs::write(file, &fresh).unwrap();
        }
        assert!(fs::read_to_string(file).unwrap() == fresh, "{RENEW} ({file})");
    }
}

#[test]
fn the_shells_parse_their_completions() {
    for (shell, file) in SHELLS.into_iter().filter(|(shell, _)| *shell != "powershell") {
        let Some(ran) = tool(shell, &["-n", file]) else { continue };
        assert!(ran.code == Some(0) && ran.stderr.is_empty(), "{shell}: {ran:?}");
    }
}

#[test]
fn the_man_pages_are_read_without_a_complaint() {
    for name in files(Path::new("packaging/man")).keys() {
        let page = format!("packaging/man/{name}");
        if let Some(ran) = tool("groff", &["-mandoc", "-Tutf8", "-Kutf8", "-ww", "-z", &page]) {
            assert!(ran.code == Some(0) && ran.stderr.is_empty(), "{page}: {}", ran.stderr);
        }
        if let Some(ran) = tool("mandoc", &["-Tlint", "-Werror", &page]) {
            assert_eq!(ran.code, Some(0), "{page}: {}{}", ran.stdout, ran.stderr);
        }
    }
}
