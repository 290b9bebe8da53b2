//! The purge's rules in their order: the first that applies decides.
//!
//! Pure. Ages, limits and grace are `lifecycle`'s. What was not read is `Skip`, never 'not so' (I4).

use chrono::SubsecRound;

use super::records::{self, Disabling, Exemption, Record};
use super::{Decision, KeyRead, Rule, Rules, Standing, Tags, Use, UserRead, Verb};
use crate::keys::facts::{KeyId, Status, Time};
use crate::keys::{lifecycle, words};

/// One rule. [`Check::ORDER`] is the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    OwnKey,
    Membership,
    Age,
    ExemptTag,
    Status,
    LastUse,
    Disabling,
}

impl Check {
    pub const ORDER: [Self; 7] =
        [Self::OwnKey, Self::Membership, Self::Age, Self::ExemptTag, Self::Status, Self::LastUse, Self::Disabling];

    /// What the rule says of `key`; `None` where it leaves the decision to the next.
    #[must_use]
    pub fn ask(self, of: &Asked<'_>) -> Option<Decision> {
        match self {
            Self::OwnKey => own_key(of),
            Self::Membership => membership(of),
            Self::Age => age(of),
            Self::ExemptTag => exempt_tag(of),
            Self::Status => status(of),
            Self::LastUse => last_use(of),
            Self::Disabling => Some(disabling(of)),
        }
    }
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub user: &'a UserRead,
    pub key: &'a KeyRead,
    pub rules: &'a Rules,
    /// In the service's time.
    pub now: Time,
}

/// What becomes of one key of `user` at `now`.
#[must_use]
pub fn decide(user: &UserRead, key: &KeyRead, rules: &Rules, now: Time) -> Decision {
    let asked = Asked { user, key, rules, now };
    let decided = Check::ORDER.iter().find_map(|check| check.ask(&asked));
    let mut decision = decided.unwrap_or_else(|| Decision::new(Verb::Skip, Rule::Unread));
    if matches!(decision.verb, Verb::Disable | Verb::Delete | Verb::Wait) {
        let notes: Vec<String> = decision.note.into_iter().chain(void_exemption(&asked)).collect();
        decision.note = (!notes.is_empty()).then(|| notes.join("; "));
    }
    decision
}

/// True where the decision on some key of this user needs its tags (`GetUser`).
#[must_use]
pub fn wants_tags(user: &UserRead, rules: &Rules, now: Time) -> bool {
    let over_age = over_age(user, rules, now);
    over_age.into_iter().any(|key| rules.exempt_tag || key.facts.status == Status::Inactive)
}

/// The keys whose last use is to be asked for, where the tags are known if they are wanted: those that a
/// rule may act on, and with `report_asks` every one over the limit.
#[must_use]
pub fn wants_last_use(user: &UserRead, rules: &Rules, now: Time, report_asks: bool) -> Vec<KeyId> {
    let exempt = |key: &KeyRead| exempt_tag(&Asked { user, key, rules, now }).is_some();
    over_age(user, rules, now)
        .into_iter()
        .filter(|key| !exempt(key))
        .filter(|key| report_asks || (rules.unused_for.is_some() && key.facts.status == Status::Active))
        .map(|key| key.facts.id.clone())
        .collect()
}

/// The keys that pass the first three rules.
fn over_age<'a>(user: &'a UserRead, rules: &Rules, now: Time) -> Vec<&'a KeyRead> {
    let spared = |key: &KeyRead| {
        let asked = Asked { user, key, rules, now };
        own_key(&asked).or_else(|| membership(&asked)).or_else(|| age(&asked)).is_some()
    };
    user.keys.iter().filter(|key| !spared(key)).collect()
}

fn own_key(of: &Asked<'_>) -> Option<Decision> {
    let own = of.rules.own_keys.contains(&of.key.facts.id)
        || of.rules.own_user.as_ref().is_some_and(|user| *user == of.user.user.name);
    own.then(|| Decision::new(Verb::Keep, Rule::OwnKey))
}

fn membership(of: &Asked<'_>) -> Option<Decision> {
    match &of.user.standing {
        Standing::Target => None,
        Standing::Exempt(group) => Some(Decision {
            note: Some(format!("member of the exempt group {group}")),
            ..Decision::new(Verb::Exempt, Rule::ExemptGroup)
        }),
        Standing::Outside => Some(Decision::new(Verb::Keep, Rule::NotATarget)),
    }
}

fn age(of: &Asked<'_>) -> Option<Decision> {
    let (created, limit) = (of.key.facts.created, of.rules.max_age);
    if lifecycle::at_least(created, of.now, limit) {
        return None;
    }
    let soon = lifecycle::at_least(created, of.now + of.rules.warn_before, limit);
    Some(if soon && of.key.facts.status == Status::Active {
        Decision { until: Some(over_age_from(of)), ..Decision::new(Verb::Warn, Rule::WarnBefore) }
    } else {
        Decision::new(Verb::Keep, Rule::UnderAge)
    })
}

/// The first instant at which the key is over the limit.
pub(super) fn over_age_from(of: &Asked<'_>) -> Time {
    of.key.facts.created + of.rules.max_age
}

fn exempt_tag(of: &Asked<'_>) -> Option<Decision> {
    if !of.rules.exempt_tag {
        return None;
    }
    let Some(tags) = &of.user.tags else { return Some(unread("the user's tags were not read")) };
    match records::exemption(tags, of.now) {
        Exemption::None | Exemption::Void(_) => None,
        Exemption::Valid { reason, ends } => {
            Some(Decision { verb: Verb::Exempt, rule: Rule::ExemptTag, until: Some(ends), note: Some(reason) })
        }
    }
}

fn void_exemption(of: &Asked<'_>) -> Option<String> {
    let tags = of.user.tags.as_ref().filter(|_| of.rules.exempt_tag)?;
    match records::exemption(tags, of.now) {
        Exemption::Void(why) => Some(why),
        Exemption::None | Exemption::Valid { .. } => None,
    }
}

fn status(of: &Asked<'_>) -> Option<Decision> {
    match &of.key.facts.status {
        Status::Active | Status::Inactive => None,
        Status::Other(word) => Some(Decision {
            note: Some(format!("the status {word:?} is not known to this program")),
            ..Decision::new(Verb::Skip, Rule::UnknownStatus)
        }),
    }
}

fn last_use(of: &Asked<'_>) -> Option<Decision> {
    let limit = of.rules.unused_for.filter(|_| of.key.facts.status == Status::Active)?;
    let Some(since) = unused_since(of.key) else {
        return Some(unread(match of.key.used {
            Use::NotAsked => "the last use was not read",
            _ => "made before IAM kept last uses: no use on record says nothing",
        }));
    };
    (!lifecycle::at_least(since, of.now, limit)).then(|| Decision {
        note: recorded(of.user.tags.as_ref(), &of.key.facts.id, of.now).as_ref().map(reactivated),
        ..Decision::new(Verb::Keep, Rule::InUse)
    })
}

/// From when on a key is known to be unused: its last use, or its creation where there was none.
pub(super) fn unused_since(key: &KeyRead) -> Option<Time> {
    let created = key.facts.created;
    match &key.used {
        Use::Last(used) => Some(used.at.max(created)),
        Use::Never => (created >= tracked_since()).then_some(created),
        Use::NotAsked => None,
    }
}

/// 2015-04-22: since then IAM keeps the last use of keys (API reference, `AccessKeyLastUsed`). Of an older
/// key without a use on record nothing is known.
fn tracked_since() -> Time {
    Time::from_timestamp(1_429_660_800, 0).unwrap_or_default()
}

fn disabling(of: &Asked<'_>) -> Decision {
    let id = &of.key.facts.id;
    let record = of.user.tags.as_ref().map(|tags| records::record(tags, id, of.now));
    if of.key.facts.status == Status::Active {
        return switched_on(of, record.as_ref());
    }
    match record {
        None => unread("the user's tags were not read"),
        Some(Record::None) => waits(of, Rule::NoRecord, of.now, None),
        Some(Record::Void(why)) => waits(of, Rule::NoRecord, of.now, Some(why)),
        // IAM's times, and so the record's, have whole seconds.
        Some(Record::Valid(ours)) if of.key.seen_active.is_some_and(|at| ours.last < at.trunc_subsecs(0)) => {
            waits(of, Rule::NoRecord, of.now, Some(format!("{}, and off again", reactivated(&ours))))
        }
        Some(Record::Valid(ours)) if lifecycle::past_grace(ours.last, of.rules.grace, of.now) => {
            Decision::new(Verb::Delete, Rule::PastGrace)
        }
        Some(Record::Valid(ours)) => waits(of, Rule::InGrace, ours.last, None),
    }
}

fn switched_on(of: &Asked<'_>, record: Option<&Record>) -> Decision {
    let verb = if of.rules.grace.is_zero() { Verb::Delete } else { Verb::Disable };
    match record {
        None | Some(Record::None) => Decision::new(verb, Rule::OverAge),
        Some(Record::Void(why)) => Decision { note: Some(why.clone()), ..Decision::new(verb, Rule::OverAge) },
        Some(Record::Valid(ours)) => {
            Decision { note: Some(reactivated(ours)), ..Decision::new(verb, Rule::Reactivated) }
        }
    }
}

/// Why our record of an Active key is void.
fn reactivated(ours: &Disabling) -> String {
    format!("we disabled it at {}, and somebody switched it on again", words::when(ours.last))
}

/// Without grace there is nothing to wait for.
fn waits(of: &Asked<'_>, rule: Rule, since: Time, note: Option<String>) -> Decision {
    let verb = if of.rules.grace.is_zero() { Verb::Delete } else { Verb::Wait };
    let until = (verb == Verb::Wait).then(|| lifecycle::delete_after(since, of.rules.grace));
    Decision { verb, rule, until, note }
}

fn unread(what: &str) -> Decision {
    Decision { note: Some(what.to_owned()), ..Decision::new(Verb::Skip, Rule::Unread) }
}

/// The record of `key` that `user`'s tags hold, where they were read and it counts.
#[must_use]
pub fn recorded(tags: Option<&Tags>, key: &KeyId, now: Time) -> Option<Disabling> {
    records::record(tags?, key, now).valid().cloned()
}
