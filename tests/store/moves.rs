//! Where the key is afterwards, and what stays as it was.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::workstation::set_mode;

#[test]
fn a_key_goes_into_the_keychain_and_its_lines_leave_the_file() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    let ran = home.to_keychain();
    assert!(ran.stdout.contains("in the keychain") && ran.stdout.contains("backups"), "{}", ran.stdout);
    assert_eq!(desktop.key("default"), Some(home.key()));
    assert_eq!(home.found("default"), Some(home.key()));
    assert_eq!(home.files_with(&home.secret), Vec::<PathBuf>::new());
    assert_eq!(
        home.station.credentials(),
        "# alice's keys\n[default]\n\n; of another account\n[elsewhere]\naws_access_key_id=AKIAELSEWHERE0000001\naws_secret_access_key=not/a/real+secret\n"
    );
    assert_eq!(home.config(), format!("[default]\n{}\n", line("default")));
    assert_eq!(fs::metadata(home.config_path()).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(desktop.contents("keyrot-me probe").is_empty());

    let again = home.to_keychain();
    assert_eq!(again.stdout, format!("default: nothing to do: {} is in the keychain\n", home.id));
}

#[test]
fn there_and_back_the_files_are_as_they_were() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let config = "# mine\r\n[default]\r\nregion = eu-central-1\r\ns3 =\r\n  max = 1\r\n\r\n[profile b]\r\nx = 1\r\nx = 2\r\n[profile b]\r\n";
    for shape in [
        "[a]\nx = 1\nx = 2\n[default]\nregion = r\nPAIR\n# of b\n[b]\n",
        "# mine\r\n[default]\r\nPAIR",
        "[default]\r\n; c\r\nregion = r\r\nPAIR\r\n",
    ] {
        for line_end in ["\n", "\r\n"] {
            let home = Home::new(&desktop);
            let end = if shape.contains('\r') { "\r\n" } else { line_end };
            let pair = home.pair().trim_end().replace('\n', end);
            let before = shape.replace('\r', "").replace('\n', end).replace("PAIR", &pair);
            home.station.write_credentials(&before);
            home.write_config(config);
            home.to_keychain();
            assert_eq!(home.config().matches(&format!("  max = 1\r\n{}\r\n\r\n", line("default"))).count(), 1);
            home.to_file();
            assert_eq!(home.station.credentials(), before);
            assert_eq!(home.config(), config);
            home.keychain_is_empty();
        }
    }
}

/// What differs is where the two lines stand: behind the others of their section.
#[test]
fn lines_from_the_middle_of_a_section_come_back_at_its_end() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    home.station.write_credentials(format!("[default]\n{}region = r\n\n[b]\n", home.pair()));
    home.to_keychain();
    home.to_file();
    assert_eq!(home.station.credentials(), format!("[default]\nregion = r\n{}\n[b]\n", home.pair()));
    assert_eq!(home.config(), "[default]\n", "a section that had to be made stays, empty");
}

#[test]
fn a_credentials_file_that_is_gone_is_made_for_its_owner_only() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    home.to_keychain();
    fs::remove_file(home.station.credentials_path()).unwrap();
    home.to_file();
    assert_eq!(home.station.credentials(), format!("[default]\n{}", home.pair()));
    let mode = fs::metadata(home.station.credentials_path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_program_gets_one_json_object() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    for (to, outcome) in
        [("keychain", "moved"), ("keychain", "nothing-to-do"), ("file", "moved"), ("file", "nothing-to-do")]
    {
        let ran = home.run(&["store", "move", "--to", to, "--profile", "default", "--json"]).expect(0);
        let want = serde_json::json!({
            "version": 1, "to": to, "stashed": [],
            "profiles": [{ "profile": "default", "access_key_id": home.id, "outcome": outcome }],
        });
        assert_eq!(ran.json(), want);
        assert_eq!(ran.stderr, "");
    }
}

#[test]
fn profiles_that_share_a_key_move_together() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    home.station.write_credentials(format!("[default]\n{0}[work]\n{0}", home.pair()));
    let both = ["--profile", "work", "--profile", "default", "--profile", "work"];
    home.run(&[&["store", "move", "--to", "keychain"][..], &both].concat()).expect(0);
    assert_eq!(home.station.credentials(), "[default]\n[work]\n");
    for profile in ["default", "work"] {
        assert_eq!(desktop.key(profile), Some(home.key()));
        assert_eq!(home.found(profile), Some(home.key()));
    }
    home.run(&[&["store", "move", "--to", "file"][..], &both].concat()).expect(0);
    assert_eq!(home.station.credentials(), format!("[default]\n{0}[work]\n{0}", home.pair()));
    home.keychain_is_empty();
}

#[test]
fn what_a_rotation_keeps_moves_too_and_serves_on() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    home.run_signed(&["rotate"]).expect(0);
    assert_eq!(home.files_with(&home.secret).len(), 1, "the retired key is stashed");
    let ran = home.to_keychain();
    assert!(ran.stdout.contains(&format!("the copy of {} that a rotation keeps is in the keychain too", home.id)));
    assert_eq!(home.files_with(&home.secret), Vec::<PathBuf>::new());
    assert_eq!(desktop.stashed(), [home.key()]);

    let ran = home.to_file();
    assert!(ran.stdout.contains("that a rotation keeps is in the state folder"), "{}", ran.stdout);
    home.keychain_is_empty();
    assert_eq!(home.files_with(&home.secret).len(), 1);

    home.to_keychain();
    home.station.sandbox.advance(std::time::Duration::from_secs(61));
    home.run_signed(&["rollback"]).expect(0);
    assert_eq!(home.found("default"), Some(home.key()));
    assert_eq!(home.files_with(&home.secret), Vec::<PathBuf>::new());
}

/// The way to the program that stays when a package manager replaces what lies behind it; a space in it.
#[test]
fn the_line_names_the_program_as_it_is_found_on_the_path() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    let folder = home.station.path("my tools");
    fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink(program(), folder.join("keyrot-me")).unwrap();
    let mut command = home.command(&["store", "move", "--to", "keychain"]);
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    Ran::from(command.env("PATH", path).output().unwrap()).expect(0);
    let line = format!("credential_process = \"{}/keyrot-me\" credential-process --profile default", folder.display());
    assert_eq!(home.config(), format!("[default]\n{line}\n"));
    assert_eq!(home.found("default"), Some(home.key()));
}

#[test]
fn a_read_only_credentials_file_keeps_its_mode() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    set_mode(&home.station.credentials_path(), 0o400);
    home.to_keychain();
    assert_eq!(fs::metadata(home.station.credentials_path()).unwrap().permissions().mode() & 0o777, 0o400);
    assert_eq!(home.found("default"), Some(home.key()));
}

#[test]
fn a_line_that_names_a_program_which_is_gone_is_mended() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    home.to_keychain();
    let good = home.config();
    home.write_config(&good.replace(program(), "/gone/bin/keyrot-me"));
    let ran = home.to_keychain();
    assert!(ran.stdout.contains("names this one now"), "{}", ran.stdout);
    assert_eq!(home.config(), good);
    // One that is there may be a person's own choice.
    let own = home.station.path("keyrot-me");
    std::os::unix::fs::symlink(program(), &own).unwrap();
    let chosen = good.replace(program(), &own.display().to_string());
    home.write_config(&chosen);
    assert!(home.to_keychain().stdout.contains("nothing to do"));
    assert_eq!(home.config(), chosen);
}

/// It asks for that profile by name, wherever the key is.
#[test]
fn a_profile_that_gets_the_key_of_another_one_gets_it_after_the_move_too() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    home.write_config(&format!("[profile work]\n{}\n", line("default")));
    assert_eq!(home.found("work"), Some(home.key()));
    home.to_keychain();
    assert_eq!(home.found("work"), Some(home.key()));
    assert_eq!(home.found("default"), Some(home.key()));
}

/// botocore says which of its ways to a key it took.
#[test]
fn boto3_finds_the_key_before_and_after() {
    const CALLER: &str = "import boto3; c = boto3.Session().get_credentials(); \
                          print(c.method, c.access_key, c.get_frozen_credentials().secret_key)";
    let Some(python) = std::env::var_os("KEYROT_AWS_PYTHON") else {
        return crate::skip::skip("needs KEYROT_AWS_PYTHON, a Python with boto3: where it finds a key that was moved");
    };
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    let finds = |method: &str| {
        let mut command = Command::new(&python);
        command
            .args(["-c", CALLER])
            .env_clear()
            .envs(home.station.environment())
            .env("AWS_EC2_METADATA_DISABLED", "true");
        let ran = Ran::from(command.output().unwrap()).expect(0);
        assert_eq!(ran.stdout, format!("{method} {} {}\n", home.id, home.secret));
    };
    finds("shared-credentials-file");
    home.to_keychain();
    finds("custom-process");
    home.to_file();
    finds("shared-credentials-file");
}

#[test]
fn leftovers_of_a_killed_move_are_cleaned() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    desktop.store_key("default", &home.id, &home.secret);
    let ran = home.to_file();
    assert!(ran.stdout.contains("what an interrupted move had left elsewhere is gone"), "{}", ran.stdout);
    home.keychain_is_empty();
    assert_eq!(home.found("default"), Some(home.key()));
}

#[test]
fn a_machine_without_a_keychain_has_its_key_in_the_file() {
    let Some(desktop) = Desktop::without_keychain().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    let ran = home.to_file();
    assert!(ran.stdout.contains("nothing to do") && ran.stderr.contains("warning:"), "{ran:?}");
    let before = home.station.credentials();
    let ran = home.run(&["store", "move", "--to", "keychain"]).expect(8);
    assert!(ran.stderr.contains("no keychain to talk to"), "{}", ran.stderr);
    assert_eq!((home.station.credentials(), home.config()), (before, String::new()));
}

#[test]
fn a_config_file_that_other_shells_do_not_read_is_warned_of() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    let mut command = home.command(&["store", "move", "--to", "keychain"]);
    let ran = Ran::from(command.env("AWS_CONFIG_FILE", home.station.path("project")).output().unwrap()).expect(0);
    assert!(ran.stderr.contains("warning: AWS_CONFIG_FILE is set here"), "{}", ran.stderr);
    assert_eq!(home.found("default"), None);
}
