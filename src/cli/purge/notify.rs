//! Notices of one purge: what is worth telling is kept while the run goes on, and sent at its end.
//!
//! Never a secret: a notice holds the account, the user, the key's id and dates.

mod channels;
mod outbox;
mod sending;

use std::cell::Cell;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::Instant;

use crate::aws::estate::AwsEstate;
use crate::aws::post::AwsPost;
use crate::cli::args::Purge as Args;
use crate::cli::error::{Exit, Failure};
use crate::host::notices::Templates;
use crate::host::owner_map;
use crate::keys::facts::Time;
use crate::keys::notice::gather::{Asked, Gathered};
use crate::keys::notice::owner::{Owners, template_problem};
use crate::keys::notice::{Channel, is_address};
use crate::keys::purge::row::{AccountSummary, KeyRow, Summary};
use crate::ports::{Clock, PurgeReport, ReportError};
use crate::runner::purge::{Mode, Settings};
use channels::Channels;
use outbox::Counts;
use sending::Sending;

/// `--notify-limit` where nothing else is said.
const MOST: u32 = 50;
/// Sending goes on so long after the run's deadline: what was written is told by the run that wrote it, and a function
/// that stops half a minute before its end has the time.
const AFTER_DEADLINE: TimeDelta = TimeDelta::seconds(15);
/// And at most so long where there is no deadline.
const LONGEST: TimeDelta = TimeDelta::minutes(5);

/// Whom a notifier tells. A purge in several parts tells owners with each part, and readers of summaries once, at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    Everybody,
    /// Owners by mail, the team of what reached none of them, and tickets.
    Owners,
    /// Summaries alone.
    Readers,
}

/// Takes what the purge tells, and sends it on.
#[derive(Debug)]
pub struct Notifier {
    audience: Audience,
    channels: Channels,
    templates: Templates,
    gathered: Gathered,
    limit: usize,
    team: Option<String>,
    review: bool,
    /// When sending ends, in local time.
    end: Option<Time>,
    /// What went wrong with notices that were sent before.
    earlier: Vec<String>,
    post: Option<AwsPost>,
}

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
    /// [`Failure`] with [`Exit::Usage`].
    pub fn read(args: &Args, settings: &Settings) -> Result<Option<Self>, Failure> {
        let notices = &args.notices;
        let mails = notices.notify.iter().any(|channel| matches!(channel, Channel::Mail { .. }));
        check_owners(args, mails)?;
        let map = notices.owner_map.as_deref().map(owner_map::read).transpose().map_err(|problem| {
            Failure::new(Exit::Usage, problem.to_string()).hint("a line is like: 111122223333,alice,alice@example.com")
        })?;
        if notices.notify.is_empty() {
            return Ok(None);
        }
        let templates = Templates::load(notices.notify_templates.as_deref()).map_err(|problem| {
            Failure::new(Exit::Usage, problem.to_string())
                .hint("mend it, or take it out of the folder: ours is used then")
        })?;
        let limit = usize::try_from(notices.notify_limit.unwrap_or(MOST)).unwrap_or(usize::MAX);
        let owners = Owners { map: map.unwrap_or_default(), template: notices.owner_address.clone() };
        let applied = settings.mode == Mode::Apply;
        Ok(Some(Self {
            audience: Audience::Everybody,
            channels: Channels::read(&notices.notify)?,
            templates,
            gathered: Gathered::new(Asked { applied, owners, most: limit, grace: settings.rules.grace }),
            limit,
            team: notices.team_address.clone(),
            review: settings.mode == Mode::Review,
            end: settings.deadline.map(|deadline| deadline + AFTER_DEADLINE),
            earlier: Vec::new(),
            post: None,
        }))
    }

    /// Tells only these of what [`Self::read`] was asked for; before [`Self::connect`], which then reads no other secrets.
    #[must_use]
    #[cfg_attr(not(feature = "lambda"), expect(dead_code, reason = "the function alone tells them apart"))]
    pub fn only(mut self, audience: Audience) -> Self {
        self.audience = audience;
        match audience {
            Audience::Everybody => {}
            Audience::Owners => {
                self.channels.topics.clear();
                self.channels.chats.clear();
            }
            Audience::Readers => self.channels.tickets.clear(),
        }
        self
    }

    /// Reads the webhooks that are kept in Secrets Manager; the estate's credentials sign everything that is sent.
    ///
    /// # Errors
    /// [`Failure`] with [`Exit::Usage`] for a secret that is refused or holds no webhook. One that cannot be read just now
    /// ends nothing: its notices count as failed.
    pub async fn connect(&mut self, estate: &AwsEstate) -> Result<(), Failure> {
        let post = estate.post();
        Box::pin(self.channels.read_secrets(&post)).await?;
        self.post = Some(post);
        Ok(())
    }

    /// As [`Self::connect`], where keys were touched already: a webhook that is refused is a notice that failed.
    #[cfg(feature = "lambda")]
    pub async fn connect_anyway(&mut self, estate: &AwsEstate) {
        let post = estate.post();
        Box::pin(self.channels.read_what_can_be(&post)).await;
        self.post = Some(post);
    }

    /// Sends until then, in place of 15 s after the run's deadline; in local time.
    #[cfg(feature = "lambda")]
    pub fn ends_at(&mut self, end: Time) {
        self.end = Some(end);
    }

    /// What owners' notices of the same run came to: the summaries tell of it.
    #[cfg(feature = "lambda")]
    pub fn after(&mut self, earlier: &Notified) {
        self.earlier.clone_from(&earlier.problems);
    }

    /// Sends the notices; ends 15 s after the run's deadline at the latest. A channel that fails ends none of the others.
    pub async fn send(self, summary: &Summary, clock: &impl Clock) -> Notified {
        let left = self.end.map_or(LONGEST, |end| end - clock.now());
        let until = Instant::now() + left.min(LONGEST).to_std().unwrap_or(Duration::ZERO);
        let Some(post) = &self.post else { return Notified::default() };
        let sending = Sending {
            audience: self.audience,
            post,
            channels: &self.channels,
            templates: &self.templates,
            team: self.team.as_deref(),
            earlier: &self.earlier,
            until,
            counts: Counts::default(),
            unasked: Cell::new(false),
        };
        Box::pin(sending.all(self.gathered, self.limit, summary, self.review)).await
    }
}

/// Options about owners that contradict each other, or would say nothing. A review tells who has no address, also where
/// nobody is written to.
fn check_owners(args: &Args, mails: bool) -> Result<(), Failure> {
    let notices = &args.notices;
    let refused = |what: String, next: &str| Err(Failure::new(Exit::Usage, what).hint(next));
    let named = [
        (notices.owner_tag.is_some(), "--owner-tag"),
        (notices.owner_address.is_some(), "--owner-address"),
        (notices.owner_map.is_some(), "--owner-map"),
    ];
    let owner = named.iter().find(|(given, _)| *given).map(|(_, option)| *option);
    let team = notices.team_address.as_ref().map(|_| "--team-address");
    match owner.filter(|_| !args.report_only).or(team) {
        Some(option) if !mails => {
            return refused(
                format!("{option} is for mail, and no mail is sent"),
                "add --notify ses:ADDRESS, or leave it out",
            );
        }
        None if mails && !args.report_only => {
            return refused(
                "--notify ses: writes to owners, and nothing says who they are".to_owned(),
                "add --owner-tag, --owner-address or --owner-map, and --team-address for what reaches no owner",
            );
        }
        _ => {}
    }
    if let Some(address) = notices.team_address.as_ref().filter(|address| !is_address(address)) {
        return refused(
            format!("--team-address {address:?} is no mail address"),
            "give one, like security@example.com",
        );
    }
    match notices.owner_address.as_ref().and_then(|template| Some((template, template_problem(template)?))) {
        Some((template, why)) => {
            refused(format!("--owner-address {template:?}: {why}"), "give one like {user}@example.com")
        }
        None => Ok(()),
    }
}

impl PurgeReport for Notifier {
    fn key(&mut self, row: &KeyRow) -> Result<(), ReportError> {
        self.gathered.key(row);
        Ok(())
    }

    fn account(&mut self, account: &AccountSummary) -> Result<(), ReportError> {
        self.gathered.account(account);
        Ok(())
    }
}
