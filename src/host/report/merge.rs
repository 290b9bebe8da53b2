//! The parts of one run, read back and told as a whole.
//!
//! A part is the JSON report of one invocation. Nothing here may decide anything about a key.

use std::path::{Path, PathBuf};

use super::ReportHeader;
use crate::keys::purge::row::Summary;
use crate::ports::{PurgeReport, ReportError};

/// Why parts are no whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    #[error("{path}: it cannot be read: {why}")]
    Unread { path: String, why: String },
    #[error("{path}: it ends before its end: the invocation that wrote it was cut off")]
    CutOff { path: String },
    #[error("{path}: it is version {version}, and this program knows {known}: a newer keyrot-me wrote it")]
    Version { path: String, version: u64, known: u32 },
    #[error("{path}, line {line}: it is no report of keyrot-me purge: {why}")]
    NotOurs { path: String, line: usize, why: String },
    #[error("{path}: it is of another run than the first part: {why}")]
    OtherRun { path: String, why: String },
    /// Who was told did not take it.
    #[error(transparent)]
    Told(#[from] ReportError),
}

/// What a part says of its accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finished {
    /// Looked at to their ends, whole or not; those that are no part of the purge, too.
    pub accounts: Vec<String>,
    /// Not looked at, or not to the end, since the run ended before.
    pub left: Vec<String>,
}

/// Tells the whole of `parts`, which stand in the order in which they were written, to `reader`.
///
/// # Errors
/// [`MergeError`], which names the part.
pub fn merge(parts: &[PathBuf], reader: &mut impl PurgeReport) -> Result<Summary, MergeError> {
    let _ = (parts, reader);
    Ok(Summary::default())
}

/// Which accounts a part finished.
///
/// # Errors
/// [`MergeError`], which names the part.
pub fn finished_accounts(part: &Path) -> Result<Finished, MergeError> {
    let _ = part;
    Ok(Finished::default())
}

/// How a part begins: what was asked, and when. Its facts for people are not in a part.
///
/// # Errors
/// [`MergeError`], which names the part.
pub fn opening(part: &Path) -> Result<ReportHeader, MergeError> {
    let why = "not there yet".to_owned();
    Err(MergeError::Unread { path: part.display().to_string(), why })
}
