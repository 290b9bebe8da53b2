//! The config file, the journal, the environment and the profiles, broken.

use super::*;

#[test]
fn a_config_file_with_an_unknown_key_is_one_finding_and_the_rest_is_looked_at() {
    let station = healthy();
    station.settings("[rotation]\nmax_aeg = \"5d\"\n");
    station.run(&["status"]).expect(2);
    let all = doctor(&station, &[]);
    let finding =
        only(&all, "config", "problem", &["config.toml:2", "did you mean \"max_age\"", "every other command"]);
    assert!(fix(&finding).starts_with("${EDITOR:-vi} +2 "), "{finding}");
    assert!(all.iter().any(|check| check["check"] == "sign-in" && check["state"] == "ok"), "AWS is asked");
    let editor = station.path("editor");
    fs::write(&editor, "#!/bin/sh\nsed -i s/aeg/age/ \"$2\"\n").unwrap();
    crate::workstation::set_mode(&editor, 0o755);
    let line = fix(&finding).replace("${EDITOR:-vi}", &editor.display().to_string());
    assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    nothing_wrong(&station);
}

#[test]
fn a_config_file_that_is_named_and_not_there() {
    let station = healthy();
    let mut command = station.command(&["doctor", "--json"]);
    command.env("KEYROT_ME_CONFIG", "/no/such/config.toml");
    let all = checks(&Ran::from(command.output().unwrap()));
    found(&all, "config", "problem", &["/no/such/config.toml", "cannot be read"]);
    let finding = found(&all, "environment", "note", &["KEYROT_ME_CONFIG is set in this shell"]);
    assert_eq!(fix(&finding), "unset KEYROT_ME_CONFIG");
}

#[test]
fn a_limit_below_the_age_at_which_a_key_is_due() {
    let station = healthy();
    station.settings("[rotation]\nmax_age = \"30d\"\n[purge]\nlimit = \"5d\"\n");
    only(&doctor(&station, &[]), "limits", "problem", &["30 d", "5 d", "before a rotation calls it due"]);
    station.settings("[rotation]\nmax_age = \"30d\"\n[purge]\nlimit = \"20d\"\nat = \"Fri 23:55\"\n");
    only(&doctor(&station, &[]), "limits", "note", &["max_age says nothing"]);
    station.settings("[rotation]\nmax_age = \"5d\"\n[purge]\nlimit = \"20d\"\nat = \"Fri 23:55\"\n");
    nothing_wrong(&station);
}

#[test]
fn a_key_in_the_environment_shadows_the_file() {
    let station = healthy();
    let mut command = station.command(&["doctor", "--json"]);
    command.env("AWS_ACCESS_KEY_ID", "AKIASHADOW0000000001").env("AWS_SECRET_ACCESS_KEY", "not/a/real+secret");
    let ran = Ran::from(command.output().unwrap());
    assert!(!ran.stdout.contains("not/a/real"), "{}", ran.stdout);
    let finding = only(&checks(&ran), "shadowing", "problem", &["AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY are set"]);
    assert_eq!(fix(&finding), "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY");
}

#[test]
fn another_key_of_the_profile_in_the_config_file() {
    let station = healthy();
    config(
        &station,
        "[default]\naws_access_key_id = AKIAOTHER00000000001\naws_secret_access_key = not/a/real+secret\n",
    );
    crate::workstation::set_mode(&station.path(".aws/config"), 0o600);
    let all = doctor(&station, &[]);
    only(&all, "shadowing", "problem", &["AKIAOTHER00000000001", "config:2", "which of the two"]);
    config(&station, "");
    nothing_wrong(&station);
}

#[test]
fn variables_that_other_shells_may_not_have() {
    let station = healthy();
    let mut command = station.command(&["doctor", "--json"]);
    command.env("AWS_CONFIG_FILE", station.path(".aws/config"));
    let finding = only(
        &checks(&Ran::from(command.output().unwrap())),
        "environment",
        "note",
        &["AWS_CONFIG_FILE is set in this shell", "other shells"],
    );
    assert_eq!(fix(&finding), "unset AWS_CONFIG_FILE");
}

#[test]
fn a_profile_of_the_environment_that_is_not_there() {
    let station = healthy();
    let mut command = station.command(&["doctor", "--json"]);
    command.env("AWS_PROFILE", "defualt");
    let all = checks(&Ran::from(command.output().unwrap()));
    let finding = only(&all, "environment", "problem", &["AWS_PROFILE", "'defualt'", "did you mean 'default'"]);
    assert_eq!(fix(&finding), "unset AWS_PROFILE");
    assert!(all.iter().any(|check| check["check"] == "config"), "the rest is looked at");
}

#[test]
fn a_profile_that_is_not_there_or_has_no_key() {
    let station = healthy();
    let all = doctor(&station, &["--profile", "elswhere", "--profile", "default"]);
    let finding = only(&all, "profile", "problem", &["no profile 'elswhere'", "did you mean 'elsewhere'"]);
    assert_eq!(fix(&finding), "keyrot-me doctor --profile elsewhere");
    assert_eq!(finding["profile"], "elswhere");
    assert!(all.iter().any(|check| check["check"] == "sign-in" && check["state"] == "ok"), "the other is looked at");
    config(&station, "[profile empty]\nregion = us-east-1\n[profile sso]\nsso_start_url = https://x\n");
    for (profile, words) in [("empty", "has no access key"), ("sso", "IAM Identity Center")] {
        only(&doctor(&station, &["--profile", profile]), "profile", "problem", &[words]);
    }
}

#[test]
fn a_machine_without_any_key() {
    let station = healthy();
    station.write_credentials("");
    only(&doctor(&station, &["--all"]), "profile", "problem", &["no profile holds a long-term access key"]);
    fs::remove_dir_all(station.path(".aws")).unwrap();
    found(&doctor(&station, &[]), "profile", "problem", &["there is no profile 'default'"]);
}

#[test]
fn an_endpoint_that_is_not_to_be_called() {
    let station = healthy();
    let mut command = station.command(&["doctor", "--json"]);
    command.env("AWS_ENDPOINT_URL", "http://192.0.2.1");
    let all = checks(&Ran::from(command.output().unwrap()));
    let finding = only_endpoint(&all, "problem", &["plain http", "no call is made"]);
    assert!(fix(&finding).starts_with("unset AWS_ENDPOINT_URL"), "{finding}");
    only_endpoint(&doctor(&station, &[]), "note", &[&station.sandbox.url(), "not to AWS itself"]);
}

#[track_caller]
fn only_endpoint(all: &[Value], state: &str, words: &[&str]) -> Value {
    assert_eq!(findings(all), Vec::<&Value>::new());
    found(all, "endpoint", state, words)
}

fn journal(station: &Workstation) -> std::path::PathBuf {
    station.state().join("journal.jsonl")
}

#[test]
fn a_journal_that_was_damaged() {
    let station = healthy();
    station.rotate(&[]).expect(0);
    let text = fs::read_to_string(journal(&station)).unwrap();
    fs::write(journal(&station), text.replacen("\"intent\"", "\"intend\"", 1)).unwrap();
    let all = doctor(&station, &[]);
    let finding = found(&all, "journal", "problem", &["journal.jsonl:2", "damaged", "undamaged copy"]);
    mend(&station, &finding, "");
    let after = doctor(&station, &[]);
    assert!(after.iter().any(|check| check["check"] == "journal" && check["state"] == "ok"), "{after:#?}");
}

#[test]
fn a_journal_of_a_newer_program() {
    let station = healthy();
    station.rotate(&[]).expect(0);
    let text = fs::read_to_string(journal(&station)).unwrap().replacen("\"format\":1", "\"format\":2", 1);
    fs::write(journal(&station), text).unwrap();
    only(&doctor(&station, &[]), "journal", "problem", &["newer keyrot-me", "no rotation begins"]);
}

#[test]
fn a_journal_that_ends_in_the_middle_of_a_line() {
    let station = healthy();
    station.rotate(&[]).expect(0);
    let mut text = fs::read_to_string(journal(&station)).unwrap();
    text.push_str("{\"at\":\"2026-");
    fs::write(journal(&station), text).unwrap();
    let finding = only(&doctor(&station, &[]), "journal", "note", &["middle of a line", "the next run cuts it off"]);
    mend(&station, &finding, "--no-mfa");
    nothing_wrong(&station);
}

#[test]
fn a_rotation_that_is_unfinished() {
    let station = healthy();
    let old = station.held_id();
    station.sandbox.fault("UpdateAccessKey", crate::sandbox::Always, crate::sandbox::Fault::denied());
    station.rotate(&[]).expect(5);
    station.sandbox.clear_faults();
    let finding = only(&doctor(&station, &[]), "rotation", "problem", &[&old, "unfinished", "two keys may work"]);
    assert_eq!((finding["profile"].as_str(), fix(&finding)), (Some("default"), "keyrot-me rotate"));
    mend_with_code(&station, &finding);
    nothing_wrong(&station);
}
