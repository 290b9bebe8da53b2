//! The planner's words: what it weighs, and what it can say.
//!
//! Pure data; which of it applies is decided by the planner alone.

use super::super::facts::{KeyFacts, KeyId, LastUsed, Status, Time};
use super::super::journal::{Event, Rotation};
use chrono::TimeDelta;

/// All that one decision may weigh.
#[derive(Debug, Clone)]
pub struct Situation {
    pub now: Time,
    /// The keys that IAM listed since the last step, or `None` when nothing was listed since.
    pub listing: Option<Vec<KeyFacts>>,
    /// When that list was asked for, which is what its age counts from; without one it means nothing.
    pub asked: Time,
    /// The key id that the profile holds which this run is about.
    pub target: KeyId,
    /// When AWS last accepted the target itself in this run: a list that shows it off or absent may be
    /// older than that.
    pub accepted: Option<Time>,
    /// All key ids in the published place.
    pub published: Vec<KeyId>,
    /// Key ids stashed for the open rotation.
    pub stashed: Vec<KeyId>,
    /// This user's rotation that is not closed.
    pub rotation: Option<Rotation>,
    /// What was found out about a key that may be the lost create's.
    pub suspect: Option<Suspect>,
    /// IAM lists the keys with MFA only, and nobody is to be asked for a code in vain.
    pub unlisted: Option<Unlisted>,
}

/// What is known without a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlisted {
    /// The target's CreateDate, where the journal has it.
    pub created: Option<Time>,
}

impl Situation {
    /// IAM lists the target as Active.
    #[must_use]
    pub fn target_works(&self) -> bool {
        self.listing.iter().flatten().any(|facts| facts.id == self.target && facts.status == Status::Active)
    }
}

/// What is known about a key that may come from a create whose answer was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    pub key: KeyId,
    pub maker: Maker,
    pub used: Used,
}

/// Who made a key, as CloudTrail says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    ThisRotation,
    SomebodyElse,
    /// Not recorded (yet), or we may not look.
    Unknown,
}

/// Whether a key was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Used {
    NotRecorded,
    At(LastUsed),
    /// IAM did not tell: never to be taken for 'not used'.
    Unknown,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// S2: `ListAccessKeys`.
    List,
    /// S3 to S5: intent, one create, stage.
    Create,
    /// Ask CloudTrail and IAM about a key that may be the lost create's.
    Investigate {
        key: KeyId,
    },
    DisableOrphan {
        key: KeyId,
    },
    /// S6 with I8: STS and IAM accept the key that stays, as the same identity.
    Verify {
        key: KeyId,
    },
    /// Rollback: the key that stays is switched on again.
    Activate {
        key: KeyId,
    },
    /// S7.
    Publish {
        old: KeyId,
        new: KeyId,
    },
    /// S8.
    Reread {
        key: KeyId,
    },
    /// S9. The listing that led here was made after the re-read.
    Deactivate {
        key: KeyId,
    },
    /// S9b.
    ProveAgain {
        key: KeyId,
        retired: KeyId,
    },
    /// S11 and orphans.
    Delete {
        key: KeyId,
        because: DeleteReason,
    },
    /// A stashed copy has served.
    Erase {
        key: KeyId,
    },
    /// An observation belongs into the journal.
    Record(Event),
}

/// Why a key may be deleted (I6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteReason {
    /// Journalled as retired.
    Retired,
    /// Journalled as the lost or unstored key of this rotation.
    Orphan,
    /// The user named it.
    Named,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Do(Step),
    Wait { until: Time, reason: Waiting },
    Idle(Idle),
    Blocked(Blocked),
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// A list may be stale for so long.
    FreshList,
}

/// Why there is nothing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idle {
    /// The key is younger than the limit that this run goes by.
    YoungEnough { age: TimeDelta },
    /// A rotation is complete; its retired key is to be deleted after this moment.
    Retired { key: KeyId, delete_after: Time },
    /// No key of ours waits for its deletion.
    NothingRetired,
    /// This run has done its work.
    Done,
}

/// What needs a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocked {
    /// `finish` and a rotation that is not so far: `rotate` goes on with it.
    Unfinished,
    /// Our retired key is still in grace and fills the quota.
    RetiredInGrace { key: KeyId, delete_after: Time },
    /// Somebody switched our retired key on again.
    RetiredActiveAgain { key: KeyId },
    /// The quota is full with a key that is not ours.
    OtherKey { other: KeyFacts },
    /// The quota is full, and the profile's own key, off or gone, is none that works.
    BothSlotsTaken { target: KeyId, keys: Vec<KeyFacts> },
    /// More keys than IAM's quota knows of.
    TooManyKeys { keys: Vec<KeyId> },
    /// `--replace` names the key that is to be rotated.
    ReplacesTarget { key: KeyId },
    /// IAM lists the keys with MFA only, and the journal does not know how old the profile's is.
    AgeUnknown { key: KeyId },
    /// The profile's key does not exist any more.
    TargetGone { key: KeyId },
    /// The profile's key is switched off.
    TargetNotActive { key: KeyId, status: Status },
    /// A key that may be the lost create's: somebody must say so.
    Orphan { key: KeyId, created: Time },
    /// As above, and IAM does not tell whether it was used.
    OrphanUseUnknown { key: KeyId },
    /// As above, switched off by us, to be deleted after this moment.
    OrphanInGrace { key: KeyId, delete_after: Time },
    /// Somebody switched the orphan on again.
    OrphanActiveAgain { key: KeyId },
    /// Several keys may be the lost create's.
    SeveralOrphans { keys: Vec<KeyId> },
    /// The key that is to stay was deleted by somebody.
    KeepGone { key: KeyId },
    /// The key that is to stay was switched off by somebody.
    KeepNotActive { key: KeyId, status: Status },
    /// The secret of the key that is to stay is nowhere on this machine.
    SecretLost { key: KeyId },
    /// The published place holds neither the old key nor the new one.
    ProfileChanged { old: KeyId, new: KeyId },
    /// `rollback` with nothing to roll back.
    NothingToRollBack,
    /// `rollback` to a key that was off or gone before its successor was made.
    OldKeyWasOff { key: KeyId },
    /// `rollback` of a key that is past its grace.
    GraceOver { key: KeyId },
    /// `rollback` after a rollback.
    AlreadyRolledBack,
}
