//! What the purge writes on a user's tags and what an administrator writes there for it.
//!
//! Pure. IAM allows only letters, digits, white space and `_.:/=+-@` in a tag's value: hence spaces
//! between the fields. A value that does not say exactly what it must counts as none.

use chrono::{DateTime, Days, NaiveDate, SecondsFormat};

use super::Tags;
use crate::keys::facts::{KeyId, Time};

/// Every tag of ours begins so; the service control policy guards it.
pub const OURS: &str = "keyrot-me/";
/// Followed by the id of the key that we disabled.
const DISABLED: &str = "keyrot-me/disabled/";
/// `YYYY-MM-DD ticket reason`.
pub const EXEMPT: &str = "keyrot-me/exempt";
/// Days: an exemption may not reach further ahead.
const LONGEST_EXEMPTION: u64 = 90;

/// When we disabled a key: grace runs from `last`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disabling {
    pub first: Time,
    pub last: Time,
    /// How often, counting from one.
    pub times: u32,
}

impl Disabling {
    /// The record of a disabling at `now`, which overwrites `before`.
    #[must_use]
    pub fn again(before: Option<&Self>, now: Time) -> Self {
        match before {
            Some(before) => Self { first: before.first, last: now, times: before.times.saturating_add(1) },
            None => Self { first: now, last: now, times: 1 },
        }
    }

    /// The tag's value.
    #[must_use]
    pub fn to_value(&self) -> String {
        let text = |at: Time| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        format!("first={} last={} n={}", text(self.first), text(self.last), self.times)
    }

    fn parse(value: &str) -> Option<Self> {
        let (mut first, mut last, mut times) = (None, None, None);
        for field in value.split(|c: char| c.is_whitespace() || c == ';').filter(|field| !field.is_empty()) {
            let known = match field.split_once('=')? {
                ("first", at) => first.replace(instant(at)?).is_none(),
                ("last", at) => last.replace(instant(at)?).is_none(),
                ("n", count) => times.replace(count.parse().ok().filter(|count| *count > 0)?).is_none(),
                _ => false,
            };
            if !known {
                return None;
            }
        }
        let record = Self { first: first?, last: last?, times: times? };
        (record.first <= record.last).then_some(record)
    }
}

fn instant(text: &str) -> Option<Time> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
}

/// What the tags say of a key's disabling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    None,
    /// It does not parse or lies in the future: it counts as none.
    Void(String),
    Valid(Disabling),
}

impl Record {
    #[must_use]
    pub fn valid(&self) -> Option<&Disabling> {
        match self {
            Self::Valid(disabling) => Some(disabling),
            Self::None | Self::Void(_) => None,
        }
    }
}

/// The name of the tag that records the disabling of `key`.
#[must_use]
pub fn disabled_tag(key: &KeyId) -> String {
    format!("{DISABLED}{key}")
}

/// The record of `key` at `now`.
#[must_use]
pub fn record(tags: &Tags, key: &KeyId, now: Time) -> Record {
    let name = disabled_tag(key);
    // To IAM, names of a user's tags that differ in case only are one name.
    let Some((_, value)) = tags.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(&name)) else { return Record::None };
    match Disabling::parse(value) {
        None => Record::Void(format!("the record {value:?} cannot be read")),
        Some(disabling) if disabling.last > now => Record::Void(format!("the record {value:?} lies in the future")),
        Some(disabling) => Record::Valid(disabling),
    }
}

/// The names of our records whose keys are not among `keys` any more.
#[must_use]
pub fn orphaned(tags: &Tags, keys: &[KeyId]) -> Vec<String> {
    let ours = |name: &str| name.get(..DISABLED.len()).is_some_and(|start| start.eq_ignore_ascii_case(DISABLED));
    let there = |name: &str| keys.iter().any(|key| disabled_tag(key).eq_ignore_ascii_case(name));
    tags.keys().filter(|name| ours(name) && !there(name)).cloned().collect()
}

/// What the exemption tag says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exemption {
    None,
    /// With the reason why it counts as none.
    Void(String),
    Valid {
        /// Ticket and reason, as they stand there.
        reason: String,
        /// The first instant at which it does not hold any more: its date counts to its end in UTC.
        ends: Time,
    },
}

/// The exemption of a user at `now`.
#[must_use]
pub fn exemption(tags: &Tags, now: Time) -> Exemption {
    let Some(value) = tags.get(EXEMPT) else { return Exemption::None };
    let void = |why: &str| Exemption::Void(format!("the exemption {value:?} is void: {why}"));
    let malformed = || void("it must read YYYY-MM-DD ticket reason");
    let mut words = value.split_whitespace();
    let date = words.next().and_then(day);
    let reason: Vec<&str> = words.collect();
    let Some(date) = date else { return malformed() };
    if reason.len() < 2 {
        return malformed();
    }
    let today = now.date_naive();
    if date < today {
        return void("its date is past");
    }
    if today.checked_add_days(Days::new(LONGEST_EXEMPTION)).is_none_or(|furthest| date > furthest) {
        return void("its date is more than 90 days ahead");
    }
    let Some(ends) = date.succ_opt().and_then(|day| day.and_hms_opt(0, 0, 0)) else { return malformed() };
    Exemption::Valid { reason: reason.join(" "), ends: ends.and_utc() }
}

/// chrono also takes signs and missing zeros: only what reads back as it was written is a date here.
fn day(word: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(word, "%Y-%m-%d").ok().filter(|date| date.to_string() == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Time {
        "2026-11-20T23:55:00Z".parse().unwrap()
    }

    fn key() -> KeyId {
        KeyId::new("AKIAEXAMPLE000000001").unwrap()
    }

    fn tagged(name: &str, value: &str) -> Tags {
        Tags::from([(name.to_owned(), value.to_owned())])
    }

    fn record_of(value: &str) -> Record {
        record(&tagged("keyrot-me/disabled/AKIAEXAMPLE000000001", value), &key(), now())
    }

    #[test]
    fn a_record_reads_back_as_it_was_written_and_in_letters_that_iam_allows() {
        let once = Disabling::again(None, now());
        let twice = Disabling::again(Some(&once), now() + chrono::TimeDelta::days(7));
        assert_eq!(twice.times, 2);
        assert_eq!(twice.first, now());
        for disabling in [once, twice] {
            let value = disabling.to_value();
            assert_eq!(Disabling::parse(&value), Some(disabling));
            assert!(value.chars().all(|c| c.is_ascii_alphanumeric() || " _.:/=+-@".contains(c)), "{value}");
        }
        assert_eq!(record(&Tags::new(), &key(), now()), Record::None);
    }

    #[test]
    fn a_record_that_says_anything_else_counts_as_none() {
        for bad in [
            "",
            "yesterday",
            "first=2026-11-01T00:00:00Z last=2026-11-01T00:00:00Z",
            "first=2026-11-01T00:00:00Z last=2026-11-01T00:00:00Z n=0",
            "first=2026-11-02T00:00:00Z last=2026-11-01T00:00:00Z n=1",
            "first=2026-11-01T00:00:00Z last=2026-11-01T00:00:00Z n=1 by=hand",
            "first=2026-11-01 last=2026-11-01T00:00:00Z n=1",
            "last=2026-11-01T00:00:00Z last=2026-11-01T00:00:00Z first=2026-11-01T00:00:00Z n=1",
            "first=2026-11-01T00:00:00Z first=2026-11-01T00:00:00Z last=2026-11-01T00:00:00Z n=1",
            "first=2026-11-01T00:00:00Z last=2026-11-01T00:00:00Z n=1 n=1",
        ] {
            assert!(matches!(record_of(bad), Record::Void(_)), "{bad:?}");
        }
        let tomorrow = "first=2026-11-01T00:00:00Z last=2026-11-21T00:00:00Z n=1";
        assert!(matches!(record_of(tomorrow), Record::Void(_)));
        for readable in [
            "first=2026-11-01T00:00:00Z;last=2026-11-02T00:00:00Z;n=2",
            " n=2  last=2026-11-02T01:00:00+01:00  first=2026-11-01T00:00:00Z; ",
        ] {
            let [first, last] = ["2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"].map(|at| at.parse().unwrap());
            assert_eq!(record_of(readable), Record::Valid(Disabling { first, last, times: 2 }), "{readable:?}");
        }
    }

    #[test]
    fn records_of_keys_that_are_gone_are_found() {
        let mut tags = tagged("keyrot-me/disabled/AKIAEXAMPLE000000001", "x");
        tags.extend(tagged("keyrot-me/disabled/AKIAEXAMPLE000000002", "x"));
        tags.extend(tagged("team", "x"));
        assert_eq!(orphaned(&tags, &[key()]), ["keyrot-me/disabled/AKIAEXAMPLE000000002"]);
    }

    #[test]
    fn a_record_is_found_in_whatever_case_its_name_stands_there() {
        let value = "first=2026-11-01T00:00:00Z last=2026-11-01T00:00:00Z n=1";
        let tags = tagged("Keyrot-Me/Disabled/akiaexample000000001", value);
        assert!(record(&tags, &key(), now()).valid().is_some());
        assert_eq!(orphaned(&tags, &[key()]), [""; 0]);
        assert_eq!(orphaned(&tags, &[]), ["Keyrot-Me/Disabled/akiaexample000000001"]);
    }

    #[test]
    fn an_exemption_holds_to_the_end_of_its_day_and_no_more_than_ninety_days() {
        let of = |value: &str| exemption(&tagged(EXEMPT, value), now());
        let Exemption::Valid { reason, ends } = of("2026-11-20 OPS-7 vendor migration") else { panic!() };
        assert_eq!(reason, "OPS-7 vendor migration");
        assert_eq!(ends, "2026-11-21T00:00:00Z".parse::<Time>().unwrap());
        assert!(matches!(of("2027-02-18 OPS-7 ninety days"), Exemption::Valid { .. }));
        for void in [
            "2027-02-19 OPS-7 ninety-one days",
            "2026-11-19 OPS-7 yesterday",
            "2026-13-01 OPS-7 no month",
            "20261220 OPS-7 no dashes",
            "2026-12-1 OPS-7 no zero",
            "+2026-12-1 OPS-7 a sign",
            "2026-12-20 OPS-7",
            "2026-12-20",
            "forever OPS-7 please",
            "",
        ] {
            assert!(matches!(of(void), Exemption::Void(_)), "{void:?}");
        }
        assert_eq!(exemption(&Tags::new(), now()), Exemption::None);
    }
}
