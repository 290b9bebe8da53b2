//! A key as people have it when they made it in the console: its CSV, JSON, or lines of an AWS file or a shell.
//!
//! Pure: bytes in, one key out. An error says where and what is wrong, and never quotes what was read.

mod csv;
mod json;
mod lines;

use std::fmt;

use zeroize::Zeroizing;

use super::facts::KeyId;
use super::secret::{AccessKey, SecretKey};

/// More than this no such text has, in bytes.
pub const LONGEST: usize = 64 * 1024;

/// A secret access key: 40 characters, in AWS's own examples and in every key that AWS made.
const SECRET_LENGTH: usize = 40;

/// Text that does not give exactly one usable key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAKey {
    /// 1-based, where one line is to blame.
    pub line: Option<u64>,
    pub problem: Problem,
}

/// What is wrong with it. No variant can hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("it is empty")]
    Empty,
    #[error("it is larger than {} KiB", LONGEST / 1024)]
    TooLarge,
    #[error("it is UTF-16 text, as Excel and PowerShell write it")]
    Utf16,
    #[error("it is not text")]
    Binary,
    #[error("it is not the JSON of an access key")]
    Json,
    #[error("it holds no access key")]
    Nothing,
    #[error("it holds several access keys: {}", ids(.0))]
    Several(Vec<KeyId>),
    #[error("it holds several secrets for {0}")]
    SeveralSecrets(KeyId),
    #[error("it holds only half a key: {0} is missing")]
    Half(&'static str),
    #[error("the access key id is not one: {0}")]
    Id(&'static str),
    #[error("the access key id and the secret have changed places")]
    Swapped,
    #[error("it holds temporary credentials, which expire by themselves and cannot be rotated")]
    Temporary,
    #[error("the secret of {id} is not one: {why}")]
    Secret { id: KeyId, why: &'static str },
}

impl Problem {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty | Self::TooLarge | Self::Binary | Self::Nothing | Self::Json => {
                "name the CSV file that the console gave, JSON with AccessKeyId and SecretAccessKey, or lines like \
                 AWS_ACCESS_KEY_ID=…; or leave the file out and type the key"
            }
            Self::Utf16 => "save it as UTF-8 text",
            Self::Several(_) | Self::SeveralSecrets(_) => "leave only the one that is meant in it",
            Self::Half(_) => "an access key id and its secret belong together",
            Self::Id(_) => "a user's access key id looks like AKIAIOSFODNN7EXAMPLE; copy it again",
            Self::Swapped => "put each in its own place",
            Self::Temporary => "name a user's long-term key, whose id begins with AKIA",
            Self::Secret { .. } => {
                "copy the secret again; where it is lost, make another key: the console shows a secret once"
            }
        }
    }
}

impl fmt::Display for NotAKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl From<Problem> for NotAKey {
    fn from(problem: Problem) -> Self {
        Self { line: None, problem }
    }
}

fn ids(ids: &[KeyId]) -> String {
    ids.iter().map(KeyId::as_str).collect::<Vec<_>>().join(", ")
}

/// The one key in `bytes`, whatever of the known kinds of text they are.
///
/// White space around a value is cut off, quoted or not: neither an id nor a secret has any.
///
/// # Errors
/// [`NotAKey`] for everything else, several keys included: which one is meant is not guessed.
pub fn read(bytes: &[u8]) -> Result<AccessKey, NotAKey> {
    let text = text(bytes)?;
    if text.trim().is_empty() {
        return Err(Problem::Empty.into());
    }
    the_only(if json::is_it(text) {
        json::found(text)?
    } else {
        match csv::found(text) {
            Some(found) => found?,
            None => lines::found(text),
        }
    })
}

/// A key whose parts were typed one by one.
///
/// # Errors
/// [`NotAKey`], without a line.
pub fn typed(id: &str, secret: &str) -> Result<AccessKey, NotAKey> {
    the_only(vec![Found::new(None, Some(id), Some(secret))])
}

fn text(bytes: &[u8]) -> Result<&str, NotAKey> {
    if bytes.len() > LONGEST {
        return Err(Problem::TooLarge.into());
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Problem::Utf16.into());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::Binary)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.contains(control) { Err(Problem::Binary.into()) } else { Ok(text) }
}

/// What one place of the text says of a key.
#[derive(Default)]
struct Found {
    line: Option<u64>,
    id: Option<Zeroizing<String>>,
    secret: Option<Zeroizing<String>>,
    session: bool,
}

impl Found {
    /// Values that are empty but for white space are not there.
    fn new(line: Option<u64>, id: Option<&str>, secret: Option<&str>) -> Self {
        Self { line, id: value(id), secret: value(secret), session: false }
    }

    fn is_empty(&self) -> bool {
        self.id.is_none() && self.secret.is_none()
    }

    fn key(&self) -> Result<AccessKey, NotAKey> {
        let wrong = |problem| NotAKey { line: self.line, problem };
        let (id, secret) = match (&self.id, &self.secret) {
            (Some(id), Some(secret)) => (id.as_str(), secret.as_str()),
            (Some(_), None) => return Err(wrong(Problem::Half("the secret"))),
            (None, _) => return Err(wrong(Problem::Half("the access key id"))),
        };
        if self.session || id.starts_with("ASIA") {
            return Err(wrong(Problem::Temporary));
        }
        let id =
            KeyId::new(id).map_err(|not| wrong(if is_id(secret) { Problem::Swapped } else { Problem::Id(not.why) }))?;
        match secret_problem(secret) {
            None => Ok(AccessKey { id, secret: SecretKey::new(secret.to_owned()) }),
            Some(why) => Err(wrong(Problem::Secret { id, why })),
        }
    }
}

fn value(text: Option<&str>) -> Option<Zeroizing<String>> {
    let text = text?.trim();
    (!text.is_empty()).then(|| Zeroizing::new(text.to_owned()))
}

/// As an id of a user's key looks, so that it can be told from a secret.
fn is_id(text: &str) -> bool {
    text.starts_with("AKIA") && text.len() < SECRET_LENGTH && KeyId::new(text).is_ok()
}

fn secret_problem(secret: &str) -> Option<&'static str> {
    if is_id(secret) {
        Some("it is an access key id")
    } else if secret.contains(['\n', '\r']) {
        Some("there is a line break in it")
    } else if secret.contains(char::is_whitespace) {
        Some("there is white space in it")
    } else if secret.chars().all(|c| matches!(c, '*' | '•' | '.' | 'x' | 'X')) {
        Some("it is masked")
    } else if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        Some("there are characters in it that no secret has")
    } else if secret.len() < SECRET_LENGTH {
        Some("it has fewer than 40 characters: the end may be missing")
    } else if secret.len() > SECRET_LENGTH {
        Some("it has more than 40 characters")
    } else {
        None
    }
}

/// The same key twice is one key.
fn the_only(mut found: Vec<Found>) -> Result<AccessKey, NotAKey> {
    found.retain(|one| !one.is_empty());
    let mut ids: Vec<KeyId> = Vec::new();
    for id in found.iter().filter_map(|one| KeyId::new(one.id.as_ref()?.as_str()).ok()) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    if ids.len() > 1 {
        return Err(Problem::Several(ids).into());
    }
    let mut keys = found.iter().map(Found::key);
    let first = keys.next().ok_or(Problem::Nothing)??;
    for other in keys {
        if other?.secret != first.secret {
            return Err(Problem::SeveralSecrets(first.id).into());
        }
    }
    Ok(first)
}

#[cfg(test)]
mod tests;
