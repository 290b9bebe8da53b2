//! Where a report goes: to a temporary file beside its place, renamed over it at the end, or to standard output.
//!
//! The temporary file is its owner's alone (mode 0600): a report names people. Nothing here may know a format.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::host::atomic_file::sync_folder;
use crate::host::console;
use crate::ports::ReportError;

pub enum Target {
    File(Box<Partial>),
    Stdout(BufWriter<Stdout>),
}

/// A report that is not whole yet.
pub struct Partial {
    /// As it was given.
    path: PathBuf,
    /// The file itself, behind every link.
    place: PathBuf,
    out: BufWriter<NamedTempFile>,
}

impl Target {
    /// # Errors
    /// [`ReportError`] where nothing could be put at `path` at the end.
    pub fn file(path: &Path) -> Result<Self, ReportError> {
        let error = |why: String| ReportError { name: path.display().to_string(), why };
        let place = place_of(path).map_err(error)?;
        let out = partial_beside(&place).map_err(|failed| error(cannot_create(&place, &failed)))?;
        Ok(Self::File(Box::new(Partial { path: path.to_owned(), place, out: BufWriter::new(out) })))
    }

    pub fn stdout() -> Self {
        Self::Stdout(BufWriter::new(Stdout))
    }

    pub fn out(&mut self) -> &mut dyn Write {
        match self {
            Self::File(partial) => &mut partial.out,
            Self::Stdout(out) => out,
        }
    }

    /// Where the report will stand.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::File(partial) => partial.place.parent(),
            Self::Stdout(_) => None,
        }
    }

    /// Names that differ in their case alone are the same file on many systems, and a trap on the others.
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(one), Self::File(other)) => {
                let lower = |path: &Path| path.to_string_lossy().to_lowercase();
                lower(&one.place) == lower(&other.place)
            }
            _ => false,
        }
    }

    /// Until the disk has what was written so far: a full one, or a quota, shows here.
    pub fn prove(&mut self) -> io::Result<()> {
        self.out().flush()?;
        match self {
            Self::File(partial) => partial.out.get_ref().as_file().sync_all(),
            Self::Stdout(_) => Ok(()),
        }
    }

    /// Puts the report in its place.
    pub fn finish(mut self) -> Result<(), ReportError> {
        if let Err(error) = self.prove() {
            return Err(self.keep(&error));
        }
        let Self::File(partial) = self else { return Ok(()) };
        let Partial { path, place, out } = *partial;
        let (temp, _) = out.into_parts();
        let named = |why: String| ReportError { name: path.display().to_string(), why };
        if let Err(failed) = temp.persist(&place) {
            let kept = failed.file.keep().map(|(_, kept)| kept);
            return Err(named(with_rest(&failed.error, kept.ok().as_deref())));
        }
        // `place` is absolute: it has a folder.
        place
            .parent()
            .map_or(Ok(()), sync_folder)
            .map_err(|error| named(format!("it was written, but may not survive a power cut: {error}")))
    }

    pub fn error(&self, error: &io::Error) -> ReportError {
        self.named(error.to_string())
    }

    /// The report failed: what there is stays, under the name that the error tells, for it may be the only
    /// record of what was changed.
    pub fn keep(&mut self, error: &io::Error) -> ReportError {
        let kept = match self {
            Self::File(partial) => {
                let temp = partial.out.get_mut();
                temp.disable_cleanup(true);
                Some(temp.path())
            }
            Self::Stdout(_) => None,
        };
        let why = with_rest(error, kept);
        self.named(why)
    }

    fn named(&self, why: String) -> ReportError {
        let name = match self {
            Self::File(partial) => partial.path.display().to_string(),
            Self::Stdout(_) => "on standard output".to_owned(),
        };
        ReportError { name, why }
    }
}

fn with_rest(error: &io::Error, kept: Option<&Path>) -> String {
    match kept {
        Some(kept) => format!("{error}; what there is of it is in {}", kept.display()),
        None => error.to_string(),
    }
}

/// The absolute path behind every link, or why no file can be put there.
fn place_of(path: &Path) -> Result<PathBuf, String> {
    let absolute = std::path::absolute(path).map_err(|error| error.to_string())?;
    let found = match std::fs::symlink_metadata(&absolute) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error.to_string()),
        Ok(found) => Some(found),
    };
    if found.is_none() {
        let folder = absolute.parent().ok_or("it names no file")?;
        let real = folder.canonicalize().map_err(|error| folder_trouble(folder, &error))?;
        return absolute.file_name().map(|name| real.join(name)).ok_or_else(|| "it names no file".to_owned());
    }
    let real = absolute.canonicalize().map_err(|error| format!("it is a link that leads nowhere: {error}"))?;
    let found = std::fs::metadata(&real).map_err(|error| error.to_string())?;
    if found.is_dir() {
        return Err("it is a folder".to_owned());
    }
    if !found.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    if found.permissions().readonly() {
        return Err("there is a file already, and it is write-protected".to_owned());
    }
    // Root is refused nothing by modes, but by an immutable file and a read-only disk.
    let opened = OpenOptions::new().write(true).open(&real);
    opened.map(|_| real).map_err(|error| format!("there is a file already: {error}"))
}

fn folder_trouble(folder: &Path, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => format!("the folder {} does not exist: make it first", folder.display()),
        _ => format!("the folder {}: {error}", folder.display()),
    }
}

fn cannot_create(place: &Path, error: &io::Error) -> String {
    let folder = place.parent().unwrap_or(place);
    // tempfile puts the path into its errors: the system's own words are enough.
    let words = error.raw_os_error().or_else(|| inner_code(error)).map(io::Error::from_raw_os_error);
    format!("no file can be made in {}: {}", folder.display(), words.as_ref().unwrap_or(error))
}

fn inner_code(error: &io::Error) -> Option<i32> {
    let source = std::error::Error::source(error.get_ref()?)?;
    source.downcast_ref::<io::Error>()?.raw_os_error()
}

/// `.purge.json.partial-…` beside `purge.json`, made with `O_EXCL` and mode 0600, as tempfile does by itself.
fn partial_beside(place: &Path) -> io::Result<NamedTempFile> {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let folder = place.parent().ok_or(ErrorKind::NotFound)?;
    tempfile::Builder::new().prefix(&format!(".{name}.partial-")).rand_bytes(6).tempfile_in(folder)
}

/// Standard output whose reader may be gone: what it does not take is `console`'s to tell.
pub struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        console::out_bytes(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
