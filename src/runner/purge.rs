//! The purge over accounts: which ones, each scanned, capped and acted upon, and what is told of it.
//!
//! Observes through `ports` and asks `keys::purge`; it decides nothing about a key itself. No adapter is
//! named here.

use chrono::TimeDelta;

use crate::keys::facts::Time;
use crate::keys::purge::Rules;

pub mod pace;

/// Whose keys are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Users {
    All,
    /// Members of any of these groups, each user once.
    Groups(Vec<String>),
}

/// In which accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The caller's own, with its own credentials; through the role where one is named.
    Own,
    /// These; the caller's own without a role where none is named.
    Accounts(Vec<String>),
    /// All active accounts of the organization, or of these units and the units below them.
    Organization { units: Vec<String> },
}

/// What one purge is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub scope: Scope,
    pub users: Users,
    /// Members of any of these are spared.
    pub exempt_groups: Vec<String>,
    pub rules: Rules,
    /// Without it nothing is changed.
    pub apply: bool,
    /// A report wants the last use of every over-age key.
    pub report_last_use: bool,
    /// A group without members is no gap in the coverage.
    pub allow_empty: bool,
    /// The name of the role to assume in each account.
    pub role: Option<String>,
    pub external_id: Option<String>,
    /// In local time: after it nothing new is begun.
    pub deadline: Option<Time>,
    /// How many accounts are worked on at once.
    pub accounts_at_once: usize,
    /// How long throttled calls of one account are repeated without a single success.
    pub patience: TimeDelta,
}
