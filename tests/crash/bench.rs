//! The workbench of the crash tests: a workstation, commands that are killed on it, and what must hold of it then
//! (DESIGN's I1, I2, I3, I5 and I7).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::program;
use crate::sandbox::KeyState;
use crate::workstation::{Ran, Workstation};

use super::SECOND;

/// Longer than a create may take and a list may be stale, together; IAM's time, not ours.
pub const UNTIL_LISTS_ARE_FRESH: Duration = Duration::from_secs(100);

/// How IAM's writes are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    Mfa,
    Key,
}

pub struct Bench {
    station: Workstation,
    auth: Auth,
    /// The credentials file before anything was done, and the key in it.
    original: (String, String, String),
    /// Every key that alice was seen to have, with its secret.
    known: RefCell<BTreeMap<String, String>>,
}

impl Deref for Bench {
    type Target = Workstation;

    fn deref(&self) -> &Workstation {
        &self.station
    }
}

impl Bench {
    pub fn new(auth: Auth) -> Self {
        let station = Workstation::new(program());
        station.settings("[rotation]\nsettle = { every = \"0s\", successes = 1 }\n");
        station.sandbox.accept_any_clock();
        let key = station.sandbox.keys_of("alice").remove(0);
        let original = (station.credentials(), key.id, key.secret);
        Self { station, auth, original, known: RefCell::default() }
    }

    /// As the old key's owner would name it.
    pub fn old(&self) -> &str {
        &self.original.1
    }

    /// At IAM, and for the codes; the program learns it from the answers' `Date`.
    pub fn time_passes(&self, by: Duration) {
        self.sandbox.advance(by);
    }

    /// The program with what it needs to sign, a code that was not used yet included.
    pub fn signed(&self, arguments: &[&str]) -> Command {
        let code = self.sandbox.next_totp("alice");
        let mut all = arguments.to_vec();
        match self.auth {
            Auth::Mfa => all.extend(["--mfa-code", &code]),
            Auth::Key => all.push("--no-mfa"),
        }
        self.command(&all)
    }

    /// Runs to an end of whatever kind, as the client that the sandbox may kill, and checks what must hold then.
    #[track_caller]
    pub fn run_signed(&self, arguments: &[&str]) -> Ran {
        self.run_to_end(self.signed(arguments))
    }

    #[track_caller]
    pub fn run_to_end(&self, command: Command) -> Ran {
        let child = self.spawn(command);
        self.wait_for(child)
    }

    pub fn spawn(&self, mut command: Command) -> Child {
        self.note_keys();
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        self.sandbox.set_client(Some(child.id()));
        child
    }

    #[track_caller]
    pub fn wait_for(&self, child: Child) -> Ran {
        let ran = Ran::from(child.wait_with_output().unwrap());
        self.sandbox.set_client(None);
        self.some_stored_key_is_active();
        self.file_is_whole();
        for secret in self.known.borrow().values() {
            assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "a secret was printed (I3)");
        }
        ran
    }

    fn note_keys(&self) {
        let keys = self.sandbox.keys_of("alice").into_iter().map(|key| (key.id, key.secret));
        self.known.borrow_mut().extend(keys);
    }

    /// The published key and the stashed ones: id and secret.
    pub fn stored(&self) -> Vec<(String, String)> {
        let mut stored = vec![self.published()];
        for path in self.stash() {
            if path.extension().is_some_and(|end| end == "json") {
                stored.push(stashed(&path));
            }
        }
        stored
    }

    /// What profile `default` holds.
    pub fn published(&self) -> (String, String) {
        published(&self.credentials())
    }

    pub fn active(&self) -> Vec<KeyState> {
        self.sandbox.keys_of("alice").into_iter().filter(|key| key.status == "Active").collect()
    }

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
        let (original, id, secret) = &self.original;
        let text = self.credentials();
        let whole =
            self.known.borrow().iter().any(|(new, new_secret)| {
                text == original.replace(id.as_str(), new).replace(secret.as_str(), new_secret)
            });
        assert!(whole, "the credentials file is neither the old nor a new one (I7):\n{text}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(self.credentials_path()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "the mode of the credentials file");
        }
    }

    /// Up to three runs without faults put it right (I5); says how many it took.
    #[track_caller]
    pub fn settle(&self) -> usize {
        self.sandbox.clear_faults();
        self.sandbox.clear_hooks();
        for run in 1..=3 {
            self.time_passes(31 * SECOND);
            let ran = self.run_signed(&["rotate", "--yes"]);
            self.every_active_key_is_accounted_for(&ran);
            match ran.code {
                Some(0) => {
                    self.is_settled();
                    return run;
                }
                Some(5) => {}
                _ => panic!("run {run} after the fault: {ran:?}\n{}", self.picture()),
            }
        }
        panic!("three runs without faults did not put it right (I5): {}", self.picture());
    }

    /// I2: stored here, there before, or named.
    #[track_caller]
    fn every_active_key_is_accounted_for(&self, ran: &Ran) {
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
        for path in files_below(self.home.path()) {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            assert!(!name.starts_with(".keyrot-me-"), "a temporary file is left: {}", path.display());
            if path != self.credentials_path() {
                assert!(!text.contains(&key.secret), "{} holds the new secret", path.display());
            }
        }
        for (id, _) in self.stored().into_iter().skip(1) {
            assert!(keys.iter().any(|key| key.id == id), "the stash holds {id}, which IAM does not know any more");
        }
    }

    /// For messages: states and places, no secrets.
    pub fn picture(&self) -> String {
        let keys = self.sandbox.keys_of("alice");
        let keys: Vec<_> = keys.iter().map(|key| format!("{} {}", key.id, key.status)).collect();
        let stash: Vec<_> = self.stash().iter().map(|path| path.file_name().unwrap().to_owned()).collect();
        let journal = fs::read_to_string(self.state().join("journal.jsonl")).unwrap_or_default();
        let calls = self.sandbox.calls();
        let calls: Vec<_> = calls.iter().map(|call| format!("{} {}", call.action, call.outcome)).collect();
        format!(
            "IAM: {keys:?}\npublished: {}\nstash: {stash:?}\ncalls: {calls:?}\njournal:\n{journal}",
            self.published().0
        )
    }
}

/// Key id and secret of the first profile in a credentials file.
pub fn published(text: &str) -> (String, String) {
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once('=')).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    (value("aws_access_key_id"), value("aws_secret_access_key"))
}

fn stashed(path: &Path) -> (String, String) {
    let held: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let text = |name: &str| held[name].as_str().unwrap().to_owned();
    (text("access_key_id"), text("secret_access_key"))
}

pub fn files_below(folder: &Path) -> Vec<PathBuf> {
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
