//! Why a key is kept, disabled or deleted (`purge --explain`): each rule in its order and the facts it saw.
//!
//! Pure data and words; how they are laid out is `cli`'s. Whether a rule decided is asked of the rule
//! itself ([`Check::ask`]): the words here name facts and limits and compare nothing.

use super::decide::{self, Asked, Check};
use super::records::{self, Disabling, Exemption, Record};
use super::{Decision, KeyRead, Rule, Rules, Standing, Use, UserFacts, UserRead, Verb};
use crate::keys::facts::{KeyId, Status, Time};
use crate::keys::lifecycle;
use crate::keys::words::{duration, when};

/// What became of one key, rule by rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub user: UserFacts,
    pub key: KeyId,
    /// One per [`Check::ORDER`].
    pub steps: Vec<Step>,
    pub decision: Decision,
    /// What a run with `--apply` does at this instant, and what comes after.
    pub next: String,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub check: Check,
    pub answer: Answer,
}

/// What came of asking a rule, with the facts that it saw in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It left the decision to the next.
    Passed(String),
    Decided(String),
    /// An earlier one had decided.
    NotAsked,
}

impl Check {
    /// A stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OwnKey => "own-key",
            Self::Membership => "membership",
            Self::Age => "age",
            Self::ExemptTag => "exempt-tag",
            Self::Status => "status",
            Self::LastUse => "last-use",
            Self::Disabling => "disabling",
        }
    }

    /// What the rule asks, in people's words.
    #[must_use]
    pub fn question(self) -> &'static str {
        match self {
            Self::OwnKey => "does the purge itself run on it?",
            Self::Membership => "is its user to be looked at?",
            Self::Age => "is it over the limit?",
            Self::ExemptTag => "does a tag exempt its user?",
            Self::Status => "is its status known?",
            Self::LastUse => "is it in use?",
            Self::Disabling => "when did we disable it?",
        }
    }
}

/// Why [`decide`](super::decide()) says of one key of `user` at `now` what it says.
#[must_use]
pub fn explain(user: &UserRead, key: &KeyRead, rules: &Rules, now: Time) -> Explanation {
    let asked = Asked { user, key, rules, now };
    let decision = decide::decide(user, key, rules, now);
    let next = next(&asked, &decision);
    Explanation { user: user.user.clone(), key: key.facts.id.clone(), steps: steps(&asked), decision, next }
}

fn steps(of: &Asked<'_>) -> Vec<Step> {
    let mut decided = false;
    let step = |check: Check| {
        if decided {
            return Step { check, answer: Answer::NotAsked };
        }
        decided = check.ask(of).is_some();
        let saw = facts(check, of);
        Step { check, answer: if decided { Answer::Decided(saw) } else { Answer::Passed(saw) } }
    };
    Check::ORDER.map(step).into()
}

/// What `check` looks at, as it was read.
fn facts(check: Check, of: &Asked<'_>) -> String {
    match check {
        Check::OwnKey => own(of.rules),
        Check::Membership => standing(&of.user.standing),
        Check::Age => format!(
            "created {}, {} old; the limit is {}",
            when(of.key.facts.created),
            duration(lifecycle::age(of.key.facts.created, of.now)),
            duration(of.rules.max_age)
        ),
        Check::ExemptTag => exemption(of),
        Check::Status => format!("the status is {}", of.key.facts.status),
        Check::LastUse => last_use(of),
        Check::Disabling => disabling(of),
    }
}

fn own(rules: &Rules) -> String {
    let keys = rules.own_keys.iter().map(ToString::to_string);
    let user = rules.own_user.iter().map(|user| format!("a session of the user {user}"));
    let own: Vec<String> = keys.chain(user).collect();
    if own.is_empty() {
        "the purge runs on no user's key".to_owned()
    } else {
        format!("the purge runs on {}", own.join(", "))
    }
}

fn standing(standing: &Standing) -> String {
    match standing {
        Standing::Target => "its user was asked for and is a member of no exempt group".to_owned(),
        Standing::Exempt(group) => format!("its user is a member of the exempt group {group}"),
        Standing::Outside => "its user is a member of no group that was asked for".to_owned(),
    }
}

fn exemption(of: &Asked<'_>) -> String {
    if !of.rules.exempt_tag {
        return "--exempt-tag is not given: no tag exempts".to_owned();
    }
    let Some(tags) = &of.user.tags else { return "the user's tags were not read".to_owned() };
    match records::exemption(tags, of.now) {
        Exemption::None => format!("there is no tag {}", records::EXEMPT),
        Exemption::Void(why) => why,
        Exemption::Valid { reason, ends } => {
            format!("the tag {} says {reason:?}; it ends {}", records::EXEMPT, when(ends))
        }
    }
}

fn last_use(of: &Asked<'_>) -> String {
    let used = match &of.key.used {
        Use::Last(used) => format!(
            "last used {} by {} in {}, {} ago",
            when(used.at),
            used.service,
            used.region,
            duration(lifecycle::age(used.at, of.now))
        ),
        Use::Never if decide::unused_since(of.key).is_some() => "no use on record".to_owned(),
        Use::Never => "no use on record, and made before IAM kept last uses".to_owned(),
        Use::NotAsked => "the last use was not read".to_owned(),
    };
    match (of.rules.unused_for, &of.key.facts.status) {
        (None, _) if of.key.used == Use::NotAsked => "--unused-for is not given".to_owned(),
        (None, _) => format!("{used}; --unused-for is not given"),
        (Some(limit), Status::Active) => format!("{used}; the limit is {}", duration(limit)),
        (Some(_), status) => format!("the key is {status}: --unused-for is for Active ones"),
    }
}

fn disabling(of: &Asked<'_>) -> String {
    let status = &of.key.facts.status;
    let record = of.user.tags.as_ref().map(|tags| records::record(tags, &of.key.facts.id, of.now));
    let found = match record {
        None => "the user's tags were not read".to_owned(),
        Some(Record::None) => "no record that we disabled it".to_owned(),
        Some(Record::Void(why)) => why,
        Some(Record::Valid(ours)) if *status == Status::Active => {
            format!("{}; the record is void, for somebody switched it on again", disabled(&ours))
        }
        Some(Record::Valid(ours)) => {
            let ends = when(lifecycle::delete_after(ours.last, of.rules.grace));
            format!("{}; the grace of {} ends {ends}", disabled(&ours), duration(of.rules.grace))
        }
    };
    format!("the key is {status}; {found}")
}

fn disabled(ours: &Disabling) -> String {
    match ours.times {
        1 => format!("disabled by us {}", when(ours.last)),
        times => format!("disabled by us first {}, last {}, {times} times", when(ours.first), when(ours.last)),
    }
}

/// The decision as something to be done, and what comes after it.
fn next(of: &Asked<'_>, decision: &Decision) -> String {
    let at = |time: Option<Time>| time.map(when).unwrap_or_default();
    let until = at(decision.until);
    match (decision.verb, decision.rule) {
        (Verb::Keep, Rule::OwnKey) => "keep: the purge never touches what it runs on".to_owned(),
        (Verb::Keep, Rule::UnderAge) => format!("keep; over the limit from {}", when(decide::over_age_from(of))),
        (Verb::Keep, Rule::InUse) => {
            let since = decide::unused_since(of.key).zip(of.rules.unused_for);
            format!("keep; not in use from {} if it is not used again", at(since.map(|(since, limit)| since + limit)))
        }
        (Verb::Keep, _) => "keep".to_owned(),
        (Verb::Warn, _) => format!("keep and warn; over the limit from {until}"),
        (Verb::Disable, _) => {
            format!("disable now; delete after {}", when(lifecycle::delete_after(of.now, of.rules.grace)))
        }
        (Verb::Delete, _) if of.key.facts.status == Status::Active => "disable and delete now".to_owned(),
        (Verb::Delete, _) => "delete now".to_owned(),
        (Verb::Wait, Rule::NoRecord) => format!("record it as disabled now; delete after {until}"),
        (Verb::Wait, _) => format!("wait; delete after {until}"),
        (Verb::Exempt, Rule::ExemptTag) => format!("leave alone until the exemption ends {until}"),
        (Verb::Exempt, _) => "leave alone as long as its user is in that group".to_owned(),
        (Verb::Skip, _) => "leave alone, and report that this key was not judged".to_owned(),
    }
}
