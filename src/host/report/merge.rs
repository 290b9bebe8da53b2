//! The parts of one run, read back and told as a whole.
//!
//! A part is the JSON report of one invocation: the next one goes on with the accounts that the one before left. What is
//! kept in memory does not grow with the keys of accounts that one part alone tells of. Nothing here may decide anything
//! about a key.

mod part;
mod several;
mod text;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use self::part::{Frame, Listener};
use self::several::Several;
use super::ReportHeader;
use crate::keys::purge::Totals;
use crate::keys::purge::row::{AccountSummary, KeyRow, Outcome, Stopped, Summary};
use crate::ports::{PurgeReport, ReportError};

/// Why parts are no whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    #[error("{path}: it cannot be read: {why}")]
    Unread { path: String, why: String },
    #[error("{path}: it ends before its end: who wrote it was cut off")]
    CutOff { path: String },
    #[error("{path}: it is version {version}, and this program knows {known}: another keyrot-me wrote it")]
    Version { path: String, version: u64, known: u32 },
    /// The place is a line, or the number of a key or an account.
    #[error("{path}, {place}: it is no report of 'keyrot-me purge': {why}")]
    NotOurs { path: String, place: String, why: String },
    #[error("{path}: it is of another run than the first part: {why}")]
    OtherRun { path: String, why: &'static str },
    #[error("there is no part to make a whole of")]
    Nothing,
    /// Who was told did not take it.
    #[error(transparent)]
    Told(#[from] ReportError),
}

/// What a part says of its accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finished {
    /// Looked at to their ends, with gaps or without; those that are no part of the purge, too.
    pub accounts: Vec<String>,
    /// Not looked at, or not to the end, since the run ended before.
    pub left: Vec<String>,
}

/// Tells the whole of `parts`, in the order in which they were written, to `reader`.
///
/// Of an account that several parts tell of, the last one's summary counts, and each key is told once: what was done to
/// it by any part, else what the last part says, else an attempt that failed. What an earlier part only planned is gone.
///
/// # Errors
/// [`MergeError`], which names the part.
pub fn merge(parts: &[PathBuf], reader: &mut impl PurgeReport) -> Result<Summary, MergeError> {
    let Survey { frames, last, .. } = survey(parts)?;
    let mut summary = whole(parts, &frames)?;
    let several = last.iter().filter(|(_, seen)| seen.several());
    let mut several = Several::of(several.map(|(id, seen)| (id.clone(), seen.last)));
    if !several.is_empty() {
        for (number, path) in parts.iter().enumerate() {
            several.part = number;
            part::read(path, &mut several)?;
        }
    }
    let mut telling = Telling {
        part: 0,
        frames: &frames,
        last,
        several,
        done: HashMap::new(),
        summary: &mut summary,
        stopped: None,
        reader,
    };
    for (number, path) in parts.iter().enumerate() {
        telling.part = number;
        telling.done.clear();
        part::read(path, &mut telling)?;
    }
    let stopped = telling.stopped;
    if let Some(review) = &mut summary.review {
        review.past = frames.last().and_then(|frame| frame.past.clone());
    }
    summary.stopped = frames.last().and_then(|frame| frame.stopped).or(stopped);
    Ok(summary)
}

/// Which accounts a part finished.
///
/// # Errors
/// [`MergeError`], which names the part.
pub fn finished_accounts(part: &Path) -> Result<Finished, MergeError> {
    let mut found = Finished::default();
    part::read(part, &mut found)?;
    Ok(found)
}

impl Listener for Finished {
    const KEYS: bool = false;

    fn key(&mut self, _: KeyRow) -> Result<(), MergeError> {
        Ok(())
    }

    fn account(&mut self, account: AccountSummary) -> Result<(), MergeError> {
        let list = if account.cut_short { &mut self.left } else { &mut self.accounts };
        list.push(account.account);
        Ok(())
    }
}

/// How a part begins: what was asked, and when. Its facts for people are not in a part.
///
/// # Errors
/// [`MergeError`], which names the part.
pub fn opening(part: &Path) -> Result<ReportHeader, MergeError> {
    part::read(part, &mut Finished::default()).map(|frame| frame.header)
}

/// The parts that tell of an account.
#[derive(Default)]
struct Seen {
    /// The number of the last one.
    last: usize,
    /// Those that tell of keys of it: how many, and the number of the last one.
    with_keys: (u32, usize),
}

impl Seen {
    /// Its keys' rows are not all in the part whose word on the account counts. An account that a part did not begin
    /// is no such one.
    fn several(&self) -> bool {
        let (parts, last) = self.with_keys;
        parts > 1 || (parts == 1 && last != self.last)
    }
}

/// What the parts say of themselves, and which accounts are where.
#[derive(Default)]
struct Survey {
    part: usize,
    frames: Vec<Frame>,
    last: HashMap<String, Seen>,
}

impl Listener for Survey {
    const KEYS: bool = false;

    fn key(&mut self, _: KeyRow) -> Result<(), MergeError> {
        Ok(())
    }

    fn account(&mut self, account: AccountSummary) -> Result<(), MergeError> {
        let seen = self.last.entry(account.account).or_default();
        seen.last = self.part;
        if account.keys_evaluated > 0 {
            seen.with_keys = (seen.with_keys.0 + 1, self.part);
        }
        Ok(())
    }
}

fn survey(parts: &[PathBuf]) -> Result<Survey, MergeError> {
    let mut survey = Survey::default();
    for (number, path) in parts.iter().enumerate() {
        survey.part = number;
        let frame = part::read(path, &mut survey)?;
        survey.frames.push(frame);
    }
    // The caller's own account, not begun and so not named yet: another part tells of it under its name.
    if survey.last.len() > 1 {
        survey.last.remove("");
    }
    Ok(survey)
}

/// What the frames say of the whole; accounts are added as they are told.
fn whole(parts: &[PathBuf], frames: &[Frame]) -> Result<Summary, MergeError> {
    let first = frames.first().ok_or(MergeError::Nothing)?;
    let mut summary = Summary {
        applied: first.header.applied,
        started: first.header.started,
        ended: first.ended,
        ..Summary::default()
    };
    for (number, frame) in frames.iter().enumerate() {
        if frame.header.applied != summary.applied {
            let why = if summary.applied { "it is a dry run" } else { "it is no dry run" };
            return Err(MergeError::OtherRun { path: parts[number].display().to_string(), why });
        }
        summary.started = summary.started.min(frame.header.started);
        summary.ended = summary.ended.max(frame.ended);
        // The same was asked again later: what could not be listed then is told there, if it still cannot.
        let again = frames[number + 1..].iter().any(|later| later.header.rules == frame.header.rules);
        if !again {
            summary.skipped.extend(frame.skipped.iter().cloned());
        }
    }
    Ok(summary)
}

/// Tells what counts, part by part.
struct Telling<'a, R> {
    part: usize,
    frames: &'a [Frame],
    last: HashMap<String, Seen>,
    several: Several,
    /// Of this part's accounts.
    done: HashMap<String, Totals>,
    summary: &'a mut Summary,
    /// Why a part stopped that has the last word on an account that it left.
    stopped: Option<Stopped>,
    reader: &'a mut R,
}

impl<R: PurgeReport> Listener for Telling<'_, R> {
    const KEYS: bool = true;

    fn key(&mut self, row: KeyRow) -> Result<(), MergeError> {
        if !self.several.counts(self.part, &row) {
            return Ok(());
        }
        if row.outcome == Outcome::Done {
            self.done.entry(row.account.clone()).or_default().count(row.decision.verb);
        }
        Ok(self.reader.key(&row)?)
    }

    fn account(&mut self, mut account: AccountSummary) -> Result<(), MergeError> {
        if self.last.get(&account.account).is_none_or(|seen| seen.last != self.part) {
            return Ok(());
        }
        if account.cut_short {
            self.stopped = self.stopped.or(self.frames[self.part].stopped);
        }
        account.done = self.done.remove(&account.account).unwrap_or_default();
        self.several.amend(&mut account);
        self.summary.add(&account);
        Ok(self.reader.account(&account)?)
    }
}
