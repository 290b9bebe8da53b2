//! A key, an account and an end as a part has them, turned back into what the report was told.
//!
//! The counterpart of `line`: a field that is written there and read here nowhere would be lost. Sums and sentences that
//! follow from the rest are not read. Pure shapes; nothing here may read a file.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::host::report::line::{CensusLine, stopped_of};
use crate::keys::facts::{KeyId, LastUsed, Status, Time};
use crate::keys::purge::review::Review;
use crate::keys::purge::row::{
    AccountSummary, CapHit, ExemptBy, ExemptUser, KeyRow, Outcome, Skipped, Stopped, Totals,
};
use crate::keys::purge::{Decision, Rule, UserFacts, Verb};

/// What stands in a part, and says a fact.
pub trait Text: DeserializeOwned {
    type Fact;

    /// What it is called in errors.
    const WHAT: &str;

    /// # Errors
    /// In words: something that this program does not know.
    fn fact(self) -> Result<Self::Fact, String>;
}

#[derive(Deserialize)]
pub struct KeyText {
    account: String,
    user: String,
    user_id: String,
    access_key_id: KeyId,
    status: String,
    created: Time,
    age_seconds: i64,
    last_used: Option<UsedText>,
    decision: String,
    rule: String,
    until: Option<Time>,
    result: String,
    error: Option<String>,
    request_id: Option<String>,
    at: Time,
    note: Option<String>,
}

#[derive(Deserialize)]
struct UsedText {
    at: Time,
    service: String,
    region: String,
}

impl Text for KeyText {
    type Fact = KeyRow;
    const WHAT: &str = "key";

    fn fact(self) -> Result<KeyRow, String> {
        let verb = verb(&self.decision)?;
        let rule = Rule::ALL.into_iter().find(|rule| rule.as_str() == self.rule);
        let rule = rule.ok_or_else(|| format!("no rule is called {:?}", self.rule))?;
        let outcome = match (self.result.as_str(), self.error) {
            ("planned", _) => Outcome::Planned,
            ("done", _) => Outcome::Done,
            ("failed", why) => Outcome::Failed(why.unwrap_or_default()),
            (other, _) => return Err(format!("no result is called {other:?}")),
        };
        let age = TimeDelta::try_seconds(self.age_seconds).ok_or("its age is longer than time itself")?;
        Ok(KeyRow {
            account: self.account,
            user: UserFacts { name: self.user, id: self.user_id },
            key: self.access_key_id,
            status: Status::from_wire(&self.status),
            created: self.created,
            age,
            last_used: self.last_used.map(|used| LastUsed { at: used.at, service: used.service, region: used.region }),
            contact: None,
            decision: Decision { verb, rule, until: self.until, note: self.note },
            outcome,
            request_id: self.request_id,
            at: self.at,
        })
    }
}

#[derive(Deserialize)]
pub struct AccountText {
    account: String,
    name: String,
    left: Option<String>,
    users_expected: u64,
    users_evaluated: u64,
    users_exempt: u64,
    keys_evaluated: u64,
    totals: BTreeMap<String, u64>,
    census: CensusLine,
    review: Option<Box<Review>>,
    skipped: Vec<SkippedText>,
    exemptions: Vec<ExemptionText>,
    cap: Option<CapText>,
    failed: u64,
    calls: u64,
    throttled: u64,
    cut_short: bool,
}

impl Text for AccountText {
    /// `done` is in the keys' rows alone.
    type Fact = AccountSummary;
    const WHAT: &str = "account";

    fn fact(self) -> Result<AccountSummary, String> {
        let mut totals = Totals::default();
        for (word, keys) in self.totals {
            totals.set(verb(&word)?, keys);
        }
        Ok(AccountSummary {
            account: self.account,
            name: self.name,
            left: self.left,
            users_expected: self.users_expected,
            users_evaluated: self.users_evaluated,
            users_exempt: self.users_exempt,
            keys_evaluated: self.keys_evaluated,
            totals,
            done: Totals::default(),
            census: self.census.census(),
            review: self.review,
            skipped: self.skipped.into_iter().map(SkippedText::skipped).collect(),
            exemptions: self.exemptions.into_iter().map(ExemptionText::exempt).collect::<Result<_, _>>()?,
            cap: self.cap.map(|cap| CapHit { affected: cap.affected, allowed: cap.allowed, scanned: cap.scanned }),
            failed: self.failed,
            calls: self.calls,
            throttled: self.throttled,
            cut_short: self.cut_short,
        })
    }
}

#[derive(Deserialize)]
pub struct SkippedText {
    what: String,
    cause: String,
}

impl SkippedText {
    pub fn skipped(self) -> Skipped {
        Skipped { what: self.what, cause: self.cause }
    }
}

#[derive(Deserialize)]
struct ExemptionText {
    user: String,
    user_id: String,
    group: Option<String>,
    reason: Option<String>,
    expires: Option<Time>,
    keys: Vec<KeyId>,
}

impl ExemptionText {
    fn exempt(self) -> Result<ExemptUser, String> {
        let by = match (self.group, self.reason, self.expires) {
            (Some(group), None, None) => ExemptBy::Group(group),
            (None, Some(reason), Some(ends)) => ExemptBy::Tag { reason, ends },
            _ => return Err(format!("the exemption of {:?} is by neither a group nor a tag", self.user)),
        };
        Ok(ExemptUser { user: UserFacts { name: self.user, id: self.user_id }, by, keys: self.keys })
    }
}

#[derive(Deserialize)]
struct CapText {
    affected: u64,
    allowed: u64,
    scanned: u64,
}

fn verb(word: &str) -> Result<Verb, String> {
    let found = Verb::ALL.into_iter().find(|verb| verb.as_str() == word);
    found.ok_or_else(|| format!("no decision is called {word:?}"))
}

/// # Errors
/// In words: a stop that this program does not know.
pub fn stopped(word: Option<&str>) -> Result<Option<Stopped>, String> {
    let known = |word: &str| stopped_of(word).ok_or_else(|| format!("no stop is called {word:?}"));
    word.map(known).transpose()
}
