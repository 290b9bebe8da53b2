//! The move itself. Each step leaves the key where an AWS tool finds it, and can be done again.

use crate::cli::error::{Exit, Failure};
use crate::host::config_file::StoreKind;
use crate::host::credentials_file::CredentialsFile;
use crate::host::key_store;
use crate::host::keychain::{self, Entry};
use crate::host::paths;
use crate::host::process_line;
use crate::host::profile_files::{self, Change};
use crate::keys::facts::KeyId;
use crate::keys::journal::Phase;
use crate::ports::StoreError;

use super::look::Case;
use super::{Bench, Done, Outcome, Report, not_read_back};

/// Where it is set, `credential_process` stands in another file than other shells read.
const CONFIG_ELSEWHERE: &str = "AWS_CONFIG_FILE";

pub(super) fn carry_out(bench: &Bench, to: StoreKind, cases: Vec<Case>) -> Result<Report, Failure> {
    let mut report = Report { to, done: Vec::new(), stashed: Vec::new(), warnings: Vec::new() };
    let (there, moving): (Vec<Case>, Vec<Case>) = cases.into_iter().partition(|case| case.is_there(to));
    match to {
        StoreKind::Keychain => to_keychain(bench, &moving, &mut report)?,
        StoreKind::File => to_file(bench, &moving, &there, &mut report)?,
    }
    if to == StoreKind::Keychain && !moving.is_empty() && paths::env(CONFIG_ELSEWHERE).is_some() {
        report.warnings.push(format!(
            "{CONFIG_ELSEWHERE} is set here: a shell without it finds no key for the profile; set it at sign-in"
        ));
    }
    report.done.extend(moving.into_iter().map(|case| Done {
        profile: case.profile,
        key: case.key.id,
        outcome: Outcome::Moved,
    }));
    for case in there {
        let outcome = match to {
            StoreKind::File if clean(bench, &case, &mut report)? => Outcome::Cleaned,
            StoreKind::Keychain if mend(bench, &case)? => Outcome::Mended,
            _ => Outcome::NothingToDo,
        };
        report.done.push(Done { profile: case.profile, key: case.key.id, outcome });
    }
    Ok(report)
}

/// Entry, read back; `credential_process`; what rotations keep; and last the lines in the file.
fn to_keychain(bench: &Bench, moving: &[Case], report: &mut Report) -> Result<(), Failure> {
    let lines = moving.iter().map(|case| line(bench, case)).collect::<Result<Vec<_>, _>>()?;
    profile_files::sweep(&bench.places)?;
    for (case, line) in moving.iter().zip(&lines) {
        Change::SetProcess(line).prove(&bench.places, &case.profile)?;
        Change::TakeKey(&case.key.id).prove(&bench.places, &case.profile)?;
    }
    if !moving.is_empty() {
        bench.keychain.prove_writable().map_err(StoreError::from)?;
    }
    for case in moving {
        store_entry(bench, case)?;
    }
    for (case, line) in moving.iter().zip(&lines) {
        profile_files::set_process(&bench.places, &case.profile, line)?;
    }
    report.stashed = stashed_into_keychain(bench)?;
    for case in moving {
        profile_files::take_key(&bench.places, &case.profile, &case.key.id)?;
    }
    Ok(())
}

/// The line that hands out the entry, as every SDK reads it.
fn line(bench: &Bench, case: &Case) -> Result<String, Failure> {
    process_line::line(&bench.program, &case.entry).map_err(|bad| {
        Failure::new(Exit::Usage, bad.to_string())
            .hint("call this program keyrot-me, in a path of plain letters, digits and spaces; or rename the profile")
    })
}

fn store_entry(bench: &Bench, case: &Case) -> Result<(), Failure> {
    if case.in_keychain.as_ref() == Some(&case.key) {
        return Ok(());
    }
    let entry = Entry::Profile(case.entry.clone());
    bench.keychain.set(&entry, keychain::write_key(&case.key)).map_err(StoreError::from)?;
    let read = key_store::published(&bench.keychain, &entry).map_err(StoreError::from)?;
    if read.as_ref() == Some(&case.key) { Ok(()) } else { Err(not_read_back(&entry.to_string(), &case.key).into()) }
}

/// The key in the file, read back; what rotations keep; `credential_process` goes; and last the entries.
fn to_file(bench: &Bench, moving: &[Case], there: &[Case], report: &mut Report) -> Result<(), Failure> {
    profile_files::sweep(&bench.places)?;
    for case in moving {
        Change::PutKey(&case.key).prove(&bench.places, &case.profile)?;
        Change::RemoveProcess.prove(&bench.places, &case.profile)?;
        CredentialsFile::new(&bench.places, case.key.id.clone()).prove_writable()?;
    }
    for case in moving {
        profile_files::put_key(&bench.places, &case.profile, &case.key)?;
        if profile_files::keys_of(&bench.places, &case.profile)?.first() != Some(&case.key) {
            return Err(not_read_back("the AWS file", &case.key).into());
        }
    }
    let moved = |profile: &String| moving.iter().chain(there).any(|case| case.profile == *profile);
    // The store looks into the keychain as long as one profile's key is there.
    let last = bench.in_keychain.iter().all(|other| moved(&other.profile));
    let asked = moving.iter().chain(there).all(|case| case.not_looked_at.is_none());
    if last && asked {
        report.stashed = stashed_into_files(bench, || moving.iter().try_for_each(|case| remove_process(bench, case)))?;
    } else {
        moving.iter().try_for_each(|case| remove_process(bench, case))?;
    }
    for case in moving {
        bench.keychain.delete(&Entry::Profile(case.entry.clone())).map_err(StoreError::from)?;
    }
    Ok(())
}

fn remove_process(bench: &Bench, case: &Case) -> Result<(), Failure> {
    profile_files::remove_process(&bench.places, &case.profile)?;
    Ok(())
}

/// The key is in the file: an entry that no profile names was left by a move that did not come to its end.
fn clean(bench: &Bench, case: &Case, report: &mut Report) -> Result<bool, Failure> {
    if let Some(error) = &case.not_looked_at {
        report.warnings.push(format!("whether the keychain still holds a copy of the key is not known: {error}"));
    }
    if case.in_keychain.is_none() || case.entry_is_shared {
        return Ok(false);
    }
    bench.keychain.delete(&Entry::Profile(case.entry.clone())).map_err(StoreError::from)?;
    Ok(true)
}

/// The program was put elsewhere since: no AWS tool gets the key through the line as it is.
fn mend(bench: &Bench, case: &Case) -> Result<bool, Failure> {
    let named = case.process.as_deref().and_then(process_line::program_of);
    if named.is_none_or(|program| program.exists()) {
        return Ok(false);
    }
    Ok(profile_files::set_process(&bench.places, &case.profile, &line(bench, case)?)?)
}

/// Nothing secret stays in a plain file: each copy that a rotation keeps is read back before the file's is erased.
fn stashed_into_keychain(bench: &Bench) -> Result<Vec<KeyId>, Failure> {
    let mut moved = Vec::new();
    for rotation in &bench.rotations {
        let files = CredentialsFile::new(&bench.places, rotation.retire.clone());
        for key in files.stashed(&rotation.id)? {
            key_store::stash(&bench.keychain, &rotation.id, &key).map_err(StoreError::from)?;
            files.erase(&rotation.id, &key.id)?;
            moved.push(key.id);
        }
    }
    Ok(moved)
}

/// Between the copies and the erasing the keychain stops being looked at.
fn stashed_into_files(bench: &Bench, then: impl FnOnce() -> Result<(), Failure>) -> Result<Vec<KeyId>, Failure> {
    let mut moved = Vec::new();
    // A closed rotation keeps nothing: the keychain is not asked for each one of years.
    for rotation in bench.rotations.iter().filter(|rotation| rotation.phase != Phase::Closed) {
        let files = CredentialsFile::new(&bench.places, rotation.retire.clone());
        for key in key_store::stashed(&bench.keychain, &rotation.id).map_err(StoreError::from)? {
            files.stash(&rotation.id, &key)?;
            if !files.stashed(&rotation.id)?.contains(&key) {
                return Err(not_read_back("the state folder", &key).into());
            }
            moved.push((rotation, key.id));
        }
    }
    then()?;
    for (rotation, key) in &moved {
        key_store::erase(&bench.keychain, &rotation.id, key).map_err(StoreError::from)?;
    }
    Ok(moved.into_iter().map(|(_, key)| key).collect())
}
