//! `--history`: read before anything is called, told to the review, and one line longer when the run is finished.

use std::path::Path;

use crate::cli::args::Purge as Args;
use crate::cli::error::{Exit, Failure};
use crate::host::console::err;
use crate::host::history::{self, History, HistoryError, Line};
use crate::keys::purge::row::Summary;
use crate::runner::purge::Ended;

/// The lines of earlier runs.
pub struct Kept<'a> {
    path: &'a Path,
    lines: Vec<Line>,
    review: bool,
}

impl<'a> Kept<'a> {
    /// `None` without `--history`.
    ///
    /// # Errors
    /// [`Failure`] with [`Exit::Usage`] for a file that is no history, or could not be added to.
    pub fn read(args: &'a Args) -> Result<Option<Self>, Failure> {
        let Some(path) = args.history.as_deref() else { return Ok(None) };
        let refused = |error: HistoryError| {
            Failure::new(Exit::Usage, error.to_string())
                .hint("name another --history, or mend this one; nothing was called")
        };
        let History { lines, torn } = history::read(path).map_err(refused)?;
        history::prove(path).map_err(refused)?;
        if torn > 0 {
            err(format_args!(
                "note: {}: its last line was cut off when a run was killed; it does not count, and goes",
                path.display()
            ));
        }
        Ok(Some(Self { path, lines, review: args.report_only }))
    }

    /// What the review says of earlier runs.
    pub fn tell(&self, summary: &mut Summary) {
        let this = Line::of(summary, self.review);
        if let Some(review) = &mut summary.review {
            review.remember(&self.lines, &this);
        }
    }

    /// Adds this run, where it was finished.
    ///
    /// # Errors
    /// [`Failure`]: the run is as it was told, and the next trend is without it.
    pub fn add(&self, ended: &Ended) -> Result<(), Failure> {
        let finished = ended.summary.stopped.is_none() && ended.sign_in.is_none() && ended.report.is_none();
        if !finished {
            return Ok(());
        }
        let added = history::append(self.path, &Line::of(&ended.summary, self.review));
        added.map(drop).map_err(|error| {
            Failure::new(Exit::Incomplete, format!("this run is not in the history: {error}"))
                .hint("the run itself is as it was told; the next trend is without it")
        })
    }
}
