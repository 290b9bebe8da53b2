//! How things stand, for the weekly and the monthly review: who is spared and until when, who has no owner, how old the
//! keys are, what became of them in the period, and whether there are fewer of them.
//!
//! Pure sums over what one run read, and over the lines of earlier runs. They can be added up, account by account; lists
//! are cut, with a count of the rest.

use chrono::{SubsecRound, TimeDelta};
use serde::{Deserialize, Serialize};

use super::past::Line;
use super::records::{self, Exemption, Record};
use super::row::KeyRow;
use super::{Rule, UserRead, Verb};
use crate::keys::facts::{KeyId, Status, Time};
use crate::keys::lifecycle;
use crate::keys::notice::owner::Owners;

mod words;

pub use words::Table;

/// Entries that a list of a review holds.
pub const MOST_LISTED: usize = 500;
/// An exemption that ends within this time is told while there is time to renew it.
pub const SOON: TimeDelta = TimeDelta::days(14);
/// Runs that the trend shows.
pub const TREND: usize = 12;

/// What a review is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// How far back it looks.
    pub period: TimeDelta,
    /// Where addresses of owners come from; `None`: users without one are not looked for.
    pub owners: Option<Owners>,
}

/// A list that does not grow without end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed<T> {
    pub entries: Vec<T>,
    /// How many there are besides.
    pub more: u64,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), more: 0 }
    }
}

impl<T: Clone> Listed<T> {
    pub fn push(&mut self, entry: T) {
        if self.entries.len() < MOST_LISTED {
            self.entries.push(entry);
        } else {
            self.more += 1;
        }
    }

    fn add(&mut self, other: &Self) {
        self.more += other.more;
        other.entries.iter().for_each(|entry| self.push(entry.clone()));
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.entries.len() as u64 + self.more
    }
}

/// A key over the limit that an exemption spares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spared {
    pub account: String,
    pub user: String,
    pub access_key_id: KeyId,
    pub age_seconds: i64,
    /// The exempt group, or ticket and reason of the tag.
    pub why: String,
    /// By a group: as long as the membership lasts.
    pub until: Option<Time>,
}

/// A valid exemption that ends soon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    pub account: String,
    pub user: String,
    pub reason: String,
    pub ends: Time,
}

/// Something about a user, in words: an exemption that counts as none, an owner who cannot be written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    pub account: String,
    pub user: String,
    pub why: String,
}

/// Keys by age, whatever was decided on them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bands {
    pub under_half_the_limit: u64,
    pub half_to_limit: u64,
    pub limit_to_twice: u64,
    /// Twice the limit and more.
    pub twice_the_limit: u64,
    /// Of all these, 90 days and more, as auditors ask (CIS AWS Foundations Benchmark, 'access keys are rotated every 90
    /// days').
    pub days_90: u64,
    pub days_365: u64,
}

impl Bands {
    fn count(&mut self, row: &KeyRow, limit: TimeDelta) {
        let at_least = |span| lifecycle::at_least(row.created, row.created + row.age, span);
        let band = match () {
            () if at_least(limit * 2) => &mut self.twice_the_limit,
            () if at_least(limit) => &mut self.limit_to_twice,
            () if at_least(limit / 2) => &mut self.half_to_limit,
            () => &mut self.under_half_the_limit,
        };
        *band += 1;
        self.days_90 += u64::from(at_least(TimeDelta::days(90)));
        self.days_365 += u64::from(at_least(TimeDelta::days(365)));
    }

    fn add(&mut self, other: &Self) {
        self.under_half_the_limit += other.under_half_the_limit;
        self.half_to_limit += other.half_to_limit;
        self.limit_to_twice += other.limit_to_twice;
        self.twice_the_limit += other.twice_the_limit;
        self.days_90 += other.days_90;
        self.days_365 += other.days_365;
    }
}

/// What earlier runs say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// Runs with `--apply` in the period.
    pub runs: u64,
    /// By them.
    pub disabled: u64,
    /// By them.
    pub deleted: u64,
    /// Oldest first, this review last; only runs that left nothing out.
    pub trend: Vec<Point>,
}

/// One point of the trend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    pub at: Time,
    pub users_with_keys: u64,
    pub keys: u64,
    pub over_limit: u64,
}

/// How things stand, in one account or in all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    pub period_seconds: i64,
    /// When the period began, in the service's time; in a sum the earliest.
    pub since: Option<Time>,
    pub exempt_over_limit: Listed<Spared>,
    pub exemptions_ending: Listed<Ending>,
    pub exemptions_void: Listed<Remark>,
    /// Users with keys; `None`: not asked for.
    pub without_owner: Option<Listed<Remark>>,
    pub bands: Bands,
    /// Active keys made in the period by users who were there before it and have no older Active key. A first key of an
    /// old user, and a key whose predecessor somebody deleted long ago, look the same: IAM keeps no trace of a key that
    /// is gone.
    pub rotated: u64,
    /// Keys that our records say were disabled in the period, and that are still there.
    pub disabled_on_record: u64,
    /// From the history; `None`: there is none.
    pub past: Option<Past>,
}

/// What was read of one user.
pub struct Seen<'a> {
    pub account: &'a str,
    pub read: &'a UserRead,
    /// When the user was made, where `GetUser` was asked.
    pub made: Option<Time>,
    pub rows: &'a [KeyRow],
    pub limit: TimeDelta,
    pub exempt_tag: bool,
    pub now: Time,
}

impl Review {
    #[must_use]
    pub fn of_user(seen: &Seen<'_>, asked: &Question) -> Self {
        let since = (seen.now - asked.period).trunc_subsecs(0);
        let mut review = Self { period_seconds: asked.period.num_seconds(), since: Some(since), ..Self::default() };
        review.without_owner = asked.owners.as_ref().map(|owners| without_owner(seen, owners));
        for row in seen.rows {
            review.bands.count(row, seen.limit);
            let over = lifecycle::at_least(row.created, row.created + row.age, seen.limit);
            if row.decision.verb == Verb::Exempt && over {
                review.exempt_over_limit.push(spared(row));
            }
            review.rotated += u64::from(rotated(row, seen, since));
            review.disabled_on_record += u64::from(disabled(row, seen, since));
        }
        if seen.exempt_tag {
            review.exemption(seen);
        }
        review
    }

    fn exemption(&mut self, seen: &Seen<'_>) {
        let (account, user) = (seen.account.to_owned(), seen.read.user.name.clone());
        match seen.read.tags.as_ref().map(|tags| records::exemption(tags, seen.now)) {
            Some(Exemption::Void(why)) => self.exemptions_void.push(Remark { account, user, why }),
            Some(Exemption::Valid { reason, ends }) if ends <= seen.now + SOON => {
                self.exemptions_ending.push(Ending { account, user, reason, ends });
            }
            _ => {}
        }
    }

    /// Adds another user's, or another account's.
    pub fn add(&mut self, other: &Self) {
        self.period_seconds = self.period_seconds.max(other.period_seconds);
        self.since = [self.since, other.since].into_iter().flatten().min();
        self.exempt_over_limit.add(&other.exempt_over_limit);
        self.exemptions_ending.add(&other.exemptions_ending);
        self.exemptions_void.add(&other.exemptions_void);
        if let Some(more) = &other.without_owner {
            self.without_owner.get_or_insert_default().add(more);
        }
        self.bands.add(&other.bands);
        self.rotated += other.rotated;
        self.disabled_on_record += other.disabled_on_record;
    }

    /// Puts in what the lines of earlier runs say, oldest first, `this` being the run's own.
    pub fn remember(&mut self, lines: &[Line], this: &Line) {
        let since = self.since.unwrap_or(this.at);
        let lines: Vec<&Line> = lines.iter().filter(|line| !line.is_again(this)).collect();
        let in_period = lines.iter().filter(|line| line.applied && line.at >= since && line.at <= this.at);
        let mut past = Past::default();
        for line in in_period {
            past.runs += 1;
            past.disabled += line.disabled;
            past.deleted += line.deleted;
        }
        let whole = lines.iter().copied().chain([this]).filter(|line| line.complete);
        past.trend = whole.map(Point::of).collect();
        past.trend.drain(..past.trend.len().saturating_sub(TREND));
        self.past = Some(past);
    }
}

impl Point {
    fn of(line: &Line) -> Self {
        Self { at: line.at, users_with_keys: line.users_with_keys, keys: line.keys, over_limit: line.over_limit }
    }
}

fn without_owner(seen: &Seen<'_>, owners: &Owners) -> Listed<Remark> {
    let mut list = Listed::default();
    let Some(row) = seen.rows.first() else { return list };
    let user = &seen.read.user.name;
    if let Err(why) = owners.address(seen.account, user, row.contact.as_deref()) {
        list.push(Remark { account: seen.account.to_owned(), user: user.clone(), why });
    }
    list
}

fn spared(row: &KeyRow) -> Spared {
    let by = row.decision.note.clone();
    Spared {
        account: row.account.clone(),
        user: row.user.name.clone(),
        access_key_id: row.key.clone(),
        age_seconds: row.age.num_seconds(),
        why: by.unwrap_or_else(|| row.decision.rule.as_str().to_owned()),
        until: row.decision.until.filter(|_| row.decision.rule == Rule::ExemptTag),
    }
}

fn rotated(row: &KeyRow, seen: &Seen<'_>, since: Time) -> bool {
    let older = |other: &&KeyRow| other.status == Status::Active && other.created < row.created;
    row.status == Status::Active
        && row.created >= since
        && seen.made.is_some_and(|made| made < since)
        && !seen.rows.iter().any(|other| older(&other))
}

fn disabled(row: &KeyRow, seen: &Seen<'_>, since: Time) -> bool {
    let record = seen.read.tags.as_ref().map(|tags| records::record(tags, &row.key, seen.now));
    matches!(record, Some(Record::Valid(record)) if record.last >= since) && row.status != Status::Active
}

#[cfg(test)]
mod tests;
