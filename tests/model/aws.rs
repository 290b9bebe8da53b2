//! IAM, STS and CloudTrail of the model: AWS's rules that a rotation can run into.

use chrono::TimeDelta;

use keyrot_me::keys::facts::{Identity, KeyFacts, KeyId, LastUsed, Status, Time};
use keyrot_me::keys::journal::RotationId;
use keyrot_me::keys::secret::{AccessKey, SecretKey, Session, Signer};
use keyrot_me::ports::{CallError, Cause, CreatedKey, Creation, Iam, KeyUse};

use super::gate::Model;
use super::schedule::{Op, Trail};
use super::state::{CALL_TIMEOUT, Create, MadeBy, OTHER, OpenSession, State, alice, seconds};

/// Longest time in which a new key, accepted now and then, may still be refused.
const FLAKY_FOR: i64 = 10;

impl State {
    /// Which long-term key stands behind a signature, once the signature is accepted; none behind another profile's.
    fn signed_by(&mut self, signer: &Signer, sts: bool) -> Result<Option<KeyId>, Cause> {
        let (id, secret) = match signer {
            Signer::Session(session) if session.id == OTHER => return Ok(None),
            Signer::Key(key) => (key.id.clone(), Some(&key.secret)),
            Signer::Session(session) => {
                let open = self.sessions.iter().find(|open| open.id == session.id).ok_or(Cause::KeyNotAccepted)?;
                if open.expires <= self.now {
                    return Err(Cause::SessionExpired);
                }
                if !self.schedule.nature.sessions_die {
                    return Ok(Some(open.of.clone()));
                }
                (open.of.clone(), None)
            }
        };
        let key = self.key(&id).ok_or(Cause::KeyNotAccepted)?.clone();
        if secret.is_some_and(|secret| *secret != key.key.secret) {
            return Err(Cause::SignatureRefused);
        }
        if key.status != Status::Active || (secret.is_some() && !self.propagated(key.created, &key.made_by, sts)) {
            return Err(Cause::KeyNotAccepted);
        }
        Ok(Some(id))
    }

    fn propagated(&mut self, created: Time, made_by: &MadeBy, sts: bool) -> bool {
        if *made_by != MadeBy::Us {
            return true;
        }
        if self.refused_until.is_some_and(|until| self.now < until) {
            return false;
        }
        let nature = self.schedule.nature;
        let from = created + seconds(if sts { nature.sts_delay } else { nature.iam_delay });
        let flaky = nature.flaky && self.now < from + seconds(FLAKY_FOR) && self.dice.one_in(4);
        self.now >= from && !flaky
    }

    /// A signature that IAM accepts, and its policy too.
    fn admitted(&mut self, signer: &Signer, reads: bool) -> Result<(), Cause> {
        self.signed_by(signer, false)?;
        let nature = self.schedule.nature;
        let bare = matches!(signer, Signer::Key(_));
        if bare && !nature.no_mfa && (!reads || nature.reads_need_mfa) {
            return Err(Cause::AccessDenied);
        }
        Ok(())
    }

    fn who_is(&mut self, signer: &Signer) -> Result<Identity, Cause> {
        let Some(id) = self.signed_by(signer, true)? else { return Ok(self.other()) };
        let account =
            if self.key(&id).is_some_and(|key| key.strange) { "999999999999".into() } else { alice().account };
        Ok(Identity { account, ..alice() })
    }

    fn open(&mut self, key: &AccessKey) -> Result<Session, Cause> {
        let of = self.signed_by(&Signer::Key(key.clone()), true)?.ok_or(Cause::AccessDenied)?;
        let id = format!("ASIASESSION{:05}", self.sessions.len());
        let expires = Time::from_timestamp(self.now.timestamp() + 900, 0).unwrap();
        self.sessions.push(OpenSession { id: id.clone(), of, expires });
        let secret = SecretKey::new(format!("of {id}"));
        Ok(Session { id, secret: secret.clone(), token: secret, expires })
    }

    fn list(&mut self, signer: &Signer) -> Result<Vec<KeyFacts>, Cause> {
        self.admitted(signer, true)?;
        let lag = self.dice.below(self.schedule.nature.lag * 1000 + 1);
        let page = self.page(TimeDelta::milliseconds(lag));
        let gone = |id: &KeyId| {
            self.run.deleted.contains(id) || self.journal.iter().any(|rotation| rotation.deleted.as_ref() == Some(id))
        };
        let there = page.iter().map(|facts| facts.id.clone()).filter(|id| !gone(id)).collect();
        self.run.listed = Some(there);
        self.note(|| format!("   {} ms old: {}", lag, shown(&page)));
        Ok(page)
    }

    fn create(&mut self, signer: &Signer, rotation: &RotationId) -> Result<CreatedKey, Cause> {
        self.admitted(signer, false)?;
        if self.keys.len() >= 2 {
            return Err(Cause::QuotaFull);
        }
        let key = self.add_key("NEW", MadeBy::Us, self.now);
        let ended = self.now + seconds(CALL_TIMEOUT);
        self.creates.push(Create {
            rotation: rotation.clone(),
            signer: signer.id().to_owned(),
            began: self.now,
            ended,
            key: Some(key.id.clone()),
        });
        let created = self.key(&key.id).unwrap().facts().created;
        Ok(CreatedKey { key, created })
    }

    fn set(&mut self, signer: &Signer, id: &KeyId, active: bool) -> Result<(), Cause> {
        self.admitted(signer, false)?;
        self.key(id).ok_or(Cause::NotFound)?;
        self.check_before_set(id, active);
        let status = if active { Status::Active } else { Status::Inactive };
        let key = self.key_mut(id).unwrap();
        key.status = status;
        key.on_since = None;
        Ok(())
    }

    fn delete(&mut self, signer: &Signer, id: &KeyId) -> Result<(), Cause> {
        self.admitted(signer, false)?;
        self.run.deleted.push(id.clone());
        self.key(id).ok_or(Cause::NotFound)?;
        self.check_before_delete(id);
        self.keys.retain(|key| key.key.id != *id);
        Ok(())
    }

    fn key_use(&mut self, signer: &Signer, id: &KeyId) -> Result<KeyUse, Cause> {
        self.admitted(signer, true)?;
        if self.schedule.nature.last_use_denied {
            return Err(Cause::AccessDenied);
        }
        let used = self.key(id).ok_or(Cause::NotFound)?.used;
        if used.is_some() {
            self.told_in_use.push(id.clone());
        }
        let last = used.map(|at| LastUsed { at, service: "s3".into(), region: "eu-central-1".into() });
        Ok(KeyUse { user: Some("alice".into()), last })
    }

    fn made_by(&mut self, signer: &Signer, made_by: &str, since: Time) -> Result<Vec<Creation>, Cause> {
        self.admitted(signer, true)?;
        let Trail::After(delay) = self.schedule.nature.trail else { return Err(Cause::AccessDenied) };
        let shown = self.now - seconds(delay);
        let found = self.creates.iter().filter(|made| made.signer == made_by);
        let found = found.filter(|made| made.began >= since && made.began <= shown);
        Ok(found
            .filter_map(|made| {
                let user_agent = format!("aws-sdk-rust/1 app/{}", made.rotation);
                Some(Creation { key: made.key.clone()?, signer: made.signer.clone(), user_agent, at: made.began })
            })
            .collect())
    }
}

pub fn shown(page: &[KeyFacts]) -> String {
    page.iter().map(|facts| format!("{} {}", facts.id, facts.status)).collect::<Vec<_>>().join(", ")
}

impl Iam for Model {
    async fn identity(&self, signer: &Signer) -> Result<Identity, CallError> {
        self.call(Op::Identity, signer.id(), |s| s.who_is(signer)).await
    }

    async fn open_session(&self, key: &AccessKey, _: &str, _: &SecretKey) -> Result<Session, CallError> {
        self.call(Op::OpenSession, key.id.as_str(), |s| s.open(key)).await
    }

    async fn mfa_serials(&self, signer: &Signer, user: &str) -> Result<Vec<String>, CallError> {
        let serial = format!("arn:aws:iam::123456789012:mfa/{user}");
        self.call(Op::MfaSerials, user, |s| s.admitted(signer, true).map(|()| vec![serial])).await
    }

    async fn list_keys(&self, signer: &Signer, _: &str) -> Result<Vec<KeyFacts>, CallError> {
        self.call(Op::ListKeys, signer.id(), |s| s.list(signer)).await
    }

    async fn list_own_keys(&self, signer: &Signer) -> Result<Vec<KeyFacts>, CallError> {
        self.call(Op::ListKeys, signer.id(), |s| s.list(signer)).await
    }

    async fn create_key(&self, signer: &Signer, _: &str, rotation: &RotationId) -> Result<CreatedKey, CallError> {
        self.with(State::check_before_create);
        self.call(Op::CreateKey, rotation.as_str(), |s| s.create(signer, rotation)).await
    }

    async fn set_active(&self, signer: &Signer, _: &str, key: &KeyId, active: bool) -> Result<(), CallError> {
        let what = format!("{key} {}", if active { "on" } else { "off" });
        self.call(Op::SetActive, &what, |s| s.set(signer, key, active)).await
    }

    async fn delete_key(&self, signer: &Signer, _: &str, key: &KeyId) -> Result<(), CallError> {
        self.call(Op::DeleteKey, key.as_str(), |s| s.delete(signer, key)).await
    }

    async fn key_use(&self, signer: &Signer, key: &KeyId) -> Result<KeyUse, CallError> {
        self.call(Op::LastUsed, key.as_str(), |s| s.key_use(signer, key)).await
    }

    async fn user(&self, signer: &Signer, name: &str) -> Result<Identity, CallError> {
        self.call(Op::User, name, |s| s.admitted(signer, true).map(|()| alice())).await
    }

    async fn key_account(&self, signer: &Signer, key: &KeyId) -> Result<String, CallError> {
        self.call(Op::KeyAccount, key.as_str(), |s| s.signed_by(signer, true).map(|_| alice().account)).await
    }

    async fn keys_made_by(&self, signer: &Signer, made_by: &str, since: Time) -> Result<Vec<Creation>, CallError> {
        self.call(Op::KeysMadeBy, made_by, |s| s.made_by(signer, made_by, since)).await
    }

    fn clock_offset(&self) -> Option<TimeDelta> {
        self.with(|s| s.offset)
    }

    fn call_timeout(&self) -> TimeDelta {
        seconds(CALL_TIMEOUT)
    }
}
