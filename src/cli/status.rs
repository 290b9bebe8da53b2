//! `status`: facts, limits and the next decision, for people or as JSON.

use futures_util::future::join_all;

use crate::cli::args::{Output, Status};
use crate::cli::error::{Exit, Failure};
use crate::cli::machine::{Machine, Subject, Workplace};
use crate::cli::render;
use crate::host::prompt::CodeSource;
use crate::keys::health::Verdict;
use crate::keys::policy::{Goal, Policy};
use crate::ports::{Cause, Clock, World};
use crate::runner::status::{UserStatus, offline, status};

pub async fn run(args: &Status, output: Output) -> Result<Exit, Failure> {
    let workplace = Workplace::open(&args.profiles, output).await?;
    let machines: Vec<Machine> = workplace
        .subjects
        .iter()
        .map(|subject| workplace.machine(subject, CodeSource::Ask, false))
        .collect::<Result<_, _>>()?;
    let asked = workplace.subjects.iter().zip(&machines).map(|(subject, machine)| one(subject, machine, args.offline));
    let mut found = Vec::new();
    for (answer, subject) in join_all(asked).await.into_iter().zip(&workplace.subjects) {
        workplace.announce(subject);
        found.push((subject, answer?));
    }
    if output.json {
        render::status_json(&found)?;
    } else {
        render::status(&found);
    }
    Ok(exit(&found, args.check))
}

async fn one(subject: &Subject, machine: &Machine, is_offline: bool) -> Result<UserStatus, Failure> {
    let policy = Policy {
        goal: Goal::Rotate { older_than: None },
        limits: subject.settings.limits.clone(),
        retire_after: subject.settings.retire_after,
        replace: Vec::new(),
        yes: false,
        scheduled: false,
        may_start: true,
    };
    let key = &subject.signing.key;
    Ok(if is_offline {
        offline(machine, key, &policy, machine.clock().now())?
    } else {
        status(machine, key, &policy).await?
    })
}

/// Without `--check` only what kept us from looking is no success.
fn exit(found: &[(&Subject, UserStatus)], check: bool) -> Exit {
    let trouble = found.iter().filter_map(|(_, user)| user.trouble.as_ref()).find_map(|error| match error.cause {
        Cause::KeyNotAccepted | Cause::SignatureRefused => Some(Exit::CannotSignIn),
        Cause::AccessDenied => None,
        _ => Some(Exit::Unexpected),
    });
    let worst = found.iter().flat_map(|(_, user)| &user.keys).filter(|key| !key.profiles.is_empty()).fold(
        Exit::Done,
        |worst, key| match key.verdict {
            Some(Verdict::Overdue) => Exit::Overdue,
            Some(Verdict::Due) => worst.max(Exit::Due),
            _ => worst,
        },
    );
    trouble.unwrap_or(if check { worst } else { Exit::Done })
}
