//! The purge's reports as files: when they appear, what they hold, and what happens when they cannot be written.

mod csv;
mod faults;
mod gauge;
mod html;
mod json;
mod merge;
mod round_trip;
mod rows;

use std::path::{Path, PathBuf};

use keyrot_me::host::report::{ReportFile, Reports};
use keyrot_me::ports::PurgeReport;

use rows::{account, header, row, summary};

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const NAMES: [&str; 3] = ["purge.json", "purge.csv", "purge.html"];

#[test]
fn the_file_appears_at_the_end_and_is_untouched_until_then() {
    for name in NAMES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, "last week's").unwrap();
        let mut report = ReportFile::create(&path, &header()).unwrap();
        report.key(&row(0)).unwrap();
        report.account(&account(0)).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "last week's");
        let beside = names(folder.path());
        assert!(beside.iter().any(|other| other.starts_with(&format!(".{name}.partial-"))), "{beside:?}");
        report.finish(&summary(&[account(0)])).unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().contains("AKIAEXAMPLE000000000"));
        assert_eq!(names(folder.path()), [name]);
    }
}

#[test]
fn a_report_that_is_given_up_leaves_nothing_behind() {
    for name in NAMES {
        let folder = tempfile::tempdir().unwrap();
        let mut report = ReportFile::create(&folder.path().join(name), &header()).unwrap();
        report.key(&row(0)).unwrap();
        drop(report);
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }
}

#[test]
fn what_was_changed_is_on_the_disk_at_once() {
    for name in NAMES {
        let folder = tempfile::tempdir().unwrap();
        let mut report = ReportFile::create(&folder.path().join(name), &header()).unwrap();
        let disabled = row(2);
        report.key(&disabled).unwrap();
        let partial = folder.path().join(&names(folder.path())[0]);
        assert!(std::fs::read_to_string(partial).unwrap().contains(disabled.key.as_str()), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_a_report() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    for name in NAMES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let link = folder.path().join(format!("link-{name}"));
        symlink(&path, &link).unwrap();
        let report = ReportFile::create(&link, &header()).unwrap();
        let partial = names(folder.path()).into_iter().find(|other| other.contains(".partial-")).unwrap();
        let mode = |path: &Path| std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.path().join(partial)), 0o600);
        report.finish(&summary(&[])).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert!(link.is_symlink(), "a link stays one");
    }
}

#[test]
fn several_reports_are_written_at_once_and_each_name_serves_one() {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = NAMES.iter().map(|name| folder.path().join(name.to_uppercase())).collect();
    let mut reports = Reports::create(&paths, false, &header()).unwrap();
    reports.key(&row(2)).unwrap();
    reports.account(&account(0)).unwrap();
    reports.finish(&summary(&[account(0)])).unwrap();
    for path in &paths {
        assert!(std::fs::read_to_string(path).unwrap().contains("AKIAEXAMPLE000000002"), "{}", path.display());
    }
    let same = [folder.path().join("a.json"), folder.path().join(".").join("A.json")];
    let refused = Reports::create(&same, false, &header()).err().unwrap();
    assert!(refused.to_string().contains("another --report names the same file"), "{refused}");
    assert_eq!(names(folder.path()).len(), NAMES.len());
}
