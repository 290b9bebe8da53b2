//! `import` by a person at a terminal: typed keys, questions, the file in the end.
#![cfg(target_os = "linux")]

use super::import::{after_the_purge, csv, made_in_console};
use super::terminal::Person;
use super::*;

#[test]
fn a_key_is_typed_and_its_secret_is_not_shown() {
    let (station, id, secret, _) = after_the_purge();
    let code = station.sandbox.next_totp("alice");
    let Some(mut person) = Person::at(&station, "import") else { return };
    person.sees("Access key id (not shown): ").types(&format!("{id}\n"));
    person.sees("Secret access key (not shown): ").types(&format!("{secret}\n"));
    person.sees("MFA code of").types(&format!("{code}\n")).sees("rotated: ");
    let seen = person.leaves_with(0);
    assert!(!seen.contains(&secret) && !seen.contains("erasing"), "{seen}");
    assert_eq!(station.sandbox.key(&id).unwrap().status, "Inactive");
}

#[test]
fn what_is_typed_into_the_wrong_place_is_told_and_not_shown_again() {
    let (station, id, secret, _) = after_the_purge();
    let before = Scene::of(&station);
    let Some(mut person) = Person::at(&station, "import") else { return };
    person.sees("Access key id (not shown): ").types(&format!("{}\n", &secret));
    person.sees("Secret access key (not shown): ").types(&format!("{id}\n"));
    person.sees("what was typed: the access key id and the secret have changed places").leaves_with(2);
    assert_eq!(before, Scene::of(&station));
}

#[test]
fn ctrl_c_at_the_secret_leaves_everything_and_the_echo_on() {
    let (station, id, secret, _) = after_the_purge();
    let before = Scene::of(&station);
    let Some(mut person) = Person::at(&station, "import") else { return };
    person.sees("Access key id (not shown): ").types(&format!("{id}\n"));
    person.sees("Secret access key (not shown): ").types(&secret[..20]).types("\u{3}");
    let seen = person.sees("stopped by a signal before anything was changed").leaves_with(5);
    assert!(!seen.contains(&secret[..20]), "{seen}");
    assert_eq!(before, Scene::of(&station));
}

#[test]
fn the_file_is_erased_by_yes_and_by_nothing_else() {
    for (answer, erased) in [("y\n", true), ("\n", false)] {
        let (station, _, _, file) = after_the_purge();
        let Some(mut person) = Person::at(&station, &format!("import --no-rotate {file}")) else { return };
        person.sees("erase ").sees("proves nothing on SSDs").sees("[y/N] ").types(answer);
        person.leaves_with(0);
        assert_eq!(!Path::new(&file).exists(), erased, "{answer:?}");
    }
}

#[test]
fn a_key_that_works_is_asked_about() {
    for (answer, code) in [("y\n", 0), ("n\n", 3)] {
        let station = station();
        let old = station.held_id();
        let (id, secret) = made_in_console(&station, "alice");
        let file = csv(&station, &id, &secret);
        let Some(mut person) = Person::at(&station, &format!("import --no-rotate {file}")) else { return };
        person
            .sees(&format!("{old} still works, and its secret would be lost. replace it by {id}? [y/N] "))
            .types(answer);
        if code == 0 {
            person.sees("erase ").types("n\n");
        }
        person.leaves_with(code);
        assert_eq!(station.held_id(), if code == 0 { id } else { old });
    }
}

#[test]
fn another_users_key_is_asked_about() {
    for (answer, code) in [("y\n", 0), ("n\n", 3)] {
        let station = station();
        let old = station.held_id();
        let (id, secret) = made_in_console(&station, "bob");
        let file = csv(&station, &id, &secret);
        let Some(mut person) = Person::at(&station, &format!("import --yes --no-rotate {file}")) else { return };
        person.sees(":user/bob").sees(":user/alice. store it all the same? [y/N] ").types(answer);
        if code == 0 {
            person.sees("erase ").types("n\n");
        }
        person.leaves_with(code);
        assert_eq!(station.held_id(), if code == 0 { id } else { old });
    }
}

#[test]
fn a_profile_that_may_be_a_slip_is_asked_about() {
    for (answer, code) in [("y\n", 0), ("n\n", 3)] {
        let (station, id, _, file) = after_the_purge();
        let line = format!("import --no-rotate --profile elsewhree {file}");
        let Some(mut person) = Person::at(&station, &line) else { return };
        person.sees("there is no profile 'elsewhree' (did you mean 'elsewhere'?). make it? [y/N] ").types(answer);
        if code == 0 {
            person.sees("erase ").types("n\n");
        }
        person.leaves_with(code);
        assert_eq!(station.credentials().contains(&id), code == 0);
    }
}
