//! Where a profile keeps its key, or is to keep it; and putting one there.
//!
//! The caller holds the run lock before it stores, and has proved the key.

use std::path::PathBuf;

use crate::aws::problem::ProfileProblem;
use crate::aws::profile::ProfileFiles;
use crate::cli::error::{Exit, Failure};
use crate::cli::machine::usage;
use crate::host::aws_ini::is_profile_name;
use crate::host::config_file::StoreKind;
use crate::host::key_store::{self, KeyStore, KeychainProfile};
use crate::host::keychain::{self, Entry, Keychain, KeychainError};
use crate::host::paths::Places;
use crate::host::process;
use crate::host::process_line;
use crate::host::profile_files::Change;
use crate::keys::secret::AccessKey;
use crate::ports::{SecretStore, StoreError};

/// A profile's place for its key.
#[derive(Debug)]
pub struct Home {
    /// The profile that holds the key: the asked one, or the end of its `source_profile` chain.
    pub profile: String,
    place: Place,
    /// The key that is there now.
    pub present: Option<AccessKey>,
    /// The profile is new, and there is one with a name much like it.
    pub like: Option<String>,
}

#[derive(Debug)]
enum Place {
    File,
    /// The profile's `credential_process` hands out this entry.
    Keychain {
        entry: String,
    },
    /// The profile has no key, and no line that hands one out: both are to be made.
    NewEntry {
        line: String,
    },
}

impl Home {
    /// `asked` is `--store`, and `configured` the config file's word for a profile that has no key yet.
    pub fn find(
        files: &ProfileFiles,
        keychain: &Keychain,
        name: &str,
        asked: Option<StoreKind>,
        configured: Option<StoreKind>,
    ) -> Result<Self, Failure> {
        let found = match files.resolve(name) {
            Ok(held) => Self { profile: held.signing, place: Place::File, present: Some(held.key), like: None },
            Err(ProfileProblem::Process(process)) => {
                let Some(entry) = process_line::entry_of(&process.command) else {
                    return Err(usage(&ProfileProblem::Process(process)));
                };
                let present = in_entry(keychain, &entry)?;
                Self { profile: process.signing, place: Place::Keychain { entry }, present, like: None }
            }
            // Half of a key stands in the file: there the other half belongs.
            Err(ProfileProblem::HalfKey { profile, .. } | ProfileProblem::BadKeyId { profile, .. }) => {
                Self { profile, place: Place::File, present: None, like: None }
            }
            Err(ProfileProblem::NoKeys { profile }) => return Self::new(keychain, profile, asked.or(configured)),
            Err(ProfileProblem::Unknown { name, nearest, .. }) => {
                let new = Self::new(keychain, name, asked.or(configured))?;
                return Ok(Self { like: nearest, ..new });
            }
            Err(problem) => return Err(usage(&problem)),
        };
        match asked.filter(|asked| *asked != found.kind()) {
            None => Ok(found),
            Some(other) => Err(elsewhere(&found, other)),
        }
    }

    fn new(keychain: &Keychain, profile: String, kind: Option<StoreKind>) -> Result<Self, Failure> {
        if !is_profile_name(&profile) {
            return Err(Failure::new(Exit::Usage, format!("'{profile}' cannot be the name of a profile"))
                .hint("the AWS SDKs read letters, digits and _-/.%@:+ only"));
        }
        if kind != Some(StoreKind::Keychain) {
            return Ok(Self { profile, place: Place::File, present: None, like: None });
        }
        let line = process_line::line(&program()?, &profile).map_err(|bad| {
            Failure::new(Exit::Usage, bad.to_string()).hint("install the program elsewhere, or name another profile")
        })?;
        // What an import that was killed left there is not lost unseen.
        let present = in_entry(keychain, &profile)?;
        Ok(Self { profile, place: Place::NewEntry { line }, present, like: None })
    }

    pub fn kind(&self) -> StoreKind {
        match self.place {
            Place::File => StoreKind::File,
            Place::Keychain { .. } | Place::NewEntry { .. } => StoreKind::Keychain,
        }
    }

    /// What the store must know of besides the config file's own lines.
    pub fn new_entry(&self) -> Option<KeychainProfile> {
        match self.place {
            Place::NewEntry { .. } => {
                Some(KeychainProfile { profile: self.profile.clone(), entry: self.profile.clone() })
            }
            _ => None,
        }
    }

    /// All that [`Home::store`] will do, but for doing it.
    pub fn prove_writable(&self, places: &Places, store: &KeyStore, key: &AccessKey) -> Result<(), StoreError> {
        store.prove_writable()?;
        match &self.place {
            Place::File if self.present.is_none() => Change::PutKey(key).prove(places, &self.profile),
            Place::NewEntry { line } => Change::SetProcess(line).prove(places, &self.profile),
            _ => Ok(()),
        }
    }

    /// Puts `key` there, in the place of the present one wherever that stands, and reads it back. Done twice, it is
    /// done once.
    pub fn store(
        &self,
        places: &Places,
        store: &KeyStore,
        keychain: &Keychain,
        key: &AccessKey,
    ) -> Result<Vec<String>, StoreError> {
        match (&self.present, &self.place) {
            (Some(present), _) if present == key => {}
            (Some(present), place) => {
                // The profile's own place last: while it holds the old key, the same command does the rest.
                if matches!(place, Place::File) {
                    store.publish_in_keychain(&present.id, key)?;
                }
                store.publish(&present.id, key)?;
            }
            (None, Place::File) => drop(Change::PutKey(key).apply(places, &self.profile)?),
            (None, Place::Keychain { entry }) => {
                keychain.set(&Entry::Profile(entry.clone()), keychain::write_key(key))?;
            }
            (None, Place::NewEntry { .. }) => {
                keychain.set(&Entry::Profile(self.profile.clone()), keychain::write_key(key))?;
            }
        }
        if let Place::NewEntry { line } = &self.place {
            Change::SetProcess(line).apply(places, &self.profile)?;
        }
        let read = store.published()?;
        let stored = read.into_iter().find(|held| held.key == *key && held.profiles.contains(&self.profile));
        stored.map(|held| held.profiles).ok_or_else(|| StoreError {
            message: format!("the store does not give {} back as it was written", key.id),
            hint: Some("see whether another program writes there, then run the same command again".to_owned()),
            needs_decision: false,
        })
    }
}

/// A damaged entry holds no key: it may be written over.
fn in_entry(keychain: &Keychain, entry: &str) -> Result<Option<AccessKey>, StoreError> {
    match key_store::published(keychain, &Entry::Profile(entry.to_owned())) {
        Err(KeychainError::Damaged { .. }) => Ok(None),
        other => Ok(other?),
    }
}

fn program() -> Result<PathBuf, Failure> {
    process::program().map_err(|error| {
        Failure::new(Exit::Unexpected, format!("the path of this program cannot be told: {error}"))
            .hint("run it by its full path, or leave the key in the file: --store file")
    })
}

fn elsewhere(found: &Home, other: StoreKind) -> Failure {
    let name = |kind| if kind == StoreKind::File { "file" } else { "keychain" };
    let (profile, here, there) = (&found.profile, name(found.kind()), name(other));
    Failure::new(Exit::Usage, format!("the key of profile '{profile}' is in the {here}, not in the {there}")).hint(
        format!("leave --store out; `keyrot-me store move --to {there} --profile {profile}` moves the key afterwards"),
    )
}
