//! A create whose answer was lost: whether a key came of it, which one, and what becomes of it (I6).
//!
//! Pure, as the planner that asks it.

use super::super::facts::{KeyFacts, KeyId, Status, Time};
use super::super::journal::{Event, Rotation};
use super::super::lifecycle;
use super::super::policy::Policy;
use super::{Blocked, Decision, DeleteReason, Maker, ROUNDING, STALE_FOR, Situation, Step, Used, Waiting};

/// A create was intended; whether a key came of it is not known yet.
pub(super) fn intended(s: &Situation, policy: &Policy, r: &Rotation) -> Decision {
    if let Some(key) = s.stashed.iter().find(|key| !r.listed.contains(key)) {
        let created = s.listing.iter().flatten().find(|facts| facts.id == *key).map_or(r.began, |facts| facts.created);
        return Decision::Do(Step::Record(Event::Staged { key: key.clone(), created }));
    }
    let Some(listing) = &s.listing else { return Decision::Do(Step::List) };
    let ours = |facts: &&KeyFacts| could_be_ours(facts, s, r);
    let suspects: Vec<&KeyFacts> = listing.iter().filter(ours).collect();
    let settled = r.window_end + STALE_FOR;
    match suspects.as_slice() {
        [] if s.asked < settled => Decision::Wait { until: settled, reason: Waiting::FreshList },
        [] => Decision::Do(Step::Record(Event::NotCreated)),
        [one] => suspected(s, policy, one, settled),
        several => {
            Decision::Blocked(Blocked::SeveralOrphans { keys: several.iter().map(|key| key.id.clone()).collect() })
        }
    }
}

/// I6: absent before, held nowhere, made in our window, and nothing says that it is somebody else's.
fn could_be_ours(facts: &KeyFacts, s: &Situation, r: &Rotation) -> bool {
    let window = r.began - ROUNDING..=r.window_end + ROUNDING;
    let somebody_elses = s.suspect.as_ref().is_some_and(|suspect| {
        // Nobody has the secret of a lost key, so a key in use is not it.
        suspect.key == facts.id && (suspect.maker == Maker::SomebodyElse || matches!(suspect.used, Used::At(_)))
    });
    !r.listed.contains(&facts.id)
        && !s.published.contains(&facts.id)
        && window.contains(&facts.created)
        && !somebody_elses
}

fn suspected(s: &Situation, policy: &Policy, facts: &KeyFacts, settled: Time) -> Decision {
    let key = facts.id.clone();
    let Some(suspect) = s.suspect.as_ref().filter(|suspect| suspect.key == key) else {
        return Decision::Do(Step::Investigate { key });
    };
    if suspect.maker == Maker::ThisRotation {
        return Decision::Do(Step::Record(Event::Orphan { key, attributed: true }));
    }
    if suspect.used == Used::Unknown {
        return Decision::Blocked(Blocked::OrphanUseUnknown { key });
    }
    if s.asked < settled {
        return Decision::Wait { until: settled, reason: Waiting::FreshList };
    }
    if agreed(policy, &key) || policy.scheduled {
        return Decision::Do(Step::Record(Event::Orphan { key, attributed: false }));
    }
    Decision::Blocked(Blocked::Orphan { key, created: facts.created })
}

pub(super) fn agreed(policy: &Policy, key: &KeyId) -> bool {
    policy.yes || policy.replace.contains(key)
}

/// A key whose secret is nowhere is on its way out.
pub(super) fn orphan(
    s: &Situation,
    policy: &Policy,
    r: &Rotation,
    key: &KeyId,
    ours: bool,
    disabled: Option<Time>,
) -> Decision {
    let key = key.clone();
    let Some(listing) = &s.listing else { return Decision::Do(Step::List) };
    let Some(facts) = listing.iter().find(|facts| facts.id == key) else {
        let settled = r.window_end.max(r.last_event) + STALE_FOR;
        return if s.asked < settled {
            Decision::Wait { until: settled, reason: Waiting::FreshList }
        } else {
            Decision::Do(Step::Record(Event::Deleted { key }))
        };
    };
    let delete = Decision::Do(Step::Delete { key: key.clone(), because: DeleteReason::Orphan });
    if ours {
        return delete;
    }
    match (disabled, &facts.status) {
        (None, Status::Active) => Decision::Do(Step::DisableOrphan { key }),
        (None, _) => Decision::Do(Step::Record(Event::OrphanDisabled { key })),
        (Some(at), Status::Active) if s.asked < at + STALE_FOR => {
            Decision::Wait { until: at + STALE_FOR, reason: Waiting::FreshList }
        }
        (Some(_), Status::Active) => Decision::Blocked(Blocked::OrphanActiveAgain { key }),
        (Some(_), _) if agreed(policy, &key) => delete,
        (Some(at), _) if lifecycle::past_grace(at, policy.retire_after, s.now) => delete,
        (Some(at), _) => Decision::Blocked(Blocked::OrphanInGrace {
            key,
            delete_after: lifecycle::delete_after(at, policy.retire_after),
        }),
    }
}
