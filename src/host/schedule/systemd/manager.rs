//! The thin part: units put where the user manager reads them, switched on, looked at, and taken away.

use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;

use crate::host::schedule::seal::{self, Found};
use crate::host::schedule::tool::{self, Failed};
use crate::host::schedule::{Change, Installed, InstalledTask, ScheduleError, Task};
use crate::keys::facts::Time;

use super::{SERVICE, TIMER, read, service, timer};

const SYSTEMCTL: &str = "systemctl";
const UNMASK: &str = "if that was you: systemctl --user unmask keyrot-me.timer keyrot-me.service, then install again";

const AGAIN: &str = "`keyrot-me schedule install` mends it";

async fn systemctl(arguments: &[&str]) -> Result<String, Failed> {
    let all: Vec<&str> = ["--user", "--no-pager"].iter().chain(arguments).copied().collect();
    tool::text(SYSTEMCTL, &all).await
}

/// Whether this user has a manager that answers; in words why not.
pub(in crate::host::schedule) async fn probe() -> Result<(), String> {
    match systemctl(&["show", "--property=Version"]).await {
        Ok(_) => Ok(()),
        Err(Failed { code: None, .. }) => Err("this machine has no systemd".to_owned()),
        Err(failed) => Err(format!("systemd has no manager for this user here: {}", failed.what)),
    }
}

/// Where units of this user lie, and where the manager reads them: its environment need not be this one's.
async fn folder() -> Result<PathBuf, ScheduleError> {
    let paths = systemctl(&["show", "--property=UnitPath"]).await?;
    let read_there = |folder: &PathBuf| {
        let folder = folder.to_string_lossy();
        paths.trim_start_matches("UnitPath=").split(' ').any(|path| path == folder)
    };
    let candidates = candidates();
    let Some(first) = candidates.first().cloned() else {
        return Err(ScheduleError::File("this user has no home folder to put units into".to_owned()));
    };
    // A folder with spaces is not to be found in the list: it is taken as it is.
    let spaced = |folder: &PathBuf| folder.to_string_lossy().contains(' ');
    candidates.into_iter().find(|folder| read_there(folder) || spaced(folder)).ok_or_else(|| {
        ScheduleError::Tool(format!("systemd's user manager does not read {}; it reads: {paths}", first.display()))
    })
}

fn candidates() -> Vec<PathBuf> {
    let usual = dirs::home_dir().map(|home| home.join(".config"));
    let mut found: Vec<PathBuf> =
        dirs::config_dir().into_iter().chain(usual).map(|folder| folder.join("systemd/user")).collect();
    found.dedup();
    found
}

/// The files in which systemd remembers when a timer that catches up last ran.
fn stamps() -> Vec<PathBuf> {
    let usual = dirs::home_dir().map(|home| home.join(".local/share"));
    let folders = dirs::data_dir().into_iter().chain(usual);
    folders.map(|folder| folder.join("systemd/timers").join(format!("stamp-{TIMER}"))).collect()
}

pub(in crate::host::schedule) async fn install(task: &Task) -> Result<Installed, ScheduleError> {
    let folder = folder().await?;
    let files = [(folder.join(SERVICE), service(task)), (folder.join(TIMER), timer(task))];
    let mut before = Vec::new();
    for (path, _) in &files {
        let found = seal::look(path)?;
        seal::refuse_others(path, &found, UNMASK)?;
        before.push(found);
    }
    let same = files.iter().zip(&before).all(|((_, text), found)| *found == Found::Ours(text.clone()));
    let change = match &before[..] {
        _ if same && trouble(&properties(TIMER).await?).is_none() => Change::None,
        [Found::Nothing, Found::Nothing] => Change::New,
        _ => Change::Changed,
    };
    if change != Change::None
        && let Err(error) = put(&files).await
    {
        // The failure above is the one to tell of.
        if change == Change::New {
            let _ = systemctl(&["disable", TIMER]).await;
        }
        for ((path, _), found) in files.iter().zip(&before) {
            seal::restore(path, found);
        }
        let _ = systemctl(&["daemon-reload"]).await;
        return Err(error);
    }
    let places = files.iter().map(|(path, _)| path.display().to_string()).collect();
    Ok(Installed { change, places, notes: lingering().await.into_iter().collect() })
}

/// Files first, then the manager. The hour counts from now: what an older one missed is not made up for here, while its
/// user is looking.
async fn put(files: &[(PathBuf, String)]) -> Result<(), ScheduleError> {
    for (path, text) in files {
        seal::write(path, text)?;
    }
    systemctl(&["daemon-reload"]).await?;
    systemctl(&["stop", TIMER]).await?;
    for stamp in stamps() {
        seal::remove(&stamp)?;
    }
    systemctl(&["enable", TIMER]).await?;
    systemctl(&["start", TIMER]).await?;
    Ok(())
}

/// Without it a user's manager ends with the last session.
async fn lingering() -> Option<String> {
    let user = tool::text("id", &["-un"]).await.ok()?;
    // No answer: no logind, and nothing to say about it.
    let linger = tool::text("loginctl", &["show-user", &user, "--property=Linger"]).await.ok()?;
    (linger == "Linger=no").then(|| {
        "the timer runs while you are logged in, and makes up for the rest when you are; `loginctl enable-linger` has it \
         run without you"
            .to_owned()
    })
}

/// What systemd says of a unit: `Name=value` lines.
async fn properties(unit: &str) -> Result<Vec<(String, String)>, ScheduleError> {
    const ASKED: &str = "--property=LoadState,ActiveState,SubState,UnitFileState,NextElapseUSecRealtime,\
                         LastTriggerUSec,Result,ExecMainStatus,ExecMainExitTimestamp,NeedDaemonReload";
    let said = systemctl(&["show", ASKED, unit]).await?;
    let pairs = said.lines().filter_map(|line| line.split_once('='));
    Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn value<'a>(properties: &'a [(String, String)], name: &str) -> &'a str {
    properties.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

/// What keeps the timer from running.
fn trouble(timer: &[(String, String)]) -> Option<String> {
    match (value(timer, "LoadState"), value(timer, "UnitFileState"), value(timer, "ActiveState")) {
        ("masked", ..) | (_, "masked" | "masked-runtime", _) => Some(format!("the timer is masked: {UNMASK}")),
        ("not-found", ..) => Some(format!("systemd does not know the timer: {AGAIN}")),
        (load @ ("bad-setting" | "error"), ..) => Some(format!("systemd cannot load the timer ({load}): {AGAIN}")),
        (_, "disabled", "active") => {
            Some(format!("the timer is disabled: it runs until you log out, and no longer; {AGAIN}"))
        }
        (_, "disabled", _) => Some(format!("the timer is disabled: {AGAIN}")),
        (_, _, "active") => None,
        (_, _, state) => Some(format!("the timer is stopped ({state}): {AGAIN}")),
    }
}

/// As systemctl prints it with `TZ=UTC`.
fn time(text: &str) -> Option<Time> {
    NaiveDateTime::parse_from_str(text, "%a %Y-%m-%d %H:%M:%S UTC").ok().map(|time| time.and_utc())
}

pub(in crate::host::schedule) async fn look() -> Result<Option<InstalledTask>, ScheduleError> {
    let answers = probe().await;
    let folders = if answers.is_ok() { vec![folder().await?] } else { candidates() };
    for folder in folders {
        let paths = [folder.join(SERVICE), folder.join(TIMER)];
        let (service, timer) = (seal::look(&paths[0])?, seal::look(&paths[1])?);
        if service.text().or(timer.text()).is_none() {
            continue;
        }
        let read = service.text().and_then(read).unwrap_or_default();
        let mut task = read.installed(paths.iter().map(|path| path.display().to_string()).collect());
        match &answers {
            Ok(()) => fill(&mut task).await?,
            Err(why) => task.trouble = Some(why.clone()),
        }
        if service.text().is_none() {
            task.trouble = Some(format!("{SERVICE} is gone: {AGAIN}"));
        }
        return Ok(Some(task));
    }
    Ok(None)
}

/// What only the manager knows; of a run that is under way there is no result yet.
async fn fill(task: &mut InstalledTask) -> Result<(), ScheduleError> {
    let (timer, service) = (properties(TIMER).await?, properties(SERVICE).await?);
    task.trouble = trouble(&timer);
    task.next = time(value(&timer, "NextElapseUSecRealtime"));
    task.last = time(value(&timer, "LastTriggerUSec"));
    if value(&service, "ActiveState") == "activating" {
        return Ok(());
    }
    if time(value(&service, "ExecMainExitTimestamp")).is_some() {
        task.last_exit = value(&service, "ExecMainStatus").parse().ok();
    }
    // The other results are told by the exit code.
    let result = value(&service, "Result");
    if task.trouble.is_none() && !["", "success", "exit-code"].contains(&result) {
        task.failed = Some(format!("systemd ended it: {result}"));
    }
    Ok(())
}

pub(in crate::host::schedule) async fn remove() -> Result<bool, ScheduleError> {
    let answers = probe().await.is_ok();
    let folders = if answers { vec![folder().await?] } else { candidates() };
    let mut any = false;
    for folder in folders {
        any |= remove_from(&folder, answers).await?;
    }
    if any {
        for stamp in stamps() {
            seal::remove(&stamp)?;
            remove_empty(stamp.ancestors().skip(1).take(4));
        }
    }
    Ok(any)
}

async fn remove_from(folder: &Path, answers: bool) -> Result<bool, ScheduleError> {
    let wants = folder.join("timers.target.wants");
    let paths = [folder.join(TIMER), folder.join(SERVICE)];
    let mut found = Vec::new();
    for path in &paths {
        let here = seal::look(path)?;
        if matches!(here, Found::Masked | Found::Foreign(_)) {
            seal::refuse_others(path, &here, UNMASK)?;
        }
        found.push(here);
    }
    let enabled = wants.join(TIMER);
    if found.iter().all(|found| *found == Found::Nothing) && enabled.symlink_metadata().is_err() {
        return Ok(false);
    }
    if answers {
        // It fails where only half is there: what is left is taken away below.
        let _ = systemctl(&["disable", "--now", TIMER]).await;
    }
    for path in &paths {
        seal::remove(path)?;
    }
    if enabled.is_symlink() {
        std::fs::remove_file(&enabled)
            .map_err(|error| ScheduleError::File(format!("cannot remove {}: {error}", enabled.display())))?;
    }
    remove_empty(std::iter::once(wants.as_path()).chain(folder.ancestors().take(2)));
    if answers {
        systemctl(&["daemon-reload"]).await?;
        // It says no where neither had failed.
        let _ = systemctl(&["reset-failed", TIMER, SERVICE]).await;
    }
    Ok(true)
}

/// Folders in which nothing is left, innermost first.
fn remove_empty<'a>(folders: impl Iterator<Item = &'a Path>) {
    for folder in folders {
        // It says no where something is in it.
        let _ = std::fs::remove_dir(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(load: &str, file: &str, active: &str) -> Vec<(String, String)> {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        vec![pair("LoadState", load), pair("UnitFileState", file), pair("ActiveState", active)]
    }

    #[test]
    fn a_timer_that_will_not_run_is_told_with_the_remedy() {
        assert_eq!(trouble(&said("loaded", "enabled", "active")), None);
        for (load, file, active, told) in [
            ("masked", "masked", "inactive", "unmask"),
            ("loaded", "masked-runtime", "active", "unmask"),
            ("not-found", "", "inactive", "does not know"),
            ("bad-setting", "enabled", "inactive", "bad-setting"),
            ("loaded", "disabled", "active", "until you log out"),
            ("loaded", "disabled", "inactive", "is disabled"),
            ("loaded", "enabled", "inactive", "stopped (inactive)"),
            ("loaded", "enabled", "failed", "stopped (failed)"),
        ] {
            let trouble = trouble(&said(load, file, active)).unwrap();
            assert!(trouble.contains(told), "{trouble}");
        }
    }

    #[test]
    fn times_are_read_as_systemctl_prints_them() {
        assert_eq!(time("Mon 2026-11-23 09:00:00 UTC"), Some("2026-11-23T09:00:00Z".parse().unwrap()));
        for none in ["", "n/a", "Mon 2026-11-23 09:00:00 CET"] {
            assert_eq!(time(none), None, "{none}");
        }
    }
}
