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
use crate::cli::error::{Exit, Failure, halted};
use crate::cli::machine::{Codes, Subject, Workplace, found_places, locked};
use crate::cli::render;
use crate::cli::rotate::{Done, failure, settings};
use crate::host::clock::{Stop, SystemClock, instant, wall};
use crate::host::console::err;
use crate::host::credentials_file::create_state_folder;
use crate::host::last_run::{self, LastRun};
use crate::host::paths::Places;
use crate::host::tty;
use crate::keys::facts::{KeyId, Time};
use crate::keys::lifecycle::Week;
use crate::keys::policy::Goal;
use crate::keys::reminder::plain;
use crate::keys::timetable::Timetable;
use crate::keys::words::duration;
use crate::ports::{Clock, SecretStore, World};
use crate::runner::rotate::{Halt, OtherProfile, Run, Settings};
use crate::runner::scheduled::reachable;
use crate::runner::status::status;

use self::reminding::{Case, Reminding, others};
use self::verdict::{Verdict, judge, purge_is_near, takeable};

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

/// Everything under the lock: files and records are read only then, as the run before this one left them.
async fn work(args: &Rotate, output: Output, places: &Places, clock: &SystemClock) -> Ended {
    if clock.stop_requested() {
        let stopped = halted(&Halt::Stopped);
        return Ended::failed(Exit::Unfinished, vec![stopped.message.clone()], &stopped);
    }
    let begin = || Reminding::begin(&places.state, clock.now());
    let _lock = match locked(places) {
        Ok(lock) => lock,
        Err(busy) if busy.exit == Exit::Busy => return Ended::failed(Exit::Busy, vec![busy.message.clone()], &busy),
        Err(failure) => return begin().of_all(args, &failure),
    };
    let mut reminding = begin();
    let ended = Box::pin(all_keys(args, output, clock, &mut reminding)).await;
    ended.unwrap_or_else(|failure| reminding.of_all(args, &failure))
}

/// What has been said so far.
#[derive(Default)]
struct Told {
    lines: Vec<String>,
    exits: Vec<Exit>,
    rotations: Vec<Value>,
}

impl Told {
    fn add(&mut self, (exit, line): (Exit, String), rotation: Value) {
        self.exits.push(exit);
        self.lines.push(line);
        self.rotations.push(rotation);
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
    let mut told = Told::default();
    let signer = signer(args, &workplace, clock).await?;
    for subject in &workplace.subjects {
        if clock.stop_requested() {
            let stopped = halted(&Halt::Stopped);
            let line = format!("{}: {}", subject.profiles.join(", "), stopped.message);
            told.add((Exit::Unfinished, line), unrotated(&subject.profiles, &stopped));
            continue;
        }
        let done = match &signer {
            Ok(other) => one_key(args, &workplace, subject, other.as_ref(), &codes).await,
            Err(failure) => Err(failure.clone()),
        };
        match done {
            Ok(done) => told.add(after_run(subject, &done, args, clock, reminding), render::rotation_json(&done)),
            Err(failure) => {
                let said = without_run(&workplace, subject, args, &failure, reminding).await;
                told.add(said, unrotated(&subject.profiles, &failure));
            }
        }
    }
    for one in &left_out {
        let said = (exit_of(&one.failure), reminding.of_profile(one));
        told.add(said, unrotated(std::slice::from_ref(&one.profile), &one.failure));
    }
    told.lines.extend(reminding.close(&held_here(&workplace)));
    let json = json!({ "version": 1, "rotations": told.rotations });
    Ok(Ended { exit: overall(&told.exits), lines: told.lines, json })
}

/// Who signs in the keys' place, once there is a network; what keeps the keys from their turn is the inner failure.
async fn signer(
    args: &Rotate,
    workplace: &Workplace,
    clock: &SystemClock,
) -> Result<Result<Option<OtherProfile>, Failure>, Failure> {
    let Some(first) = workplace.subjects.first() else { return Ok(Ok(None)) };
    let machine = workplace.machine(first, Vec::new(), false)?;
    if !reachable(&machine, &first.signing.key, NETWORK).await && !clock.stop_requested() {
        let why = format!("AWS could not be reached within {}", duration(NETWORK));
        return Ok(Err(Failure::new(Exit::Unfinished, why)));
    }
    match auth_profile::resolve(&args.sign, workplace, None).await {
        Err(wrong) if wrong.exit == Exit::Usage => Err(wrong),
        other => Ok(other),
    }
}

/// Every key that this machine holds; none where that cannot be read.
fn held_here(workplace: &Workplace) -> Vec<KeyId> {
    let Some(first) = workplace.subjects.first() else { return Vec::new() };
    let published = workplace.machine(first, Vec::new(), false).map(|machine| machine.store().published());
    match published {
        Ok(Ok(held)) => held.into_iter().map(|held| held.key.id).collect(),
        _ => workplace.subjects.iter().map(|subject| subject.signing.key.id.clone()).collect(),
    }
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
fn after_run(
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
    let (exit, line) = match judge(subject, done, clock.stop_requested()) {
        Verdict::Later => later(&profiles, failure),
        Verdict::Person { sharp } => {
            let (created, takeable, now) = (done.report.created, takeable(done), done.report.now);
            let case = Case { subject, created, takeable, now, sharp, failure, others: others(done) };
            (Exit::Due, reminding.of_key(&case, &args.sign))
        }
    };
    (exit, did + &line)
}

fn later(profiles: &str, failure: &Failure) -> (Exit, String) {
    (Exit::Unfinished, format!("{profiles}: {}; the next run goes on", failure.message))
}

/// As [`after_run`], for a key whose turn did not come: how old it is, IAM tells, or else the journal.
async fn without_run(
    workplace: &Workplace,
    subject: &Subject,
    args: &Rotate,
    failure: &Failure,
    reminding: &mut Reminding,
) -> (Exit, String) {
    let (created, now) = seen(workplace, subject, args).await.unwrap_or((None, reminding.now()));
    let sharp = purge_is_near(subject, created, now);
    if failure.exit == Exit::Unfinished && !sharp {
        return later(&subject.profiles.join(", "), failure);
    }
    let case = Case { subject, created, takeable: created, now, sharp, failure, others: Vec::new() };
    (exit_of(failure), reminding.of_key(&case, &args.sign))
}

async fn seen(workplace: &Workplace, subject: &Subject, args: &Rotate) -> Option<(Option<Time>, Time)> {
    let machine = workplace.machine(subject, Vec::new(), false).ok()?;
    let policy = due(args, subject, None, machine.clock().now()).policy;
    let key = &subject.signing.key;
    let user = Box::pin(status(&machine, key, &policy)).await.ok()?;
    Some((user.keys.iter().find(|known| known.id == key.id)?.created, user.now))
}

/// Of a key whose turn did not come, in the shape of `rotate`'s own.
fn unrotated(profiles: &[String], failure: &Failure) -> Value {
    json!({
        "profiles": profiles,
        "account": null,
        "user": null,
        "outcome": if failure.exit == Exit::Unfinished { "unfinished" } else { "blocked" },
        "old_access_key_id": null,
        "new_access_key_id": null,
        "old_key": null,
        "delete_after": null,
        "deleted": [],
        "reason": failure.message,
        "error": render::error_json(failure),
    })
}
