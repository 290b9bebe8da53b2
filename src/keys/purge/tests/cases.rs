//! Generated accounts. What is true is kept beside what is read, so that the properties judge by meaning
//! and not by the text that the rules parse.

use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::sample::select;

use super::fixture::{days, id, key, now, tagged, used};
use crate::keys::facts::{KeyId, Status, Time};
use crate::keys::purge::{Cap, KeyRead, Rules, Standing, Tags, Use, UserFacts, UserRead, records};

const SECOND: TimeDelta = TimeDelta::seconds(1);

/// What an administrator wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    None,
    /// Its last day is so many days ahead.
    Until(i64),
    Malformed,
}

impl Pass {
    pub fn holds(self) -> bool {
        matches!(self, Self::Until(0..=90))
    }

    fn text(self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Until(ahead) => Some(format!("{} OPS-7 vendor", (now() + days(ahead)).date_naive())),
            Self::Malformed => Some("OPS-7 until summer".into()),
        }
    }
}

/// What stands on the user's tags about one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    None,
    /// Disabled so long ago; in the future where it is negative.
    Ago(TimeDelta),
    Garbled,
}

impl Mark {
    /// Since when the key counts as disabled by us.
    pub fn since(self) -> Option<Time> {
        match self {
            Self::Ago(ago) => (ago >= TimeDelta::zero()).then(|| now() - ago),
            Self::None | Self::Garbled => None,
        }
    }

    fn text(self) -> Option<String> {
        let text = |at: Time| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        match self {
            Self::None => None,
            Self::Ago(ago) => Some(format!("first={} last={} n=3", text(now() - ago - days(9)), text(now() - ago))),
            Self::Garbled => Some("by hand".into()),
        }
    }
}

#[derive(Debug, Clone)]
pub struct KeyCase {
    pub read: KeyRead,
    /// What `GetAccessKeyLastUsed` would say.
    pub use_on_record: Use,
    pub mark: Mark,
}

#[derive(Debug, Clone)]
pub struct UserCase {
    pub user: UserFacts,
    pub standing: Standing,
    pub pass: Pass,
    pub keys: Vec<KeyCase>,
    /// `GetUser` was answered.
    pub tags_read: bool,
}

impl UserCase {
    /// What `GetUser` says.
    pub fn tags(&self) -> Tags {
        let empty = UserRead { tags: Some(Tags::new()), ..self.listed() };
        let exempt = self.pass.text().map(|value| (records::EXEMPT.to_owned(), value));
        let mark = |key: &KeyCase| Some((records::disabled_tag(&key.read.facts.id), key.mark.text()?));
        let tags = exempt.into_iter().chain(self.keys.iter().filter_map(mark));
        tags.fold(empty, |user, (name, value)| tagged(user, &name, &value)).tags.unwrap()
    }

    /// As far as the lists go: no tags, no last uses.
    pub fn listed(&self) -> UserRead {
        let keys = self.keys.iter().map(|key| KeyRead { used: Use::NotAsked, ..key.read.clone() }).collect();
        UserRead { user: self.user.clone(), standing: self.standing.clone(), tags: None, keys }
    }

    /// With the answers that the case says were had.
    pub fn read(&self) -> UserRead {
        let keys = self.keys.iter().map(|key| key.read.clone()).collect();
        UserRead { tags: self.tags_read.then(|| self.tags()), keys, ..self.listed() }
    }

    /// With every answer there is.
    pub fn known(&self) -> UserRead {
        let mut user = UserRead { tags: Some(self.tags()), ..self.listed() };
        user.keys.iter_mut().zip(&self.keys).for_each(|(key, case)| key.used = case.use_on_record.clone());
        user
    }
}

fn use_on_record() -> impl Strategy<Value = Use> {
    let last = [-days(1), TimeDelta::zero(), days(10) - SECOND, days(10), days(300), days(6000)];
    let last = select(last.to_vec()).prop_map(|ago| used(key(Status::Active, days(0)), ago).used);
    prop_oneof![1 => Just(Use::Never), 2 => last]
}

fn mark() -> impl Strategy<Value = Mark> {
    let ago = [-days(1), -SECOND, TimeDelta::zero(), days(7) - SECOND, days(7), days(400)];
    prop_oneof![1 => Just(Mark::None), 4 => select(ago.to_vec()).prop_map(Mark::Ago), 1 => Just(Mark::Garbled)]
}

fn key_case() -> impl Strategy<Value = KeyCase> {
    let age = [-days(1), TimeDelta::zero(), days(4) - SECOND, days(4), days(5) - SECOND, days(5), days(40), days(5000)];
    let status = prop_oneof![
        4 => Just(Status::Active),
        4 => Just(Status::Inactive),
        1 => Just(Status::Other("Expired".into())),
    ];
    (status, select(age.to_vec()), use_on_record(), prop::bool::weighted(0.7), mark()).prop_map(
        |(status, age, use_on_record, asked, mark)| {
            let used = if asked { use_on_record.clone() } else { Use::NotAsked };
            KeyCase { read: KeyRead { used, ..key(status, age) }, use_on_record, mark }
        },
    )
}

fn user_case() -> impl Strategy<Value = UserCase> {
    let standing = prop_oneof![
        6 => Just(Standing::Target),
        1 => Just(Standing::Outside),
        1 => Just(Standing::Exempt("Vendors".into())),
    ];
    let until = select(vec![-30, -1, 0, 1, 90, 91]).prop_map(Pass::Until);
    let pass = prop_oneof![2 => Just(Pass::None), 2 => until, 1 => Just(Pass::Malformed)];
    (standing, pass, prop::collection::vec(key_case(), 0..4), prop::bool::weighted(0.7)).prop_map(
        |(standing, pass, keys, tags_read)| {
            let user = UserFacts { name: String::new(), id: String::new() };
            UserCase { user, standing, pass, keys, tags_read }
        },
    )
}

/// Up to five users, each with up to three keys; all names and ids differ.
pub fn account() -> impl Strategy<Value = Vec<UserCase>> {
    prop::collection::vec(user_case(), 0..6).prop_map(|mut users| {
        for (number, user) in users.iter_mut().enumerate() {
            user.user = UserFacts { name: format!("user{number}"), id: format!("AIDA{number}") };
            user.keys.iter_mut().zip(1..).for_each(|(key, nth)| key.read.facts.id = id(10 * number + nth));
        }
        users
    })
}

pub fn any_rules() -> impl Strategy<Value = Rules> {
    let durations = |of: &[TimeDelta]| select(of.to_vec());
    let own_keys: Vec<KeyId> = (0..6).flat_map(|user| (1..4).map(move |nth| id(10 * user + nth))).collect();
    let own_user = prop_oneof![3 => Just(None), 1 => (0..6).prop_map(|number| Some(format!("user{number}")))];
    (
        durations(&[TimeDelta::zero(), days(5), days(5), days(40)]),
        durations(&[TimeDelta::zero(), SECOND, days(7)]),
        durations(&[TimeDelta::zero(), days(1)]),
        prop_oneof![Just(None), durations(&[TimeDelta::zero(), days(10)]).prop_map(Some)],
        any::<bool>(),
        prop::sample::subsequence(own_keys, 0..3),
        own_user,
    )
        .prop_map(|(max_age, grace, warn_before, unused_for, exempt_tag, own_keys, own_user)| Rules {
            max_age,
            grace,
            warn_before,
            unused_for,
            exempt_tag,
            own_keys,
            own_user,
            cap: Cap::default(),
        })
}
