//! Disks that are full, read-only, or cut from their power while the real program rotates.

use std::path::PathBuf;
use std::process::Command;

use crate::sandbox::Fault;
use crate::skip::skip;

use super::SECOND;
use super::bench::{Auth, Bench, UNTIL_LISTS_ARE_FRESH};
use super::disks::Disk;

/// The home's folder `small` lies on a tmpfs of its own, with some hundred KiB left.
fn with_small(small: &str) -> Option<Bench> {
    let mut bench = Bench::new(Auth::Key);
    let folder = bench.path(small);
    std::fs::create_dir_all(&folder).unwrap();
    let script = "mkdir -p \"$1.was\"; cp -a \"$1/.\" \"$1.was\"; mount -t tmpfs -o size=256k,mode=700 none \"$1\"; \
                  cp -a \"$1.was/.\" \"$1\"; rm -r \"$1.was\"";
    let disk = Disk::mount(script, &[&folder])?;
    bench.move_to(disk);
    Some(bench)
}

fn fill(bench: &Bench, folder: &str) -> String {
    // Blocks first, then what is left of the last one.
    let ballast = real(bench, folder).join("ballast");
    format!("cat /dev/zero > '{}' 2>/dev/null || true", ballast.display())
}

/// As seen inside.
fn real(bench: &Bench, folder: &str) -> PathBuf {
    bench.home.path().join(folder)
}

fn free(bench: &Bench, folder: &str) {
    std::fs::remove_file(bench.path(folder).join("ballast")).unwrap();
}

/// Runs `script` inside when `action` is called for the n-th time.
fn at(bench: &Bench, action: &'static str, n: usize, script: &str) {
    let mut run = bench.disk().script(script);
    let mut calls = 0;
    bench.sandbox.on_call(move |call| {
        calls += usize::from(call.action == action);
        if call.action == action && calls == n {
            run();
        }
    });
}

const PLACES: [&str; 2] = [".aws", ".local/state/keyrot-me"];

#[test]
fn a_disk_that_is_full_before_anything_is_made_stops_the_run() {
    for place in PLACES {
        let Some(bench) = with_small(place) else { return };
        bench.disk().script(&fill(&bench, place))();
        let ran = bench.run_signed(&["rotate", "--yes"]).expect(8);
        assert!(ran.stderr.contains("No space left"), "{place}: {}", ran.stderr);
        assert_eq!(bench.sandbox.count("CreateAccessKey"), 0);
        free(&bench, place);
        assert_eq!(bench.settle(), 1);
    }
}

#[test]
fn a_disk_that_is_read_only_before_anything_is_made_stops_the_run() {
    for place in PLACES {
        let Some(bench) = with_small(place) else { return };
        let folder = real(&bench, place).display().to_string();
        bench.disk().script(&format!("mount -o remount,ro '{folder}'"))();
        let ran = bench.run_signed(&["rotate", "--yes"]).expect(8);
        assert!(ran.stderr.contains("Read-only"), "{place}: {}", ran.stderr);
        assert_eq!(bench.sandbox.count("CreateAccessKey"), 0);
        bench.disk().script(&format!("mount -o remount,rw '{folder}'"))();
        assert_eq!(bench.settle(), 1);
    }
}

#[test]
fn an_immutable_file_stops_the_run_before_anything_is_made() {
    let bench = Bench::new(Auth::Key);
    let attribute = |change: &str| {
        let done = Command::new("chattr").arg(change).arg(bench.credentials_path()).output();
        done.is_ok_and(|done| done.status.success())
    };
    if !attribute("+i") {
        return skip("needs root and a file system with attributes: an immutable file");
    }
    let ran = bench.run_signed(&["rotate", "--yes"]);
    assert!(attribute("-i"));
    assert!(ran.expect(8).stderr.contains("immutable"));
    assert_eq!(bench.sandbox.count("CreateAccessKey"), 0);
    assert_eq!(bench.settle(), 1);
}

#[test]
fn a_new_key_that_cannot_be_staged_is_deleted_again() {
    let state = PLACES[1];
    let Some(bench) = with_small(state) else { return };
    at(&bench, "CreateAccessKey", 1, &fill(&bench, state));
    let ran = bench.run_signed(&["rotate", "--yes"]).expect(8);
    assert!(ran.stderr.contains("deleted again"), "{}", ran.stderr);
    assert_eq!(bench.sandbox.keys_of("alice").len(), 1, "no key is left over");
    free(&bench, state);
    bench.time_passes(UNTIL_LISTS_ARE_FRESH);
    assert_eq!(bench.settle(), 1);
}

#[test]
fn a_new_key_that_can_be_neither_staged_nor_deleted_is_named_and_deleted_later() {
    let state = PLACES[1];
    let Some(bench) = with_small(state) else { return };
    at(&bench, "CreateAccessKey", 1, &fill(&bench, state));
    bench.sandbox.fault("DeleteAccessKey", 1, Fault::denied());
    let ran = bench.run_signed(&["rotate", "--yes"]).expect(5);
    let lost = bench.sandbox.keys_of("alice").into_iter().find(|key| key.id != bench.old()).unwrap();
    assert!(ran.stderr.contains(&lost.id), "{}", ran.stderr);
    free(&bench, state);
    bench.time_passes(UNTIL_LISTS_ARE_FRESH);
    bench.settle();
    assert!(bench.sandbox.keys_of("alice").iter().all(|key| key.id != lost.id));
}

#[test]
fn a_disk_that_is_full_from_any_later_call_on_loses_nothing() {
    for (place, n) in PLACES.into_iter().flat_map(|place| (2..=9).map(move |n| (place, n))) {
        let Some(bench) = with_small(place) else { return };
        bench.at_call(n, bench.disk().script(&fill(&bench, place)));
        let ran = bench.run_signed(&["rotate", "--yes"]);
        assert!(matches!(ran.code, Some(0 | 5 | 8)), "{place} full from call {n}: {ran:?}");
        assert!(bench.sandbox.calls().len() >= n);
        free(&bench, place);
        bench.time_passes(UNTIL_LISTS_ARE_FRESH);
        bench.settle();
    }
}

#[test]
fn a_disk_that_is_full_at_publishing_keeps_both_keys() {
    let Some(bench) = with_small(".aws") else { return };
    // The second identity is the new key's.
    at(&bench, "GetCallerIdentity", 2, &fill(&bench, ".aws"));
    bench.run_signed(&["rotate", "--yes"]).expect(8);
    assert_eq!(bench.published().0, bench.old());
    assert_eq!(bench.active().len(), 2);
    for key in bench.active() {
        assert!(bench.stored().contains(&(key.id.clone(), key.secret)), "{} is stored: {}", key.id, bench.picture());
    }
    free(&bench, ".aws");
    bench.time_passes(SECOND);
    assert_eq!(bench.settle(), 1);
    assert_eq!(bench.sandbox.count("CreateAccessKey"), 1);
}

/// Commits wait, data is not ordered before names, and ext4's repair of a forgotten sync is off.
const UNFORGIVING: &str = "commit=300,noatime,data=writeback,noauto_da_alloc";

#[test]
fn the_power_may_go_after_any_call() {
    let mut cuts = 0;
    for (auth, n) in [Auth::Mfa, Auth::Key].into_iter().flat_map(|auth| (1..=16).map(move |n| (auth, n))) {
        let mut bench = Bench::new(auth);
        let work = tempfile::tempdir().unwrap();
        let (image, copy) = (work.path().join("disk"), work.path().join("copy"));
        let script = "truncate -s 16M \"$1\"; mkfs.ext4 -q -F \"$1\" >&2; cp -a \"$2\" \"$1.was\"; \
                      mount -o loop,OPTIONS \"$1\" \"$2\"; cp -a \"$1.was/.\" \"$2\"; sync -f \"$2\"";
        let home = bench.home.path().to_owned();
        let Some(disk) = Disk::mount(&script.replace("OPTIONS", UNFORGIVING), &[&image, &home]) else { return };
        bench.move_to(disk);
        let mut cut = bench.disk().script(&format!("cp --sparse=always '{}' '{}'", image.display(), copy.display()));
        let mut calls = 0;
        bench.sandbox.after_call(move |_| {
            calls += 1;
            if calls == n {
                cut();
            }
        });
        bench.sandbox.fault("*", n, Fault::KillAfter);
        let ran = bench.run_signed(&["rotate", "--yes"]);
        if ran.code.is_some() {
            ran.expect(0);
            continue;
        }
        cuts += 1;
        let Some(after) = Disk::mount("mount -o loop \"$1\" \"$2\"", &[&copy, &home]) else { return };
        bench.move_to(after);
        bench.some_stored_key_is_active();
        bench.file_is_whole();
        bench.time_passes(UNTIL_LISTS_ARE_FRESH);
        bench.settle();
    }
    assert!(cuts > 12);
    println!("{cuts} power cuts");
}
