//! The command line of `schedule`.

#![allow(clippy::doc_markdown, reason = "these comments are the help that people read, not Markdown")]

use clap::{Args, Subcommand, ValueHint};

use crate::cli::args::Profiles;
use crate::keys::timetable::Timetable;

/// The timer that rotates by itself: a systemd user timer, a launchd agent or a Windows task
#[derive(Debug, Args)]
#[command(arg_required_else_help = true, subcommand_required = true)]
pub struct Schedule {
    #[command(subcommand)]
    pub command: ScheduleCommand,
}

#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    Install(ScheduleInstall),
    /// Show whether the timer is installed, its next and last run, and what came of it
    Status,
    /// Remove the timer and all that belongs to it; no key is touched
    Remove,
}

/// Install the timer, or change the one that is installed
///
/// Once a week it rotates what is due, and each day at the same hour it looks after what is still due: it finishes what
/// was interrupted, deletes what is past its grace, and reminds you where it needs you. What was missed while the machine
/// slept or was off is made up for. It never asks on a terminal: MFA codes come from [mfa] in the config file, or you are
/// notified. Installing twice is the same as once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  keyrot-me schedule install
  keyrot-me schedule install --at \"Tue 10:30\" --profile work
  keyrot-me schedule install --all --auth-profile login")]
pub struct ScheduleInstall {
    /// The weekly hour, on this machine's clock
    #[arg(long, value_name = "DAY HH:MM", default_value_t)]
    pub at: Timetable,
    #[command(flatten)]
    pub profiles: Profiles,
    /// The timer's runs sign with the key itself, without MFA
    #[arg(long)]
    pub no_mfa: bool,
    /// The timer's runs sign with another profile: SSO, a role, `aws login`
    #[arg(long, value_name = "NAME", conflicts_with = "no_mfa", value_hint = ValueHint::Other)]
    pub auth_profile: Option<String>,
}
