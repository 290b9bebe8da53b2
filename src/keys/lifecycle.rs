//! The only home of age, grace and retirement rules: rotation, status, reminders and purge call these.
//!
//! Pure. All instants are in the service's time.

use chrono::TimeDelta;

use super::facts::Time;
use super::policy::Limits;

/// How a key stands against its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    Fresh,
    Due,
    Overdue,
}

/// Age of a key: now − CreateDate, never negative.
#[must_use]
pub fn age(created: Time, now: Time) -> TimeDelta {
    (now - created).max(TimeDelta::zero())
}

/// The plain age test of `--if-older-than`.
#[must_use]
pub fn at_least(created: Time, now: Time, limit: TimeDelta) -> bool {
    age(created, now) >= limit
}

/// **overdue**: age ≥ `purge.limit`. **due**: age ≥ `rotation.max_age`, or the key would be over the
/// limit at the first purge after now and a key made now would not be. **fresh**: neither.
#[must_use]
pub fn freshness(created: Time, now: Time, limits: &Limits) -> Freshness {
    let Some(purge) = &limits.purge else {
        return if at_least(created, now, limits.max_age) { Freshness::Due } else { Freshness::Fresh };
    };
    if at_least(created, now, purge.limit) {
        return Freshness::Overdue;
    }
    let taken_unless_rotated_now = purge.at.as_ref().is_some_and(|hour| {
        let first = hour.next_after(now);
        at_least(created, first, purge.limit) && !at_least(now, first, purge.limit)
    });
    if taken_unless_rotated_now || at_least(created, now, limits.max_age) { Freshness::Due } else { Freshness::Fresh }
}

/// The timer's week: from its last weekly hour to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Week {
    pub began: Time,
    pub ends: Time,
}

/// Whether a daily run of the timer rotates the key: it was due at the weekly hour already, or the purge would take it
/// before the next one and a key made now not. One that comes due in between waits for that hour: rotated at the week-end, it would be over
/// the limit on Friday.
#[must_use]
pub fn due_in_week(created: Time, now: Time, limits: &Limits, week: Week) -> bool {
    let was_due = created <= week.began && freshness(created, week.began, limits) != Freshness::Fresh;
    let taken = purge_at(created, now, limits).filter(|taken| *taken < week.ends);
    was_due || taken.is_some_and(|taken| purge_at(now, now, limits) > Some(taken))
}

/// The purge that would take a key of this age: the first one after now at which it is over the limit.
/// Without a known hour it is the moment the limit is reached. `None` when no purge is configured.
#[must_use]
pub fn purge_at(created: Time, now: Time, limits: &Limits) -> Option<Time> {
    let purge = limits.purge.as_ref()?;
    let over = created + purge.limit;
    Some(match &purge.at {
        // A purge at the very moment the limit is reached takes the key, hence the second before.
        Some(hour) => hour.next_after((over - TimeDelta::seconds(1)).max(now)),
        None => over,
    })
}

/// When a retired key may be deleted.
#[must_use]
pub fn delete_after(retired: Time, grace: TimeDelta) -> Time {
    retired + grace
}

/// A grace that ran into the future (a clock set back) is not over.
#[must_use]
pub fn past_grace(retired: Time, grace: TimeDelta, now: Time) -> bool {
    now >= delete_after(retired, grace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::policy::{PurgeLimit, WeeklyHour};

    fn utc(text: &str) -> Time {
        text.parse().unwrap()
    }

    fn friday(limit_days: i64, max_age_days: i64) -> Limits {
        Limits {
            max_age: TimeDelta::days(max_age_days),
            purge: Some(PurgeLimit {
                limit: TimeDelta::days(limit_days),
                at: Some(WeeklyHour::new("Fri 23:55", "UTC").unwrap()),
            }),
        }
    }

    #[test]
    fn overdue_outranks_due_outranks_fresh() {
        let limits = friday(7, 5);
        let now = utc("2026-11-16T09:00:00Z");
        let of = |days| freshness(now - TimeDelta::days(days), now, &limits);
        assert_eq!(of(7), Freshness::Overdue);
        assert_eq!(of(5), Freshness::Due);
        assert_eq!(of(0), Freshness::Fresh);
    }

    #[test]
    fn a_key_that_this_fridays_purge_would_take_is_due_on_monday() {
        let limits = friday(5, 90);
        let monday = utc("2026-11-16T09:00:00Z");
        assert_eq!(freshness(utc("2026-11-15T12:00:00Z"), monday, &limits), Freshness::Due);
    }

    #[test]
    fn a_key_is_not_due_when_a_new_one_would_be_taken_as_well() {
        let limits = friday(3, 90);
        let monday = utc("2026-11-16T09:00:00Z");
        assert_eq!(freshness(utc("2026-11-15T12:00:00Z"), monday, &limits), Freshness::Fresh);
    }

    #[test]
    fn the_purge_that_takes_a_key_is_the_first_after_its_limit() {
        let limits = friday(5, 5);
        let now = utc("2026-11-16T09:00:00Z");
        assert_eq!(purge_at(utc("2026-10-01T00:00:00Z"), now, &limits), Some(utc("2026-11-20T23:55:00Z")));
        assert_eq!(purge_at(utc("2026-11-15T23:55:00Z"), now, &limits), Some(utc("2026-11-20T23:55:00Z")));
        assert_eq!(purge_at(utc("2026-11-15T23:55:01Z"), now, &limits), Some(utc("2026-11-27T23:55:00Z")));
        let no_purge = Limits { purge: None, ..limits };
        assert_eq!(purge_at(now, now, &no_purge), None);
    }

    #[test]
    fn within_the_week_only_what_was_due_at_its_hour_or_would_be_taken_is_rotated() {
        let limits = friday(5, 5);
        let week = Week { began: utc("2026-11-16T09:00:00Z"), ends: utc("2026-11-23T09:00:00Z") };
        let on = |created, now| due_in_week(utc(created), utc(now), &limits, week);
        assert!(on("2026-10-01T00:00:00Z", "2026-11-18T09:00:00Z"), "missed on Monday");
        assert!(!on("2026-11-16T09:00:05Z", "2026-11-17T09:00:00Z"), "made on Monday");
        assert!(
            !on("2026-11-16T09:00:05Z", "2026-11-22T09:00:00Z"),
            "Sunday: past five days, and Monday is early enough"
        );
        assert_eq!(freshness(utc("2026-11-16T09:00:05Z"), utc("2026-11-22T09:00:00Z"), &limits), Freshness::Overdue);
        assert!(on("2026-11-14T09:00:00Z", "2026-11-17T09:00:00Z"), "this Friday's purge would take it");
        let strict = friday(3, 3);
        let on_day = |day| due_in_week(utc("2026-11-16T09:00:05Z"), utc(day), &strict, week);
        assert!(!on_day("2026-11-17T09:00:00Z"), "a key made on Tuesday would be taken as well");
        assert!(on_day("2026-11-18T09:00:00Z"));
        let later = Limits { max_age: TimeDelta::days(90), purge: None };
        let rarely = |created| due_in_week(utc(created), utc("2026-11-18T09:00:00Z"), &later, week);
        assert!(!rarely("2026-11-01T00:00:00Z"));
        assert!(rarely("2026-08-01T00:00:00Z"));
    }

    #[test]
    fn grace_ends_at_its_very_second_and_age_is_never_negative() {
        let retired = utc("2026-11-16T09:00:00Z");
        let day = TimeDelta::hours(24);
        assert!(!past_grace(retired, day, retired + day - TimeDelta::seconds(1)));
        assert!(past_grace(retired, day, retired + day));
        assert_eq!(age(retired, retired - day), TimeDelta::zero());
    }
}
