//! The operating system's keychain: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows.
//!
//! Every call comes to an end, whatever the service does and whether or not somebody answers its prompt. Nothing
//! here may write a file, log, or decide which key is right: there is no way from the keychain to a plain file.

mod record;

use std::fmt;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

pub use self::record::{NotARecord, read_key, read_keys, write_key, write_keys};

use crate::keys::journal::RotationId;
use crate::ports::StoreError;

/// Built in: how long the keychain may take to answer, its prompt included.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The name under which the keychain keeps something of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The published key of a profile.
    Profile(String),
    /// The stashed keys of a rotation.
    Stash(RotationId),
    /// Written, read and deleted before anything is made.
    Probe,
}

impl Entry {
    fn service(&self) -> &'static str {
        match self {
            Self::Profile(_) => "keyrot-me",
            Self::Stash(_) => "keyrot-me stash",
            Self::Probe => "keyrot-me probe",
        }
    }

    fn user(&self) -> &str {
        match self {
            Self::Profile(profile) => profile,
            Self::Stash(rotation) => rotation.as_str(),
            Self::Probe => "probe",
        }
    }
}

/// As the keychain's own program shows it.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the keychain's entry {} of {:?}", self.user(), self.service())
    }
}

/// A keychain that did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeychainError {
    #[error("there is no keychain to talk to: {why}")]
    Missing { why: String },
    #[error("the keychain is locked, and was not unlocked: {why}")]
    Locked { why: String },
    #[error("the keychain gave no answer within {} s: it may be waiting for its password", .patience.as_secs())]
    Silent { patience: Duration },
    #[error("{entry} is there twice")]
    Twice { entry: String },
    #[error("{entry} cannot hold that much: the limit is {limit}")]
    TooLong { entry: String, limit: u32 },
    #[error("{entry} cannot be used: {why}")]
    Failed { entry: String, why: String },
    #[error("{entry} was damaged, or edited by somebody: {why}")]
    Damaged { entry: Entry, why: NotARecord },
}

impl KeychainError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        let hint = match self {
            Self::Damaged { entry, .. } => return mending(entry),
            Self::Missing { .. } => MISSING_HINT,
            Self::Locked { .. } | Self::Silent { .. } => {
                "unlock the keychain, then run again; over SSH or from a timer nobody can answer its prompt"
            }
            Self::Twice { .. } => "delete one of the two in the keychain's own program, then run again",
            Self::TooLong { .. } | Self::Failed { .. } => "look into the keychain with its own program, then run again",
        };
        hint.to_owned()
    }
}

fn mending(entry: &Entry) -> String {
    if let Entry::Profile(_) = entry {
        return "put the entry right in the keychain's own program, or store a key again with `keyrot-me import`"
            .into();
    }
    let own_program = "delete it in the keychain's own program";
    let delete = if cfg!(all(unix, not(target_os = "macos"))) {
        format!("{own_program}, `secret-tool clear service '{}' username {}`", entry.service(), entry.user())
    } else {
        own_program.to_owned()
    };
    format!("put back an undamaged copy, or {delete}: the keys it kept count as lost then")
}

impl From<KeychainError> for StoreError {
    fn from(error: KeychainError) -> Self {
        Self { message: error.to_string(), hint: Some(error.hint()), needs_decision: false }
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
const MISSING_HINT: &str = "it needs a session bus and a Secret Service (gnome-keyring, KWallet or KeePassXC): run it \
                            inside the desktop session, or keep the key in the file";
#[cfg(not(all(unix, not(target_os = "macos"))))]
const MISSING_HINT: &str = "run it inside a session that has been signed in to, or keep the key in the file";

type Secret = Zeroizing<Vec<u8>>;
type Answer = Result<Option<Secret>, KeychainError>;

enum Ask {
    Get,
    Set(Secret),
    Delete,
}

/// The keychain of this user. Nothing is asked of it before the first call.
#[derive(Clone)]
pub struct Keychain {
    patience: Duration,
    desk: Arc<Mutex<Desk>>,
}

/// One thread asks, one thing at a time: a keychain that has to be unlocked is unlocked once.
enum Desk {
    Closed,
    Open(Sender<(Entry, Ask, Sender<Answer>)>),
    /// It did not answer: nobody is asked again in this run.
    GivenUp(KeychainError),
}

impl fmt::Debug for Keychain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keychain").field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl Keychain {
    /// Each call waits at most `patience`.
    #[must_use]
    pub fn new(patience: Duration) -> Self {
        Self { patience, desk: Arc::new(Mutex::new(Desk::Closed)) }
    }

    /// What the entry holds; `None` where there is no such entry.
    pub fn get(&self, entry: &Entry) -> Result<Option<Secret>, KeychainError> {
        self.ask(entry, Ask::Get)
    }

    /// Makes the entry, or replaces what it holds.
    pub fn set(&self, entry: &Entry, secret: Secret) -> Result<(), KeychainError> {
        self.ask(entry, Ask::Set(secret)).map(drop)
    }

    /// No entry is no error.
    pub fn delete(&self, entry: &Entry) -> Result<(), KeychainError> {
        self.ask(entry, Ask::Delete).map(drop)
    }

    /// Writes, reads back and deletes an entry of its own.
    pub fn prove_writable(&self) -> Result<(), KeychainError> {
        let probe = Zeroizing::new(vec![b'#'; 256]);
        self.set(&Entry::Probe, probe.clone())?;
        let read = self.get(&Entry::Probe)?;
        self.delete(&Entry::Probe)?;
        if read == Some(probe) {
            return Ok(());
        }
        let why = "it does not give back what was written".to_owned();
        Err(KeychainError::Failed { entry: Entry::Probe.to_string(), why })
    }

    fn ask(&self, entry: &Entry, ask: Ask) -> Answer {
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        if let Desk::Closed = &*desk {
            *desk = Desk::Open(open_desk());
        }
        let (reply, answer) = mpsc::channel();
        match &*desk {
            Desk::GivenUp(error) => return Err(error.clone()),
            // A desk whose thread is gone drops the reply's other end: `recv` below tells.
            Desk::Open(asks) => drop(asks.send((entry.clone(), ask, reply))),
            Desk::Closed => {}
        }
        let failed = match answer.recv_timeout(self.patience) {
            Ok(answer) => match answer {
                Err(error @ (KeychainError::Missing { .. } | KeychainError::Locked { .. })) => error,
                other => return other,
            },
            Err(RecvTimeoutError::Timeout) => KeychainError::Silent { patience: self.patience },
            Err(RecvTimeoutError::Disconnected) => KeychainError::Failed {
                entry: entry.to_string(),
                why: "the library that speaks to the keychain broke off".to_owned(),
            },
        };
        *desk = Desk::GivenUp(failed.clone());
        Err(failed)
    }
}

/// The thread ends with its last question; one that hangs ends with the process.
fn open_desk() -> Sender<(Entry, Ask, Sender<Answer>)> {
    let (asks, questions) = mpsc::channel::<(Entry, Ask, Sender<Answer>)>();
    thread::spawn(move || {
        for (entry, ask, reply) in questions {
            // Nobody may be waiting any more.
            let _ = reply.send(perform(&entry, ask));
        }
    });
    asks
}

fn perform(entry: &Entry, ask: Ask) -> Answer {
    let failed = |error| failed(entry, error);
    let found = keyring::Entry::new(entry.service(), entry.user()).map_err(failed)?;
    let answer = match ask {
        Ask::Get => found.get_secret().map(|secret| Some(Zeroizing::new(secret))),
        Ask::Set(secret) => found.set_secret(&secret).map(|()| None),
        Ask::Delete => found.delete_credential().map(|()| None),
    };
    match answer {
        Err(keyring::Error::NoEntry) => Ok(None),
        other => other.map_err(failed),
    }
}

/// Only some of the library's errors may be shown: others carry what was read.
fn failed(entry: &Entry, error: keyring::Error) -> KeychainError {
    let entry = entry.to_string();
    match error {
        keyring::Error::NoDefaultStore => KeychainError::Missing {
            why: match keyring::Entry::store_status() {
                Err(error) => error.to_string(),
                Ok(()) => "it is not there".to_owned(),
            },
        },
        keyring::Error::NoStorageAccess(why) => KeychainError::Locked { why: why.to_string() },
        keyring::Error::Ambiguous(_) => KeychainError::Twice { entry },
        keyring::Error::TooLong(_, limit) => KeychainError::TooLong { entry, limit },
        keyring::Error::PlatformFailure(why) => KeychainError::Failed { entry, why: why.to_string() },
        keyring::Error::Invalid(what, why) => KeychainError::Failed { entry, why: format!("{what}: {why}") },
        _ => KeychainError::Failed { entry, why: "its content cannot be read".to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A keychain whose service is this function.
    fn answered_by(
        patience: Duration,
        mut service: impl FnMut(&Entry, Ask) -> Option<Answer> + Send + 'static,
    ) -> Keychain {
        let (asks, questions) = mpsc::channel::<(Entry, Ask, Sender<Answer>)>();
        thread::spawn(move || {
            let mut unanswered = Vec::new();
            for (entry, ask, reply) in questions {
                match service(&entry, ask) {
                    Some(answer) => drop(reply.send(answer)),
                    None => unanswered.push(reply),
                }
            }
        });
        Keychain { patience, desk: Arc::new(Mutex::new(Desk::Open(asks))) }
    }

    #[test]
    fn a_keychain_that_does_not_answer_is_given_up_and_not_asked_again() {
        let asked = Arc::new(Mutex::new(0));
        let count = Arc::clone(&asked);
        let keychain = answered_by(Duration::from_millis(20), move |_, _| {
            *count.lock().unwrap() += 1;
            None
        });
        let silent = KeychainError::Silent { patience: Duration::from_millis(20) };
        assert_eq!(keychain.get(&Entry::Probe), Err(silent.clone()));
        assert_eq!(keychain.clone().prove_writable(), Err(silent));
        assert_eq!(*asked.lock().unwrap(), 1);
    }

    #[test]
    fn a_locked_keychain_prompts_once_in_a_run() {
        let asked = Arc::new(Mutex::new(0));
        let count = Arc::clone(&asked);
        let keychain = answered_by(PATIENCE, move |_, _| {
            *count.lock().unwrap() += 1;
            Some(Err(KeychainError::Locked { why: "the prompt was dismissed".to_owned() }))
        });
        for _ in 0..3 {
            assert!(matches!(keychain.get(&Entry::Profile("work".into())), Err(KeychainError::Locked { .. })));
        }
        assert_eq!(*asked.lock().unwrap(), 1);
    }

    #[test]
    fn a_probe_that_reads_otherwise_than_it_was_written_is_no_proof() {
        let keychain = answered_by(PATIENCE, |_, ask| match ask {
            Ask::Get => Some(Ok(Some(Zeroizing::new(b"other".to_vec())))),
            Ask::Set(_) | Ask::Delete => Some(Ok(None)),
        });
        assert!(keychain.prove_writable().unwrap_err().to_string().contains("give back"));
    }

    #[test]
    fn a_damaged_stash_is_told_with_what_deletes_it_and_a_damaged_key_with_what_replaces_it() {
        let damaged = |entry| KeychainError::Damaged { entry, why: NotARecord::NotOurJson };
        let stash = damaged(Entry::Stash(RotationId::from_bits(7))).hint();
        assert!(stash.contains("delete it") && stash.contains("count as lost"), "{stash}");
        assert!(damaged(Entry::Profile("work".into())).hint().contains("keyrot-me import"));
    }

    #[test]
    fn what_the_library_read_is_never_in_an_error() {
        let shown = failed(&Entry::Probe, keyring::Error::BadEncoding(b"wJalr/very+secret".to_vec())).to_string();
        assert!(!shown.contains("wJalr"), "{shown}");
    }
}
