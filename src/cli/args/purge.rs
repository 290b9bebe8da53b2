//! The command line of `purge`.

#![allow(clippy::doc_markdown, reason = "these comments are the help that people read, not Markdown")]

use std::path::PathBuf;

use chrono::TimeDelta;
use clap::{Args, ValueHint};

use super::{Notices, not_valid_unless};
use crate::keys::facts::NotValid;
use crate::keys::policy::parse_duration;
use crate::keys::purge::Cap;

/// Disable, and later delete, over-age access keys of IAM groups: a dry run unless --apply is given
///
/// A key of at least --max-age is disabled, and deleted once --grace has passed since we disabled it. What
/// cannot be read is left alone, named in the report, and makes the exit code 20.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  keyrot-me purge --group Developers --max-age 5d                   what would be done
  keyrot-me purge --group Developers --max-age 5d --apply --report purge.html --report purge.json
  keyrot-me purge --group Developers --max-age 90d --org --role keyrot-me-purge --exempt-group KeyExempt
  keyrot-me purge --group Developers --max-age 5d --explain alice   why alice's keys are kept or not

Each key that was disabled is listed with the command that switches it on again.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(group = clap::ArgGroup::new("whose").required(true).args(["group", "all_users"]))]
#[command(group = clap::ArgGroup::new("limit").required(true).multiple(true).args(["max_age", "all_keys"]))]
pub struct Purge {
    /// IAM group whose members' keys are looked at; may be given several times
    #[arg(long, value_name = "NAME")]
    pub group: Vec<String>,
    /// Every user of the account
    #[arg(long)]
    pub all_users: bool,
    /// Keys of at least this age are disabled
    #[arg(long, value_name = "AGE", value_parser = parse_duration)]
    pub max_age: Option<TimeDelta>,
    /// Every key goes, whatever its age (as --max-age 0)
    #[arg(long)]
    pub all_keys: bool,
    /// Time between disabling and deleting; 0 does both in one run
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "7d")]
    pub grace: TimeDelta,
    /// Warn of keys that will be over the limit within this time [default: 24h]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub warn_before: Option<TimeDelta>,
    /// Disable only keys that were not used for so long
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub unused_for: Option<TimeDelta>,
    /// Members of this group are spared; may be given several times
    #[arg(long, value_name = "NAME", help_heading = "Exemptions")]
    pub exempt_group: Vec<String>,
    /// The user tag keyrot-me/exempt = 'YYYY-MM-DD ticket reason' spares a user, for at most 90 days
    #[arg(long, help_heading = "Exemptions")]
    pub exempt_tag: bool,
    /// All active accounts of the organization
    #[arg(long, help_heading = "Accounts", conflicts_with = "account")]
    pub org: bool,
    /// Only accounts of this organizational unit and the units below it; may be given several times
    #[arg(long, value_name = "OU_ID", requires = "org", help_heading = "Accounts")]
    pub ou: Vec<String>,
    /// This account; may be given several times [default: the caller's own]
    #[arg(long, value_name = "ID", value_parser = parse_account, help_heading = "Accounts")]
    pub account: Vec<String>,
    /// Role to assume in each account [default with --org or another account: keyrot-me-purge]
    #[arg(long, value_name = "NAME", value_parser = parse_role, help_heading = "Accounts")]
    pub role: Option<String>,
    /// External id that the role's trust policy asks for
    #[arg(long, value_name = "ID", value_parser = parse_external_id, help_heading = "Accounts")]
    pub external_id: Option<String>,
    /// Sign with this profile [default: the environment, else AWS_PROFILE, else default]
    #[arg(long, value_name = "NAME", help_heading = "Accounts")]
    pub profile: Option<String>,
    /// Leave an account untouched where more keys than this would be disabled or deleted: 25% or a number
    /// [default: 25% of the scanned keys, at least 10]
    #[arg(long, value_name = "CAP", help_heading = "Safety")]
    pub max_affected: Option<Cap>,
    /// A group without members, or an organizational unit without accounts, is no error
    #[arg(long, help_heading = "Safety")]
    pub allow_empty: bool,
    /// Stop cleanly after this time and say what is left
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Safety")]
    pub time_limit: Option<TimeDelta>,
    /// Do it; without this nothing is changed
    #[arg(long, help_heading = "Safety")]
    pub apply: bool,
    /// Write a report; .json, .csv or .html; may be given several times
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub report: Vec<PathBuf>,
    /// Change nothing and tell how things stand: exempt keys over the limit, exemptions that end, users
    /// without an owner's address, keys by age, what became of keys in --period
    #[arg(long, conflicts_with = "apply", help_heading = "Review")]
    pub report_only: bool,
    /// How far back the review looks [default: 7d]
    #[arg(long, value_name = "TIME", value_parser = parse_duration, requires = "report_only", help_heading = "Review")]
    pub period: Option<TimeDelta>,
    /// File with one line for each finished run, which is added; the review shows the trend from it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Review")]
    pub history: Option<PathBuf>,
    #[command(flatten)]
    pub notices: Notices,
    /// Say of one user, or one key id, which rules were asked and what they saw; changes nothing
    #[arg(long, value_name = "USER|KEY_ID", conflicts_with_all = ["apply", "report", "report_only", "history", "notify", "org"], help_heading = "Output")]
    pub explain: Option<String>,
}

/// Account ids have twelve digits (IAM user guide, 'account identifiers').
fn parse_account(text: &str) -> Result<String, NotValid> {
    let digits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    not_valid_unless(digits, "account id", text, "it has twelve digits")
}

/// IAM API reference, `AssumeRole`: a role's name, maybe behind its path.
fn parse_role(text: &str) -> Result<String, NotValid> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&byte);
    let named = !text.starts_with('/') && !text.ends_with('/') && !text.is_empty() && text.bytes().all(known);
    not_valid_unless(named, "role name", text, "give the name in the account, not an ARN")
}

/// IAM API reference, `AssumeRole`, `ExternalId`.
fn parse_external_id(text: &str) -> Result<String, NotValid> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&byte);
    let valid = (2..=1224).contains(&text.len()) && text.bytes().all(known);
    not_valid_unless(valid, "external id", text, "it has 2 to 1224 letters, digits or _+=,.@:/-")
}
