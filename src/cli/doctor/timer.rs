//! The timer, what came of its last run, and whether it could show a reminder.

use std::path::PathBuf;

use crate::aws::problem::ProfileProblem;
use crate::aws::profile::ProfileFiles;
use crate::cli::doctor::keychain::named_program;
use crate::cli::doctor::{Room, commands};
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
        Scheduler::Systemd | Scheduler::Launchd | Scheduler::Windows => {
            Finding::note(Check::Timer, "no timer is installed", "keys are rotated when you remember it", INSTALL)
        }
    }
}

fn no_scheduler(why: &str) -> Finding {
    Finding::note(
        Check::Timer,
        format!("there is no scheduler for a timer: {why}"),
        "keys are rotated when you remember it; the command shows the line for cron",
        INSTALL,
    )
}

fn task_findings(task: &InstalledTask, files: Option<&ProfileFiles>) -> Vec<Finding> {
    let install = reinstall(task);
    let mut found = vec![named_program(Check::Timer, "the timer", &task.program, &install)];
    if let Some(trouble) = &task.trouble {
        let what = format!("the timer does not run: {trouble}");
        found.push(Finding::problem(Check::Timer, what, "nobody rotates by itself", &install));
    }
    let gone =
        |name: &&str| files.is_some_and(|files| matches!(files.resolve(name), Err(ProfileProblem::Unknown { .. })));
    found.extend(profiles(task).filter(gone).map(|name| {
        Finding::problem(
            Check::Timer,
            format!("the timer is about profile '{name}', which is not there"),
            "each of its runs fails",
            INSTALL,
        )
    }));
    if found.iter().all(|finding| finding.state == State::Ok) {
        let at = task.at.map(|at| format!(" for {at}")).unwrap_or_default();
        let next = task.next.map(|next| format!(", next {}", when(next))).unwrap_or_default();
        found = vec![Finding::ok(Check::Timer, format!("installed{at}{next}: {}", task.program.display()))];
    }
    found
}

/// Installs it as it is installed.
fn reinstall(task: &InstalledTask) -> String {
    let options = match task.arguments.as_slice() {
        [rotate, scheduled, options @ ..] if rotate == "rotate" && scheduled == "--scheduled" => options,
        all => all,
    };
    options.iter().fold(INSTALL.to_owned(), |line, option| format!("{line} {}", commands::word(option)))
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
    const AGAIN: &str = "keyrot-me rotate";
    if let Some(failed) = &task.failed {
        let what = format!("the timer's last run did not end by itself: {failed}");
        return Finding::problem(Check::LastRun, what, "what it had begun is finished by the next run", AGAIN);
    }
    let (at, exit, said) = match (record, task.last, task.last_exit) {
        (Some(run), ..) => (run.at, i32::from(run.exit), format!(": {}", run.line)),
        (None, Some(at), Some(exit)) => (at, exit, String::new()),
        _ => return Finding::ok(Check::LastRun, "the timer has not run yet"),
    };
    let what = format!("the timer's run of {} ended with exit code {exit}{said}", when(at));
    match exit {
        0 => Finding::ok(Check::LastRun, what),
        10 => Finding::note(Check::LastRun, what, "it needed you, and notified you", AGAIN),
        5 | 7 => Finding::note(Check::LastRun, what, "the next run goes on with it", AGAIN),
        _ => Finding::problem(Check::LastRun, what, "it will end so again until that is mended", AGAIN),
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

#[cfg(test)]
mod tests {
    use crate::host::atomic_file;

    use super::*;

    fn task() -> InstalledTask {
        InstalledTask {
            program: std::env::current_exe().unwrap(),
            arguments: ["rotate", "--scheduled", "--at", "Tue 07:05", "--profile", "my work"].map(str::to_owned).into(),
            at: "Tue 07:05".parse().ok(),
            next: None,
            last: None,
            last_exit: None,
            failed: None,
            trouble: None,
            places: Vec::new(),
        }
    }

    fn run(exit: u8) -> LastRun {
        LastRun { at: "2026-11-16T09:00:00Z".parse().unwrap(), exit, line: "default: rotated".to_owned() }
    }

    #[test]
    fn a_timer_that_does_not_run_is_installed_again_as_it_was() {
        let off = InstalledTask { trouble: Some("it is masked".to_owned()), ..task() };
        let found = task_findings(&off, None);
        let bad = found.iter().find(|finding| finding.state == State::Problem).unwrap();
        assert!(bad.what.contains("it is masked"), "{bad:?}");
        assert_eq!(
            bad.fix.as_deref(),
            Some("keyrot-me schedule install --at 'Tue 07:05' --profile 'my work'"),
            "its hour and its profiles stay"
        );
        let gone = InstalledTask { program: "/gone/keyrot-me".into(), ..task() };
        let found = task_findings(&gone, None);
        assert_eq!(found.len(), 1);
        assert!(found[0].state == State::Problem && found[0].what.contains("/gone/keyrot-me"), "{found:?}");
        assert_eq!(profiles(&task()).collect::<Vec<_>>(), ["my work"]);
        let named_so = InstalledTask {
            arguments: ["rotate", "--scheduled", "--profile", "rotate"].map(str::to_owned).into(),
            ..off
        };
        assert!(reinstall(&named_so).ends_with("install --profile rotate"), "{}", reinstall(&named_so));
    }

    #[tokio::test]
    async fn a_timer_about_a_profile_that_is_not_there_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (credentials, config) = (folder.path().join("credentials"), folder.path().join("config"));
        atomic_file::put(&config, b"[profile work]\nregion = us-east-1\n").unwrap();
        let files = ProfileFiles::load(&credentials, &config).await.unwrap();
        let said = |profile: &str| {
            let arguments = ["rotate", "--scheduled", "--profile", profile].map(str::to_owned).into();
            let found = task_findings(&InstalledTask { arguments, ..task() }, Some(&files));
            let gone = format!("'{profile}', which is not there");
            found.iter().any(|finding| finding.state == State::Problem && finding.what.contains(&gone))
        };
        assert_eq!((said("work"), said("gone")), (false, true));
    }

    #[test]
    fn the_last_run_is_judged_by_its_exit_code() {
        for (exit, state) in [
            (0, State::Ok),
            (10, State::Note),
            (5, State::Note),
            (7, State::Note),
            (3, State::Problem),
            (2, State::Problem),
        ] {
            let finding = last(Some(&run(exit)), &task());
            assert_eq!(finding.state, state, "{exit}");
            assert!(finding.what.contains("2026-11-16 09:00 UTC") && finding.what.ends_with("default: rotated"));
        }
        assert_eq!(last(None, &task()).state, State::Ok, "it has not run");
        let known = InstalledTask { last: Some(run(0).at), last_exit: Some(9), ..task() };
        assert_eq!(last(None, &known).state, State::Problem, "the scheduler knows");
        let killed = InstalledTask { failed: Some("systemd ended it: timeout".to_owned()), ..task() };
        assert_eq!(last(Some(&run(0)), &killed).state, State::Problem);
    }

    #[test]
    fn without_a_desktop_only_a_timer_misses_it() {
        let none = || Err(NoNotice { why: "no bus".to_owned() });
        assert_eq!(notifications(&none(), true).state, State::Note);
        assert_eq!(notifications(&none(), false).state, State::Ok);
        assert_eq!(notifications(&Ok("dunst 1.9".to_owned()), true).state, State::Ok);
    }

    #[test]
    fn no_timer_is_a_note_and_so_is_no_scheduler() {
        let (none, why) = (not_installed(&Scheduler::Systemd), Scheduler::None { why: "WSL 1".to_owned() });
        assert_eq!((none.state, none.fix.as_deref()), (State::Note, Some(INSTALL)));
        let without = not_installed(&why);
        assert!(without.state == State::Note && without.what.contains("WSL 1"), "{without:?}");
    }
}
