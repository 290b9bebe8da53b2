//! The promises of DESIGN section 2, held against the model's truth after every effect.
//!
//! Written from DESIGN's words, not from the planner's code: the two must agree by themselves.

use chrono::TimeDelta;

use keyrot_me::keys::facts::{KeyId, Status};
use keyrot_me::keys::journal::{Phase, Rotation};
use keyrot_me::keys::policy::Goal;
use keyrot_me::runner::rotate::{End, Halt, Report};

use super::schedule::Nature;
use super::state::{CALL_TIMEOUT, Create, Key, MadeBy, State, seconds};

/// What whole seconds and corrected clocks may add to a window's edges.
const EDGE: TimeDelta = TimeDelta::seconds(4);

/// How old a list may be, at most, plus the time that a step takes.
const STALE: TimeDelta = TimeDelta::seconds(75);

impl State {
    /// I1: some key in the published place is Active. Once an outsider meddled with our keys there is
    /// nothing to ask any more.
    pub fn check_always(&mut self) {
        // Until a new one is published, the purge's work is all there is.
        if self.meddled || self.profiles.iter().any(|(_, key)| self.taken(&key.id)) {
            return;
        }
        if !self.profiles.iter().any(|(_, key)| self.active(key)) {
            self.violated("I1: no Active key in the published place".into());
        }
        if !self.profiles.iter().all(|(_, key)| self.active(key)) {
            self.violated("I1: a profile holds a key that is not Active".into());
        }
    }

    /// I2, first half.
    pub fn check_before_create(&mut self) {
        if self.run.dead {
            return;
        }
        match &self.run.listed {
            None => self.violated("I2: a create with nothing listed".into()),
            Some(keys) if keys.len() >= 2 => self.violated(format!("I2: a create with {keys:?} listed")),
            Some(_) => {}
        }
    }

    /// I8 for S7.
    pub fn check_before_publish(&mut self, new: &KeyId) {
        if self.strange(new) {
            self.violated(format!("I8: {new} is published, and belongs to another account"));
        }
        let known = self.key(new).is_some_and(|key| key.status == Status::Active);
        if !known && !self.meddled {
            self.violated(format!("I1: {new} is published, and is not Active"));
        }
    }

    fn strange(&self, id: &KeyId) -> bool {
        self.key(id).is_some_and(|key| key.strange)
    }

    /// S9 and I8; activation only of a rollback's key and of one that S9b gives back.
    pub fn check_before_set(&mut self, id: &KeyId, active: bool) {
        let open: Vec<Rotation> = self.journal.iter().filter(|r| r.phase != Phase::Closed).cloned().collect();
        let allowed = open.iter().any(|r| if active { switches_on(r, id) } else { self.switches_off(r, id) });
        if !allowed {
            self.violated(format!("S9: {id} is switched {} for no reason", if active { "on" } else { "off" }));
        }
        if active && self.taken(id) {
            self.violated(format!("{id} was off before, and is switched on"));
        }
        if !active {
            if self.run.read.contains(id) {
                self.violated(format!("I1: {id} is switched off, and the published place was seen to hold it"));
            }
            self.never_active_again(id);
        }
    }

    fn switches_off(&self, r: &Rotation, id: &KeyId) -> bool {
        match &r.phase {
            Phase::Reread => {
                let keep = r.keep.as_ref();
                r.retire == *id
                    && keep.is_some_and(|keep| self.published(keep) || self.meddled)
                    && !keep.is_some_and(|keep| self.strange(keep))
            }
            Phase::Orphan { key, .. } => key == id && self.orphan_rule(r, id),
            _ => false,
        }
    }

    /// I6, and the grace.
    pub fn check_before_delete(&mut self, id: &KeyId) {
        let named = self.run.named.contains(id);
        if self.published(id) && !self.meddled && !(named && self.taken(id)) {
            self.violated(format!("I6: {id} is published and deleted"));
        }
        let journal = self.journal.clone();
        let reason = journal.iter().any(|r| match &r.phase {
            Phase::Retired { .. } => r.retire == *id && (named || self.grace_over(r)),
            Phase::Orphan { key, .. } => key == id && (named || self.orphan_rule(r, id)),
            // S5's compensating delete.
            Phase::Intended { .. } => self.made_for(r, id),
            _ => false,
        });
        if !reason && !named {
            self.violated(format!("I6: {id} is deleted for no reason that DESIGN knows"));
        }
        self.never_active_again(id);
    }

    /// A retired key that somebody switched on again is never touched.
    fn never_active_again(&mut self, id: &KeyId) {
        let retired = self.journal.iter().any(|r| matches!(r.phase, Phase::Retired { .. }) && r.retire == *id);
        let on_for = self.key(id).and_then(|key| key.on_since).map(|since| self.now - since);
        if retired && on_for.is_some_and(|long| long > STALE) {
            self.violated(format!("{id} is retired, found Active again, and touched"));
        }
    }

    fn grace_over(&self, r: &Rotation) -> bool {
        let Phase::Retired { at } = r.phase else { return false };
        let Some(policy) = &self.run.policy else { return false };
        policy.yes
            || policy.goal == Goal::Finish { now: true }
            || self.now + EDGE >= at + seconds(self.schedule.nature.retire_after)
    }

    fn made_for(&self, r: &Rotation, id: &KeyId) -> bool {
        self.creates.iter().any(|create| create.rotation == r.id && create.key.as_ref() == Some(id))
    }

    fn stashed_anywhere(&self, id: &KeyId) -> bool {
        self.stash.iter().any(|(_, key)| key.id == *id)
    }

    /// Ours for certain, or the rule for a lost key: not listed before, never used, made in the window,
    /// and somebody who may say so has said so.
    fn orphan_rule(&self, r: &Rotation, id: &KeyId) -> bool {
        if self.made_for(r, id) && !self.published(id) {
            return true;
        }
        let Some(key) = self.key(id) else { return false };
        let Some(policy) = &self.run.policy else { return false };
        let create = self.creates.iter().find(|create| create.rotation == r.id);
        let (began, ended) = create.map_or((r.began, r.window_end), |Create { began, ended, .. }| (*began, *ended));
        let ended = ended.max(r.window_end).min(r.began + seconds(2 * CALL_TIMEOUT));
        !r.listed.contains(id)
            && !self.published(id)
            && !self.stashed_anywhere(id)
            && !self.told_in_use.contains(id)
            && (began.min(r.began) - EDGE..=ended + EDGE).contains(&key.created)
            && (policy.yes
                || policy.scheduled
                || policy.replace.contains(id)
                || self.run.named.contains(id)
                || was_agreed(r))
    }

    /// I2, second half: after a crash and one run without faults.
    pub fn check_accounted(&mut self, report: &Report) {
        // With no key that works and no other identity, nobody can look.
        let blind = self.meddled || self.schedule.story.taken();
        if blind && matches!(report.end, End::Halted(Halt::CannotSignIn { .. })) {
            return;
        }
        let said = format!("{report:?}");
        let lost: Vec<KeyId> = self
            .keys
            .iter()
            .filter(|key| key.status == Status::Active && key.made_by == MadeBy::Us)
            .filter(|key| !self.published(&key.key.id) && !self.stashed_anywhere(&key.key.id))
            .filter(|key| !self.made_after_a_sleep(key))
            .map(|key| key.key.id.clone())
            .filter(|id| !said.contains(id.as_str()))
            .collect();
        for id in lost {
            self.violated(format!("I2: {id} is Active, stored nowhere and not reported"));
        }
    }

    /// A machine that slept between intent and create made its key outside the window: only a list that shows it
    /// gets it reported, as a key that is not ours for certain.
    fn made_after_a_sleep(&self, key: &Key) -> bool {
        let create = self.creates.iter().find(|create| create.key.as_ref() == Some(&key.key.id));
        let rotation = create.and_then(|create| self.journal.iter().find(|r| r.id == create.rotation));
        rotation.is_some_and(|r| key.created > r.began.max(r.window_end) + EDGE)
    }

    /// I5, where the last run found nothing more to do and nobody meddled.
    pub fn check_complete(&mut self) {
        let mut wrong = Vec::new();
        let published: Vec<KeyId> = self.profiles.iter().map(|(_, key)| key.id.clone()).collect();
        if published.iter().any(|id| *id != published[0]) {
            wrong.push("the profiles hold different keys".to_owned());
        }
        let ours = |key: &&Key| key.made_by != MadeBy::Outsider && !self.made_after_a_sleep(key);
        for key in self.keys.iter().filter(ours) {
            if key.status == Status::Active && key.key.id != published[0] {
                wrong.push(format!("{} is Active beside the published key", key.key.id));
            }
        }
        for (rotation, key) in &self.stash {
            let open = self.journal.iter().find(|r| r.id == *rotation && r.phase != Phase::Closed);
            if open.is_none_or(|r| r.retire != key.id) {
                wrong.push(format!("a copy of {} is left in the stash", key.id));
            }
        }
        for r in self.journal.iter().filter(|r| matches!(r.phase, Phase::Retired { .. })) {
            if self.key(&r.retire).is_some() && !self.stashed_anywhere(&r.retire) {
                wrong.push(format!("{} is retired, and its secret is not kept for a rollback", r.retire));
            }
        }
        for what in wrong {
            self.violated(format!("I5: {what}"));
        }
    }

    pub fn nature(&self) -> Nature {
        self.schedule.nature
    }
}

/// A person who agreed once has agreed for the runs that go on with it.
fn was_agreed(r: &Rotation) -> bool {
    matches!(r.phase, Phase::Orphan { .. })
}

fn switches_on(r: &Rotation, id: &KeyId) -> bool {
    match r.phase {
        // S9b journals the re-activation before it is done.
        Phase::Staged if r.trouble.is_some() && r.retire == *id => true,
        _ => r.back && r.keep.as_ref() == Some(id),
    }
}
