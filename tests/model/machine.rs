//! The machine of the model: store, journal, clock, and the person at its desk.

use chrono::TimeDelta;

use keyrot_me::keys::facts::{KeyId, Time};
use keyrot_me::keys::journal::{self, Event, Rotation, RotationId};
use keyrot_me::keys::secret::{AccessKey, SecretKey};
use keyrot_me::ports::{Clock, Desk, Journal, NoCode, PublishedKey, SecretStore, StoreError};

use super::gate::Model;
use super::schedule::{Op, Person};

impl SecretStore for Model {
    fn prove_writable(&self) -> Result<(), StoreError> {
        self.disk(Op::ProveWritable, "", |_| Ok(()))
    }

    fn published(&self) -> Result<Vec<PublishedKey>, StoreError> {
        self.disk(Op::Published, "", |s| {
            let mut found: Vec<PublishedKey> = Vec::new();
            for (profile, key) in &s.profiles {
                match found.iter_mut().find(|held| held.key == *key) {
                    Some(held) => held.profiles.push(profile.clone()),
                    None => found.push(PublishedKey { profiles: vec![profile.clone()], key: key.clone() }),
                }
            }
            s.run.read = found.iter().map(|held| held.key.id.clone()).collect();
            Ok(found)
        })
    }

    fn publish(&self, old: &KeyId, new: &AccessKey) -> Result<(), StoreError> {
        self.disk(Op::Publish, new.id.as_str(), |s| {
            s.check_before_publish(&new.id);
            s.profiles.iter_mut().filter(|(_, key)| key.id == *old).for_each(|(_, key)| *key = new.clone());
            Ok(())
        })
    }

    fn stash(&self, rotation: &RotationId, key: &AccessKey) -> Result<(), StoreError> {
        self.disk(Op::Stash, key.id.as_str(), |s| {
            s.stash.retain(|(of, stashed)| of != rotation || stashed.id != key.id);
            s.stash.push((rotation.clone(), key.clone()));
            Ok(())
        })
    }

    fn stashed(&self, rotation: &RotationId) -> Result<Vec<AccessKey>, StoreError> {
        self.disk(Op::Stashed, "", |s| {
            Ok(s.stash.iter().filter(|(of, _)| of == rotation).map(|(_, key)| key.clone()).collect())
        })
    }

    fn erase(&self, rotation: &RotationId, key: &KeyId) -> Result<(), StoreError> {
        self.disk(Op::Erase, key.as_str(), |s| {
            s.stash.retain(|(of, stashed)| of != rotation || stashed.id != *key);
            Ok(())
        })
    }
}

impl Journal for Model {
    fn prove_writable(&self) -> Result<(), StoreError> {
        self.disk(Op::ProveWritable, "journal", |_| Ok(()))
    }

    fn rotations(&self) -> Result<Vec<Rotation>, StoreError> {
        self.disk(Op::Rotations, "", |s| Ok(s.journal.clone()))
    }

    fn append(&self, rotation: &RotationId, at: Time, event: Event) -> Result<(), StoreError> {
        let what = format!("{rotation} {event:?}");
        self.disk(Op::Append, &what, |s| {
            let mut folded = s.journal.clone();
            if let Err(illegal) = journal::fold(&mut folded, rotation, at, event) {
                s.violated(format!("the journal refuses: {illegal}"));
            }
            s.journal = folded;
            Ok(())
        })
    }
}

impl Clock for Model {
    fn now(&self) -> Time {
        self.with(|s| s.now + s.skew)
    }

    async fn sleep(&self, duration: TimeDelta) {
        let what = format!("{} ms", duration.num_milliseconds());
        let slept = self.disk(Op::Sleep, &what, |s| {
            if !s.run.stop {
                s.now += duration.max(TimeDelta::zero());
            }
            Ok(())
        });
        if slept.is_err() && self.with(|s| s.run.dead) {
            std::future::pending::<()>().await;
        }
    }

    fn stop_requested(&self) -> bool {
        self.with(|s| s.run.stop)
    }

    fn new_rotation_id(&self) -> RotationId {
        self.with(|s| {
            s.made += 1;
            RotationId::from_bits(u64::from(s.made))
        })
    }
}

impl Desk for Model {
    async fn mfa_code(&self, _: &str, _: u32) -> Result<SecretKey, NoCode> {
        let code = self.disk(Op::MfaCode, "", |s| {
            s.codes += 1;
            s.now += TimeDelta::seconds(7);
            Ok(SecretKey::new(format!("{:06}", s.codes)))
        });
        match code {
            Ok(code) => Ok(code),
            Err(_) if self.with(|s| s.run.dead) => std::future::pending().await,
            Err(none) => Err(NoCode { message: none.message, hint: None }),
        }
    }

    fn confirm(&self, question: &str) -> Option<bool> {
        let answer = self.disk(Op::Confirm, question, |s| {
            let answer = match s.schedule.person {
                Person::Agrees => Some(true),
                Person::Declines => Some(false),
                _ => None,
            };
            if answer == Some(true) && question.contains("delete") {
                let ids = question.split(|c: char| !c.is_ascii_alphanumeric()).filter_map(|word| KeyId::new(word).ok());
                s.run.named.extend(ids);
            }
            Ok(answer)
        });
        answer.ok().flatten()
    }

    fn tell(&self, line: &str) {
        self.with(|s| s.note(|| format!("   said: {line}")));
    }
}
