//! What must hold of a workbench: DESIGN's I1, I2 and I7 at any moment, and what a rotation that is over looks like.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sandbox::KeyState;
use crate::workstation::Ran;

use super::bench::{Bench, Original};

impl Bench {
    /// I1.
    #[track_caller]
    pub fn some_stored_key_is_active(&self) {
        let (stored, active) = (self.stored(), self.active());
        let works = |(id, secret): &(String, String)| active.iter().any(|key| key.id == *id && key.secret == *secret);
        assert!(stored.iter().any(works), "no key that is stored here is Active (I1): {}", self.picture());
    }

    /// I7: the file as it was, with one of alice's keys in the old one's place.
    #[track_caller]
    pub fn file_is_whole(&self) {
        self.note_keys();
        let Original { text: original, id, secret } = self.original.lock().unwrap().clone();
        let text = self.credentials();
        let whole = self
            .known
            .borrow()
            .iter()
            .any(|(new, new_secret)| text == original.replace(&id, new).replace(&secret, new_secret));
        assert!(whole, "the credentials file is neither the old nor a new one (I7):\n{text}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(self.credentials_path()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "the mode of the credentials file");
        }
    }

    /// The files never held the key, and hold none now.
    #[track_caller]
    pub fn no_secret_left_the_keychain(&self) {
        let never_in_the_file = {
            let original = self.original.lock().unwrap();
            !original.text.contains(&original.secret)
        };
        if self.desktop.is_none() || !never_in_the_file {
            return;
        }
        for path in files_below(&self.home()) {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            let found = self.known.borrow().values().any(|secret| text.contains(secret));
            assert!(!found, "{} holds a secret that belongs into the keychain", path.display());
        }
    }

    /// I2: stored here, there before, or named.
    #[track_caller]
    pub fn every_active_key_is_accounted_for(&self, ran: &Ran) {
        let stored = self.stored();
        for key in self.active() {
            let here = stored.iter().any(|(id, secret)| *id == key.id && *secret == key.secret);
            let named = ran.stderr.contains(&key.id);
            assert!(here || key.id == self.old() || named, "{} is nobody's (I2): {}", key.id, self.picture());
        }
    }

    /// One Active key, stored where the tools read it, and no copy of it anywhere else.
    #[track_caller]
    pub fn is_settled(&self) {
        let active = self.active();
        let [key] = active.as_slice() else { panic!("not one Active key: {}", self.picture()) };
        assert_eq!(self.published(), (key.id.clone(), key.secret.clone()), "{}", self.picture());
        self.nothing_lies_about(key);
    }

    #[track_caller]
    fn nothing_lies_about(&self, key: &KeyState) {
        let keys = self.sandbox.keys_of("alice");
        for path in files_below(&self.home()) {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            assert!(!name.starts_with(".keyrot-me-"), "a temporary file is left: {}", path.display());
            if path != self.credentials_path() {
                assert!(!text.contains(&key.secret), "{} holds the new secret", path.display());
            }
        }
        for (id, _) in self.stored().into_iter().skip(1) {
            assert_ne!(id, key.id, "the stash holds the published key");
            assert!(keys.iter().any(|key| key.id == id), "the stash holds {id}, which IAM does not know any more");
        }
    }

    /// For messages: states and places, no secrets.
    pub fn picture(&self) -> String {
        let keys = self.sandbox.keys_of("alice");
        let keys: Vec<_> = keys.iter().map(|key| format!("{} {}", key.id, key.status)).collect();
        let stash: Vec<_> = self.stash().iter().map(|path| path.file_name().unwrap().to_owned()).collect();
        let journal = fs::read_to_string(self.path(".local/state/keyrot-me/journal.jsonl")).unwrap_or_default();
        let calls = self.sandbox.calls();
        let calls: Vec<_> = calls.iter().map(|call| format!("{} {}", call.action, call.outcome)).collect();
        format!(
            "IAM: {keys:?}\npublished: {}\nstash: {stash:?}\ncalls: {calls:?}\njournal:\n{journal}",
            self.published().0
        )
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(files_below(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found
}
