//! How many keys there are and how old, in one account or in all: what metrics and the review show.
//!
//! Pure sums over what the rules saw; nothing is decided here.

use chrono::TimeDelta;

use super::row::KeyRow;
use crate::keys::lifecycle;

/// A key that is under the limit and will be over it within this time is near it: the purge comes each week.
pub const NEAR: TimeDelta = TimeDelta::days(7);

/// Keys whose rows were told, whatever was decided on them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// IAM users with at least one key.
    pub users_with_keys: u64,
    pub keys: u64,
    /// At the limit or over it, whatever was decided on them.
    pub over_limit: u64,
    /// Under the limit now and over it within [`NEAR`].
    pub near_limit: u64,
    /// In seconds; zero where there is no key.
    pub oldest_seconds: u64,
    /// Of all keys, in seconds.
    pub age_seconds: u64,
}

impl Census {
    /// Adds all keys of one user.
    pub fn add_user(&mut self, rows: &[KeyRow], max_age: TimeDelta) {
        self.users_with_keys += u64::from(!rows.is_empty());
        for row in rows {
            let age = u64::try_from(row.age.num_seconds()).unwrap_or_default();
            self.keys += 1;
            self.age_seconds += age;
            self.oldest_seconds = self.oldest_seconds.max(age);
            let over = |at| lifecycle::at_least(row.created, at, max_age);
            let decided = row.created + row.age;
            self.over_limit += u64::from(over(decided));
            self.near_limit += u64::from(!over(decided) && over(decided + NEAR));
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.users_with_keys += other.users_with_keys;
        self.keys += other.keys;
        self.over_limit += other.over_limit;
        self.near_limit += other.near_limit;
        self.oldest_seconds = self.oldest_seconds.max(other.oldest_seconds);
        self.age_seconds += other.age_seconds;
    }

    /// The mean age in seconds; zero where there is no key.
    #[must_use]
    pub fn average_seconds(&self) -> u64 {
        self.age_seconds.checked_div(self.keys).unwrap_or_default()
    }
}
