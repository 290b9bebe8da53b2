//! `--auth-profile`: another identity signs. Whether it may, and whose key a dead one was.
//!
//! Before anything is made. A key's owner is never guessed: the key itself tells, or the journal, or IAM, or a
//! person says so.

use crate::keys::facts::Identity;
use crate::ports::{CallError, Cause, Desk, Iam, Journal, KeyUse, World};

use super::signing::sign_in_refused;
use super::{Auth, Halt, OtherHalt, OtherProfile, Run, same_user};

impl<W: World> Run<'_, W> {
    pub(super) fn other(&self) -> Option<&OtherProfile> {
        match &self.settings.auth {
            Auth::Other(other) => Some(other),
            Auth::Mfa { .. } | Auth::KeyItself => None,
        }
    }

    /// The user whose key is to be rotated, of the other profile's own account: a user of the same name in another
    /// account is never touched.
    pub(super) async fn sign_in_by(
        &mut self,
        other: &OtherProfile,
        own: Result<Identity, CallError>,
    ) -> Result<Identity, Halt> {
        let own = match own {
            Ok(who) => Some(who),
            Err(error) if error.cause == Cause::KeyNotAccepted => None,
            Err(error) => return Err(sign_in_refused(&self.base, error)),
        };
        let by = self.world.iam().identity(&other.signer).await.map_err(|error| self.refused(other, error))?;
        self.by = Some(by.clone());
        let who = match own {
            Some(who) => who,
            None => self.owner_of_dead_key(other, &by).await?,
        };
        if who.account != by.account || who.partition() != by.partition() {
            return Err(self.of_account(other, by, who.account));
        }
        Ok(who)
    }

    /// STS does not take the key any more. Who had it: the journal's word, else IAM's, else a person's.
    async fn owner_of_dead_key(&self, other: &OtherProfile, by: &Identity) -> Result<Identity, Halt> {
        let key = self.base.id.clone();
        let known = self.world.journal().rotations()?;
        if let Some(rotation) = known.into_iter().rev().find(|rotation| rotation.is_about(&key)) {
            // The newer ARN, where the user was moved to another path.
            return Ok(if same_user(&rotation.who, by) { by.clone() } else { rotation.who });
        }
        self.tell(&format!("{key} does not work any more, and the journal does not know it: asking IAM whose it is"));
        match self.world.iam().key_use(&other.signer, &key).await {
            Ok(KeyUse { user: Some(name), .. }) if by.user() == Some(&name) => Ok(by.clone()),
            Ok(KeyUse { user: Some(name), .. }) => Ok(self.world.iam().user(&other.signer, &name).await?),
            Ok(KeyUse { user: None, .. }) => self.claimed(other, by).await,
            Err(error) if silent(&error) => self.claimed(other, by).await,
            Err(error) => Err(error.into()),
        }
    }

    /// IAM does not tell: the key is deleted, or we may not ask about it.
    async fn claimed(&self, other: &OtherProfile, by: &Identity) -> Result<Identity, Halt> {
        let key = self.base.id.clone();
        match self.world.iam().key_account(&other.signer, &key).await {
            Ok(account) if account != by.account => return Err(self.of_account(other, by.clone(), account)),
            Err(error) if !silent(&error) => return Err(error.into()),
            Ok(_) | Err(_) => {}
        }
        let Some(user) = by.user() else {
            return Err(OtherHalt::OwnerUnknown { key, profile: other.name.clone(), by: by.clone() }.into());
        };
        let question = format!(
            "nothing here tells whose key {key} was. was it {user}'s, in account {}? the new key will be",
            by.account
        );
        let policy = &self.settings.policy;
        if policy.yes || (!policy.scheduled && self.world.desk().confirm(&question) == Some(true)) {
            self.tell(&format!("{key} is taken for {user}'s, as agreed"));
            return Ok(by.clone());
        }
        Err(OtherHalt::OwnerInDoubt { key, by: by.clone() }.into())
    }

    fn of_account(&self, other: &OtherProfile, by: Identity, account: String) -> Halt {
        OtherHalt::Account { profile: other.name.clone(), by, key: self.base.id.clone(), account }.into()
    }

    fn refused(&self, other: &OtherProfile, error: CallError) -> Halt {
        match error.cause {
            Cause::AccessDenied | Cause::KeyNotAccepted | Cause::SessionExpired | Cause::SignatureRefused => {
                let (profile, renew) = (other.name.clone(), other.renew.clone());
                OtherHalt::Refused { profile, renew, by: self.by.clone(), error }.into()
            }
            _ => error.into(),
        }
    }

    /// What a refused call means where another profile signed it.
    pub(super) fn of_other(&self, halt: Halt) -> Halt {
        match (self.other(), halt) {
            (Some(other), Halt::NotPermitted(error) | Halt::Call(error)) => self.refused(other, error),
            (_, halt) => halt,
        }
    }
}

/// An answer that leaves open whose key it is.
fn silent(error: &CallError) -> bool {
    matches!(error.cause, Cause::AccessDenied | Cause::NotFound | Cause::Refused)
}
