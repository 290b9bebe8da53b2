//! `rotate`, `finish` and `rollback`: one run per key, under the lock, and what it came to.

use crate::cli::args::{Finish, Output, Rollback, Rotate, Sign};
use crate::cli::auth_profile;
use crate::cli::error::{Exit, Failure, blocked, halted};
use crate::cli::machine::{Codes, Subject, Workplace};
use crate::cli::{render, scheduled, store};
use crate::host::lock::RunLock;
use crate::keys::policy::{Goal, Limits, Policy};
use crate::runner::rotate::{End, Halt, OtherProfile, Report, Run, Settings};

/// One subject's end.
pub struct Done {
    pub profiles: Vec<String>,
    pub retire_after: chrono::TimeDelta,
    pub limits: Limits,
    pub report: Report,
    pub failure: Option<Failure>,
}

pub async fn rotate(args: &Rotate, output: Output) -> Result<Exit, Failure> {
    if args.timer.scheduled {
        return Box::pin(scheduled::run(args, output)).await;
    }
    if let Some(name) = args.skip_sink.first() {
        return Err(Failure::new(Exit::Usage, format!("there is no sink named {name:?}"))
            .hint("leave --skip-sink out: sinks are not available in this version"));
    }
    let mut workplace = Workplace::open(&args.profiles, output).await?;
    let other = auth_profile::resolve(&args.sign, &workplace, args.replace.as_ref()).await?;
    let goal = Goal::Rotate { older_than: args.if_older_than };
    let settings = |subject: &Subject| {
        let mut settings = settings(subject, &args.sign, other.as_ref(), goal.clone());
        settings.policy.retire_after = args.retire_after.unwrap_or(subject.settings.retire_after);
        settings.policy.replace.extend(args.replace.clone());
        settings
    };
    if args.dry_run {
        return dry_run(&workplace, args, settings, output).await;
    }
    args.sign.codes()?;
    let lock = store::bring(&workplace, args.store, output).await?;
    if lock.is_some() {
        workplace = Workplace::open(&args.profiles, output).await?;
    }
    run_all(&workplace, lock, &args.sign, settings, output).await
}

pub async fn finish(args: &Finish, output: Output) -> Result<Exit, Failure> {
    let workplace = Workplace::open(&args.profiles, output).await?;
    let other = auth_profile::resolve(&args.sign, &workplace, None).await?;
    let settings = |subject: &Subject| {
        let mut settings = settings(subject, &args.sign, other.as_ref(), Goal::Finish { now: args.now });
        settings.policy.retire_after = args.retire_after.unwrap_or(subject.settings.retire_after);
        settings
    };
    run_all(&workplace, None, &args.sign, settings, output).await
}

pub async fn rollback(args: &Rollback, output: Output) -> Result<Exit, Failure> {
    let workplace = Workplace::open(&args.profiles, output).await?;
    let other = auth_profile::resolve(&args.sign, &workplace, None).await?;
    let settings = |subject: &Subject| settings(subject, &args.sign, other.as_ref(), Goal::Rollback);
    run_all(&workplace, None, &args.sign, settings, output).await
}

pub fn settings(subject: &Subject, sign: &Sign, other: Option<&OtherProfile>, goal: Goal) -> Settings {
    Settings {
        policy: Policy {
            goal,
            limits: subject.settings.limits.clone(),
            retire_after: subject.settings.retire_after,
            replace: Vec::new(),
            yes: sign.yes,
            scheduled: false,
            may_start: true,
            other_signs: other.is_some(),
        },
        auth: sign.auth(subject, other),
        settle: subject.settings.settle.clone(),
    }
}

/// Runs subject by subject; the exit code is the first one that is not 'done'.
async fn run_all(
    workplace: &Workplace,
    lock: Option<RunLock>,
    sign: &Sign,
    settings: impl Fn(&Subject) -> Settings,
    output: Output,
) -> Result<Exit, Failure> {
    let codes = sign.codes()?;
    let _lock = match lock {
        Some(lock) => lock,
        None => workplace.lock()?,
    };
    let all = run_each(workplace, &codes, settings, output).await?;
    if output.json {
        render::rotations_json(&all)?;
    }
    Ok(exit(&all))
}

/// With the lock held. People see each end at once.
pub async fn run_each(
    workplace: &Workplace,
    codes: &Codes,
    settings: impl Fn(&Subject) -> Settings,
    output: Output,
) -> Result<Vec<Done>, Failure> {
    let mut all = Vec::new();
    for subject in &workplace.subjects {
        workplace.announce(subject);
        let machine = workplace.machine(subject, codes.sources(subject), true)?;
        let settings = settings(subject);
        let (retire_after, limits) = (settings.policy.retire_after, settings.policy.limits.clone());
        let report = Run::new(&machine, subject.signing.key.clone(), settings).run().await;
        let failure = failure(&report);
        let done = Done { profiles: subject.profiles.clone(), retire_after, limits, report, failure };
        if !output.json {
            render::rotation(&done);
        }
        all.push(done);
        if workplace.stop.requested() {
            break;
        }
    }
    Ok(all)
}

pub fn exit(all: &[Done]) -> Exit {
    all.iter().filter_map(|done| done.failure.as_ref()).map(|failure| failure.exit).next().unwrap_or(Exit::Done)
}

pub fn failure(report: &Report) -> Option<Failure> {
    match &report.end {
        End::Idle(_) => None,
        End::Blocked(reason) => Some(blocked(reason)),
        End::Halted(halt) => Some(halted(halt)),
    }
}

async fn dry_run(
    workplace: &Workplace,
    args: &Rotate,
    settings: impl Fn(&Subject) -> Settings,
    output: Output,
) -> Result<Exit, Failure> {
    let codes = args.sign.codes()?;
    let mut all = Vec::new();
    for subject in &workplace.subjects {
        workplace.announce(subject);
        let moved = store::would_move(workplace, subject, args.store).await?;
        let machine = workplace.machine(subject, codes.sources(subject), false)?;
        let plan = Run::new(&machine, subject.signing.key.clone(), settings(subject)).plan().await;
        let plan = plan.map_err(|halt| match halt {
            Halt::NotPermitted(_) => {
                halted(&halt).hint("a dry run has no MFA code, and IAM wants one here: `keyrot-me rotate`")
            }
            _ => halted(&halt),
        })?;
        if !output.json {
            render::plan(subject, moved.as_deref(), &plan);
        }
        all.push((subject, moved, plan));
    }
    if output.json {
        render::plans_json(&all)?;
    }
    Ok(Exit::Done)
}
