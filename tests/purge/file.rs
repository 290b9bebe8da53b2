//! What a scenario file may say, and its check: field names, and texts that must mean something. No sandbox here.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use chrono::TimeDelta;
use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// A whole file.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub title: String,
    pub why: String,
    pub start: Option<Start>,
    #[serde(default)]
    pub purger: Purger,
    #[serde(default)]
    pub pages: Pages,
    pub organization: Option<Organization>,
    #[serde(default, rename = "account")]
    pub accounts: Vec<Account>,
    #[serde(default)]
    pub empty_groups: Vec<String>,
    #[serde(default, rename = "user")]
    pub users: Vec<User>,
    #[serde(default, rename = "run")]
    pub runs: Vec<Run>,
}

/// The identity that the purge runs as.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Purger {
    pub age: Option<Age>,
    pub groups: Vec<String>,
    /// Signs with a session that the key opened, so that the purge cannot see the key's own id.
    pub session: bool,
    /// The key is in the credentials file, and the profile `purge` takes this role of the home account with it.
    pub profile_role: Option<String>,
    /// A second key of the same user, that the purge does not sign with.
    pub second_key: Option<Key>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pages {
    /// No page holds more.
    pub size: Option<usize>,
    /// Each page is preceded by an empty one.
    pub empty: bool,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// The account that manages it; `home` unless said otherwise.
    pub management: Option<String>,
    #[serde(default, rename = "unit")]
    pub units: Vec<Unit>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    pub name: String,
    /// The root unless said otherwise.
    #[serde(rename = "in")]
    pub parent: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    pub name: String,
    pub unit: Option<String>,
    pub state: Option<String>,
    /// The role that the purge may assume there; `none` for none at all.
    pub role: Option<String>,
    pub external_id: Option<String>,
    #[serde(default)]
    pub empty_groups: Vec<String>,
    /// Not part of the organization.
    #[serde(default)]
    pub stranger: bool,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    pub name: String,
    pub account: Option<String>,
    pub path: Option<String>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// So many further tags of no meaning.
    #[serde(default)]
    pub filler_tags: usize,
    #[serde(default)]
    pub groups: Vec<String>,
    #[serde(default)]
    pub keys: Vec<Key>,
    /// So many users, each with `{n}` in names and labels replaced by its number.
    pub count: Option<usize>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    pub label: String,
    pub age: Age,
    pub status: Option<String>,
    pub last_used: Option<LastUsed>,
}

/// One call of the program, and what must come of it.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Run {
    pub title: String,
    /// Time since the run before, or since the start.
    pub after: Option<Age>,
    #[serde(rename = "hand")]
    pub hands: Vec<toml::Table>,
    #[serde(rename = "fault")]
    pub faults: Vec<Fault>,
    pub arguments: String,
    /// Also writes a report in each format and looks at it.
    pub reports: bool,
    pub exit: i32,
    /// Label to `decision rule result`.
    pub keys: BTreeMap<String, String>,
    /// Label to `Active`, `Inactive`, `gone`: what is not named must be as before.
    pub iam: BTreeMap<String, String>,
    /// Label to `none`, `present`, or a part of the record.
    pub records: BTreeMap<String, String>,
    /// User to `group NAME` or `tag REASON`: all that are spared.
    pub exempt: BTreeMap<String, String>,
    /// User to tag to `absent` or its value.
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
    pub accounts: BTreeMap<String, ExpectedAccount>,
    pub skips: Vec<Skip>,
    pub totals: BTreeMap<String, u64>,
    /// Parts of what is printed.
    pub says: Vec<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub action: String,
    /// The user, group, unit, account or key that the call is about.
    pub about: Option<String>,
    /// Every one unless a number or `times` is given.
    pub nth: Option<usize>,
    /// The first so many.
    pub times: Option<usize>,
    pub kind: FaultKind,
}

#[derive(Clone, Copy, Deserialize)]
pub enum FaultKind {
    #[serde(rename = "denied")]
    Denied,
    #[serde(rename = "throttled")]
    Throttled,
    #[serde(rename = "500")]
    Error,
    #[serde(rename = "500 after acting")]
    ErrorAfter,
    #[serde(rename = "connection refused")]
    Refused,
    #[serde(rename = "dropped")]
    Dropped,
    #[serde(rename = "cut")]
    Cut,
    #[serde(rename = "garbage")]
    Garbage,
    #[serde(rename = "html")]
    Html,
    #[serde(rename = "hang")]
    Hang,
    #[serde(rename = "hang after acting")]
    HangAfter,
    #[serde(rename = "lost marker")]
    LostMarker,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedAccount {
    pub complete: Option<bool>,
    /// Left out of the purge on purpose; a part of the reason.
    pub left: Option<String>,
    pub capped: Option<bool>,
    /// Not in the report at all.
    #[serde(default)]
    pub absent: bool,
    pub users: Option<u64>,
    pub evaluated: Option<u64>,
    pub keys: Option<u64>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skip {
    pub account: Option<String>,
    pub what: String,
    /// A part of it.
    pub cause: String,
}

/// `95d`, `4d 23h`, `15m`.
#[derive(Clone, Copy)]
pub struct Age(pub TimeDelta);

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        age(&String::deserialize(from)?).map(Self).map_err(D::Error::custom)
    }
}

pub fn age(text: &str) -> Result<TimeDelta, String> {
    let parsed = humantime::parse_duration(text).ok().and_then(|it| TimeDelta::from_std(it).ok());
    parsed.ok_or_else(|| format!("{text:?} is no time: write 95d, 4d 23h or 15m"))
}

/// `Fri 23:55`, in UTC.
#[derive(Clone, Copy)]
pub struct Start {
    pub day: chrono::Weekday,
    pub time: chrono::NaiveTime,
}

impl<'de> Deserialize<'de> for Start {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let parsed = text.split_once(' ').and_then(|(day, time)| {
            Some(Self { day: day.parse().ok()?, time: chrono::NaiveTime::parse_from_str(time, "%H:%M").ok()? })
        });
        parsed.ok_or_else(|| D::Error::custom(format!("{text:?} is no start: write Fri 23:55")))
    }
}

/// `never`, or `3d s3 eu-central-1`.
#[derive(Clone)]
pub enum LastUsed {
    Never,
    Ago { age: TimeDelta, service: String, region: String },
}

impl<'de> Deserialize<'de> for LastUsed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            ["never"] => Ok(Self::Never),
            [ago, service, region] => {
                let age = age(ago).map_err(D::Error::custom)?;
                Ok(Self::Ago { age, service: service.to_owned(), region: region.to_owned() })
            }
            _ => Err(D::Error::custom(format!("{text:?} is no last use: write never, or 3d s3 eu-central-1"))),
        }
    }
}

/// What is wrong with a file, in words for its author.
#[derive(Debug)]
pub struct Mistake(pub String);

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Scenario {
    pub fn read(path: &Path) -> Result<Self, Mistake> {
        let text = std::fs::read_to_string(path).map_err(|why| Mistake(format!("{}: {why}", path.display())))?;
        let scenario = Self::parse(&text).map_err(|why| Mistake(format!("{}: {why}", path.display())))?;
        if scenario.runs.is_empty() {
            return Err(Mistake(format!("{}: there is no [[run]]: it would prove nothing", path.display())));
        }
        Ok(scenario)
    }

    pub fn parse(text: &str) -> Result<Self, Mistake> {
        toml::from_str(text).map_err(|error| Mistake(error.to_string()))
    }
}
