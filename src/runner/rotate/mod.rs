//! One run of the rotation: observe → `keys::rotation::next` → perform ONE step → record, and again.
//!
//! It keeps no plan. What it remembers between two steps is only what a new run would learn by
//! observing again (plus the open session, so that one MFA code serves a whole run).

mod create;
mod other;
mod outcome;
mod signing;
mod steps;

pub use outcome::{Auth, End, Halt, OtherHalt, OtherProfile, Report, Settings};

use chrono::TimeDelta;

use crate::keys::facts::{Identity, KeyFacts, KeyId, LastUsed, Status, Time};
use crate::keys::journal::{Event, Rotation, RotationId};
use crate::keys::preview::preview;
use crate::keys::rotation::{self, Blocked, Decision, Situation, Step, Suspect, Unlisted, Waiting};
use crate::keys::secret::{AccessKey, Session};
use crate::ports::{Cause, Clock, Desk, Iam, Journal, SecretStore, World};

/// A clock further off than this cannot sign (AWS allows about five minutes).
pub const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// Longest sleep before IAM is asked again while a list may be stale.
const LIST_AGAIN: TimeDelta = TimeDelta::seconds(5);

/// A plan has some twenty steps; a run that needs this many goes in circles.
const MOST_STEPS: u32 = 120;

/// One run for one key.
pub struct Run<'a, W: World> {
    world: &'a W,
    settings: Settings,
    /// The key that the asked profile held when the run began, or when a rotation was given up.
    base: AccessKey,
    /// The key that opens sessions: the profile's, or its successor where the profile's is off already.
    signing: AccessKey,
    session: Option<Session>,
    /// When STS accepted `base` itself.
    accepted: Option<Time>,
    who: Option<Identity>,
    /// Whose credentials the other profile holds.
    by: Option<Identity>,
    listing: Option<Vec<KeyFacts>>,
    /// When the newest listing was asked for.
    asked: Option<Time>,
    /// The newest listing, for the report.
    seen: Vec<KeyFacts>,
    /// What this run itself has changed at IAM: lists may lag behind it.
    written: Vec<(KeyId, Option<Status>)>,
    suspect: Option<Suspect>,
    /// IAM refused to list without MFA, in a run that nobody has started.
    unlisted: bool,
    /// The rotation this run is about, once there is one.
    current: Option<RotationId>,
    mfa_serial: Option<String>,
    codes_refused: u32,
    completed: bool,
    deleted: Vec<KeyId>,
    tries: u32,
    lost: u32,
}

impl<'a, W: World> Run<'a, W> {
    pub fn new(world: &'a W, base: AccessKey, settings: Settings) -> Self {
        let mfa_serial = match &settings.auth {
            Auth::Mfa { serial } => serial.clone(),
            Auth::KeyItself | Auth::Other(_) => None,
        };
        Self {
            world,
            settings,
            signing: base.clone(),
            base,
            session: None,
            accepted: None,
            who: None,
            by: None,
            listing: None,
            asked: None,
            seen: Vec::new(),
            written: Vec::new(),
            suspect: None,
            unlisted: false,
            current: None,
            mfa_serial,
            codes_refused: 0,
            completed: false,
            deleted: Vec::new(),
            tries: 0,
            lost: 0,
        }
    }

    /// Runs to an end. Nothing is changed at IAM before the store was proved writable, the clock right
    /// and the key's owner known.
    pub async fn run(mut self) -> Report {
        let end = match self.go_on().await {
            Ok(end) => end,
            Err(halt) => End::Halted(self.unfinished_if_begun(self.of_other(halt))),
        };
        let last_uses = self.last_uses(&end).await;
        let rotation = self.rotations().ok().and_then(|all| self.reported(&all));
        let keep = rotation.as_ref().and_then(|rotation| rotation.keep.as_ref());
        let target = &self.base.id;
        let listed = self.seen.iter().find(|facts| facts.id == *target).map(|facts| facts.created);
        Report {
            created: listed.or_else(|| self.journalled(target).ok().flatten()),
            kept: self.seen.iter().find(|facts| Some(&facts.id) == keep).cloned(),
            target: self.base.id.clone(),
            end,
            rotation,
            completed: self.completed,
            deleted: self.deleted.clone(),
            last_uses,
            now: self.now(),
            who: self.who,
        }
    }

    /// What a run would do, from here to its end: nothing is changed, and nobody is asked for a code.
    pub async fn plan(mut self) -> Result<Vec<Decision>, Halt> {
        self.planned().await.map_err(|halt| self.of_other(halt))
    }

    async fn planned(&mut self) -> Result<Vec<Decision>, Halt> {
        self.sign_in().await?;
        let (user, signer) = (self.user(), self.without_asking());
        self.listing = Some(self.world.iam().list_keys(&signer, &user).await?);
        let situation = self.observe()?;
        let who = self.who.clone().ok_or(Halt::Stopped)?;
        Ok(preview(&situation, &self.settings.policy, &who))
    }

    async fn go_on(&mut self) -> Result<End, Halt> {
        self.world.journal().prove_writable()?;
        self.world.store().prove_writable()?;
        self.sign_in().await?;
        for _ in 0..MOST_STEPS {
            let situation = self.observe()?;
            match rotation::next(&situation, &self.settings.policy) {
                Decision::Do(step) => {
                    self.stop_if_asked(&situation)?;
                    self.perform(step, &situation).await?;
                }
                Decision::Wait { until, reason: Waiting::FreshList } => {
                    self.stop_if_asked(&situation)?;
                    self.wait(until).await;
                }
                Decision::Idle(idle) => return Ok(End::Idle(idle)),
                Decision::Blocked(blocked) => {
                    if !self.agreed(&blocked) {
                        self.stop_if_asked(&situation)?;
                        return Ok(End::Blocked(blocked));
                    }
                }
            }
        }
        Err(Halt::Unfinished { why: format!("no end after {MOST_STEPS} steps") })
    }

    /// The whole situation, read afresh but for the listing, which counts until the next step.
    fn observe(&self) -> Result<Situation, Halt> {
        let rotation = self.open_rotation()?;
        let stashed = match &rotation {
            Some(open) => self.world.store().stashed(&open.id)?,
            None => Vec::new(),
        };
        let published: Vec<KeyId> = self.world.store().published()?.into_iter().map(|held| held.key.id).collect();
        let target = self.target(&published, rotation.as_ref());
        let unlisted = if self.unlisted { Some(Unlisted { created: self.journalled(&target)? }) } else { None };
        Ok(Situation {
            now: self.now(),
            listing: self.listing.clone(),
            asked: self.asked.unwrap_or_else(|| self.now()),
            accepted: self.accepted.filter(|_| target == self.base.id),
            target,
            published,
            stashed: stashed.into_iter().map(|key| key.id).collect(),
            rotation,
            suspect: self.suspect.clone(),
            unlisted,
        })
    }

    /// The key of the asked profile: the one it held at the start, or what this run put in its place.
    fn target(&self, published: &[KeyId], rotation: Option<&Rotation>) -> KeyId {
        let successor = rotation.filter(|open| open.retire == self.base.id).and_then(|open| open.keep.clone());
        match successor {
            Some(keep) if published.contains(&keep) && !published.contains(&self.base.id) => keep,
            _ => self.base.id.clone(),
        }
    }

    /// CreateDate of a key that a rotation made.
    fn journalled(&self, key: &KeyId) -> Result<Option<Time>, Halt> {
        let all = self.world.journal().rotations()?;
        Ok(all.into_iter().filter(|rotation| rotation.keep.as_ref() == Some(key)).find_map(|made| made.keep_created))
    }

    fn rotations(&self) -> Result<Vec<Rotation>, Halt> {
        let mut all = self.world.journal().rotations()?;
        all.retain(|rotation| self.who.as_ref().is_some_and(|who| same_user(who, &rotation.who)));
        Ok(all)
    }

    /// The unfinished rotation of this user, else the one whose key waits for its deletion.
    fn open_rotation(&self) -> Result<Option<Rotation>, Halt> {
        let all = self.rotations()?;
        let unfinished = all.iter().find(|rotation| rotation.unfinished());
        let retired = || all.iter().find(|rotation| rotation.phase != crate::keys::journal::Phase::Closed);
        Ok(unfinished.or_else(retired).cloned())
    }

    /// Which rotation the report is about: the one this run worked on, else the open one.
    fn reported(&self, all: &[Rotation]) -> Option<Rotation> {
        let named = |rotation: &&Rotation| Some(&rotation.id) == self.current.as_ref();
        let open = |rotation: &&Rotation| rotation.phase != crate::keys::journal::Phase::Closed;
        all.iter().find(named).or_else(|| all.iter().find(open)).cloned()
    }

    /// Service time: the local clock, corrected by what the newest answer's `Date` said.
    fn now(&self) -> Time {
        self.world.clock().now() + self.world.iam().clock_offset().unwrap_or_default()
    }

    async fn wait(&mut self, until: Time) {
        let remaining = until - self.now();
        self.tell(&format!("waiting up to {} s until IAM's list can be trusted", remaining.num_seconds().max(1)));
        self.world.clock().sleep(remaining.clamp(TimeDelta::milliseconds(200), LIST_AGAIN)).await;
        self.listing = None;
        // What was found out about a suspect is as old as the list: it may have been used since.
        self.suspect = None;
    }

    /// Asks the person, where DESIGN's fault table says that a person may decide on the spot.
    fn agreed(&mut self, blocked: &Blocked) -> bool {
        if self.settings.policy.scheduled {
            return false;
        }
        let (key, question) = match blocked {
            Blocked::RetiredInGrace { key, delete_after } => (
                key,
                format!(
                    "the retired key {key} is kept until {} and fills IAM's quota. delete it now?",
                    at(*delete_after)
                ),
            ),
            Blocked::Orphan { key, created } => (
                key,
                format!(
                    "{key} was made at {} while a create of ours was lost, and was never used. delete it as ours?",
                    at(*created)
                ),
            ),
            Blocked::OrphanInGrace { key, delete_after } => {
                (key, format!("the lost key {key} is off and kept until {}. delete it now?", at(*delete_after)))
            }
            Blocked::BothSlotsTaken { target, keys } => match dead(target, keys) {
                Some(key) => {
                    (&key.id, format!("{} is {} and fills IAM's quota. delete it for good?", key.id, key.status))
                }
                None => return false,
            },
            Blocked::OtherKey { other } if other.status != Status::Active => {
                (&other.id, format!("{} is {} and fills IAM's quota. delete it for good?", other.id, other.status))
            }
            _ => return false,
        };
        let yes = self.world.desk().confirm(&question) == Some(true);
        if yes {
            self.settings.policy.replace.push(key.clone());
        }
        yes
    }

    fn stop_if_asked(&self, situation: &Situation) -> Result<(), Halt> {
        if !self.world.clock().stop_requested() {
            return Ok(());
        }
        Err(stopped(situation.rotation.as_ref()))
    }

    /// Once a rotation is begun, whatever stops the run leaves it to the next one. A refused code and
    /// a decision keep their own names: running again would not help by itself.
    fn unfinished_if_begun(&self, halt: Halt) -> Halt {
        let begun = self.current.is_some()
            && self.open_rotation().is_ok_and(|open| open.is_some_and(|rotation| rotation.unfinished()));
        match halt {
            Halt::NotPermitted(error) | Halt::Call(error) | Halt::CannotSignIn { error, .. } if begun => {
                Halt::Unfinished { why: error.to_string() }
            }
            Halt::Other(why) if begun => match *why {
                OtherHalt::Refused { profile, renew, error, .. } => {
                    Halt::Unfinished { why: format!("{error}; see to the sign-in of profile {profile}: {renew}") }
                }
                _ => Halt::Other(why),
            },
            // Gone since it signed in.
            Halt::Call(error) if error.cause == Cause::KeyNotAccepted => {
                Halt::CannotSignIn { key: self.signing.id.clone(), error }
            }
            other => other,
        }
    }

    /// For a block, what IAM tells of each key's use: best effort, and only then.
    async fn last_uses(&mut self, end: &End) -> Vec<(KeyFacts, Option<LastUsed>)> {
        let End::Blocked(_) = end else { return Vec::new() };
        let Some(listing) = self.listing.take() else { return Vec::new() };
        let signer = self.without_asking();
        let mut found = Vec::new();
        for facts in listing {
            let used = self.world.iam().key_use(&signer, &facts.id).await.ok().and_then(|used| used.last);
            found.push((facts, used));
        }
        found
    }

    fn record(&self, rotation: &RotationId, event: Event) -> Result<(), Halt> {
        Ok(self.world.journal().append(rotation, self.now(), event)?)
    }

    fn tell(&self, line: &str) {
        self.world.desk().tell(line);
    }

    async fn perform(&mut self, step: Step, situation: &Situation) -> Result<(), Halt> {
        if let Some(open) = &situation.rotation {
            self.current = Some(open.id.clone());
        }
        let lists = step == Step::List;
        let done = self.step(step, situation).await;
        if !lists {
            self.listing = None;
        }
        done
    }
}

/// Whether two identities are the same IAM user, though it may have been moved to another path.
pub(in crate::runner) fn same_user(a: &Identity, b: &Identity) -> bool {
    a.account == b.account && a.user() == b.user() && a.partition() == b.partition()
}

/// The key to ask about where both slots are taken: the profile's own, else another that is off.
fn dead<'a>(target: &KeyId, keys: &'a [KeyFacts]) -> Option<&'a KeyFacts> {
    let off = || keys.iter().filter(|key| key.status != Status::Active);
    off().find(|key| key.id == *target).or_else(|| off().next())
}

/// What a signal leaves: a rotation for the next run, or nothing.
fn stopped(open: Option<&Rotation>) -> Halt {
    match open {
        Some(open) if open.unfinished() => Halt::Unfinished { why: "stopped by a signal".to_owned() },
        _ => Halt::Stopped,
    }
}

/// A moment as people read it in a message.
fn at(time: Time) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}
