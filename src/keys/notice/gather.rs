//! What one run has to tell, gathered while it goes on.
//!
//! Pure. A warning waits until its account has ended: where that was cut short, the next part of the run looks at the
//! account again and warns. What was written is always told by the run that wrote it.

use std::collections::HashMap;

use chrono::TimeDelta;

use super::letters::{Letters, Tickets};
use super::owner::Owners;
use super::told::{Event, Told};
use crate::keys::purge::row::{AccountSummary, CapHit, KeyRow};

/// Accounts that a summary names; the report has all of them.
pub const MOST_ACCOUNTS: usize = 20;

/// Of which keys whom to tell.
#[derive(Debug, Clone)]
pub struct Asked {
    /// False in a dry run and a review: nobody but the readers of summaries is told.
    pub applied: bool,
    pub owners: Owners,
    /// Owners, and tickets, at most.
    pub most: usize,
    pub grace: TimeDelta,
}

/// An account that readers of a summary should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete {
    pub account: String,
    pub name: String,
    /// What was left out first, and how much else.
    pub what: String,
    pub more: u64,
}

/// What one run has to tell.
#[derive(Debug)]
pub struct Gathered {
    asked: Asked,
    pub letters: Letters,
    pub tickets: Tickets,
    /// By account, until it has ended.
    warned: HashMap<String, Letters>,
    /// The first [`MOST_ACCOUNTS`].
    pub incomplete: Vec<Incomplete>,
    /// The first [`MOST_ACCOUNTS`].
    pub capped: Vec<(String, CapHit)>,
}

impl Gathered {
    #[must_use]
    pub fn new(asked: Asked) -> Self {
        let (letters, tickets) = (Letters::new(asked.most), Tickets::new(asked.most));
        Self { asked, letters, tickets, warned: HashMap::new(), incomplete: Vec::new(), capped: Vec::new() }
    }

    pub fn key(&mut self, row: &KeyRow) {
        if !self.asked.applied {
            return;
        }
        let Some(told) = Told::of(row, self.asked.grace) else { return };
        let owner = self.asked.owners.address(&row.account, &row.user.name, row.contact.as_deref());
        if told.event == Event::Warned {
            let most = self.asked.most;
            self.warned.entry(row.account.clone()).or_insert_with(|| Letters::new(most)).add(owner, told);
        } else {
            self.tickets.add(told.clone());
            self.letters.add(owner, told);
        }
    }

    pub fn account(&mut self, account: &AccountSummary) {
        let warned = self.warned.remove(&account.account).filter(|_| !account.cut_short);
        if let Some(warned) = warned {
            self.letters.append(warned);
        }
        if !account.complete() && self.incomplete.len() < MOST_ACCOUNTS {
            let what = account.skipped.first().map(|skipped| format!("{}: {}", skipped.what, skipped.cause));
            self.incomplete.push(Incomplete {
                account: account.account.clone(),
                name: account.name.clone(),
                what: what.unwrap_or_else(|| format!("{} writes failed", account.failed)),
                more: (account.skipped.len() as u64).saturating_sub(1),
            });
        }
        if let Some(cap) = account.cap.filter(|_| self.capped.len() < MOST_ACCOUNTS) {
            self.capped.push((account.account.clone(), cap));
        }
    }
}

#[cfg(test)]
mod tests;
