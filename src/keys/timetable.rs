//! The hour at which the timer wakes the program: a weekday and a time on this machine's own clock.
//!
//! Pure, and the one grammar that all schedulers' files are rendered from. Which instant an hour is, the caller's
//! time zone says.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, NaiveDateTime, NaiveTime, Timelike, Weekday};

use super::facts::NotValid;

/// Once a week the timer rotates, and each day at the same hour it looks after what is still due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timetable {
    weekday: Weekday,
    time: NaiveTime,
}

impl Timetable {
    #[must_use]
    pub fn weekday(&self) -> Weekday {
        self.weekday
    }

    /// 0 to 23.
    #[must_use]
    pub fn hour(&self) -> u32 {
        self.time.hour()
    }

    /// 0 to 59.
    #[must_use]
    pub fn minute(&self) -> u32 {
        self.time.minute()
    }

    /// The last weekly hour at or before `now`, on the wall clock.
    #[must_use]
    pub fn week_began(&self, now: NaiveDateTime) -> NaiveDateTime {
        let back = (7 + now.weekday().num_days_from_monday() - self.weekday.num_days_from_monday()) % 7;
        let day = now.date().checked_sub_days(Days::new(back.into())).unwrap_or(now.date());
        let found = day.and_time(self.time);
        if found <= now { found } else { found.checked_sub_days(Days::new(7)).unwrap_or(found) }
    }

    /// The weekly hour after that, on the wall clock.
    #[must_use]
    pub fn week_ends(&self, now: NaiveDateTime) -> NaiveDateTime {
        let began = self.week_began(now);
        began.checked_add_days(Days::new(7)).unwrap_or(began)
    }

    /// The next time the timer wakes, on the wall clock: today or tomorrow at the hour.
    #[must_use]
    pub fn next_wake(&self, now: NaiveDateTime) -> NaiveDateTime {
        let today = now.date().and_time(self.time);
        if today > now { today } else { today.checked_add_days(Days::new(1)).unwrap_or(today) }
    }
}

/// Monday at nine: before the week's work, and well before a Friday's purge.
impl Default for Timetable {
    fn default() -> Self {
        Self { weekday: Weekday::Mon, time: NaiveTime::from_hms_opt(9, 0, 0).unwrap_or_default() }
    }
}

/// `Mon 09:00`, the form that systemd's calendar uses too.
impl FromStr for Timetable {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        let not_valid = || NotValid {
            what: "hour of the timer",
            value: text.to_owned(),
            why: "write it as a day and a time, like \"Mon 09:00\"",
        };
        let (day, time) = text.trim().split_once(char::is_whitespace).ok_or_else(not_valid)?;
        Ok(Self {
            weekday: Weekday::from_str(day).map_err(|_| not_valid())?,
            time: NaiveTime::parse_from_str(time.trim(), "%H:%M").map_err(|_| not_valid())?,
        })
    }
}

impl fmt::Display for Timetable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:02}:{:02}", self.weekday, self.hour(), self.minute())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    #[test]
    fn an_hour_is_read_and_shown_again() {
        assert_eq!("Mon 09:00".parse::<Timetable>().unwrap(), Timetable::default());
        assert_eq!("sunday  7:05".parse::<Timetable>().unwrap().to_string(), "Sun 07:05");
        for bad in ["", "Mon", "09:00", "Mon 24:00", "Mon 9", "Montag 09:00", "Mon 09:00:30", "Mon,Tue 09:00"] {
            assert!(bad.parse::<Timetable>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_week_runs_from_its_hour_to_the_next_one() {
        let monday = Timetable::default();
        // 2026-11-16 is a Monday.
        for (now, began) in [
            ("2026-11-16 09:00", "2026-11-16 09:00"),
            ("2026-11-16 08:59", "2026-11-09 09:00"),
            ("2026-11-22 23:59", "2026-11-16 09:00"),
        ] {
            assert_eq!(monday.week_began(at(now)), at(began), "{now}");
            assert_eq!(monday.week_ends(at(now)) - at(began), chrono::TimeDelta::days(7), "{now}");
        }
    }

    #[test]
    fn the_timer_wakes_each_day() {
        let monday = Timetable::default();
        assert_eq!(monday.next_wake(at("2026-11-18 08:00")), at("2026-11-18 09:00"));
        assert_eq!(monday.next_wake(at("2026-11-18 09:00")), at("2026-11-19 09:00"));
    }
}
