//! IAM lists this user's keys with MFA only: whether the list is worth a code, as far as the journal tells.
//!
//! Pure, as the planner that asks it. A code costs a person's attention, or the touch of a security key: a run that
//! nobody has started asks for one only where something will be written.

use super::super::facts::{KeyId, Time};
use super::super::journal::{Phase, Rotation};
use super::super::lifecycle;
use super::super::policy::Policy;
use super::{Blocked, Decision, Idle, Situation, Step, wanted};

/// What comes next where no rotation is unfinished and nothing is listed.
pub(super) fn without_a_list(s: &Situation, policy: &Policy) -> Decision {
    let Some(known) = &s.unlisted else { return Decision::Do(Step::List) };
    let retired = s.rotation.as_ref().and_then(retired);
    let past_grace = retired.as_ref().is_some_and(|(_, at)| lifecycle::past_grace(*at, policy.retire_after, s.now));
    // A profile that holds the retired key is dead: publishing is what the run is for.
    let written_back = retired.as_ref().is_some_and(|(key, _)| s.published.contains(key));
    if past_grace || written_back {
        return Decision::Do(Step::List);
    }
    let retired = retired.map(|(key, at)| (key, lifecycle::delete_after(at, policy.retire_after)));
    let Some(created) = known.created else { return Decision::Blocked(Blocked::AgeUnknown { key: s.target.clone() }) };
    match (wanted(created, s.now, policy), retired) {
        (true, None) => Decision::Do(Step::List),
        (true, Some((key, delete_after))) => Decision::Blocked(Blocked::RetiredInGrace { key, delete_after }),
        (false, Some((key, delete_after))) => Decision::Idle(Idle::Retired { key, delete_after }),
        (false, None) => Decision::Idle(Idle::YoungEnough { age: lifecycle::age(created, s.now) }),
    }
}

/// The key that a rotation has retired, and when.
fn retired(rotation: &Rotation) -> Option<(KeyId, Time)> {
    match rotation.phase {
        Phase::Retired { at } => Some((rotation.retire.clone(), at)),
        _ => None,
    }
}
