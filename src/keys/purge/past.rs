//! One line for each finished purge: what reviews and trends are made of.
//!
//! Pure data; where the lines are kept is `host`'s.

use serde::{Deserialize, Serialize};

use super::Verb;
use super::row::Summary;
use crate::keys::facts::Time;

/// One finished run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When it ended, in the service's time.
    pub at: Time,
    pub applied: bool,
    /// It was a `--report-only`: members of exempt groups are in `exempt` too.
    pub review: bool,
    /// Nothing was left out: only then its numbers are the whole.
    pub complete: bool,
    pub accounts: u64,
    pub accounts_incomplete: u64,
    /// IAM users with at least one key; here and below without members of exempt groups, whose keys a purge never lists.
    pub users_with_keys: u64,
    pub keys: u64,
    pub over_limit: u64,
    pub near_limit: u64,
    /// Done, not planned.
    pub disabled: u64,
    /// Done, not planned.
    pub deleted: u64,
    pub warned: u64,
    /// Keys that an exemption spared.
    pub exempt: u64,
    pub oldest_seconds: u64,
    pub average_seconds: u64,
    /// The run's name, where it has one: a run has one line, whoever wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

impl Line {
    #[must_use]
    pub fn of(summary: &Summary, review: bool) -> Self {
        let census = &summary.census;
        Self {
            at: summary.ended,
            applied: summary.applied,
            review,
            complete: summary.complete(),
            accounts: summary.accounts,
            accounts_incomplete: summary.accounts_incomplete,
            users_with_keys: census.users_with_keys,
            keys: census.keys,
            over_limit: census.over_limit,
            near_limit: census.near_limit,
            disabled: summary.done.of(Verb::Disable),
            deleted: summary.done.of(Verb::Delete),
            warned: summary.totals.of(Verb::Warn),
            exempt: summary.totals.of(Verb::Exempt),
            oldest_seconds: census.oldest_seconds,
            average_seconds: census.average_seconds(),
            run: None,
        }
    }

    /// The line of a run that has a name.
    #[must_use]
    pub fn named(self, run: &str) -> Self {
        Self { run: Some(run.to_owned()), ..self }
    }

    /// True where both are of one run that has a name; its review is another.
    #[must_use]
    pub fn is_again(&self, other: &Self) -> bool {
        self.run.is_some() && self.run == other.run && self.review == other.review
    }
}
