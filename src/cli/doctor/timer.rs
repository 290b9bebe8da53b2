//! The timer, what came of its last run, and whether it could show a reminder.

use std::path::PathBuf;

use crate::aws::profile::ProfileFiles;
use crate::cli::doctor::Room;
use crate::cli::doctor::keychain::named_program;
use crate::host::last_run::{self, LastRun};
use crate::host::notify::{self, NoNotice};
use crate::host::schedule::{self, InstalledTask, ScheduleError, Scheduler};
use crate::keys::doctor::{Check, Finding, State};
use crate::keys::words::when;

const INSTALL: &str = "keyrot-me schedule install";

/// What was found while AWS was asked.
pub struct Around {
    scheduler: Scheduler,
    task: Result<Option<InstalledTask>, ScheduleError>,
    last: Option<LastRun>,
    service: Result<String, NoNotice>,
}

impl Around {
    pub fn installed(&self) -> bool {
        matches!(self.task, Ok(Some(_)))
    }
}

/// Bounded: the scheduler's tools and the desktop have time-outs of their own.
pub async fn look(state: PathBuf) -> Around {
    let service = tokio::task::spawn_blocking(notify::service);
    let (scheduler, task) = (schedule::scheduler().await, schedule::look().await);
    let broke = |_| Err(NoNotice { why: "the library that speaks to the desktop broke off".to_owned() });
    Around { scheduler, task, last: last_run::read(&state), service: service.await.unwrap_or_else(broke) }
}

/// `None` where looking broke off.
pub fn judge(around: Option<Around>, files: Option<&ProfileFiles>, room: &mut Room) {
    let Some(around) = around else {
        let why = "whether a timer rotates by itself is not known";
        room.add(Finding::note(Check::Timer, "the scheduler could not be asked", why, "keyrot-me schedule status"));
        return;
    };
    let installed = around.installed();
    match &around.task {
        Ok(Some(task)) => {
            room.found.extend(task_findings(task, files));
            room.add(last(around.last.as_ref(), task));
        }
        Ok(None) => room.add(not_installed(&around.scheduler)),
        Err(ScheduleError::NoScheduler { why }) => room.add(no_scheduler(why)),
        Err(error) => room.add(Finding::problem(
            Check::Timer,
            error.to_string(),
            "whether the timer runs is not known",
            "keyrot-me schedule status",
        )),
    }
    room.add(notifications(&around.service, installed));
}

fn not_installed(scheduler: &Scheduler) -> Finding {
    match scheduler {
        Scheduler::None { why } => no_scheduler(why),
        _ => Finding::note(Check::Timer, "no timer is installed", "keys are rotated when you remember it", INSTALL),
    }
}

fn no_scheduler(why: &str) -> Finding {
    Finding::note(
        Check::Timer,
        format!("there is no scheduler for a timer: {why}"),
        "keys are rotated when you remember it; it shows the line for cron",
        INSTALL,
    )
}

fn task_findings(task: &InstalledTask, files: Option<&ProfileFiles>) -> Vec<Finding> {
    let mut found = vec![named_program(Check::Timer, "the timer", &task.program, INSTALL)];
    if let Some(trouble) = &task.trouble {
        found.push(Finding::problem(
            Check::Timer,
            format!("the timer does not run: {trouble}"),
            "nobody rotates",
            INSTALL,
        ));
    }
    let strange = files.into_iter().flat_map(|files| {
        profiles(task)
            .filter(|name| files.resolve(name).is_err())
            .filter(|name| !files.processes().iter().any(|(known, _)| known == name))
    });
    found.extend(strange.map(|name| {
        Finding::problem(
            Check::Timer,
            format!("the timer is about profile '{name}', which holds no key"),
            "each of its runs fails",
            INSTALL,
        )
    }));
    if task.at.is_none() && task.trouble.is_none() {
        found.push(Finding::note(
            Check::Timer,
            "the timer's hour was changed by hand",
            "`schedule install` would write it anew",
            "keyrot-me schedule status",
        ));
    }
    if let (true, Some(at)) = (found.iter().all(|finding| finding.state == State::Ok), task.at) {
        let next = task.next.map(|next| format!(", next {}", when(next))).unwrap_or_default();
        found = vec![Finding::ok(Check::Timer, format!("installed for {at}{next}, by {}", task.program.display()))];
    }
    found
}

/// Those that its command line names.
fn profiles(task: &InstalledTask) -> impl Iterator<Item = &str> {
    let words = task.arguments.iter();
    words
        .clone()
        .zip(words.skip(1))
        .filter(|(word, _)| *word == "--profile")
        .map(|(_, name)| name.as_str())
        .chain(task.arguments.iter().filter_map(|word| word.strip_prefix("--profile=")))
}

/// The record's exit code where there is one, else the scheduler's.
fn last(record: Option<&LastRun>, task: &InstalledTask) -> Finding {
    let (at, exit, said) = match (record, task.last, task.last_exit) {
        (Some(run), ..) => (run.at, i32::from(run.exit), format!(": {}", run.line)),
        (None, Some(at), Some(exit)) => (at, exit, String::new()),
        _ => return Finding::ok(Check::LastRun, "the timer has not run yet"),
    };
    let what = format!("the timer's run of {} ended with exit code {exit}{said}", when(at));
    match exit {
        0 => Finding::ok(Check::LastRun, what),
        10 => Finding::note(Check::LastRun, what, "it needed you, and notified you", "keyrot-me rotate"),
        5 | 7 => Finding::note(Check::LastRun, what, "the next run goes on with it", "keyrot-me rotate"),
        _ => Finding::problem(Check::LastRun, what, "it will fail again until that is mended", "keyrot-me rotate"),
    }
}

fn notifications(service: &Result<String, NoNotice>, timer: bool) -> Finding {
    match service {
        Ok(name) => Finding::ok(Check::Notifications, format!("{name} shows notifications")),
        Err(_) if !timer => Finding::ok(Check::Notifications, "no desktop shows notifications; no timer needs them"),
        Err(none) => Finding::note(
            Check::Notifications,
            none.to_string(),
            "where the timer needs you, only its log says so (exit code 10)",
            "journalctl --user -u keyrot-me",
        ),
    }
}
