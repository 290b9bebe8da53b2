//! The command line, and nothing but its definition: completions and the man page come from it too.

#![allow(clippy::doc_markdown, reason = "these comments are the help that people read, not Markdown")]

mod import;
mod notices;
mod purge;
mod schedule;
mod scheduled;
mod store;

use std::convert::Infallible;
use std::path::PathBuf;

use chrono::TimeDelta;
use clap::{ArgAction, Args, Parser, Subcommand, ValueHint};

pub use self::notices::Notices;
pub use self::purge::Purge;
pub use self::schedule::{Schedule, ScheduleCommand, ScheduleInstall};
pub use self::scheduled::Scheduled;
pub use self::store::{Store, StoreCommand, StoreMove};
use crate::host::config_file::StoreKind;
use crate::keys::facts::{KeyId, NotValid};
use crate::keys::policy::parse_duration;
use crate::keys::secret::SecretKey;

pub use import::Import;

const EXIT_CODES: &str = "\
Exit codes:
  0   done, or nothing to do
  1   unexpected error
  2   wrong arguments, config file, profile or endpoint; nothing was called
  3   blocked: needs your decision
  4   MFA code missing or refused
  5   unfinished: run again to resume
  6   not permitted by IAM
  7   another run is at work
  8   credentials file, keychain or state folder not usable
  9   cannot sign in: the key is gone, disabled or wrong
  10  status --check: a key is due; rotate --scheduled: a person was notified
  11  status --check: a key is overdue
  20  purge: something could not be read or written, and was left alone
  21  purge: an account was left untouched because its cap was hit";

/// Rotates your AWS IAM user access key without ever losing it.
///
/// One MFA code: a new key is created, proved at STS and IAM, and written into the credentials file
/// atomically; the old one is switched off, and deleted later. Killed at any point, the next run
/// finishes or repairs.
#[derive(Debug, Parser)]
#[command(name = "keyrot-me", version, after_help = EXIT_CODES, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Clone, Copy, Args)]
pub struct Output {
    /// One JSON object on standard output instead of text for people
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,
    /// No progress on the terminal
    #[arg(long, short, global = true, help_heading = "Output")]
    pub quiet: bool,
    /// More about what is done; never a secret (-vv: the SDK's own log too)
    #[arg(long, short, global = true, action = ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Rotate(Rotate),
    Status(Status),
    Finish(Finish),
    Rollback(Rollback),
    Import(Box<Import>),
    Store(Store),
    CredentialProcess(CredentialProcess),
    Schedule(Schedule),
    Doctor(Doctor),
    Purge(Box<Purge>),
    Completions(Completions),
    Man(Man),
}

/// Rotate the key of a profile, or finish a rotation that was interrupted
///
/// Creates a new key for the profile's own IAM user, proves it, stores it in every profile that held
/// the old one, and switches the old one off. The old key is deleted after its grace, by a later run.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  keyrot-me rotate                                  the default profile, asks for the MFA code
  keyrot-me rotate --profile work --mfa-code 123456
  keyrot-me rotate --all --if-older-than 5d --mfa-command 'ykman oath accounts code --single aws'
  keyrot-me rotate --dry-run                        what would be done, without a code
  keyrot-me rotate --scheduled                      what the timer runs: only what is due, nobody is asked
  keyrot-me rotate --auth-profile login --yes       the key is gone: after `aws login --profile login`

After an interruption (exit code 5) run the same command again: it goes on where it was.")]
pub struct Rotate {
    #[command(flatten)]
    pub profiles: Profiles,
    /// Only keys of at least this age (90s, 15m, 24h, 5d, 2w)
    #[arg(long, value_name = "AGE", value_parser = parse_duration)]
    pub if_older_than: Option<TimeDelta>,
    #[command(flatten)]
    pub sign: Sign,
    /// Move the key there first, as `store move` does [default: the setting store.kind, else where it is]
    #[arg(long, value_name = "file|keychain", value_parser = store::store_kind())]
    pub store: Option<StoreKind>,
    /// Grace between switching the old key off and deleting it [default: 24h]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub retire_after: Option<TimeDelta>,
    /// Give up this key where IAM's quota of two is full: it is deleted for good
    #[arg(long, value_name = "KEY_ID", value_parser = parse_key_id)]
    pub replace: Option<KeyId>,
    /// Let the old key go off although this sink failed
    #[arg(long, value_name = "NAME")]
    pub skip_sink: Vec<String>,
    /// Print the steps; change nothing, ask for no code
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub timer: Scheduled,
}

/// Show the age of keys, their limits and what the next run would do
///
/// Never asks for an MFA code. Where IAM refuses to list keys without one, the facts of the local
/// journal are shown and marked as such.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  keyrot-me status
  keyrot-me status --all --json
  keyrot-me status --check || keyrot-me rotate      in a script: 10 is due, 11 is overdue")]
pub struct Status {
    #[command(flatten)]
    pub profiles: Profiles,
    /// Exit with 10 when a key is due, 11 when one is overdue
    #[arg(long)]
    pub check: bool,
    /// Ask nobody: only what the local journal knows
    #[arg(long)]
    pub offline: bool,
    /// One line for a shell's prompt, without any call; nothing where all is fresh
    #[arg(long, conflicts_with = "json")]
    pub short: bool,
}

/// Look for what would keep a rotation, the timer or a reminder from working, and say how to mend it
///
/// Changes nothing. Each finding says what is wrong, why it matters, and the command that mends it. IAM's answers are
/// those for a caller without MFA, unless a code is given. Exit code 3 when something needs you.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  keyrot-me doctor
  keyrot-me doctor --all --json
  keyrot-me doctor --mfa-command 'ykman oath accounts code --single aws'   what IAM permits with MFA")]
pub struct Doctor {
    #[command(flatten)]
    pub profiles: Profiles,
    #[command(flatten)]
    pub sign: Sign,
}

/// Delete retired keys that are past their grace
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  keyrot-me finish
  keyrot-me finish --now          do not wait for the end of the grace; rollback is impossible then")]
pub struct Finish {
    #[command(flatten)]
    pub profiles: Profiles,
    #[command(flatten)]
    pub sign: Sign,
    /// Delete them at once
    #[arg(long)]
    pub now: bool,
    /// Grace between switching the old key off and deleting it [default: 24h]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub retire_after: Option<TimeDelta>,
}

/// Within the grace: switch the old key on again and put it back
///
/// The new key becomes the retired one and is deleted after its own grace.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  keyrot-me rollback --profile work")]
pub struct Rollback {
    #[command(flatten)]
    pub profiles: Profiles,
    #[command(flatten)]
    pub sign: Sign,
}

/// Hand a profile's key to an AWS tool, from the file or the keychain
///
/// This is what credential_process in the AWS config file runs. It asks for nothing and calls nobody. `keyrot-me store
/// move --to keychain` writes that line.
#[derive(Debug, Args)]
#[command(after_help = "\
Example, in ~/.aws/config:
  [profile work]
  credential_process = /usr/local/bin/keyrot-me credential-process --profile work")]
pub struct CredentialProcess {
    /// Profile whose key is meant
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub profile: String,
}

/// Write a completion script to standard output
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  keyrot-me completions bash > ~/.local/share/bash-completion/completions/keyrot-me")]
pub struct Completions {
    pub shell: clap_complete::Shell,
}

/// Write a man page to standard output, or all of them into a folder
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  keyrot-me man > ~/.local/share/man/man1/keyrot-me.1
  keyrot-me man --dir ~/.local/share/man/man1             the page of each command too
  keyrot-me man schedule install | man -l -")]
pub struct Man {
    /// The command whose page is meant [default: the program's own page]
    #[arg(value_name = "COMMAND", conflicts_with = "dir", value_hint = ValueHint::Other)]
    pub of: Vec<String>,
    /// Write the page of each command into this folder, which must be there
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Profiles {
    /// Profile whose key is meant; may be given several times [default: AWS_PROFILE, else default]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub profile: Vec<String>,
    /// All profiles that hold a long-term key
    #[arg(long, conflicts_with = "profile")]
    pub all: bool,
}

#[derive(Debug, Args)]
pub struct Sign {
    /// The current MFA code; other processes can see arguments: rather be asked, or use --mfa-command
    #[arg(long, value_name = "CODE", value_parser = parse_code, conflicts_with_all = ["mfa_command", "no_mfa"], help_heading = "Signing")]
    pub mfa_code: Option<SecretKey>,
    /// Program that prints the current MFA code; split as a shell does, run without a shell
    ///
    /// A code comes from the first of these that gives one: --mfa-code; this; command in [mfa] of the
    /// config file; pinentry, where [mfa] has pinentry = true; a hidden prompt on the terminal. When one
    /// fails, the next is tried only if nobody was asked yet. After a code that STS refused, the same one
    /// is asked for the NEXT code. --mfa-code is followed by no other. Programs that print a code:
    ///
    ///   ykman oath accounts code --single aws
    ///   op item get AWS --otp
    ///   pass otp show aws
    ///   oathtool --totp --base32 @/path/of/the/seed
    #[arg(long, value_name = "COMMAND", conflicts_with = "no_mfa", value_hint = ValueHint::CommandString, verbatim_doc_comment, help_heading = "Signing")]
    pub mfa_command: Option<String>,
    /// The MFA device [default: the profile's mfa_serial, else IAM is asked]
    #[arg(long, value_name = "ARN", conflicts_with = "no_mfa", help_heading = "Signing")]
    pub mfa_serial: Option<String>,
    /// Sign with the key itself, without MFA
    #[arg(long, help_heading = "Signing")]
    pub no_mfa: bool,
    /// Sign with another profile: SSO, a role, `aws login`; the way back in when the key is gone
    #[arg(long, value_name = "NAME", conflicts_with_all = ["mfa_code", "mfa_command", "mfa_serial", "no_mfa"], value_hint = ValueHint::Other, help_heading = "Signing")]
    pub auth_profile: Option<String>,
    /// Do not ask before deleting what the rules allow to delete
    #[arg(long, short)]
    pub yes: bool,
}

/// An option as words of a command line. A value that begins with a dash would be taken for an option of its own.
pub fn option(name: &str, value: &str) -> Vec<String> {
    if value.starts_with('-') { vec![format!("{name}={value}")] } else { vec![name.to_owned(), value.to_owned()] }
}

/// Never refused here: clap would show the value.
#[expect(clippy::unnecessary_wraps, reason = "clap wants a Result")]
fn parse_code(text: &str) -> Result<SecretKey, Infallible> {
    Ok(SecretKey::new(text.to_owned()))
}

fn not_valid_unless(valid: bool, what: &'static str, text: &str, why: &'static str) -> Result<String, NotValid> {
    if valid { Ok(text.to_owned()) } else { Err(NotValid { what, value: text.to_owned(), why }) }
}

fn parse_key_id(text: &str) -> Result<KeyId, NotValid> {
    KeyId::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn a_code_on_the_command_line_is_masked_in_debug() {
        let cli = Cli::parse_from(["keyrot-me", "rotate", "--mfa-code", "493027"]);
        assert!(!format!("{cli:?} {cli:#?}").contains("493027"));
    }

    #[test]
    fn an_option_whose_value_begins_with_a_dash_stays_its_value() {
        for profile in ["work", "-x", "--all"] {
            let words = ["keyrot-me", "status"].map(str::to_owned).into_iter().chain(option("--profile", profile));
            let Command::Status(status) = Cli::parse_from(words).command else { panic!("{profile}") };
            assert_eq!(status.profiles.profile, [profile]);
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
