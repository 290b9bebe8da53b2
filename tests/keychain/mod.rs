//! The key in the operating system's keychain: the real program against a real gnome-keyring on a bus of its own.

mod aws_tools;
pub mod desktop;
mod import;
mod leaks;
mod places;
mod process;
mod rotation;
mod trouble;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program;
use crate::workstation::Workstation;
use desktop::Desktop;

/// Alice's machine with her key in the keychain; `None`, said in words, where there is no keychain.
fn station() -> Option<(Workstation, Desktop)> {
    let desktop = Desktop::start()?;
    Some((on(&desktop), desktop))
}

/// Alice's machine in this session, with her key in its keychain.
fn on(desktop: &Desktop) -> Workstation {
    let mut station = Workstation::new(program());
    station.bus = Some(desktop.address.clone());
    let (id, secret) = station.hand_out_by_program();
    desktop.store_key("default", &id, &secret);
    station
}

/// The one Active key of alice: id and secret.
#[track_caller]
fn active(station: &Workstation) -> (String, String) {
    let keys = station.sandbox.keys_of("alice").into_iter().filter(|key| key.status == "Active");
    let keys: Vec<_> = keys.map(|key| (key.id, key.secret)).collect();
    assert_eq!(keys.len(), 1, "the Active keys");
    keys[0].clone()
}

fn secrets(station: &Workstation) -> Vec<String> {
    station.sandbox.keys_of("alice").into_iter().map(|key| key.secret).collect()
}

/// All files below a folder, with what is in them.
fn files_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() && !path.is_symlink() {
                return files_below(&path);
            }
            // It may be gone by now.
            fs::read(&path).ok().map(|bytes| (path, bytes)).into_iter().collect()
        })
        .collect()
}

#[track_caller]
fn no_file_holds(files: &[(PathBuf, Vec<u8>)], secrets: &[String]) {
    for (path, bytes) in files {
        let text = String::from_utf8_lossy(bytes);
        assert!(!secrets.iter().any(|secret| text.contains(secret)), "{} holds a secret", path.display());
    }
}

fn credential_process(station: &Workstation, profile: &str) -> Command {
    station.command(&["credential-process", "--profile", profile])
}

/// The actions that change something at IAM.
fn writes(station: &Workstation) -> usize {
    ["CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey"].iter().map(|action| station.sandbox.count(action)).sum()
}
