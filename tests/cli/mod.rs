//! What a user sees: each command with good and bad input, on the real program against the sandbox.

pub mod auth_profile;
mod calls;
mod credentials;
mod endpoint;
mod fake_sts;
mod finish;
mod flags;
mod import;
mod import_again;
mod import_by_hand;
mod mfa;
pub mod mfa_sources;
mod pinentry;
mod profiles;
mod rollback;
mod rotate;
mod secrets;
mod settings;
mod short;
mod state;
mod status;
mod terminal;
mod way_back;

use std::path::{Path, PathBuf};
use std::process::Command;

use fake_sts::FakeSts;

use crate::program;
use crate::workstation::{Ran, Workstation};

const WRITES: [&str; 3] = ["CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey"];

fn station() -> Workstation {
    Workstation::new(program())
}

/// Everything that a refusal must leave as it was.
#[derive(PartialEq, Eq, Debug)]
struct Scene {
    keys: Vec<(String, String)>,
    files: Vec<(PathBuf, Option<Vec<u8>>)>,
    writes: usize,
}

impl Scene {
    fn of(station: &Workstation) -> Self {
        let keys = ["alice", "bob"].into_iter().flat_map(|user| station.sandbox.keys_of(user));
        let files = [".aws/credentials", ".aws/config", ".config/keyrot-me/config.toml"].map(|name| station.path(name));
        Self {
            keys: keys.map(|key| (key.id, key.status)).collect(),
            files: files.into_iter().map(|path| (path.clone(), std::fs::read(path).ok())).collect(),
            writes: WRITES.iter().map(|action| station.sandbox.count(action)).sum(),
        }
    }
}

/// Runs `act`, which must end with `code`, name each of `words`, say what to do next, and change nothing.
#[track_caller]
fn refused(station: &Workstation, act: impl FnOnce() -> Ran, code: i32, words: &[&str]) -> Ran {
    let before = Scene::of(station);
    let ran = act().expect(code);
    for word in words {
        assert!(ran.stderr.contains(word), "{word:?} is not in:\n{}", ran.stderr);
    }
    assert!(ran.stderr.contains("\nnext: ") || ran.stderr.contains("For more information"), "{}", ran.stderr);
    assert_eq!(before, Scene::of(station));
    no_secret(station, &ran);
    ran
}

/// As [`refused`], where a refused write was heard.
#[track_caller]
fn refused_writes(station: &Workstation, act: impl FnOnce() -> Ran, code: i32, words: &[&str]) {
    let before = Scene::of(station);
    let ran = act().expect(code);
    assert!(words.iter().all(|word| ran.stderr.contains(word)), "{}", ran.stderr);
    assert_eq!(Scene { writes: 0, ..before }, Scene { writes: 0, ..Scene::of(station) });
}

/// As [`refused`], and AWS heard nothing of it.
#[track_caller]
fn refused_before_any_call(station: &Workstation, act: impl FnOnce() -> Ran, code: i32, words: &[&str]) -> Ran {
    station.sandbox.clear_calls();
    let ran = refused(station, act, code, words);
    assert_eq!(actions(station), Vec::<String>::new());
    ran
}

#[track_caller]
fn no_secret(station: &Workstation, ran: &Ran) {
    for key in ["alice", "bob"].into_iter().flat_map(|user| station.sandbox.keys_of(user)) {
        assert!(!ran.stdout.contains(&key.secret) && !ran.stderr.contains(&key.secret), "{ran:?}");
    }
}

fn actions(station: &Workstation) -> Vec<String> {
    station.sandbox.calls().into_iter().map(|call| call.action).collect()
}

fn config(station: &Workstation, text: &str) {
    std::fs::write(station.path(".aws/config"), text).unwrap();
}

/// Files below `folder`, with their mode.
fn files_below(folder: &Path) -> Vec<(PathBuf, u32)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let entries = entries.map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            let below = if path.is_dir() { files_below(&path) } else { Vec::new() };
            let mode = mode_of(&path);
            [(path, mode)].into_iter().chain(below)
        })
        .collect()
}

#[cfg(unix)]
fn mode_of(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

#[cfg(not(unix))]
fn mode_of(_: &Path) -> u32 {
    0
}

/// False, said in words, where a tool or a right is missing.
fn possible(what: &str, probe: &mut Command) -> bool {
    let possible = probe.output().is_ok_and(|done| done.status.success());
    if !possible {
        println!("skipped: {} does not work here: {what}", probe.get_program().to_string_lossy());
    }
    possible
}

/// A user id without an entry in the password file.
const STRANGER: u32 = 54_321;

/// The program as [`STRANGER`], who owns the home folder; `None`, said in words, where we may not become one.
#[cfg(unix)]
pub fn as_stranger(station: &Workstation, what: &str, arguments: &[&str]) -> Option<Command> {
    let id = STRANGER.to_string();
    let shared = ["--reuid", &id, "--regid", &id, "--clear-groups"];
    if !possible(what, Command::new("setpriv").args(shared).arg(program()).arg("--version")) {
        return None;
    }
    give_away(station.home.path());
    let mut command = Command::new("setpriv");
    let environment: Vec<_> = station.environment();
    command.args(shared).arg(program()).args(arguments).env_clear().envs(environment);
    Some(command)
}

#[cfg(unix)]
fn give_away(path: &Path) {
    std::os::unix::fs::lchown(path, Some(STRANGER), Some(STRANGER)).unwrap();
    for (path, _) in files_below(path) {
        std::os::unix::fs::lchown(path, Some(STRANGER), Some(STRANGER)).unwrap();
    }
}
