//! Reports that cannot be written: refused before anything is changed, or told in the middle.

use std::path::Path;
use std::process::Command;

use keyrot_me::host::report::{ReportFile, Reports};
use keyrot_me::ports::PurgeReport;

use super::rows::{account, header, row, summary};
use super::{NAMES, names};
use crate::skip::skip;

fn refused(path: &Path) -> String {
    ReportFile::create(path, &header()).err().unwrap().to_string()
}

#[test]
fn another_ending_is_refused_with_the_ones_that_there_are() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["purge.txt", "purge", "json", ".json", "purge.json.gz"] {
        let said = refused(&folder.path().join(name));
        assert!(said.contains(name) && said.contains(".json, .csv or .html"), "{said}");
    }
    assert!(names(folder.path()).is_empty());
}

#[test]
fn what_cannot_become_a_report_is_refused_before_anything_is_written() {
    for name in NAMES {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing").join(name);
        let said = refused(&missing);
        assert!(said.contains(missing.to_str().unwrap()) && said.contains("does not exist: make it first"), "{said}");
        let path = folder.path().join(name);
        std::fs::create_dir(&path).unwrap();
        assert!(refused(&path).contains("it is a folder"));
        std::fs::remove_dir(&path).unwrap();
        std::fs::write(&path, "kept").unwrap();
        let mut rights = std::fs::metadata(&path).unwrap().permissions();
        rights.set_readonly(true);
        std::fs::set_permissions(&path, rights).unwrap();
        assert!(refused(&path).contains("write-protected"));
        assert!(refused(&path.join(name)).contains("cannot be written"), "a file is no folder");
        assert_eq!(names(folder.path()), [name]);
    }
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_and_pipes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("purge.json");
    std::os::unix::fs::symlink("nowhere", &path).unwrap();
    assert!(refused(&path).contains("a link that leads nowhere"));
    let pipe = folder.path().join("pipe.json");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
    assert!(refused(&pipe).contains("not a regular file"));
}

const STEP: &str = "KEYROT_ME_TEST_STEP";
const FOLDER: &str = "KEYROT_ME_TEST_FOLDER";

/// What the scripts below start, on disks of their own; does nothing in a normal run.
#[test]
fn worker() {
    let (Ok(step), Some(folder)) = (std::env::var(STEP), std::env::var_os(FOLDER)) else { return };
    let paths: Vec<_> = NAMES.iter().map(|name| Path::new(&folder).join("small").join(name)).collect();
    match step.as_str() {
        "create" => paths.iter().for_each(|path| println!("said: {}", refused(path))),
        "fill" => paths.iter().for_each(|path| fill(path)),
        _ => fill_one_of_two(&paths[0], &Path::new(&folder).join("large.json")),
    }
}

fn fill(path: &Path) {
    let mut report = ReportFile::create(path, &header()).unwrap();
    let error = (0..100_000).find_map(|number| report.key(&row(number)).err()).unwrap();
    println!("said: {error}");
    assert_eq!(report.key(&row(0)).err().as_ref(), Some(&error), "what failed once takes no more");
    assert_eq!(report.finish(&summary(&[])).err(), Some(error));
    let folder = path.parent().unwrap();
    println!("said: {:?}", names(folder));
    for name in names(folder) {
        std::fs::remove_file(folder.join(name)).unwrap();
    }
}

fn fill_one_of_two(small: &Path, large: &Path) {
    let mut reports = Reports::create(&[small.to_owned(), large.to_owned()], false, &header()).unwrap();
    let failed_at = (0..100_000).find(|number| reports.key(&row(*number)).is_err()).unwrap();
    reports.key(&row(100_000)).unwrap();
    reports.account(&account(0)).unwrap();
    let error = reports.finish(&summary(&[account(0)])).err().unwrap();
    assert!(error.name.contains("small"), "{error}");
    let text = std::fs::read_to_string(large).unwrap();
    let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(whole["keys"].as_array().unwrap().len(), failed_at + 2);
    println!("said: the other is whole");
}

/// Runs `script` as root in a mount namespace, with `$dir` and `run STEP` for the worker.
fn scene(script: &str) -> Option<String> {
    let probe = Command::new("unshare").args(["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    if !probe.is_ok_and(|done| done.status.success()) {
        skip("needs root and mount namespaces: reports on full and read-only disks");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let head = "set -eu; mkdir \"$dir/small\"; run() { KEYROT_ME_TEST_STEP=$1 KEYROT_ME_TEST_FOLDER=$dir \"$exe\" \
                --exact --nocapture report::faults::worker 2>&1 | grep -E 'said: |panicked' ; }\n";
    let output = Command::new("unshare")
        .args(["-m", "bash", "-c", &format!("{head}{script}")])
        .env("dir", dir.path())
        .env("exe", std::env::current_exe().unwrap())
        .output()
        .unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_read_only_or_full_disk_is_found_before_anything_is_changed() {
    let Some(said) = scene("mount -t tmpfs -o ro none \"$dir/small\"; run create") else { return };
    assert_eq!(said.matches("Read-only file system").count(), NAMES.len(), "{said}");
    let full = "mount -t tmpfs -o size=64k none \"$dir/small\"; head -c 64k /dev/zero > \"$dir/small/x\"; run create";
    let Some(said) = scene(full) else { return };
    assert_eq!(said.matches("No space left on device").count(), NAMES.len(), "{said}");
}

#[test]
fn a_disk_that_fills_in_the_middle_is_told_and_what_was_written_is_named() {
    let Some(said) = scene("mount -t tmpfs -o size=256k none \"$dir/small\"; run fill") else { return };
    for name in NAMES {
        let told = said.lines().find(|line| line.contains(&format!("small/{name} cannot be written"))).unwrap();
        assert!(told.contains("No space left on device"), "{said}");
        assert!(told.contains(&format!("what there is of it is in {}", "/")) && told.contains(".partial-"), "{said}");
        assert!(said.contains(&format!("[\".{name}.partial-")), "{said}");
    }
}

#[test]
fn a_report_that_fails_does_not_end_the_others() {
    let Some(said) = scene("mount -t tmpfs -o size=256k none \"$dir/small\"; run two") else { return };
    assert!(said.contains("the other is whole"), "{said}");
}
