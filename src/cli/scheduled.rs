//! `rotate --scheduled`: a run without anybody at the terminal, for the timer.
//!
//! It opens no terminal and reads nothing from a person but what pinentry asks for on a desktop. What it did is one line
//! on standard error; where a person is needed, that line says so, and a notification does.

mod reminding;
mod verdict;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::cli::args::{Output, Rotate};
use crate::cli::auth_profile;
use crate::cli::error::{Exit, Failure};
use crate::cli::machine::{Codes, LeftOut, Subject, Workplace, found_places, locked};
use crate::cli::render;
use crate::cli::rotate::{Done, failure, settings};
use crate::host::clock::{Stop, SystemClock, instant, wall};
use crate::host::console::err;
use crate::host::credentials_file::create_state_folder;
use crate::host::last_run::{self, LastRun};
use crate::host::paths::Places;
use crate::host::tty;
use crate::keys::facts::Time;
use crate::keys::lifecycle::Week;
use crate::keys::policy::Goal;
use crate::keys::reminder::plain;
use crate::keys::timetable::Timetable;
use crate::ports::{Clock, World};
use crate::runner::rotate::{OtherProfile, Run, Settings};
use crate::runner::scheduled::reachable;

use self::reminding::Reminding;
use self::verdict::{Verdict, judge};

/// Built in: a fleet whose timers fire at the same second spreads over this.
const JITTER: TimeDelta = TimeDelta::minutes(1);
/// A laptop that woke up for the timer has its network by then.
const NETWORK: TimeDelta = TimeDelta::minutes(2);

/// What a run came to.
struct Ended {
    exit: Exit,
    /// Of each key, or of what stopped all.
    lines: Vec<String>,
    json: Value,
}

impl Ended {
    fn failed(exit: Exit, lines: Vec<String>, failure: &Failure) -> Self {
        Self { exit, lines, json: json!({ "version": 1, "error": render::error_json(failure) }) }
    }
}

/// Failures are told in the line and by the exit code: there is no `Err` but for a machine without a home folder.
pub async fn run(args: &Rotate, output: Output) -> Result<Exit, Failure> {
    let stop = Stop::default();
    stop.listen();
    let clock = SystemClock { stop };
    let places = found_places()?;
    let by_hand = if tty::watches() { TimeDelta::zero() } else { JITTER };
    clock.jitter(args.timer.jitter.unwrap_or(by_hand)).await;
    let ended = Box::pin(work(args, output, &places, &clock)).await;
    let line = plain(&ended.lines.join(" | "));
    err(&line);
    if output.json {
        render::print_json(&ended.json)?;
    }
    // Another run is at work, and its end is the one to tell.
    if ended.exit != Exit::Busy {
        remember(&places, &LastRun { at: clock.now(), exit: ended.exit as u8, line });
    }
    Ok(ended.exit)
}

/// For `schedule status` and `doctor`; a run depends on it in nothing.
fn remember(places: &Places, run: &LastRun) {
    let folder = create_state_folder(places).map_err(|error| error.to_string());
    if let Err(why) = folder.and_then(|()| last_run::write(&places.state, run)) {
        err(format_args!("warning: the record of this run cannot be written: {why}"));
    }
}

/// Everything under the lock: the files are read only then, as the run before this one left them.
async fn work(args: &Rotate, output: Output, places: &Places, clock: &SystemClock) -> Ended {
    let mut reminding = Reminding::begin(&places.state, clock.now());
    if clock.stop_requested() {
        let stopped = Failure::new(Exit::Unfinished, "stopped by a signal before anything was changed");
        return Ended::failed(Exit::Unfinished, vec![stopped.message.clone()], &stopped);
    }
    let _lock = match locked(places) {
        Ok(lock) => lock,
        Err(busy) if busy.exit == Exit::Busy => return Ended::failed(Exit::Busy, vec![busy.message.clone()], &busy),
        Err(failure) => return reminding.of_all(args, &failure),
    };
    match Box::pin(all_keys(args, output, clock, &mut reminding)).await {
        Ok(ended) => ended,
        Err(failure) => reminding.of_all(args, &failure),
    }
}

async fn all_keys(
    args: &Rotate,
    output: Output,
    clock: &SystemClock,
    reminding: &mut Reminding,
) -> Result<Ended, Failure> {
    let codes = args.sign.codes()?;
    let progress = Output { quiet: output.quiet || output.verbose == 0, ..output };
    let (workplace, left_out) = Workplace::open_each(&args.profiles, progress, clock.stop.clone()).await?;
    let (mut lines, mut exits) = (Vec::new(), Vec::new());
    let mut all = Vec::new();
    if let Some(first) = workplace.subjects.first() {
        let machine = workplace.machine(first, Vec::new(), false)?;
        reachable(&machine, &first.signing.key, NETWORK).await;
        // Only now: an SSO sign-in is renewed over the network too.
        let other = auth_profile::resolve(&args.sign, &workplace, None).await?;
        for subject in &workplace.subjects {
            if clock.stop_requested() {
                break;
            }
            let done = one_key(args, &workplace, subject, other.as_ref(), &codes).await?;
            let (exit, line) = told(subject, &done, args, clock, reminding);
            exits.push(exit);
            lines.push(line);
            all.push(done);
        }
    }
    for one in &left_out {
        lines.push(reminding.of_profile(one));
        exits.push(exit_of(&one.failure));
    }
    if clock.stop_requested() && all.len() < workplace.subjects.len() {
        lines.push("stopped by a signal before the other keys were looked at".to_owned());
        exits.push(Exit::Unfinished);
    }
    lines.extend(reminding.close(&workplace));
    Ok(Ended { exit: overall(&exits), lines, json: as_json(&all, &left_out) })
}

/// What is wrong with arguments and files keeps its own code: by that a service manager shows the timer as failed.
fn exit_of(failure: &Failure) -> Exit {
    if failure.exit == Exit::Usage { Exit::Usage } else { Exit::Due }
}

/// A timer that is set up wrong outranks that a person is needed, and that what a later run mends.
fn overall(exits: &[Exit]) -> Exit {
    let wrong = exits.iter().find(|exit| **exit == Exit::Usage);
    wrong.or(exits.iter().max()).copied().unwrap_or(Exit::Done)
}

async fn one_key(
    args: &Rotate,
    workplace: &Workplace,
    subject: &Subject,
    other: Option<&OtherProfile>,
    codes: &Codes,
) -> Result<Done, Failure> {
    let machine = workplace.machine(subject, codes.unattended(subject), false)?;
    let settings = due(args, subject, other, machine.clock().now());
    let (retire_after, limits) = (settings.policy.retire_after, settings.policy.limits.clone());
    let report = Run::new(&machine, subject.signing.key.clone(), settings).run().await;
    let failure = failure(&report);
    Ok(Done { profiles: subject.profiles.clone(), retire_after, limits, report, failure })
}

/// What is due is decided in the planner; here, in which week of the timer's.
fn due(args: &Rotate, subject: &Subject, other: Option<&OtherProfile>, now: Time) -> Settings {
    let week = args.timer.at.map(|at| week(at, now));
    let mut settings = settings(subject, &args.sign, other, Goal::RotateDue { week });
    settings.policy.scheduled = true;
    settings.policy.retire_after = args.retire_after.unwrap_or(subject.settings.retire_after);
    settings
}

fn week(at: Timetable, now: Time) -> Week {
    let wall = wall(now);
    Week { began: instant(at.week_began(wall)), ends: instant(at.week_ends(wall)) }
}

/// What is said of one key, and to whom.
fn told(
    subject: &Subject,
    done: &Done,
    args: &Rotate,
    clock: &SystemClock,
    reminding: &mut Reminding,
) -> (Exit, String) {
    let profiles = done.profiles.join(", ");
    let did = render::outcome_lines(done).join("; ");
    let Some(failure) = &done.failure else { return (Exit::Done, format!("{profiles}: {did}")) };
    let did = if did.is_empty() { did } else { format!("{profiles}: {did}; ") };
    match judge(subject, done, clock.stop_requested()) {
        Verdict::Later => (Exit::Unfinished, format!("{did}{profiles}: {}; the next run goes on", failure.message)),
        Verdict::Person { sharp } => (Exit::Due, did + &reminding.of_key(subject, done, args, failure, sharp)),
    }
}

fn as_json(all: &[Done], left_out: &[LeftOut]) -> Value {
    let mut rotations: Vec<Value> = all.iter().map(render::rotation_json).collect();
    rotations.extend(left_out.iter().map(|one| {
        json!({
            "profiles": [one.profile],
            "account": null,
            "user": null,
            "outcome": "blocked",
            "old_access_key_id": null,
            "new_access_key_id": null,
            "old_key": null,
            "delete_after": null,
            "deleted": [],
            "reason": one.failure.message,
            "error": render::error_json(&one.failure),
        })
    }));
    json!({ "version": 1, "rotations": rotations })
}
