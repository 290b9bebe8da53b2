//! `import` where the key lives, or is to live, in the keychain.

use super::*;
use crate::workstation::Ran;

fn from_console(station: &Workstation) -> (String, String, String) {
    let (id, secret) = station.sandbox.seed_key("alice", station.sandbox.now(), "Active");
    let file = station.path("accessKeys.csv");
    fs::write(&file, format!("Access key ID,Secret access key\n{id},{secret}\n")).unwrap();
    (id, secret, file.display().to_string())
}

/// No file below home but the CSV itself holds the secret.
#[track_caller]
fn in_no_other_file(station: &Workstation, secret: &str, file: &str) {
    for (path, bytes) in files_below(station.home.path()) {
        let holds = String::from_utf8_lossy(&bytes).contains(secret);
        assert!(!holds || path == Path::new(file), "{} holds the secret", path.display());
    }
}

#[test]
fn the_profiles_entry_gets_the_key_and_no_file_does() {
    for lost in [false, true] {
        let Some((station, desktop)) = station() else { return };
        station.sandbox.delete_key(&active(&station).0);
        if lost {
            desktop.clear("keyrot-me", "default");
        }
        let (id, secret, file) = from_console(&station);
        let ran = station.run(&["import", "--no-rotate", &file]).expect(0);
        assert!(ran.stdout.contains(&format!("default: stored {id}")) && ran.stdout.contains("in the keychain"));
        assert_eq!(desktop.key("default"), Some((id.clone(), secret.clone())));
        in_no_other_file(&station, &secret, &file);
        station.with_code("import", &["--erase", &file]).expect(0);
        assert_eq!(desktop.key("default"), Some(active(&station)));
        assert_ne!(active(&station).0, id);
    }
}

#[test]
fn a_damaged_entry_is_written_over() {
    let Some((station, desktop)) = station() else { return };
    station.sandbox.delete_key(&active(&station).0);
    desktop.store("keyrot-me", "default", "{\"Version\":1");
    let (id, secret, file) = from_console(&station);
    station.run(&["import", "--no-rotate", &file]).expect(0);
    assert_eq!(desktop.key("default"), Some((id, secret)));
}

#[test]
fn a_new_profile_gets_an_entry_and_the_line_that_hands_it_out() {
    let Some((station, desktop)) = station() else { return };
    for by_settings in [false, true] {
        let (id, secret, file) = from_console(&station);
        let name = if by_settings { "configured" } else { "asked" };
        let mut arguments = vec!["import", "--no-rotate", "--profile", name, &file];
        if by_settings {
            station.settings("[rotation]\nsettle = { every = \"0s\" }\n[store]\nkind = \"keychain\"\n");
        } else {
            arguments.extend(["--store", "keychain"]);
        }
        station.run(&arguments).expect(0);
        assert_eq!(desktop.key(name), Some((id.clone(), secret.clone())));
        let config = fs::read_to_string(station.path(".aws/config")).unwrap();
        assert!(config.starts_with("# alice's\n[default]\n"), "{config}");
        assert!(
            config.contains(&format!(
                "[profile {name}]\ncredential_process = {} credential-process --profile {name}\n",
                program()
            )),
            "{config}"
        );
        let handed = station.run(&["credential-process", "--profile", name]).expect(0).json();
        assert_eq!((handed["AccessKeyId"].as_str(), handed["SecretAccessKey"].as_str()), (Some(&*id), Some(&*secret)));
        in_no_other_file(&station, &secret, &file);
        station.sandbox.delete_key(&id);
    }
}

#[test]
fn a_keychain_that_does_not_answer_is_found_before_any_call() {
    let Some((station, desktop)) = station() else { return };
    let (_, _, file) = from_console(&station);
    desktop.lock();
    station.sandbox.clear_calls();
    let ran = station.run(&["import", &file]).expect(8);
    assert!(ran.stderr.contains("locked") && station.sandbox.calls().is_empty(), "{}", ran.stderr);
}

#[test]
fn a_key_in_the_file_and_the_keychain_is_replaced_in_both() {
    let Some((station, desktop)) = station() else { return };
    let (dead, secret) = active(&station);
    let section = format!("\n[work]\naws_access_key_id = {dead}\naws_secret_access_key = {secret}\n");
    station.write_credentials(station.credentials() + &section);
    station.sandbox.delete_key(&dead);
    let (id, _, file) = from_console(&station);
    for profile in ["work", "default"] {
        station.run(&["import", "--no-rotate", "--profile", profile, &file]).expect(0);
        assert_eq!(desktop.key("default").unwrap().0, id, "{profile}");
        assert!(station.credentials().contains(&format!("[work]\naws_access_key_id = {id}\n")), "{profile}");
    }
}

#[test]
fn a_program_that_no_later_run_would_know_again_stores_nothing() {
    let Some((station, desktop)) = station() else { return };
    let (_, _, file) = from_console(&station);
    let other = station.path("kr");
    fs::hard_link(program(), &other).or_else(|_| fs::copy(program(), &other).map(drop)).unwrap();
    let arguments = ["import", "--profile", "new", "--store", "keychain", "--no-mfa", &file];
    let mut command = Command::new(&other);
    command.args(arguments).env_clear().envs(station.environment());
    let ran = Ran::from(command.output().unwrap()).expect(2);
    assert!(ran.stderr.contains("has to be called keyrot-me"), "{}", ran.stderr);
    assert_eq!(desktop.key("new"), None);
}
