//! What people are told when a command does not end well: message, hint and exit code.
//!
//! Expected errors own their exit code here, next to their words; anything else is a bug and exits 1.

use std::fmt;

use crate::keys::facts::{Identity, KeyFacts, KeyId, Status};
use crate::keys::rotation::Blocked;
use crate::keys::words::when;
use crate::ports::{CallError, Cause, StoreError};
use crate::runner::import::Refused;
use crate::runner::rotate::{Halt, OtherHalt};

/// The documented exit codes (DESIGN section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    Unexpected = 1,
    Usage = 2,
    Blocked = 3,
    Mfa = 4,
    Unfinished = 5,
    NotPermitted = 6,
    Busy = 7,
    Store = 8,
    CannotSignIn = 9,
    Due = 10,
    Overdue = 11,
    Incomplete = 20,
    Capped = 21,
}

/// An end that is not a success: what happened and why, what to run next, and the exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub exit: Exit,
    pub message: String,
    pub hint: Option<String>,
}

impl Failure {
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nnext: {hint}"),
            None => Ok(()),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(Exit::Unexpected, format!("{error:#}")).hint("this is a bug in keyrot-me: please report it")
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = if error.needs_decision { Exit::Blocked } else { Exit::Store };
        Self { exit, message: error.message, hint: error.hint }
    }
}

/// The ways back for a user whose key is gone.
const BACK_IN: &str = "two ways back in: `aws login --profile NAME`, then `keyrot-me rotate --auth-profile NAME --yes`; \
                       or make a key in the console and store it: `keyrot-me import`";

/// What a run that stopped says.
pub fn halted(halt: &Halt) -> Failure {
    match halt {
        Halt::Unfinished { why } => Failure::new(Exit::Unfinished, format!("the rotation is not finished: {why}"))
            .hint("run `keyrot-me rotate` again: it goes on where this run stopped"),
        Halt::Mfa { why, hint } => Failure { exit: Exit::Mfa, message: why.clone(), hint: hint.clone() },
        Halt::NotPermitted(error) => {
            let failure = Failure::new(Exit::NotPermitted, format!("IAM does not permit it: {error}"));
            if error.message.contains("MultiFactorAuth") || error.message.contains("explicit deny") {
                failure.hint("a policy denies it, and may demand MFA: run without --no-mfa")
            } else {
                failure.hint("ask for the policy packaging/iam/self-service.json")
            }
        }
        Halt::CannotSignIn { key, error } => {
            Failure::new(Exit::CannotSignIn, format!("{key} is not accepted ({error})"))
                .hint(format!("the key may have been deleted or disabled, by the purge for one. {BACK_IN}"))
        }
        Halt::Other(why) => other(why),
        Halt::ClockOff { by } => Failure::new(
            Exit::Unexpected,
            format!(
                "this machine's clock is {} s {} AWS's; nothing was changed",
                by.num_seconds().abs(),
                if by.num_seconds() > 0 { "behind" } else { "ahead of" }
            ),
        )
        .hint("set the clock (on Linux: timedatectl set-ntp true), then run again"),
        Halt::NotAUser { arn } => Failure::new(Exit::Usage, format!("the key belongs to {arn}, which is no IAM user"))
            .hint("only IAM users' keys can be rotated; delete a root key in the console"),
        Halt::WrongIdentity { expected, found, stored } => Failure::new(
            Exit::Blocked,
            format!(
                "the new key belongs to {}, not to {}{}",
                found.arn,
                expected.arn,
                if *stored { "" } else { "; it was not stored" }
            ),
        )
        .hint("check which endpoint answers (AWS_ENDPOINT_URL)"),
        Halt::Store(error) => error.clone().into(),
        Halt::Call(error) if error.cause == Cause::Throttled => Failure::new(Exit::Unexpected, error.to_string())
            .hint("IAM is throttling this account: wait a minute, then run again; nothing is half done"),
        Halt::Call(error) if error.cause == Cause::QuotaFull => Failure::new(Exit::Blocked, error.to_string())
            .hint("another key was made just now, and IAM's list does not show it yet: run again in a minute"),
        Halt::Call(error) => Failure::new(Exit::Unexpected, error.to_string())
            .hint("check the network and the endpoint, then run again; nothing is half done"),
        Halt::Stopped => Failure::new(Exit::Unfinished, "stopped by a signal before anything was changed")
            .hint("run the same command again when you like"),
    }
}

/// What an import says that did not take its key. Nothing was stored.
pub fn refused(no: &Refused) -> Failure {
    match no {
        Refused::Halt(Halt::CannotSignIn { key, error }) if error.cause == Cause::SignatureRefused => {
            Failure::new(Exit::CannotSignIn, format!("the secret is not that of {key} ({error}); nothing was stored"))
                .hint("copy the secret again; where it is lost, make another key: the console shows a secret once")
        }
        Refused::Halt(Halt::CannotSignIn { key, error }) => {
            Failure::new(Exit::CannotSignIn, format!("{key} is not accepted ({error}); nothing was stored"))
                .hint("see in the console whether it is there and Active; if it is, run the same command again")
        }
        Refused::Halt(halt) => halted(halt),
        Refused::OtherOwner { key, has, present, had } => Failure::new(
            Exit::Blocked,
            format!("{key} belongs to {}, and the profile's key {present} to {}; nothing was stored", has.arn, had),
        )
        .hint("name another profile with --profile, or run it in a terminal to be asked; --yes does not settle this"),
        Refused::StillWorks { key, present } => Failure::new(
            Exit::Blocked,
            format!(
                "the profile's key {present} still works, and its secret would be lost to {key}; nothing was stored"
            ),
        )
        .hint("`keyrot-me rotate` replaces a key that works; to take the other one all the same: import with --yes"),
        Refused::InRotation { key } => {
            Failure::new(Exit::Unfinished, format!("{key} is being rotated already, and not for this profile"))
                .hint("`keyrot-me rotate --all` finishes that")
        }
        Refused::Unfinished { retire, works } => Failure::new(
            Exit::Unfinished,
            format!("a rotation of {retire} is unfinished, and {works} still works: no other key is needed"),
        )
        .hint("`keyrot-me rotate` finishes it"),
    }
}

/// What a blocked rotation says.
pub fn blocked(reason: &Blocked) -> Failure {
    let decide = |message: String, hint: String| Failure::new(Exit::Blocked, message).hint(hint);
    match reason {
        Blocked::Unfinished => Failure::new(Exit::Unfinished, "a rotation is unfinished")
            .hint("run `keyrot-me rotate`: it goes on with it"),
        Blocked::RetiredInGrace { key, delete_after } => decide(
            format!("the retired key {key} is kept until {} and fills IAM's quota of two keys", when(*delete_after)),
            "wait, or delete it now: `keyrot-me rotate --yes`".into(),
        ),
        Blocked::RetiredActiveAgain { key } => decide(
            format!("somebody switched the retired key {key} on again: somebody needs it"),
            format!(
                "find out who uses it; when nobody does, switch it off: aws iam update-access-key --status Inactive --access-key-id {key}"
            ),
        ),
        Blocked::OtherKey { other } => decide(
            format!("IAM allows two keys, and the second one, {} ({}), is not ours", other.id, other.status),
            format!("when nobody needs it: `keyrot-me rotate --replace {}` deletes it for good", other.id),
        ),
        Blocked::BothSlotsTaken { target, keys } => both_slots_taken(target, keys),
        Blocked::TooManyKeys { keys } => decide(
            format!("IAM lists more than two keys; besides the profile's there are {}", ids(keys)),
            "delete those that nobody needs in the console".into(),
        ),
        Blocked::ReplacesTarget { key } => decide(
            format!("{key} is the key that is to be rotated: it cannot be given up before its successor works"),
            "name the other key with --replace".into(),
        ),
        Blocked::AgeUnknown { key } => Failure::new(
            Exit::NotPermitted,
            format!("IAM lists this user's keys with MFA only, and the journal does not know how old {key} is"),
        )
        .hint("run `keyrot-me rotate` once: from then on the journal knows; or permit iam:ListAccessKeys without MFA"),
        Blocked::TargetGone { key } => {
            Failure::new(Exit::CannotSignIn, format!("IAM does not list {key} any more")).hint(BACK_IN)
        }
        Blocked::TargetNotActive { key, status } => {
            Failure::new(Exit::CannotSignIn, format!("{key} is {status} at IAM")).hint(BACK_IN)
        }
        Blocked::Orphan { key, created } => decide(
            format!(
                "the answer to a create was lost, and {key}, made at {} and never used, may be what came of it",
                when(*created)
            ),
            "run in a terminal to decide, or with --yes to have it deleted".into(),
        ),
        Blocked::OrphanUseUnknown { key } => decide(
            format!("{key} may come of a create whose answer was lost, but IAM does not tell whether it was used"),
            format!(
                "permit iam:GetAccessKeyLastUsed, or delete it yourself when nobody needs it: aws iam delete-access-key --access-key-id {key}"
            ),
        ),
        Blocked::OrphanInGrace { key, delete_after } => decide(
            format!("{key}, whose secret was lost, is off and kept until {}", when(*delete_after)),
            "wait, or delete it now: `keyrot-me rotate --yes`".into(),
        ),
        Blocked::OrphanActiveAgain { key } => decide(
            format!("{key} was taken for a lost key and switched off; somebody switched it on again"),
            "find out who uses it".into(),
        ),
        Blocked::SeveralOrphans { keys } => decide(
            format!("the answer to a create was lost, and several keys may have come of it: {}", ids(keys)),
            "delete those that nobody needs in the console, then run again".into(),
        ),
        Blocked::KeepGone { key } => decide(
            format!("somebody deleted {key}, which was to stay"),
            "`keyrot-me rollback` puts the other key back".into(),
        ),
        Blocked::KeepNotActive { key, status } => decide(
            format!("somebody made {key}, which is to stay, {status}"),
            "have it re-activated, or `keyrot-me rollback`".into(),
        ),
        Blocked::SecretLost { key } => decide(
            format!("the secret of {key} is not on this machine any more"),
            "put the staged copy back, or delete that key in the console".into(),
        ),
        Blocked::ProfileChanged { old, new } => decide(
            format!("no profile holds {old} any more, so there is no place for {new}"),
            format!("put {old} back into its profile, or `keyrot-me rollback`"),
        ),
        Blocked::NothingToRollBack => {
            decide("there is nothing to roll back".into(), "`keyrot-me status` shows what there is".into())
        }
        Blocked::OldKeyWasOff { key } => decide(
            format!("{key} was off or deleted before its successor was made: there is nothing to go back to"),
            "`keyrot-me rotate` goes on with the new key, or makes another one".into(),
        ),
        Blocked::GraceOver { key } => {
            decide(format!("the grace of {key} is over"), "`keyrot-me rotate` makes a new key".into())
        }
        Blocked::AlreadyRolledBack => {
            decide("this rotation is rolled back already".into(), "`keyrot-me rotate` makes a new key".into())
        }
    }
}

/// Who somebody is, as short as can be.
fn named(who: &Identity) -> &str {
    who.user().unwrap_or(&who.arn)
}

/// What a run says that another profile was to sign.
fn other(why: &OtherHalt) -> Failure {
    match why {
        OtherHalt::Refused { profile, renew, by, error } => other_refused(profile, renew, by.as_ref(), error),
        OtherHalt::Account { profile, by, key, account } => Failure::new(
            Exit::CannotSignIn,
            format!("profile '{profile}' is {} in account {}, and {key} is of account {account}", named(by), by.account),
        )
        .hint("name a profile of the key's own account with --auth-profile"),
        OtherHalt::OwnerUnknown { key, profile, by } => Failure::new(
            Exit::CannotSignIn,
            format!(
                "{key} does not work any more, and neither the journal nor IAM tells {} (profile '{profile}') whose it was",
                named(by)
            ),
        )
        .hint(
            "sign in as its user with `aws login`, and name that profile with --auth-profile; or make a key in the \
             console and store it: `keyrot-me import`",
        ),
        OtherHalt::OwnerInDoubt { key, by } => Failure::new(
            Exit::Blocked,
            format!(
                "{key} does not work any more, and neither the journal nor IAM tells whether it was a key of {} in \
                 account {}",
                named(by),
                by.account
            ),
        )
        .hint("if it was, run the same command with --yes: the new key will be that user's"),
    }
}

/// What the other profile's credentials met, and what would let them pass.
fn other_refused(profile: &str, renew: &str, by: Option<&Identity>, error: &CallError) -> Failure {
    let who = by.map_or_else(|| format!("profile '{profile}'"), |by| format!("{} (profile '{profile}')", named(by)));
    match (error.cause, by) {
        (Cause::AccessDenied, _) => {
            Failure::new(Exit::NotPermitted, format!("IAM does not permit it to {who}: {error}")).hint(
                "it must be allowed iam:ListAccessKeys, CreateAccessKey, UpdateAccessKey and DeleteAccessKey on that \
                 user (the user itself: packaging/iam/self-service.json, which wants a sign-in with MFA), or name \
                 another profile",
            )
        }
        (Cause::KeyNotAccepted, Some(_)) => Failure::new(
            Exit::NotPermitted,
            format!(
                "STS accepts {who}, and IAM does not ({error}): IAM takes no user's session that was made without MFA"
            ),
        )
        .hint(format!("sign in with MFA (`{renew}`), or name another profile with --auth-profile")),
        (Cause::SessionExpired, _) => {
            Failure::new(Exit::CannotSignIn, format!("the sign-in of profile '{profile}' is over ({error})"))
                .hint(format!("renew it: `{renew}`, then run the same command again"))
        }
        _ => Failure::new(
            Exit::CannotSignIn,
            format!("the credentials of profile '{profile}' are not accepted ({error})"),
        )
        .hint(format!("see to them: `{renew}`, then run the same command again")),
    }
}

/// IAM's quota is full, and the profile's own key is none that works.
fn both_slots_taken(target: &KeyId, keys: &[KeyFacts]) -> Failure {
    let shown: Vec<String> = keys.iter().map(|key| format!("{} ({})", key.id, key.status)).collect();
    let listed = keys.iter().find(|key| key.id == *target);
    let gone = if listed.is_some() { String::new() } else { format!(", while {target} is gone") };
    let give_up =
        listed.or_else(|| keys.iter().find(|key| key.status != Status::Active)).map_or("KEY_ID", |key| key.id.as_str());
    Failure::new(
        Exit::Blocked,
        format!("IAM allows two keys, and both slots are taken by {}{gone}", shown.join(" and ")),
    )
    .hint(format!("give one up, for good: the same command with --replace {give_up}"))
}

fn ids(keys: &[KeyId]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
