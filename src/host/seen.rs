//! What IAM said of the profiles' keys when `status` asked last: one small file in the state folder, for the prompt's
//! line, which asks nobody.
//!
//! It holds key ids and dates, never a secret. Nothing is decided by it: a wrong word here makes a wrong word in a prompt.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::record;
use crate::keys::facts::{KeyId, Time};

/// A profile's key as it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenKey {
    pub access_key_id: KeyId,
    /// `None` where IAM was asked and did not tell.
    pub created: Option<Time>,
}

/// All profiles' keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    profiles: BTreeMap<String, SeenKey>,
}

fn file(state: &Path) -> PathBuf {
    state.join("seen.json")
}

impl Seen {
    /// A file that is missing, or is no such file, has seen nothing.
    #[must_use]
    pub fn read(state: &Path) -> Self {
        record::read(&file(state)).unwrap_or_default()
    }

    /// What was seen of a key, under whatever profile.
    #[must_use]
    pub fn key(&self, id: &KeyId) -> Option<&SeenKey> {
        self.profiles.values().find(|seen| seen.access_key_id == *id)
    }

    /// The key that the profile had.
    #[must_use]
    pub fn of(&self, profile: &str) -> Option<&SeenKey> {
        self.profiles.get(profile)
    }

    pub fn note(&mut self, profile: &str, key: SeenKey) {
        self.profiles.insert(profile.to_owned(), key);
    }

    /// Replaces the file; the state folder must be there.
    ///
    /// # Errors
    /// The reason in words.
    pub fn write(&self, state: &Path) -> Result<(), String> {
        record::write(&file(state), self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods)]

    use super::*;

    fn key(id: &str, created: Option<&str>) -> SeenKey {
        SeenKey { access_key_id: KeyId::new(id).unwrap(), created: created.map(|text| text.parse().unwrap()) }
    }

    #[test]
    fn what_was_seen_is_read_again_until_the_profile_has_another_key() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Seen::read(folder.path()), Seen::default());
        let mut seen = Seen::default();
        let (old, new) = (key("AKIAOLD0000000000001", Some("2026-10-01T00:00:00Z")), key("AKIANEW0000000000001", None));
        seen.note("work", old.clone());
        seen.write(folder.path()).unwrap();
        let again = Seen::read(folder.path());
        assert_eq!((again.of("work"), again.key(&old.access_key_id)), (Some(&old), Some(&old)));
        seen.note("work", new.clone());
        seen.write(folder.path()).unwrap();
        let again = Seen::read(folder.path());
        assert_eq!((again.of("work"), again.key(&old.access_key_id)), (Some(&new), None));
    }

    #[test]
    fn a_file_that_is_none_of_ours_has_seen_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "{", "{\"profiles\":{\"work\":{\"access_key_id\":\"nonsense\",\"created\":null}}}", "[1]"] {
            std::fs::write(file(folder.path()), text).unwrap();
            assert_eq!(Seen::read(folder.path()), Seen::default(), "{text}");
        }
    }
}
