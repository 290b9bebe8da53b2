//! How far the purge is from a key, counted down, and its words for people.
//!
//! Pure. Which purge takes a key is [`lifecycle::purge_at`]'s to say; daylight saving is the weekly hour's.

use chrono::TimeDelta;

use super::facts::Time;
use super::lifecycle;
use super::policy::{Limits, WeeklyHour};
use super::words::{duration, when};

/// So long after its hour a purge may still be at work: one account takes it minutes.
const PURGE_TAKES: TimeDelta = TimeDelta::minutes(15);
/// Shorter than this there is nothing left to count.
const NO_TIME: TimeDelta = TimeDelta::minutes(1);

/// What the purge will do to a key, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Countdown {
    /// It takes the key after this time.
    In {
        left: TimeDelta,
        /// The moment, on the clock that the purge goes by.
        at: String,
        /// Since when the key is over the limit, where it is already.
        over_since: Option<Time>,
    },
    /// It is about to take the key, or at work.
    Now,
    /// The key is over the limit, and the hour of the purge is not known.
    Over { since: Time },
}

impl Countdown {
    /// For a key made at `created`. `None` where no purge is configured.
    #[must_use]
    pub fn of(created: Time, now: Time, limits: &Limits) -> Option<Self> {
        let purge = limits.purge.as_ref()?;
        let at = lifecycle::purge_at(created, now, limits)?;
        let over = created + purge.limit;
        let at_work = |hour: &WeeklyHour| {
            let last = hour.next_after(now - PURGE_TAKES);
            last <= now && over <= last
        };
        Some(match &purge.at {
            None if over <= now => Self::Over { since: over },
            hour if at - now < NO_TIME || hour.as_ref().is_some_and(at_work) => Self::Now,
            hour => Self::In {
                left: at - now,
                at: hour.as_ref().map_or_else(|| when(at), |hour| hour.shown(at)),
                over_since: (over <= now).then_some(over),
            },
        })
    }

    /// As a prompt has it.
    #[must_use]
    pub fn short(&self) -> String {
        match self {
            Self::In { left, .. } => format!("purge in {}", duration(*left)),
            Self::Now => "purge takes it now".to_owned(),
            Self::Over { since } => format!("over the limit since {}", when(*since)),
        }
    }

    /// With the moment.
    #[must_use]
    pub fn long(&self) -> String {
        match self {
            Self::In { at, over_since: None, .. } => format!("{} ({at})", self.short()),
            Self::In { at, over_since: Some(since), .. } => {
                format!("{} ({at}), over the limit since {}", self.short(), when(*since))
            }
            Self::Now => self.short(),
            Self::Over { .. } => format!("{}: the next purge takes it", self.short()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::policy::PurgeLimit;

    fn utc(text: &str) -> Time {
        text.parse().unwrap()
    }

    fn berlin(limit_days: i64) -> Limits {
        let at = Some(WeeklyHour::new("Fri 23:55", "Europe/Berlin").unwrap());
        Limits { max_age: TimeDelta::days(5), purge: Some(PurgeLimit { limit: TimeDelta::days(limit_days), at }) }
    }

    fn shown(created: &str, now: &str, limits: &Limits) -> String {
        Countdown::of(utc(created), utc(now), limits).unwrap().long()
    }

    /// Summer time began on Sunday 2026-03-29 and ends on Sunday 2026-10-25: from one Friday 23:55 to the next it is an
    /// hour less, or more, than a week.
    #[test]
    fn the_weeks_in_which_the_clocks_change_are_an_hour_shorter_or_longer() {
        let old = "2026-01-01T00:00:00Z";
        for (now, left, at) in [
            ("2026-03-27T22:54:00Z", "1 min", "Fri 2026-03-27 23:55 Europe/Berlin"),
            ("2026-03-27T23:11:00Z", "6 d 22 h", "Fri 2026-04-03 23:55 Europe/Berlin"),
            ("2026-03-29T00:59:00Z", "5 d 20 h", "Fri 2026-04-03 23:55 Europe/Berlin"),
            ("2026-10-23T21:54:00Z", "1 min", "Fri 2026-10-23 23:55 Europe/Berlin"),
            ("2026-10-23T22:11:00Z", "7 d", "Fri 2026-10-30 23:55 Europe/Berlin"),
            ("2026-10-25T00:59:00Z", "5 d 21 h", "Fri 2026-10-30 23:55 Europe/Berlin"),
        ] {
            let found = shown(old, now, &berlin(5));
            assert!(found.starts_with(&format!("purge in {left} ({at}), over the limit since ")), "{now}: {found}");
        }
    }

    #[test]
    fn a_key_of_this_week_is_counted_to_the_friday_that_takes_it() {
        let week = berlin(5);
        // Made on the Monday before the change: five days are over on the Saturday, so it is the Friday after that.
        assert_eq!(
            shown("2026-10-19T07:00:00Z", "2026-10-19T07:00:00Z", &week),
            "purge in 11 d 15 h (Fri 2026-10-30 23:55 Europe/Berlin)"
        );
        assert_eq!(
            shown("2026-10-18T07:00:00Z", "2026-10-19T07:00:00Z", &week),
            "purge in 4 d 14 h (Fri 2026-10-23 23:55 Europe/Berlin)"
        );
    }

    #[test]
    fn while_the_purge_is_at_work_nothing_is_counted() {
        let week = berlin(5);
        for now in ["2026-11-20T22:54:01Z", "2026-11-20T22:55:00Z", "2026-11-20T23:09:59Z"] {
            assert_eq!(shown("2026-11-01T00:00:00Z", now, &week), "purge takes it now", "{now}");
        }
        let spared = shown("2026-11-18T00:00:00Z", "2026-11-20T22:56:00Z", &week);
        assert!(spared.starts_with("purge in 6 d 23 h"), "this purge does not take it: {spared}");
    }

    #[test]
    fn without_an_hour_the_limit_itself_counts() {
        let mut limits = berlin(5);
        limits.purge.as_mut().unwrap().at = None;
        let created = "2026-11-16T09:00:00Z";
        assert_eq!(shown(created, "2026-11-17T19:00:00Z", &limits), "purge in 3 d 14 h (2026-11-21 09:00 UTC)");
        assert_eq!(
            shown(created, "2026-11-21T09:00:00Z", &limits),
            "over the limit since 2026-11-21 09:00 UTC: the next purge takes it"
        );
        limits.purge = None;
        assert_eq!(Countdown::of(utc(created), utc(created), &limits), None);
    }
}
