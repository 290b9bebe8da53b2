//! What a notice tells of one key, and of which keys there is anything to tell.
//!
//! Pure. Never a secret: account, user, key id and dates.

use chrono::TimeDelta;

use crate::keys::facts::{KeyId, Time};
use crate::keys::lifecycle;
use crate::keys::purge::Verb;
use crate::keys::purge::row::{KeyRow, Outcome};

/// What happened to the key, or will.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// The first purge after [`Told::then`] disables it.
    Warned,
    Disabled,
    Deleted,
}

impl Event {
    pub const ALL: [Self; 3] = [Self::Disabled, Self::Deleted, Self::Warned];

    /// The word in templates and tickets.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warned => "warned",
            Self::Disabled => "disabled",
            Self::Deleted => "deleted",
        }
    }
}

/// One key's notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub account: String,
    pub user: String,
    pub key: KeyId,
    pub created: Time,
    pub age: TimeDelta,
    pub event: Event,
    /// When it was decided, or done; in the service's time.
    pub at: Time,
    /// Warned: when it is over the limit. Disabled: the earliest that it is deleted.
    pub then: Option<Time>,
    /// What the report says besides.
    pub note: Option<String>,
}

impl Told {
    /// Writes that were done and warnings; of a plan or a failed write nothing is told.
    #[must_use]
    pub fn of(row: &KeyRow, grace: TimeDelta) -> Option<Self> {
        let done = row.outcome == Outcome::Done;
        let (event, then) = match row.decision.verb {
            Verb::Warn => (Event::Warned, row.decision.until),
            Verb::Disable if done => (Event::Disabled, Some(lifecycle::delete_after(row.at, grace))),
            Verb::Delete if done => (Event::Deleted, None),
            _ => return None,
        };
        Some(Self {
            account: row.account.clone(),
            user: row.user.name.clone(),
            key: row.key.clone(),
            created: row.created,
            age: row.age,
            event,
            at: row.at,
            then,
            note: row.decision.note.clone().filter(|_| event != Event::Warned),
        })
    }

    /// The same for every attempt to tell the same thing: `account/key id/decision/date`.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        let decision = match self.event {
            Event::Warned => Verb::Warn,
            Event::Disabled => Verb::Disable,
            Event::Deleted => Verb::Delete,
        };
        format!("{}/{}/{}/{}", self.account, self.key, decision.as_str(), self.at.format("%Y-%m-%d"))
    }
}
