//! `status --short`: what a prompt shows, from files alone.

use chrono::TimeDelta;

use super::*;

const FRIDAY: &str = "[rotation]\nsettle = { every = \"0s\" }\n[purge]\nlimit = \"5d\"\nat = \"Fri 23:55\"\ntimezone = \"Europe/Berlin\"\n";

/// The line; AWS hears nothing of it.
#[track_caller]
fn short(station: &Workstation, more: &[&str]) -> String {
    exits(station, more, 0)
}

#[track_caller]
fn exits(station: &Workstation, more: &[&str], code: i32) -> String {
    station.sandbox.clear_calls();
    let ran = station.run(&[&["status", "--short"], more].concat()).expect(code);
    assert_eq!(ran.stderr, "");
    assert_eq!(actions(station), Vec::<String>::new());
    ran.stdout
}

#[test]
fn a_key_that_was_never_looked_at_has_an_unknown_age_until_status_has_seen_it() {
    let station = station();
    assert_eq!(short(&station, &[]), "key of unknown age: keyrot-me status\n");
    station.run(&["status"]).expect(0);
    assert_eq!(short(&station, &[]), "key 40 d, due\n");
    assert_eq!(exits(&station, &["--check"], 10), "key 40 d, due\n");
    station.settings("[purge]\nlimit = \"5d\"\n[rotation]\nsettle = { every = \"0s\" }\n");
    assert!(exits(&station, &["--check"], 11).starts_with("key 40 d, over the limit since "));
    station.rotate(&[]).expect(0);
    assert_eq!(exits(&station, &["--check"], 0), "", "what the journal knows comes first, and the key is fresh");
}

#[test]
fn the_countdown_is_beside_the_age() {
    let station = station();
    station.settings(FRIDAY);
    station.run(&["status"]).expect(0);
    let line = short(&station, &[]);
    assert!(line.starts_with("key 40 d, purge ") && line.lines().count() == 1, "{line}");
    let whole = station.run(&["status"]).expect(0).stdout;
    let counted = whole.lines().find(|line| line.starts_with("default: purge ")).unwrap();
    assert!(counted.contains(", over the limit since ") && counted.contains("Europe/Berlin"), "{whole}");
}

#[test]
fn where_iam_does_not_tell_the_age_the_way_to_know_it_is_a_rotation() {
    let station = station();
    station.sandbox.set_policies("alice", &[crate::sandbox::OWN_KEYS, crate::sandbox::MFA_DEMANDED_TO_READ]);
    station.run(&["status"]).expect(0);
    assert_eq!(short(&station, &[]), "key of unknown age: keyrot-me rotate\n");
}

#[test]
fn several_profiles_stand_in_one_line_the_worst_first() {
    let station = station();
    let (id, secret) = station.sandbox.seed_key("bob", station.sandbox.now() - TimeDelta::days(80), "Active");
    let text = station.credentials().replace("AKIAELSEWHERE0000001", &id).replace("not/a/real+secret", &secret);
    station.write_credentials(text);
    let config_toml = format!("{FRIDAY}[profile.default.purge]\nlimit = \"90d\"\n");
    station.settings(&config_toml);
    station.run(&["status", "--all"]).expect(0);
    let line = short(&station, &["--all"]);
    let (first, second) = line.trim_end().split_once("; ").unwrap();
    assert!(first.starts_with("elsewhere: key 80 d, purge ") && second.starts_with("key 40 d, purge in "), "{line}");
    assert!(short(&station, &["--profile", "elsewhere"]).starts_with("elsewhere: key 80 d"));
}

#[test]
fn an_unfinished_rotation_is_said() {
    let station = station();
    station.sandbox.fault("UpdateAccessKey", crate::sandbox::Always, crate::sandbox::Fault::denied());
    station.rotate(&[]).expect(5);
    assert_eq!(short(&station, &[]), "rotation unfinished: keyrot-me rotate\n");
}

#[test]
fn a_profile_without_a_key_of_its_own_has_nothing_to_say() {
    let station = station();
    config(
        &station,
        "[profile sso]\nsso_start_url = https://x\n[profile other]\ncredential_process = /bin/aws-vault export\n[profile none]\nregion = us-east-1\n",
    );
    for profile in ["sso", "other", "none"] {
        assert_eq!(short(&station, &["--profile", profile]), "", "{profile}");
    }
}

#[test]
fn a_failure_is_one_line() {
    let station = station();
    let one_line = |arguments: &[&str], code: i32, word: &str| {
        let ran = station.run(arguments).expect(code);
        assert_eq!((ran.stdout.as_str(), ran.stderr.lines().count()), ("", 1), "{}", ran.stderr);
        assert!(ran.stderr.contains(word), "{}", ran.stderr);
    };
    one_line(&["status", "--short", "--profile", "nowhere"], 2, "no profile 'nowhere'");
    station.settings("[rotation]\nmax_aeg = \"5d\"\n");
    one_line(&["status", "--short"], 2, "config.toml:2");
    station.settings("");
    std::fs::create_dir_all(station.state()).unwrap();
    std::fs::write(station.state().join("journal.jsonl"), "nonsense\n").unwrap();
    one_line(&["status", "--short"], 8, "journal.jsonl:1");
}

#[test]
fn what_was_seen_is_no_secret_and_a_damaged_record_of_it_is_none() {
    let station = station();
    station.run(&["status"]).expect(0);
    let seen = station.state().join("seen.json");
    let text = std::fs::read_to_string(&seen).unwrap();
    let secret = station.sandbox.keys_of("alice").remove(0).secret;
    assert!(text.contains(&station.held_id()) && !text.contains(&secret), "{text}");
    #[cfg(unix)]
    assert_eq!(mode_of(&seen), 0o600);
    std::fs::write(&seen, "{").unwrap();
    assert_eq!(short(&station, &[]), "key of unknown age: keyrot-me status\n");
    std::fs::remove_file(&seen).unwrap();
    std::fs::create_dir(&seen).unwrap();
    station.run(&["status"]).expect(0);
    assert_eq!(short(&station, &[]), "key of unknown age: keyrot-me status\n");
}

/// The keychain is silent: whoever asked it would wait.
#[cfg(target_os = "linux")]
#[test]
fn a_keychain_is_not_asked() {
    let Some(desktop) = crate::keychain::desktop::Desktop::start() else { return };
    let mut station = station();
    station.bus = Some(desktop.address.clone());
    let (id, secret) = station.hand_out_by_program();
    desktop.store_key("default", &id, &secret);
    station.settings("[rotation]\nsettle = { every = \"0s\" }\n[store]\nwait = \"600s\"\n");
    assert_eq!(short(&station, &[]), "key of unknown age: keyrot-me status\n");
    station.run(&["status"]).expect(0);
    let watch = desktop.watch();
    assert_eq!(short(&station, &[]), "key 40 d, due\n");
    // The tool that ends the watch looks around before it does.
    assert_eq!(watch.methods(&desktop), ["Introspect"]);
    station.rotate(&[]).expect(0);
    desktop.fall_silent();
    assert_eq!(short(&station, &[]), "", "the journal knows what came in its place");
    desktop.wake_up();
    station.with_code("rollback", &[]).expect(0);
    assert_eq!(short(&station, &[]), "key 40 d, due\n", "and that it came back");
}
