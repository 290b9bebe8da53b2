//! What the run tells while it goes on: rows to the report, sums to the summary, progress to the gauge.
//!
//! A report that fails stops the run: nothing may be done that is not on record.

use std::cell::RefCell;

use super::calls::Brakes;
use crate::keys::purge::row::{AccountSummary, KeyRow, Outcome, Summary};
use crate::ports::{CallError, Clock, Gauge, Progress, PurgeReport, ReportError};

/// Shared by all accounts of a run.
pub struct Teller<'a, R, G, C> {
    report: RefCell<&'a mut R>,
    gauge: &'a G,
    brakes: &'a Brakes<'a, C>,
    summary: RefCell<Summary>,
    progress: RefCell<Progress>,
    failed: RefCell<Option<ReportError>>,
    signed_out: RefCell<Option<CallError>>,
}

impl<'a, R: PurgeReport, G: Gauge, C: Clock> Teller<'a, R, G, C> {
    pub fn new(report: &'a mut R, gauge: &'a G, brakes: &'a Brakes<'a, C>, summary: Summary) -> Self {
        Self {
            report: RefCell::new(report),
            gauge,
            brakes,
            summary: RefCell::new(summary),
            progress: RefCell::default(),
            failed: RefCell::default(),
            signed_out: RefCell::default(),
        }
    }

    /// A key to which nothing more happens.
    pub fn key(&self, row: &KeyRow, account: &mut AccountSummary) {
        account.totals.count(row.decision.verb);
        if row.outcome == Outcome::Done {
            account.done.count(row.decision.verb);
        }
        self.took(self.report.borrow_mut().key(row));
    }

    /// An account that ended.
    pub fn account(&self, account: &AccountSummary) {
        self.summary.borrow_mut().add(account);
        self.took(self.report.borrow_mut().account(account));
        self.progressed(|progress| progress.accounts_done += 1);
    }

    pub fn progressed(&self, change: impl FnOnce(&mut Progress)) {
        let mut progress = self.progress.borrow_mut();
        change(&mut progress);
        self.gauge.show(&progress);
    }

    /// The whole run.
    pub fn summary(&self, change: impl FnOnce(&mut Summary)) {
        change(&mut self.summary.borrow_mut());
    }

    /// The purge's own credentials are not accepted.
    pub fn signed_out(&self, error: CallError) {
        self.signed_out.borrow_mut().get_or_insert(error);
    }

    /// The sums; the report that failed and the credentials that were refused, where one was.
    pub fn end(self) -> (Summary, Option<ReportError>, Option<CallError>) {
        (self.summary.into_inner(), self.failed.into_inner(), self.signed_out.into_inner())
    }

    fn took(&self, told: Result<(), ReportError>) {
        if let Err(error) = told {
            self.failed.borrow_mut().get_or_insert(error);
            self.brakes.unreported.set(true);
        }
    }
}
