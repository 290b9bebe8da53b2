//! The journal on the disk: one line of JSON per event, appended and synced, never rewritten.
//!
//! The first line names the format. A torn last line is a write that was never acknowledged: it does
//! not count and is cut off by the next write. Any other damage is an error that names its line. The
//! caller holds the run lock before it writes.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::keys::facts::Time;
use crate::keys::journal::{Event, FORMAT, Rotation, RotationId, fold};
use crate::ports::{Journal, StoreError};

use super::atomic_file;

#[derive(Serialize, Deserialize)]
struct Header {
    journal: String,
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct Line {
    at: Time,
    rotation: RotationId,
    #[serde(flatten)]
    event: Event,
}

/// The journal of this machine's user.
#[derive(Debug)]
pub struct JournalFile {
    path: PathBuf,
    state: RefCell<State>,
}

/// How a journal's file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalLook {
    /// A newer program has written it: this one may only read it.
    pub newer: bool,
    /// It ends with a line that was never acknowledged, which the next write cuts off.
    pub torn: bool,
    pub writable: bool,
}

#[derive(Debug, Clone)]
struct State {
    rotations: Vec<Rotation>,
    format: u32,
    /// Bytes that count; what lies behind them is a torn line.
    length: u64,
    ends_with_newline: bool,
    exists: bool,
}

impl JournalFile {
    /// Reads `journal.jsonl` in the state folder; a missing or empty one has no history.
    ///
    /// # Errors
    /// [`StoreError`] naming file and line, when it cannot be read or was damaged.
    pub fn open(state_folder: &Path) -> Result<Self, StoreError> {
        let path = state_folder.join("journal.jsonl");
        let state = match std::fs::read(&path) {
            Ok(bytes) => read(&path, &bytes)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                State { rotations: Vec::new(), format: FORMAT, length: 0, ends_with_newline: true, exists: false }
            }
            Err(error) => return Err(failed(&path, "cannot be read", &error)),
        };
        Ok(Self { path, state: RefCell::new(state) })
    }

    /// How the file itself stands, for `doctor`.
    #[must_use]
    pub fn look(&self) -> JournalLook {
        let state = self.state.borrow();
        let whole = std::fs::metadata(&self.path).map_or(state.length, |meta| meta.len());
        // Opened, and nothing written.
        let writable = !state.exists || OpenOptions::new().write(true).open(&self.path).is_ok();
        JournalLook { newer: state.format > FORMAT, torn: whole > state.length, writable }
    }

    fn writer(&self, state: &State) -> Result<File, StoreError> {
        if state.format > FORMAT {
            return Err(StoreError {
                message: format!(
                    "{}: it was written by a newer keyrot-me (format {}, this program knows {FORMAT})",
                    self.path.display(),
                    state.format
                ),
                hint: Some("update keyrot-me on this machine".to_owned()),
                needs_decision: false,
            });
        }
        let folder = self.path.parent().unwrap_or(Path::new("."));
        atomic_file::create_private_dir(folder).map_err(|error| StoreError {
            message: error.to_string(),
            hint: Some(error.hint().to_owned()),
            needs_decision: false,
        })?;
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&self.path).map_err(|error| failed(&self.path, "cannot be written", &error))
    }

    /// Writes `text` behind what counts, and only then calls it done.
    fn write(&self, state: &mut State, text: &str) -> Result<(), StoreError> {
        let broken = |error: std::io::Error| failed(&self.path, "cannot be written", &error);
        let mut file = self.writer(state)?;
        let mut bytes = String::new();
        if state.length == 0 {
            let header = Header { journal: "keyrot-me".to_owned(), format: FORMAT };
            bytes.push_str(&serde_json::to_string(&header).map_err(|error| broken(error.into()))?);
            bytes.push('\n');
        } else if !state.ends_with_newline {
            bytes.push('\n');
        }
        bytes.push_str(text);
        file.set_len(state.length).map_err(broken)?;
        file.seek(SeekFrom::Start(state.length)).map_err(broken)?;
        file.write_all(bytes.as_bytes()).map_err(broken)?;
        file.sync_all().map_err(broken)?;
        if !state.exists {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            atomic_file::sync_folder(folder).map_err(broken)?;
        }
        state.length += bytes.len() as u64;
        state.ends_with_newline = true;
        state.exists = true;
        Ok(())
    }
}

impl Journal for JournalFile {
    fn prove_writable(&self) -> Result<(), StoreError> {
        self.write(&mut self.state.borrow_mut(), "")
    }

    fn rotations(&self) -> Result<Vec<Rotation>, StoreError> {
        Ok(self.state.borrow().rotations.clone())
    }

    fn append(&self, rotation: &RotationId, at: Time, event: Event) -> Result<(), StoreError> {
        let mut state = self.state.borrow_mut();
        let mut rotations = state.rotations.clone();
        let line = Line { at, rotation: rotation.clone(), event: event.clone() };
        fold(&mut rotations, rotation, at, event).map_err(|illegal| StoreError {
            message: format!("{}: {illegal}; it was not written", self.path.display()),
            hint: None,
            needs_decision: false,
        })?;
        let mut text =
            serde_json::to_string(&line).map_err(|error| failed(&self.path, "cannot be written", &error.into()))?;
        text.push('\n');
        self.write(&mut state, &text)?;
        state.rotations = rotations;
        Ok(())
    }
}

fn read(path: &Path, bytes: &[u8]) -> Result<State, StoreError> {
    let mut state = State { rotations: Vec::new(), format: FORMAT, length: 0, ends_with_newline: true, exists: true };
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let whole = line.ends_with(b"\n");
        let parsed = if index == 0 { read_header(line, &mut state) } else { read_event(line, &mut state) };
        match parsed {
            Ok(()) => {}
            // Never acknowledged, so nothing was done because of it.
            Err(_) if !whole => break,
            // A newer format may hold events that we do not know: read what we can.
            Err(_) if state.format > FORMAT => {}
            Err(why) => return Err(damaged(path, index + 1, &why)),
        }
        state.length += line.len() as u64;
        state.ends_with_newline = whole;
    }
    Ok(state)
}

fn read_header(line: &[u8], state: &mut State) -> Result<(), String> {
    let header: Header = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if header.journal != "keyrot-me" {
        return Err("this is not keyrot-me's journal".to_owned());
    }
    state.format = header.format;
    Ok(())
}

fn read_event(line: &[u8], state: &mut State) -> Result<(), String> {
    let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    fold(&mut state.rotations, &line.rotation, line.at, line.event).map_err(|illegal| illegal.to_string())
}

fn damaged(path: &Path, line: usize, why: &str) -> StoreError {
    StoreError {
        message: format!("{}:{line}: the journal is damaged: {why}", path.display()),
        hint: Some(
            "put back an undamaged copy; or, when IAM lists one key only and it works, move this file away".to_owned(),
        ),
        needs_decision: false,
    }
}

fn failed(path: &Path, what: &str, error: &std::io::Error) -> StoreError {
    StoreError {
        message: format!("{}: {what}: {error}", path.display()),
        hint: Some("check the folder's permissions and the disk's free space".to_owned()),
        needs_decision: false,
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests damage files on purpose")]
mod tests {
    use super::*;
    use crate::keys::facts::{Identity, KeyId};

    fn at(seconds: i64) -> Time {
        Time::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn id() -> RotationId {
        RotationId::from_bits(7)
    }

    fn intent() -> Event {
        Event::Intent {
            who: Identity { account: "123456789012".into(), arn: "arn:aws:iam::123456789012:user/alice".into() },
            old: KeyId::new("AKIAOLD0000000000001").unwrap(),
            listed: vec![KeyId::new("AKIAOLD0000000000001").unwrap()],
            signer: "ASIA1".into(),
            mfa_serial: None,
            call_timeout: 30,
            old_off: false,
        }
    }

    fn staged() -> Event {
        Event::Staged { key: KeyId::new("AKIANEW0000000000001").unwrap(), created: at(1) }
    }

    fn two_events(folder: &Path) -> Vec<u8> {
        let journal = JournalFile::open(folder).unwrap();
        journal.append(&id(), at(0), intent()).unwrap();
        journal.append(&id(), at(2), staged()).unwrap();
        std::fs::read(folder.join("journal.jsonl")).unwrap()
    }

    #[test]
    fn what_was_appended_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        two_events(folder.path());
        let again = JournalFile::open(folder.path()).unwrap().rotations().unwrap();
        assert_eq!(again.len(), 1);
        assert_eq!(again[0].keep, Some(KeyId::new("AKIANEW0000000000001").unwrap()));
    }

    #[test]
    fn cut_at_any_byte_it_reads_as_what_was_acknowledged_before_and_can_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let whole = two_events(folder.path());
        let path = folder.path().join("journal.jsonl");
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let journal = JournalFile::open(folder.path()).unwrap();
            let lines = whole[..=cut].split(|byte| *byte == b'\n').count() - 1;
            let read = journal.rotations().unwrap();
            assert_eq!(read.len(), usize::from(lines >= 2), "cut at {cut}");
            let event = if read.is_empty() {
                intent()
            } else if read[0].keep.is_none() {
                staged()
            } else {
                Event::Verified
            };
            journal.append(&id(), at(3), event).unwrap();
            JournalFile::open(folder.path()).unwrap();
        }
    }

    #[test]
    fn an_edited_line_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let text = String::from_utf8(two_events(folder.path())).unwrap();
        let path = folder.path().join("journal.jsonl");
        for edited in [text.replace("\"intent\"", "\"intend\""), text.replace("AKIAOLD0000000000001", "nonsense")] {
            std::fs::write(&path, edited).unwrap();
            let error = JournalFile::open(folder.path()).unwrap_err();
            assert!(error.message.contains("journal.jsonl:2:"), "{}", error.message);
        }
    }

    #[test]
    fn an_event_that_cannot_follow_is_refused_and_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let before = two_events(folder.path());
        let journal = JournalFile::open(folder.path()).unwrap();
        assert!(journal.append(&id(), at(3), Event::Proved).is_err());
        assert_eq!(std::fs::read(folder.path().join("journal.jsonl")).unwrap(), before);
    }

    #[test]
    fn a_newer_format_is_read_and_never_written() {
        let folder = tempfile::tempdir().unwrap();
        let text = String::from_utf8(two_events(folder.path())).unwrap();
        let newer = text.replace("\"format\":1", "\"format\":2") + "{\"at\":\"2027-01-01T00:00:00Z\",\"new\":1}\n";
        let path = folder.path().join("journal.jsonl");
        std::fs::write(&path, &newer).unwrap();
        let journal = JournalFile::open(folder.path()).unwrap();
        assert_eq!(journal.rotations().unwrap().len(), 1);
        assert!(journal.prove_writable().unwrap_err().message.contains("newer keyrot-me"));
        assert!(journal.append(&id(), at(3), Event::Verified).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), newer);
    }

    #[cfg(unix)]
    #[test]
    fn the_journal_is_for_its_user_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        two_events(folder.path());
        let mode = std::fs::metadata(folder.path().join("journal.jsonl")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
