//! One line on the keys of some profiles, for a shell's prompt: nothing where all is fresh, the worst first.
//!
//! Pure.

use chrono::TimeDelta;

use super::countdown::Countdown;
use super::lifecycle::Freshness;
use super::words::duration;

/// The profile that is not named.
const DEFAULT: &str = "default";

/// What is known of a profile's key without asking anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nobody has told its age yet. `asked`: IAM was asked, and does not tell it without MFA.
    Nothing {
        asked: bool,
    },
    Aged {
        age: TimeDelta,
        freshness: Freshness,
        countdown: Option<Countdown>,
    },
}

/// One profile's part of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Short {
    pub profile: String,
    pub known: Known,
    /// A rotation of this key was interrupted.
    pub unfinished: bool,
}

impl Short {
    /// How bad it is; nothing is said of what is not bad at all.
    fn weight(&self) -> u8 {
        match &self.known {
            Known::Aged { freshness: Freshness::Overdue, .. } => 4,
            _ if self.unfinished => 3,
            Known::Aged { freshness: Freshness::Due, .. } => 2,
            Known::Nothing { .. } => 1,
            Known::Aged { freshness: Freshness::Fresh, .. } => 0,
        }
    }

    fn words(&self) -> String {
        let mut words = match &self.known {
            Known::Nothing { asked: false } => "key of unknown age: keyrot-me status".to_owned(),
            Known::Nothing { asked: true } => "key of unknown age: keyrot-me rotate".to_owned(),
            Known::Aged { age, countdown: Some(countdown), .. } => {
                format!("key {}, {}", duration(*age), countdown.short())
            }
            Known::Aged { age, freshness: Freshness::Overdue, .. } => format!("key {}, over the limit", duration(*age)),
            Known::Aged { age, .. } => format!("key {}, due", duration(*age)),
        };
        if self.unfinished {
            words = match &self.known {
                Known::Aged { freshness: Freshness::Due | Freshness::Overdue, .. } => words + ", rotation unfinished",
                _ => "rotation unfinished: keyrot-me rotate".to_owned(),
            };
        }
        if self.profile == DEFAULT { words } else { format!("{}: {words}", self.profile) }
    }
}

/// The line; `None` where there is nothing to say.
#[must_use]
pub fn line(mut all: Vec<Short>) -> Option<String> {
    all.retain(|short| short.weight() > 0);
    all.sort_by_key(|short| std::cmp::Reverse(short.weight()));
    let words: Vec<String> = all.iter().map(Short::words).collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// How the worst of them stands, as far as it is known.
#[must_use]
pub fn worst(all: &[Short]) -> Freshness {
    let freshness = |short: &Short| match &short.known {
        Known::Aged { freshness, .. } => *freshness,
        Known::Nothing { .. } => Freshness::Fresh,
    };
    all.iter().map(freshness).max().unwrap_or(Freshness::Fresh)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aged(profile: &str, days: i64, freshness: Freshness) -> Short {
        let known = Known::Aged { age: TimeDelta::days(days), freshness, countdown: None };
        Short { profile: profile.to_owned(), known, unfinished: false }
    }

    #[test]
    fn what_is_fresh_is_not_spoken_of() {
        assert_eq!(line(vec![aged("default", 1, Freshness::Fresh), aged("work", 2, Freshness::Fresh)]), None);
        assert_eq!(line(Vec::new()), None);
    }

    #[test]
    fn the_worst_comes_first_and_only_other_profiles_are_named() {
        let unknown = Short { known: Known::Nothing { asked: false }, ..aged("ci", 0, Freshness::Fresh) };
        let all = vec![unknown, aged("default", 6, Freshness::Due), aged("work", 40, Freshness::Overdue)];
        assert_eq!(worst(&all), Freshness::Overdue);
        assert_eq!(
            line(all).unwrap(),
            "work: key 40 d, over the limit; key 6 d, due; ci: key of unknown age: keyrot-me status"
        );
    }

    #[test]
    fn the_countdown_stands_beside_the_age() {
        let left = TimeDelta::days(3) + TimeDelta::hours(14);
        let countdown = Some(Countdown::In { left, at: "Fri".to_owned(), over_since: None });
        let known = Known::Aged { age: TimeDelta::days(40), freshness: Freshness::Overdue, countdown };
        let short = Short { profile: "default".to_owned(), known, unfinished: false };
        assert_eq!(line(vec![short]).unwrap(), "key 40 d, purge in 3 d 14 h");
    }

    #[test]
    fn an_unfinished_rotation_is_said_of_a_fresh_key_too() {
        let short = Short { unfinished: true, ..aged("default", 0, Freshness::Fresh) };
        assert_eq!(line(vec![short]).unwrap(), "rotation unfinished: keyrot-me rotate");
        let due = Short { unfinished: true, ..aged("work", 6, Freshness::Due) };
        assert_eq!(line(vec![due]).unwrap(), "work: key 6 d, due, rotation unfinished");
        let asked = Short { known: Known::Nothing { asked: true }, ..aged("default", 0, Freshness::Fresh) };
        assert_eq!(line(vec![asked]).unwrap(), "key of unknown age: keyrot-me rotate");
    }
}
