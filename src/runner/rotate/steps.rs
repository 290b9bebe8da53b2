//! The steps of a rotation, each performed once per decision and recorded when it is done.
//!
//! No step decides what comes after it. Only `create` may not be interrupted between its parts.

use chrono::TimeDelta;

use crate::keys::facts::{KeyFacts, KeyId, Status};
use crate::keys::journal::{Event, Phase, Rotation};
use crate::keys::rotation::{DeleteReason, Situation, Step};
use crate::keys::secret::{AccessKey, Signer};
use crate::ports::{CallError, Cause, Clock, Iam, SecretStore, World};

use super::{Auth, Halt, Run};

/// Answers to S9 that said nothing, before the run leaves it to the next one.
const MOST_TRIES: u32 = 3;

/// What a settle check came to.
enum Proof {
    Accepted,
    /// Refused until the time was over: by this error, if it was ever answered.
    Refused(CallError),
}

impl<W: World> Run<'_, W> {
    pub(super) async fn step(&mut self, step: Step, s: &Situation) -> Result<(), Halt> {
        match (step, &s.rotation) {
            (Step::List, _) => self.list(s).await,
            (Step::Create, _) => self.create(s).await,
            (Step::Delete { key, because }, open) => self.delete(key, because, open.as_ref()).await,
            (Step::Record(event), Some(open)) => self.note(open, event),
            (Step::Investigate { key }, Some(open)) => self.investigate(key, open).await,
            (Step::DisableOrphan { key }, Some(open)) => self.disable_orphan(key, open).await,
            (Step::Verify { key }, Some(open)) => self.verify(&key, open).await,
            (Step::Activate { key }, Some(_)) => self.activate(key).await,
            (Step::Publish { old, new }, Some(open)) => self.publish(&old, &new, open),
            (Step::Reread { key }, Some(open)) => self.reread(&key, open).await,
            (Step::Deactivate { key }, Some(open)) => self.deactivate(key, open).await,
            (Step::ProveAgain { key, retired }, Some(open)) => self.prove_again(&key, retired, open).await,
            (Step::Erase { key }, Some(open)) => Ok(self.world.store().erase(&open.id, &key)?),
            (step, None) => Err(Halt::Unfinished { why: format!("{step:?} belongs to a rotation, and there is none") }),
        }
    }

    /// S2. Without a session only where nobody has to be asked for a code to learn that nothing is to do.
    async fn list(&mut self, s: &Situation) -> Result<(), Halt> {
        self.asked = Some(self.now());
        let user = self.user();
        let may_stop_here = s.rotation.as_ref().is_some_and(|open| !open.unfinished());
        let asks = self.session.is_none() && !self.unlisted && matches!(self.settings.auth, Auth::Mfa { .. });
        if asks && (may_stop_here || !self.settings.policy.surely_writes()) {
            let own = Signer::Key(self.signing.clone());
            match self.world.iam().list_keys(&own, &user).await {
                Ok(keys) => {
                    self.listed(keys)?;
                    return Ok(());
                }
                Err(error) if !matches!(error.cause, Cause::AccessDenied | Cause::KeyNotAccepted) => {
                    return Err(error.into());
                }
                // The planner says whether the list is worth a code.
                Err(error) if self.settings.policy.scheduled && error.cause == Cause::AccessDenied => {
                    self.unlisted = true;
                    return Ok(());
                }
                Err(_) => {}
            }
        }
        let world = self.world;
        let listed = self.signed_raw(async |signer| world.iam().list_keys(signer, &user).await).await?;
        let keys = match listed {
            // The key that made the session is off: the new one may tell what happened.
            Err(error) if error.cause == Cause::KeyNotAccepted => {
                let signer = Signer::Key(self.staying_key(s).ok_or(Halt::Call(error))?);
                self.world.iam().list_keys(&signer, &user).await?
            }
            other => other?,
        };
        self.listed(keys)?;
        Ok(())
    }

    fn listed(&mut self, keys: Vec<KeyFacts>) -> Result<(), Halt> {
        let keys = self.with_own_writes(keys)?;
        self.seen.clone_from(&keys);
        self.listing = Some(keys);
        Ok(())
    }

    fn staying_key(&self, s: &Situation) -> Option<AccessKey> {
        let open = s.rotation.as_ref()?;
        self.held(open, open.keep.as_ref()?).ok()
    }

    /// Lists lag: what this run has done itself counts, and a key that the journal knows as deleted.
    fn with_own_writes(&self, mut keys: Vec<KeyFacts>) -> Result<Vec<KeyFacts>, Halt> {
        for gone in self.rotations()?.iter().filter_map(|rotation| rotation.deleted.as_ref()) {
            keys.retain(|facts| facts.id != *gone);
        }
        for (id, status) in &self.written {
            match status {
                None => keys.retain(|facts| facts.id != *id),
                Some(status) => {
                    keys.iter_mut().filter(|facts| facts.id == *id).for_each(|facts| facts.status = status.clone());
                }
            }
        }
        Ok(keys)
    }

    fn note(&mut self, open: &Rotation, event: Event) -> Result<(), Halt> {
        match &event {
            Event::Rollback => {
                self.settings.policy.may_start = false;
                self.tell(&format!("rolling back: {} is to stay", open.retire));
            }
            Event::Abandoned { reason } => {
                self.tell(&format!("this rotation ends: {reason}"));
                self.give_up(open)?;
            }
            Event::NotCreated => self.tell("the lost create made no key"),
            _ => {}
        }
        self.record(&open.id, event)
    }

    /// Its copies go; where its key was published already, that is the one which the profile holds now.
    fn give_up(&mut self, open: &Rotation) -> Result<(), Halt> {
        let published = self.world.store().published()?;
        if let Some(held) = published.into_iter().find(|held| Some(&held.key.id) == open.keep.as_ref()) {
            self.base = held.key;
            self.accepted = None;
        }
        for key in open.keep.iter().chain([&open.retire]) {
            self.world.store().erase(&open.id, key)?;
        }
        Ok(())
    }

    async fn activate(&mut self, key: KeyId) -> Result<(), Halt> {
        self.set_active(&key, true).await?;
        self.tell(&format!("re-activated {key}"));
        Ok(())
    }

    pub(super) async fn set_active(&mut self, key: &KeyId, active: bool) -> Result<(), Halt> {
        let (world, user) = (self.world, self.user());
        self.signed(async |signer| world.iam().set_active(signer, &user, key, active).await).await?;
        self.written.push((key.clone(), Some(if active { Status::Active } else { Status::Inactive })));
        Ok(())
    }

    /// S6 and I8: a streak at STS and IAM. A key that is not accepted yet is left for the next run.
    async fn verify(&mut self, key: &KeyId, open: &Rotation) -> Result<(), Halt> {
        self.tell(&format!("proving {key} at STS and IAM"));
        let signer = Signer::Key(self.held(open, key)?);
        let streak = self.settings.settle.successes();
        match self.settled(&signer, open, streak, true).await? {
            Proof::Accepted => self.record(&open.id, Event::Verified),
            Proof::Refused(error) => Err(Halt::Unfinished {
                why: format!("{key} is not accepted everywhere yet ({error}); the old key is untouched"),
            }),
        }
    }

    /// So many successes in a row within the settle time; each is one call at STS and, with `at_iam`,
    /// one at IAM, where `AccessDenied` proves acceptance as well.
    async fn settled(&self, signer: &Signer, open: &Rotation, streak: u32, at_iam: bool) -> Result<Proof, Halt> {
        let settle = &self.settings.settle;
        let ends = self.now() + settle.within();
        let mut successes = 0;
        loop {
            let refused = match self.accepted(signer, open, at_iam).await? {
                Ok(()) => {
                    successes += 1;
                    if successes >= streak {
                        return Ok(Proof::Accepted);
                    }
                    None
                }
                Err(error) => {
                    successes = 0;
                    Some(error)
                }
            };
            if self.world.clock().stop_requested() {
                return Err(Halt::Unfinished { why: "stopped by a signal".to_owned() });
            }
            let pause =
                if refused.is_some() { settle.every().max(TimeDelta::milliseconds(250)) } else { settle.every() };
            if let Some(error) = refused.filter(|_| self.now() + pause > ends) {
                return Ok(Proof::Refused(error));
            }
            self.world.clock().sleep(pause).await;
        }
    }

    async fn accepted(&self, signer: &Signer, open: &Rotation, at_iam: bool) -> Result<Result<(), CallError>, Halt> {
        let found = match self.world.iam().identity(signer).await {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        if found != open.who {
            let stored = matches!(open.phase, Phase::Published | Phase::Reread | Phase::Deactivated { .. });
            return Err(Halt::WrongIdentity { expected: open.who.clone(), found, stored });
        }
        if !at_iam {
            return Ok(Ok(()));
        }
        Ok(match self.world.iam().list_keys(signer, &self.user()).await {
            Err(error) if error.cause != Cause::AccessDenied => Err(error),
            _ => Ok(()),
        })
    }

    /// S7. What leaves the published place is stashed first: rollback needs it.
    fn publish(&mut self, old: &KeyId, new: &KeyId, open: &Rotation) -> Result<(), Halt> {
        let published = self.world.store().published()?;
        let key = self.held(open, new)?;
        if let Some(leaving) = published.into_iter().find(|held| held.key.id == *old) {
            self.world.store().stash(&open.id, &leaving.key)?;
            self.world.store().publish(old, &key)?;
            self.tell(&format!("stored {new} in {}", profiles(&leaving.profiles)));
        }
        self.record(&open.id, Event::Published)
    }

    /// The key as this machine holds it: published, or stashed for this rotation.
    fn held(&self, open: &Rotation, id: &KeyId) -> Result<AccessKey, Halt> {
        let published = self.world.store().published()?.into_iter().map(|held| held.key);
        let stashed = self.world.store().stashed(&open.id)?;
        published
            .chain(stashed)
            .find(|key| key.id == *id)
            .ok_or_else(|| Halt::Unfinished { why: format!("the secret of {id} is not on this machine any more") })
    }

    /// S8: what the AWS tools will read is the key that was meant, and it works.
    async fn reread(&mut self, key: &KeyId, open: &Rotation) -> Result<(), Halt> {
        let published = self.world.store().published()?;
        let stashed = self.world.store().stashed(&open.id)?;
        let differs = || Halt::Unfinished { why: format!("the store does not give {key} back as it was written") };
        let read = published.into_iter().find(|held| held.key.id == *key).ok_or_else(differs)?.key;
        if stashed.iter().any(|meant| meant.id == *key && *meant != read) {
            return Err(differs());
        }
        match self.settled(&Signer::Key(read), open, 1, false).await? {
            Proof::Accepted => self.record(&open.id, Event::Reread),
            Proof::Refused(error) => {
                Err(Halt::Unfinished { why: format!("{key} is stored, but refused: {error}; the old key is still on") })
            }
        }
    }

    /// S9. Any answer but success leaves the judgement to the next listing.
    async fn deactivate(&mut self, key: KeyId, open: &Rotation) -> Result<(), Halt> {
        let (world, user) = (self.world, self.user());
        let answer = self.signed_raw(async |signer| world.iam().set_active(signer, &user, &key, false).await).await?;
        match answer {
            Ok(()) => {
                self.written.push((key.clone(), Some(Status::Inactive)));
                self.tell(&format!("deactivated {key}"));
                self.record(&open.id, Event::Deactivated)
            }
            // Gone is as good as off, and nothing is left to roll back to.
            Err(error) if error.cause == Cause::NotFound => {
                self.world.store().erase(&open.id, &key)?;
                self.written.push((key, None));
                self.record(&open.id, Event::Deactivated)
            }
            Err(error) if error.cause == Cause::AccessDenied => Err(error.into()),
            Err(error) => {
                self.tries += 1;
                if self.tries >= MOST_TRIES {
                    return Err(error.into());
                }
                self.tell(&format!("no clear answer ({error}): looking at what happened"));
                self.world.clock().sleep(self.settings.settle.every()).await;
                Ok(())
            }
        }
    }

    /// S9b. Refused for the whole settle time: the other key is switched on again.
    async fn prove_again(&mut self, key: &KeyId, retired: KeyId, open: &Rotation) -> Result<(), Halt> {
        let signer = Signer::Key(self.held(open, key)?);
        match self.settled(&signer, open, 1, false).await? {
            Proof::Accepted => {
                self.settings.policy.may_start = false;
                self.completed = true;
                // The other one is off: what comes now in this run, the new key must sign.
                self.signing = self.held(open, key)?;
                self.record(&open.id, Event::Proved)?;
                // IAM said so when it was to go off: nothing is left to wait for.
                if self.written.contains(&(retired.clone(), None)) {
                    self.world.store().erase(&open.id, key)?;
                    self.record(&open.id, Event::Deleted { key: retired })?;
                }
                Ok(())
            }
            // It was off before: to switch it on would undo what somebody else did.
            Proof::Refused(error) if error.cause == Cause::KeyNotAccepted && !open.old_off => {
                let reason = format!("{key} was refused once {retired} was off ({error})");
                self.record(&open.id, Event::Reactivated { reason: reason.clone() })?;
                self.switch_on_again(&signer, &retired).await?;
                Err(Halt::Unfinished { why: format!("{reason}; {retired} is on again") })
            }
            Proof::Refused(error) => {
                Err(Halt::Unfinished { why: format!("{retired} is off, but {key} could not be proved again: {error}") })
            }
        }
    }

    /// With the session of S1; without MFA the old key is off and only the new one can try.
    async fn switch_on_again(&mut self, new: &Signer, retired: &KeyId) -> Result<(), Halt> {
        if self.settings.auth == Auth::KeyItself {
            self.world.iam().set_active(new, &self.user(), retired, true).await?;
            self.written.push((retired.clone(), Some(Status::Active)));
            return Ok(());
        }
        self.set_active(retired, true).await
    }

    /// S11, orphans, and keys that the user named. A key that is gone already is as good as deleted.
    async fn delete(&mut self, key: KeyId, because: DeleteReason, open: Option<&Rotation>) -> Result<(), Halt> {
        let (world, user) = (self.world, self.user());
        let answer = self.signed_raw(async |signer| world.iam().delete_key(signer, &user, &key).await).await?;
        match answer {
            Err(error) if error.cause != Cause::NotFound => return Err(error.into()),
            _ => {}
        }
        self.written.push((key.clone(), None));
        self.deleted.push(key.clone());
        self.tell(&format!("deleted {key}"));
        match open {
            Some(open) if because != DeleteReason::Named => {
                self.world.store().erase(&open.id, &key)?;
                self.record(&open.id, Event::Deleted { key })
            }
            _ => Ok(()),
        }
    }
}

fn profiles(names: &[String]) -> String {
    let kind = if names.len() == 1 { "profile" } else { "profiles" };
    format!("{kind} {}", names.join(", "))
}
