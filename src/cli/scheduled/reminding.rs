//! Calling for a person: a notification for each key, once a day, and the same in the log line.

use std::path::Path;

use chrono::{NaiveDate, TimeDelta};

use crate::cli::args::{Rotate, Sign, option};
use crate::cli::error::{Exit, Failure};
use crate::cli::machine::{LeftOut, Subject};
use crate::cli::render;
use crate::cli::rotate::Done;
use crate::host::clock::{wall, wall_words};
use crate::host::notify::{self, Notice};
use crate::host::paths;
use crate::host::reminders::{Reminded, Reminders};
use crate::keys::facts::{KeyId, Time};
use crate::keys::lifecycle::{age, purge_at};
use crate::keys::reminder::{Reminder, Taken};
use crate::keys::words::duration;

use super::{Ended, exit_of};

/// What stopped a run before any key was looked at.
const ALL: &str = "all";

/// A key that was not rotated, and what is known of it.
pub struct Case<'a> {
    pub subject: &'a Subject,
    /// CreateDate, where anybody tells.
    pub created: Option<Time>,
    /// As `created`, where the purge may still take the key.
    pub takeable: Option<Time>,
    pub now: Time,
    pub sharp: bool,
    pub failure: &'a Failure,
    /// The keys that are in the way.
    pub others: Vec<String>,
}

/// The reminders of one run.
pub struct Reminding {
    ledger: Reminders,
    today: NaiveDate,
    now: Time,
}

impl Reminding {
    pub fn begin(state_folder: &Path, now: Time) -> Self {
        Self { ledger: Reminders::read(state_folder), today: wall(now).date(), now }
    }

    /// When the run began, by the local clock.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The line that says why a key was not rotated, and that somebody was told.
    pub fn of_key(&mut self, case: &Case<'_>, sign: &Sign) -> String {
        let Case { subject, now, failure, .. } = *case;
        let key = &subject.signing.key.id;
        let taken = case.takeable.and_then(|created| purge_at(created, now, &subject.settings.limits));
        let reminder = Reminder {
            profiles: subject.profiles.clone(),
            key: Some(key.clone()),
            age: case.created.map(|created| age(created, now)),
            purge: taken.map(|at| Taken { at: wall_words(at), left: at - now }),
            sharp: case.sharp,
            why: failure.message.clone(),
            next: next(failure, &command(&subject.profiles, sign)),
            others: case.others.clone(),
        };
        self.remind(key.as_str(), &reminder, subject.settings.desktop)
    }

    /// As [`Reminding::of_key`], where the profile's key could not even be read.
    pub fn of_profile(&mut self, one: &LeftOut) -> String {
        let reminder = unread(vec![one.profile.clone()], &one.failure);
        self.remind(&format!("profile {}", one.profile), &reminder, true)
    }

    /// What stopped the run before any key was looked at.
    pub fn of_all(&mut self, args: &Rotate, failure: &Failure) -> Ended {
        let profiles = match args.profiles.profile.as_slice() {
            [] if args.profiles.all => vec!["all".to_owned()],
            [] => vec![paths::env("AWS_PROFILE").unwrap_or_else(|| "default".to_owned())],
            named => named.to_vec(),
        };
        let told = self.remind(ALL, &unread(profiles, failure), true);
        let lines = [told].into_iter().chain(self.write()).collect();
        Ended::failed(exit_of(failure), lines, failure)
    }

    fn remind(&mut self, about: &str, reminder: &Reminder, desktop: bool) -> String {
        let line = reminder.line();
        if !desktop {
            return format!("{line}; notifications are switched off");
        }
        let last = self.ledger.last(about);
        if last.is_some_and(|last| !last.allows(self.today, reminder.sharp)) {
            return format!("{line}; a notification was shown today already");
        }
        let notice = Notice {
            summary: reminder.summary(),
            body: reminder.body(),
            urgent: reminder.sharp,
            replaces: last.and_then(|last| last.shown.clone()),
        };
        match notify::show(&notice) {
            Ok(shown) => {
                self.ledger.note(about, Reminded { day: self.today, urgent: reminder.sharp, shown });
                format!("{line}; a notification was shown")
            }
            Err(none) => format!("{line}; {none}"),
        }
    }

    /// Forgets what is not about these keys and was not told today, and writes the rest down; says what hindered it.
    pub fn close(&mut self, here: &[KeyId]) -> Option<String> {
        let today = self.today;
        self.ledger.keep(|about, last| last.day == today || here.iter().any(|key| key.as_str() == about));
        self.write()
    }

    fn write(&self) -> Option<String> {
        let why = self.ledger.write().err()?;
        Some(format!("the record of reminders cannot be written: {why}"))
    }
}

fn unread(profiles: Vec<String>, failure: &Failure) -> Reminder {
    let next = failure.hint.clone().unwrap_or_else(|| "run `keyrot-me rotate`".to_owned());
    Reminder { profiles, why: failure.message.clone(), next, ..Reminder::default() }
}

/// What a person runs in this run's place.
fn command(profiles: &[String], sign: &Sign) -> String {
    let mut words = vec!["keyrot-me".to_owned(), "rotate".to_owned()];
    words.extend(profiles.iter().take(1).flat_map(|profile| option("--profile", profile)));
    if sign.no_mfa {
        words.push("--no-mfa".to_owned());
    }
    words.extend(sign.auth_profile.iter().flat_map(|name| option("--auth-profile", name)));
    shell_words::join(words)
}

fn next(failure: &Failure, command: &str) -> String {
    match (&failure.hint, failure.exit) {
        (Some(hint), Exit::Mfa) => format!("run `{command}`, or {hint}"),
        (Some(hint), exit) if exit != Exit::Unfinished => hint.clone(),
        _ => format!("run `{command}`"),
    }
}

/// What IAM tells of the keys that are in the way.
pub fn others(done: &Done) -> Vec<String> {
    let report = &done.report;
    let shown = report.last_uses.iter().map(|(key, used)| {
        let old = duration((report.now - key.created).max(TimeDelta::zero()));
        format!("{} ({}, {old} old): {}", key.id, key.status, render::last_used_words(used.as_ref()))
    });
    shown.collect()
}
