//! What a run is asked to do, and how it can end.
//!
//! Words only: no run is made here.

use chrono::TimeDelta;

use crate::keys::facts::{Identity, KeyFacts, KeyId, LastUsed, Time};
use crate::keys::journal::Rotation;
use crate::keys::policy::{Policy, Settle};
use crate::keys::rotation::{Blocked, Idle};
use crate::keys::secret::Signer;
use crate::ports::{CallError, Cause, StoreError};

/// How IAM writes are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// One session of `GetSessionToken` with an MFA code, of this device where it is known.
    Mfa { serial: Option<String> },
    /// The profile's own key.
    KeyItself,
    /// `--auth-profile`.
    Other(OtherProfile),
}

/// Another profile, whose credentials sign in the key's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherProfile {
    pub name: String,
    pub signer: Signer,
    /// The command that renews its sign-in, or shows what it is.
    pub renew: String,
}

/// What one run goes by.
#[derive(Debug, Clone)]
pub struct Settings {
    pub policy: Policy,
    pub auth: Auth,
    pub settle: Settle,
}

/// Why a run stopped before it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// The next run goes on.
    Unfinished {
        why: String,
    },
    /// No MFA code was accepted, or none could be had.
    Mfa {
        why: String,
        hint: Option<String>,
    },
    /// IAM refuses the action.
    NotPermitted(CallError),
    /// The key that should sign is not accepted.
    CannotSignIn {
        key: KeyId,
        error: CallError,
    },
    /// `--auth-profile` does not serve.
    Other(Box<OtherHalt>),
    /// The local clock is off by this much (service − local).
    ClockOff {
        by: TimeDelta,
    },
    /// The key belongs to no IAM user.
    NotAUser {
        arn: String,
    },
    /// I8: the key that is to stay belongs to somebody else.
    WrongIdentity {
        expected: Identity,
        found: Identity,
        /// It is in the published place already.
        stored: bool,
    },
    Store(StoreError),
    /// AWS could not be reached, or did something we do not know.
    Call(CallError),
    /// SIGINT or SIGTERM before anything was begun.
    Stopped,
}

/// Why another profile cannot sign in the key's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OtherHalt {
    /// AWS refuses its credentials, or does not permit them what they are to do.
    Refused {
        profile: String,
        renew: String,
        /// Who they are, once STS has told.
        by: Option<Identity>,
        error: CallError,
    },
    /// It belongs to another account than the key.
    Account { profile: String, by: Identity, key: KeyId, account: String },
    /// Nobody tells whose key this was, and the profile's is no user who may say 'mine'.
    OwnerUnknown { key: KeyId, profile: String, by: Identity },
    /// Nobody tells whose key this was; the profile's user has not said 'mine'.
    OwnerInDoubt { key: KeyId, by: Identity },
}

impl From<OtherHalt> for Halt {
    fn from(why: OtherHalt) -> Self {
        Self::Other(Box::new(why))
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<CallError> for Halt {
    fn from(error: CallError) -> Self {
        match error.cause {
            Cause::AccessDenied => Self::NotPermitted(error),
            _ => Self::Call(error),
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    Idle(Idle),
    Blocked(Blocked),
    Halted(Halt),
}

/// What a run did and how it ended.
#[derive(Debug, Clone)]
pub struct Report {
    pub who: Option<Identity>,
    pub target: KeyId,
    /// CreateDate of the target, as IAM listed it or else the journal has it.
    pub created: Option<Time>,
    pub end: End,
    /// The rotation that this run finished or was busy with, as the journal has it now.
    pub rotation: Option<Rotation>,
    /// True when this run brought `rotation` to its end.
    pub completed: bool,
    /// Keys that this run deleted at IAM.
    pub deleted: Vec<KeyId>,
    /// The key that stays, as IAM listed it last.
    pub kept: Option<KeyFacts>,
    /// The keys that a block is about, with what IAM tells of their use.
    pub last_uses: Vec<(KeyFacts, Option<LastUsed>)>,
    /// Service time at the end.
    pub now: Time,
}
