//! `status`: facts, limits and the next decision, for people or as JSON.

use std::collections::HashSet;

use futures_util::future::join_all;

use crate::cli::args::{Output, Status};
use crate::cli::error::{Exit, Failure, halted};
use crate::cli::machine::{Machine, Subject, Workplace};
use crate::cli::{render, short};
use crate::host::console::err;
use crate::host::credentials_file;
use crate::host::seen::{Seen as SeenKeys, SeenKey};
use crate::keys::facts::KeyId;
use crate::keys::health::Verdict;
use crate::keys::policy::{Goal, Policy};
use crate::ports::{Cause, Clock, World};
use crate::runner::rotate::{CLOCK_TOLERANCE, Halt};
use crate::runner::status::{UserStatus, offline, status};

/// What was found for one subject.
pub struct Seen<'a> {
    pub subject: &'a Subject,
    pub user: UserStatus,
    /// What kept us from looking; that IAM lists keys with MFA only is none.
    pub failure: Option<Failure>,
}

pub async fn run(args: &Status, output: Output) -> Result<Exit, Failure> {
    if args.short {
        return short::run(args).await;
    }
    let workplace = Workplace::open(&args.profiles, output).await?;
    let machines: Vec<Machine> = workplace
        .subjects
        .iter()
        .map(|subject| workplace.machine(subject, Vec::new(), false))
        .collect::<Result<_, _>>()?;
    let asked = workplace.subjects.iter().zip(&machines).map(|(subject, machine)| one(subject, machine, args.offline));
    let mut found = Vec::new();
    for (answer, subject) in join_all(asked).await.into_iter().zip(&workplace.subjects) {
        workplace.announce(subject);
        let user = answer?;
        warn_of_the_clock(&user);
        found.push(Seen { subject, failure: failure(subject, &user), user });
    }
    if !args.offline {
        remember(&workplace, &found);
    }
    each_key_once(&mut found);
    if output.json {
        render::status_json(&found)?;
    } else {
        render::status(&found);
    }
    Ok(exit(&found, args.check))
}

async fn one(subject: &Subject, machine: &Machine, is_offline: bool) -> Result<UserStatus, Failure> {
    let policy = Policy {
        goal: Goal::RotateDue { week: None },
        limits: subject.settings.limits.clone(),
        retire_after: subject.settings.retire_after,
        replace: Vec::new(),
        yes: false,
        scheduled: false,
        may_start: true,
        other_signs: false,
    };
    let key = &subject.signing.key;
    Ok(if is_offline {
        offline(machine, key, &policy, machine.clock().now())?
    } else {
        Box::pin(status(machine, key, &policy)).await?
    })
}

/// For `--short`, which asks nobody. Best effort: no run depends on it.
fn remember(workplace: &Workplace, found: &[Seen<'_>]) {
    let state = &workplace.places.state;
    let before = SeenKeys::read(state);
    let mut seen = before.clone();
    for Seen { subject, user, .. } in found.iter().filter(|seen| seen.failure.is_none()) {
        let id = &subject.signing.key.id;
        let created = user.keys.iter().find(|key| key.id == *id).and_then(|key| key.created);
        for profile in subject.profiles.iter().chain(&subject.holders) {
            seen.note(profile, SeenKey { access_key_id: id.clone(), created });
        }
    }
    if seen != before && credentials_file::create_state_folder(&workplace.places).is_ok() {
        let _ = seen.write(state);
    }
}

/// The SDK's calls get by with a wrong clock; a rotation refuses to begin.
fn warn_of_the_clock(user: &UserStatus) {
    if let Some(by) = user.clock_offset.filter(|by| by.abs() > CLOCK_TOLERANCE) {
        let clock = halted(&Halt::ClockOff { by });
        err(format_args!("warning: {}\nnext: {}", clock.message, clock.hint.unwrap_or_default()));
    }
}

fn failure(subject: &Subject, user: &UserStatus) -> Option<Failure> {
    let error = user.trouble.clone()?;
    match error.cause {
        Cause::AccessDenied => None,
        Cause::KeyNotAccepted | Cause::SignatureRefused => {
            Some(halted(&Halt::CannotSignIn { key: subject.signing.key.id.clone(), error }))
        }
        _ => Some(halted(&Halt::Call(error))),
    }
}

/// Two profiles may hold the two keys of one user: each key is shown with the profile that holds it, and
/// the others with the first that saw them.
fn each_key_once(found: &mut [Seen<'_>]) {
    let own: HashSet<KeyId> = found.iter().map(|seen| seen.subject.signing.key.id.clone()).collect();
    let mut shown = HashSet::new();
    let mut told = HashSet::new();
    for seen in found {
        let base = &seen.subject.signing.key.id;
        seen.user.keys.retain(|key| key.id == *base || (!own.contains(&key.id) && shown.insert(key.id.clone())));
        seen.user.unfinished.retain(|rotation| told.insert(rotation.id.clone()));
    }
}

/// Without `--check` only what kept us from looking is no success.
fn exit(found: &[Seen<'_>], check: bool) -> Exit {
    let failed = found.iter().find_map(|seen| seen.failure.as_ref()).map(|failure| failure.exit);
    let worst = found.iter().flat_map(|seen| &seen.user.keys).filter(|key| !key.profiles.is_empty()).fold(
        Exit::Done,
        |worst, key| match key.verdict {
            Some(Verdict::Gone) => worst.max(Exit::CannotSignIn),
            Some(Verdict::Overdue) => Exit::Overdue,
            Some(Verdict::Due) => worst.max(Exit::Due),
            _ => worst,
        },
    );
    failed.unwrap_or(if check { worst } else { Exit::Done })
}
