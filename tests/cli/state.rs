//! The state folder: journals that were damaged, locks, missing rights, no home folder.

use super::*;

fn journal(station: &Workstation) -> PathBuf {
    station.state().join("journal.jsonl")
}

/// A station after one rotation, its old key in grace.
fn rotated() -> Workstation {
    let station = station();
    station.rotate(&[]).expect(0);
    station
}

#[test]
fn an_edited_journal_is_refused_with_its_line() {
    let station = rotated();
    let text = std::fs::read_to_string(journal(&station)).unwrap();
    for (from, to, line) in [
        ("keyrot-me", "something-else", 1),
        ("\"intent\"", "\"intend\"", 2),
        ("\"old\":\"AKIA", "\"old\":\"?", 2),
        ("\"staged\"", "\"proved\"", 3),
        ("{\"at\":", "{\"at\":\"yesterday\",\"was\":", 2),
    ] {
        assert!(text.contains(from), "{from} is not in {text}");
        std::fs::write(journal(&station), text.replacen(from, to, 1)).unwrap();
        let place = format!("journal.jsonl:{line}: the journal is damaged");
        for command in [&["rotate", "--no-mfa"][..], &["status"], &["finish"], &["rollback", "--no-mfa"]] {
            refused_before_any_call(&station, || station.run(command), 8, &[&place, "undamaged copy"]);
        }
    }
}

#[test]
fn a_journal_cut_at_any_byte_is_read_as_far_as_it_goes_or_refused() {
    let station = rotated();
    let whole = std::fs::read(journal(&station)).unwrap();
    for cut in (0..whole.len()).step_by(whole.len() / 40) {
        std::fs::write(journal(&station), &whole[..cut]).unwrap();
        let ran = station.run(&["status", "--json"]).expect(0);
        no_secret(&station, &ran);
        assert_eq!(std::fs::read(journal(&station)).unwrap(), &whole[..cut], "status writes nothing");
    }
}

#[test]
fn a_journal_of_a_newer_version_is_read_and_not_written() {
    let station = rotated();
    let text = std::fs::read_to_string(journal(&station)).unwrap().replacen("\"format\":1", "\"format\":2", 1);
    let newer = text + "{\"at\":\"2027-01-01T00:00:00Z\",\"teleported\":true}\n";
    std::fs::write(journal(&station), &newer).unwrap();
    let json = station.run(&["status", "--json"]).expect(0).json();
    assert_eq!(json["keys"].as_array().unwrap().len(), 2, "{json}");
    for command in [&["rotate", "--no-mfa"][..], &["finish"], &["rollback", "--no-mfa"]] {
        let words = ["written by a newer keyrot-me", "format 2", "update keyrot-me"];
        refused_before_any_call(&station, || station.run(command), 8, &words);
    }
    assert_eq!(std::fs::read_to_string(journal(&station)).unwrap(), newer);
}

#[test]
fn a_damaged_stash_is_named_and_its_secret_is_not_shown() {
    let station = rotated();
    let old = station.sandbox.keys_of("alice").remove(0);
    let stashed = station.stash().remove(0);
    let text = std::fs::read_to_string(&stashed).unwrap();
    std::fs::write(&stashed, text.replace("secret_access_key\":", "secret_access_key\"")).unwrap();
    let ran = refused(&station, || station.run(&["rollback", "--no-mfa"]), 8, &["this stashed key was damaged"]);
    assert!(!ran.stderr.contains(&old.secret), "{}", ran.stderr);
}

#[test]
fn a_run_at_work_is_named_and_a_killed_ones_lock_is_nothing() {
    let station = station();
    std::fs::create_dir_all(station.state()).unwrap();
    let path = station.state().join("lock");
    std::fs::write(&path, "4711\n").unwrap();
    let lock = std::fs::File::options().read(true).write(true).open(&path).unwrap();
    lock.lock().unwrap();
    for command in [&["rotate", "--no-mfa"][..], &["finish"], &["rollback", "--no-mfa"]] {
        let words = ["another run of keyrot-me is at work (process 4711)", "wait until it has ended"];
        refused_before_any_call(&station, || station.run(command), 7, &words);
    }
    station.run(&["status"]).expect(0);
    drop(lock);
    station.rotate(&[]).expect(0);
}

#[test]
fn a_state_folder_that_cannot_be_made_is_found_before_any_call() {
    let station = station();
    std::fs::create_dir_all(station.path(".local/state")).unwrap();
    std::fs::write(station.state(), "a file in its place").unwrap();
    let words = [".local/state/keyrot-me", "cannot create the folder"];
    refused_before_any_call(&station, || station.run(&["rotate", "--no-mfa"]), 8, &words);
}

#[cfg(unix)]
#[test]
fn a_state_folder_without_rights_is_found_before_any_call() {
    let station = station();
    std::fs::create_dir_all(station.state()).unwrap();
    let Some(mut command) = as_stranger(&station, "a state folder without rights", &["rotate", "--no-mfa"]) else {
        return;
    };
    crate::workstation::set_mode(&station.state(), 0o500);
    let words = ["keyrot-me", "Permission denied", "must be writable"];
    refused_before_any_call(&station, || Ran::from(command.output().unwrap()), 8, &words);
    crate::workstation::set_mode(&station.state(), 0o700);
}

#[cfg(unix)]
#[test]
fn without_a_home_folder_the_variables_that_help_are_named() {
    let station = station();
    let Some(mut command) = as_stranger(&station, "a user without a home", &["rotate", "--no-mfa"]) else { return };
    for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"] {
        command.env_remove(name);
    }
    let words = ["no home folder", "AWS_SHARED_CREDENTIALS_FILE", "set HOME"];
    refused_before_any_call(&station, || Ran::from(command.output().unwrap()), 2, &words);
    command.env("AWS_SHARED_CREDENTIALS_FILE", station.credentials_path()).env("AWS_CONFIG_FILE", "/dev/null");
    let words = ["no home folder", "KEYROT_ME_CONFIG"];
    refused_before_any_call(&station, || Ran::from(command.output().unwrap()), 2, &words);
}
