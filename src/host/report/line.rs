//! A key and an account as all three formats tell them: the words of DESIGN section 3, and what people want besides.
//!
//! Pure shapes; nothing here may write.

use chrono::SecondsFormat;
use serde::{Deserialize, Serialize, Serializer};

use crate::keys::facts::{KeyId, Time};
use crate::keys::purge::review::Review;
use crate::keys::purge::row::{
    AccountSummary, CapHit, ExemptBy, ExemptUser, KeyRow, Outcome, Skipped, Stopped, Summary, Totals,
};
use crate::keys::purge::{Census, Verb};

pub fn rfc3339(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[derive(Serialize)]
pub struct KeyLine<'a> {
    pub account: &'a str,
    pub user: &'a str,
    pub user_id: &'a str,
    pub access_key_id: &'a str,
    pub status: &'a str,
    pub created: String,
    pub age_seconds: i64,
    pub last_used: Option<UsedLine<'a>>,
    pub decision: &'static str,
    pub rule: &'static str,
    pub until: Option<String>,
    pub result: &'static str,
    /// Where the result is `failed`.
    pub error: Option<&'a str>,
    pub request_id: Option<&'a str>,
    pub at: String,
    pub note: Option<&'a str>,
    pub undo: Option<String>,
}

#[derive(Serialize)]
pub struct UsedLine<'a> {
    pub at: String,
    pub service: &'a str,
    pub region: &'a str,
}

impl<'a> KeyLine<'a> {
    pub fn of(row: &'a KeyRow) -> Self {
        Self {
            account: &row.account,
            user: &row.user.name,
            user_id: &row.user.id,
            access_key_id: row.key.as_str(),
            status: row.status.as_str(),
            created: rfc3339(row.created),
            age_seconds: row.age.num_seconds(),
            last_used: row.last_used.as_ref().map(|used| UsedLine {
                at: rfc3339(used.at),
                service: &used.service,
                region: &used.region,
            }),
            decision: row.decision.verb.as_str(),
            rule: row.decision.rule.as_str(),
            until: row.decision.until.map(rfc3339),
            result: row.outcome.as_str(),
            error: match &row.outcome {
                Outcome::Failed(why) => Some(why),
                Outcome::Planned | Outcome::Done => None,
            },
            request_id: row.request_id.as_deref(),
            at: rfc3339(row.at),
            note: row.decision.note.as_deref(),
            undo: row.undo(),
        }
    }
}

#[derive(Serialize)]
pub struct AccountLine<'a> {
    pub account: &'a str,
    pub name: &'a str,
    pub complete: bool,
    /// Why it is no part of the purge.
    pub left: Option<&'a str>,
    pub users_expected: u64,
    pub users_evaluated: u64,
    pub users_exempt: u64,
    pub keys_evaluated: u64,
    pub totals: TotalsLine,
    pub census: CensusLine,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<&'a Review>,
    pub skipped: Vec<SkippedLine<'a>>,
    pub exemptions: Vec<ExemptionLine<'a>>,
    pub cap: Option<CapLine>,
    pub failed: u64,
    pub calls: u64,
    pub throttled: u64,
    /// The run ended before the account did.
    pub cut_short: bool,
}

impl<'a> AccountLine<'a> {
    pub fn of(account: &'a AccountSummary) -> Self {
        Self {
            account: &account.account,
            name: &account.name,
            complete: account.complete(),
            left: account.left.as_deref(),
            users_expected: account.users_expected,
            users_evaluated: account.users_evaluated,
            users_exempt: account.users_exempt,
            keys_evaluated: account.keys_evaluated,
            totals: TotalsLine(account.totals),
            census: CensusLine::of(&account.census),
            review: account.review.as_deref(),
            skipped: account.skipped.iter().map(SkippedLine::of).collect(),
            exemptions: account.exemptions.iter().map(ExemptionLine::of).collect(),
            cap: account.cap.map(CapLine::of),
            failed: account.failed,
            calls: account.calls,
            throttled: account.throttled,
            cut_short: account.cut_short,
        }
    }
}

#[derive(Serialize)]
pub struct SkippedLine<'a> {
    pub what: &'a str,
    pub cause: &'a str,
}

impl<'a> SkippedLine<'a> {
    pub fn of(skipped: &'a Skipped) -> Self {
        Self { what: &skipped.what, cause: &skipped.cause }
    }
}

#[derive(Serialize)]
pub struct ExemptionLine<'a> {
    pub user: &'a str,
    pub user_id: &'a str,
    /// `group` or `tag`.
    pub by: &'static str,
    pub group: Option<&'a str>,
    pub reason: Option<&'a str>,
    /// The first instant at which it does not hold any more.
    pub expires: Option<String>,
    pub keys: Vec<&'a str>,
}

impl<'a> ExemptionLine<'a> {
    pub fn of(spared: &'a ExemptUser) -> Self {
        let (by, group, reason, expires) = match &spared.by {
            ExemptBy::Group(group) => ("group", Some(group.as_str()), None, None),
            ExemptBy::Tag { reason, ends } => ("tag", None, Some(reason.as_str()), Some(rfc3339(*ends))),
        };
        let keys = spared.keys.iter().map(KeyId::as_str).collect();
        Self { user: &spared.user.name, user_id: &spared.user.id, by, group, reason, expires, keys }
    }
}

#[derive(Serialize)]
pub struct CapLine {
    pub affected: u64,
    pub allowed: u64,
    pub scanned: u64,
}

impl CapLine {
    fn of(cap: CapHit) -> Self {
        Self { affected: cap.affected, allowed: cap.allowed, scanned: cap.scanned }
    }
}

/// A number for each decision, in the order of [`Verb::ALL`].
pub struct TotalsLine(pub Totals);

impl Serialize for TotalsLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Verb::ALL.map(|verb| (verb.as_str(), self.0.of(verb))))
    }
}

/// How many keys there are and how old.
#[derive(Serialize, Deserialize)]
pub struct CensusLine {
    pub users_with_keys: u64,
    pub keys: u64,
    pub over_limit: u64,
    pub near_limit: u64,
    pub oldest_seconds: u64,
    pub average_seconds: u64,
    /// Of all keys together: with it, averages of several accounts can be made.
    pub age_seconds: u64,
}

impl CensusLine {
    fn of(census: &Census) -> Self {
        Self {
            users_with_keys: census.users_with_keys,
            keys: census.keys,
            over_limit: census.over_limit,
            near_limit: census.near_limit,
            oldest_seconds: census.oldest_seconds,
            average_seconds: census.average_seconds(),
            age_seconds: census.age_seconds,
        }
    }

    pub fn census(&self) -> Census {
        Census {
            users_with_keys: self.users_with_keys,
            keys: self.keys,
            over_limit: self.over_limit,
            near_limit: self.near_limit,
            oldest_seconds: self.oldest_seconds,
            age_seconds: self.age_seconds,
        }
    }
}

/// The end of a report. `complete` comes last: a report that was cut off never says that it is.
#[derive(Serialize)]
pub struct EndLine<'a> {
    pub skipped: Vec<SkippedLine<'a>>,
    pub totals: TotalsLine,
    pub census: CensusLine,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<&'a Review>,
    pub coverage: Coverage,
    pub failed: u64,
    pub calls: u64,
    pub throttled: u64,
    pub ended: String,
    pub stopped: Option<&'static str>,
    pub complete: bool,
}

#[derive(Serialize)]
pub struct Coverage {
    pub accounts: u64,
    pub accounts_left: u64,
    pub accounts_incomplete: u64,
    pub accounts_capped: u64,
    pub users_expected: u64,
    pub users_evaluated: u64,
    pub users_exempt: u64,
    pub keys_evaluated: u64,
}

impl<'a> EndLine<'a> {
    pub fn of(summary: &'a Summary) -> Self {
        Self {
            skipped: summary.skipped.iter().map(SkippedLine::of).collect(),
            totals: TotalsLine(summary.totals),
            census: CensusLine::of(&summary.census),
            review: summary.review.as_deref(),
            coverage: Coverage {
                accounts: summary.accounts,
                accounts_left: summary.accounts_left,
                accounts_incomplete: summary.accounts_incomplete,
                accounts_capped: summary.accounts_capped,
                users_expected: summary.users_expected,
                users_evaluated: summary.users_evaluated,
                users_exempt: summary.users_exempt,
                keys_evaluated: summary.totals.keys(),
            },
            failed: summary.failed,
            calls: summary.calls,
            throttled: summary.throttled,
            ended: rfc3339(summary.ended),
            stopped: summary.stopped.map(stopped_word),
            complete: summary.complete(),
        }
    }
}

/// For people.
pub fn cap_words(cap: CapHit) -> String {
    let CapHit { affected, allowed, scanned } = cap;
    format!("{affected} of {scanned} keys would be disabled or deleted, at most {allowed} may be: nothing was changed")
}

/// For people.
pub fn stopped_words(stopped: Stopped) -> &'static str {
    match stopped {
        Stopped::Asked => "the purge was asked to stop before its end",
        Stopped::OutOfTime => "the purge ran out of time before its end",
        Stopped::Unreported => "the purge stopped since a report could not be written any more",
    }
}

fn stopped_word(stopped: Stopped) -> &'static str {
    match stopped {
        Stopped::Asked => "asked",
        Stopped::OutOfTime => "out-of-time",
        Stopped::Unreported => "unreported",
    }
}

pub fn stopped_of(word: &str) -> Option<Stopped> {
    [Stopped::Asked, Stopped::OutOfTime, Stopped::Unreported].into_iter().find(|stop| stopped_word(*stop) == word)
}
