//! One profile's key and its `credential_process` in the AWS files: put there and taken away, each other byte as it was.
//!
//! It never decides which key is right, and asks no keychain. The caller holds the run lock before it writes.

use std::path::Path;

use zeroize::Zeroizing;

use crate::keys::facts::KeyId;
use crate::keys::secret::AccessKey;
use crate::ports::StoreError;

use super::atomic_file::{self, FileError, Snapshot};
use super::aws_ini::{AwsIni, FileKind, IniError};
use super::credentials_file::{REREADS, file_failed, keeps_changing, not_readable, read, refuse_tracked, stash_folder};
use super::paths::Places;

const ID: &str = "aws_access_key_id";
const SECRET: &str = "aws_secret_access_key";
/// The property that names a program which hands out the key.
pub const PROCESS: &str = "credential_process";

type Edited = Result<Option<Zeroizing<Vec<u8>>>, IniError>;

/// One change of a profile.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// The profile holds this key: where it holds one already, else in the credentials file.
    PutKey(&'a AccessKey),
    /// The lines of this key go, wherever the profile holds it.
    TakeKey(&'a KeyId),
    /// `credential_process` has this value: where it stands already, else in the config file.
    SetProcess(&'a str),
    /// `credential_process` goes, wherever it stands.
    RemoveProcess,
}

/// A section that holds a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// `path:line`.
    pub place: String,
    /// The profile that the AWS SDKs see there; other AWS tools may see one where this is `None`.
    pub profile: Option<String>,
}

/// Stores `key` as the profile's; where there is no credentials file, one is made, mode 0600.
///
/// # Errors
/// [`StoreError`] with line and fix for a file that cannot be edited.
pub fn put_key(places: &Places, profile: &str, key: &AccessKey) -> Result<(), StoreError> {
    Change::PutKey(key).apply(places, profile).map(drop)
}

/// Removes the key's two lines, and overwrites the bytes of the file that held them. False where there is no such key.
///
/// # Errors
/// As [`put_key`].
pub fn take_key(places: &Places, profile: &str, id: &KeyId) -> Result<bool, StoreError> {
    Change::TakeKey(id).apply(places, profile)
}

/// Sets the profile's `credential_process`. False where it was so already.
///
/// # Errors
/// As [`put_key`].
pub fn set_process(places: &Places, profile: &str, line: &str) -> Result<bool, StoreError> {
    Change::SetProcess(line).apply(places, profile)
}

/// Removes the profile's `credential_process`. False where there is none.
///
/// # Errors
/// As [`put_key`].
pub fn remove_process(places: &Places, profile: &str) -> Result<bool, StoreError> {
    Change::RemoveProcess.apply(places, profile)
}

/// A property of the profile as the AWS tools see it: the credentials file wins. Never a secret.
///
/// # Errors
/// [`StoreError`] for a file that is there and cannot be used.
pub fn property(places: &Places, profile: &str, name: &str) -> Result<Option<String>, StoreError> {
    Ok(properties(places, profile, name)?.into_iter().next())
}

/// A property in each of the two files that has it, the one that counts first. Never a secret.
///
/// # Errors
/// [`StoreError`] for a file that is there and cannot be used.
pub fn properties(places: &Places, profile: &str, name: &str) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    for (kind, path) in files(places) {
        let value = read(kind, path)?.and_then(|(_, ini)| ini.get(profile, name));
        found.extend(value.filter(|value| !value.trim().is_empty()));
    }
    Ok(found)
}

/// The keys that stand in a profile's own sections, the one that counts first.
///
/// # Errors
/// [`StoreError`] for a file that is there and cannot be used, and for a key that cannot be a long-term one.
pub fn keys_of(places: &Places, profile: &str) -> Result<Vec<AccessKey>, StoreError> {
    let mut keys = Vec::new();
    for (kind, path) in files(places) {
        let Some((_, ini)) = read(kind, path)? else { continue };
        for held in ini.keys().into_iter().filter(|held| held.profile == profile) {
            keys.push(held.key.map_err(|why| StoreError {
                message: format!(
                    "{}:{}: the key of profile '{profile}' cannot be used: {why}",
                    path.display(),
                    held.id_line
                ),
                hint: Some("put id and secret on one line each, in one section, then run again".to_owned()),
                needs_decision: false,
            })?);
        }
    }
    Ok(keys)
}

/// Every section of the AWS files that holds this key id.
///
/// # Errors
/// [`StoreError`] for a file that is there and cannot be used.
pub fn holders(places: &Places, id: &KeyId) -> Result<Vec<Holder>, StoreError> {
    let mut found = Vec::new();
    for (kind, path) in files(places) {
        let Some((_, ini)) = read(kind, path)? else { continue };
        found.extend(
            ini.sections_with(id)
                .into_iter()
                .map(|(profile, line)| Holder { place: format!("{}:{line}", path.display()), profile }),
        );
    }
    Ok(found)
}

/// Erases what killed runs left beside the AWS files and in the stash. Only with the run lock held.
///
/// # Errors
/// [`StoreError`] where that fails.
pub fn sweep(places: &Places) -> Result<(), StoreError> {
    let beside = files(places).into_iter().filter_map(|(_, path)| atomic_file::read_for_edit(path).ok());
    let mut folders: Vec<_> = beside.map(|snapshot| snapshot.folder().to_owned()).collect();
    folders.push(stash_folder(places));
    for folder in folders.iter().filter(|folder| folder.exists()) {
        atomic_file::sweep(folder).map_err(|error| file_failed(&error))?;
    }
    Ok(())
}

impl Change<'_> {
    /// Makes the change; false where everything was so already.
    ///
    /// # Errors
    /// [`StoreError`] with line and fix for a file that cannot be edited; it is as it was then.
    pub fn apply(self, places: &Places, profile: &str) -> Result<bool, StoreError> {
        let mut changed = false;
        for (kind, path) in self.files(places, profile)? {
            changed |= self.apply_in(kind, path, profile)?;
        }
        Ok(changed)
    }

    /// Does all of it but the replacing.
    ///
    /// # Errors
    /// As [`Change::apply`].
    pub fn prove(self, places: &Places, profile: &str) -> Result<(), StoreError> {
        for (kind, path) in self.files(places, profile)? {
            let (found, ini) = parsed(kind, path)?;
            let Some(new) = self.edited(&ini, profile).map_err(|error| not_readable(path, &error))? else { continue };
            if let Self::PutKey(_) = self {
                refuse_tracked(path)?;
            }
            let size = new.len() as u64;
            let proved = match found {
                Some(_) => atomic_file::prove_writable(path, size),
                None => atomic_file::prove_creatable(path, size),
            };
            proved.map_err(|error| file_failed(&error))?;
        }
        Ok(())
    }

    /// The files that the change is made in.
    fn files<'p>(self, places: &'p Places, profile: &str) -> Result<Vec<(FileKind, &'p Path)>, StoreError> {
        let [credentials, config] = files(places);
        let has = |(kind, path): (FileKind, &Path), name: &str| {
            Ok::<_, StoreError>(parsed(kind, path)?.1.get(profile, name).is_some())
        };
        Ok(match self {
            Self::TakeKey(_) | Self::RemoveProcess => vec![credentials, config],
            Self::PutKey(_) if !has(credentials, ID)? && has(config, ID)? => vec![config],
            Self::PutKey(_) => vec![credentials],
            Self::SetProcess(_) if has(credentials, PROCESS)? => vec![credentials],
            Self::SetProcess(_) => vec![config],
        })
    }

    /// `None` where there is nothing to change.
    fn edited(self, ini: &AwsIni, profile: &str) -> Edited {
        match self {
            Self::PutKey(key) => ini.with_key(profile, key).map(Some),
            Self::TakeKey(id) => {
                let holds = ini
                    .keys()
                    .iter()
                    .any(|held| held.profile == profile && held.key.as_ref().is_ok_and(|key| key.id == *id));
                if holds { ini.without_properties(profile, &[ID, SECRET]) } else { Ok(None) }
            }
            Self::SetProcess(line) => ini.with_property(profile, PROCESS, line).map(Some),
            Self::RemoveProcess => ini.without_properties(profile, &[PROCESS]),
        }
    }

    fn apply_in(self, kind: FileKind, path: &Path, profile: &str) -> Result<bool, StoreError> {
        for _ in 0..REREADS {
            let (found, ini) = parsed(kind, path)?;
            let Some(new) = self.edited(&ini, profile).map_err(|error| not_readable(path, &error))? else {
                return Ok(false);
            };
            let done = match &found {
                None => atomic_file::create_file(path, &new),
                Some(snapshot) if snapshot.bytes() == new.as_slice() => return Ok(false),
                Some(snapshot) if matches!(self, Self::TakeKey(_)) => snapshot.replace_and_erase(&new),
                Some(snapshot) => snapshot.replace(&new),
            };
            match done {
                Ok(()) => return Ok(true),
                Err(FileError::Changed { .. } | FileError::Exists { .. }) => {}
                Err(error) => return Err(file_failed(&error)),
            }
        }
        Err(keeps_changing(path))
    }
}

/// In the SDK's order of precedence.
fn files(places: &Places) -> [(FileKind, &Path); 2] {
    [(FileKind::Credentials, &places.credentials), (FileKind::Config, &places.config)]
}

/// A file that is not there says nothing.
fn parsed(kind: FileKind, path: &Path) -> Result<(Option<Snapshot>, AwsIni), StoreError> {
    match read(kind, path)? {
        Some((snapshot, ini)) => Ok((Some(snapshot), ini)),
        None => Ok((None, AwsIni::parse(kind, b"").map_err(|error| not_readable(path, &error))?)),
    }
}

#[cfg(test)]
mod tests;
