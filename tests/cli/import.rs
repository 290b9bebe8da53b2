//! `import`: what comes in and where it is stored, and what is refused before anything is stored.

use std::io::Write;
use std::process::Stdio;

use super::*;
use crate::sandbox::{ADMINISTRATOR, Fault};

/// A key as the console makes it, just now: id and secret.
pub fn made_in_console(station: &Workstation, user: &str) -> (String, String) {
    station.sandbox.seed_key(user, station.sandbox.now(), "Active")
}

pub fn csv(station: &Workstation, id: &str, secret: &str) -> String {
    let path = station.path("alice_accessKeys.csv");
    std::fs::write(&path, format!("\u{feff}Access key ID,Secret access key\r\n{id},{secret}\r\n")).unwrap();
    path.display().to_string()
}

/// The purge took alice's key, and she made another one in the console: its id, its secret, its file.
pub fn after_the_purge() -> (Workstation, String, String, String) {
    let station = station();
    station.sandbox.delete_key(&station.held_id());
    let (id, secret) = made_in_console(&station, "alice");
    let file = csv(&station, &id, &secret);
    (station, id, secret, file)
}

fn fed(station: &Workstation, arguments: &[&str], input: &[u8]) -> Ran {
    let mut child =
        station.command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The program may have refused before it read.
    let _ = child.stdin.take().unwrap().write_all(input);
    Ran::from(child.wait_with_output().unwrap())
}

#[test]
fn a_key_from_the_console_takes_the_dead_ones_place_and_is_rotated_at_once() {
    let (station, id, secret, file) = after_the_purge();
    let (old, before) = (station.held_id(), station.credentials());
    let ran = station.with_code("import", &[&file]).expect(0);
    let new = station.held_id();
    assert!(new != old && new != id, "{ran:?}");
    assert_eq!(station.sandbox.key(&id).unwrap().status, "Inactive", "the pasted copy is dead");
    let made = station.sandbox.key(&new).unwrap();
    let old_secret = before.lines().nth(3).unwrap().split(" = ").nth(1).unwrap();
    assert_eq!(station.credentials(), before.replace(&old, &new).replace(old_secret, &made.secret));
    for words in [
        format!("default: stored {id} (alice in account 123456789012) in the file in the place of {old}"),
        format!("default: rotated: {id} → {new}"),
    ] {
        assert!(ran.stdout.contains(&words), "{words} is not in {}", ran.stdout);
    }
    for words in ["still holds the key", "--erase", "SSDs", "nothing tells whose it was"] {
        assert!(ran.stderr.contains(words), "{words} is not in {}", ran.stderr);
    }
    assert!(Path::new(&file).exists() && !ran.stdout.contains(&secret) && !ran.stderr.contains(&secret));
    no_secret(&station, &ran);
    station.run(&["status", "--check"]).expect(0);
    station.run(&["rollback", "--no-mfa"]).expect(0);
    assert_eq!(station.held_id(), id, "what was imported can be rolled back to");
}

#[test]
fn without_rotation_it_stays_and_the_file_goes() {
    let (station, id, secret, file) = after_the_purge();
    let ran = station.run(&["import", "--no-rotate", "--erase", &file]).expect(0);
    assert!(station.credentials().contains(&format!("{id}\naws_secret_access_key = {secret}\n")));
    assert_eq!(station.sandbox.keys_of("alice").len(), 1);
    assert!(!Path::new(&file).exists() && ran.stderr.contains("is erased; erasing proves nothing"), "{ran:?}");
}

#[test]
fn json_tells_what_was_stored_and_what_came_of_the_rotation() {
    let (station, id, _, file) = after_the_purge();
    let old = station.held_id();
    let json = station.with_code("import", &["--json", "--erase", &file]).expect(0).json();
    assert_eq!(
        json["imported"],
        serde_json::json!({ "profiles": ["default"], "account": "123456789012", "user": "alice", "access_key_id": id,
            "replaced_access_key_id": old, "store": "file" })
    );
    assert_eq!((json["version"].as_u64(), json["file"].as_str()), (Some(1), Some("erased")));
    assert_eq!(json["rotations"][0]["old_access_key_id"], id);
    assert_eq!(json["rotations"][0]["new_access_key_id"], station.held_id());
    let (again, id, _, _) = after_the_purge();
    let file = csv(&again, &id, "short");
    let json = again.run(&["import", "--json", &file]).expect(2).json();
    assert_eq!(json["error"]["exit_code"], 2);
}

#[test]
fn every_kind_of_text_comes_in_from_files_and_standard_input() {
    for text in [
        "Access key ID,Secret access key\r\n@ID,@SECRET",
        "User name,Password,Access key ID,Secret access key,Console login link\nalice,,@ID,@SECRET,https://x\n",
        "\u{feff}\"Access key ID\",\"Secret access key\"\n\"@ID\",\"@SECRET \"\n",
        "{\"AccessKeyId\":\"@ID\",\"SecretAccessKey\":\"@SECRET\"}\n",
        "{\"Version\":1,\"AccessKeyId\":\"@ID\",\"SecretAccessKey\":\"@SECRET\"}",
        "{\"AccessKey\":{\"UserName\":\"alice\",\"AccessKeyId\":\"@ID\",\"SecretAccessKey\":\"@SECRET\"}}",
        "[default]\naws_access_key_id = @ID\naws_secret_access_key = @SECRET\n",
        "export AWS_ACCESS_KEY_ID=@ID\nexport AWS_SECRET_ACCESS_KEY='@SECRET'\n",
    ] {
        let (station, id, secret, file) = after_the_purge();
        let text = text.replace("@ID", &id).replace("@SECRET", &secret);
        std::fs::write(&file, &text).unwrap();
        station.run(&["import", "--no-rotate", &file]).expect(0);
        assert_eq!(station.held_id(), id, "{text}");
        station.run(&["import", "--no-rotate", "--profile", "second", "--quiet", &file]).expect(0);
        let ran = fed(&station, &["import", "--no-rotate", "--profile", "third", "-"], text.as_bytes()).expect(0);
        assert!(ran.stdout.starts_with("default, second, third: stored") || ran.stdout.contains("third: stored"));
        assert_eq!(station.credentials().matches(&id).count(), 3, "{text}");
    }
}

#[test]
fn text_that_is_no_key_is_named_with_its_place_and_not_quoted() {
    let (station, id, secret, file) = after_the_purge();
    let head = "Access key ID,Secret access key\n";
    let cut = &secret[..39];
    for (text, place, words) in [
        (String::new(), "", "it is empty"),
        (" \n\n".to_owned(), "", "it is empty"),
        (head.to_owned(), "", "it holds no access key"),
        ("\u{7f}ELF\0\0".to_owned(), "", "it is not text"),
        (format!("{head}{id},{secret}\nAKIAOTHEROTHEROTHER1,{secret}\n"), "", "several access keys: AKIA"),
        (format!("{head}{id},{cut}\n"), ":2", "fewer than 40 characters"),
        (format!("{head}\n{id},\"{cut}\n{secret}\"\n"), ":3", "line break"),
        (format!("{head}{id},\"{cut} x\"\n"), ":2", "white space"),
        (format!("{head}{secret},{id}\n"), ":2", "changed places"),
        (format!("{head}ASIAIOSFODNN7EXAMPLE,{secret}\n"), ":2", "temporary credentials"),
        (format!("{head}{id},\n"), ":2", "only half a key: the secret is missing"),
        (format!("# mine\naws_access_key_id = {id}\n"), ":2", "only half a key"),
        (format!("{{\"AccessKeyId\":\"{id}\",\n\"SecretAccessKey\":[\"{secret}\"]}}"), ":2", "not the JSON"),
    ] {
        std::fs::write(&file, &text).unwrap();
        let place = format!("{file}{place}: ");
        let ran = refused_before_any_call(&station, || station.run(&["import", &file]), 2, &[&place, words]);
        assert!(!ran.stderr.contains(cut) && !ran.stderr.contains(&secret[..20]), "{}", ran.stderr);
        let ran = refused_before_any_call(
            &station,
            || fed(&station, &["import", "-"], text.as_bytes()),
            2,
            &["standard input", words],
        );
        assert!(!ran.stderr.contains(&secret[..20]), "{}", ran.stderr);
    }
}

#[test]
fn what_cannot_be_read_is_refused() {
    let (station, ..) = after_the_purge();
    let home = station.home.path().display().to_string();
    for (source, words) in [(home.as_str(), "is a directory"), ("/no/such/file", "cannot be read")] {
        refused_before_any_call(&station, || station.run(&["import", source]), 2, &[words]);
    }
    refused_before_any_call(&station, || station.run(&["import"]), 2, &["no terminal to type the key on", "CSV file"]);
    refused_before_any_call(&station, || fed(&station, &["import", "--erase", "-"], b""), 2, &["cannot be erased"]);
    refused_before_any_call(&station, || station.run(&["import", "--erase"]), 2, &["required"]);
}

#[cfg(unix)]
#[test]
fn a_file_without_rights_is_refused() {
    let (station, _, _, file) = after_the_purge();
    let Some(mut command) = as_stranger(&station, "a file without rights", &["import", &file]) else { return };
    crate::workstation::set_mode(Path::new(&file), 0);
    refused_before_any_call(&station, || Ran::from(command.output().unwrap()), 2, &["Permission denied"]);
}

#[test]
fn a_wrong_secret_and_an_unknown_key_are_told_apart() {
    let (station, id, secret, _) = after_the_purge();
    let other: String = secret.chars().rev().collect();
    let file = csv(&station, &id, &other);
    let words =
        ["the secret is not that of", &id, "SignatureDoesNotMatch", "nothing was stored", "shows a secret once"];
    refused(&station, || station.run(&["import", &file]), 9, &words);
    station.settings("[rotation]\nsettle = { every = \"0s\", within = \"1s\" }\n");
    let file = csv(&station, "AKIAUNKNOWNUNKNOWN12", &secret);
    let words =
        ["AKIAUNKNOWNUNKNOWN12 is not accepted", "InvalidClientTokenId", "nothing was stored", "there and Active"];
    refused(&station, || station.run(&["import", &file]), 9, &words);
}

#[test]
fn a_key_that_was_made_a_moment_ago_is_waited_for() {
    let (station, id, _, file) = after_the_purge();
    let unknown = || Fault::Deny {
        code: "InvalidClientTokenId".to_owned(),
        message: "The security token included in the request is invalid.".to_owned(),
    };
    for n in [1, 2, 4] {
        station.sandbox.fault("GetCallerIdentity", n, unknown());
    }
    station.sandbox.fault("ListAccessKeys", 2, unknown());
    let ran = station.run(&["import", "--no-rotate", &file]).expect(0);
    assert_eq!(station.held_id(), id);
    assert_eq!(ran.stderr.matches("known everywhere some seconds after").count(), 1, "{}", ran.stderr);
}

#[test]
fn a_root_key_is_refused() {
    let (station, _, _, file) = after_the_purge();
    let sts = FakeSts::start(|_| "arn:aws:iam::123456789012:root".to_owned());
    let words = ["arn:aws:iam::123456789012:root", "no IAM user", "delete a root key"];
    refused(&station, || Ran::from(sts.command(&station, &["import", &file]).output().unwrap()), 2, &words);
}

#[test]
fn another_users_key_is_not_waved_through() {
    let station = station();
    let old = station.held_id();
    station.run(&["rotate", "--no-mfa"]).expect(0);
    let (id, secret) = made_in_console(&station, "bob");
    let file = csv(&station, &id, &secret);
    for dead in [false, true] {
        if dead {
            // The journal knows whose it was.
            station.sandbox.delete_key(&station.held_id());
        }
        let words = [&id, ":user/bob", ":user/alice", "nothing was stored", "--yes does not settle this"];
        refused(&station, || station.run(&["import", "--yes", &file]), 3, &words);
    }
    assert_eq!(station.sandbox.key(&old).unwrap().status, "Inactive");
    station.run(&["import", "--profile", "bob", "--no-rotate", &file]).expect(0);
    assert!(
        station.credentials().contains(&format!("\n[bob]\naws_access_key_id = {id}\n")),
        "{}",
        station.credentials()
    );
}

/// The journal knows nothing of it: IAM tells while it has the key, STS afterwards.
#[test]
fn a_dead_key_of_somebody_else_is_told_by_iam_or_sts() {
    let (station, id, _, file) = after_the_purge();
    station.sandbox.set_policies("alice", &[ADMINISTRATOR]);
    let bobs = station.sandbox.keys_of("bob").remove(0);
    station.sandbox.set_status(&bobs.id, "Inactive");
    let dead = station.held_id();
    station.write_credentials(station.credentials().replace(&dead, &bobs.id));
    let words = [&id, "belongs to arn:aws:iam::123456789012:user/alice", "to user bob", "--yes does not settle this"];
    refused(&station, || station.run(&["import", "--yes", &file]), 3, &words);
    station.sandbox.add_account("210987654321");
    station.sandbox.add_user(("210987654321", "carol"));
    let (carols, _) = station.sandbox.seed_key(("210987654321", "carol"), station.sandbox.now(), "Active");
    station.sandbox.delete_key(&carols);
    station.write_credentials(station.credentials().replace(&bobs.id, &carols));
    refused(&station, || station.run(&["import", "--yes", &file]), 3, &[&id, "to account 210987654321"]);
    station.write_credentials(station.credentials().replace(&carols, &dead));
    station.run(&["import", "--no-rotate", &file]).expect(0);
}

#[test]
fn a_present_key_that_works_is_given_up_only_by_yes() {
    let station = station();
    let old = station.held_id();
    let (id, secret) = made_in_console(&station, "alice");
    let file = csv(&station, &id, &secret);
    let words = [&old, "still works, and its secret would be lost to", &id, "nothing was stored", "keyrot-me rotate"];
    refused(&station, || station.run(&["import", &file]), 3, &words);
    station.run(&["import", "--yes", "--no-rotate", &file]).expect(0);
    assert_eq!(station.held_id(), id);
    assert_eq!(station.sandbox.key(&old).unwrap().status, "Active", "only this machine's copy is gone");
}

#[test]
fn with_both_slots_full_the_key_is_stored_and_the_rotation_names_its_decision() {
    let station = station();
    let old = station.held_id();
    station.sandbox.set_status(&old, "Inactive");
    let (id, secret) = made_in_console(&station, "alice");
    let file = csv(&station, &id, &secret);
    let ran = station.with_code("import", &[&file]).expect(3);
    assert_eq!(station.held_id(), id, "it is stored all the same");
    for words in [format!("--replace {old}"), format!("{id} is stored and works"), "is kept".to_owned()] {
        assert!(ran.stderr.contains(&words), "{words} is not in {}", ran.stderr);
    }
    let ran = station.with_code("import", &["--replace", &old, &file]).expect(0);
    assert!(station.sandbox.key(&old).is_none() && station.held_id() != id, "{ran:?}");
    assert_eq!(station.sandbox.key(&id).unwrap().status, "Inactive");
}

#[test]
fn every_profile_that_held_the_dead_key_gets_the_new_one() {
    let (station, id, _, file) = after_the_purge();
    let held = station.sandbox.keys_of("alice");
    assert_eq!(held.len(), 1);
    let text = station.credentials();
    let section = text.split("; of another").next().unwrap().replace("[default]", "[twin]");
    station.write_credentials(text.clone() + "\n" + &section);
    let ran = station.run(&["import", "--no-rotate", &file]).expect(0);
    assert_eq!(station.credentials().matches(&id).count(), 2, "{}", station.credentials());
    assert!(ran.stdout.contains("default, twin: stored"), "{}", ran.stdout);
}

#[test]
fn a_machine_without_aws_files_gets_them() {
    let (station, id, secret, file) = after_the_purge();
    std::fs::remove_dir_all(station.path(".aws")).unwrap();
    std::fs::create_dir(station.path(".aws")).unwrap();
    station.run(&["import", "--no-rotate", "--profile", "work", &file]).expect(0);
    assert_eq!(station.credentials(), format!("[work]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"));
    #[cfg(unix)]
    assert_eq!(mode_of(&station.credentials_path()), 0o600);
    station.with_code("rotate", &["--profile", "work"]).expect(0);
}

#[test]
fn profiles_without_a_place_for_a_key_are_refused() {
    let (station, _, _, file) = after_the_purge();
    config(
        &station,
        "[profile sso]\nsso_session = x\n[sso-session x]\nsso_start_url = https://x\nsso_region = us-east-1\n\
         [profile other]\ncredential_process = /usr/bin/true\n[profile role]\nrole_arn = arn:aws:iam::1:role/x\n",
    );
    for (profile, words) in [("sso", "Identity Center"), ("other", "credential_process"), ("role", "role_arn")] {
        refused_before_any_call(&station, || station.run(&["import", "--profile", profile, &file]), 2, &[words]);
    }
    for name in ["", "my work", "a]b"] {
        let profile = format!("--profile={name}");
        refused_before_any_call(&station, || station.run(&["import", &profile, &file]), 2, &["cannot be the name"]);
    }
    let words = ["is in the file, not in the keychain", "store move --to keychain"];
    refused_before_any_call(&station, || station.run(&["import", "--store", "keychain", &file]), 2, &words);
}

#[test]
fn a_store_that_is_not_writable_is_found_before_any_call() {
    let (station, _, _, file) = after_the_purge();
    std::fs::create_dir_all(station.path(".local/state")).unwrap();
    std::fs::write(station.state(), "a file in its place").unwrap();
    refused_before_any_call(&station, || station.run(&["import", &file]), 8, &["cannot create the folder"]);
}

#[test]
fn without_a_code_the_key_is_stored_and_the_next_rotation_takes_it() {
    let (station, id, _, file) = after_the_purge();
    let ran = station.run(&["import", &file]).expect(4);
    assert!(ran.stderr.contains("no terminal to ask") && ran.stderr.contains("is stored and works"), "{}", ran.stderr);
    assert_eq!(station.held_id(), id);
    station.rotate(&[]).expect(0);
    assert_eq!(station.sandbox.key(&id).unwrap().status, "Inactive");
}

#[cfg(unix)]
#[test]
fn a_file_that_erasing_would_not_rid_of_the_key_is_told_and_left() {
    let (station, id, secret, file) = after_the_purge();
    let folder = station.path("repository");
    std::fs::create_dir(&folder).unwrap();
    let (link, twin, tracked) = (station.path("link.csv"), station.path("twin.csv"), folder.join("keys.csv"));
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let git = |words: &[&str]| Command::new("git").arg("-C").arg(&folder).args(words).output().unwrap();
    std::fs::copy(&file, &tracked).unwrap();
    git(&["init", "-q"]);
    git(&["add", "."]);
    for (path, words) in [(&link, "symbolic link"), (&tracked, "tracked by git")] {
        let path = path.display().to_string();
        let words = ["--erase would not erase the key", words];
        refused_before_any_call(&station, || station.run(&["import", "--erase", &path]), 2, &words);
    }
    std::fs::hard_link(&file, &twin).unwrap();
    let words = ["--erase would not erase the key", "2 hard links"];
    refused_before_any_call(&station, || station.run(&["import", "--erase", &file]), 2, &words);
    let ran = station.run(&["import", "--no-rotate", &file]).expect(0);
    assert!(ran.stderr.contains("the file is not erased: ") && ran.stderr.contains("2 hard links"), "{}", ran.stderr);
    assert_eq!((station.held_id(), std::fs::read_to_string(&twin).unwrap().contains(&secret)), (id, true));
}

#[test]
fn a_profile_that_is_new_and_like_another_one_is_noted() {
    let (station, id, _, file) = after_the_purge();
    let ran = station.run(&["import", "--no-rotate", "--profile", "elsewhree", &file]).expect(0);
    assert!(
        ran.stderr.contains("profile 'elsewhree' is new; there is one that is called 'elsewhere'"),
        "{}",
        ran.stderr
    );
    assert!(station.credentials().contains(&format!("[elsewhree]\naws_access_key_id = {id}\n")));
}

/// What a person left half done by hand.
#[test]
fn half_a_key_in_the_file_is_made_whole() {
    let (station, id, secret, file) = after_the_purge();
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let whole = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\nregion = eu-west-1\n");
    for half in [
        "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\nregion = eu-west-1\n".to_owned(),
        "[default]\naws_access_key_id = oops\naws_secret_access_key = oops\nregion = eu-west-1\n".to_owned(),
    ] {
        station.write_credentials(&half);
        station.run(&["import", "--no-rotate", &file]).expect(0);
        assert_eq!(sorted(&station.credentials()), sorted(&whole), "{half}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_as_a_file_and_nobody_speaks_of_erasing_it() {
    let (station, id, _, file) = after_the_purge();
    let pipe = station.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let text = std::fs::read(file).unwrap();
    let (writer, path) = (pipe.clone(), pipe.display().to_string());
    let feeding = std::thread::spawn(move || std::fs::write(writer, text).unwrap());
    let ran = station.run(&["import", "--no-rotate", &path]).expect(0);
    feeding.join().unwrap();
    assert!(station.held_id() == id && !ran.stderr.contains("eras"), "{}", ran.stderr);
}

#[test]
fn a_journal_of_a_newer_version_is_found_before_any_call() {
    let (station, _, _, file) = after_the_purge();
    station.run(&["import", "--no-mfa", &file]).expect(0);
    let journal = station.state().join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap().replacen("\"format\":1", "\"format\":2", 1);
    std::fs::write(&journal, text).unwrap();
    let (id, secret) = made_in_console(&station, "alice");
    let file = csv(&station, &id, &secret);
    refused_before_any_call(&station, || station.run(&["import", "--yes", &file]), 8, &["newer keyrot-me"]);
}
