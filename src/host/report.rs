//! The purge's reports: JSON, CSV and one HTML page, written while the purge goes on.
//!
//! What is kept in memory does not grow with the rows: a row goes out as it comes, and what belongs to the end
//! waits in a temporary file. Every report ends as a whole document, also when the purge was stopped. Nothing
//! here may decide anything about a key.

mod csv;
mod html;
mod json;
mod line;
pub mod merge;
mod page;
mod review;
mod spool;
mod target;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use self::csv::CsvDocument;
use self::html::HtmlDocument;
use self::json::JsonDocument;
use self::target::Target;
use crate::keys::facts::Time;
use crate::keys::purge::row::{AccountSummary, KeyRow, Outcome, Summary};
use crate::ports::{PurgeReport, ReportError};

/// What is known before the first key: what was asked, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportHeader {
    /// False: a dry run.
    pub applied: bool,
    /// In the service's time.
    pub started: Time,
    /// The rules for people: label and value, in the order in which they are shown.
    pub facts: Vec<(String, String)>,
    /// The rules for programs: groups, limits in seconds, and so on.
    pub rules: Map<String, Value>,
}

/// A format. What it keeps between the calls does not grow with the keys.
trait Document {
    fn key(&mut self, out: &mut dyn Write, row: &KeyRow) -> io::Result<()>;
    fn account(&mut self, out: &mut dyn Write, account: &AccountSummary) -> io::Result<()>;
    fn end(&mut self, out: &mut dyn Write, summary: &Summary) -> io::Result<()>;
}

type Opened = Box<dyn Document + Send>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
    Html,
}

impl Format {
    const ALL: [(&'static str, Self); 3] = [("json", Self::Json), ("csv", Self::Csv), ("html", Self::Html)];

    fn of(path: &Path) -> Result<Self, ReportError> {
        let end = path.extension().unwrap_or_default().to_string_lossy();
        let found = Self::ALL.iter().find(|(name, _)| end.eq_ignore_ascii_case(name));
        found.map(|(_, format)| *format).ok_or_else(|| ReportError {
            name: path.display().to_string(),
            why: "its name must end in .json, .csv or .html".to_owned(),
        })
    }

    /// Writes what comes before the first key. What must wait does so beside the report.
    fn begin(self, target: &mut Target, header: &ReportHeader, others: &[String]) -> io::Result<Opened> {
        let folder = target.folder().map(Path::to_owned);
        let (out, folder) = (target.out(), folder.as_deref());
        Ok(match self {
            Self::Json => Box::new(JsonDocument::begin(out, header, folder)?),
            Self::Csv => Box::new(CsvDocument::begin(out, header)?),
            Self::Html => Box::new(HtmlDocument::begin(out, header, others, folder)?),
        })
    }
}

/// One report on its way. Dropped before its end it leaves nothing behind.
pub struct ReportFile {
    document: Opened,
    target: Target,
    /// After it nothing more is written.
    failed: Option<ReportError>,
}

impl ReportFile {
    /// Begins the report that will stand at `path`, in the format that its extension names: `.json`, `.csv` or
    /// `.html`, in any case. What stands there already is replaced at the end, and not before.
    ///
    /// # Errors
    /// [`ReportError`] for another extension, and wherever the report could not be written: a folder that is
    /// missing, full or read-only, or something at `path` that is no writable file.
    pub fn create(path: &Path, header: &ReportHeader) -> Result<Self, ReportError> {
        Self::beside(&[], path, header)
    }

    /// `others` are the run's other reports: a page says where else its rows are.
    fn beside(others: &[String], path: &Path, header: &ReportHeader) -> Result<Self, ReportError> {
        let format = Format::of(path)?;
        Self::begin(Target::file(path)?, format, header, others)
    }

    fn begin(
        mut target: Target,
        format: Format,
        header: &ReportHeader,
        others: &[String],
    ) -> Result<Self, ReportError> {
        let document = format.begin(&mut target, header, others);
        match document.and_then(|document| target.prove().map(|()| document)) {
            Ok(document) => Ok(Self { document, target, failed: None }),
            Err(error) => Err(target.error(&error)),
        }
    }

    /// Ends the document and puts it in its place, durably.
    ///
    /// # Errors
    /// [`ReportError`], which names the file that holds what could be written.
    pub fn finish(mut self, summary: &Summary) -> Result<(), ReportError> {
        self.write(|document, out| document.end(out, summary))?;
        self.target.finish()
    }

    fn write(
        &mut self,
        step: impl FnOnce(&mut dyn Document, &mut dyn Write) -> io::Result<()>,
    ) -> Result<(), ReportError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        step(&mut *self.document, self.target.out()).map_err(|error| {
            let error = self.target.keep(&error);
            self.failed = Some(error.clone());
            error
        })
    }
}

impl PurgeReport for ReportFile {
    fn key(&mut self, row: &KeyRow) -> Result<(), ReportError> {
        self.write(|document, out| {
            document.key(out, row)?;
            // What was changed must be found on the disk though this process be killed.
            if row.outcome == Outcome::Planned { Ok(()) } else { out.flush() }
        })
    }

    fn account(&mut self, account: &AccountSummary) -> Result<(), ReportError> {
        self.write(|document, out| document.account(out, account))
    }
}

/// The names of those among `paths` that hold every row without a browser.
fn tables(paths: &[PathBuf]) -> Vec<String> {
    let is_table = |path: &&PathBuf| Format::of(path).is_ok_and(|format| format != Format::Html);
    let names = paths.iter().filter(is_table).filter_map(|path| path.file_name());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

/// All reports of one purge. One that fails does not end the others: they take what still happens.
#[derive(Default)]
pub struct Reports {
    open: Vec<ReportFile>,
    /// The first that failed.
    failed: Option<ReportError>,
}

impl Reports {
    /// Begins a report at each of `paths`, and with `json_to_stdout` one on standard output. A reader of
    /// standard output that goes away ends nothing.
    ///
    /// # Errors
    /// As [`ReportFile::create`], and where two of `paths` are the same file; nothing has been written then,
    /// not even to standard output.
    pub fn create(paths: &[PathBuf], json_to_stdout: bool, header: &ReportHeader) -> Result<Self, ReportError> {
        let mut open: Vec<ReportFile> = Vec::with_capacity(paths.len() + 1);
        for path in paths {
            let file = ReportFile::beside(&tables(paths), path, header)?;
            if open.iter().any(|other| other.target.is_same_as(&file.target)) {
                let why = "another --report names the same file".to_owned();
                return Err(ReportError { name: path.display().to_string(), why });
            }
            open.push(file);
        }
        if json_to_stdout {
            open.push(ReportFile::begin(Target::stdout(), Format::Json, header, &[])?);
        }
        Ok(Self { open, failed: None })
    }

    /// True where a report in a file takes what is told.
    #[must_use]
    pub fn any_file(&self) -> bool {
        self.open.iter().any(|report| matches!(report.target, Target::File(_)))
    }

    /// Ends all of them; also to be called after an error, with what was done until then.
    ///
    /// # Errors
    /// [`ReportError`] of the first that failed, now or before.
    pub fn finish(self, summary: &Summary) -> Result<(), ReportError> {
        let mut failed = self.failed;
        for report in self.open {
            let ended = report.finish(summary);
            failed = failed.or(ended.err());
        }
        failed.map_or(Ok(()), Err)
    }

    fn each(&mut self, tell: impl Fn(&mut ReportFile) -> Result<(), ReportError>) -> Result<(), ReportError> {
        let mut new = None;
        self.open.retain_mut(|report| match tell(report) {
            Ok(()) => true,
            Err(error) => {
                new.get_or_insert(error);
                false
            }
        });
        let Some(error) = new else { return Ok(()) };
        self.failed.get_or_insert_with(|| error.clone());
        Err(error)
    }
}

impl PurgeReport for Reports {
    fn key(&mut self, row: &KeyRow) -> Result<(), ReportError> {
        self.each(|report| report.key(row))
    }

    fn account(&mut self, account: &AccountSummary) -> Result<(), ReportError> {
        self.each(|report| report.account(account))
    }
}
