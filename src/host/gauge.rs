//! How far a purge is, on the terminal.

use crate::ports::{Gauge, Progress};

/// On standard error.
#[derive(Debug)]
pub struct TerminalGauge;

impl TerminalGauge {
    #[must_use]
    pub fn new(_quiet: bool) -> Self {
        Self
    }

    pub fn finish(&self) {}
}

impl Gauge for TerminalGauge {
    fn show(&self, _: &Progress) {}
}
