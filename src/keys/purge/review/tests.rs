//! What a review makes of users, and of the lines of earlier runs.

use proptest::prelude::*;

use super::*;
use crate::keys::facts::KeyFacts;
use crate::keys::purge::row::Outcome;
use crate::keys::purge::{Decision, KeyRead, Standing, Tags, Use, UserFacts};

fn now() -> Time {
    "2026-11-20T23:55:00Z".parse().unwrap()
}

fn id(number: u32) -> KeyId {
    KeyId::new(format!("AKIAEXAMPLE{number:09}")).unwrap()
}

/// A user with keys of these ages in days and states.
fn user(keys: &[(i64, Status)], tags: &[(&str, &str)]) -> UserRead {
    let key = |(number, (days, status)): (u32, &(i64, Status))| KeyRead {
        facts: KeyFacts { id: id(number), status: status.clone(), created: now() - TimeDelta::days(*days) },
        used: Use::NotAsked,
        seen_active: None,
    };
    UserRead {
        user: UserFacts { name: "alice".to_owned(), id: "AIDAALICE".to_owned() },
        standing: Standing::Target,
        tags: Some(tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Tags>()),
        keys: (0..).zip(keys).map(key).collect(),
    }
}

fn rows(read: &UserRead, decision: &Decision, contact: Option<&str>) -> Vec<KeyRow> {
    let row = |key: &KeyRead| KeyRow {
        account: "111122223333".to_owned(),
        user: read.user.clone(),
        key: key.facts.id.clone(),
        status: key.facts.status.clone(),
        created: key.facts.created,
        age: now() - key.facts.created,
        last_used: None,
        contact: contact.map(str::to_owned),
        decision: decision.clone(),
        outcome: Outcome::Planned,
        request_id: None,
        at: now(),
    };
    read.keys.iter().map(row).collect()
}

fn asked() -> Question {
    Question { period: TimeDelta::days(7), owners: Some(Owners::default()) }
}

/// Of a user who was made so many days ago.
fn review(read: &UserRead, rows: &[KeyRow], made: i64) -> Review {
    let made = Some(now() - TimeDelta::days(made));
    let limit = TimeDelta::days(30);
    let seen = Seen { account: "111122223333", read, made, rows, limit, exempt_tag: true, now: now() };
    Review::of_user(&seen, &asked())
}

fn keep() -> Decision {
    Decision::new(Verb::Keep, Rule::UnderAge)
}

#[test]
fn a_key_is_rotated_when_it_replaced_what_was_active() {
    let of = |keys: &[(i64, Status)], made| {
        let read = user(keys, &[]);
        review(&read, &rows(&read, &keep(), None), made).rotated
    };
    assert_eq!(of(&[(2, Status::Active)], 400), 1);
    assert_eq!(of(&[(2, Status::Active), (40, Status::Inactive)], 400), 1, "the old one waits for its deletion");
    assert_eq!(of(&[(2, Status::Active), (40, Status::Active)], 400), 0, "a second key is no rotation");
    assert_eq!(of(&[(2, Status::Active)], 3), 0, "a new user's first key");
    assert_eq!(of(&[(8, Status::Active)], 400), 0, "before the period");
    assert_eq!(of(&[(2, Status::Inactive)], 400), 0);
    assert_eq!(of(&[(7, Status::Active)], 400), 1, "the first second of the period is in it");
}

#[test]
fn bands_begin_at_their_ages() {
    let days = [1, 14, 15, 29, 30, 59, 60, 89, 90, 364, 365];
    let read = user(&days.map(|days| (days, Status::Active)), &[]);
    let bands = review(&read, &rows(&read, &keep(), None), 400).bands;
    let expected = Bands {
        under_half_the_limit: 2,
        half_to_limit: 2,
        limit_to_twice: 2,
        twice_the_limit: 5,
        days_90: 3,
        days_365: 1,
    };
    assert_eq!(bands, expected);
}

#[test]
fn only_keys_over_the_limit_are_told_as_spared() {
    let read = user(&[(40, Status::Active), (2, Status::Active)], &[]);
    let note = Some("member of the exempt group KeyExempt".to_owned());
    let by_group = Decision { note, ..Decision::new(Verb::Exempt, Rule::ExemptGroup) };
    let found = review(&read, &rows(&read, &by_group, None), 400).exempt_over_limit;
    assert_eq!(found.count(), 1);
    let spared = &found.entries[0];
    assert_eq!((spared.access_key_id.clone(), spared.until), (id(0), None));
    assert_eq!(spared.why, "member of the exempt group KeyExempt");
}

#[test]
fn exemptions_are_told_when_they_end_soon_or_count_as_none() {
    let of = |value: &str| {
        let read = user(&[(40, Status::Active)], &[("keyrot-me/exempt", value)]);
        let found = review(&read, &rows(&read, &keep(), None), 400);
        (found.exemptions_ending.count(), found.exemptions_void.count())
    };
    assert_eq!(of("2026-12-03 OPS-7 migration"), (1, 0), "ends on the fourth, in thirteen days and some");
    assert_eq!(of("2026-12-04 OPS-7 migration"), (0, 0), "ends on the fifth");
    assert_eq!(of("2026-11-19 OPS-7 migration"), (0, 1));
    assert_eq!(of("until further notice"), (0, 1));
    assert_eq!(of("2027-11-19 OPS-7 migration"), (0, 1));
}

#[test]
fn owners_are_looked_for_where_somebody_asked_and_there_is_a_key() {
    let read = user(&[(1, Status::Active), (2, Status::Active)], &[]);
    let of = |contact| review(&read, &rows(&read, &keep(), contact), 400).without_owner.unwrap();
    assert_eq!(of(None).entries[0].why, "no owner's address is known");
    assert_eq!(of(None).count(), 1, "a user, not a key");
    assert_eq!(of(Some("the platform team")).entries[0].why, "the owner's tag holds no mail address");
    assert_eq!(of(Some("alice@example.com")).count(), 0);
    let nobody = user(&[], &[]);
    assert_eq!(review(&nobody, &[], 400).without_owner.unwrap().count(), 0);
    let seen = Seen {
        account: "",
        read: &read,
        made: None,
        rows: &rows(&read, &keep(), None),
        limit: TimeDelta::days(30),
        exempt_tag: false,
        now: now(),
    };
    assert_eq!(Review::of_user(&seen, &Question { owners: None, ..asked() }).without_owner, None);
}

#[test]
fn our_records_say_what_was_disabled_in_the_period() {
    let tag = "keyrot-me/disabled/AKIAEXAMPLE000000000";
    let of = |status, value| {
        let read = user(&[(40, status)], &[(tag, value)]);
        review(&read, &rows(&read, &keep(), None), 400).disabled_on_record
    };
    let in_period = "first=2026-11-15T00:00:00Z last=2026-11-15T00:00:00Z n=1";
    assert_eq!(of(Status::Inactive, in_period), 1);
    assert_eq!(of(Status::Active, in_period), 0, "somebody switched it on again");
    assert_eq!(of(Status::Inactive, "first=2026-11-01T00:00:00Z last=2026-11-01T00:00:00Z n=1"), 0);
    assert_eq!(of(Status::Inactive, "yesterday"), 0);
}

fn line(days_ago: i64, users: u64) -> Line {
    Line {
        at: now() - TimeDelta::days(days_ago),
        applied: true,
        review: false,
        complete: true,
        accounts: 1,
        accounts_incomplete: 0,
        users_with_keys: users,
        keys: users,
        over_limit: 0,
        near_limit: 0,
        disabled: 2,
        deleted: 1,
        warned: 0,
        exempt: 0,
        oldest_seconds: 0,
        average_seconds: 0,
        run: None,
    }
}

#[test]
fn earlier_runs_are_summed_in_the_period_and_drawn_over_twelve_runs() {
    let mut found = Review { since: Some(now() - TimeDelta::days(7)), ..Review::default() };
    let mut lines: Vec<Line> = (1..30).rev().map(|week| line(week * 7, 100 + u64::try_from(week).unwrap())).collect();
    lines.push(Line { applied: false, ..line(3, 50) });
    lines.push(Line { complete: false, ..line(2, 1) });
    found.remember(&lines, &line(0, 40));
    let past = found.past.unwrap();
    assert_eq!((past.runs, past.disabled, past.deleted), (2, 4, 2), "a dry run did nothing, a part of one did");
    let users: Vec<u64> = past.trend.iter().map(|point| point.users_with_keys).collect();
    assert_eq!(users, [110, 109, 108, 107, 106, 105, 104, 103, 102, 101, 50, 40]);
}

#[test]
fn a_list_is_cut_and_says_by_how_much() {
    let mut whole = Listed::default();
    (0..MOST_LISTED + 7).for_each(|number| whole.push(number));
    assert_eq!((whole.entries.len(), whole.more), (MOST_LISTED, 7));
    let both = whole.clone();
    whole.add(&both);
    assert_eq!((whole.entries.len(), whole.count()), (MOST_LISTED, 2 * (MOST_LISTED as u64 + 7)));
}

proptest! {
    #[test]
    fn a_review_of_two_is_the_sum_of_theirs_in_any_order(
        one in prop::collection::vec((0_i64..800, any::<bool>()), 0..4),
        other in prop::collection::vec((0_i64..800, any::<bool>()), 0..4),
    ) {
        let of = |keys: &[(i64, bool)]| {
            let status = |on| if on { Status::Active } else { Status::Inactive };
            let keys: Vec<_> = keys.iter().map(|(days, on)| (*days, status(*on))).collect();
            let read = user(&keys, &[("keyrot-me/exempt", "nonsense")]);
            review(&read, &rows(&read, &Decision::new(Verb::Exempt, Rule::ExemptGroup), None), 400)
        };
        let (one, other) = (of(&one), of(&other));
        let (mut there, mut back) = (one.clone(), other.clone());
        there.add(&other);
        back.add(&one);
        prop_assert_eq!(there.bands, back.bands);
        prop_assert_eq!(there.exempt_over_limit.count(), back.exempt_over_limit.count());
        prop_assert_eq!(there.rotated, one.rotated + other.rotated);
        let text = serde_json::to_string(&there).unwrap();
        prop_assert_eq!(serde_json::from_str::<Review>(&text).unwrap(), there);
    }
}
