//! The function's settings: each option of the command line from the environment variable of its name.
//!
//! They become arguments and are read by the command line's own definition, so that there is one set of checks.
//! Errors name the variable; nothing is called here.

use std::error::Error;

use clap::error::ErrorKind;
use clap::{Args, Command, FromArgMatches};

use super::failed::Failed;
use crate::cli::args::Purge;
use crate::cli::error::Failure;

/// What all our variables begin with.
pub const PREFIX: &str = "KEYROT_ME_";
const BUCKET: &str = "KEYROT_ME_REPORT_BUCKET";
const NAMESPACE: &str = "KEYROT_ME_METRICS_NAMESPACE";
const APPLY: &str = "KEYROT_ME_APPLY";
const DEFAULT_NAMESPACE: &str = "KeyrotMe";

/// How a variable becomes arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    Value,
    /// Comma-separated.
    List,
    /// `true` or `false`.
    Switch,
}

/// The table of packaging/aws/README.md.
const TABLE: [(&str, &str, As); 23] = [
    ("KEYROT_ME_GROUPS", "--group", As::List),
    ("KEYROT_ME_ALL_USERS", "--all-users", As::Switch),
    ("KEYROT_ME_MAX_AGE", "--max-age", As::Value),
    ("KEYROT_ME_GRACE", "--grace", As::Value),
    ("KEYROT_ME_WARN_BEFORE", "--warn-before", As::Value),
    ("KEYROT_ME_UNUSED_FOR", "--unused-for", As::Value),
    ("KEYROT_ME_EXEMPT_GROUPS", "--exempt-group", As::List),
    ("KEYROT_ME_EXEMPT_TAG", "--exempt-tag", As::Switch),
    ("KEYROT_ME_ORG", "--org", As::Switch),
    ("KEYROT_ME_OUS", "--ou", As::List),
    ("KEYROT_ME_ACCOUNTS", "--account", As::List),
    ("KEYROT_ME_ROLE", "--role", As::Value),
    ("KEYROT_ME_EXTERNAL_ID", "--external-id", As::Value),
    ("KEYROT_ME_MAX_AFFECTED", "--max-affected", As::Value),
    ("KEYROT_ME_ALLOW_EMPTY", "--allow-empty", As::Switch),
    (APPLY, "--apply", As::Switch),
    ("KEYROT_ME_NOTIFY", "--notify", As::List),
    ("KEYROT_ME_NOTIFY_LIMIT", "--notify-limit", As::Value),
    ("KEYROT_ME_NOTIFY_TEMPLATES", "--notify-templates", As::Value),
    ("KEYROT_ME_OWNER_TAG", "--owner-tag", As::Value),
    ("KEYROT_ME_OWNER_ADDRESS", "--owner-address", As::Value),
    ("KEYROT_ME_OWNER_MAP", "--owner-map", As::Value),
    ("KEYROT_ME_TEAM_ADDRESS", "--team-address", As::Value),
];

/// What the environment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variables {
    /// As on the command line, each option with its value in one word.
    pub words: Vec<String>,
    pub bucket: String,
    pub namespace: String,
}

/// `env` has the variables that begin with [`PREFIX`].
///
/// # Errors
/// [`Failed`] of kind Usage, which names the variable.
pub fn read(env: &[(String, String)]) -> Result<Variables, Failed> {
    let mut words = Vec::new();
    for (name, value) in env.iter().filter(|(name, _)| ![BUCKET, NAMESPACE].contains(&name.as_str())) {
        let known = TABLE.iter().find(|(variable, ..)| variable == name);
        let (_, flag, kind) = known.ok_or_else(|| unknown(name))?;
        words.extend(as_words(name, value.trim(), flag, *kind)?);
    }
    let value = |wanted: &str| env.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.trim().to_owned());
    if value("KEYROT_ME_MAX_AGE").is_none() {
        return Err(Failed::usage("KEYROT_ME_MAX_AGE is not set: give the age from which keys are disabled, like 90d"));
    }
    if !words.iter().any(|word| word.starts_with("--group=") || word == "--all-users") {
        return Err(Failed::usage("KEYROT_ME_GROUPS is not set, and KEYROT_ME_ALL_USERS is not true: nobody is meant"));
    }
    let bucket = value(BUCKET).ok_or_else(|| Failed::usage(format!("{BUCKET} is not set: reports need a bucket")))?;
    let namespace = value(NAMESPACE).unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
    Ok(Variables { words, bucket: bucket_name(bucket)?, namespace: namespace_name(namespace)? })
}

fn as_words(name: &str, value: &str, flag: &str, kind: As) -> Result<Vec<String>, Failed> {
    let word = |value: &str| format!("{flag}={value}");
    if value.is_empty() && name != APPLY {
        return Err(Failed::usage(format!("{name} is blank: give it a value, or take it away")));
    }
    match (kind, value) {
        (As::Value, _) => Ok(vec![word(value)]),
        // A filter must not go away by a slip.
        (As::List, _) if value.split(',').any(|item| item.trim().is_empty()) => {
            Err(Failed::usage(format!("{name} is {value:?}, where an item between the commas is empty")))
        }
        (As::List, _) => Ok(value.split(',').map(str::trim).map(word).collect()),
        (As::Switch, "true") => Ok(vec![flag.to_owned()]),
        (As::Switch, "false") => Ok(Vec::new()),
        // Whatever it is, it does not say that keys are to be touched.
        (As::Switch, _) if name == APPLY => Ok(Vec::new()),
        (As::Switch, other) => Err(Failed::usage(format!("{name} is {other:?}, and must be true or false"))),
    }
}

fn unknown(name: &str) -> Failed {
    let all = TABLE.iter().map(|(variable, ..)| *variable).chain([BUCKET, NAMESPACE]);
    let nearest = all.max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
    Failed::usage(format!("{name} is no setting of this function; the nearest is {}", nearest.unwrap_or_default()))
}

/// S3 user guide, 'General purpose bucket naming rules', as far as they keep a name from being a path.
fn bucket_name(name: String) -> Result<String, Failed> {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    let valid = (3..=63).contains(&name.len()) && name.bytes().all(known) && ends(bytes.first()) && ends(bytes.last());
    let message = format!("{BUCKET} is {name:?}: a bucket's name has 3 to 63 small letters, digits, hyphens or dots");
    if valid { Ok(name) } else { Err(Failed::usage(message)) }
}

/// `CloudWatch` API reference, `MetricDatum`: namespaces of AWS's own begin with `AWS/`.
fn namespace_name(name: String) -> Result<String, Failed> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/#:".contains(&byte);
    let valid = name.len() <= 255 && name.bytes().all(known) && !name.starts_with("AWS/") && !name.starts_with(':');
    let message = format!("{NAMESPACE} is {name:?}: it has letters, digits or .-_/#: and does not begin with AWS/");
    if valid { Ok(name) } else { Err(Failed::usage(message)) }
}

/// The command line that `words` are.
///
/// # Errors
/// [`Failed`] of kind Usage, in the words of variables and of the event.
pub fn parsed(words: &[String]) -> Result<Purge, Failed> {
    let command = Purge::augment_args(Command::new("purge").no_binary_name(true));
    let matches = command.try_get_matches_from(words);
    matches.and_then(|found| Purge::from_arg_matches(&found)).map_err(|error| Failed::usage(words_of(&error)))
}

/// A failure of the command line's checks.
pub fn refused(failure: Failure) -> Failed {
    let Failure { exit, message, hint } = failure;
    // A hint may name an option that the function has not.
    let hint = hint.map(|hint| in_our_words(&hint)).filter(|hint| !hint.contains("--"));
    Failed::from(Failure { exit, message: in_our_words(&message), hint })
}

fn words_of(error: &clap::Error) -> String {
    let said = error.to_string();
    let said = said.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ").trim();
    // clap shows the value, which may be the address of a webhook; the reason shows what may be shown.
    if let (ErrorKind::ValueValidation, Some(why)) = (error.kind(), error.source()) {
        let flag = said.split(" for '").nth(1).and_then(|rest| rest.split([' ', '\'']).next()).unwrap_or_default();
        return format!("{}: {why}", in_our_words(flag));
    }
    in_our_words(&said.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Options are named by their variables, or by the event's members.
fn in_our_words(text: &str) -> String {
    let mut pieces = text.split("--");
    let mut ours = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(piece.len());
        let (flag, rest) = (format!("--{}", &piece[..end]), &piece[end..]);
        let variable = TABLE.iter().find(|(_, known, _)| *known == flag).map(|(variable, ..)| *variable);
        let member = ["report_only", "period"].into_iter().find(|name| flag[2..].replace('-', "_") == **name);
        ours.push_str(variable.or(member).unwrap_or(&flag));
        // The value's name means nothing there.
        let value = rest.strip_prefix(" <").and_then(|rest| rest.split_once('>'));
        ours.push_str(value.map_or(rest, |(_, rest)| rest));
    }
    ours
}
