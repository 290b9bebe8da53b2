//! All the places of this machine where the AWS tools find a key: the AWS files, and the entries of the keychain that
//! the config file's profiles hand out through this program.
//!
//! A key that stands in several places is replaced in all of them, or the run stops before anything is made. What a
//! rotation stashes lies in the keychain as soon as one profile's key does: nothing of it is in a plain file then. The
//! caller holds the run lock before it writes.

use crate::keys::facts::KeyId;
use crate::keys::journal::RotationId;
use crate::keys::secret::AccessKey;
use crate::ports::{PublishedKey, SecretStore, StoreError};

use super::credentials_file::CredentialsFile;
use super::keychain::{self, Entry, Keychain, KeychainError};

/// A profile of the config file whose key is in the keychain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeychainProfile {
    pub profile: String,
    /// The entry that its `credential_process` names: usually, but not always, the profile's own name.
    pub entry: String,
}

/// The store of one run.
#[derive(Debug)]
pub struct KeyStore {
    pub files: CredentialsFile,
    keychain: Keychain,
    profiles: Vec<KeychainProfile>,
}

impl KeyStore {
    #[must_use]
    pub fn new(files: CredentialsFile, keychain: Keychain, profiles: Vec<KeychainProfile>) -> Self {
        Self { files, keychain, profiles }
    }

    /// The keychain is asked for nothing where no profile's key is in it.
    fn uses_keychain(&self) -> bool {
        !self.profiles.is_empty()
    }

    /// The run may be about a key of the files: then it has to be said why the keychain was asked.
    fn explained(&self, error: KeychainError) -> StoreError {
        let names: Vec<&str> = self.profiles.iter().map(|known| known.profile.as_str()).collect();
        let names = names.join(", ");
        let why = "a key that is in several places is replaced in all of them";
        StoreError { message: format!("{error} (it has the key of profile {names}, and {why})"), ..error.into() }
    }

    /// Each entry once, in the config file's order.
    fn entries(&self) -> Vec<Entry> {
        let mut names: Vec<&str> = Vec::new();
        for profile in &self.profiles {
            if !names.contains(&profile.entry.as_str()) {
                names.push(&profile.entry);
            }
        }
        names.into_iter().map(|name| Entry::Profile(name.to_owned())).collect()
    }

    /// The keychain's part of [`SecretStore::publish`]; false where no entry holds `old`.
    pub fn publish_in_keychain(&self, old: &KeyId, new: &AccessKey) -> Result<bool, StoreError> {
        let mut held = false;
        for entry in self.entries() {
            if published(&self.keychain, &entry)?.is_some_and(|key| key.id == *old) {
                self.keychain.set(&entry, keychain::write_key(new))?;
                held = true;
            }
        }
        Ok(held)
    }

    fn in_keychain(&self, rotation: &RotationId) -> Result<Vec<AccessKey>, StoreError> {
        if !self.uses_keychain() {
            return Ok(Vec::new());
        }
        Ok(stashed(&self.keychain, rotation)?)
    }
}

impl SecretStore for KeyStore {
    fn prove_writable(&self) -> Result<(), StoreError> {
        self.files.prove_writable()?;
        if self.uses_keychain() {
            self.keychain.prove_writable().map_err(|error| self.explained(error))?;
        }
        Ok(())
    }

    fn published(&self) -> Result<Vec<PublishedKey>, StoreError> {
        let mut found = self.files.published()?;
        for entry in self.entries() {
            let found_there = published(&self.keychain, &entry).map_err(|error| self.explained(error))?;
            let Some(key) = found_there else { continue };
            let named = |profile: &&KeychainProfile| Entry::Profile(profile.entry.clone()) == entry;
            let profiles: Vec<String> = self.profiles.iter().filter(named).map(|named| named.profile.clone()).collect();
            match found.iter_mut().find(|known| known.key == key) {
                Some(known) => {
                    let new = profiles.into_iter().filter(|name| !known.profiles.contains(name)).collect::<Vec<_>>();
                    known.profiles.extend(new);
                }
                None => found.push(PublishedKey { profiles, key }),
            }
        }
        Ok(found)
    }

    fn publish(&self, old: &KeyId, new: &AccessKey) -> Result<(), StoreError> {
        let in_files = self.files.publish(old, new)?;
        if self.publish_in_keychain(old, new)? || in_files {
            return Ok(());
        }
        Err(StoreError {
            message: format!("no profile holds {old} any more: another program changed it meanwhile"),
            hint: Some("run again: nothing is lost".to_owned()),
            needs_decision: true,
        })
    }

    fn stash(&self, rotation: &RotationId, key: &AccessKey) -> Result<(), StoreError> {
        if !self.uses_keychain() {
            return self.files.stash(rotation, key);
        }
        Ok(stash(&self.keychain, rotation, key)?)
    }

    fn stashed(&self, rotation: &RotationId) -> Result<Vec<AccessKey>, StoreError> {
        let mut keys = self.files.stashed(rotation)?;
        let more = self.in_keychain(rotation)?.into_iter().filter(|key| !keys.contains(key)).collect::<Vec<_>>();
        keys.extend(more);
        keys.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(keys)
    }

    fn erase(&self, rotation: &RotationId, key: &KeyId) -> Result<(), StoreError> {
        self.files.erase(rotation, key)?;
        if self.uses_keychain() {
            erase(&self.keychain, rotation, key)?;
        }
        Ok(())
    }
}

/// The key that an entry publishes.
///
/// # Errors
/// [`KeychainError`]; [`KeychainError::Damaged`] for content that is not ours.
pub fn published(keychain: &Keychain, entry: &Entry) -> Result<Option<AccessKey>, KeychainError> {
    let damaged = |why| KeychainError::Damaged { entry: entry.clone(), why };
    keychain.get(entry)?.map(|bytes| keychain::read_key(&bytes).map_err(damaged)).transpose()
}

/// The keys that the keychain holds for a rotation.
pub fn stashed(keychain: &Keychain, rotation: &RotationId) -> Result<Vec<AccessKey>, KeychainError> {
    let entry = Entry::Stash(rotation.clone());
    let damaged = |why| KeychainError::Damaged { entry: entry.clone(), why };
    let Some(bytes) = keychain.get(&entry)? else { return Ok(Vec::new()) };
    keychain::read_keys(&bytes).map_err(damaged)
}

/// Adds a key to those that the keychain holds for a rotation, and reads it back.
pub fn stash(keychain: &Keychain, rotation: &RotationId, key: &AccessKey) -> Result<(), KeychainError> {
    let mut keys = stashed(keychain, rotation)?;
    if keys.contains(key) {
        return Ok(());
    }
    keys.retain(|known| known.id != key.id);
    keys.push(key.clone());
    let entry = Entry::Stash(rotation.clone());
    keychain.set(&entry, keychain::write_keys(&keys))?;
    if stashed(keychain, rotation)?.contains(key) {
        return Ok(());
    }
    let why = "it does not give back what was written".to_owned();
    Err(KeychainError::Failed { entry: entry.to_string(), why })
}

/// Takes a key out of those that the keychain holds for a rotation; the last one takes the entry with it.
pub fn erase(keychain: &Keychain, rotation: &RotationId, key: &KeyId) -> Result<(), KeychainError> {
    let mut keys = stashed(keychain, rotation)?;
    let before = keys.len();
    keys.retain(|known| known.id != *key);
    let entry = Entry::Stash(rotation.clone());
    match keys.len() {
        0 if before > 0 => keychain.delete(&entry),
        left if left < before => keychain.set(&entry, keychain::write_keys(&keys)),
        _ => Ok(()),
    }
}
