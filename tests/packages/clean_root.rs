//! deb and rpm in a clean Debian: installed, used by alice, upgraded and removed.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::program;
use crate::skip::skip;
use crate::workstation::{Ran, Workstation, set_mode};

use super::package;

/// `tests/run` unpacks it once.
fn root() -> Option<PathBuf> {
    let root = std::env::var_os("KEYROT_CLEAN_ROOT").map(PathBuf::from);
    if root.is_none() {
        skip("KEYROT_CLEAN_ROOT names no clean root: no package was installed");
    }
    root
}

/// Alice's home, whose settings name a program that prints her codes.
fn alice() -> Workstation {
    let station = Workstation::new(program());
    let port = station.sandbox.url().rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
    let ask = format!("exec 3<>/dev/tcp/127.0.0.1/{port}");
    let request = r"printf 'GET /sandbox/totp/alice HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n\r\n' >&3";
    let codes = station.path("codes");
    fs::write(&codes, format!("#!/bin/bash\n{ask}\n{request}\ngrep -oE '^[0-9]{{6}}' <&3\n")).unwrap();
    set_mode(&codes, 0o700);
    station.settings("[rotation]\nsettle = { every = \"0s\" }\n[mfa]\ncommand = \"/home/alice/codes\"\n");
    station
}

/// The script's outcome: each thing that was as it must be, `None` where it cannot run.
fn in_a_clean_root(kind: &str, begin: &str, end: &str) -> Option<String> {
    let (root, newer) = (root()?, package(begin, end)?);
    let older = newer.parent().unwrap().join("older").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let older = older.into_iter().find(|path| path.to_str().unwrap().ends_with(end)).unwrap();
    let unshared = ["--mount", "--pid", "--fork", "--kill-child"];
    if !Command::new("unshare").args(unshared).arg("true").status().is_ok_and(|status| status.success()) {
        skip("needs mount and pid namespaces: no package was installed in a clean root");
        return None;
    }
    let station = alice();
    let mut script = Command::new("unshare");
    script.args(unshared).args(["tests/packages/clean-root.sh", kind]);
    script.arg(root).arg(station.home.path()).arg(older).arg(newer).env("AWS_ENDPOINT_URL", station.sandbox.url());
    let ran = Ran::from(script.output().unwrap()).expect(0);
    assert_eq!(station.sandbox.keys_of("alice").len(), 2, "{ran:?}");
    Some(ran.stdout)
}

#[test]
fn the_deb_is_installed_used_upgraded_and_removed() {
    let Some(said) = in_a_clean_root("deb", "keyrot-me_", ".deb") else { return };
    assert_eq!(said.matches("ok: ").count(), 6, "{said}");
}

#[test]
fn the_rpm_is_installed_used_upgraded_and_removed() {
    let Some(said) = in_a_clean_root("rpm", "keyrot-me-", ".rpm") else { return };
    assert_eq!(said.matches("ok: ").count(), 6, "{said}");
}
