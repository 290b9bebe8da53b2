//! The command line of `import`.

#![allow(clippy::doc_markdown, reason = "these comments are the help that people read, not Markdown")]

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{Sign, parse_key_id};
use crate::host::config_file::StoreKind;
use crate::keys::facts::KeyId;

/// Take a key that was made in the console: prove it, store it, and rotate it at once
///
/// The way back in when the key is gone. The key is proved at STS and IAM, held against the one that the profile had, and
/// stored where that one is: in the file or the keychain. Then it is rotated, so that the copy that was downloaded or
/// pasted dies.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  keyrot-me import ~/Downloads/alice_accessKeys.csv
  keyrot-me import                                  asks for the key; the secret is not shown
  pass show aws | keyrot-me import --profile work - --mfa-command 'pass otp show aws'
  ssh desktop keyrot-me import --no-rotate -        a second machine: JSON on standard input

Taken are the console's CSV, JSON with AccessKeyId and SecretAccessKey, and lines such as aws_access_key_id = … or
export AWS_ACCESS_KEY_ID=…; exactly one key. White space around a value is cut off. Killed at any point, the same
command, or `keyrot-me rotate`, goes on.")]
pub struct Import {
    /// The console's CSV file, or - for standard input [default: asks for the key at the terminal]
    #[arg(value_name = "CSV|-", value_hint = ValueHint::FilePath)]
    pub source: Option<PathBuf>,
    /// Profile that gets the key [default: AWS_PROFILE, else default]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub profile: Option<String>,
    /// Where a profile without a key gets it [default: kind in [store] of the config file, else file]
    #[arg(long, value_name = "file|keychain", value_parser = super::store::store_kind())]
    pub store: Option<StoreKind>,
    /// Keep the key as it is
    #[arg(long)]
    pub no_rotate: bool,
    /// Erase the file in the end, without asking
    #[arg(long, requires = "source")]
    pub erase: bool,
    /// Give up this key where IAM's quota of two is full: it is deleted for good
    #[arg(long, value_name = "KEY_ID", value_parser = parse_key_id, conflicts_with = "no_rotate")]
    pub replace: Option<KeyId>,
    #[command(flatten)]
    pub sign: Sign,
}
