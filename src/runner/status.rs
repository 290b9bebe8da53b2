//! What `status` shows of one key and its user: read only, never with an MFA code, in about one round trip.

use chrono::TimeDelta;

use crate::keys::facts::{Identity, KeyFacts, LastUsed, Time};
use crate::keys::health::{self, KeyHealth, Source, Verdict};
use crate::keys::journal::{Phase, Rotation};
use crate::keys::policy::Policy;
use crate::keys::rotation::{self, Decision, Situation};
use crate::keys::secret::{AccessKey, Signer};
use crate::ports::{CallError, Cause, Clock, Iam, Journal, SecretStore, StoreError, World};

use super::rotate::same_user;

/// The keys of one user.
#[derive(Debug, Clone)]
pub struct UserStatus {
    /// `None` where neither STS nor the journal told.
    pub who: Option<Identity>,
    pub keys: Vec<KeyHealth>,
    /// What the next run would do; `None` where IAM did not list the keys.
    pub next: Option<Decision>,
    pub unfinished: Vec<Rotation>,
    /// Why the facts are the journal's, or the key does not work.
    pub trouble: Option<CallError>,
    /// Service time minus local time.
    pub clock_offset: Option<TimeDelta>,
    pub now: Time,
}

/// Asks STS for the owner, IAM for the keys and for the last use, all at once.
pub async fn status<W: World>(world: &W, base: &AccessKey, policy: &Policy) -> Result<UserStatus, StoreError> {
    let signer = Signer::Key(base.clone());
    let iam = world.iam();
    let (who, listed, used) =
        tokio::join!(iam.identity(&signer), iam.list_own_keys(&signer), iam.key_use(&signer, &base.id));
    let now = world.clock().now() + iam.clock_offset().unwrap_or_default();
    let mut report = journalled(world, base, policy, now, who.as_ref().ok())?;
    report.clock_offset = iam.clock_offset();
    match who {
        Ok(who) => report.who = Some(who),
        Err(error) => {
            if matches!(error.cause, Cause::KeyNotAccepted) {
                report
                    .keys
                    .iter_mut()
                    .filter(|key| key.id == base.id)
                    .for_each(|key| key.verdict = Some(Verdict::Gone));
            }
            report.trouble = Some(error);
            return Ok(report);
        }
    }
    match listed {
        Ok(keys) => with_listing(world, base, policy, report, keys, used.ok().and_then(|used| used.last).as_ref()),
        Err(error) => {
            report.trouble = Some(error);
            report
                .keys
                .iter_mut()
                .filter(|key| key.id == base.id)
                .for_each(|key| key.last_used = used.clone().ok().and_then(|used| used.last));
            Ok(report)
        }
    }
}

/// What the journal alone knows.
pub fn offline<W: World>(world: &W, base: &AccessKey, policy: &Policy, now: Time) -> Result<UserStatus, StoreError> {
    journalled(world, base, policy, now, None)
}

/// `who` where STS told; else the journal says whose key it is.
fn journalled<W: World>(
    world: &W,
    base: &AccessKey,
    policy: &Policy,
    now: Time,
    who: Option<&Identity>,
) -> Result<UserStatus, StoreError> {
    let all = world.journal().rotations()?;
    let known = all.iter().rev().find(|rotation| rotation.is_about(&base.id));
    let who = who.cloned().or_else(|| known.map(|rotation| rotation.who.clone()));
    let rotations: Vec<Rotation> =
        all.iter().filter(|rotation| who.as_ref().is_some_and(|who| same_user(&rotation.who, who))).cloned().collect();
    let mut keys = vec![health::journalled(&base.id, &rotations, &policy.limits, now)];
    let leaving = rotations.iter().filter(|rotation| matches!(rotation.phase, Phase::Retired { .. }));
    keys.extend(
        leaving
            .filter(|rotation| rotation.retire != base.id)
            .map(|rotation| health::journalled(&rotation.retire, &rotations, &policy.limits, now)),
    );
    with_profiles(world, &mut keys)?;
    Ok(UserStatus {
        who,
        keys,
        next: None,
        unfinished: rotations.into_iter().filter(Rotation::unfinished).collect(),
        trouble: None,
        clock_offset: None,
        now,
    })
}

fn with_listing<W: World>(
    world: &W,
    base: &AccessKey,
    policy: &Policy,
    mut report: UserStatus,
    listing: Vec<KeyFacts>,
    used: Option<&LastUsed>,
) -> Result<UserStatus, StoreError> {
    let all = world.journal().rotations()?;
    let rotations: Vec<Rotation> =
        all.into_iter().filter(|r| report.who.as_ref().is_some_and(|who| same_user(&r.who, who))).collect();
    report.keys = listing.iter().map(|facts| health::listed(facts, &rotations, &policy.limits, report.now)).collect();
    if !listing.iter().any(|facts| facts.id == base.id) {
        let mut gone = health::journalled(&base.id, &rotations, &policy.limits, report.now);
        gone.verdict = Some(Verdict::Gone);
        gone.source = Source::Iam;
        report.keys.insert(0, gone);
    }
    report.keys.iter_mut().filter(|key| key.id == base.id).for_each(|key| key.last_used = used.cloned());
    with_profiles(world, &mut report.keys)?;
    let open = rotations.iter().find(|rotation| rotation.unfinished());
    let open = open.or_else(|| rotations.iter().find(|rotation| rotation.phase != Phase::Closed)).cloned();
    let stashed = match &open {
        Some(open) => world.store().stashed(&open.id)?.into_iter().map(|key| key.id).collect(),
        None => Vec::new(),
    };
    let situation = Situation {
        now: report.now,
        listing: Some(listing),
        asked: report.now,
        target: base.id.clone(),
        accepted: None,
        published: world.store().published()?.into_iter().map(|held| held.key.id).collect(),
        stashed,
        rotation: open,
        suspect: None,
        unlisted: None,
    };
    report.next = Some(rotation::next(&situation, policy));
    report.unfinished = rotations.into_iter().filter(Rotation::unfinished).collect();
    Ok(report)
}

fn with_profiles<W: World>(world: &W, keys: &mut [KeyHealth]) -> Result<(), StoreError> {
    for held in world.store().published()? {
        for key in keys.iter_mut().filter(|key| key.id == held.key.id) {
            key.profiles.extend(held.profiles.clone());
        }
    }
    Ok(())
}
