//! The keychain, its entries, and the `credential_process` lines that lead to them.

use std::path::Path;

use crate::aws::profile::ProfileFiles;
use crate::cli::doctor::profiles::{Subject, is_default};
use crate::cli::doctor::{Room, commands};
use crate::cli::machine::in_keychain;
use crate::host::config_file::StoreKind;
use crate::host::key_store;
use crate::host::keychain::{Entry, KeychainError};
use crate::host::other_program;
use crate::host::process;
use crate::host::process_line;
use crate::keys::doctor::{Check, Finding};

pub fn look(files: &ProfileFiles, subjects: &[Subject], room: &mut Room) {
    entries(files, subjects, room);
    let mut any = false;
    for (profile, command) in files.processes() {
        if process_line::entry_of(command).is_some() {
            any = true;
            room.add(line(profile, command).of(profile));
        }
    }
    if !any {
        room.add(Finding::ok(Check::CredentialProcess, "no profile gets its key through this program"));
    }
}

fn entries(files: &ProfileFiles, subjects: &[Subject], room: &mut Room) {
    let profiles = in_keychain(files);
    if profiles.is_empty() {
        let wanted = subjects.iter().find(|subject| subject.settings.store == Some(StoreKind::Keychain));
        let finding = match wanted.map(|subject| (subject, room.keychain.get(&Entry::Probe))) {
            None => Finding::ok(Check::Keychain, "no key is in the keychain"),
            Some((_, Ok(_))) => {
                Finding::ok(Check::Keychain, "the keychain answers; the next rotation moves the key there")
            }
            Some((subject, Err(error))) => unusable(&error, &subject.profile),
        };
        room.add(finding);
        return;
    }
    for known in profiles {
        let found = key_store::published(&room.keychain, &Entry::Profile(known.entry.clone()));
        let finding = match found {
            Ok(Some(key)) => Finding::ok(Check::Keychain, format!("the keychain has {}", key.id)),
            Ok(None) => Finding::problem(
                Check::Keychain,
                format!("the keychain has no entry {:?}, which the profile's credential_process asks for", known.entry),
                "every AWS tool fails with this profile",
                commands::about("keyrot-me import", &known.profile, is_default(&known.profile)),
            ),
            Err(error) => unusable(&error, &known.profile),
        };
        let gone = matches!(&finding.fix, Some(fix) if !fix.starts_with("keyrot-me"));
        room.add(finding.of(&known.profile));
        if gone {
            // The others would be told the same.
            break;
        }
    }
}

fn unusable(error: &KeychainError, profile: &str) -> Finding {
    let fix = match error {
        KeychainError::Damaged { .. } => commands::about("keyrot-me import", profile, is_default(profile)),
        _ if cfg!(target_os = "macos") => "security unlock-keychain".to_owned(),
        _ if cfg!(windows) => "control /name Microsoft.CredentialManager".to_owned(),
        KeychainError::Missing { .. } => "gnome-keyring-daemon --start --components=secrets".to_owned(),
        KeychainError::Twice { .. } => "secret-tool search --all service keyrot-me".to_owned(),
        // The tool unlocks the keychain to look; what it finds is nobody's to see.
        _ => format!("secret-tool lookup service keyrot-me username {} >/dev/null", commands::word(profile)),
    };
    Finding::problem(
        Check::Keychain,
        error.to_string(),
        format!("the key cannot be read, nor be rotated; {}", error.hint()),
        fix,
    )
}

/// The program that a `credential_process` names.
fn line(profile: &str, command: &str) -> Finding {
    let mend = commands::about("keyrot-me store move --to keychain", profile, is_default(profile));
    let Some(program) = process_line::program_of(command) else {
        return Finding::note(
            Check::CredentialProcess,
            "credential_process names keyrot-me without its path",
            "an AWS tool runs whatever of that name comes first on its PATH, or finds none",
            mend,
        );
    };
    named_program(Check::CredentialProcess, "credential_process", &program, &mend)
}

/// A program of our name that something will start: there, and this one or of its version. `mend` writes the line anew.
pub fn named_program(check: Check, who: &str, program: &Path, mend: &str) -> Finding {
    let shown = program.display();
    if !other_program::is_executable(program) {
        return Finding::problem(
            check,
            format!("{who} names {shown}, which is not there, or cannot be run"),
            "it was moved or removed: whatever starts it fails",
            mend,
        );
    }
    let own = process::program();
    if own.as_ref().is_ok_and(|own| other_program::is_same(own, program)) {
        return Finding::ok(check, format!("{who} names this program, {shown}"));
    }
    match other_program::version(program) {
        Some(version) if version == env!("CARGO_PKG_VERSION") => {
            Finding::ok(check, format!("{who} names {shown}, of this version"))
        }
        version => Finding::note(
            check,
            format!(
                "{who} names {shown}, of version {}; this is {}",
                version.as_deref().unwrap_or("unknown"),
                env!("CARGO_PKG_VERSION")
            ),
            "an older program may refuse what a newer one has written",
            mend,
        ),
    }
}
