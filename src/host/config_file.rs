//! `config.toml`: read, checked whole, and laid over each other: profile over general over built in.
//!
//! It decides nothing about keys. Every mistake in the file is an error that names file, line and
//! value, before any profile is worked on.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::TimeDelta;
use serde::Deserialize;
use toml::Spanned;

use crate::keys::facts::NotValid;
use crate::keys::policy::{Limits, PurgeLimit, Settle, WeeklyHour, parse_duration};

use super::keychain;

/// Larger files are refused, in bytes: real ones have a few hundred.
const MAX_BYTES: u64 = 1 << 20;
/// Built in: a key is due after five working days, as a weekly rotation leaves it.
const MAX_AGE: TimeDelta = TimeDelta::days(5);
/// Built in: the time in which `rollback` can undo.
const RETIRE_AFTER: TimeDelta = TimeDelta::hours(24);
/// Built in: two days to find the MFA device.
const REMIND_BEFORE: TimeDelta = TimeDelta::hours(48);

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rotation: Rotation,
    #[serde(default)]
    mfa: Mfa,
    #[serde(default)]
    purge: Purge,
    #[serde(default)]
    store: Store,
    #[serde(default)]
    notify: Notify,
    #[serde(default)]
    profile: BTreeMap<String, Sections>,
    sink: Option<Spanned<toml::Value>>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sections {
    #[serde(default)]
    rotation: Rotation,
    #[serde(default)]
    mfa: Mfa,
    #[serde(default)]
    purge: Purge,
    #[serde(default)]
    store: Store,
    #[serde(default)]
    notify: Notify,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    max_age: Option<Spanned<String>>,
    retire_after: Option<Spanned<String>>,
    #[serde(default)]
    settle: SettleTable,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettleTable {
    successes: Option<Spanned<u32>>,
    every: Option<Spanned<String>>,
    within: Option<Spanned<String>>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mfa {
    serial: Option<String>,
    command: Option<Spanned<String>>,
    pinentry: Option<bool>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Purge {
    limit: Option<Spanned<String>>,
    at: Option<Spanned<String>>,
    timezone: Option<Spanned<String>>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Store {
    kind: Option<StoreKind>,
    wait: Option<Spanned<String>>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Notify {
    desktop: Option<bool>,
    remind_before: Option<Spanned<String>>,
}

/// Where a key is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    File,
    Keychain,
}

/// What the file says for one profile, with what is built in where it is silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileSettings {
    pub limits: Limits,
    pub retire_after: TimeDelta,
    pub settle: Settle,
    pub mfa_serial: Option<String>,
    /// Split as a shell splits words, never empty.
    pub mfa_command: Option<Vec<String>>,
    /// Ask for MFA codes through pinentry.
    pub pinentry: bool,
    /// Where the key is to be kept; `None` leaves it where it is.
    pub store: Option<StoreKind>,
    /// Whether the timer's runs may show something on the desktop.
    pub desktop: bool,
    /// So long before the purge takes the key, a reminder is sharper.
    pub remind_before: TimeDelta,
}

/// A config file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {what}", .path.display(), .line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct ConfigError {
    pub path: PathBuf,
    /// 1-based.
    pub line: Option<usize>,
    pub what: String,
}

/// The whole file, checked.
#[derive(Debug, Clone)]
pub struct ConfigFile {
    /// How long the keychain may take to answer, its prompt included.
    pub keychain_wait: Duration,
    general: ProfileSettings,
    profiles: BTreeMap<String, ProfileSettings>,
}

impl ConfigFile {
    /// A missing file says nothing, unless `named` says that the user pointed at it.
    ///
    /// # Errors
    /// [`ConfigError`] for an unreadable file, an unknown key and a value that makes no sense.
    pub fn load(path: &Path, named: bool) -> Result<Self, ConfigError> {
        let whole = |what: String| ConfigError { path: path.to_owned(), line: None, what };
        match read(path) {
            Ok(text) if text.len() as u64 > MAX_BYTES => Err(whole("it is larger than 1 MiB".to_owned())),
            Ok(text) => Self::parse(path, &text),
            Err(error) if error.kind() == ErrorKind::NotFound && !named => Self::parse(path, ""),
            Err(error) => Err(whole(format!("cannot be read: {error}"))),
        }
    }

    /// What holds where no file says otherwise.
    ///
    /// # Errors
    /// None that is known of: what is built in makes sense.
    pub fn built_in() -> Result<Self, ConfigError> {
        Self::parse(Path::new("config.toml"), "")
    }

    fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let at = Source { path, text };
        let file: File = toml::from_str(text).map_err(|error| at.syntax(&error))?;
        at.refuse_unavailable("sink", file.sink.as_ref())?;
        let profiles = file.profile.iter().map(|(name, own)| {
            at.refuse_own_wait(&own.store)?;
            Ok((name.clone(), at.settings(&[own.parts(), file.parts()])?))
        });
        Ok(Self {
            profiles: profiles.collect::<Result<_, _>>()?,
            general: at.settings(&[file.parts()])?,
            keychain_wait: at.keychain_wait(&file.store)?,
        })
    }

    #[must_use]
    pub fn for_profile(&self, profile: &str) -> &ProfileSettings {
        self.profiles.get(profile).unwrap_or(&self.general)
    }
}

/// No further than is needed to see that it is too large: a device has no end.
fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    Ok(text)
}

type Parts<'a> = (&'a Rotation, &'a Mfa, &'a Purge, &'a Store, &'a Notify);

impl File {
    fn parts(&self) -> Parts<'_> {
        (&self.rotation, &self.mfa, &self.purge, &self.store, &self.notify)
    }
}

impl Sections {
    fn parts(&self) -> Parts<'_> {
        (&self.rotation, &self.mfa, &self.purge, &self.store, &self.notify)
    }
}

/// The text, for errors that point into it.
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    fn error(&self, span: std::ops::Range<usize>, what: String) -> ConfigError {
        let before = self.text.get(..span.start).unwrap_or_default();
        ConfigError { path: self.path.to_owned(), line: Some(before.matches('\n').count() + 1), what }
    }

    fn syntax(&self, error: &toml::de::Error) -> ConfigError {
        self.error(error.span().unwrap_or_default(), with_nearest(error.message()))
    }

    fn refuse_unavailable(&self, name: &str, table: Option<&Spanned<toml::Value>>) -> Result<(), ConfigError> {
        match table {
            None => Ok(()),
            Some(found) => Err(self.error(found.span(), format!("[{name}] is not available in this version"))),
        }
    }

    /// One program asks one keychain, whatever the profile.
    fn refuse_own_wait(&self, store: &Store) -> Result<(), ConfigError> {
        match &store.wait {
            None => Ok(()),
            Some(wait) => Err(self.error(wait.span(), "wait belongs into the general [store]".to_owned())),
        }
    }

    fn keychain_wait(&self, store: &Store) -> Result<Duration, ConfigError> {
        let Some(wait) = &store.wait else { return Ok(keychain::PATIENCE) };
        let not_valid = |why| self.not_valid(wait, &NotValid { what: "wait", value: wait.get_ref().clone(), why });
        let found = parse_duration(wait.get_ref()).map_err(|bad| self.not_valid(wait, &bad))?;
        match found.to_std() {
            Ok(found) if (Duration::from_secs(1)..=Duration::from_mins(10)).contains(&found) => Ok(found),
            _ => Err(not_valid("the keychain gets from 1s to 10m")),
        }
    }

    /// The first part that says something wins.
    fn settings(&self, parts: &[Parts<'_>]) -> Result<ProfileSettings, ConfigError> {
        fn pick<'a, T>(parts: &[Parts<'a>], get: impl Fn(&Parts<'a>) -> Option<&'a T>) -> Option<&'a T> {
            parts.iter().find_map(get)
        }
        let duration = |value: Option<&Spanned<String>>, otherwise| match value {
            None => Ok(otherwise),
            Some(text) => parse_duration(text.get_ref()).map_err(|bad| self.not_valid(text, &bad)),
        };
        Ok(ProfileSettings {
            limits: Limits {
                max_age: duration(pick(parts, |part| part.0.max_age.as_ref()), MAX_AGE)?,
                purge: self.purge(
                    pick(parts, |part| part.2.limit.as_ref()),
                    pick(parts, |part| part.2.at.as_ref()),
                    pick(parts, |part| part.2.timezone.as_ref()),
                )?,
            },
            retire_after: duration(pick(parts, |part| part.0.retire_after.as_ref()), RETIRE_AFTER)?,
            settle: {
                let built_in = Settle::default();
                let successes = pick(parts, |part| part.0.settle.successes.as_ref());
                let within = pick(parts, |part| part.0.settle.within.as_ref());
                let every = pick(parts, |part| part.0.settle.every.as_ref());
                let span = successes.map(Spanned::span).or(within.map(Spanned::span)).or(every.map(Spanned::span));
                Settle::new(
                    successes.map_or(built_in.successes(), |number| *number.get_ref()),
                    duration(every, built_in.every())?,
                    duration(within, built_in.within())?,
                )
                .map_err(|bad| self.error(span.unwrap_or_default(), bad.to_string()))?
            },
            mfa_serial: pick(parts, |part| part.1.serial.as_ref()).cloned(),
            mfa_command: match pick(parts, |part| part.1.command.as_ref()) {
                None => None,
                Some(text) => Some(split_command(text.get_ref()).map_err(|bad| self.not_valid(text, &bad))?),
            },
            pinentry: pick(parts, |part| part.1.pinentry.as_ref()).copied().unwrap_or_default(),
            store: pick(parts, |part| part.3.kind.as_ref()).copied(),
            desktop: pick(parts, |part| part.4.desktop.as_ref()).copied().unwrap_or(true),
            remind_before: duration(pick(parts, |part| part.4.remind_before.as_ref()), REMIND_BEFORE)?,
        })
    }

    fn purge(
        &self,
        limit: Option<&Spanned<String>>,
        at: Option<&Spanned<String>>,
        timezone: Option<&Spanned<String>>,
    ) -> Result<Option<PurgeLimit>, ConfigError> {
        let Some(limit) = limit else {
            return match at.or(timezone) {
                None => Ok(None),
                Some(alone) => Err(self.error(alone.span(), "[purge] needs a limit, like limit = \"5d\"".to_owned())),
            };
        };
        let zone = timezone.map_or("UTC", |zone| zone.get_ref().as_str());
        let hour = at.map(|at| {
            WeeklyHour::new(at.get_ref(), zone)
                .map_err(|bad| self.not_valid(if bad.what == "time zone" { timezone.unwrap_or(at) } else { at }, &bad))
        });
        Ok(Some(PurgeLimit {
            limit: parse_duration(limit.get_ref())
                .and_then(|found| {
                    let nothing =
                        NotValid { what: "limit", value: limit.get_ref().clone(), why: "it would take every key" };
                    if found.is_zero() { Err(nothing) } else { Ok(found) }
                })
                .map_err(|bad| self.not_valid(limit, &bad))?,
            at: hour.transpose()?,
        }))
    }

    fn not_valid<T>(&self, value: &Spanned<T>, bad: &NotValid) -> ConfigError {
        self.error(value.span(), bad.to_string())
    }
}

/// Splits a command as a shell splits words; it is run without a shell.
///
/// # Errors
/// [`NotValid`] for open quotes and for no words.
pub fn split_command(text: &str) -> Result<Vec<String>, NotValid> {
    let not_valid = |why| NotValid { what: "command", value: text.to_owned(), why };
    let words = shell_words::split(text).map_err(|_| not_valid("a quote is not closed"))?;
    if words.is_empty() { Err(not_valid("it has no words")) } else { Ok(words) }
}

/// serde names the unknown field and those it knows between backticks: the nearest one is added.
fn with_nearest(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let Some(unknown) = quoted.next().filter(|_| message.starts_with("unknown field")) else {
        return message.trim().replace('\n', " ");
    };
    let nearest = quoted.max_by(|a, b| strsim::jaro(unknown, a).total_cmp(&strsim::jaro(unknown, b)));
    match nearest {
        Some(known) => format!("unknown key {unknown:?}: did you mean {known:?}?"),
        None => format!("unknown key {unknown:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ConfigFile, ConfigError> {
        ConfigFile::parse(Path::new("config.toml"), text)
    }

    fn complaint(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn an_empty_file_gives_what_is_built_in() {
        let settings = parse("").unwrap().for_profile("default").clone();
        assert_eq!(settings.limits, Limits { max_age: TimeDelta::days(5), purge: None });
        assert_eq!(settings.retire_after, TimeDelta::hours(24));
        assert_eq!(settings.settle, Settle::default());
    }

    #[test]
    fn a_profile_lies_over_the_general_part_key_by_key() {
        let file = parse(
            "[rotation]\nmax_age = \"10d\"\nretire_after = \"2d\"\n[mfa]\nserial = \"arn:g\"\n\
             [profile.work.rotation]\nmax_age = \"3d\"\n[profile.work.purge]\nlimit = \"5d\"\nat = \"Fri 23:55\"\ntimezone = \"Europe/Berlin\"\n",
        )
        .unwrap();
        let work = file.for_profile("work");
        assert_eq!((work.limits.max_age, work.retire_after), (TimeDelta::days(3), TimeDelta::days(2)));
        assert_eq!(work.mfa_serial.as_deref(), Some("arn:g"));
        assert!(work.limits.purge.is_some());
        assert!(file.for_profile("default").limits.purge.is_none());
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_line_and_nearest_key() {
        assert_eq!(
            complaint("[rotation]\n\nmax_aeg = \"5d\"\n"),
            "config.toml:3: unknown key \"max_aeg\": did you mean \"max_age\"?"
        );
        assert_eq!(complaint("[rotatoin]\n"), "config.toml:1: unknown key \"rotatoin\": did you mean \"rotation\"?");
        assert!(complaint("[profile.work.mfa]\nserail = \"x\"\n").starts_with("config.toml:2: unknown key \"serail\""));
    }

    #[test]
    fn nonsense_values_are_named_with_their_line() {
        assert!(
            complaint("[rotation]\nmax_age = \"5 parsecs\"\n").starts_with("config.toml:2: duration \"5 parsecs\"")
        );
        assert!(complaint("[rotation]\nmax_age = 5\n").starts_with("config.toml:2: "));
        assert!(complaint("[purge]\nat = \"Fri 23:55\"\n").contains("needs a limit"));
        assert!(complaint("[purge]\nlimit = \"0\"\n").contains("every key"));
        assert!(
            complaint("[purge]\nlimit = \"5d\"\nat = \"Fri 23:55\"\ntimezone = \"Mars\"\n")
                .starts_with("config.toml:4: ")
        );
        assert!(complaint("[rotation.settle]\nsuccesses = 0\n").starts_with("config.toml:2: "));
        assert!(complaint("[mfa]\ncommand = \"ykman 'oath\"\n").starts_with("config.toml:2: "));
        assert!(complaint("[rotation\n").starts_with("config.toml:1: "));
    }

    #[test]
    fn the_store_of_a_profile_lies_over_the_general_one() {
        let file = parse("[store]\nkind = \"keychain\"\nwait = \"3s\"\n[profile.ci.store]\nkind = \"file\"\n").unwrap();
        assert_eq!(file.keychain_wait, Duration::from_secs(3));
        assert_eq!(file.for_profile("default").store, Some(StoreKind::Keychain));
        assert_eq!(file.for_profile("ci").store, Some(StoreKind::File));
        assert_eq!(parse("").unwrap().keychain_wait, Duration::from_secs(10));
        assert!(complaint("[store]\nkind = \"kechain\"\n").starts_with("config.toml:2: "));
        assert!(complaint("[store]\nwait = \"0s\"\n").starts_with("config.toml:2: wait \"0s\""));
        assert!(complaint("[profile.ci.store]\nwait = \"3s\"\n").starts_with("config.toml:2: "));
    }

    #[test]
    fn what_this_version_cannot_do_is_refused_and_not_ignored() {
        assert!(complaint("[[sink]]\nname = \"ci\"\n").contains("[sink]"));
    }

    #[test]
    fn notifications_are_on_unless_they_are_switched_off() {
        let file = parse("[notify]\nremind_before = \"3d\"\n[profile.ci.notify]\ndesktop = false\n").unwrap();
        let (ci, other) = (file.for_profile("ci"), file.for_profile("default"));
        assert_eq!((ci.desktop, ci.remind_before), (false, TimeDelta::days(3)));
        assert_eq!((other.desktop, parse("").unwrap().for_profile("x").remind_before), (true, TimeDelta::days(2)));
        assert!(complaint("[notify]\nremind_before = \"soon\"\n").starts_with("config.toml:2: "));
    }
}
