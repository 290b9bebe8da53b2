//! A machine with nothing to mend, what is asked of AWS on it, and that nothing is changed anywhere.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::*;

#[test]
fn a_healthy_machine_has_no_finding() {
    let station = healthy();
    nothing_wrong(&station);
    let code = station.sandbox.next_totp("alice");
    let all = doctor(&station, &["--mfa-code", &code]);
    assert_eq!(findings(&all), Vec::<&Value>::new());
    let permitted = |what: &str| all.iter().any(|check| check["what"].as_str().unwrap().contains(what));
    assert!(permitted("IAM permits UpdateAccessKey and DeleteAccessKey; CreateAccessKey is not probed"), "{all:#?}");
    assert!(permitted("cloudtrail:LookupEvents is permitted"), "{all:#?}");
}

#[test]
fn people_read_one_line_for_a_check_and_three_for_a_finding() {
    let station = healthy();
    let shown = station.run(&["doctor"]).expect(0).stdout;
    let ok = shown.lines().filter(|line| line.starts_with("ok ")).count();
    let why = shown.lines().filter(|line| line.trim_start().starts_with("why: ")).count();
    let fix = shown.lines().filter(|line| line.trim_start().starts_with("fix: ")).count();
    let notes = shown.lines().filter(|line| line.starts_with("note ")).count();
    assert!(ok >= 15 && notes >= 1, "{shown}");
    assert_eq!((why, fix), (notes, notes), "{shown}");
    assert_eq!(shown.lines().count(), ok + 3 * notes + 1, "{shown}");
    assert!(shown.lines().last().unwrap().starts_with("nothing to mend: "), "{shown}");
    let quiet = station.run(&["doctor", "--quiet"]).expect(0).stdout;
    assert!(!quiet.contains("ok ") && quiet.lines().count() == 3 * notes + 1, "{quiet}");
}

/// Everything below the home folder: kind, mode, content.
fn everything(station: &Workstation) -> BTreeMap<PathBuf, (u32, Option<Vec<u8>>)> {
    let mut all = BTreeMap::new();
    let mut folders = vec![station.home.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            all.insert(path.clone(), (mode(&meta), fs::read(&path).ok()));
            if meta.is_dir() {
                folders.push(path);
            }
        }
    }
    all
}

#[cfg(unix)]
fn mode(meta: &fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::mode(meta)
}

#[cfg(not(unix))]
fn mode(_: &fs::Metadata) -> u32 {
    0
}

/// Before the first run and after one, in health and in sickness, with a code and without.
#[test]
fn nothing_is_changed_here_or_at_iam() {
    let station = healthy();
    for act in ["", "rotate", "break"] {
        match act {
            "rotate" => drop(station.rotate(&[]).expect(0)),
            "break" => {
                fs::write(station.path(".config/keyrot-me/config.toml"), "nonsense").unwrap();
                crate::workstation::set_mode(&station.credentials_path(), 0o644);
                crate::workstation::set_mode(&station.state(), 0o755);
            }
            _ => {}
        }
        let keys = || {
            let all = ["alice", "bob"].into_iter().flat_map(|user| station.sandbox.keys_of(user));
            all.map(|key| (key.id, key.status)).collect::<Vec<_>>()
        };
        let before = (everything(&station), keys());
        station.sandbox.clear_calls();
        doctor(&station, &[]);
        let code = station.sandbox.next_totp("alice");
        doctor(&station, &["--mfa-code", &code]);
        assert_eq!(before, (everything(&station), keys()), "{act}");
        let calls = station.sandbox.calls();
        let writes = calls.iter().filter(|call| call.action.ends_with("AccessKey"));
        for call in writes {
            assert!(["UpdateAccessKey", "DeleteAccessKey"].contains(&call.action.as_str()), "{call:?}");
            assert!(["NoSuchEntity", "AccessDenied"].contains(&call.outcome.as_str()), "{call:?}");
        }
    }
}

#[test]
fn each_call_is_made_once() {
    let station = healthy();
    station.rotate(&[]).expect(0);
    let calls = |more: &[&str]| {
        station.sandbox.clear_calls();
        doctor(&station, more);
        let mut calls: Vec<String> = station.sandbox.calls().into_iter().map(|call| call.action).collect();
        calls.sort();
        calls
    };
    let mut wanted = vec![
        "DeleteAccessKey",
        "GetAccessKeyLastUsed",
        "GetAccessKeyLastUsed",
        "GetCallerIdentity",
        "ListAccessKeys",
        "ListMFADevices",
        "LookupEvents",
        "UpdateAccessKey",
    ];
    assert_eq!(calls(&[]), wanted, "one GetAccessKeyLastUsed for each key");
    wanted.insert(4, "GetSessionToken");
    assert_eq!(calls(&["--mfa-code", &station.sandbox.next_totp("alice")]), wanted);
}
