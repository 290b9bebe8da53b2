//! What packaging/build makes: listed, linted, and the deb and the rpm installed, used and removed in a clean root.
//!
//! The packages are those in the folder that `KEYROT_PACKAGES` names; `tests/run` builds them before.

mod clean_root;
mod contents;
mod generated;
mod manifests;
mod units;

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use crate::skip::skip;
use crate::workstation::Ran;

/// The one package in `KEYROT_PACKAGES` whose name begins and ends so.
fn package(begin: &str, end: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("KEYROT_PACKAGES") else {
        skip(&format!("KEYROT_PACKAGES names no folder that packaging/build filled: {begin}…{end} was not tested"));
        return None;
    };
    let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let found: Vec<String> = names.filter(|name| name.starts_with(begin) && name.ends_with(end)).collect();
    assert_eq!(found.len(), 1, "{} has {found:?} for {begin}…{end}", folder.display());
    Some(PathBuf::from(folder).join(&found[0]))
}

/// What a tool says; `None`, and a word about it, where it is not installed.
fn tool<S: AsRef<OsStr>>(name: &str, arguments: &[S]) -> Option<Ran> {
    match Command::new(name).args(arguments).output() {
        Ok(output) => Some(Ran::from(output)),
        Err(_) => {
            skip(&format!("{name} is not installed: what it would check was not checked"));
            None
        }
    }
}
