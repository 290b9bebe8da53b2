//! Credentials files that cannot be used: refused before anything is called, with file, line and fix.

use super::*;

/// The station with its file damaged by `damage`, which says what must be named.
#[track_caller]
fn unusable(damage: impl FnOnce(&Workstation) -> Vec<&'static str>) {
    let station = station();
    let words = damage(&station);
    for command in [&["rotate", "--no-mfa"][..], &["status"], &["finish"], &["rollback"]] {
        let ran = refused_before_any_call(&station, || station.run(command), 8, &words);
        assert!(ran.stderr.contains(".aws/credentials"), "{}", ran.stderr);
    }
}

fn rewritten(change: impl Fn(String) -> Vec<u8>, words: &[&'static str]) {
    unusable(|station| {
        station.write_credentials(change(station.credentials()));
        words.to_vec()
    });
}

#[test]
fn files_that_the_aws_tools_cannot_read_are_refused_with_their_line() {
    rewritten(|text| [b"\xef\xbb\xbf", text.as_bytes()].concat(), &["credentials:1: ", "byte order mark"]);
    rewritten(|text| text.replace("\n[default]\n", "\n[default]\r").into_bytes(), &["credentials:", "carriage return"]);
    rewritten(|text| (text + "garbage\n").into_bytes(), &["credentials:10: ", "no '=' on the line"]);
    rewritten(|text| text.replace("[elsewhere]", "[elsewhere").into_bytes(), &["credentials:7: ", "does not end with"]);
    rewritten(|text| ["a = b\n", &text].concat().into_bytes(), &["credentials:1: ", "before any section"]);
    rewritten(|text| [text.as_bytes(), b"x = \xff\n"].concat(), &["credentials:10: ", "not UTF-8"]);
    rewritten(|text| [text.as_bytes(), b"x = \0\n"].concat(), &["credentials:10: ", "NUL"]);
    rewritten(|text| (text + &"#".repeat(1 << 20)).into_bytes(), &["larger than 1 MiB"]);
}

#[test]
fn a_duplicate_of_our_section_is_refused_before_anything_is_made() {
    let station = station();
    station.write_credentials(station.credentials() + "[default]\nregion = x\n");
    let words = ["credentials:10: ", "[default] stands here again; it began on line 2", "merge"];
    refused_before_any_call(&station, || station.run(&["rotate", "--no-mfa"]), 8, &words);
}

#[test]
fn a_duplicate_elsewhere_is_kept() {
    let station = station();
    station
        .write_credentials(station.credentials() + "[elsewhere]\nregion = x\n  # odd\n[elsewhere]\r\nregion = y\r\n");
    let (before, old) = (station.credentials(), station.sandbox.keys_of("alice").remove(0));
    station.rotate(&[]).expect(0);
    let new = station.sandbox.keys_of("alice").remove(1);
    assert_eq!(station.credentials(), before.replace(&old.id, &new.id).replace(&old.secret, &new.secret));
}

#[test]
fn a_folder_in_its_place_is_refused() {
    unusable(|station| {
        std::fs::remove_file(station.credentials_path()).unwrap();
        std::fs::create_dir(station.credentials_path()).unwrap();
        vec!["is not a regular file"]
    });
}

#[cfg(unix)]
#[test]
fn links_that_cannot_be_followed_are_refused() {
    use std::os::unix::fs::symlink;
    unusable(|station| {
        std::fs::remove_file(station.credentials_path()).unwrap();
        symlink("nowhere", station.credentials_path()).unwrap();
        vec!["symbolic link to a file that does not exist"]
    });
    unusable(|station| {
        std::fs::remove_file(station.credentials_path()).unwrap();
        symlink("credentials", station.credentials_path()).unwrap();
        vec!["leads back to itself"]
    });
    unusable(|station| {
        std::fs::hard_link(station.credentials_path(), station.path("other-name")).unwrap();
        vec!["has 2 hard links", "copy the file over itself"]
    });
}

#[cfg(unix)]
#[test]
fn a_link_to_the_file_stays_a_link() {
    let station = station();
    std::fs::rename(station.credentials_path(), station.path("real")).unwrap();
    std::os::unix::fs::symlink("../real", station.credentials_path()).unwrap();
    let old = station.held_id();
    station.rotate(&[]).expect(0);
    assert_eq!(std::fs::read_link(station.credentials_path()).unwrap(), Path::new("../real"));
    assert_ne!(station.held_id(), old);
}

#[cfg(unix)]
#[test]
fn a_file_of_another_user_is_refused() {
    let station = station();
    if std::os::unix::fs::chown(station.credentials_path(), Some(STRANGER), None).is_err() {
        println!("skipped: needs root: a file of another user");
        return;
    }
    let words = ["belongs to user id 54321", "run as the user"];
    refused_before_any_call(&station, || station.run(&["rotate", "--no-mfa"]), 8, &words);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_is_refused() {
    let station = station();
    let Some(mut command) = as_stranger(&station, "an unreadable file", &["rotate", "--no-mfa"]) else { return };
    crate::workstation::set_mode(&station.credentials_path(), 0o000);
    let words = ["cannot read", ".aws/credentials", "Permission denied"];
    refused_before_any_call(&station, || Ran::from(command.output().unwrap()), 8, &words);
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_found_before_anything_is_made() {
    let station = station();
    let Some(mut command) = as_stranger(&station, "a folder without rights", &["rotate", "--no-mfa"]) else { return };
    crate::workstation::set_mode(&station.path(".aws"), 0o500);
    let words = ["cannot create a temporary file in", ".aws", "Permission denied"];
    refused_before_any_call(&station, || Ran::from(command.output().unwrap()), 8, &words);
    crate::workstation::set_mode(&station.path(".aws"), 0o700);
}

#[cfg(unix)]
#[test]
fn a_full_or_read_only_disk_is_found_before_anything_is_made() {
    let mount = "mount -t tmpfs -o size=16k none $HOME/disk && cp $HOME/.aws/credentials $HOME/disk/ || exit 99";
    for (spoil, words) in [
        ("head -c 12000 /dev/zero > $HOME/disk/ballast", ["No space left", "free some space"]),
        ("mount -o remount,ro $HOME/disk", ["Read-only", "mount it writable"]),
    ] {
        let station = station();
        let probe = "mount -t tmpfs none /mnt";
        if !possible("a full disk", Command::new("unshare").args(["-m", "sh", "-c", probe])) {
            return;
        }
        std::fs::create_dir(station.path("disk")).unwrap();
        // More than the room that is left.
        station.write_credentials(station.credentials() + &"# filler\n".repeat(500));
        let script = format!("{mount}\n{spoil}\nAWS_SHARED_CREDENTIALS_FILE=$HOME/disk/credentials $0 rotate --no-mfa");
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", &script, program()]).env_clear().envs(station.environment());
        refused_before_any_call(&station, || Ran::from(command.output().unwrap()), 8, &words);
    }
}

#[test]
fn a_file_that_others_can_read_is_told_and_closed() {
    let station = station();
    crate::workstation::set_mode(&station.credentials_path(), 0o644);
    let ran = station.rotate(&[]).expect(0);
    assert!(ran.stderr.contains("can be read by other users"), "{}", ran.stderr);
    assert_eq!(mode_of(&station.credentials_path()), 0o600);
    crate::workstation::set_mode(&station.credentials_path(), 0o400);
    station.run(&["finish", "--now", "--no-mfa"]).expect(0);
    station.rotate(&[]).expect(0);
    assert_eq!(mode_of(&station.credentials_path()), 0o400, "never widened");
}

#[test]
fn garbage_in_the_aws_config_file_is_refused_with_its_line() {
    let station = station();
    for (text, words) in [
        ("[default]\n\nnonsense\n", ["config:3: ", "no '='"]),
        ("\u{feff}[default]\n", ["config:1: ", "byte order mark"]),
        ("[default\n", ["config:1: ", "does not end with"]),
    ] {
        config(&station, text);
        refused_before_any_call(&station, || station.run(&["rotate", "--no-mfa"]), 8, &words);
    }
}

#[test]
fn a_file_that_git_keeps_is_refused() {
    let station = station();
    let folder = station.path(".aws");
    let git = |words: &[&str]| possible("a tracked file", Command::new("git").arg("-C").arg(&folder).args(words));
    if !git(&["init", "-q"]) {
        return;
    }
    station.run(&["rotate", "--dry-run"]).expect(0);
    assert!(git(&["add", "credentials"]));
    let words = ["is tracked by git", "git rm --cached"];
    refused_before_any_call(&station, || station.run(&["rotate", "--no-mfa"]), 3, &words);
}
