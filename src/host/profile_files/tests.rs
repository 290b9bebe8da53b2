//! A profile's key and process line on a real disk.
#![allow(clippy::disallowed_methods, reason = "tests write files freely")]

use std::fs;
use std::io::{Read, Seek};

use super::*;
use crate::keys::secret::SecretKey;

const ID_TEXT: &str = "AKIAEXAMPLE000000001";
const LINE: &str = "/usr/bin/keyrot-me credential-process --profile work";

fn key(id: &str, secret: &str) -> AccessKey {
    AccessKey { id: KeyId::new(id).unwrap(), secret: SecretKey::new(secret.to_owned()) }
}

fn places(folder: &Path) -> Places {
    Places {
        credentials: folder.join(".aws/credentials"),
        config: folder.join(".aws/config"),
        settings: folder.join("config.toml"),
        settings_named: false,
        state: folder.join("state"),
    }
}

fn with_files(credentials: &str, config: &str) -> (tempfile::TempDir, Places) {
    let folder = tempfile::tempdir().unwrap();
    let places = places(folder.path());
    fs::create_dir(folder.path().join(".aws")).unwrap();
    fs::write(&places.credentials, credentials).unwrap();
    fs::write(&places.config, config).unwrap();
    (folder, places)
}

#[cfg(unix)]
#[test]
fn files_that_are_not_there_are_made_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let places = places(folder.path());
    put_key(&places, "work", &key(ID_TEXT, "secret")).unwrap();
    assert!(set_process(&places, "work", LINE).unwrap());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&places.credentials), 0o600);
    assert_eq!(mode(&places.config), 0o600);
    assert_eq!(mode(places.config.parent().unwrap()), 0o700);
    assert_eq!(fs::read_to_string(&places.config).unwrap(), format!("[profile work]\ncredential_process = {LINE}\n"));
    assert_eq!(keys_of(&places, "work").unwrap(), [key(ID_TEXT, "secret")]);
}

#[cfg(unix)]
#[test]
fn a_folder_that_is_there_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let places = places(folder.path());
    let aws = folder.path().join(".aws");
    fs::create_dir(&aws).unwrap();
    fs::set_permissions(&aws, fs::Permissions::from_mode(0o755)).unwrap();
    put_key(&places, "work", &key(ID_TEXT, "secret")).unwrap();
    assert_eq!(fs::metadata(&aws).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(fs::metadata(&places.credentials).unwrap().permissions().mode() & 0o777, 0o600);
}

/// Whoever has the old file open, or reads its blocks, finds zeros.
#[cfg(unix)]
#[test]
fn the_bytes_of_a_key_that_is_taken_are_overwritten_where_they_were() {
    use std::os::unix::fs::PermissionsExt;
    for mode in [0o600, 0o400] {
        let text = format!("[work]\naws_access_key_id = {ID_TEXT}\naws_secret_access_key = the/secret\nregion = x\n");
        let (_folder, places) = with_files(&text, "");
        fs::set_permissions(&places.credentials, fs::Permissions::from_mode(mode)).unwrap();
        let mut old = fs::File::open(&places.credentials).unwrap();
        assert!(take_key(&places, "work", &KeyId::new(ID_TEXT).unwrap()).unwrap());
        assert_eq!(fs::read_to_string(&places.credentials).unwrap(), "[work]\nregion = x\n");
        assert_eq!(fs::metadata(&places.credentials).unwrap().permissions().mode() & 0o777, mode);
        let mut left = Vec::new();
        old.rewind().unwrap();
        old.read_to_end(&mut left).unwrap();
        assert_eq!(left, vec![0; text.len()]);
        assert!(!take_key(&places, "work", &KeyId::new(ID_TEXT).unwrap()).unwrap(), "a second time there is none");
    }
}

#[test]
fn a_key_is_taken_from_both_files_and_another_key_stays() {
    let pair = format!("aws_access_key_id = {ID_TEXT}\naws_secret_access_key = s\n");
    let (_folder, places) = with_files(&format!("[work]\n{pair}[other]\n{pair}"), &format!("[profile work]\n{pair}"));
    assert!(!take_key(&places, "work", &KeyId::new("AKIAEXAMPLE000000002").unwrap()).unwrap());
    assert!(take_key(&places, "work", &KeyId::new(ID_TEXT).unwrap()).unwrap());
    assert_eq!(fs::read_to_string(&places.credentials).unwrap(), format!("[work]\n[other]\n{pair}"));
    assert_eq!(fs::read_to_string(&places.config).unwrap(), "[profile work]\n");
    let left = holders(&places, &KeyId::new(ID_TEXT).unwrap()).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].profile.as_deref(), Some("other"));
    assert!(left[0].place.ends_with("credentials:2"), "{}", left[0].place);
}

#[test]
fn a_key_and_a_process_go_where_one_stands_already() {
    let pair = "aws_access_key_id = AKIAEXAMPLE000000002\naws_secret_access_key = s\n";
    let (_folder, places) = with_files("[work]\ncredential_process = old\n", &format!("[profile work]\n{pair}"));
    put_key(&places, "work", &key(ID_TEXT, "new")).unwrap();
    assert!(set_process(&places, "work", LINE).unwrap());
    assert!(!set_process(&places, "work", LINE).unwrap());
    assert_eq!(fs::read_to_string(&places.credentials).unwrap(), format!("[work]\ncredential_process = {LINE}\n"));
    let config = format!("[profile work]\naws_access_key_id = {ID_TEXT}\naws_secret_access_key = new\n");
    assert_eq!(fs::read_to_string(&places.config).unwrap(), config);
    assert_eq!(property(&places, "work", "credential_process").unwrap().as_deref(), Some(LINE));
    assert!(remove_process(&places, "work").unwrap());
    assert!(!remove_process(&places, "work").unwrap());
}

#[test]
fn a_change_that_cannot_be_made_is_told_before_with_its_line_and_makes_nothing() {
    let config = "[profile work]\nx=1\n[profile work]\n";
    let (_folder, places) = with_files("", config);
    let error = Change::SetProcess(LINE).prove(&places, "work").unwrap_err();
    assert!(error.message.contains("config:3: section [profile work] stands here again"), "{error}");
    assert!(error.hint.is_some());
    assert!(set_process(&places, "work", LINE).is_err());
    assert_eq!(fs::read_to_string(&places.config).unwrap(), config);
    Change::PutKey(&key(ID_TEXT, "secret")).prove(&places, "work").unwrap();
    assert_eq!(fs::read_to_string(&places.credentials).unwrap(), "");
}

#[test]
fn a_file_that_git_keeps_gets_no_key() {
    let (folder, places) = with_files("", "");
    let git = |words: &[&str]| std::process::Command::new("git").arg("-C").arg(folder.path()).args(words).output();
    if !git(&["init", "-q"]).is_ok_and(|done| done.status.success()) {
        return;
    }
    git(&["add", "-f", ".aws/credentials"]).unwrap();
    let error = Change::PutKey(&key(ID_TEXT, "secret")).prove(&places, "work").unwrap_err();
    assert!(error.message.contains("tracked by git"), "{error}");
}
