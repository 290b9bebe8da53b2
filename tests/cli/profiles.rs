//! Profiles that are not there, or hold no long-term key: refused in their own words, or followed to the key.

use super::*;

fn with_config(text: &str) -> Workstation {
    let station = station();
    config(&station, text);
    station
}

#[test]
fn an_unknown_profile_names_the_nearest_and_lists_those_there_are() {
    let station = with_config("[profile work]\nregion = eu-west-1\n");
    for command in ["rotate", "status", "finish", "rollback"] {
        let words = ["no profile 'wrok'", "did you mean 'work'?", "there are: default, elsewhere, work"];
        refused_before_any_call(&station, || station.run(&[command, "--profile", "wrok"]), 2, &words);
    }
    let by_variable = || Ran::from(station.command(&["status"]).env("AWS_PROFILE", "defalt").output().unwrap());
    refused_before_any_call(&station, by_variable, 2, &["no profile 'defalt'", "did you mean 'default'?"]);
    let json =
        refused(&station, || station.run(&["rotate", "--json", "--profile", "x"]), 2, &["no profile 'x'"]).json();
    assert_eq!(json["version"], 1);
    assert_eq!(json["error"]["exit_code"], 2);
    assert!(json["error"]["message"].as_str().unwrap().contains("no profile 'x'"), "{json}");
    assert!(json["error"]["hint"].as_str().unwrap().contains("default, elsewhere, work"), "{json}");
}

#[test]
fn without_any_file_there_are_no_profiles() {
    let station = station();
    std::fs::remove_file(station.credentials_path()).unwrap();
    refused_before_any_call(&station, || station.run(&["rotate"]), 2, &["no profile 'default'", "aws configure"]);
    refused_before_any_call(&station, || station.run(&["status", "--all"]), 2, &["no profile holds a long-term"]);
}

#[test]
fn a_role_is_followed_to_the_key_that_signs() {
    let station = with_config(
        "[profile admin]\nrole_arn = arn:aws:iam::1:role/admin\nsource_profile = middle\n\
         [profile middle]\nrole_arn = arn:aws:iam::1:role/hop\nsource_profile = default\n",
    );
    let old = station.held_id();
    let ran = station.rotate(&["--profile", "admin"]).expect(0);
    assert!(ran.stderr.contains("profile admin assumes a role; its key is that of profile default"), "{}", ran.stderr);
    assert_ne!(station.held_id(), old);
}

#[test]
fn chains_that_lead_nowhere_are_refused() {
    let role = "role_arn = arn:aws:iam::1:role/r\n";
    for (text, words) in [
        (format!("[profile p]\n{role}source_profile = q\n"), ["no profile 'q'", "'p' names as its source_profile"]),
        (
            format!("[profile p]\n{role}source_profile = q\n[profile q]\n{role}source_profile = p\n"),
            ["in a circle", "p -> q -> p"],
        ),
        (format!("[profile p]\n{role}"), ["'p' has a role_arn", "source_profile"]),
        (
            format!("[profile p]\n{role}credential_source = Environment\n"),
            ["takes its credentials from", "Environment"],
        ),
    ] {
        let station = with_config(&text);
        refused_before_any_call(&station, || station.run(&["rotate", "--profile", "p"]), 2, &words);
    }
}

#[test]
fn a_profile_without_a_long_term_key_is_refused_in_its_own_words() {
    for (lines, words) in [
        ("sso_start_url = https://x.awsapps.com/start\nsso_region = eu-west-1\n", ["'p'", "IAM Identity Center"]),
        ("sso_session = corp\n", ["'p'", "SSO"]),
        ("credential_process = /opt/vault --token hunter2\n", ["'p'", "credential_process"]),
        ("role_arn = arn:aws:iam::1:role/r\nweb_identity_token_file = /t\n", ["'p'", "web identity"]),
        ("login_session = arn:aws:iam::1:user/a\n", ["'p'", "aws login"]),
        (
            "aws_access_key_id = ASIAEXAMPLE000000001\naws_secret_access_key = hunter2\naws_session_token = hunter2\n",
            ["'p'", "temporary credentials"],
        ),
        (
            "aws_access_key_id = AKIAEXAMPLE000000001\naws_secret_access_key = hunter2\naws_session_token = hunter2\n",
            ["'p'", "temporary credentials"],
        ),
        ("aws_access_key_id = AKIAEXAMPLE000000001\n", ["half a key", "aws_secret_access_key is missing"]),
        ("aws_secret_access_key = hunter2\n", ["half a key", "aws_access_key_id is missing"]),
        ("aws_access_key_id = hunter2/in/the/wrong/line\naws_secret_access_key = x\n", ["'p'", "not an access key id"]),
        ("region = eu-west-1\n", ["'p' has no access key", "aws configure"]),
    ] {
        let station = with_config(&format!("[profile p]\n{lines}"));
        for command in ["rotate", "status", "rollback"] {
            let ran = refused_before_any_call(&station, || station.run(&[command, "--profile", "p"]), 2, &words);
            assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
        }
    }
}

#[test]
fn all_takes_the_profiles_that_hold_a_key_of_their_own() {
    let station = with_config(
        "[profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = default\n[profile sso]\nsso_session = x\n",
    );
    let json = station.run(&["status", "--all", "--offline", "--json"]).expect(0).json();
    let profiles: Vec<&str> = json["keys"].as_array().unwrap().iter().flat_map(names).collect();
    assert_eq!(profiles, ["default", "elsewhere"]);
}

fn names(key: &serde_json::Value) -> Vec<&str> {
    key["profiles"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

#[test]
fn one_key_in_several_profiles_is_rotated_once_in_all_of_them() {
    let station = station();
    let key = station.sandbox.keys_of("alice").remove(0);
    let again = format!("[again]\naws_secret_access_key={}\naws_access_key_id={}\n", key.secret, key.id);
    station.write_credentials(station.credentials() + &again);
    let ran =
        station.rotate(&["--profile", "default", "--profile", "again", "--profile", "default", "--json"]).expect(0);
    let json = ran.json();
    assert_eq!(json["rotations"].as_array().unwrap().len(), 1, "{json}");
    assert_eq!(json["rotations"][0]["profiles"], serde_json::json!(["default", "again"]));
    assert_eq!(station.credentials().matches(&key.id).count(), 0);
    assert_eq!(station.credentials().matches(&station.held_id()).count(), 2);
    let json = station.run(&["status", "--json", "--profile", "again"]).expect(0).json();
    assert_eq!(names(&json["keys"][1]), ["default", "again"], "{json}");
}

#[test]
fn a_key_in_the_config_file_is_rotated_there() {
    let station = station();
    let key = station.sandbox.keys_of("alice").remove(0);
    station.write_credentials("");
    let text = format!(
        "[profile a b]\nregion=x\n[profile work]\naws_access_key_id={}\naws_secret_access_key={}\nregion = eu-west-1\n",
        key.id, key.secret
    );
    config(&station, &text);
    crate::workstation::set_mode(&station.path(".aws/config"), 0o600);
    station.rotate(&["--profile", "work"]).expect(0);
    let new = station.sandbox.keys_of("alice").remove(1);
    let after = std::fs::read_to_string(station.path(".aws/config")).unwrap();
    assert_eq!(after, text.replace(&key.id, &new.id).replace(&key.secret, &new.secret));
    assert_eq!(station.credentials(), "");
}

#[test]
fn another_key_of_the_profile_in_the_config_file_is_told() {
    let station =
        with_config("[default]\naws_access_key_id=AKIASHADOW0000000001\naws_secret_access_key=hunter2\nregion=x\n");
    let ran = station.run(&["status"]).expect(0);
    assert!(ran.stderr.contains("warning: ") && ran.stderr.contains("AKIASHADOW0000000001"), "{}", ran.stderr);
    assert!(ran.stderr.contains(".aws/config") && !ran.stderr.contains("hunter2"), "{}", ran.stderr);
}
