//! `schedule install|status|remove`: the timer that runs `rotate --scheduled`.
//!
//! All that can be wrong with profiles, settings and paths is found before anything is installed. No call is made, and no
//! key is touched.

mod words;

use crate::aws::profile::ProfileFiles;
use crate::cli::args::{Output, Schedule, ScheduleCommand, ScheduleInstall, option};
use crate::cli::auth_profile;
use crate::cli::error::{Exit, Failure};
use crate::cli::machine::{Subject, Workplace, found_places, usage};
use crate::host::console::{err, out};
use crate::host::last_run;
use crate::host::paths;
use crate::host::process;
use crate::host::schedule::environment::{Carried, carried};
use crate::host::schedule::{self, InstalledTask, ScheduleError, Scheduler, Task, confine};

pub async fn run(args: &Schedule, output: Output) -> Result<Exit, Failure> {
    match &args.command {
        ScheduleCommand::Install(args) => install(args, output).await,
        ScheduleCommand::Status => status(output).await,
        ScheduleCommand::Remove => remove(output).await,
    }
}

async fn install(args: &ScheduleInstall, output: Output) -> Result<Exit, Failure> {
    let workplace = Workplace::open(&args.profiles, output).await?;
    if let Some(name) = &args.auth_profile {
        let places = &workplace.places;
        let files = ProfileFiles::load(&places.credentials, &places.config).await.map_err(|problem| usage(&problem))?;
        auth_profile::known(&files, name)?;
    }
    let (task, warnings) = task(args, &workplace)?;
    task.check().map_err(ScheduleError::from)?;
    for warning in &warnings {
        err(format_args!("warning: {warning}"));
    }
    let scheduler = schedule::scheduler().await;
    if let Scheduler::None { why } = &scheduler {
        return no_scheduler(&task, why, output);
    }
    let installed = schedule::install(&task).await?;
    let there = schedule::look().await?;
    if output.json {
        words::installed_json(&scheduler, &installed, there.as_ref(), &warnings)?;
    } else {
        words::installed(&scheduler, &task, &installed, there.as_ref());
    }
    Ok(Exit::Done)
}

/// What the timer starts, and what its user should know about it.
fn task(args: &ScheduleInstall, workplace: &Workplace) -> Result<(Task, Vec<String>), Failure> {
    let program = process::program()
        .map_err(|error| Failure::from(anyhow::Error::new(error).context("this program's own path is not known")))?;
    let with_code = !args.no_mfa && args.auth_profile.is_none();
    let by_program = |subject: &Subject| subject.settings.mfa_command.is_some() || subject.settings.pinentry;
    let for_programs = !with_code || workplace.subjects.iter().any(by_program);
    let Carried { set: environment, left_out } = carried(&paths::env, for_programs);
    let mut warnings: Vec<String> = left_out
        .iter()
        .map(|name| {
            format!("{name} holds a user or password and is not written into a file: the timer runs without {name}")
        })
        .collect();
    if with_code {
        let without = workplace.subjects.iter().filter(|subject| !by_program(subject));
        let without: Vec<String> = without.flat_map(|subject| subject.profiles.iter().cloned()).collect();
        if !without.is_empty() {
            warnings.push(only_reminds(&without, workplace));
        }
    }
    let needs_rights = with_code.then(|| workplace.subjects.iter().find_map(needs_rights)).flatten();
    if let Some(program) = &needs_rights {
        warnings.push(format!("{program} works only with rights of its own: the timer's runs are not confined"));
    }
    let arguments = arguments(args, &workplace.subjects);
    Ok((Task { program, arguments, at: args.at, environment, confined: needs_rights.is_none() }, warnings))
}

/// The MFA command of this subject, where confinement would break it.
fn needs_rights(subject: &Subject) -> Option<String> {
    let program = subject.settings.mfa_command.as_ref()?.first()?;
    confine::gains_rights(program).then(|| program.clone())
}

fn only_reminds(profiles: &[String], workplace: &Workplace) -> String {
    format!(
        "{}: nothing gives the timer an MFA code, so it only reminds you; set command or pinentry under [mfa] in {}, or \
         install with --auth-profile, or with --no-mfa where IAM permits that",
        profiles.join(", "),
        workplace.places.settings.display()
    )
}

fn arguments(args: &ScheduleInstall, subjects: &[Subject]) -> Vec<String> {
    let mut words: Vec<String> = ["rotate", "--scheduled", "--at"].map(str::to_owned).into();
    words.push(args.at.to_string());
    if args.profiles.all {
        words.push("--all".to_owned());
    } else {
        for profile in subjects.iter().flat_map(|subject| &subject.profiles) {
            words.extend(option("--profile", profile));
        }
    }
    if args.no_mfa {
        words.push("--no-mfa".to_owned());
    }
    words.extend(args.auth_profile.iter().flat_map(|profile| option("--auth-profile", profile)));
    words
}

/// The line to paste goes to standard output, all else to standard error.
fn no_scheduler(task: &Task, why: &str, output: Output) -> Result<Exit, Failure> {
    let failure = Failure::from(ScheduleError::NoScheduler { why: why.to_owned() });
    let line = task.cron_line();
    if output.json {
        words::no_scheduler_json(&failure, &line)?;
    } else {
        out(&line);
    }
    err(&failure);
    Ok(failure.exit)
}

async fn status(output: Output) -> Result<Exit, Failure> {
    let places = found_places()?;
    let there = schedule::look().await?;
    let last = last_run::read(&places.state);
    if output.json {
        let scheduler = schedule::scheduler().await;
        words::status_json(&scheduler, there.as_ref(), last.as_ref())?;
    } else {
        words::status(there.as_ref(), last.as_ref());
    }
    Ok(Exit::Done)
}

async fn remove(output: Output) -> Result<Exit, Failure> {
    let places = found_places()?;
    let there: Option<InstalledTask> = schedule::look().await?;
    let removed = schedule::remove().await?;
    last_run::forget(&places.state).map_err(|why| {
        Failure::new(Exit::Store, format!("the timer is gone, but not the record of its last run: {why}"))
            .hint("remove last-run.json in the state folder")
    })?;
    if output.json {
        words::removed_json(removed)?;
    } else {
        words::removed(removed, there.as_ref());
    }
    Ok(Exit::Done)
}

impl From<ScheduleError> for Failure {
    fn from(error: ScheduleError) -> Self {
        let message = error.to_string();
        match error {
            ScheduleError::NotValid(_) => {
                Self::new(Exit::Usage, message).hint("choose another name or place; nothing was installed")
            }
            ScheduleError::NotOurs { hint, .. } => Self::new(Exit::Blocked, message).hint(hint),
            ScheduleError::File(_) => {
                Self::new(Exit::Store, message).hint("see to that file or folder, then run the same command again")
            }
            ScheduleError::Tool(_) => {
                Self::new(Exit::Unexpected, message).hint("run that command by itself to see what is wrong")
            }
            ScheduleError::NoScheduler { .. } => Self::new(Exit::Blocked, message).hint(
                "with cron, paste that line into `crontab -e`; it makes up for nothing that is missed while the machine is \
                 off. nothing was installed",
            ),
        }
    }
}
