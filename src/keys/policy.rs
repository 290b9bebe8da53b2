//! Durations, limits and the purge's weekly hour: what the user has decided.
//!
//! Nonsense is refused on construction, so that no rule needs to doubt its limits. Pure: the time
//! zone data is compiled in.

use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

use super::facts::{KeyId, NotValid, Time};
use super::lifecycle::Week;

/// Longest duration that makes sense for a key's life; anything above it is a slip of the keyboard.
const LONGEST: TimeDelta = TimeDelta::days(3650);

/// Reads `90s`, `15m`, `24h`, `5d`, `2w`, `0` and `0s`.
///
/// # Errors
/// [`NotValid`] for anything else, and for more than ten years.
pub fn parse_duration(text: &str) -> Result<TimeDelta, NotValid> {
    let not_valid = |why| NotValid { what: "duration", value: text.to_owned(), why };
    if text == "0" {
        return Ok(TimeDelta::zero());
    }
    let parsed = humantime::parse_duration(text).map_err(|_| not_valid("write it as 90s, 15m, 24h, 5d, 2w or 0"))?;
    let duration = TimeDelta::from_std(parsed).map_err(|_| not_valid("it is too long"))?;
    if duration > LONGEST {
        return Err(not_valid("more than ten years is no limit"));
    }
    Ok(duration)
}

/// When the purge runs each week, such as `Fri 23:55` in `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeeklyHour {
    weekday: Weekday,
    time: NaiveTime,
    timezone: Tz,
}

impl WeeklyHour {
    /// # Errors
    /// [`NotValid`] when `at` is not `Day HH:MM` or the time zone is not an IANA name.
    pub fn new(at: &str, timezone: &str) -> Result<Self, NotValid> {
        let not_valid = || NotValid {
            what: "hour of the purge",
            value: at.to_owned(),
            why: "write it as a day and a time, like \"Fri 23:55\"",
        };
        let (day, time) = at.trim().split_once(char::is_whitespace).ok_or_else(not_valid)?;
        Ok(Self {
            weekday: Weekday::from_str(day).map_err(|_| not_valid())?,
            time: NaiveTime::parse_from_str(time.trim(), "%H:%M").map_err(|_| not_valid())?,
            timezone: timezone.parse().map_err(|_| NotValid {
                what: "time zone",
                value: timezone.to_owned(),
                why: "write an IANA name, like \"Europe/Berlin\" or \"UTC\"",
            })?,
        })
    }

    /// The first such hour strictly after `after`, by [`first_instant`].
    #[must_use]
    pub fn next_after(&self, after: Time) -> Time {
        let local = after.with_timezone(&self.timezone).date_naive();
        let ahead = (7 + self.weekday.num_days_from_monday() - local.weekday().num_days_from_monday()) % 7;
        let first = local.checked_add_days(Days::new(ahead.into())).unwrap_or(local);
        let candidate = self.on(first);
        if candidate > after {
            return candidate;
        }
        self.on(first.checked_add_days(Days::new(7)).unwrap_or(first))
    }

    /// An instant on this hour's own clock, such as `Fri 2026-11-20 23:55 Europe/Berlin`.
    #[must_use]
    pub fn shown(&self, at: Time) -> String {
        format!("{} {}", at.with_timezone(&self.timezone).format("%a %Y-%m-%d %H:%M"), self.timezone)
    }

    fn on(&self, day: chrono::NaiveDate) -> DateTime<Utc> {
        first_instant(&self.timezone, day.and_time(self.time))
    }
}

/// The instant of a time on the wall clock. One that daylight saving skips counts from the first minute that exists
/// again; one that it repeats counts the first time.
#[must_use]
pub fn first_instant<Z: TimeZone>(zone: &Z, mut wall: NaiveDateTime) -> Time {
    loop {
        match zone.from_local_datetime(&wall) {
            LocalResult::Single(found) | LocalResult::Ambiguous(found, _) => return found.with_timezone(&Utc),
            LocalResult::None => wall += TimeDelta::minutes(1),
        }
    }
}

/// What this machine's keys are subject to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurgeLimit {
    pub limit: TimeDelta,
    pub at: Option<WeeklyHour>,
}

/// The age rules of one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    pub max_age: TimeDelta,
    pub purge: Option<PurgeLimit>,
}

/// The settle check of a new key: so many successes in a row, so far apart, within so long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settle {
    successes: u32,
    every: TimeDelta,
    within: TimeDelta,
}

impl Settle {
    /// # Errors
    /// [`NotValid`] when no success is asked for, or the streak cannot fit into `within`.
    pub fn new(successes: u32, every: TimeDelta, within: TimeDelta) -> Result<Self, NotValid> {
        let not_valid = |value: String, why| NotValid { what: "rotation.settle", value, why };
        if !(1..=100).contains(&successes) {
            return Err(not_valid(format!("successes = {successes}"), "between 1 and 100 successes prove a key"));
        }
        let steps = i32::try_from(successes - 1).unwrap_or(i32::MAX);
        if every * steps >= within {
            return Err(not_valid(format!("within = {}s", within.num_seconds()), "the streak does not fit into it"));
        }
        Ok(Self { successes, every, within })
    }

    #[must_use]
    pub fn successes(&self) -> u32 {
        self.successes
    }

    #[must_use]
    pub fn every(&self) -> TimeDelta {
        self.every
    }

    #[must_use]
    pub fn within(&self) -> TimeDelta {
        self.within
    }
}

impl Default for Settle {
    fn default() -> Self {
        Self { successes: 3, every: TimeDelta::seconds(1), within: TimeDelta::seconds(60) }
    }
}

/// What one run is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// Resume what is unfinished, else rotate; with an age, only a key that is at least so old.
    Rotate { older_than: Option<TimeDelta> },
    /// As the timer does it: rotate only what the limits call due, now or in the timer's week.
    RotateDue { week: Option<Week> },
    /// Delete retired keys: past grace, or at once.
    Finish { now: bool },
    /// Give the retired key back its place.
    Rollback,
}

/// Everything the planner may weigh that is not a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Policy {
    pub goal: Goal,
    pub limits: Limits,
    /// Grace between deactivation and deletion.
    pub retire_after: TimeDelta,
    /// The keys that the user named (`--replace`), or agreed to give up when asked.
    pub replace: Vec<KeyId>,
    /// `--yes`: the questions of DESIGN's fault table count as answered.
    pub yes: bool,
    /// `--scheduled`: nobody is there to be asked, and nothing is deleted before its grace is over.
    pub scheduled: bool,
    /// False once this run has resumed or finished a rotation: it starts no second one.
    pub may_start: bool,
    /// `--auth-profile`: another identity signs, so that the profile's own key need not work.
    pub other_signs: bool,
}

impl Policy {
    /// A key that does not work any more gives way to a fresh one: only while a person is there. Whoever switched it
    /// off may have meant it, and a timer must not undo that.
    #[must_use]
    pub fn replaces_dead_keys(&self) -> bool {
        self.other_signs && !self.scheduled
    }

    /// True when this run will write to IAM whatever is listed, so that a session is worth its code.
    #[must_use]
    pub fn surely_writes(&self) -> bool {
        matches!(self.goal, Goal::Rotate { older_than: None } | Goal::Rollback)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn durations_of_the_manual_are_read_and_nonsense_is_refused() {
        let seconds = |text| parse_duration(text).unwrap().num_seconds();
        assert_eq!(
            [seconds("90s"), seconds("15m"), seconds("24h"), seconds("5d"), seconds("2w"), seconds("0"), seconds("0s")],
            [90, 900, 86_400, 432_000, 1_209_600, 0, 0]
        );
        for bad in ["", "5", "d", "-1d", "5 parsecs", "99999w", "5d5", "1e3s"] {
            assert!(parse_duration(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_next_purge_is_strictly_later_and_follows_daylight_saving() {
        let friday = WeeklyHour::new("Fri 23:55", "Europe/Berlin").unwrap();
        assert_eq!(friday.next_after(utc("2026-11-16T08:00:00Z")), utc("2026-11-20T22:55:00Z"));
        assert_eq!(friday.next_after(utc("2026-11-20T22:55:00Z")), utc("2026-11-27T22:55:00Z"));
        assert_eq!(friday.next_after(utc("2026-07-01T00:00:00Z")), utc("2026-07-03T21:55:00Z"));
        let skipped = WeeklyHour::new("Sun 02:30", "Europe/Berlin").unwrap();
        assert_eq!(skipped.next_after(utc("2026-03-28T12:00:00Z")), utc("2026-03-29T01:00:00Z"));
        let repeated = WeeklyHour::new("Sun 02:30", "Europe/Berlin").unwrap();
        assert_eq!(repeated.next_after(utc("2026-10-24T12:00:00Z")), utc("2026-10-25T00:30:00Z"));
    }

    #[test]
    fn an_hour_that_is_none_is_refused() {
        for (at, zone) in
            [("Fri", "UTC"), ("Fri 25:00", "UTC"), ("Freitag 23:55", "UTC"), ("Fri 23:55", "Mars/Olympus")]
        {
            assert!(WeeklyHour::new(at, zone).is_err(), "{at} {zone}");
        }
    }

    #[test]
    fn a_streak_that_cannot_fit_is_refused() {
        assert!(Settle::new(0, TimeDelta::seconds(1), TimeDelta::seconds(60)).is_err());
        assert!(Settle::new(10, TimeDelta::seconds(10), TimeDelta::seconds(60)).is_err());
        assert!(Settle::new(3, TimeDelta::zero(), TimeDelta::seconds(60)).is_ok());
    }
}
