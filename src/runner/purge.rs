//! The purge over accounts: which ones, each scanned, capped and acted upon, and what is told of it.
//!
//! Observes through `ports` and asks `keys::purge`; it decides nothing about a key itself. No adapter is
//! named here.

use chrono::TimeDelta;
use futures_util::stream::{self, StreamExt};

use self::accounts::{Target, Targets, Way};
use self::calls::{Brakes, Calls};
use self::scan::Account;
use self::teller::Teller;
use crate::keys::facts::{Identity, Time};
use crate::keys::purge::Rules;
use crate::keys::purge::review::Question;
use crate::keys::purge::row::{AccountSummary, Skipped, Stopped, Summary};
use crate::ports::{CallError, Cause, Clock, Directory, Estate, Gauge, MemberAccount, PurgeReport, ReportError};

mod account;
mod accounts;
mod act;
mod calls;
pub mod explain;
pub mod pace;
mod scan;
mod teller;
mod writes;

/// Calls of all accounts that may be in flight together: each is a connection with its buffers.
const MOST_IN_FLIGHT: usize = 64;
/// Held back until the account's id is known from an answer.
const UNKNOWN_ACCOUNT: &str = "unknown";

/// Whose keys are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Users {
    All,
    /// Members of any of these groups, each user once.
    Groups(Vec<String>),
}

/// In which accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The caller's own, with its own credentials; through the role where one is named.
    Own,
    /// These; the caller's own without a role where none is named.
    Accounts(Vec<String>),
    /// All active accounts of the organization, or of these units and the units below them.
    Organization { units: Vec<String> },
    /// What [`Purge::accounts`] found: nothing is listed again.
    Listed(Vec<MemberAccount>),
}

/// Whether anything is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    DryRun,
    Apply,
    /// Nothing is changed, and members of exempt groups are looked at too: what `--report-only` tells.
    Review,
}

impl Mode {
    /// True where keys are touched.
    #[must_use]
    pub fn writes(self) -> bool {
        self == Self::Apply
    }
}

/// What one purge is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub scope: Scope,
    pub users: Users,
    /// Members of any of these are spared.
    pub exempt_groups: Vec<String>,
    pub rules: Rules,
    pub mode: Mode,
    /// A report wants the last use of every over-age key.
    pub report_last_use: bool,
    /// A group without members is no gap in the coverage, nor is an organization or unit without accounts.
    pub allow_empty: bool,
    /// The user tag that names a key's owner. With [`Mode::Apply`] tags are read of every user whose keys a notice is due
    /// about, with [`Mode::Review`] of every user with keys; a dry run tells no owner.
    pub owner_tag: Option<String>,
    /// Of the accounts in `scope` only these, each of which must be there; empty: all.
    pub only: Vec<String>,
    /// What a review is asked, with [`Mode::Review`].
    pub review: Option<Question>,
    /// Accounts that an earlier part of this run finished: not looked at again, not counted.
    pub finished: Vec<String>,
    /// The name of the role to assume in each account.
    pub role: Option<String>,
    pub external_id: Option<String>,
    /// In local time: after it nothing new is begun.
    pub deadline: Option<Time>,
    /// How many accounts are worked on at once.
    pub accounts_at_once: usize,
    /// How long throttled calls of one account are repeated without a single success.
    pub patience: TimeDelta,
}

/// How a purge ended.
#[derive(Debug)]
pub struct Ended {
    pub summary: Summary,
    /// A report that could not be written: the run stopped there.
    pub report: Option<ReportError>,
    /// The purge's own credentials are not accepted, maybe since the clock is off.
    pub sign_in: Option<CallError>,
    /// The accounts could not be listed for a cause that passes: nothing was looked at, and the same asked again may do.
    pub not_listed: Option<CallError>,
    /// Service time minus local time.
    pub clock_offset: Option<TimeDelta>,
}

/// One purge.
pub struct Purge<'a, E, C> {
    pub estate: &'a E,
    pub clock: &'a C,
    pub settings: &'a Settings,
}

impl<E: Estate, C: Clock> Purge<'_, E, C> {
    /// Runs to the end, to a stop, or to a report that fails.
    pub async fn run<R: PurgeReport, G: Gauge>(&self, report: &mut R, gauge: &G) -> Ended {
        let brakes = self.brakes();
        let summary =
            Summary { applied: self.settings.mode == Mode::Apply, started: self.clock.now(), ..Summary::default() };
        let teller = Teller::new(report, gauge, &brakes, summary);
        let mut not_listed = None;
        match self.targets(&brakes).await {
            Ok(Targets { list: targets, empty, missing, identity }) => {
                if empty && !self.settings.allow_empty {
                    teller.summary(|summary| summary.skipped.push(accounts::none_there()));
                }
                teller.progressed(|progress| progress.accounts = targets.len() as u64);
                for id in &missing {
                    teller.account(&accounts::not_there(id));
                }
                let all = targets.into_iter().map(|target| self.account(target, identity.as_ref(), &brakes, &teller));
                let mut all = stream::iter(all).buffer_unordered(self.settings.accounts_at_once);
                while all.next().await.is_some() {}
            }
            Err(error) => {
                let skipped = Skipped { what: "organization".to_owned(), cause: error.to_string() };
                teller.summary(|summary| summary.skipped.push(skipped));
                if calls::signs_nothing(&error) {
                    teller.signed_out(error);
                } else if accounts::passes(&error) {
                    not_listed = Some(error);
                }
            }
        }
        teller.summary(|summary| {
            summary.stopped = brakes.stopped().filter(|why| *why == Stopped::Unreported || !summary.complete());
            // The start, too, in the service's time: what it is was not known then.
            summary.started += self.estate.clock_offset().unwrap_or_default();
            summary.ended = self.service_now();
        });
        let (summary, report, sign_in) = teller.end();
        Ended { summary, report, sign_in, not_listed, clock_offset: self.estate.clock_offset() }
    }

    fn brakes(&self) -> Brakes<'_, C> {
        Brakes::new(self.clock, self.settings.deadline, MOST_IN_FLIGHT)
    }

    /// Local time, set right by what the service's answers said.
    fn service_now(&self) -> Time {
        self.clock.now() + self.estate.clock_offset().unwrap_or_default()
    }

    /// One account, from its door to its end.
    async fn account<R: PurgeReport, G: Gauge>(
        &self,
        target: Target,
        identity: Option<&Identity>,
        brakes: &Brakes<'_, C>,
        teller: &Teller<'_, R, G, C>,
    ) {
        let mut summary = AccountSummary {
            account: target.id.clone().unwrap_or_default(),
            name: target.name.clone(),
            ..AccountSummary::default()
        };
        if let Some(why) = brakes.stopped() {
            summary.cut_short = true;
            summary.skipped.push(account::not_begun(&summary.account, why));
        } else if let Some(left) = &target.left {
            summary.left = Some(left.clone());
        } else {
            match self.open(&target, brakes).await {
                Ok(directory) => {
                    let broken = self.in_account(&directory, identity, brakes, &mut summary, teller).await;
                    let own = matches!(target.way, Way::Own);
                    if let Some(error) = broken.filter(|error| own && calls::signs_nothing(error)) {
                        summary.cut_short = true;
                        teller.signed_out(error);
                    }
                }
                Err(error) => {
                    self.not_opened(&target, &error, brakes, &mut summary).await;
                    if calls::signs_nothing(&error) {
                        summary.cut_short = true;
                        teller.signed_out(error);
                    }
                }
            }
        }
        teller.account(&summary);
    }

    /// Answers the error after which the account was given up.
    async fn in_account<R: PurgeReport, G: Gauge>(
        &self,
        directory: &E::Account,
        identity: Option<&Identity>,
        brakes: &Brakes<'_, C>,
        summary: &mut AccountSummary,
        teller: &Teller<'_, R, G, C>,
    ) -> Option<CallError> {
        let service_now = || self.service_now();
        let calls = Calls::new(directory, brakes, self.settings.patience);
        let rules = self.rules_in(&summary.account, identity);
        let mut account =
            Account { id: summary.account.clone(), calls, settings: self.settings, rules, service_now: &service_now };
        let members = account.members(summary).await;
        if account.id.is_empty() {
            // The account is named by the first answer that shows an ARN; an empty one costs a call.
            account.id = match directory.account() {
                Some(id) => id,
                None => self.estate.identity().await.map_or_else(|_| UNKNOWN_ACCOUNT.to_owned(), |it| it.account),
            };
            summary.account.clone_from(&account.id);
        }
        if let Some(members) = members {
            account.purge(members, summary, teller).await;
        }
        (summary.calls, summary.throttled) = account.calls.made();
        account.calls.broken()
    }

    /// A session says whose it is, not which key opened it: in its own account all keys of that user stay.
    fn rules_in(&self, account: &str, identity: Option<&Identity>) -> Rules {
        let mut rules = self.settings.rules.clone();
        let own = identity.filter(|own| own.account == account || account.is_empty());
        rules.own_user =
            own.and_then(|own| own.user().map(str::to_owned)).filter(|_| self.estate.signing_key().is_none());
        rules.own_keys.extend(self.estate.signing_key().filter(|key| !rules.own_keys.contains(key)));
        rules
    }

    async fn open(&self, target: &Target, brakes: &Brakes<'_, C>) -> Result<E::Account, CallError> {
        match &target.way {
            Way::Own => Ok(self.estate.own()),
            Way::Assume(role) => accounts::patiently(brakes, async || self.estate.assume(role).await).await,
        }
    }

    /// The management account has no such role as a rule: it is left out and named, unless it can be assumed.
    async fn not_opened(
        &self,
        target: &Target,
        error: &CallError,
        brakes: &Brakes<'_, C>,
        summary: &mut AccountSummary,
    ) {
        summary.cut_short = accounts::given_up(error, brakes);
        if matches!(error.cause, Cause::AccessDenied | Cause::NotFound) && target.listed {
            let manager = accounts::patiently(brakes, async || self.estate.management_account().await).await;
            summary.cut_short = manager.as_ref().is_err_and(|error| accounts::given_up(error, brakes));
            if manager.ok() == target.id {
                summary.left = Some(format!("the management account, and its role cannot be assumed ({error})"));
                return;
            }
        }
        let what = format!("account/{}", summary.account);
        summary.skipped.push(Skipped { what, cause: format!("{error}; nothing was done in it") });
    }
}
