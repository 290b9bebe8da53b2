//! Accounts that several parts tell of: which of a key's rows counts, and what the account comes to.
//!
//! Kept in memory: a few words for each key of these accounts, and of no other.

use std::collections::{HashMap, HashSet};

use super::MergeError;
use super::part::Listener;
use crate::keys::facts::KeyId;
use crate::keys::purge::row::{AccountSummary, KeyRow, Outcome};
use crate::keys::purge::{Census, Totals};

/// What is known of accounts that several parts tell of.
pub struct Several {
    /// The one that is being read.
    pub part: usize,
    accounts: HashMap<String, Account>,
}

#[derive(Default)]
struct Account {
    /// The last part that tells of it.
    last: usize,
    keys: HashMap<(String, KeyId), Winner>,
    /// Users with keys, in the last part.
    users: HashSet<String>,
    calls: u64,
    throttled: u64,
    /// Of the rows that count.
    totals: Totals,
    done: Totals,
    failed: u64,
    /// Of keys that the last part does not tell of any more.
    gone: Census,
    users_gone: HashSet<String>,
}

/// The row of a key that counts so far.
struct Winner {
    part: usize,
    worth: Worth,
    /// The last part tells of it.
    in_last: bool,
}

/// Of two rows the one that is worth more counts, and the later one of equals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    /// Planned by a part that is not the last.
    Nothing,
    Tried,
    LastWord,
    Done,
}

impl Several {
    /// Of these accounts, each with the last part that tells of it.
    pub fn of(accounts: impl Iterator<Item = (String, usize)>) -> Self {
        let accounts = accounts.map(|(id, last)| (id, Account { last, ..Account::default() })).collect();
        Self { part: 0, accounts }
    }

    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// True where the row is to be told; it is counted then.
    pub fn counts(&mut self, number: usize, row: &KeyRow) -> bool {
        let Some(account) = self.accounts.get_mut(&row.account) else { return true };
        let Some(winner) = account.keys.get(&(row.user.id.clone(), row.key.clone())) else { return false };
        if winner.part != number || winner.worth == Worth::Nothing {
            return false;
        }
        account.totals.count(row.decision.verb);
        match &row.outcome {
            Outcome::Done => account.done.count(row.decision.verb),
            Outcome::Failed(_) => account.failed += 1,
            Outcome::Planned => {}
        }
        if !winner.in_last {
            let age = u64::try_from(row.age.num_seconds()).unwrap_or_default();
            let new_user = !account.users.contains(&row.user.id) && account.users_gone.insert(row.user.id.clone());
            account.gone.add(&Census {
                users_with_keys: u64::from(new_user),
                keys: 1,
                // Nothing else is disabled, deleted, or tried to be.
                over_limit: 1,
                near_limit: 0,
                oldest_seconds: age,
                age_seconds: age,
            });
        }
        true
    }

    /// Puts what the parts come to together into the last one's summary, once all rows were told.
    pub fn amend(&self, summary: &mut AccountSummary) {
        let Some(account) = self.accounts.get(&summary.account) else { return };
        summary.totals = account.totals;
        summary.done = account.done;
        summary.keys_evaluated = account.totals.keys();
        summary.failed = account.failed;
        summary.calls = account.calls;
        summary.throttled = account.throttled;
        summary.census.add(&account.gone);
    }
}

impl Listener for Several {
    const KEYS: bool = true;

    fn key(&mut self, row: KeyRow) -> Result<(), MergeError> {
        let Some(account) = self.accounts.get_mut(&row.account) else { return Ok(()) };
        let (part, last) = (self.part, self.part == account.last);
        let worth = match &row.outcome {
            Outcome::Done => Worth::Done,
            _ if last => Worth::LastWord,
            Outcome::Failed(_) => Worth::Tried,
            Outcome::Planned => Worth::Nothing,
        };
        if last {
            account.users.insert(row.user.id.clone());
        }
        let winner = account.keys.entry((row.user.id, row.key)).or_insert(Winner { part, worth, in_last: last });
        winner.in_last |= last;
        if worth >= winner.worth {
            (winner.part, winner.worth) = (part, worth);
        }
        Ok(())
    }

    /// What an account cost counts, whether or not the rest of its summary does.
    fn account(&mut self, summary: AccountSummary) -> Result<(), MergeError> {
        if let Some(account) = self.accounts.get_mut(&summary.account) {
            account.calls += summary.calls;
            account.throttled += summary.throttled;
        }
        Ok(())
    }
}
