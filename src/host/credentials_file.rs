//! The credentials file (and the config file, where keys stand there) as a published place, and the
//! stash in the state folder.
//!
//! Every profile that held the old key gets the new one; all other bytes stay. It never decides which
//! key is right. The caller holds the run lock before it writes.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::keys::facts::KeyId;
use crate::keys::journal::RotationId;
use crate::keys::secret::{AccessKey, SecretKey};
use crate::ports::{PublishedKey, StoreError};

use super::atomic_file::{self, FileError, Snapshot};
use super::aws_ini::{AwsIni, FileKind, HeldKey, IniError};
use super::git;
use super::paths::Places;

/// How often another tool may change the file between our reading and our writing.
pub(super) const REREADS: u32 = 5;

/// The store of one run.
#[derive(Debug)]
pub struct CredentialsFile {
    /// In the SDK's order of precedence.
    files: [(FileKind, PathBuf); 2],
    state: PathBuf,
    stash: PathBuf,
    /// The key id that this run may replace.
    target: KeyId,
}

/// A stashed key as it lies on the disk.
#[derive(Serialize, Deserialize)]
struct Stashed {
    access_key_id: KeyId,
    secret_access_key: Zeroizing<String>,
}

impl CredentialsFile {
    #[must_use]
    pub fn new(places: &Places, target: KeyId) -> Self {
        Self {
            files: [(FileKind::Credentials, places.credentials.clone()), (FileKind::Config, places.config.clone())],
            stash: stash_folder(places),
            state: places.state.clone(),
            target,
        }
    }

    /// What is unusual, though it stops nothing.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let open = |path: &&PathBuf| atomic_file::read_for_edit(path).is_ok_and(|snapshot| snapshot.others_can_read());
        let files = self.files.iter().map(|(_, path)| path).filter(|path| self.holds(path)).filter(open);
        files
            .map(|path| {
                format!("{} can be read by other users of this machine; the rotation makes it 0600", path.display())
            })
            .chain(self.shadowed())
            .collect()
    }

    /// Keys that stand in the config file for a profile whose key is in the credentials file, each in words.
    #[must_use]
    pub fn shadowed(&self) -> Vec<String> {
        let keys = |(kind, path): &(FileKind, PathBuf)| {
            read(*kind, path).ok().flatten().map(|(_, ini)| ini.keys()).unwrap_or_default()
        };
        let [credentials, config] = &self.files;
        let ours = keys(credentials);
        let is_ours = |held: &HeldKey| held.key.as_ref().is_ok_and(|key| key.id == self.target);
        let others = keys(config).into_iter().filter(|held| !is_ours(held));
        others
            .filter(|other| ours.iter().any(|held| held.profile == other.profile && is_ours(held)))
            .map(|other| {
                let id = other.key.map(|key| format!(" {}", key.id)).unwrap_or_default();
                format!(
                    "{}:{}: profile {} has another key{id} here: most AWS tools use the one in {}; remove one of them",
                    config.1.display(),
                    other.id_line,
                    other.profile,
                    credentials.1.display()
                )
            })
            .collect()
    }

    fn holds(&self, path: &Path) -> bool {
        let kind = self.files.iter().find(|(_, known)| known == path).map(|(kind, _)| *kind);
        kind.is_some_and(|kind| {
            read(kind, path).is_ok_and(|file| file.is_some_and(|(_, ini)| holds(&ini, &self.target)))
        })
    }

    fn stash_file(&self, rotation: &RotationId, key: &KeyId) -> PathBuf {
        self.stash.join(format!("{rotation}.{key}.json"))
    }

    /// Everything that the later replace will do, but for the rename.
    fn prove_file(&self, kind: FileKind, path: &Path) -> Result<(), StoreError> {
        let Some((snapshot, ini)) = read(kind, path)? else { return Ok(()) };
        if !holds(&ini, &self.target) {
            return Ok(());
        }
        refuse_tracked(path)?;
        let edited = ini.replace_key(&self.target, &placeholder()?).map_err(|error| not_readable(path, &error))?;
        atomic_file::prove_writable(path, edited.len() as u64).map_err(|error| file_failed(&error))?;
        atomic_file::sweep(snapshot.folder()).map_err(|error| file_failed(&error))?;
        Ok(())
    }

    fn publish_in(kind: FileKind, path: &Path, old: &KeyId, new: &AccessKey) -> Result<bool, StoreError> {
        for _ in 0..REREADS {
            let Some((snapshot, ini)) = read(kind, path)? else { return Ok(false) };
            if !holds(&ini, old) {
                return Ok(false);
            }
            let edited = ini.replace_key(old, new).map_err(|error| not_readable(path, &error))?;
            match snapshot.replace(&edited) {
                Ok(()) => return Ok(true),
                Err(FileError::Changed { .. }) => {}
                Err(error) => return Err(file_failed(&error)),
            }
        }
        Err(keeps_changing(path))
    }
}

impl CredentialsFile {
    /// As [`SecretStore::prove_writable`](crate::ports::SecretStore::prove_writable).
    pub fn prove_writable(&self) -> Result<(), StoreError> {
        for (kind, path) in &self.files {
            self.prove_file(*kind, path)?;
        }
        atomic_file::create_private_dir(&self.state).map_err(|error| file_failed(&error))?;
        atomic_file::create_private_dir(&self.stash).map_err(|error| file_failed(&error))?;
        atomic_file::sweep(&self.stash).map_err(|error| file_failed(&error))?;
        let probe = self.stash.join("probe");
        atomic_file::erase(&probe).map_err(|error| file_failed(&error))?;
        let written = atomic_file::write_new_secret_file(&probe, &[b'#'; 1024]);
        atomic_file::erase(&probe).map_err(|error| file_failed(&error))?;
        written.map_err(|error| file_failed(&error))
    }

    /// As [`SecretStore::published`](crate::ports::SecretStore::published), in the files.
    pub fn published(&self) -> Result<Vec<PublishedKey>, StoreError> {
        let mut found: Vec<PublishedKey> = Vec::new();
        for (kind, path) in &self.files {
            let Some((_, ini)) = read(*kind, path)? else { continue };
            for held in ini.keys() {
                let Ok(key) = held.key else { continue };
                match found.iter_mut().find(|known| known.key == key) {
                    Some(known) if known.profiles.contains(&held.profile) => {}
                    Some(known) => known.profiles.push(held.profile),
                    None => found.push(PublishedKey { profiles: vec![held.profile], key }),
                }
            }
        }
        Ok(found)
    }

    /// One atomic replace in each file that holds `old`; false where none does.
    pub fn publish(&self, old: &KeyId, new: &AccessKey) -> Result<bool, StoreError> {
        let mut held = false;
        for (kind, path) in &self.files {
            held |= Self::publish_in(*kind, path, old, new)?;
        }
        Ok(held)
    }

    /// As [`SecretStore::stash`](crate::ports::SecretStore::stash), in the files.
    pub fn stash(&self, rotation: &RotationId, key: &AccessKey) -> Result<(), StoreError> {
        if self.stashed(rotation)?.contains(key) {
            return Ok(());
        }
        let stashed = Stashed {
            access_key_id: key.id.clone(),
            secret_access_key: Zeroizing::new(key.secret.expose().to_owned()),
        };
        let mut bytes = Zeroizing::new(Vec::with_capacity(512));
        let path = self.stash_file(rotation, &key.id);
        serde_json::to_writer(&mut *bytes, &stashed).map_err(|error| StoreError {
            message: format!("{}: {error}", path.display()),
            hint: None,
            needs_decision: false,
        })?;
        atomic_file::create_private_dir(&self.stash).map_err(|error| file_failed(&error))?;
        atomic_file::write_new_secret_file(&path, &bytes).map_err(|error| file_failed(&error))
    }

    /// As [`SecretStore::stashed`](crate::ports::SecretStore::stashed), in the files.
    pub fn stashed(&self, rotation: &RotationId) -> Result<Vec<AccessKey>, StoreError> {
        let entries = match std::fs::read_dir(&self.stash) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(&self.stash, &error)),
        };
        let prefix = format!("{rotation}.");
        let mut keys = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| unreadable(&self.stash, &error))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with(&prefix) && path.extension().is_some_and(|end| end == "json") {
                keys.push(read_stashed(&path)?);
            }
        }
        keys.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(keys)
    }

    /// As [`SecretStore::erase`](crate::ports::SecretStore::erase), in the files.
    pub fn erase(&self, rotation: &RotationId, key: &KeyId) -> Result<(), StoreError> {
        atomic_file::erase_aside(&self.stash_file(rotation, key)).map_err(|error| file_failed(&error))
    }
}

/// Reads the AWS files once, so that what is wrong with them is told with line and fix.
///
/// # Errors
/// [`StoreError`] for a file that is there and cannot be used.
pub fn readable(places: &Places) -> Result<(), StoreError> {
    read(FileKind::Credentials, &places.credentials)?;
    read(FileKind::Config, &places.config)?;
    Ok(())
}

/// The key that the AWS files give `profile`; the credentials file wins.
///
/// # Errors
/// [`StoreError`] for a file that is there and cannot be used, and for a key that is not a long-term one.
pub fn key_of(places: &Places, profile: &str) -> Result<Option<AccessKey>, StoreError> {
    for (kind, path) in [(FileKind::Credentials, &places.credentials), (FileKind::Config, &places.config)] {
        let Some((_, ini)) = read(kind, path)? else { continue };
        let Some(held) = ini.keys().into_iter().find(|held| held.profile == profile) else { continue };
        let not_ours = |why: &str| StoreError {
            message: format!(
                "{}:{}: the key of profile '{profile}' cannot be handed out: {why}",
                path.display(),
                held.id_line
            ),
            hint: Some("let the AWS tools read the file themselves, or name another profile".to_owned()),
            needs_decision: false,
        };
        if held.has_session_token {
            return Err(not_ours("it has a session token beside it"));
        }
        return held.key.clone().map(Some).map_err(not_ours);
    }
    Ok(None)
}

/// Makes the state folder, for this user only.
///
/// # Errors
/// [`StoreError`] when it cannot be made or closed to others.
pub fn create_state_folder(places: &Places) -> Result<(), StoreError> {
    atomic_file::create_private_dir(&places.state).map_err(|error| file_failed(&error))
}

/// A file that git keeps is no place for a secret.
pub(super) fn refuse_tracked(path: &Path) -> Result<(), StoreError> {
    if git::is_tracked(path) != Some(true) {
        return Ok(());
    }
    Err(StoreError {
        message: format!("{} is tracked by git: the next push would publish the new secret", path.display()),
        hint: Some(format!("take it out: git rm --cached {}", path.display())),
        needs_decision: true,
    })
}

/// Where the stashed keys of rotations lie.
pub(super) fn stash_folder(places: &Places) -> PathBuf {
    places.state.join("stash")
}

fn holds(ini: &AwsIni, id: &KeyId) -> bool {
    ini.keys().iter().any(|held| held.key.as_ref().is_ok_and(|key| key.id == *id))
}

/// `None` where there is no such file.
pub(super) fn read(kind: FileKind, path: &Path) -> Result<Option<(Snapshot, AwsIni)>, StoreError> {
    let snapshot = match atomic_file::read_for_edit(path) {
        Ok(snapshot) => snapshot,
        Err(FileError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(file_failed(&error)),
    };
    let ini = AwsIni::parse(kind, snapshot.bytes()).map_err(|error| not_readable(path, &error))?;
    Ok(Some((snapshot, ini)))
}

fn read_stashed(path: &Path) -> Result<AccessKey, StoreError> {
    let bytes = Zeroizing::new(std::fs::read(path).map_err(|error| unreadable(path, &error))?);
    let stashed: Stashed = serde_json::from_slice(&bytes).map_err(|error| StoreError {
        // serde_json's words could quote the secret: its place is enough.
        message: format!("{}:{}: this stashed key was damaged", path.display(), error.line()),
        hint: Some("put back an undamaged copy, or move the file away: its key counts as lost then".to_owned()),
        needs_decision: false,
    })?;
    Ok(AccessKey { id: stashed.access_key_id, secret: SecretKey::new(stashed.secret_access_key.as_str().to_owned()) })
}

/// A key of the usual size, to try an edit with.
fn placeholder() -> Result<AccessKey, StoreError> {
    let id = KeyId::new("AKIA0000000000000000").map_err(|error| StoreError {
        message: error.to_string(),
        hint: None,
        needs_decision: false,
    })?;
    Ok(AccessKey { id, secret: SecretKey::new("0".repeat(40)) })
}

pub(super) fn file_failed(error: &FileError) -> StoreError {
    StoreError { message: error.to_string(), hint: Some(error.hint().to_owned()), needs_decision: false }
}

pub(super) fn not_readable(path: &Path, error: &IniError) -> StoreError {
    let line = error.line.map(|line| format!(":{line}")).unwrap_or_default();
    StoreError {
        message: format!("{}{line}: {}", path.display(), error.problem),
        hint: Some(error.hint().to_owned()),
        needs_decision: false,
    }
}

pub(super) fn keeps_changing(path: &Path) -> StoreError {
    StoreError {
        message: format!("another program keeps changing {}", path.display()),
        hint: Some("stop it, then run again".to_owned()),
        needs_decision: false,
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError {
        message: format!("{}: cannot be read: {error}", path.display()),
        hint: Some("check its owner and mode".to_owned()),
        needs_decision: false,
    }
}
