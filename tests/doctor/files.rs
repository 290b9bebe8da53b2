//! The AWS files and the state folder, broken.

use super::*;

#[cfg(unix)]
#[test]
fn a_credentials_file_that_others_can_read() {
    let station = healthy();
    crate::workstation::set_mode(&station.credentials_path(), 0o644);
    let finding = only(&doctor(&station, &[]), "credentials-file", "problem", &["can be read by other users"]);
    mend(&station, &finding, "");
    nothing_wrong(&station);
}

#[test]
fn a_credentials_file_that_does_not_parse_is_named_with_its_line() {
    let station = healthy();
    let good = station.credentials();
    station.write_credentials(good.clone() + "this is no line\n");
    let all = doctor(&station, &[]);
    let finding = found(&all, "credentials-file", "problem", &["credentials:10", "no key is read from it"]);
    assert!(fix(&finding).contains("+10 "), "{finding}");
    found(&all, "profile", "problem", &["does not parse"]);
    assert!(all.iter().any(|check| check["check"] == "config" && check["state"] == "ok"), "the rest is looked at");
    station.write_credentials(good);
    nothing_wrong(&station);
}

#[cfg(unix)]
#[test]
fn a_key_in_a_config_file_that_others_can_read() {
    let station = healthy();
    let (id, secret) = {
        let key = station.sandbox.keys_of("alice").remove(0);
        (key.id, key.secret)
    };
    station.write_credentials("");
    config(&station, &format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"));
    crate::workstation::set_mode(&station.path(".aws/config"), 0o640);
    let finding = only(&doctor(&station, &[]), "config-file", "problem", &[".aws/config can be read by other users"]);
    mend(&station, &finding, "");
    nothing_wrong(&station);
}

#[cfg(unix)]
#[test]
fn a_file_with_two_names_cannot_be_replaced() {
    let station = healthy();
    fs::hard_link(station.credentials_path(), station.path("second-name")).unwrap();
    let all = doctor(&station, &[]);
    found(&all, "credentials-file", "problem", &["hard link", "no key is read from it"]);
}

/// A folder without the right to write in it: of another user, for root has all rights.
#[cfg(target_os = "linux")]
#[test]
fn a_file_in_a_folder_that_cannot_be_written() {
    let station = healthy();
    crate::workstation::set_mode(&station.path(".aws"), 0o500);
    let arguments = ["doctor", "--json"];
    let Some(mut command) = crate::cli::as_stranger(&station, "doctor", &arguments) else { return };
    let ran = Ran::from(command.output().unwrap());
    found(&checks(&ran), "credentials-file", "problem", &["a rotation could not write", "stops before it makes a key"]);
}

#[test]
fn a_file_that_git_keeps() {
    let station = healthy();
    let git = |words: &[&str]| {
        Command::new("git")
            .arg("-C")
            .arg(station.home.path())
            .args(words)
            .output()
            .is_ok_and(|done| done.status.success())
    };
    if !git(&["init", "-q"]) || !git(&["add", ".aws/credentials"]) {
        crate::skip::skip("needs git: a credentials file that git keeps");
        return;
    }
    let finding = only(&doctor(&station, &[]), "git", "problem", &["is tracked by git", "next push"]);
    mend(&station, &finding, "");
    nothing_wrong(&station);
}

#[cfg(unix)]
#[test]
fn a_state_folder_that_is_open_to_others() {
    let station = healthy();
    station.rotate(&[]).expect(0);
    nothing_wrong(&station);
    crate::workstation::set_mode(&station.state(), 0o755);
    let finding = only(&doctor(&station, &[]), "state-folder", "problem", &["open to other users"]);
    mend(&station, &finding, "");
    nothing_wrong(&station);
}

#[test]
fn a_state_folder_that_is_a_file() {
    let station = healthy();
    fs::create_dir_all(station.state().parent().unwrap()).unwrap();
    fs::write(station.state(), "").unwrap();
    let all = doctor(&station, &[]);
    found(&all, "state-folder", "problem", &["cannot be written", "stops before it makes a key"]);
    found(&all, "journal", "problem", &["cannot be read"]);
}
