//! The command line of `store`, and of the options that name a store.

#![allow(clippy::doc_markdown, reason = "these comments are the help that people read, not Markdown")]

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueHint};

use crate::host::config_file::StoreKind;

/// Where keys are kept: the AWS files or the operating system's keychain
#[derive(Debug, Args)]
#[command(arg_required_else_help = true, subcommand_required = true)]
pub struct Store {
    #[command(subcommand)]
    pub command: StoreCommand,
}

#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    Move(StoreMove),
}

/// Move a profile's key into the keychain, or back into the credentials file
///
/// Into the keychain: the key is written there and read back, the profile gets a credential_process line in the AWS
/// config file, and the key's lines leave the credentials file. Back: the other way round. All else in the files stays as
/// it is, and at every moment the AWS tools find the key. Killed in the middle, the same command finishes. A key that
/// several profiles hold is moved for all of them or not at all.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  keyrot-me store move --to keychain --profile work
  keyrot-me store move --to keychain --profile default --profile work   both hold the same key
  keyrot-me store move --to file --profile work

The profile's section in the config file then says
  credential_process = /usr/local/bin/keyrot-me credential-process --profile work
so keep the program where it is, or run the move again. Older copies of the credentials file, in
backups and snapshots, are not reached: `keyrot-me rotate` makes them worthless.")]
pub struct StoreMove {
    /// Where the key is to be
    #[arg(long, value_name = "keychain|file", value_parser = store_kind())]
    pub to: StoreKind,
    /// Profile whose key is meant; may be given several times [default: AWS_PROFILE, else default]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub profile: Vec<String>,
    /// Give up another key that the keychain holds under the profile's name
    #[arg(long, short)]
    pub yes: bool,
}

pub(super) fn store_kind() -> impl TypedValueParser<Value = StoreKind> {
    let kind = |name: String| if name == "file" { StoreKind::File } else { StoreKind::Keychain };
    PossibleValuesParser::new(["file", "keychain"]).map(kind)
}
