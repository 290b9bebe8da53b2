//! The journal's words: what a rotation meant to do and has done, and which events may follow which.
//!
//! An intent log, not a debug log: the fold refuses an illegal event, because a wrong history would
//! make the planner delete a wrong key. Pure; `host/journal_file.rs` keeps it on the disk.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::facts::{Identity, KeyId, NotValid, Time};

/// Version of the journal's format. An older program reads a newer one as far as it can and never
/// writes it.
pub const FORMAT: u32 = 1;

/// Random id of one rotation, `keyrot-` and 16 hex digits; also the SDK's app name, so that
/// CloudTrail's userAgent attributes the create.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RotationId(String);

impl RotationId {
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        Self(format!("keyrot-{bits:016x}"))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RotationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RotationId {
    type Error = NotValid;
    fn try_from(text: String) -> Result<Self, NotValid> {
        let hex = text.strip_prefix("keyrot-").unwrap_or_default();
        if hex.len() == 16 && hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(text))
        } else {
            Err(NotValid { what: "rotation id", value: text, why: "it is keyrot- and 16 hex digits" })
        }
    }
}

impl From<RotationId> for String {
    fn from(id: RotationId) -> Self {
        id.0
    }
}

/// One thing that was intended, done, or found done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// S3: about to create a key.
    Intent {
        who: Identity,
        old: KeyId,
        /// All key ids that IAM listed before.
        listed: Vec<KeyId>,
        /// The key id that signs the create (the session's).
        signer: String,
        /// The MFA device of this run, so that the next needs no look-up.
        mfa_serial: Option<String>,
        /// How long the create may take, in seconds: the window of a process that died in it.
        call_timeout: i64,
        /// `old` was off or gone before: another identity signs, and there is nothing to go back to.
        #[serde(default, skip_serializing_if = "is_false")]
        old_off: bool,
    },
    /// The create was refused for certain: nothing was made.
    Refused {
        reason: String,
    },
    /// The create gave no usable answer: a key may have been made until now.
    Lost {
        reason: String,
    },
    /// Reconciled: no key came of the lost create.
    NotCreated,
    /// S5: the new key's secret is in the stash.
    Staged {
        key: KeyId,
        created: Time,
    },
    /// A key of this rotation has no secret on this machine: it could not be staged and not be deleted
    /// again, or its staged copy was lost.
    Unstored {
        key: KeyId,
    },
    /// A key that is taken for the lost create's, its secret nowhere: it is to go. `attributed` when
    /// CloudTrail names this rotation as its maker.
    Orphan {
        key: KeyId,
        attributed: bool,
    },
    OrphanDisabled {
        key: KeyId,
    },
    /// S6: the key that is to stay was accepted by STS and IAM.
    Verified,
    /// S7: the store holds the key that is to stay.
    Published,
    /// S8: the store was read back and worked.
    Reread,
    /// S9: the key that is to go is Inactive.
    Deactivated,
    /// S9b: the key that is to stay works without the other.
    Proved,
    /// S9b failed: the key that was to go is switched on again. Journalled before it is done, so that a
    /// key which is on for this reason is never taken for one that somebody needs.
    Reactivated {
        reason: String,
    },
    /// `rollback`: from here on the two keys have changed places.
    Rollback,
    /// S11, the end of an orphan, or S5's compensating delete: the key is gone from IAM.
    Deleted {
        key: KeyId,
    },
    /// The new key is of no use any more: it vanished before it was published, and the old one is as it was; or
    /// neither of the two works, and another identity makes a fresh one, or another key was imported.
    Abandoned {
        reason: String,
    },
}

/// How far a rotation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Between S3 and S5. `lost` is when the create's failure was known.
    Intended {
        lost: Option<Time>,
    },
    /// A key without a secret is to be deleted. `disabled` is when we switched it off; `ours` when
    /// IAM's answer or CloudTrail proved that this rotation made it.
    Orphan {
        key: KeyId,
        ours: bool,
        disabled: Option<Time>,
    },
    Staged,
    Verified,
    Published,
    Reread,
    /// The retiring key is off since then; the staying one is not proved again yet.
    Deactivated {
        at: Time,
    },
    /// In grace since then.
    Retired {
        at: Time,
    },
    Closed,
}

/// A rotation, folded from its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    pub id: RotationId,
    pub who: Identity,
    pub listed: Vec<KeyId>,
    pub signer: String,
    pub mfa_serial: Option<String>,
    pub began: Time,
    /// Latest moment at which the create of this rotation can have been answered.
    pub window_end: Time,
    /// The key that is to stay. `None` until S5.
    pub keep: Option<KeyId>,
    /// When the staying key was made, where this rotation made it.
    pub keep_created: Option<Time>,
    /// The key that is to go.
    pub retire: KeyId,
    /// The key that was to go was off or gone already: no rollback leads to it, and nobody but its owner
    /// switches it on again.
    pub old_off: bool,
    /// A rollback: the key that stays is the older one.
    pub back: bool,
    /// The key that this rotation deleted, or found deleted: no list can bring it back.
    pub deleted: Option<KeyId>,
    /// Why the retired key had to be switched on again, last time.
    pub trouble: Option<String>,
    pub phase: Phase,
    pub last_event: Time,
}

impl Rotation {
    /// True while the next run has to go on with it: not yet retired, nor closed.
    #[must_use]
    pub fn unfinished(&self) -> bool {
        !matches!(self.phase, Phase::Retired { .. } | Phase::Closed)
    }

    /// One of its two keys is this one.
    #[must_use]
    pub fn is_about(&self, key: &KeyId) -> bool {
        self.retire == *key || self.keep.as_ref() == Some(key)
    }
}

/// An event that cannot follow the ones before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {event:?} of rotation {rotation} cannot follow {after}")]
pub struct IllegalEvent {
    pub rotation: RotationId,
    pub event: String,
    pub after: String,
}

/// Folds one event into `rotations`, the history so far, oldest first.
///
/// # Errors
/// [`IllegalEvent`] when the event cannot have happened there.
pub fn fold(rotations: &mut Vec<Rotation>, id: &RotationId, at: Time, event: Event) -> Result<(), IllegalEvent> {
    let known = rotations.iter_mut().find(|rotation| rotation.id == *id);
    match (known, event) {
        (None, Event::Intent { who, old, listed, signer, mfa_serial, call_timeout, old_off }) => {
            rotations.push(Rotation {
                id: id.clone(),
                who,
                listed,
                signer,
                mfa_serial,
                began: at,
                window_end: at + chrono::TimeDelta::seconds(call_timeout.clamp(0, 3600)),
                keep: None,
                keep_created: None,
                retire: old,
                old_off,
                back: false,
                deleted: None,
                trouble: None,
                phase: Phase::Intended { lost: None },
                last_event: at,
            });
            Ok(())
        }
        (Some(rotation), event) => rotation.apply(at, event),
        (None, event) => Err(IllegalEvent {
            rotation: id.clone(),
            event: format!("{event:?}"),
            after: "nothing: it has no intent".to_owned(),
        }),
    }
}

impl Rotation {
    #[expect(clippy::match_same_arms, reason = "one row per transition: merged rows would hide which event led where")]
    fn apply(&mut self, at: Time, event: Event) -> Result<(), IllegalEvent> {
        let next = match (&self.phase, &event) {
            (Phase::Intended { .. }, Event::Refused { .. } | Event::NotCreated) => Phase::Closed,
            (Phase::Intended { lost: None }, Event::Lost { .. }) => Phase::Intended { lost: Some(at) },
            (Phase::Intended { .. }, Event::Staged { key, .. }) if self.is_new(key) => Phase::Staged,
            (Phase::Intended { .. } | Phase::Staged | Phase::Verified, Event::Unstored { key }) if self.is_new(key) => {
                Phase::Orphan { key: key.clone(), ours: true, disabled: None }
            }
            (Phase::Intended { .. }, Event::Orphan { key, attributed }) if self.is_new(key) => {
                Phase::Orphan { key: key.clone(), ours: *attributed, disabled: None }
            }
            (Phase::Orphan { key, ours, .. }, Event::OrphanDisabled { key: now }) if key == now => {
                Phase::Orphan { key: key.clone(), ours: *ours, disabled: Some(at) }
            }
            // S5's compensating delete: lists may show the key for a while yet.
            (Phase::Intended { .. }, Event::Deleted { key }) if self.is_new(key) => Phase::Closed,
            (Phase::Orphan { key, .. }, Event::Deleted { key: gone }) if key == gone => Phase::Closed,
            (Phase::Staged, Event::Verified) => Phase::Verified,
            (
                Phase::Staged | Phase::Verified | Phase::Published | Phase::Reread | Phase::Deactivated { .. },
                Event::Abandoned { .. },
            ) => Phase::Closed,
            // Twice, when another tool wrote the old key back in between.
            (
                Phase::Verified | Phase::Published | Phase::Reread | Phase::Deactivated { .. } | Phase::Retired { .. },
                Event::Published,
            ) => Phase::Published,
            // Again, when the proof is an older run's.
            (Phase::Published | Phase::Reread, Event::Reread) => Phase::Reread,
            (Phase::Reread, Event::Deactivated) => Phase::Deactivated { at },
            (Phase::Deactivated { at: off }, Event::Proved) => Phase::Retired { at: *off },
            // From here the staying key has to be verified all over again.
            (Phase::Deactivated { .. }, Event::Reactivated { .. }) => Phase::Staged,
            (
                Phase::Staged
                | Phase::Verified
                | Phase::Published
                | Phase::Reread
                | Phase::Deactivated { .. }
                | Phase::Retired { .. },
                Event::Rollback,
            ) => Phase::Staged,
            (Phase::Retired { .. }, Event::Deleted { key }) if *key == self.retire => Phase::Closed,
            (phase, event) => {
                return Err(IllegalEvent {
                    rotation: self.id.clone(),
                    event: format!("{event:?}"),
                    after: format!("{phase:?}"),
                });
            }
        };
        self.note(at, event);
        self.phase = next;
        Ok(())
    }

    /// What an event that is legal tells beyond its phase.
    fn note(&mut self, at: Time, event: Event) {
        self.last_event = at;
        match event {
            Event::Lost { .. } => self.window_end = at,
            Event::Staged { key, created } => {
                self.keep = Some(key);
                self.keep_created = Some(created);
            }
            Event::Deleted { key } => self.deleted = Some(key),
            Event::Reactivated { reason } => self.trouble = Some(reason),
            Event::Rollback => {
                if let Some(keep) = self.keep.replace(self.retire.clone()) {
                    self.retire = keep;
                }
                self.keep_created = None;
                self.back = !self.back;
            }
            _ => {}
        }
    }

    fn is_new(&self, key: &KeyId) -> bool {
        !self.listed.contains(key)
    }
}

/// Journals of before this word was there are read, and written, as they were.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(word: &bool) -> bool {
    !word
}

#[cfg(test)]
mod tests;
