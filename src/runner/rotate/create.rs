//! S3 to S5: the intent, the one attempt of `CreateAccessKey`, the secret's stashing; and what is found out
//! about a create whose answer was lost.
//!
//! Nothing here may be interrupted between the create and the stash.

use chrono::TimeDelta;

use super::{Halt, Run};
use crate::keys::facts::KeyId;
use crate::keys::journal::{Event, Rotation, RotationId};
use crate::keys::rotation::{Maker, Situation, Suspect, Used};
use crate::keys::secret::Signer;
use crate::ports::{CallError, Cause, Clock, CreatedKey, Iam, KeyUse, SecretStore, StoreError, World};

/// S4: tries of a throttled create, and the time they may take together.
const CREATE_TRIES: u32 = 5;
const CREATE_WITHIN: TimeDelta = TimeDelta::seconds(60);

/// Creates of one run whose answer was lost: each takes a minute to find out about.
const MOST_LOST: u32 = 2;

/// Clocks and CloudTrail's times may differ by a little.
const TRAIL_SLACK: TimeDelta = TimeDelta::minutes(5);

impl<W: World> Run<'_, W> {
    /// S3 to S5. A throttled create is refused for certain: its rotation is closed, the next try is a
    /// rotation of its own, so that each intent's window stays as short as its call.
    pub(super) async fn create(&mut self, s: &Situation) -> Result<(), Halt> {
        let began = self.now();
        for tried in 1.. {
            match self.create_once(s).await? {
                None => return Ok(()),
                // Somebody made a key since the list: a new list shows it.
                Some(error) if error.cause == Cause::QuotaFull && self.tries == 0 => {
                    self.tries += 1;
                    return Ok(());
                }
                Some(error) if error.cause == Cause::QuotaFull => return Err(error.into()),
                Some(error) if tried >= CREATE_TRIES || self.now() - began > CREATE_WITHIN => return Err(error.into()),
                Some(_) => {
                    self.tell("IAM is throttling: trying again");
                    self.world.clock().sleep(TimeDelta::milliseconds(500 * (1 << tried))).await;
                    if self.world.clock().stop_requested() {
                        return Err(Halt::Stopped);
                    }
                }
            }
        }
        Ok(())
    }

    /// `Some` is a try that was refused for certain, and that may be worth another one.
    async fn create_once(&mut self, s: &Situation) -> Result<Option<CallError>, Halt> {
        let signer = self.signer().await?;
        let who = self.who.clone().ok_or(Halt::Stopped)?;
        let id = self.world.clock().new_rotation_id();
        let listed = s.listing.iter().flatten().map(|facts| facts.id.clone()).collect();
        self.record(
            &id,
            Event::Intent {
                who,
                old: s.target.clone(),
                listed,
                signer: signer.id().to_owned(),
                mfa_serial: self.mfa_serial.clone(),
                call_timeout: self.world.iam().call_timeout().num_seconds(),
                old_off: !s.target_works(),
            },
        )?;
        self.current = Some(id.clone());
        let answer = self.world.iam().create_key(&signer, &self.user(), &id).await;
        match answer {
            Ok(created) => self.stage(&id, &signer, created).await.map(|()| None),
            Err(error) if error.cause == Cause::Ambiguous => self.lost(&id, &error).map(|()| None),
            Err(error) => {
                self.record(&id, Event::Refused { reason: error.to_string() })?;
                self.create_refused(error).map(Some)
            }
        }
    }

    /// Left to the next listing; but what loses every answer, such as a proxy, must not be tried for ever.
    fn lost(&mut self, id: &RotationId, error: &CallError) -> Result<(), Halt> {
        self.record(id, Event::Lost { reason: error.to_string() })?;
        self.lost += 1;
        if self.lost >= MOST_LOST {
            return Err(Halt::Unfinished { why: format!("the answer to the create was lost once more ({error})") });
        }
        self.tell(&format!("the answer to the create was lost ({error}): finding out what happened"));
        Ok(())
    }

    fn create_refused(&mut self, error: CallError) -> Result<CallError, Halt> {
        match error.cause {
            Cause::Throttled | Cause::QuotaFull => Ok(error),
            Cause::SessionExpired if self.other().is_none() => {
                self.session = None;
                Ok(error)
            }
            _ => Err(error.into()),
        }
    }

    /// S5: the secret is on the disk before its id is journalled. A key that cannot be kept is deleted
    /// again, and where that fails too it is named.
    async fn stage(&mut self, id: &RotationId, signer: &Signer, made: CreatedKey) -> Result<(), Halt> {
        let key = made.key.id.clone();
        if let Err(broken) = self.world.store().stash(id, &made.key) {
            return Err(self.take_back(id, signer, key, broken).await);
        }
        self.tell(&format!("created {key}"));
        self.record(id, Event::Staged { key, created: made.created })
    }

    async fn take_back(&mut self, id: &RotationId, signer: &Signer, key: KeyId, broken: StoreError) -> Halt {
        match self.world.iam().delete_key(signer, &self.user(), &key).await {
            Ok(()) => {
                self.deleted.push(key.clone());
                // A failed write may have left a copy. Where it cannot be erased, or nothing be journalled,
                // the next run finds out by itself.
                if self.world.store().erase(id, &key).is_ok() {
                    let _ = self.record(id, Event::Deleted { key: key.clone() });
                }
                Halt::Store(StoreError {
                    message: format!("the new key {key} could not be kept and was deleted again: {broken}"),
                    ..broken
                })
            }
            Err(error) => {
                let _ = self.record(id, Event::Unstored { key: key.clone() });
                Halt::Unfinished {
                    why: format!("the new key {key} could be neither kept ({broken}) nor deleted again ({error})"),
                }
            }
        }
    }

    /// Whether a key is the lost create's, as far as CloudTrail and IAM tell.
    pub(super) async fn investigate(&mut self, key: KeyId, open: &Rotation) -> Result<(), Halt> {
        let world = self.world;
        let since = open.began - TRAIL_SLACK;
        let made = self.signed_raw(async |signer| world.iam().keys_made_by(signer, &open.signer, since).await).await?;
        let maker = made.map_or(Maker::Unknown, |events| {
            let ours = events.iter().find(|event| event.user_agent.contains(open.id.as_str()));
            let its = events.iter().find(|event| event.key == key);
            match (ours, its) {
                (Some(event), _) if event.key == key => Maker::ThisRotation,
                (Some(_), _) | (None, Some(_)) => Maker::SomebodyElse,
                (None, None) => Maker::Unknown,
            }
        });
        let used = match self.signed_raw(async |signer| world.iam().key_use(signer, &key).await).await? {
            Ok(KeyUse { last: Some(used), .. }) => Used::At(used),
            Ok(_) => Used::NotRecorded,
            Err(_) => Used::Unknown,
        };
        self.suspect = Some(Suspect { key, maker, used });
        Ok(())
    }

    pub(super) async fn disable_orphan(&mut self, key: KeyId, open: &Rotation) -> Result<(), Halt> {
        self.set_active(&key, false).await?;
        self.tell(&format!("switched off {key}, whose secret was lost"));
        self.record(&open.id, Event::OrphanDisabled { key })
    }
}
