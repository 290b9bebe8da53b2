//! What a report is told: a row per key, a summary per account, and totals.
//!
//! Pure data and sums; how they are written is `host/report`'s and `cli`'s.

use chrono::TimeDelta;

use super::review::Review;
use super::{Census, Decision, UserFacts, Verb};
use crate::keys::facts::{KeyId, LastUsed, Status, Time};

/// What came of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was written: a dry run, a decision that writes nothing, or a cap that was hit.
    Planned,
    Done,
    Failed(String),
}

impl Outcome {
    /// The word in reports (DESIGN section 3, `result`).
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Done => "done",
            Self::Failed(_) => "failed",
        }
    }
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    pub account: String,
    pub user: UserFacts,
    pub key: KeyId,
    /// As it was read last, before any write of this run.
    pub status: Status,
    pub created: Time,
    /// At the time of the decision.
    pub age: TimeDelta,
    pub last_used: Option<LastUsed>,
    /// What the user's owner tag says, where one is named and was read: an address, or nothing usable.
    pub contact: Option<String>,
    pub decision: Decision,
    pub outcome: Outcome,
    /// Of the last write.
    pub request_id: Option<String>,
    /// When it was decided, or written; in the service's time.
    pub at: Time,
}

impl KeyRow {
    /// The command that switches the key on again, where this run switched it off and did not delete it.
    #[must_use]
    pub fn undo(&self) -> Option<String> {
        let switched_off = self.decision.verb == Verb::Disable && self.outcome == Outcome::Done;
        switched_off.then(|| {
            // IAM's names need no quotes; a name that came from elsewhere must not reach a shell.
            let user = shell_words::quote(&self.user.name);
            format!("aws iam update-access-key --user-name={user} --access-key-id {} --status Active", self.key)
        })
    }
}

/// What was left out, and why: its presence makes an account incomplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// `account/123456789012`, `group/Developers`, `user/bob`, `key/AKIA…`, `organization`.
    pub what: String,
    pub cause: String,
}

/// An exemption that spared a user's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExemptUser {
    pub user: UserFacts,
    pub by: ExemptBy,
    /// The keys it spared, where they were listed: members of an exempt group are dropped before.
    pub keys: Vec<KeyId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExemptBy {
    Group(String),
    Tag { reason: String, ends: Time },
}

/// The cap of one account was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapHit {
    pub affected: u64,
    pub allowed: u64,
    pub scanned: u64,
}

/// How many keys fell to each decision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals([u64; Verb::ALL.len()]);

impl Totals {
    pub fn count(&mut self, verb: Verb) {
        self.0[verb as usize] += 1;
    }

    pub fn set(&mut self, verb: Verb, keys: u64) {
        self.0[verb as usize] = keys;
    }

    #[must_use]
    pub fn of(&self, verb: Verb) -> u64 {
        self.0[verb as usize]
    }

    #[must_use]
    pub fn keys(&self) -> u64 {
        self.0.iter().sum()
    }

    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(own, more)| *own += more);
    }
}

/// One account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountSummary {
    pub account: String,
    /// From the organization; empty where it was not asked.
    pub name: String,
    /// Not part of the purge, and why: suspended, or the management account without the role.
    pub left: Option<String>,
    /// Members of the groups, each once, exempt ones too.
    pub users_expected: u64,
    /// Those of them that a decision was made on, exempt ones too.
    pub users_evaluated: u64,
    pub users_exempt: u64,
    pub keys_evaluated: u64,
    pub totals: Totals,
    /// Those of them whose write was made.
    pub done: Totals,
    pub census: Census,
    /// Of a `--report-only`.
    pub review: Option<Box<Review>>,
    pub skipped: Vec<Skipped>,
    pub exemptions: Vec<ExemptUser>,
    pub cap: Option<CapHit>,
    /// Writes that were tried and did not succeed.
    pub failed: u64,
    /// The run ended before the account did: another run, or the next part of this one, goes on with it.
    pub cut_short: bool,
    /// Calls made, and how many of them IAM throttled.
    pub calls: u64,
    pub throttled: u64,
}

impl AccountSummary {
    /// Everything that had to be read was read, and everything that had to be written was written.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.skipped.is_empty() && self.failed == 0 && self.users_evaluated == self.users_expected
    }
}

/// Why a purge ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// SIGINT or SIGTERM.
    Asked,
    /// `--time-limit`, or the deadline of the function it runs in.
    OutOfTime,
    /// A report could not be written any more: nothing may be done that is not on record.
    Unreported,
}

/// The whole run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    pub applied: bool,
    pub accounts: u64,
    pub accounts_left: u64,
    pub accounts_incomplete: u64,
    pub accounts_capped: u64,
    pub users_expected: u64,
    pub users_evaluated: u64,
    pub users_exempt: u64,
    pub totals: Totals,
    pub done: Totals,
    pub census: Census,
    /// Of a `--report-only`.
    pub review: Option<Box<Review>>,
    pub failed: u64,
    pub calls: u64,
    pub throttled: u64,
    /// Skipped before there was an account: the organization's lists.
    pub skipped: Vec<Skipped>,
    pub stopped: Option<Stopped>,
    pub started: Time,
    pub ended: Time,
}

impl Summary {
    #[must_use]
    pub fn complete(&self) -> bool {
        self.accounts_incomplete == 0 && self.skipped.is_empty() && self.stopped.is_none()
    }

    /// Adds an account that ended.
    pub fn add(&mut self, account: &AccountSummary) {
        self.accounts += 1;
        self.accounts_left += u64::from(account.left.is_some());
        self.accounts_incomplete += u64::from(!account.complete());
        self.accounts_capped += u64::from(account.cap.is_some());
        self.users_expected += account.users_expected;
        self.users_evaluated += account.users_evaluated;
        self.users_exempt += account.users_exempt;
        self.totals.add(&account.totals);
        self.done.add(&account.done);
        self.census.add(&account.census);
        if let Some(review) = &account.review {
            self.review.get_or_insert_default().add(review);
        }
        self.failed += account.failed;
        self.calls += account.calls;
        self.throttled += account.throttled;
    }
}
