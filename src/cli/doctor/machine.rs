//! The config file, the journal and the environment.

use crate::cli::doctor::profiles::Subject;
use crate::cli::doctor::{Room, commands};
use crate::host::config_file::ConfigFile;
use crate::host::journal_file::JournalFile;
use crate::host::paths::{self, Places};
use crate::keys::doctor::{Check, Finding};
use crate::keys::journal::Rotation;
use crate::ports::Journal;

/// `None` where the file cannot be used.
pub fn config(places: &Places, found: &mut Vec<Finding>) -> Option<ConfigFile> {
    match ConfigFile::load(&places.settings, places.settings_named) {
        Ok(config) => {
            let there = places.settings.exists();
            let shown = places.settings.display();
            found.push(Finding::ok(
                Check::Config,
                if there { format!("{shown} reads well") } else { format!("no {shown}: everything is as built in") },
            ));
            Some(config)
        }
        Err(error) => {
            found.push(Finding::problem(
                Check::Config,
                error.to_string(),
                "every other command stops at it, the timer's runs too; here everything counts as built in",
                commands::edit(&error.path, error.line),
            ));
            None
        }
    }
}

/// All rotations, as far as the journal tells.
pub fn journal(places: &Places, found: &mut Vec<Finding>) -> Vec<Rotation> {
    let path = places.state.join("journal.jsonl");
    let journal = match JournalFile::open(&places.state) {
        Ok(journal) => journal,
        Err(error) => {
            let quoted = commands::word(path.display());
            let aside = commands::word(path.with_extension("jsonl.damaged").display());
            let hint = error.hint.unwrap_or_default();
            found.push(Finding::problem(
                Check::Journal,
                error.message,
                format!("no command runs without it. {hint}"),
                format!("mv {quoted} {aside}"),
            ));
            return Vec::new();
        }
    };
    let look = journal.look();
    let shown = path.display();
    found.push(if look.newer {
        Finding::problem(
            Check::Journal,
            format!("{shown} was written by a newer keyrot-me"),
            "this one may read it and not write it: no rotation begins",
            "cargo install --locked keyrot-me",
        )
    } else if !look.writable {
        Finding::problem(
            Check::Journal,
            format!("{shown} cannot be written"),
            "a rotation writes down what it is about to do, before it does it",
            format!("chmod 600 {}", commands::word(&shown)),
        )
    } else if look.torn {
        Finding::note(
            Check::Journal,
            format!("{shown} ends in the middle of a line: a run was killed as it wrote"),
            "nothing was done because of that line; the next run cuts it off",
            "keyrot-me finish",
        )
    } else {
        Finding::ok(Check::Journal, format!("the journal reads well in {}", places.state.display()))
    });
    journal.rotations().unwrap_or_default()
}

/// Rotations that wait for somebody to go on with them.
pub fn rotations(subjects: &[Subject], room: &mut Room) {
    let unfinished: Vec<&Rotation> = room.rotations.iter().filter(|rotation| rotation.unfinished()).collect();
    let mut found = Vec::new();
    for rotation in &unfinished {
        let of = subjects.iter().find(|subject| rotation.is_about(&subject.signing.key.id));
        let rotate = of.map_or_else(|| "keyrot-me rotate --all".to_owned(), |subject| subject.commands.rotate.clone());
        let finding = Finding::problem(
            Check::Rotation,
            format!(
                "the rotation of {}, begun {}, is unfinished",
                rotation.retire,
                crate::keys::words::when(rotation.began)
            ),
            "until it is finished two keys may work, and no other rotation begins",
            rotate,
        );
        found.push(of.map_or(finding.clone(), |subject| finding.of(&subject.profile)));
    }
    if unfinished.is_empty() {
        found.push(Finding::ok(Check::Rotation, "no rotation is unfinished"));
    }
    room.found.extend(found);
}

/// Variables that come before the files, and those that other shells may not have.
pub fn look_at_environment(room: &mut Room) {
    let set = |names: &[&'static str]| -> Vec<&'static str> {
        names.iter().copied().filter(|name| paths::env(name).is_some()).collect()
    };
    let shadows = set(&paths::SHADOWS);
    room.add(if shadows.is_empty() {
        Finding::ok(Check::Shadowing, "no key in the environment comes before the AWS files")
    } else {
        Finding::problem(
            Check::Shadowing,
            format!("{} in the environment", listed(&shadows)),
            "the AWS tools use that key and not the rotated one; it ages unseen, and breaks when it is deleted",
            format!("unset {}", shadows.join(" ")),
        )
    });
    let elsewhere = set(&["AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "KEYROT_ME_CONFIG"]);
    if !elsewhere.is_empty() {
        room.add(Finding::note(
            Check::Environment,
            format!("{} in this shell", listed(&elsewhere)),
            "other shells, desktop programs and a timer that was installed without it look in the usual places",
            format!("unset {}", elsewhere.join(" ")),
        ));
    }
}

fn listed(names: &[&str]) -> String {
    format!("{} {} set", names.join(", "), if names.len() == 1 { "is" } else { "are" })
}
