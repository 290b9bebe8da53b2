//! Every reader of one run: people on the screen, and the reports. A run that changes keys goes on only while
//! somebody takes what it tells.

use crate::cli::args::{Output, Purge as Args};
use crate::cli::error::{Exit, Failure};
use crate::cli::purge::notify::Notifier;
use crate::cli::purge::people::{self, People};
use crate::host::console::{err, output_gone};
use crate::host::gauge::TerminalGauge;
use crate::host::report::{ReportHeader, Reports};
use crate::keys::purge::row::{AccountSummary, KeyRow, Outcome, Summary};
use crate::ports::{PurgeReport, ReportError};

pub struct Readers<'a> {
    people: Option<People>,
    reports: Reports,
    notifier: Option<Notifier>,
    /// Its line must make room for people's.
    gauge: Option<&'a TerminalGauge>,
    applied: bool,
}

impl<'a> Readers<'a> {
    /// Opened before anything is called: a report that cannot be written changes nothing.
    pub fn open(
        args: &Args,
        output: Output,
        header: &ReportHeader,
        gauge: Option<&'a TerminalGauge>,
        notifier: Option<Notifier>,
    ) -> Result<Self, Failure> {
        let refused =
            |next: &'static str| move |error: ReportError| Failure::new(Exit::Usage, error.to_string()).hint(next);
        let reports = Reports::create(&args.report, output.json, header)
            .map_err(refused("name another file; nothing was called"))?;
        let people = (!output.json).then(|| People::begin(args.apply, header));
        let readers = Self { people, reports, notifier, gauge, applied: args.apply };
        readers.heard(None).map_err(refused("nothing was called; write a --report"))?;
        Ok(readers)
    }

    /// Ends the reports as whole documents, and hands back what there is to tell people.
    pub fn finish(self, summary: &Summary) -> (Result<(), ReportError>, Option<Notifier>) {
        let written = self.reports.finish(summary);
        if self.people.is_some() {
            match self.gauge {
                Some(gauge) => gauge.aside(|| people::summary(summary)),
                None => people::summary(summary),
            }
        }
        (written, self.notifier)
    }

    fn tell(&mut self, tell: impl FnOnce(&mut People) -> Result<(), ReportError>) -> Result<(), ReportError> {
        match (&mut self.people, self.gauge) {
            (None, _) => Ok(()),
            (Some(people), None) => tell(people),
            (Some(people), Some(gauge)) => gauge.aside(|| tell(people)),
        }
    }

    /// What was changed until it was seen that nobody listens goes to standard error.
    fn heard(&self, row: Option<&KeyRow>) -> Result<(), ReportError> {
        if !self.applied || !output_gone() || self.reports.any_file() {
            return Ok(());
        }
        if let Some(row) = row.filter(|row| row.outcome != Outcome::Planned) {
            err(people::line(row, self.applied));
        }
        Err(ReportError {
            name: "on standard output".to_owned(),
            why: "nobody takes it, and no --report is kept".to_owned(),
        })
    }
}

impl PurgeReport for Readers<'_> {
    fn key(&mut self, row: &KeyRow) -> Result<(), ReportError> {
        self.tell(|people| people.key(row))?;
        let told = self.reports.key(row);
        let told = told.and(self.notifier.as_mut().map_or(Ok(()), |notifier| notifier.key(row)));
        self.heard(Some(row)).and(told)
    }

    fn account(&mut self, account: &AccountSummary) -> Result<(), ReportError> {
        self.tell(|people| people.account(account))?;
        let told = self.reports.account(account);
        let told = told.and(self.notifier.as_mut().map_or(Ok(()), |notifier| notifier.account(account)));
        self.heard(None).and(told)
    }
}
