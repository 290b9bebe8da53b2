//! What is not moved: each refusal in words, with a remedy and its exit code, and nothing changed.

use super::*;

const MOVE: [&str; 4] = ["store", "move", "--to", "keychain"];
const BACK: [&str; 4] = ["store", "move", "--to", "file"];

fn scene(home: &Home) -> (String, String, Vec<String>, Vec<String>) {
    (home.station.credentials(), home.config(), home.desktop.contents(KEYS), home.desktop.contents(STASH))
}

#[track_caller]
fn refused(home: &Home, arguments: &[&str], code: i32, words: &[&str]) {
    refused_from(home, home.command(arguments), code, words);
}

#[track_caller]
fn refused_from(home: &Home, mut command: Command, code: i32, words: &[&str]) {
    let before = scene(home);
    let ran = Ran::from(command.output().unwrap()).expect(code);
    assert!(ran.stderr.contains("\nnext: "), "{}", ran.stderr);
    for word in words {
        assert!(ran.stderr.contains(word), "{word:?} is not in:\n{}", ran.stderr);
    }
    assert!(!ran.stderr.contains(&home.secret));
    assert_eq!(scene(home), before);
}

#[test]
fn the_environment_would_shadow_what_was_moved() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    let mut command = home.command(&MOVE);
    command.env("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT00001");
    refused_from(&home, command, 2, &["AWS_ACCESS_KEY_ID is set", "unset"]);
}

#[test]
fn another_profile_holds_the_key_too() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    home.station.write_credentials(format!("[default]\n{0}[work]\n{0}", home.pair()));
    refused(&home, &MOVE, 3, &["work too", "--profile default --profile work"]);
    home.station.write_credentials(format!("[default]\n{0}[my own]\n{0}", home.pair()));
    refused(&home, &MOVE, 3, &["credentials:4", "this section holds"]);
    home.station.write_credentials(format!("[default]\n{}", home.pair()));
    home.to_keychain();
    home.write_config(&format!("{}[profile work]\n{}\n", home.config(), line("default")));
    refused(&home, &BACK, 3, &["work too", "--to file --profile default --profile work"]);
}

#[test]
fn a_profile_that_gets_its_credentials_in_another_way_is_left_alone() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    let rows = [
        ("credential_process = /opt/aws-vault --secret-argument", 2, "is another program's"),
        ("login_session = arn:aws:iam::1:user/a", 2, "login_session beside its key"),
        ("role_arn = arn:aws:iam::1:role/r\nsource_profile = default", 2, "role_arn beside its key"),
        ("sso_session = s", 2, "SSO"),
    ];
    for (lines, code, words) in rows {
        home.write_config(&format!("[default]\n{lines}\n"));
        refused(&home, &MOVE, code, &[words]);
    }
    home.write_config("[default]\n[profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = default\n");
    refused(&home, &[&MOVE[..], &["--profile", "role"]].concat(), 2, &["has no key of its own", "--profile default"]);
    refused(&home, &[&MOVE[..], &["--profile", "defualt"]].concat(), 2, &["did you mean 'default'"]);
    let ran = home.run(&[&MOVE[..], &["--profile", "role"]].concat());
    assert!(!ran.stderr.contains("secret-argument"));
}

#[test]
fn another_key_is_in_the_place_where_this_one_is_to_go() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    desktop.store_key("default", "AKIAANOTHER000000001", "another/secret");
    refused(&home, &MOVE, 3, &["AKIAANOTHER000000001", &home.id, "--yes"]);
    refused(&home, &BACK, 3, &["AKIAANOTHER000000001", &home.id, "--yes"]);
    home.run(&[&MOVE[..], &["--yes"]].concat()).expect(0);
    assert_eq!(desktop.key("default"), Some(home.key()));
    let other = "aws_access_key_id = AKIAANOTHER000000001\naws_secret_access_key = another/secret\n";
    home.station.write_credentials(format!("[default]\n{other}"));
    refused(&home, &BACK, 3, &["AKIAANOTHER000000001 in the AWS files already", &home.id]);
    home.station.write_credentials("[default]\n");
    home.to_file();
    home.write_config(&format!("[default]\n{other}"));
    refused(&home, &MOVE, 3, &["and they differ", "AKIAANOTHER000000001"]);
}

#[test]
fn the_keychain_holds_what_is_not_a_key_or_nothing() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    desktop.store(KEYS, "default", "edited by hand");
    refused(&home, &MOVE, 8, &["damaged"]);
    let stays = home.run(&BACK).expect(0);
    assert!(stays.stderr.contains("warning: ") && stays.stderr.contains("damaged"), "{}", stays.stderr);
    home.run(&[&MOVE[..], &["--yes"]].concat()).expect(0);
    assert_eq!(desktop.key("default"), Some((home.id.clone(), home.secret.clone())));
    desktop.clear_all();
    refused(&home, &BACK, 9, &["holds no key of profile 'default'"]);
    refused(&home, &MOVE, 9, &["holds no key of profile 'default'"]);
}

#[test]
fn a_file_that_cannot_be_edited_is_named_with_its_line() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    home.write_config("[default]\nregion = a\n[default]\n");
    refused(&home, &MOVE, 8, &["config:3: section [default] stands here again"]);
    home.write_config("");
    home.station.write_credentials(format!("[default]\n{}  # indented\n", home.pair()));
    refused(&home, &MOVE, 8, &["credentials:2: the key of profile 'default' cannot be used", "more than one line"]);
    home.station.write_credentials(format!("[default]\n{}x = 1\nx = 2\n", home.pair()));
    refused(&home, &MOVE, 8, &["credentials:5: 'x' stands twice"]);
}

#[test]
fn a_rotation_is_finished_first() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    home.station.sandbox.fault("UpdateAccessKey", 1, crate::sandbox::Fault::KillBefore);
    let code = home.station.sandbox.next_totp("alice");
    let child = home.command(&["rotate", "--mfa-code", &code]).spawn().unwrap();
    home.station.sandbox.set_client(Some(child.id()));
    assert_eq!(child.wait_with_output().unwrap().status.code(), None);
    home.station.sandbox.set_client(None);
    refused(&home, &MOVE, 5, &[&home.id, "`keyrot-me rotate`"]);
}

#[test]
fn another_run_is_at_work() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    fs::create_dir_all(home.station.state()).unwrap();
    let lock = fs::OpenOptions::new().create(true).write(true).truncate(true).open(home.station.state().join("lock"));
    let lock = lock.unwrap();
    lock.lock().unwrap();
    refused(&home, &MOVE, 7, &["another run"]);
}

#[test]
fn a_locked_keychain_changes_nothing() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    desktop.lock();
    let before = (home.station.credentials(), home.config());
    home.station.settings("[store]\nwait = \"2s\"\n");
    let ran = home.run(&MOVE).expect(8);
    assert!(ran.stderr.contains("unlock the keychain"), "{}", ran.stderr);
    assert_eq!((home.station.credentials(), home.config()), before);
}

#[test]
fn a_program_that_the_sdks_would_not_all_find_is_not_named_in_the_file() {
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let home = Home::new(&desktop);
    for (name, words) in [("keyrot-me-2", "has to be called keyrot-me"), ("a$b/keyrot-me", "do not agree")] {
        let copy = home.station.path(name);
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::hard_link(program(), &copy).or_else(|_| fs::copy(program(), &copy).map(drop)).unwrap();
        let inherited = home.command(&MOVE);
        let mut command = Command::new(&copy);
        command.args(MOVE).env_clear().envs(inherited.get_envs().filter_map(|(name, value)| Some((name, value?))));
        refused_from(&home, command, 2, &[words]);
    }
}
