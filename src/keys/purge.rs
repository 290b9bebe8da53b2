//! The purge's vocabulary: what was read of a user, the rules, and the decision on a key.
//!
//! Pure. [`decide`] holds the rules in their order, [`records`] what the purge writes on users' tags,
//! [`cap`] how much one account may lose in a run, [`row`] what a report is told, [`explain`] why.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::facts::{KeyFacts, KeyId, LastUsed, Time};

pub mod cap;
pub mod census;
pub mod decide;
pub mod explain;
pub mod past;
pub mod records;
pub mod review;
pub mod row;

pub use cap::Cap;
pub use census::Census;
pub use decide::{Check, decide};
pub use explain::{Explanation, explain};
pub use row::Totals;

#[cfg(test)]
mod tests;

/// A user, as lists and `GetUser` show it. The id (`AIDA…`) tells it from a later user of the same name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserFacts {
    pub name: String,
    pub id: String,
}

/// A user's tags by name.
pub type Tags = BTreeMap<String, String>;

/// How a user stands to the groups that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Target,
    /// Member of this exempt group.
    Exempt(String),
    /// In none of the groups.
    Outside,
}

/// What is known of a key's last use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Use {
    NotAsked,
    /// IAM has no record of a use.
    Never,
    Last(LastUsed),
}

impl Use {
    #[must_use]
    pub fn last(&self) -> Option<&LastUsed> {
        match self {
            Self::Last(used) => Some(used),
            Self::NotAsked | Self::Never => None,
        }
    }
}

/// One key of a user, as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRead {
    pub facts: KeyFacts,
    pub used: Use,
    /// When this run saw it Active, where it read it before: an older record of a disabling is void.
    pub seen_active: Option<Time>,
}

impl KeyRead {
    /// Read for the first time, and nothing else of it.
    #[must_use]
    pub fn first(facts: KeyFacts) -> Self {
        Self { facts, used: Use::NotAsked, seen_active: None }
    }
}

/// One user, as far as it was read. What was not read is never taken for empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRead {
    pub user: UserFacts,
    pub standing: Standing,
    /// `None`: not asked for.
    pub tags: Option<Tags>,
    pub keys: Vec<KeyRead>,
}

impl UserRead {
    /// What IAM says of a key's last use; `None` is no use on record.
    pub fn set_use(&mut self, key: &KeyId, last: Option<LastUsed>) {
        let used = last.map_or(Use::Never, Use::Last);
        self.keys.iter_mut().filter(|read| read.facts.id == *key).for_each(|read| read.used = used.clone());
    }
}

/// What one purge goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Zero: every key is over-age.
    pub max_age: TimeDelta,
    /// Between the recorded disabling and the deletion. Zero: both in one run.
    pub grace: TimeDelta,
    /// Zero: nobody is warned.
    pub warn_before: TimeDelta,
    /// Only keys that were not used for so long are disabled.
    pub unused_for: Option<TimeDelta>,
    /// The tag `keyrot-me/exempt` counts.
    pub exempt_tag: bool,
    /// The keys that the purge itself runs on.
    pub own_keys: Vec<KeyId>,
    /// The user whose session the purge runs on, where it cannot know which key opened it: all of its
    /// keys are left alone. Its ARN's last segment and account were checked by the caller.
    pub own_user: Option<String>,
    pub cap: Cap,
}

/// What becomes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    Keep,
    /// Kept now, and over the limit soon.
    Warn,
    Disable,
    /// Inactive, and its grace is not over.
    Wait,
    Delete,
    Exempt,
    /// Not touched, because not all of it could be read, or because it changed under our hands.
    Skip,
}

impl Verb {
    pub const ALL: [Self; 7] =
        [Self::Keep, Self::Warn, Self::Disable, Self::Wait, Self::Delete, Self::Exempt, Self::Skip];

    /// The word in reports (DESIGN section 3, `decision`).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Warn => "warn",
            Self::Disable => "disable",
            Self::Wait => "wait",
            Self::Delete => "delete",
            Self::Exempt => "exempt",
            Self::Skip => "skip",
        }
    }
}

/// The rule that decided, by the name it has in reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// The purge itself runs on this key.
    OwnKey,
    /// The user is in none of the groups.
    NotATarget,
    ExemptGroup,
    UnderAge,
    WarnBefore,
    ExemptTag,
    /// A read that the decision needs did not succeed.
    Unread,
    /// A status that this program does not know.
    UnknownStatus,
    /// Used within `--unused-for`.
    InUse,
    OverAge,
    /// We disabled it, and somebody switched it on again.
    Reactivated,
    /// Inactive and over-age, without a record of when we disabled it.
    NoRecord,
    InGrace,
    PastGrace,
    /// Not there any more when it was read again.
    Gone,
    /// The user, or the decision, was another one when read again before the write.
    Changed,
}

impl Rule {
    pub const ALL: [Self; 16] = [
        Self::OwnKey,
        Self::NotATarget,
        Self::ExemptGroup,
        Self::UnderAge,
        Self::WarnBefore,
        Self::ExemptTag,
        Self::Unread,
        Self::UnknownStatus,
        Self::InUse,
        Self::OverAge,
        Self::Reactivated,
        Self::NoRecord,
        Self::InGrace,
        Self::PastGrace,
        Self::Gone,
        Self::Changed,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OwnKey => "own-key",
            Self::NotATarget => "not-a-target",
            Self::ExemptGroup => "exempt-group",
            Self::UnderAge => "under-age",
            Self::WarnBefore => "warn-before",
            Self::ExemptTag => "exempt-tag",
            Self::Unread => "unread",
            Self::UnknownStatus => "unknown-status",
            Self::InUse => "in-use",
            Self::OverAge => "over-age",
            Self::Reactivated => "reactivated",
            Self::NoRecord => "no-record",
            Self::InGrace => "in-grace",
            Self::PastGrace => "past-grace",
            Self::Gone => "gone",
            Self::Changed => "changed",
        }
    }
}

/// A decision and the rule that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub verb: Verb,
    pub rule: Rule,
    /// `Wait`: when its grace ends; `Warn`: when it is over the limit; `Exempt` by a tag: when that ends.
    pub until: Option<Time>,
    /// What a person should know besides: an exemption that is void, a record that cannot be read.
    pub note: Option<String>,
}

impl Decision {
    #[must_use]
    pub fn new(verb: Verb, rule: Rule) -> Self {
        Self { verb, rule, until: None, note: None }
    }
}
