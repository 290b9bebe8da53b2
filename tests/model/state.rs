//! The truth of the model: what IAM, the store and the journal hold, whatever a run believes.
//!
//! Everything but `run` outlives a crash.

use chrono::TimeDelta;

use keyrot_me::keys::facts::{Identity, KeyFacts, KeyId, Status, Time};
use keyrot_me::keys::journal::{Rotation, RotationId};
use keyrot_me::keys::policy::Policy;
use keyrot_me::keys::secret::{AccessKey, SecretKey};

use super::schedule::{Dice, OPS, Other, Outside, Schedule, Story, Who};

pub const ALICE: &str = "arn:aws:iam::123456789012:user/alice";
pub const CALL_TIMEOUT: i64 = 10;

/// The id of the other profile's session.
pub const OTHER: &str = "ASIAOTHER0000000";

pub fn seconds(number: i64) -> TimeDelta {
    TimeDelta::seconds(number)
}

pub fn alice() -> Identity {
    Identity { account: "123456789012".into(), arn: ALICE.into() }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MadeBy {
    Before,
    Us,
    Outsider,
}

#[derive(Debug, Clone)]
pub struct Key {
    pub key: AccessKey,
    pub status: Status,
    pub created: Time,
    pub made_by: MadeBy,
    /// It answers as another account's.
    pub strange: bool,
    pub used: Option<Time>,
    /// When an outsider last switched it on.
    pub on_since: Option<Time>,
}

/// One `CreateAccessKey` that reached IAM or died on the way.
#[derive(Debug, Clone)]
pub struct Create {
    pub rotation: RotationId,
    pub signer: String,
    pub began: Time,
    pub ended: Time,
    pub key: Option<KeyId>,
}

#[derive(Debug, Clone)]
pub struct OpenSession {
    pub id: String,
    pub of: KeyId,
    pub expires: Time,
}

/// What one run has, and what dies with it.
#[derive(Debug, Clone, Default)]
pub struct ThisRun {
    pub number: usize,
    pub calls: u32,
    pub of_op: [u32; OPS],
    pub dead: bool,
    pub stop: bool,
    pub disk_full: bool,
    pub faults_off: bool,
    /// What the last list showed, but for what is deleted for certain.
    pub listed: Option<Vec<KeyId>>,
    pub deleted: Vec<KeyId>,
    /// What the published place held when it was last read.
    pub read: Vec<KeyId>,
    pub policy: Option<Policy>,
    /// Keys that the person named or agreed to give up.
    pub named: Vec<KeyId>,
    /// Indices of the calls that do more than read.
    pub acting: Vec<u32>,
}

#[derive(Debug)]
pub struct State {
    pub schedule: Schedule,
    pub dice: Dice,
    pub now: Time,
    pub skew: TimeDelta,
    pub offset: Option<TimeDelta>,
    pub keys: Vec<Key>,
    pub history: Vec<(Time, Vec<KeyFacts>)>,
    pub sessions: Vec<OpenSession>,
    pub creates: Vec<Create>,
    pub profiles: Vec<(String, AccessKey)>,
    pub stash: Vec<(RotationId, AccessKey)>,
    pub journal: Vec<Rotation>,
    pub made: u32,
    pub codes: u32,
    pub run: ThisRun,
    pub refused_until: Option<Time>,
    /// Keys of which the program was told that they are in use.
    pub told_in_use: Vec<KeyId>,
    /// An outsider changed one of our keys or files: what holds only without outsiders is not asked any more.
    pub meddled: bool,
    pub violations: Vec<String>,
    pub trace: Option<Vec<String>>,
}

impl State {
    pub fn new(schedule: &Schedule, tracing: bool) -> Self {
        let now: Time = "2026-11-16T09:00:00.437Z".parse().unwrap();
        let mut state = Self {
            schedule: schedule.clone(),
            dice: Dice(schedule.seed ^ 0x5EED),
            now,
            skew: TimeDelta::milliseconds(schedule.nature.skew),
            offset: None,
            keys: Vec::new(),
            history: Vec::new(),
            sessions: Vec::new(),
            creates: Vec::new(),
            profiles: Vec::new(),
            stash: Vec::new(),
            journal: Vec::new(),
            made: 0,
            codes: 0,
            run: ThisRun::default(),
            refused_until: None,
            told_in_use: Vec::new(),
            meddled: false,
            violations: Vec::new(),
            trace: tracing.then(Vec::new),
        };
        let old = state.add_key("OLD", MadeBy::Before, now - TimeDelta::days(40));
        state.profiles = vec![("default".into(), old.clone()), ("work".into(), old)];
        if let Story::BesideAnother(active) = schedule.story {
            state.add_key("OTHER", MadeBy::Outsider, now - TimeDelta::days(9));
            state.keys[1].status = if active { Status::Active } else { Status::Inactive };
        }
        if let Story::TakenBeside(_) = schedule.story {
            state.add_key("OTHER", MadeBy::Outsider, now - TimeDelta::days(9));
        }
        match schedule.story {
            Story::Taken(true) | Story::TakenBeside(true) => drop(state.keys.remove(0)),
            Story::Taken(false) | Story::TakenBeside(false) => state.keys[0].status = Status::Inactive,
            _ => {}
        }
        state.remember();
        state
    }

    pub fn add_key(&mut self, name: &str, made_by: MadeBy, created: Time) -> AccessKey {
        self.made += 1;
        let id = KeyId::new(format!("AKIA{name:X<8}{:08}", self.made)).unwrap();
        let key = AccessKey { id, secret: SecretKey::new(format!("secret-{}", self.made)) };
        self.keys.push(Key {
            key: key.clone(),
            status: Status::Active,
            created,
            strange: made_by == MadeBy::Us && self.schedule.nature.strange,
            made_by,
            used: None,
            on_since: None,
        });
        key
    }

    /// Every change at IAM is a new page of its history: lists show an older page.
    pub fn remember(&mut self) {
        let page = self.keys.iter().map(Key::facts).collect();
        self.history.push((self.now, page));
    }

    pub fn page(&self, lag: TimeDelta) -> Vec<KeyFacts> {
        let seen = self.now - lag;
        let page = self.history.iter().rev().find(|(since, _)| *since <= seen);
        page.or_else(|| self.history.first()).map(|(_, page)| page.clone()).unwrap_or_default()
    }

    pub fn key(&self, id: &KeyId) -> Option<&Key> {
        self.keys.iter().find(|key| key.key.id == *id)
    }

    pub fn key_mut(&mut self, id: &KeyId) -> Option<&mut Key> {
        self.keys.iter_mut().find(|key| key.key.id == *id)
    }

    /// The other profile's identity.
    pub fn other(&self) -> Identity {
        match self.schedule.nature.other {
            Other::Role(_) => Identity { arn: "arn:aws:sts::123456789012:assumed-role/admin/x".into(), ..alice() },
            Other::Alice(_) | Other::Nobody => alice(),
        }
    }

    /// Where the purge took the old key, and the other profile signed once only, the fresh key itself has to sign:
    /// nobody expects it before IAM takes it.
    pub fn until_the_new_key_signs(&self) -> i64 {
        let once = matches!(self.schedule.nature.other, Other::Alice(true) | Other::Role(true));
        if once && self.schedule.story.taken() { 30 } else { 0 }
    }

    /// The key that the story began with, where the purge had taken it by then.
    pub fn taken(&self, id: &KeyId) -> bool {
        self.schedule.story.taken() && id.as_str().starts_with("AKIAOLD")
    }

    pub fn active(&self, key: &AccessKey) -> bool {
        self.keys.iter().any(|known| known.key == *key && known.status == Status::Active)
    }

    pub fn published(&self, id: &KeyId) -> bool {
        self.profiles.iter().any(|(_, key)| key.id == *id)
    }

    pub fn named(&self, who: Who) -> Option<KeyId> {
        let made_by = match who {
            Who::Old => MadeBy::Before,
            Who::New => MadeBy::Us,
            Who::Foreign => MadeBy::Outsider,
        };
        self.keys.iter().rev().find(|key| key.made_by == made_by).map(|key| key.key.id.clone())
    }

    pub fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let at = self.now.format("%d. %H:%M:%S%.3f");
            trace.push(format!("{at} run {} call {:3}: {}", self.run.number, self.run.calls, line()));
        }
    }

    pub fn violated(&mut self, what: String) {
        self.note(|| format!("VIOLATED {what}"));
        self.violations.push(what);
    }

    /// Somebody else acts.
    pub fn meddle(&mut self, deed: Outside) {
        let touched = match deed {
            Outside::Creates if self.keys.len() < 2 => {
                self.add_key("OTHER", MadeBy::Outsider, self.now);
                None
            }
            Outside::Creates => None,
            Outside::SwitchesOff(who) => self.set_by_outsider(who, &Status::Inactive),
            Outside::SwitchesOn(who) => self.set_by_outsider(who, &Status::Active),
            Outside::Deletes(who) => {
                let id = self.named(who);
                self.keys.retain(|key| Some(&key.key.id) != id.as_ref());
                id.filter(|_| who != Who::Foreign)
            }
            Outside::Uses(who) => {
                let (now, id) = (self.now, self.named(who));
                if let Some(key) = id.and_then(|id| self.key_mut(&id)) {
                    key.used = Some(now);
                }
                None
            }
            Outside::RewritesTheFile => self.rewrite_file(),
        };
        self.meddled |= touched.is_some();
        self.remember();
        self.note(|| format!("-- an outsider: {deed:?}"));
    }

    fn set_by_outsider(&mut self, who: Who, status: &Status) -> Option<KeyId> {
        let (now, id) = (self.now, self.named(who)?);
        let key = self.key_mut(&id)?;
        if key.status != *status {
            key.status = status.clone();
            key.on_since = (*status == Status::Active).then_some(now);
        }
        (who != Who::Foreign).then_some(id)
    }

    fn rewrite_file(&mut self) -> Option<KeyId> {
        let id = self.journal.last().filter(|rotation| !rotation.back)?.retire.clone();
        let stored = self.stash.iter().find(|(_, key)| key.id == id)?.1.clone();
        self.profiles[0].1 = stored;
        Some(id)
    }
}

impl Key {
    pub fn facts(&self) -> KeyFacts {
        let created = Time::from_timestamp(self.created.timestamp(), 0).unwrap();
        KeyFacts { id: self.key.id.clone(), status: self.status.clone(), created }
    }
}
