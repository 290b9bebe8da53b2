//! What templates are given: plain values by name, in words where people read them.
//!
//! The names here are the interface of `--notify-templates`: README lists them. Everything that comes from AWS is
//! cleaned here.

use chrono::SecondsFormat;
use serde::Serialize;

use crate::keys::facts::Time;
use crate::keys::notice::gather::Incomplete;
use crate::keys::notice::letters::{Batch, Held};
use crate::keys::notice::told::{Event, Told};
use crate::keys::purge::Verb;
use crate::keys::purge::row::{CapHit, Stopped, Summary};
use crate::keys::words::{duration, when};

mod examples;

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyView {
    pub id: String,
    pub account: String,
    pub user: String,
    pub age: String,
    pub age_seconds: i64,
    pub created: String,
    pub created_rfc3339: String,
    /// `warned`, `disabled` or `deleted`.
    pub event: &'static str,
    pub at: String,
    pub at_rfc3339: String,
    /// Warned: when it is over the limit. Disabled: the earliest that it is deleted.
    pub then: Option<String>,
    pub then_rfc3339: Option<String>,
    pub note: Option<String>,
    /// Why the team gets it, and not its owner.
    pub reason: Option<String>,
}

impl KeyView {
    fn of(told: &Told, reason: Option<&str>) -> Self {
        Self {
            id: told.key.to_string(),
            account: clean(&told.account),
            user: clean(&told.user),
            age: duration(told.age),
            age_seconds: told.age.num_seconds(),
            created: when(told.created),
            created_rfc3339: rfc3339(told.created),
            event: told.event.as_str(),
            at: when(told.at),
            at_rfc3339: rfc3339(told.at),
            then: told.then.map(when),
            then_rfc3339: told.then.map(rfc3339),
            note: told.note.as_deref().map(clean),
            reason: reason.map(clean),
        }
    }
}

/// One mail, to an owner or to the team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own for a template")]
pub struct LetterView {
    pub team: bool,
    /// Like `2 disabled, 1 to be disabled`.
    pub headline: String,
    pub keys: Vec<KeyView>,
    /// Keys that are not listed.
    pub more: u64,
    /// Whether there is a key of each kind among `keys`.
    pub warned: bool,
    pub disabled: bool,
    pub deleted: bool,
    pub held_owners: u64,
    pub held_keys: u64,
    pub held_tickets: u64,
    pub limit: usize,
    /// Whom to ask.
    pub contact: String,
}

impl LetterView {
    #[must_use]
    pub fn to_owner(batch: &Batch, contact: &str) -> Self {
        let of = |event| batch.keys.iter().filter(|(told, _)| told.event == event).count();
        let words = Event::ALL.map(|event| match (of(event), event) {
            (0, _) => String::new(),
            (number, Event::Warned) => format!("{number} to be disabled"),
            (number, event) => format!("{number} {}", event.as_str()),
        });
        Self {
            team: false,
            headline: words.into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(", "),
            keys: batch.keys.iter().map(|(told, reason)| KeyView::of(told, reason.as_deref())).collect(),
            more: batch.more,
            warned: of(Event::Warned) > 0,
            disabled: of(Event::Disabled) > 0,
            deleted: of(Event::Deleted) > 0,
            held_owners: 0,
            held_keys: 0,
            held_tickets: 0,
            limit: 0,
            contact: contact.to_owned(),
        }
    }

    /// What no owner was told, and why.
    #[must_use]
    pub fn to_team(batch: &Batch, held: &HeldBack, contact: &str) -> Self {
        let (held_owners, held_keys) = held.letters.map_or((0, 0), |held| (held.owners, held.keys));
        Self {
            team: true,
            held_owners,
            held_keys,
            held_tickets: held.tickets,
            limit: held.limit,
            ..Self::to_owner(batch, contact)
        }
    }
}

/// What `--notify-limit` held back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeldBack {
    pub letters: Option<Held>,
    pub tickets: u64,
    pub limit: usize,
}

/// One key's ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TicketView {
    pub idempotency_key: String,
    pub title: String,
    pub key: KeyView,
}

impl TicketView {
    #[must_use]
    pub fn of(told: &Told) -> Self {
        let key = KeyView::of(told, None);
        let title = format!("AWS access key {} of {} in account {} was {}", key.id, key.user, key.account, key.event);
        Self { idempotency_key: clean(&told.idempotency_key()), title, key }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TotalView {
    pub word: String,
    pub keys: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IncompleteView {
    pub account: String,
    pub name: String,
    pub what: String,
    pub more: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CapView {
    pub account: String,
    pub affected: u64,
    pub scanned: u64,
    pub allowed: u64,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SummaryView {
    pub applied: bool,
    pub review: bool,
    /// Like `3 disabled, 1 warned, 1 account INCOMPLETE`.
    pub headline: String,
    pub accounts: u64,
    pub accounts_incomplete: u64,
    pub accounts_capped: u64,
    pub users: u64,
    pub keys: u64,
    /// Each decision that some key fell to.
    pub totals: Vec<TotalView>,
    pub stopped: Option<&'static str>,
    /// Why the accounts of the organization are not known.
    pub not_listed: Option<String>,
    /// The first twenty.
    pub incomplete: Vec<IncompleteView>,
    /// The first twenty.
    pub capped: Vec<CapView>,
    pub held_owners: u64,
    pub held_keys: u64,
    pub held_tickets: u64,
    pub limit: usize,
    /// Who was not told, and why.
    pub problems: Vec<String>,
    pub started: String,
    pub ended: String,
    /// The text of `summary.txt`, for `slack.json`.
    pub summary: String,
}

/// What a summary tells besides the sums.
#[derive(Debug, Clone, Copy)]
pub struct Besides<'a> {
    pub review: bool,
    pub incomplete: &'a [Incomplete],
    pub capped: &'a [(String, CapHit)],
    pub held: &'a HeldBack,
    pub problems: &'a [String],
}

impl SummaryView {
    #[must_use]
    pub fn of(summary: &Summary, besides: &Besides<'_>) -> Self {
        let totals = totals(summary);
        let (held_owners, held_keys) = besides.held.letters.map_or((0, 0), |held| (held.owners, held.keys));
        Self {
            applied: summary.applied,
            review: besides.review,
            headline: headline(summary, &totals),
            accounts: summary.accounts,
            accounts_incomplete: summary.accounts_incomplete,
            accounts_capped: summary.accounts_capped,
            users: summary.users_evaluated,
            keys: summary.totals.keys(),
            totals,
            stopped: summary.stopped.map(stopped),
            not_listed: summary.skipped.first().map(|left| clean(&format!("{}: {}", left.what, left.cause))),
            incomplete: besides.incomplete.iter().map(incomplete).collect(),
            capped: besides.capped.iter().map(|(account, cap)| capped(account, *cap)).collect(),
            held_owners,
            held_keys,
            held_tickets: besides.held.tickets,
            limit: besides.held.limit,
            problems: besides.problems.iter().map(|problem| clean(problem)).collect(),
            started: when(summary.started),
            ended: when(summary.ended),
            summary: String::new(),
        }
    }

    /// At most 100 printable ASCII characters, as SNS takes them (API reference, `Publish`, `Subject`).
    #[must_use]
    pub fn subject(&self) -> String {
        let kind = match (self.review, self.applied) {
            (true, _) => " review",
            (false, false) => " DRY RUN",
            (false, true) => "",
        };
        let text = format!("keyrot-me purge{kind}: {}", self.headline);
        text.chars().filter(|letter| matches!(letter, ' '..='~')).take(100).collect()
    }
}

/// Each decision that some key fell to; of those that write, how many were carried out.
fn totals(summary: &Summary) -> Vec<TotalView> {
    let mut all = Vec::new();
    for verb in [Verb::Disable, Verb::Delete, Verb::Warn, Verb::Wait, Verb::Exempt, Verb::Skip, Verb::Keep] {
        let (planned, done) = (summary.totals.of(verb), summary.done.of(verb));
        let writes = matches!(verb, Verb::Disable | Verb::Delete);
        let counts = match (writes, summary.applied) {
            (true, true) => {
                vec![(format!("{}d", verb.as_str()), done), (format!("not {}d", verb.as_str()), planned - done)]
            }
            (true, false) => vec![(format!("to {}", verb.as_str()), planned)],
            (false, _) => vec![(word(verb).to_owned(), planned)],
        };
        all.extend(counts.into_iter().filter(|(_, keys)| *keys > 0).map(|(word, keys)| TotalView { word, keys }));
    }
    all
}

fn word(verb: Verb) -> &'static str {
    match verb {
        Verb::Warn => "near the limit",
        Verb::Wait => "waiting for their grace",
        Verb::Exempt => "exempt",
        Verb::Skip => "left alone",
        Verb::Keep => "kept",
        Verb::Disable | Verb::Delete => verb.as_str(),
    }
}

fn headline(summary: &Summary, totals: &[TotalView]) -> String {
    let quiet = ["kept", "exempt", "waiting for their grace"];
    let telling = totals.iter().filter(|total| !quiet.contains(&total.word.as_str()));
    let mut parts: Vec<String> = telling.map(|total| format!("{} {}", total.keys, total.word)).collect();
    if parts.is_empty() {
        parts.push("nothing to do".to_owned());
    }
    let gaps = [(summary.accounts_incomplete, "INCOMPLETE"), (summary.accounts_capped, "above the cap")];
    let accounts = |number: u64| if number == 1 { "account" } else { "accounts" };
    let gaps = gaps.into_iter().filter(|(number, _)| *number > 0);
    parts.extend(gaps.map(|(number, what)| format!("{number} {} {what}", accounts(number))));
    if !summary.complete() && summary.accounts_incomplete == 0 {
        parts.push("INCOMPLETE".to_owned());
    }
    parts.join(", ")
}

fn stopped(why: Stopped) -> &'static str {
    match why {
        Stopped::Asked => "somebody asked for it",
        Stopped::OutOfTime => "its time was over",
        Stopped::Unreported => "a report could not be written any more",
    }
}

fn incomplete(account: &Incomplete) -> IncompleteView {
    let what = clean(&account.what);
    IncompleteView {
        account: clean(&account.account),
        name: clean(&account.name),
        what: what.chars().take(300).collect(),
        more: account.more,
    }
}

fn capped(account: &str, cap: CapHit) -> CapView {
    CapView { account: clean(account), affected: cap.affected, scanned: cap.scanned, allowed: cap.allowed }
}

fn rfc3339(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Neither a terminal nor a mail's header is steered by it, and no letters run backwards.
pub(super) fn clean(text: &str) -> String {
    let steers = |letter: char| {
        letter.is_control() || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().map(|letter| if steers(letter) { '\u{fffd}' } else { letter }).collect()
}
