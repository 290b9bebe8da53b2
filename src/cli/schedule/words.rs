//! What people and programs read about the timer.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use crate::cli::error::Failure;
use crate::cli::render::print_json;
use crate::host::clock::wall_words;
use crate::host::console::{err, out};
use crate::host::last_run::LastRun;
use crate::host::schedule::{Change, Installed, InstalledTask, Scheduler, Task};
use crate::keys::facts::Time;

pub fn installed(scheduler: &Scheduler, task: &Task, done: &Installed, there: Option<&InstalledTask>) {
    let verb = match done.change {
        Change::New => "installed",
        Change::Changed => "changed",
        Change::None => "already installed",
    };
    out(format_args!("{verb}: {}, and each day at that time what is still due", task.at));
    for place in &done.places {
        out(format_args!("  {place}"));
    }
    out(format_args!("  runs {}", command(&task.program.to_string_lossy(), &task.arguments)));
    if let Some(next) = there.and_then(|there| there.next) {
        out(format_args!("next run: {}", wall_words(next)));
    }
    if let Some(trouble) = there.and_then(|there| there.trouble.as_ref()) {
        err(format_args!("warning: {trouble}"));
    }
    for note in &done.notes {
        err(format_args!("note: {note}"));
    }
    out(format_args!("to see it run now, after up to a minute: {}", scheduler.start()));
}

pub fn status(there: Option<&InstalledTask>, last: Option<&LastRun>) {
    let Some(there) = there else {
        out("no timer is installed: `keyrot-me schedule install`");
        return;
    };
    match &there.trouble {
        None => out("the timer is installed and active"),
        Some(trouble) => out(format_args!("the timer is installed, and will not run: {trouble}")),
    }
    if there.program.as_os_str().is_empty() {
        return;
    }
    out(format_args!("  runs      {}", command(&there.program.to_string_lossy(), &there.arguments)));
    if !there.program.exists() {
        err("warning: that program is not there any more: `keyrot-me schedule install` names this one");
    }
    if let Some(at) = there.at {
        out(format_args!("  at        {at}, and each day at that time what is still due"));
    }
    out(format_args!("  next run  {}", there.next.map_or_else(|| "none".to_owned(), wall_words)));
    for line in last_lines(there, last) {
        out(line);
    }
}

/// The program's own record says what came of it; the scheduler's, that it came to a run at all.
fn last_lines(there: &InstalledTask, last: Option<&LastRun>) -> Vec<String> {
    let mut lines = Vec::new();
    match last {
        Some(last) => {
            lines.push(format!("  last run  {}: exit code {}: {}", wall_words(last.at), last.exit, last.line));
        }
        None if there.last.is_none() => lines.push("  last run  none yet".to_owned()),
        None => {}
    }
    let recorded = last.map(|last| last.at);
    if let Some(started) = there.last.filter(|started| recorded.is_none_or(|at| at < *started)) {
        let how = match (&there.failed, there.last_exit) {
            (Some(failed), _) => failed.clone(),
            (None, Some(code)) => format!("exit code {code}"),
            (None, None) => "no result yet".to_owned(),
        };
        lines.push(format!("  started   {}: {how}", wall_words(started)));
    }
    lines
}

pub fn removed(removed: bool, there: Option<&InstalledTask>) {
    if !removed {
        out("no timer is installed: nothing to remove");
        return;
    }
    out("removed: nothing of the timer is left; no key was touched");
    for place in there.into_iter().flat_map(|there| &there.places) {
        out(format_args!("  {place}"));
    }
}

/// As it would be typed.
fn command(program: &str, arguments: &[String]) -> String {
    shell_words::join(std::iter::once(program).chain(arguments.iter().map(String::as_str)))
}

fn rfc3339(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `{"installed":true,"scheduler":"systemd","active":true,"trouble":null,"program":"…","arguments":["…"],"at":"Mon 09:00",
/// "next":"…","last":{"at":"…","exit_code":0,"line":"…"}|null,"started":"…"|null,"started_exit_code":0|null,"places":["…"]}`
fn schedule(scheduler: &Scheduler, there: Option<&InstalledTask>, last: Option<&LastRun>) -> Value {
    let Some(there) = there else { return json!({ "installed": false, "scheduler": scheduler.name() }) };
    let last = last.map(|last| json!({ "at": rfc3339(last.at), "exit_code": last.exit, "line": last.line }));
    json!({
        "installed": true,
        "scheduler": scheduler.name(),
        "active": there.active(),
        "trouble": there.trouble,
        "program": there.program.to_string_lossy(),
        "arguments": there.arguments,
        "at": there.at.map(|at| at.to_string()),
        "next": there.next.map(rfc3339),
        "last": last,
        "started": there.last.map(rfc3339),
        "started_exit_code": there.last_exit,
        "started_failed": there.failed,
        "places": there.places,
    })
}

pub fn status_json(scheduler: &Scheduler, there: Option<&InstalledTask>, last: Option<&LastRun>) -> anyhow::Result<()> {
    print_json(&json!({ "version": 1, "schedule": schedule(scheduler, there, last) }))
}

pub fn installed_json(
    scheduler: &Scheduler,
    done: &Installed,
    there: Option<&InstalledTask>,
    warnings: &[String],
) -> anyhow::Result<()> {
    let change = match done.change {
        Change::New => "installed",
        Change::Changed => "changed",
        Change::None => "none",
    };
    let schedule = schedule(scheduler, there, None);
    print_json(
        &json!({ "version": 1, "change": change, "schedule": schedule, "warnings": warnings, "notes": done.notes }),
    )
}

pub fn removed_json(removed: bool) -> anyhow::Result<()> {
    let change = if removed { "removed" } else { "none" };
    print_json(&json!({ "version": 1, "change": change, "schedule": { "installed": false } }))
}

pub fn no_scheduler_json(failure: &Failure, line: &str) -> anyhow::Result<()> {
    let error = json!({ "message": failure.message, "hint": failure.hint, "exit_code": failure.exit as u8 });
    let schedule = json!({ "installed": false, "scheduler": null, "crontab": line });
    print_json(&json!({ "version": 1, "change": "none", "schedule": schedule, "error": error }))
}
