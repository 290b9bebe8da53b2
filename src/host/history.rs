//! One line of JSON for each finished purge: from it the review shows what became of the keys over the weeks.
//!
//! Lines are only ever added. A torn last line, of a run that was killed while it wrote, does not count and is cut off
//! by the next; any other damage is an error that names its line. Nothing here may decide anything.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::atomic_file;
use crate::keys::facts::Time;
use crate::keys::purge::Verb;
use crate::keys::purge::row::Summary;

/// Of a line. A newer one is refused.
const VERSION: u32 = 1;

/// One finished run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When it ended, in the service's time.
    pub at: Time,
    pub applied: bool,
    /// It was a `--report-only`.
    pub review: bool,
    /// Nothing was left out: only then its numbers are the whole.
    pub complete: bool,
    pub accounts: u64,
    pub accounts_incomplete: u64,
    /// IAM users with at least one key.
    pub users_with_keys: u64,
    pub keys: u64,
    pub over_limit: u64,
    pub near_limit: u64,
    /// Done, not planned.
    pub disabled: u64,
    /// Done, not planned.
    pub deleted: u64,
    pub warned: u64,
    /// Keys over the limit that an exemption spared.
    pub exempt: u64,
    pub oldest_seconds: u64,
    pub average_seconds: u64,
}

impl Line {
    #[must_use]
    pub fn of(summary: &Summary, review: bool) -> Self {
        let census = &summary.census;
        Self {
            at: summary.ended,
            applied: summary.applied,
            review,
            complete: summary.complete(),
            accounts: summary.accounts,
            accounts_incomplete: summary.accounts_incomplete,
            users_with_keys: census.users_with_keys,
            keys: census.keys,
            over_limit: census.over_limit,
            near_limit: census.near_limit,
            disabled: summary.done.of(Verb::Disable),
            deleted: summary.done.of(Verb::Delete),
            warned: summary.totals.of(Verb::Warn),
            exempt: summary.totals.of(Verb::Exempt),
            oldest_seconds: census.oldest_seconds,
            average_seconds: census.average_seconds(),
        }
    }
}

/// As it stands in the file.
#[derive(Serialize, Deserialize)]
struct Versioned {
    version: u32,
    #[serde(flatten)]
    line: Line,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// A history that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    #[error("{name}: {why}")]
    File { name: String, why: String },
    #[error("{name}, line {line}: it is no line of a history: {why}")]
    Damaged { name: String, line: usize, why: String },
    #[error("{name}, line {line}: version {version} of a newer keyrot-me, and this program knows {VERSION}")]
    Newer { name: String, line: usize, version: u32 },
}

/// What a history holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    pub lines: Vec<Line>,
    /// Bytes at the end of a run that was killed while it wrote. They do not count, and the next line replaces them.
    pub torn: usize,
}

/// Reads what stands in `bytes`; `name` is told in errors.
///
/// # Errors
/// [`HistoryError`] for a damaged or newer line.
pub fn parse(name: &str, bytes: &[u8]) -> Result<History, HistoryError> {
    let mut history = History::default();
    let mut rest = bytes;
    let mut number = 0;
    while !rest.is_empty() {
        number += 1;
        let end = rest.iter().position(|byte| *byte == b'\n');
        let text = &rest[..end.unwrap_or(rest.len())];
        match line(name, number, text) {
            Ok(found) => history.lines.extend(found),
            Err(HistoryError::Damaged { .. }) if end.is_none() => history.torn = text.len(),
            Err(error) => return Err(error),
        }
        rest = end.map_or(&[], |end| &rest[end + 1..]);
    }
    Ok(history)
}

/// `None` for an empty one.
fn line(name: &str, number: usize, text: &[u8]) -> Result<Option<Line>, HistoryError> {
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    let damaged =
        |error: serde_json::Error| HistoryError::Damaged { name: name.to_owned(), line: number, why: words(&error) };
    let Version { version } = serde_json::from_slice(text).map_err(damaged)?;
    if version > VERSION {
        return Err(HistoryError::Newer { name: name.to_owned(), line: number, version });
    }
    serde_json::from_slice::<Versioned>(text).map(|found| Some(found.line)).map_err(damaged)
}

/// Each text is a line of its own: only its column says something.
fn words(error: &serde_json::Error) -> String {
    let (text, place) = (error.to_string(), format!(" at line {} column {}", error.line(), error.column()));
    match text.strip_suffix(&place) {
        Some(why) => format!("{why} at column {}", error.column()),
        None => text,
    }
}

/// `bytes` with one more line; a torn one is cut off.
///
/// # Errors
/// [`HistoryError`] where `bytes` are no history: then nothing is added to them.
pub fn with_line(name: &str, bytes: &[u8], line: &Line) -> Result<Vec<u8>, HistoryError> {
    let torn = parse(name, bytes)?.torn;
    let mut whole = bytes[..bytes.len() - torn].to_vec();
    whole.extend(addition(name, &whole, line)?);
    Ok(whole)
}

/// What is to be written behind `before`.
fn addition(name: &str, before: &[u8], line: &Line) -> Result<Vec<u8>, HistoryError> {
    let failed = |error: serde_json::Error| HistoryError::File { name: name.to_owned(), why: error.to_string() };
    let mut added = if before.last().is_none_or(|last| *last == b'\n') { Vec::new() } else { vec![b'\n'] };
    serde_json::to_writer(&mut added, &Versioned { version: VERSION, line: line.clone() }).map_err(failed)?;
    added.push(b'\n');
    Ok(added)
}

/// Reads the history at `path`; a missing file has none.
///
/// # Errors
/// [`HistoryError`], which names the file and, where one is damaged, the line.
pub fn read(path: &Path) -> Result<History, HistoryError> {
    parse(&path.display().to_string(), &bytes_of(path)?)
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, HistoryError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(path, &format!("cannot be read: {error}"))),
    }
}

/// Adds a line durably, and says how many bytes of a torn one it replaced. The file is made, mode 0600, where there
/// is none.
///
/// # Errors
/// [`HistoryError`]; a file that is no history is left as it is.
pub fn append(path: &Path, line: &Line) -> Result<usize, HistoryError> {
    let name = path.display().to_string();
    let mut bytes = bytes_of(path)?;
    let torn = parse(&name, &bytes)?.torn;
    bytes.truncate(bytes.len() - torn);
    let added = addition(&name, &bytes, line)?;
    let broken = |error: std::io::Error| failed(path, &format!("cannot be written: {error}"));
    let is_new = !path.exists();
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(broken)?;
    if torn > 0 {
        file.set_len(bytes.len() as u64).map_err(broken)?;
    }
    file.seek(SeekFrom::End(0)).map_err(broken)?;
    file.write_all(&added).and_then(|()| file.sync_all()).map_err(broken)?;
    if is_new {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        atomic_file::sync_folder(folder).map_err(broken)?;
    }
    Ok(torn)
}

fn failed(path: &Path, why: &str) -> HistoryError {
    HistoryError::File { name: path.display().to_string(), why: why.to_owned() }
}
