//! What the planner would decide, step after step, if every step did what it is for.
//!
//! For `rotate --dry-run`: the same `next()` as the real run, over a picture of IAM instead of IAM.

use super::facts::{Identity, KeyFacts, KeyId, Status};
use super::journal::{Event, Rotation, RotationId, fold};
use super::policy::Policy;
use super::rotation::{Decision, Situation, Step, next};

/// Stands for the id of a key that is not made yet.
pub const NEW_KEY: &str = "AKIANEWKEY0000000000";

/// More decisions than any run has.
const MOST: usize = 60;

struct Picture {
    situation: Situation,
    policy: Policy,
    who: Identity,
    iam: Vec<KeyFacts>,
    rotations: Vec<Rotation>,
}

/// The decisions from `situation` on, whose listing is what IAM holds; the last one is no step.
#[must_use]
pub fn preview(situation: &Situation, policy: &Policy, who: &Identity) -> Vec<Decision> {
    let mut picture = Picture {
        situation: situation.clone(),
        policy: policy.clone(),
        who: who.clone(),
        iam: situation.listing.clone().unwrap_or_default(),
        rotations: situation.rotation.iter().cloned().collect(),
    };
    let mut decisions = Vec::new();
    while decisions.len() < MOST {
        let decision = next(&picture.situation, &picture.policy);
        decisions.push(decision.clone());
        match decision {
            Decision::Do(step) => picture.apply(step),
            Decision::Wait { until, .. } => picture.situation.now = until,
            Decision::Idle(_) | Decision::Blocked(_) => break,
        }
    }
    decisions
}

impl Picture {
    fn apply(&mut self, step: Step) {
        let listed = step == Step::List;
        self.perform(step);
        self.situation.listing = listed.then(|| self.iam.clone());
        self.situation.rotation =
            self.rotations.iter().find(|rotation| rotation.phase != super::journal::Phase::Closed).cloned();
    }

    fn perform(&mut self, step: Step) {
        match step {
            Step::List | Step::Investigate { .. } => {}
            Step::Create => self.create(),
            Step::Verify { .. } => self.note(Event::Verified),
            Step::Reread { .. } => self.note(Event::Reread),
            Step::Activate { key } => self.set(&key, &Status::Active),
            Step::Publish { old, new } => {
                self.situation.published.retain(|held| *held != old && *held != new);
                self.situation.stashed.push(old);
                self.situation.published.push(new);
                self.note(Event::Published);
            }
            Step::Deactivate { key } => {
                self.set(&key, &Status::Inactive);
                self.note(Event::Deactivated);
            }
            Step::DisableOrphan { key } => {
                self.set(&key, &Status::Inactive);
                self.note(Event::OrphanDisabled { key });
            }
            Step::ProveAgain { .. } => {
                self.policy.may_start = false;
                self.note(Event::Proved);
            }
            Step::Delete { key, .. } => {
                self.iam.retain(|facts| facts.id != key);
                self.situation.stashed.retain(|held| *held != key);
                self.note(Event::Deleted { key });
            }
            Step::Erase { key } => self.situation.stashed.retain(|held| *held != key),
            Step::Record(event) => {
                if event == Event::Rollback {
                    self.policy.may_start = false;
                }
                self.note(event);
            }
        }
    }

    fn create(&mut self) {
        let (Ok(key), now) = (KeyId::new(NEW_KEY), self.situation.now) else { return };
        let id = RotationId::from_bits(0);
        let intent = Event::Intent {
            who: self.who.clone(),
            old: self.situation.target.clone(),
            listed: self.iam.iter().map(|facts| facts.id.clone()).collect(),
            signer: String::new(),
            mfa_serial: None,
            call_timeout: 0,
            old_off: !self.situation.target_works(),
        };
        self.iam.push(KeyFacts { id: key.clone(), status: Status::Active, created: now });
        self.situation.stashed.push(key.clone());
        for event in [intent, Event::Staged { key, created: now }] {
            // A fresh id's first two events are legal.
            let _ = fold(&mut self.rotations, &id, now, event);
        }
    }

    fn set(&mut self, key: &KeyId, status: &Status) {
        self.iam.iter_mut().filter(|facts| facts.id == *key).for_each(|facts| facts.status = status.clone());
    }

    fn note(&mut self, event: Event) {
        if let Some(id) = self.situation.rotation.as_ref().map(|rotation| rotation.id.clone()) {
            // A key that the user named is no event of the rotation: the fold says no, rightly.
            let _ = fold(&mut self.rotations, &id, self.situation.now, event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::policy::{Goal, Limits};
    use crate::keys::rotation::Idle;
    use chrono::TimeDelta;

    #[test]
    fn a_plain_rotation_is_shown_to_its_end() {
        let now = "2026-11-16T09:00:00Z".parse().unwrap();
        let target = KeyId::new("AKIAOLD0000000000001").unwrap();
        let listing = vec![KeyFacts { id: target.clone(), status: Status::Active, created: now }];
        let situation = Situation {
            now,
            listing: Some(listing),
            asked: now,
            target: target.clone(),
            accepted: None,
            published: vec![target.clone()],
            stashed: Vec::new(),
            rotation: None,
            suspect: None,
            unlisted: None,
        };
        let policy = Policy {
            goal: Goal::Rotate { older_than: None },
            limits: Limits { max_age: TimeDelta::days(5), purge: None },
            retire_after: TimeDelta::hours(24),
            replace: Vec::new(),
            yes: false,
            scheduled: false,
            may_start: true,
            other_signs: false,
        };
        let who = Identity { account: "1".into(), arn: "arn:aws:iam::1:user/alice".into() };
        let decisions = preview(&situation, &policy, &who);
        assert_eq!(decisions.first(), Some(&Decision::Do(Step::Create)));
        assert!(decisions.contains(&Decision::Do(Step::Deactivate { key: target.clone() })));
        assert_eq!(
            decisions.last(),
            Some(&Decision::Idle(Idle::Retired { key: target, delete_after: now + TimeDelta::hours(24) }))
        );
    }
}
