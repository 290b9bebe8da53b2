//! A key that was brought in by hand: proved at STS and IAM, and held against the one that its profile had.
//!
//! Nothing here stores a key or changes one at IAM. The rotation that follows is `runner::rotate`'s.

use chrono::TimeDelta;

use super::rotate::{CLOCK_TOLERANCE, Halt, same_user};
use crate::keys::facts::{Identity, KeyId, Time};
use crate::keys::journal::{Event, Phase, Rotation};
use crate::keys::policy::Settle;
use crate::keys::secret::{AccessKey, Signer};
use crate::ports::{CallError, Cause, Clock, Desk, Iam, Journal, KeyUse, SecretStore, StoreError, World};

/// Between two tries of a key that is not accepted yet, at least.
const LEAST_PAUSE: TimeDelta = TimeDelta::milliseconds(250);

/// Why a key is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    Halt(Halt),
    /// It belongs to somebody else than the profile's key, and nobody agreed.
    OtherOwner {
        key: KeyId,
        has: Identity,
        present: KeyId,
        had: String,
    },
    /// The profile's key works: its secret would be lost, and nobody agreed.
    StillWorks {
        key: KeyId,
        present: KeyId,
    },
    /// It is being rotated, and that is not about this profile.
    InRotation {
        key: KeyId,
    },
    /// A rotation is unfinished, and one of its keys works: it can be finished.
    Unfinished {
        retire: KeyId,
        works: KeyId,
    },
}

impl From<Halt> for Refused {
    fn from(halt: Halt) -> Self {
        Self::Halt(halt)
    }
}

impl From<CallError> for Refused {
    fn from(error: CallError) -> Self {
        Self::Halt(error.into())
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Halt(error.into())
    }
}

/// What the journal knows of a key that is to be imported into a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    No,
    /// It came in before, and is being rotated.
    InRotation,
    /// It came in before; this key took its place, and the profile has that.
    ReplacedBy(KeyId),
}

/// Whether the key came in before and its rotation has begun, so that only that is to be gone on with. `present` is the
/// profile's own key.
pub fn known<W: World>(world: &W, key: &KeyId, present: Option<&KeyId>) -> Result<Known, Refused> {
    let rotations = world.journal().rotations()?;
    let Some(last) = rotations.iter().rev().find(|rotation| rotation.retire == *key) else { return Ok(Known::No) };
    let successor = last.keep.as_ref().filter(|keep| present == Some(*keep));
    match successor {
        _ if !last.unfinished() => Ok(successor.map_or(Known::No, |keep| Known::ReplacedBy(keep.clone()))),
        None if present != Some(key) => Err(Refused::InRotation { key: key.clone() }),
        _ => Ok(Known::InRotation),
    }
}

/// The check of one key.
pub struct Check<'a, W: World> {
    world: &'a W,
    settle: &'a Settle,
    /// The profile's key may go although it works.
    yes: bool,
}

impl<'a, W: World> Check<'a, W> {
    pub fn new(world: &'a W, settle: &'a Settle, yes: bool) -> Self {
        Self { world, settle, yes }
    }

    /// Whose key it is, once it may take the place of `present`.
    pub async fn run(&self, key: &AccessKey, present: Option<&AccessKey>) -> Result<Identity, Refused> {
        self.world.journal().prove_writable()?;
        let who = self.prove(key).await?;
        if let Some(present) = present.filter(|present| present.id != key.id) {
            self.compare(key, &who, present).await?;
        }
        self.close_dead_rotations(key, &who, present).await?;
        Ok(who)
    }

    /// So many successes in a row as prove a new key; a key that was made a moment ago is waited for.
    async fn prove(&self, key: &AccessKey) -> Result<Identity, Halt> {
        self.world.desk().tell(&format!("proving {} at STS and IAM", key.id));
        let ends = self.world.clock().now() + self.settle.within();
        let (mut successes, mut told) = (0, false);
        loop {
            let answer = self.accepted(key).await;
            if let Some(by) = self.world.iam().clock_offset().filter(|by| by.abs() > CLOCK_TOLERANCE) {
                return Err(Halt::ClockOff { by });
            }
            let refused = match answer {
                Ok(who) if who.user().is_none() => return Err(Halt::NotAUser { arn: who.arn }),
                Ok(who) => {
                    successes += 1;
                    if successes >= self.settle.successes() {
                        return Ok(who);
                    }
                    None
                }
                Err(error) if error.cause == Cause::KeyNotAccepted => {
                    successes = 0;
                    Some(error)
                }
                Err(error) if error.cause == Cause::SignatureRefused => {
                    return Err(Halt::CannotSignIn { key: key.id.clone(), error });
                }
                Err(error) => return Err(error.into()),
            };
            if self.world.clock().stop_requested() {
                return Err(Halt::Stopped);
            }
            let mut pause = self.settle.every();
            if let Some(error) = refused {
                pause = pause.max(LEAST_PAUSE);
                if self.world.clock().now() + pause > ends {
                    return Err(Halt::CannotSignIn { key: key.id.clone(), error });
                }
                if !std::mem::replace(&mut told, true) {
                    self.world
                        .desk()
                        .tell("not accepted: a new key is known everywhere some seconds after it was made");
                }
            }
            self.world.clock().sleep(pause).await;
        }
    }

    /// At STS and at IAM, where `AccessDenied` proves it too.
    async fn accepted(&self, key: &AccessKey) -> Result<Identity, CallError> {
        let signer = Signer::Key(key.clone());
        let who = self.world.iam().identity(&signer).await?;
        let Some(user) = who.user() else { return Ok(who) };
        match self.world.iam().list_keys(&signer, user).await {
            Err(error) if error.cause != Cause::AccessDenied => Err(error),
            _ => Ok(who),
        }
    }

    async fn compare(&self, key: &AccessKey, who: &Identity, present: &AccessKey) -> Result<(), Refused> {
        let (works, had) = match self.owner_of(present).await? {
            Some(had) => (true, (!same_user(&had, who)).then_some(had.arn)),
            None => (false, self.other_owner(key, who, present).await?),
        };
        let desk = self.world.desk();
        if let Some(had) = had {
            let question = format!(
                "{} belongs to {}, and the profile's key {} to {had}. store it all the same?",
                key.id, who.arn, present.id
            );
            if desk.confirm(&question) != Some(true) {
                let (key, present) = (key.id.clone(), present.id.clone());
                return Err(Refused::OtherOwner { key, has: who.clone(), present, had });
            }
        }
        let question =
            || format!("{} still works, and its secret would be lost. replace it by {}?", present.id, key.id);
        if works && !self.yes && desk.confirm(&question()) != Some(true) {
            return Err(Refused::StillWorks { key: key.id.clone(), present: present.id.clone() });
        }
        Ok(())
    }

    /// `None` where it is not accepted.
    async fn owner_of(&self, key: &AccessKey) -> Result<Option<Identity>, CallError> {
        match self.world.iam().identity(&Signer::Key(key.clone())).await {
            Ok(who) => Ok(Some(who)),
            Err(error) if matches!(error.cause, Cause::KeyNotAccepted | Cause::SignatureRefused) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whose a dead key was, where that is somebody else than `who`: by the journal, by IAM while it has the key, else its
    /// account by STS, which mostly knows that of a deleted key too.
    async fn other_owner(&self, key: &AccessKey, who: &Identity, dead: &AccessKey) -> Result<Option<String>, Refused> {
        if let Some(had) = self.remembered(&dead.id)? {
            return Ok((!same_user(&had, who)).then_some(had.arn));
        }
        let (iam, signer) = (self.world.iam(), Signer::Key(key.clone()));
        if let Ok(KeyUse { user: Some(user), .. }) = iam.key_use(&signer, &dead.id).await {
            return Ok((who.user() != Some(&user)).then(|| format!("user {user}")));
        }
        let same_account = match iam.key_account(&signer, &dead.id).await {
            Ok(account) if account != who.account => return Ok(Some(format!("account {account}"))),
            Ok(_) => ", was of the same account",
            Err(_) => "",
        };
        let id = &dead.id;
        self.world.desk().tell(&format!("{id} is not accepted any more{same_account}, and nothing tells whose it was"));
        Ok(None)
    }

    /// Whose key it was, as the journal has it.
    fn remembered(&self, key: &KeyId) -> Result<Option<Identity>, StoreError> {
        let rotations = self.world.journal().rotations()?;
        Ok(rotations.iter().rev().find(|rotation| rotation.is_about(key)).map(|rotation| rotation.who.clone()))
    }

    /// A rotation both of whose keys are dead can never be finished, and would stand in the way of the next one. While
    /// one of them works, that rotation is the better way back.
    async fn close_dead_rotations(
        &self,
        key: &AccessKey,
        who: &Identity,
        present: Option<&AccessKey>,
    ) -> Result<(), Refused> {
        let concerns =
            |open: &&Rotation| same_user(&open.who, who) || present.is_some_and(|present| open.is_about(&present.id));
        let rotations = self.world.journal().rotations()?;
        for open in rotations.iter().filter(|open| open.unfinished()).filter(concerns) {
            let begun = !matches!(open.phase, Phase::Intended { .. } | Phase::Orphan { .. });
            if !begun || open.is_about(&key.id) {
                continue;
            }
            for held in self.held(open)? {
                if self.owner_of(&held).await?.is_some() {
                    return Err(Refused::Unfinished { retire: open.retire.clone(), works: held.id });
                }
            }
            let reason = format!("none of its keys is accepted any more; {} was imported", key.id);
            self.world.journal().append(&open.id, self.now(), Event::Abandoned { reason })?;
            for gone in open.keep.iter().chain([&open.retire]) {
                self.world.store().erase(&open.id, gone)?;
            }
        }
        Ok(())
    }

    /// The keys of a rotation whose secrets are on this machine.
    fn held(&self, open: &Rotation) -> Result<Vec<AccessKey>, StoreError> {
        let published = self.world.store().published()?.into_iter().map(|held| held.key);
        let stashed = self.world.store().stashed(&open.id)?;
        let mut held: Vec<AccessKey> = published.chain(stashed).collect();
        held.retain(|key| open.is_about(&key.id));
        held.sort_by(|a, b| a.id.cmp(&b.id));
        held.dedup();
        Ok(held)
    }

    /// Service time, as the journal keeps it.
    fn now(&self) -> Time {
        self.world.clock().now() + self.world.iam().clock_offset().unwrap_or_default()
    }
}
