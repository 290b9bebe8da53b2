//! Which rows are told, and when.

use super::*;
use crate::keys::facts::{KeyId, Status, Time};
use crate::keys::purge::row::{Outcome, Skipped};
use crate::keys::purge::{Decision, Rule, UserFacts, Verb};

fn now() -> Time {
    "2026-11-20T23:55:00Z".parse().unwrap()
}

fn row(account: &str, user: &str, verb: Verb, outcome: Outcome) -> KeyRow {
    KeyRow {
        account: account.to_owned(),
        user: UserFacts { name: user.to_owned(), id: format!("AIDA{user}") },
        key: KeyId::new("AKIAEXAMPLE000000001").unwrap(),
        status: Status::Active,
        created: now() - TimeDelta::days(9),
        age: TimeDelta::days(9),
        last_used: None,
        contact: None,
        decision: Decision { until: Some(now() + TimeDelta::days(1)), ..Decision::new(verb, Rule::OverAge) },
        outcome,
        request_id: None,
        at: now(),
    }
}

fn gathered(applied: bool) -> Gathered {
    let owners = Owners { template: Some("{user}@example.com".to_owned()), ..Owners::default() };
    Gathered::new(Asked { applied, owners, most: 50, grace: TimeDelta::days(7) })
}

fn ended(account: &str, cut_short: bool) -> AccountSummary {
    let skipped = cut_short.then(|| Skipped { what: format!("account/{account}"), cause: "time".to_owned() });
    let skipped = skipped.into_iter().collect();
    AccountSummary { account: account.to_owned(), cut_short, skipped, ..AccountSummary::default() }
}

/// Address, and what is told of each key.
fn letters(gathered: Gathered) -> Vec<(String, Vec<Event>)> {
    let of = |(address, batch): (String, crate::keys::notice::letters::Batch)| {
        (address, batch.keys.iter().map(|(told, _)| told.event).collect())
    };
    gathered.letters.into_owners().map(of).collect()
}

#[test]
fn what_was_done_and_what_will_be_is_told_and_no_plan_and_no_failure() {
    let mut all = gathered(true);
    for verb in Verb::ALL {
        for outcome in [Outcome::Planned, Outcome::Done, Outcome::Failed("denied".to_owned())] {
            all.key(&row("1", &format!("{}-{}", verb.as_str(), outcome.as_str()), verb, outcome));
        }
    }
    all.account(&ended("1", false));
    assert_eq!(all.tickets.keys().len(), 2);
    let told = [("delete-done", Event::Deleted), ("disable-done", Event::Disabled)].into_iter();
    let warned = ["warn-done", "warn-failed", "warn-planned"].map(|user| (user, Event::Warned));
    let want: Vec<_> = told.chain(warned).map(|(user, event)| (format!("{user}@example.com"), vec![event])).collect();
    assert_eq!(letters(all), want);
}

#[test]
fn a_dry_run_and_a_review_tell_nobody_of_a_key() {
    let mut all = gathered(false);
    all.key(&row("1", "alice", Verb::Warn, Outcome::Planned));
    all.key(&row("1", "bob", Verb::Disable, Outcome::Done));
    all.account(&ended("1", false));
    assert_eq!((all.tickets.keys().len(), letters(all)), (0, Vec::new()));
}

#[test]
fn warnings_of_an_account_that_was_cut_short_are_left_to_the_next_part() {
    let mut all = gathered(true);
    for account in ["1", "2"] {
        all.key(&row(account, &format!("warned-in-{account}"), Verb::Warn, Outcome::Planned));
        all.key(&row(account, &format!("off-in-{account}"), Verb::Disable, Outcome::Done));
    }
    all.account(&ended("1", true));
    all.account(&ended("2", false));
    let (incomplete, told) = (all.incomplete.clone(), letters(all));
    let told: Vec<_> = told.iter().map(|(address, _)| address.as_str()).collect();
    assert_eq!(told, ["off-in-1@example.com", "off-in-2@example.com", "warned-in-2@example.com"]);
    assert_eq!(incomplete.len(), 1);
    assert_eq!((incomplete[0].what.as_str(), incomplete[0].more), ("account/1: time", 0));
}

#[test]
fn a_disabled_keys_notice_says_when_it_is_deleted_and_its_idempotency_key_is_stable() {
    let told = Told::of(&row("111122223333", "bob", Verb::Disable, Outcome::Done), TimeDelta::days(7)).unwrap();
    assert_eq!(told.then, Some(now() + TimeDelta::days(7)));
    assert_eq!(told.idempotency_key(), "111122223333/AKIAEXAMPLE000000001/disable/2026-11-20");
    let again = Told { at: now() + TimeDelta::seconds(200), ..told.clone() };
    assert_eq!(again.idempotency_key(), told.idempotency_key());
}
