//! One key in several places: all of them have the new key before the old one goes off, or nothing is made.

use std::sync::{Arc, Mutex};

use super::*;
use crate::workstation::Ran;

/// What each place holds at the moment when the old key is switched off.
type Places = Arc<Mutex<Vec<String>>>;

fn ids_when_the_old_key_goes_off(station: &Workstation, desktop: &Arc<Desktop>, entries: &'static [&str]) -> Places {
    let held = Places::default();
    let (kept, desktop, file) = (Arc::clone(&held), Arc::clone(desktop), station.credentials_path());
    station.sandbox.on_call(move |call| {
        if call.action == "UpdateAccessKey" {
            let mut kept = kept.lock().unwrap();
            kept.extend(entries.iter().map(|entry| desktop.key(entry).unwrap().0));
            kept.push(crate::workstation::held_id(&fs::read_to_string(&file).unwrap()));
        }
    });
    held
}

#[test]
fn two_profiles_may_name_one_entry() {
    let Some((station, desktop)) = station() else { return };
    let line = station.process_line("default");
    fs::write(station.path(".aws/config"), format!("[default]\n{line}\n[profile twin]\n{line}\n")).unwrap();
    station.write_credentials("");
    for asked in [&["--profile", "twin"][..], &["--all", "--yes"]] {
        station.rotate(asked).expect(0);
        assert_eq!(desktop.key("default"), Some(active(&station)));
        station.sandbox.advance(std::time::Duration::from_secs(90));
        let json = station.run(&["status", "--json", "--profile", "twin"]).expect(0).json();
        let shown =
            json["keys"].as_array().unwrap().iter().find(|key| key["access_key_id"] == active(&station).0.as_str());
        assert_eq!(shown.unwrap()["profiles"], serde_json::json!(["default", "twin"]), "{json}");
    }
    assert_eq!(desktop.lookup("keyrot-me", "twin"), None, "no entry is made for a profile that names another's");
}

#[test]
fn two_entries_that_hold_one_key_are_both_replaced_before_it_goes_off() {
    let Some((station, desktop)) = station() else { return };
    let desktop = Arc::new(desktop);
    let (id, secret) = active(&station);
    desktop.store_key("work", &id, &secret);
    let lines = [station.process_line("default"), station.process_line("work")];
    fs::write(station.path(".aws/config"), format!("[default]\n{}\n[profile work]\n{}\n", lines[0], lines[1])).unwrap();
    let held = ids_when_the_old_key_goes_off(&station, &desktop, &["default", "work"]);
    let ran = station.rotate(&["--profile", "work"]).expect(0);
    let new = active(&station);
    assert_eq!(held.lock().unwrap()[..2], [new.0.clone(), new.0.clone()]);
    assert_eq!((desktop.key("default"), desktop.key("work")), (Some(new.clone()), Some(new)));
    assert!(ran.stderr.contains("profiles default, work"), "{}", ran.stderr);
}

#[test]
fn the_file_and_the_keychain_get_the_new_key_before_the_old_one_goes_off() {
    for asked in [&["--profile", "default"][..], &["--profile", "work"], &["--all"]] {
        let Some((station, desktop)) = station() else { return };
        let desktop = Arc::new(desktop);
        both(&station);
        let held = ids_when_the_old_key_goes_off(&station, &desktop, &["default"]);
        station.rotate(asked).expect(0);
        let (new, secret) = active(&station);
        assert_eq!(*held.lock().unwrap(), [new.clone(), new.clone()], "{asked:?}");
        let text = station.credentials();
        assert!(text.contains(&new) && text.contains(&secret), "{asked:?}");
        assert_eq!(station.stash(), Vec::<PathBuf>::new(), "what is stashed lies in the keychain");
    }
}

/// The keychain's key also stands in the file, for profile `work`.
fn both(station: &Workstation) {
    let (id, secret) = active(station);
    let text = format!("[work]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    station.write_credentials(text);
}

#[test]
fn a_place_that_cannot_be_written_stops_the_run_before_anything_is_made() {
    let Some((station, desktop)) = station() else { return };
    both(&station);
    desktop.lock();
    let before = station.credentials();
    let ran = station.rotate(&["--profile", "work"]).expect(8);
    let words = "locked, and was not unlocked: SS error: prompt dismissed (it has the key of profile default, and";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    assert_eq!((writes(&station), station.credentials()), (0, before));
}

#[test]
fn all_rotates_the_files_keys_and_the_keychains() {
    let Some((station, desktop)) = station() else { return };
    station.sandbox.set_policies("bob", &[crate::sandbox::OWN_KEYS]);
    let bob = station.sandbox.keys_of("bob").remove(0);
    let text = format!("[bob]\naws_access_key_id = {}\naws_secret_access_key = {}\n", bob.id, bob.secret);
    station.write_credentials(text);
    let old = active(&station).0;
    let ran: Ran = station.run(&["rotate", "--all", "--no-mfa", "--json"]).expect(0);
    let json = ran.json();
    let rotated: Vec<_> =
        json["rotations"].as_array().unwrap().iter().map(|it| it["old_access_key_id"].clone()).collect();
    assert_eq!(rotated.len(), 2, "{json}");
    assert!(rotated.contains(&old.as_str().into()) && rotated.contains(&bob.id.as_str().into()), "{json}");
    assert_eq!(desktop.key("default"), Some(active(&station)));
    assert!(!station.credentials().contains(&bob.id));
}

#[test]
fn all_goes_on_without_a_profile_whose_entry_is_missing_and_says_so() {
    let Some((station, desktop)) = station() else { return };
    let lines = [station.process_line("default"), station.process_line("gone")];
    fs::write(station.path(".aws/config"), format!("[default]\n{}\n[profile gone]\n{}\n", lines[0], lines[1])).unwrap();
    station.write_credentials("");
    let ran = station.rotate(&["--all"]).expect(0);
    assert!(ran.stderr.contains("the keychain holds no key of profile 'gone'"), "{}", ran.stderr);
    assert_eq!(desktop.key("default"), Some(active(&station)));
}

#[test]
fn a_role_behind_a_profile_of_the_keychain_rotates_that_profiles_key() {
    let Some((station, desktop)) = station() else { return };
    let line = station.process_line("default");
    let role = "role_arn = arn:aws:iam::123456789012:role/r\nsource_profile = default";
    fs::write(station.path(".aws/config"), format!("[default]\n{line}\n[profile role]\n{role}\n")).unwrap();
    let ran = station.rotate(&["--profile", "role"]).expect(0);
    assert!(ran.stderr.contains("its key is that of profile default"), "{}", ran.stderr);
    assert_eq!(desktop.key("default"), Some(active(&station)));
}
