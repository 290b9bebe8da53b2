//! Metrics in the embedded metric format (`CloudWatch` user guide, 'Embedded metric format specification'): JSON lines on
//! standard output, from which `CloudWatch` Logs takes the numbers. Nothing is called.

use serde_json::{Map, Value, json};

use crate::host::console::out;
use crate::keys::facts::Time;
use crate::keys::purge::row::{AccountSummary, Summary, Totals};
use crate::keys::purge::{Census, Verb};

/// Where the numbers go.
pub struct Metrics<'a> {
    pub namespace: &'a str,
    /// The value of the dimension `Function`.
    pub function: &'a str,
    pub run: &'a str,
}

/// What is counted of one account, and of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    pub account: String,
    pub keys: u64,
    pub totals: Totals,
    pub done: Totals,
    pub census: Census,
    pub incomplete: u64,
    pub capped: u64,
}

impl Counted {
    pub fn of(account: &AccountSummary) -> Self {
        Self {
            account: account.account.clone(),
            keys: account.keys_evaluated,
            totals: account.totals,
            done: account.done,
            census: account.census,
            incomplete: u64::from(!account.complete()),
            capped: u64::from(account.cap.is_some()),
        }
    }

    fn whole(summary: &Summary) -> Self {
        Self {
            account: String::new(),
            keys: summary.totals.keys(),
            totals: summary.totals,
            done: summary.done,
            census: summary.census,
            // What stands outside of the accounts, the organization's list, is in no account's number.
            incomplete: summary.accounts_incomplete + u64::from(!summary.skipped.is_empty()),
            capped: summary.accounts_capped,
        }
    }

    /// A dry run leaves all untouched: a cap is no news of it.
    fn numbers(&self, applied: bool) -> Vec<(&'static str, &'static str, u64)> {
        vec![
            ("KeysScanned", "Count", self.keys),
            ("KeysDisabled", "Count", self.done.of(Verb::Disable)),
            ("KeysDeleted", "Count", self.done.of(Verb::Delete)),
            ("KeysWarned", "Count", self.totals.of(Verb::Warn)),
            ("KeysExempt", "Count", self.totals.of(Verb::Exempt)),
            ("KeysNearLimit", "Count", self.census.near_limit),
            ("OldestKeyAge", "Seconds", self.census.oldest_seconds),
            ("AverageKeyAge", "Seconds", self.census.average_seconds()),
            ("UsersWithKeys", "Count", self.census.users_with_keys),
            ("AccountsIncomplete", "Count", self.incomplete),
            ("AccountsCapped", "Count", if applied { self.capped } else { 0 }),
        ]
    }
}

impl Metrics<'_> {
    /// Once for each run: invocations that did a part of it tell nothing of this, so that nothing counts twice.
    pub fn finished(&self, at: Time, accounts: &[Counted], summary: &Summary) {
        for one in accounts {
            self.object(at, Some(&one.account), &one.numbers(summary.applied));
        }
        let mut whole = Counted::whole(summary).numbers(summary.applied);
        whole.push(("RunsFinished", "Count", 1));
        self.object(at, None, &whole);
    }

    /// Of each invocation that sent notices, or held some back.
    pub fn notices(&self, at: Time, unsent: u64) {
        self.object(at, None, &[("NotificationsFailed", "Count", unsent)]);
    }

    fn object(&self, at: Time, account: Option<&str>, numbers: &[(&'static str, &'static str, u64)]) {
        let dimensions: Vec<&str> = ["Function"].into_iter().chain(account.map(|_| "Account")).collect();
        let defined: Vec<Value> = numbers.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
        let directive = json!({"Namespace": self.namespace, "Dimensions": [dimensions], "Metrics": defined});
        let metadata = json!({"Timestamp": at.timestamp_millis(), "CloudWatchMetrics": [directive]});
        let first = [("_aws", metadata), ("Function", self.function.into()), ("run", self.run.into())];
        let account = account.map(|id| ("Account", Value::from(id)));
        let values = numbers.iter().map(|(name, _, value)| (*name, Value::from(*value)));
        let all = first.into_iter().chain(account).chain(values);
        out(Value::from(all.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>()));
    }
}
