//! Made-up runs and keys of every kind, with which templates are tried.
//!
//! Words and numbers alone; no real account is in them.

use chrono::TimeDelta;

use super::{Besides, HeldBack, LetterView, SummaryView, TicketView};
use crate::keys::facts::{KeyId, Time};
use crate::keys::notice::gather::Incomplete;
use crate::keys::notice::letters::{Batch, Held};
use crate::keys::notice::told::{Event, Told};
use crate::keys::purge::Verb;
use crate::keys::purge::row::{CapHit, Stopped, Summary};

fn told(event: Event, note: Option<&str>) -> Option<Told> {
    let at = Time::from_timestamp(1_800_000_000, 0)?;
    Some(Told {
        account: "111122223333".to_owned(),
        user: "example".to_owned(),
        key: KeyId::new("AKIAEXAMPLE000000001").ok()?,
        created: at - TimeDelta::days(9),
        age: TimeDelta::days(9),
        event,
        at,
        then: (event != Event::Deleted).then_some(at + TimeDelta::days(7)),
        note: note.map(str::to_owned),
    })
}

fn every_kind() -> impl Iterator<Item = Told> {
    Event::ALL.into_iter().flat_map(|event| [told(event, None), told(event, Some("an example"))]).flatten()
}

impl LetterView {
    /// To an owner and to the team, with and without keys.
    pub fn examples() -> Vec<Self> {
        let mut batch = Batch::default();
        every_kind().for_each(|told| batch.add(told, None));
        let mut orphans = Batch { keys: Vec::new(), more: 3 };
        every_kind().for_each(|told| orphans.add(told, Some("no owner's address is known".to_owned())));
        let held = HeldBack { letters: Some(Held { owners: 90, keys: 120 }), tickets: 80, limit: 50 };
        let contact = "security@example.com";
        vec![
            Self::to_owner(&batch, contact),
            Self::to_team(&orphans, &HeldBack::default(), contact),
            Self::to_team(&Batch::default(), &held, contact),
        ]
    }
}

impl TicketView {
    pub fn examples() -> Vec<Self> {
        every_kind().filter(|told| told.event != Event::Warned).map(|told| Self::of(&told)).collect()
    }
}

impl SummaryView {
    /// A dry run, a review, and a run that met everything there is.
    pub fn examples() -> Vec<Self> {
        let nothing = HeldBack::default();
        let quiet = |review| Besides { review, incomplete: &[], capped: &[], held: &nothing, problems: &[] };
        let mut met = Summary { applied: true, accounts: 9, accounts_incomplete: 1, ..Summary::default() };
        met.accounts_capped = 1;
        met.stopped = Some(Stopped::OutOfTime);
        for verb in Verb::ALL {
            met.totals.count(verb);
            met.totals.count(verb);
            met.done.count(verb);
        }
        let incomplete = [Incomplete {
            account: "111122223333".to_owned(),
            name: "example".to_owned(),
            what: "user/example: AccessDenied".to_owned(),
            more: 1,
        }];
        let capped = [("444455556666".to_owned(), CapHit { affected: 30, allowed: 10, scanned: 40 })];
        let held = HeldBack { letters: Some(Held { owners: 90, keys: 120 }), tickets: 80, limit: 50 };
        let problems = ["ses: an example".to_owned()];
        let besides =
            Besides { review: false, incomplete: &incomplete, capped: &capped, held: &held, problems: &problems };
        vec![
            Self::of(&Summary::default(), &quiet(false)),
            Self::of(&Summary::default(), &quiet(true)),
            Self::of(&met, &besides),
        ]
    }
}
