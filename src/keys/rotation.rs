//! The planner: from what is observed to the one next step of a rotation (DESIGN section 2).
//!
//! Pure: it reads nothing and remembers nothing. Whoever performs a step observes again before asking
//! for the next, so that resuming is no mode of its own.

mod orphan;
mod situation;
mod unlisted;

use std::fmt;

use chrono::TimeDelta;

use self::orphan::{agreed, intended, orphan};
pub use self::situation::{
    Blocked, Decision, DeleteReason, Idle, Maker, Situation, Step, Suspect, Unlisted, Used, Waiting,
};
use self::unlisted::without_a_list;
use super::facts::{KeyFacts, KeyId, Status, Time};
use super::journal::{Event, Phase, Rotation};
use super::lifecycle::{self, Freshness};
use super::policy::{Goal, Policy};

/// How long a list may lag behind a write (DESIGN's fault table): until then absence proves nothing.
pub const STALE_FOR: TimeDelta = TimeDelta::seconds(60);

/// A step that comes so long after the one before it belongs to another run, or to a long wait: what
/// was proved then need not hold now.
const PROOF_HOLDS: TimeDelta = TimeDelta::seconds(10);

/// Keys of one user, Inactive ones included (IAM user guide, 'IAM and STS quotas').
const QUOTA: usize = 2;

/// CreateDate and the `Date` header that our service time comes from are whole seconds, each cut off.
const ROUNDING: TimeDelta = TimeDelta::seconds(2);

/// The one next step. See the module for what makes it safe to ask again and again.
#[must_use]
pub fn next(situation: &Situation, policy: &Policy) -> Decision {
    match &situation.rotation {
        Some(rotation) if policy.goal == Goal::Rollback && policy.may_start && rotation.old_off => {
            Decision::Blocked(Blocked::OldKeyWasOff { key: rotation.retire.clone() })
        }
        Some(rotation) if rotation.unfinished() => resume(situation, policy, rotation),
        Some(rotation) => retired(situation, policy, rotation),
        None => match policy.goal {
            Goal::Rotate { .. } | Goal::RotateDue { .. } => start(situation, policy),
            Goal::Finish { .. } => Decision::Idle(Idle::NothingRetired),
            Goal::Rollback => Decision::Blocked(Blocked::NothingToRollBack),
        },
    }
}

fn start(s: &Situation, policy: &Policy) -> Decision {
    if !policy.may_start {
        return Decision::Idle(Idle::Done);
    }
    let Some(listing) = &s.listing else { return without_a_list(s, policy) };
    if let Some(refusal) = target_refused(s, policy, listing) {
        return refusal;
    }
    if listing.len() < QUOTA { Decision::Do(Step::Create) } else { no_room(s, policy, listing) }
}

/// What gives way to the new key: only a key that the user named. The target itself may be one where it does not
/// work, which is all that is left of it here.
fn no_room(s: &Situation, policy: &Policy, listing: &[KeyFacts]) -> Decision {
    let others: Vec<&KeyFacts> = listing.iter().filter(|key| key.id != s.target).collect();
    if listing.len() > QUOTA {
        let keys = others.iter().map(|key| key.id.clone()).collect();
        return Decision::Blocked(Blocked::TooManyKeys { keys });
    }
    match (listing.iter().find(|key| policy.replace.contains(&key.id)), others.as_slice()) {
        (Some(named), _) => Decision::Do(Step::Delete { key: named.id.clone(), because: DeleteReason::Named }),
        (None, [other]) if s.target_works() => Decision::Blocked(Blocked::OtherKey { other: (*other).clone() }),
        (None, _) => Decision::Blocked(Blocked::BothSlotsTaken { target: s.target.clone(), keys: listing.to_vec() }),
    }
}

/// Why the profile's own key cannot, or need not, be rotated now.
fn target_refused(s: &Situation, policy: &Policy, listing: &[KeyFacts]) -> Option<Decision> {
    let key = s.target.clone();
    if policy.replace.contains(&key) && (s.target_works() || !policy.other_signs) {
        return Some(Decision::Blocked(Blocked::ReplacesTarget { key }));
    }
    let target = listing.iter().find(|facts| facts.id == key);
    let Some(target) = target.filter(|facts| facts.status == Status::Active) else {
        let trusted = s.accepted.map(|accepted| accepted + STALE_FOR).filter(|trusted| s.asked < *trusted);
        return match (trusted, target) {
            (Some(until), _) => Some(Decision::Wait { until, reason: Waiting::FreshList }),
            // It is to be replaced, not to be used: whatever its age was.
            _ if policy.replaces_dead_keys() => None,
            (None, Some(off)) => Some(Decision::Blocked(Blocked::TargetNotActive { key, status: off.status.clone() })),
            (None, None) => Some(Decision::Blocked(Blocked::TargetGone { key })),
        };
    };
    (!wanted(target.created, s.now, policy))
        .then(|| Decision::Idle(Idle::YoungEnough { age: lifecycle::age(target.created, s.now) }))
}

/// Whether this run's goal asks for a new rotation of a key of this age.
fn wanted(created: Time, now: Time, policy: &Policy) -> bool {
    match policy.goal {
        Goal::Rotate { older_than: None } => true,
        Goal::Rotate { older_than: Some(limit) } => lifecycle::at_least(created, now, limit),
        Goal::RotateDue { week: None } => lifecycle::freshness(created, now, &policy.limits) != Freshness::Fresh,
        Goal::RotateDue { week: Some(week) } => lifecycle::due_in_week(created, now, &policy.limits, week),
        Goal::Finish { .. } | Goal::Rollback => false,
    }
}

fn resume(s: &Situation, policy: &Policy, r: &Rotation) -> Decision {
    if matches!(policy.goal, Goal::Finish { .. }) {
        return Decision::Blocked(Blocked::Unfinished);
    }
    match &r.phase {
        Phase::Intended { .. } => intended(s, policy, r),
        Phase::Orphan { key, ours, disabled } => orphan(s, policy, r, key, *ours, *disabled),
        _ => {
            let Some(keep) = &r.keep else { return Decision::Blocked(Blocked::NothingToRollBack) };
            if policy.goal == Goal::Rollback && !r.back && policy.may_start {
                return roll_back(s, r);
            }
            keep_in_trouble(s, policy, r, keep).unwrap_or_else(|| forward(s, r, keep))
        }
    }
}

/// Its secret is on this machine.
fn held(s: &Situation, key: &KeyId) -> bool {
    s.stashed.contains(key) || s.published.contains(key)
}

/// Once it is journalled there is no way back, so the older key has to be there, and its secret.
fn roll_back(s: &Situation, r: &Rotation) -> Decision {
    let key = r.retire.clone();
    if !held(s, &key) {
        return Decision::Blocked(Blocked::SecretLost { key });
    }
    let Some(listing) = &s.listing else { return Decision::Do(Step::List) };
    if listing.iter().any(|facts| facts.id == key) {
        Decision::Do(Step::Record(Event::Rollback))
    } else {
        Decision::Blocked(Blocked::KeepGone { key })
    }
}

/// What somebody else may have done to the key that is to stay, or to its copies here.
fn keep_in_trouble(s: &Situation, policy: &Policy, r: &Rotation, keep: &KeyId) -> Option<Decision> {
    let key = keep.clone();
    let unpublished = matches!(r.phase, Phase::Staged | Phase::Verified) && !s.published.contains(keep);
    if unpublished && !s.stashed.contains(keep) {
        return Some(if r.back || !s.published.contains(&r.retire) {
            Decision::Blocked(Blocked::SecretLost { key })
        } else {
            Decision::Do(Step::Record(Event::Unstored { key }))
        });
    }
    let Some(listing) = &s.listing else {
        // A rollback has to know whether its key must be switched on first; and since the last event, long ago,
        // somebody may have deleted the key or switched it off.
        let asks = match r.phase {
            Phase::Staged | Phase::Verified | Phase::Published => true,
            // Where nothing can be switched on again, a refused proof leads no further.
            Phase::Deactivated { .. } => r.old_off,
            _ => false,
        };
        let long_ago = s.now >= r.last_event + PROOF_HOLDS && asks;
        return (long_ago || r.back && r.phase == Phase::Staged).then_some(Decision::Do(Step::List));
    };
    match listing.iter().find(|facts| facts.id == *keep) {
        Some(facts) if facts.status == Status::Active => None,
        Some(_) if r.back => Some(Decision::Do(Step::Activate { key })),
        Some(facts) => Some(
            given_up(s, policy, r, &facts.status)
                .unwrap_or_else(|| Decision::Blocked(Blocked::KeepNotActive { key, status: facts.status.clone() })),
        ),
        None => keep_absent(s, policy, r, key, unpublished),
    }
}

/// Neither key of the rotation works, and another identity can make a fresh one: nothing is lost with it.
fn given_up(s: &Situation, policy: &Policy, r: &Rotation, what: &impl fmt::Display) -> Option<Decision> {
    let retire_works = s.listing.iter().flatten().any(|facts| facts.id == r.retire && facts.status == Status::Active);
    let keep =
        r.keep.as_ref().filter(|_| policy.replaces_dead_keys() && policy.goal != Goal::Rollback && !retire_works)?;
    let reason = format!("{keep} is {what}, and {} does not work either", r.retire);
    Some(Decision::Do(Step::Record(Event::Abandoned { reason })))
}

fn keep_absent(s: &Situation, policy: &Policy, r: &Rotation, key: KeyId, unpublished: bool) -> Option<Decision> {
    let trusted = r.keep_created.map(|created| created + ROUNDING + STALE_FOR);
    match trusted.filter(|trusted| s.asked < *trusted) {
        Some(until) => (r.phase == Phase::Reread).then_some(Decision::Wait { until, reason: Waiting::FreshList }),
        _ if unpublished && !r.back && s.published.contains(&r.retire) => {
            Some(Decision::Do(Step::Record(Event::Abandoned { reason: format!("{key} was deleted by somebody") })))
        }
        _ => Some(given_up(s, policy, r, &"gone").unwrap_or(Decision::Blocked(Blocked::KeepGone { key }))),
    }
}

/// S6 to S9b, for the key that stays.
fn forward(s: &Situation, r: &Rotation, keep: &KeyId) -> Decision {
    let key = keep.clone();
    let retire = r.retire.clone();
    let published = s.published.contains(keep) && !s.published.contains(&retire);
    let publishable = s.published.contains(keep) || s.published.contains(&retire);
    match r.phase {
        Phase::Staged => Decision::Do(Step::Verify { key }),
        _ if !publishable => Decision::Blocked(Blocked::ProfileChanged { old: retire, new: key }),
        Phase::Verified => Decision::Do(Step::Publish { old: retire, new: key }),
        // Another tool wrote the old key back.
        Phase::Published | Phase::Reread | Phase::Deactivated { .. } if !published => {
            Decision::Do(Step::Publish { old: retire, new: key })
        }
        Phase::Published => Decision::Do(Step::Reread { key }),
        Phase::Reread => before_deactivation(s, r, key),
        _ => Decision::Do(Step::ProveAgain { key, retired: retire }),
    }
}

/// S9: the list comes immediately before; `keep_in_trouble` has seen the staying key Active in it.
fn before_deactivation(s: &Situation, r: &Rotation, keep: KeyId) -> Decision {
    let retire = r.retire.clone();
    let Some(listing) = &s.listing else { return Decision::Do(Step::List) };
    // Its age when the list was asked for: a list that takes longer must not make it too old again.
    if s.asked >= r.last_event + PROOF_HOLDS {
        return Decision::Do(Step::Reread { key: keep });
    }
    let status = listing.iter().find(|facts| facts.id == retire).map(|facts| &facts.status);
    match status {
        // After a re-activation of ours an 'Inactive' may be from before it.
        Some(status) if *status != Status::Active && r.trouble.is_none() => {
            Decision::Do(Step::Record(Event::Deactivated))
        }
        // The list may be older than the key: only IAM's answer to the call proves that it is gone.
        _ => Decision::Do(Step::Deactivate { key: retire }),
    }
}

/// A rotation is complete but for the deletion of its retired key.
fn retired(s: &Situation, policy: &Policy, r: &Rotation) -> Decision {
    let Phase::Retired { at } = r.phase else { return Decision::Idle(Idle::Done) };
    let key = r.retire.clone();
    if let Some(keep) = r.keep.as_ref().filter(|keep| s.stashed.contains(keep) && s.published.contains(keep)) {
        return Decision::Do(Step::Erase { key: keep.clone() });
    }
    let delete_after = lifecycle::delete_after(at, policy.retire_after);
    // S11 belongs to a later run, whatever the grace: this one's session may have died with its key.
    if !policy.may_start {
        return Decision::Idle(Idle::Retired { key, delete_after });
    }
    let Some(listing) = &s.listing else { return without_a_list(s, policy) };
    match listing.iter().find(|facts| facts.id == key).map(|facts| &facts.status) {
        // The list may be older than the deactivation, and after a rollback older than the key.
        None | Some(Status::Active) if s.asked < at + STALE_FOR => {
            Decision::Wait { until: at + STALE_FOR, reason: Waiting::FreshList }
        }
        Some(Status::Active) => Decision::Blocked(Blocked::RetiredActiveAgain { key }),
        found => written_back(s, policy, r).unwrap_or_else(|| match found {
            None if s.stashed.contains(&key) => Decision::Do(Step::Erase { key }),
            None => Decision::Do(Step::Record(Event::Deleted { key })),
            Some(_) => retired_and_off(s, policy, r, at),
        }),
    }
}

/// Another tool wrote the retired key back, and it is off: the profile that holds it is dead.
fn written_back(s: &Situation, policy: &Policy, r: &Rotation) -> Option<Decision> {
    let keep = r.keep.clone().filter(|keep| s.published.contains(&r.retire) && held(s, keep))?;
    match policy.goal {
        Goal::Rotate { .. } | Goal::RotateDue { .. } => {
            Some(Decision::Do(Step::Publish { old: r.retire.clone(), new: keep }))
        }
        Goal::Finish { .. } => Some(Decision::Blocked(Blocked::Unfinished)),
        Goal::Rollback => None,
    }
}

fn retired_and_off(s: &Situation, policy: &Policy, r: &Rotation, at: Time) -> Decision {
    let key = r.retire.clone();
    let delete_after = lifecycle::delete_after(at, policy.retire_after);
    let past_grace = lifecycle::past_grace(at, policy.retire_after, s.now);
    let delete = Decision::Do(Step::Delete { key: key.clone(), because: DeleteReason::Retired });
    match policy.goal {
        Goal::Rollback if r.back => Decision::Blocked(Blocked::AlreadyRolledBack),
        Goal::Rollback if past_grace => Decision::Blocked(Blocked::GraceOver { key }),
        Goal::Rollback => roll_back(s, r),
        Goal::Finish { now: true } => delete,
        _ if past_grace => delete,
        Goal::Finish { now: false } => Decision::Idle(Idle::Retired { key, delete_after }),
        Goal::Rotate { .. } | Goal::RotateDue { .. } => {
            match target_refused(s, policy, s.listing.as_deref().unwrap_or_default()) {
                Some(Decision::Idle(_)) => Decision::Idle(Idle::Retired { key, delete_after }),
                // While the profile's own key is in doubt, the retired one may be the way back.
                Some(doubt) => doubt,
                None if agreed(policy, &key) => delete,
                None => Decision::Blocked(Blocked::RetiredInGrace { key, delete_after }),
            }
        }
    }
}

#[cfg(test)]
mod tests;
