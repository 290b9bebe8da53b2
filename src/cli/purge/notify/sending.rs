//! Who is sent what, once the run has ended: tickets and owners' mail, then what reached no owner to the team, then the
//! summaries, which tell of all this.
//!
//! Decides nothing about a key. A channel that fails ends none of the others.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures_util::future::join;
use futures_util::stream::{self, StreamExt};
use tokio::time::Instant;

use super::channels::{Channels, Hook};
use super::outbox::{Counts, by, deliver};
use super::{Audience, Notified};
use crate::aws::post::{AwsPost, Mail};
use crate::host::notices::{Besides, HeldBack, Letter, LetterView, SummaryView, Templates, TicketView};
use crate::keys::notice::gather::Gathered;
use crate::keys::notice::letters::{Batch, Letters};
use crate::keys::notice::told::Told;
use crate::keys::purge::row::Summary;

/// On their way at once, of each kind: accounts new to SES may send one a second.
const AT_ONCE: usize = 4;
/// Of the time at the end this is the team's and the summaries': they tell what did not reach anybody else.
const FOR_SUMMARIES: Duration = Duration::from_secs(5);

/// One run's notices on their way.
pub struct Sending<'a> {
    pub audience: Audience,
    pub post: &'a AwsPost,
    pub channels: &'a Channels,
    pub templates: &'a Templates,
    pub team: Option<&'a str>,
    /// Problems of notices that were sent before, for the summaries.
    pub earlier: &'a [String],
    pub until: Instant,
    pub counts: Counts,
    /// Told once: whether SES can be asked for suppressed addresses.
    pub unasked: Cell<bool>,
}

impl Sending<'_> {
    pub async fn all(self, gathered: Gathered, limit: usize, summary: &Summary, review: bool) -> Notified {
        let Gathered { letters, tickets, incomplete, capped, .. } = gathered;
        let mut held = HeldBack { letters: None, tickets: 0, limit };
        if !self.channels.tickets.is_empty() {
            held.tickets = tickets.held();
            self.counts.held(held.tickets * self.channels.tickets.len() as u64);
        }
        let mail = self.channels.mail.as_deref().filter(|_| self.audience != Audience::Readers);
        if mail.is_some() {
            held.letters = letters.held();
            self.counts.held(held.letters.map_or(0, |held| held.owners));
        }
        let early = self.until.checked_sub(FOR_SUMMARIES).unwrap_or(self.until);
        let ((), undelivered) = join(self.tickets(tickets.keys(), early), self.owners(mail, letters, early)).await;
        if let Some(from) = mail {
            self.team(from, &undelivered, &held).await;
        }
        let problems = [self.earlier, &self.counts.problems()].concat();
        let besides = Besides { review, incomplete: &incomplete, capped: &capped, held: &held, problems: &problems };
        if self.audience != Audience::Owners {
            self.summaries(&SummaryView::of(summary, &besides)).await;
        }
        self.say_held(&held);
        self.counts.end()
    }

    /// Where there is neither a team nor a summary, this is all that tells of it.
    fn say_held(&self, held: &HeldBack) {
        let next = format!("more than --notify-limit {}: raise it where they should be", held.limit);
        if let Some(letters) = held.letters {
            let (owners, keys) = (letters.owners, letters.keys);
            self.counts.problem(format!("{owners} owners of {keys} keys were not written to, {next}"));
        }
        if held.tickets > 0 {
            self.counts.problem(format!("{} tickets were not opened, {next}", held.tickets));
        }
    }

    /// One for each key and each system.
    async fn tickets(&self, keys: &[Told], until: Instant) {
        let all = self.channels.tickets.iter().flat_map(|hook| keys.iter().map(move |told| (hook, told)));
        stream::iter(all).for_each_concurrent(AT_ONCE, |(hook, told)| self.ticket(hook, told, until)).await;
    }

    async fn ticket(&self, hook: &Hook, told: &Told, until: Instant) {
        let key = told.idempotency_key();
        let sent = match self.templates.ticket(&TicketView::of(told)) {
            Ok(json) => by(until, deliver(self.post, hook, &json, Some(&key))).await,
            Err(problem) => Err(problem.to_string()),
        };
        match sent {
            Ok(()) => self.counts.sent(),
            Err(why) => self.counts.failed(1, format!("{}: ticket {key}: {why}", hook.name)),
        }
    }

    /// Answers what did not reach its owner.
    async fn owners(&self, from: Option<&str>, letters: Letters, until: Instant) -> Batch {
        let Some(from) = from else { return Batch::default() };
        let undelivered = RefCell::new(letters.orphans.clone());
        let send = |(address, batch): (String, Batch)| {
            let undelivered = &undelivered;
            async move {
                match self.owner(from, &address, &batch, until).await {
                    Ok(()) => self.counts.sent(),
                    Err(why) => undelivered.borrow_mut().append(batch, Some(&why)),
                }
            }
        };
        stream::iter(letters.into_owners()).for_each_concurrent(AT_ONCE, send).await;
        undelivered.into_inner()
    }

    async fn owner(&self, from: &str, address: &str, batch: &Batch, until: Instant) -> Result<(), String> {
        let view = LetterView::to_owner(batch, self.team.unwrap_or(from));
        let letter = self.templates.letter(&view).map_err(|problem| problem.to_string())?;
        self.refuse_suppressed(address, until).await?;
        self.mail(from, address, &letter, until).await.map_err(|why| format!("mail to {address}: {why}"))
    }

    /// SES takes mail to an address that bounced before, and does not deliver it.
    async fn refuse_suppressed(&self, address: &str, until: Instant) -> Result<(), String> {
        match by(until, self.post.suppressed(address)).await {
            Ok(None) => Ok(()),
            Ok(Some(why)) => {
                let what = if why == "COMPLAINT" { "was complained about" } else { "bounced before" };
                Err(format!("mail to {address} {what} (it is on the suppression list of SES)"))
            }
            Err(why) => {
                if !self.unasked.replace(true) {
                    self.counts.problem(format!("whether mail to an address bounced before is not known: {why}"));
                }
                Ok(())
            }
        }
    }

    async fn mail(&self, from: &str, to: &str, letter: &Letter, until: Instant) -> Result<(), String> {
        let mail = Mail {
            from,
            to,
            reply_to: self.team,
            subject: &letter.subject,
            text: &letter.text,
            html: Some(&letter.html).filter(|html| !html.is_empty()).map(String::as_str),
        };
        by(until, self.post.mail(mail)).await
    }

    /// What reached no owner, in one mail.
    async fn team(&self, from: &str, undelivered: &Batch, held: &HeldBack) {
        if undelivered.is_empty() && held.letters.is_none() && held.tickets == 0 {
            return;
        }
        // What is held back is counted already.
        let failed = undelivered.count();
        let Some(team) = self.team else {
            if let Some((told, reason)) = undelivered.keys.first() {
                let why = reason.as_deref().unwrap_or_default();
                let (account, user, key) = (&told.account, &told.user, &told.key);
                self.counts.failed(
                    failed,
                    format!("{failed} keys' owners were not told, and there is no --team-address: {key} of {user} in {account}: {why}"),
                );
            }
            return;
        };
        let letter = self.templates.letter(&LetterView::to_team(undelivered, held, team));
        let sent = match letter {
            Ok(letter) => match self.refuse_suppressed(team, self.until).await {
                Ok(()) => self.mail(from, team, &letter, self.until).await,
                Err(why) => Err(why),
            },
            Err(problem) => Err(problem.to_string()),
        };
        match sent {
            Ok(()) => self.counts.sent(),
            Err(why) => self.counts.failed(failed.max(1), format!("ses:{from}: the team's mail to {team}: {why}")),
        }
    }

    async fn summaries(&self, view: &SummaryView) {
        let text = self.templates.summary(view).map_err(|problem| problem.to_string());
        for topic in &self.channels.topics {
            let sent = match &text {
                Ok(text) => by(self.until, self.post.publish(topic, &view.subject(), text)).await,
                Err(why) => Err(why.clone()),
            };
            self.count(sent, &format!("sns:{topic}"));
        }
        for hook in &self.channels.chats {
            let sent = match self.templates.slack(view) {
                Ok(json) => by(self.until, deliver(self.post, hook, &json, None)).await,
                Err(problem) => Err(problem.to_string()),
            };
            self.count(sent, &hook.name);
        }
        if let (Some(from), Some(team), false) = (&self.channels.mail, self.team, view.applied) {
            let sent = match text {
                Ok(text) => {
                    let letter = Letter { subject: view.subject(), text, html: String::new() };
                    self.mail(from, team, &letter, self.until).await
                }
                Err(why) => Err(why),
            };
            self.count(sent, &format!("ses:{from}: the summary to {team}"));
        }
    }

    fn count(&self, sent: Result<(), String>, what: &str) {
        match sent {
            Ok(()) => self.counts.sent(),
            Err(why) => self.counts.failed(1, format!("{what}: {why}")),
        }
    }
}
