//! One line of JSON for each finished purge: from it the review shows what became of the keys over the weeks.
//!
//! Lines are only ever added. A torn last line, of a run that was killed while it wrote, does not count and is cut off
//! by the next; any other damage is an error that names its line. Nothing here may decide anything.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::atomic_file;
pub use crate::keys::purge::past::Line;

/// Of a line. A newer one is refused.
const VERSION: u32 = 1;

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
    if torn > 0 {
        let file = OpenOptions::new().write(true).open(path).map_err(broken)?;
        file.set_len(bytes.len() as u64).map_err(broken)?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(broken)?;
    file.write_all(&added).and_then(|()| file.sync_all()).map_err(broken)?;
    if is_new {
        atomic_file::sync_folder(folder_of(path)).map_err(broken)?;
    }
    Ok(torn)
}

/// Proves that a line could be added at `path`, and adds none.
///
/// # Errors
/// [`HistoryError`] for a file that is write-protected, or a folder that is missing or takes no file.
pub fn prove(path: &Path) -> Result<(), HistoryError> {
    if path.exists() {
        let opened = OpenOptions::new().append(true).open(path);
        return opened.map(drop).map_err(|error| failed(path, &format!("cannot be written: {error}")));
    }
    atomic_file::prove_folder(folder_of(path)).map_err(|error| failed(path, &error.to_string()))
}

/// `.` for a bare name.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn failed(path: &Path, why: &str) -> HistoryError {
    HistoryError::File { name: path.display().to_string(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "the files of these tests are nobody's")]

    use super::*;

    fn line_of(day: u32, users: u64) -> Line {
        Line {
            at: format!("2026-11-{day:02}T23:55:00Z").parse().unwrap(),
            applied: true,
            review: false,
            complete: true,
            accounts: 2,
            accounts_incomplete: 0,
            users_with_keys: users,
            keys: users + 3,
            over_limit: 4,
            near_limit: 5,
            disabled: 6,
            deleted: 7,
            warned: 8,
            exempt: 9,
            oldest_seconds: 86_400,
            average_seconds: 3_600,
            run: None,
        }
    }

    #[test]
    fn lines_are_added_and_read_back_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        assert_eq!(read(&path), Ok(History::default()));
        let lines = [line_of(6, 30), line_of(13, 20), line_of(20, 10)];
        for line in &lines {
            assert_eq!(append(&path, line), Ok(0));
        }
        assert_eq!(read(&path).unwrap().lines, lines);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(String::from_utf8_lossy(&bytes).lines().count(), 3);
        let again = lines.iter().fold(Vec::new(), |bytes, line| with_line("s3", &bytes, line).unwrap());
        assert_eq!(again, bytes, "the object in a bucket has the same bytes");
    }

    #[test]
    fn a_line_that_was_cut_off_anywhere_does_not_count_and_the_next_one_replaces_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        let first = with_line("s3", b"", &line_of(6, 30)).unwrap();
        let both = with_line("s3", &first, &line_of(13, 20)).unwrap();
        let last = line_of(20, 10);
        for length in first.len() + 1..both.len() - 1 {
            let torn = length - first.len();
            std::fs::write(&path, &both[..length]).unwrap();
            let found = read(&path).unwrap();
            assert_eq!((found.lines.as_slice(), found.torn), ([line_of(6, 30)].as_slice(), torn));
            assert_eq!(append(&path, &last), Ok(torn));
            assert_eq!(read(&path).unwrap(), History { lines: vec![line_of(6, 30), last.clone()], torn: 0 });
            assert_eq!(with_line("s3", &both[..length], &last).unwrap(), std::fs::read(&path).unwrap());
        }
        std::fs::write(&path, &both[..both.len() - 1]).unwrap();
        assert_eq!(append(&path, &last), Ok(0), "whole, but for its end of line");
        assert_eq!(read(&path).unwrap().lines.len(), 3);
    }

    #[test]
    fn damage_is_named_by_its_line_and_nothing_is_added_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        let good = String::from_utf8(with_line("s3", b"", &line_of(6, 30)).unwrap()).unwrap();
        for (bad, why) in [
            ("nonsense\n", "line 2: it is no line of a history: expected"),
            ("{\"version\":1}\n", "line 2: it is no line of a history: missing field"),
            ("{\"version\":7,\"mood\":\"new\"}\n", "line 2: version 7 of a newer keyrot-me"),
            ("{\"version\":7,\"mood\":\"new\"}", "line 2: version 7 of a newer keyrot-me"),
        ] {
            let text = format!("{good}{bad}{}", if bad.ends_with('\n') { good.as_str() } else { "" });
            std::fs::write(&path, &text).unwrap();
            let refused = append(&path, &line_of(13, 20)).unwrap_err();
            assert!(refused.to_string().contains(why), "{refused}");
            assert!(refused.to_string().contains("history.jsonl, line"), "{refused}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
            assert!(with_line("s3", text.as_bytes(), &line_of(13, 20)).is_err());
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let refused = append(&folder.path().join("none/history.jsonl"), &line_of(6, 1)).unwrap_err();
        assert!(refused.to_string().contains("history.jsonl: cannot be written"), "{refused}");
        assert!(prove(&folder.path().join("none/history.jsonl")).is_err());
        assert!(prove(&folder.path().join("history.jsonl")).is_ok());
        assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing was made");
        assert!(read(folder.path()).unwrap_err().to_string().contains("cannot be read"));
    }
}
