//! Users and keys as the purge's tests write them.

use chrono::TimeDelta;

use crate::keys::facts::{KeyFacts, KeyId, LastUsed, Status, Time};
use crate::keys::purge::{Cap, KeyRead, Rules, Standing, Use, UserFacts, UserRead};

pub fn at(text: &str) -> Time {
    text.parse().unwrap()
}

/// A Friday evening.
pub fn now() -> Time {
    at("2026-11-20T23:55:00Z")
}

pub fn days(number: i64) -> TimeDelta {
    TimeDelta::days(number)
}

pub fn id(number: usize) -> KeyId {
    KeyId::new(format!("AKIAEXAMPLE{number:09}")).unwrap()
}

/// Disable after five days, delete after seven more, warn a day before.
pub fn rules() -> Rules {
    Rules {
        max_age: days(5),
        grace: days(7),
        warn_before: days(1),
        unused_for: None,
        exempt_tag: false,
        own_keys: vec![],
        own_user: None,
        cap: Cap::default(),
    }
}

pub fn key(status: Status, age: TimeDelta) -> KeyRead {
    KeyRead::first(KeyFacts { id: id(1), status, created: now() - age })
}

pub fn active(age: TimeDelta) -> KeyRead {
    key(Status::Active, age)
}

pub fn inactive(age: TimeDelta) -> KeyRead {
    key(Status::Inactive, age)
}

pub fn used(key: KeyRead, ago: TimeDelta) -> KeyRead {
    let last = LastUsed { at: now() - ago, service: "s3".into(), region: "eu-central-1".into() };
    KeyRead { used: Use::Last(last), ..key }
}

/// Alice, a target whose tags were not read; her keys have the ids 1, 2, … .
pub fn user<const N: usize>(mut keys: [KeyRead; N]) -> UserRead {
    keys.iter_mut().zip(1..).for_each(|(key, number)| key.facts.id = id(number));
    let user = UserFacts { name: "alice".into(), id: "AIDAEXAMPLE0000000001".into() };
    UserRead { user, standing: Standing::Target, tags: None, keys: keys.into() }
}

/// Her tags were read, and this is one of them.
pub fn tagged(mut user: UserRead, name: &str, value: &str) -> UserRead {
    user.tags.get_or_insert_default().insert(name.to_owned(), value.to_owned());
    user
}
