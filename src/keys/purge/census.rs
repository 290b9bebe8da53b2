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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::facts::{KeyId, Status, Time};
    use crate::keys::purge::row::Outcome;
    use crate::keys::purge::{Decision, Rule, UserFacts, Verb};

    /// A key whose age is so many hours.
    fn aged(hours: i64) -> KeyRow {
        let at: Time = "2026-11-20T23:55:00Z".parse().unwrap();
        let age = TimeDelta::hours(hours);
        KeyRow {
            account: "111122223333".to_owned(),
            user: UserFacts { name: "alice".to_owned(), id: "AIDAALICE".to_owned() },
            key: KeyId::new("AKIAEXAMPLE000000001").unwrap(),
            status: Status::Active,
            created: at - age,
            age,
            last_used: None,
            contact: None,
            decision: Decision::new(Verb::Keep, Rule::UnderAge),
            outcome: Outcome::Planned,
            request_id: None,
            at,
        }
    }

    #[test]
    fn keys_fall_to_each_side_of_the_limit_to_the_second() {
        let limit = TimeDelta::days(30);
        let mut census = Census::default();
        let under = KeyRow { age: limit - TimeDelta::seconds(1), ..aged(720) };
        let under = KeyRow { created: under.at - under.age, ..under };
        let far = KeyRow { age: TimeDelta::days(23) - TimeDelta::seconds(1), ..aged(552) };
        let far = KeyRow { created: far.at - far.age, ..far };
        census.add_user(&[aged(720), under], limit);
        census.add_user(&[aged(552), far], limit);
        census.add_user(&[], limit);
        assert_eq!((census.users_with_keys, census.keys), (2, 4), "who has no key is not counted");
        assert_eq!((census.over_limit, census.near_limit), (1, 2), "near from the seventh day before");
        assert_eq!(census.oldest_seconds, 30 * 86_400);
    }

    #[test]
    fn averages_are_of_keys_and_not_of_accounts() {
        let limit = TimeDelta::days(1);
        let (mut one, mut other) = (Census::default(), Census::default());
        one.add_user(&[aged(1), aged(1), aged(1)], limit);
        other.add_user(&[aged(9)], limit);
        one.add(&other);
        assert_eq!((one.average_seconds(), one.oldest_seconds, one.keys), (3 * 3_600, 9 * 3_600, 4));
        assert_eq!(Census::default().average_seconds(), 0);
    }
}
