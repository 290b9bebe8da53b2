//! A look at the AWS files and the state folder, as a rotation will find them.
//!
//! It leaves everything as it is: what it makes to prove a right is gone when it returns. Nothing here decides what a
//! finding is.

use std::path::{Path, PathBuf};

use crate::ports::StoreError;

use super::atomic_file::{self, FileError};
use super::aws_ini::FileKind;
use super::credentials_file::{file_failed, read};
use super::git;
use super::paths::Places;

/// How an AWS file stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLook {
    /// Where it really lies, behind its links.
    pub target: PathBuf,
    pub holds_keys: bool,
    /// Group or others may read it.
    pub others_can_read: bool,
    /// Whether git keeps it; `None` where that is not known.
    pub tracked: Option<bool>,
    /// Whether a rotation can replace it.
    pub replaceable: Result<(), StoreError>,
}

/// Room for a longer key, in bytes.
const ROOM: u64 = 256;

/// `None` where there is no such file.
///
/// # Errors
/// [`StoreError`] with line and fix for a file that cannot be read, or does not parse.
pub fn aws_file(kind: FileKind, path: &Path) -> Result<Option<FileLook>, StoreError> {
    let Some((snapshot, ini)) = read(kind, path)? else { return Ok(None) };
    let holds_keys = !ini.keys().is_empty();
    let size = snapshot.bytes().len() as u64 + ROOM;
    let replaceable = if holds_keys { atomic_file::prove_writable(path, size) } else { Ok(()) };
    Ok(Some(FileLook {
        target: snapshot.target().to_owned(),
        holds_keys,
        others_can_read: snapshot.others_can_read(),
        tracked: git::is_tracked(path),
        replaceable: or_swept(replaceable),
    }))
}

/// How the state folder stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FolderLook {
    /// The first run makes it.
    Missing,
    Private,
    /// Others have rights to it, or own it.
    Open,
}

/// # Errors
/// [`StoreError`] where nothing can be written there.
pub fn state_folder(places: &Places) -> Result<FolderLook, StoreError> {
    let there = places.state.ancestors().find(|folder| folder.exists()).unwrap_or(&places.state);
    or_swept(atomic_file::prove_folder(there))?;
    if there != places.state {
        return Ok(FolderLook::Missing);
    }
    let private = atomic_file::is_private(there).map_err(|error| file_failed(&error))?;
    Ok(if private { FolderLook::Private } else { FolderLook::Open })
}

/// A run at work sweeps files of our name away: what was to be proved is proved then.
fn or_swept(proved: Result<(), FileError>) -> Result<(), StoreError> {
    match proved {
        Err(FileError::Io { doing, source, .. })
            if doing.starts_with("remove") && source.kind() == std::io::ErrorKind::NotFound =>
        {
            Ok(())
        }
        other => other.map_err(|error| file_failed(&error)),
    }
}
