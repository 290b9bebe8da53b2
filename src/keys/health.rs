//! How a user's keys stand: facts and the planner's decision, put together for `status`.
//!
//! Pure; words for people are `cli`'s.

use chrono::TimeDelta;

use super::facts::{KeyFacts, KeyId, LastUsed, Status, Time};
use super::journal::{Phase, Rotation};
use super::lifecycle::{self, Freshness};
use super::policy::Limits;

/// Where the facts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Iam,
    /// IAM did not tell, or was not asked.
    Journal,
}

/// One word on a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Fresh,
    Due,
    Overdue,
    /// Ours, on its way out.
    Retired,
    /// Not at IAM any more, or not accepted.
    Gone,
}

impl Verdict {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Due => "due",
            Self::Overdue => "overdue",
            Self::Retired => "retired",
            Self::Gone => "gone",
        }
    }
}

/// What is known of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHealth {
    pub id: KeyId,
    pub profiles: Vec<String>,
    /// `None` where only the journal speaks.
    pub status: Option<Status>,
    pub created: Option<Time>,
    pub age: Option<TimeDelta>,
    /// `None`: never, not recorded yet, or not told.
    pub last_used: Option<LastUsed>,
    /// `None` when the age is unknown.
    pub verdict: Option<Verdict>,
    pub purge_at: Option<Time>,
    pub source: Source,
}

/// How a listed key stands.
#[must_use]
pub fn listed(facts: &KeyFacts, rotations: &[Rotation], limits: &Limits, now: Time) -> KeyHealth {
    let retired = rotations.iter().any(|rotation| leaves(rotation, &facts.id));
    let active = facts.status == Status::Active;
    KeyHealth {
        id: facts.id.clone(),
        profiles: Vec::new(),
        status: Some(facts.status.clone()),
        created: Some(facts.created),
        age: Some(lifecycle::age(facts.created, now)),
        last_used: None,
        verdict: Some(if retired { Verdict::Retired } else { verdict(facts.created, limits, now) }),
        purge_at: active.then(|| lifecycle::purge_at(facts.created, now, limits)).flatten(),
        source: Source::Iam,
    }
}

/// How a key stands as far as the journal knows it: a key that we made has its CreateDate there.
#[must_use]
pub fn journalled(id: &KeyId, rotations: &[Rotation], limits: &Limits, now: Time) -> KeyHealth {
    let made = rotations.iter().find(|rotation| rotation.keep.as_ref() == Some(id) && rotation.keep_created.is_some());
    let created = made.and_then(|rotation| rotation.keep_created);
    let retired = rotations.iter().any(|rotation| leaves(rotation, id));
    KeyHealth {
        id: id.clone(),
        profiles: Vec::new(),
        status: None,
        created,
        age: created.map(|created| lifecycle::age(created, now)),
        last_used: None,
        verdict: if retired { Some(Verdict::Retired) } else { created.map(|created| verdict(created, limits, now)) },
        purge_at: created.and_then(|created| lifecycle::purge_at(created, now, limits)),
        source: Source::Journal,
    }
}

/// True when `id` is the key that an open rotation has switched off, or is about to delete.
fn leaves(rotation: &Rotation, id: &KeyId) -> bool {
    match &rotation.phase {
        Phase::Deactivated { .. } | Phase::Retired { .. } => rotation.retire == *id,
        Phase::Orphan { key, .. } => key == id,
        _ => false,
    }
}

fn verdict(created: Time, limits: &Limits, now: Time) -> Verdict {
    match lifecycle::freshness(created, now, limits) {
        Freshness::Fresh => Verdict::Fresh,
        Freshness::Due => Verdict::Due,
        Freshness::Overdue => Verdict::Overdue,
    }
}

/// The limit that a key is measured by: the purge's where there is one, else the rotation's.
#[must_use]
pub fn limit(limits: &Limits) -> TimeDelta {
    limits.purge.as_ref().map_or(limits.max_age, |purge| purge.limit)
}
