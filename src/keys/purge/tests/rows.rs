//! What reports are told: sums, words, and the command that undoes a disabling.

use super::fixture::*;
use crate::keys::facts::Status;
use crate::keys::purge::row::{AccountSummary, CapHit, KeyRow, Outcome, Skipped, Stopped, Summary, Totals};
use crate::keys::purge::{Decision, Rule, Verb};

fn row(verb: Verb, outcome: Outcome) -> KeyRow {
    KeyRow {
        account: "123456789012".into(),
        user: user([]).user,
        key: id(1),
        status: Status::Active,
        created: now() - days(6),
        age: days(6),
        last_used: None,
        contact: None,
        decision: Decision::new(verb, Rule::OverAge),
        outcome,
        request_id: None,
        at: now(),
    }
}

fn skipped() -> Skipped {
    Skipped { what: "user/bob".into(), cause: "AccessDenied".into() }
}

fn capped() -> AccountSummary {
    let mut totals = Totals::default();
    for verb in [Verb::Keep, Verb::Disable, Verb::Disable] {
        totals.count(verb);
    }
    AccountSummary {
        users_expected: 5,
        users_evaluated: 5,
        users_exempt: 1,
        totals,
        cap: Some(CapHit { affected: 2, allowed: 0, scanned: 3 }),
        calls: 10,
        throttled: 2,
        ..AccountSummary::default()
    }
}

#[test]
fn only_a_key_that_was_disabled_and_is_still_there_can_be_switched_on_again() {
    let command = "aws iam update-access-key --user-name=alice --access-key-id AKIAEXAMPLE000000001 --status Active";
    assert_eq!(row(Verb::Disable, Outcome::Done).undo().as_deref(), Some(command));
    for (verb, outcome) in [
        (Verb::Disable, Outcome::Planned),
        (Verb::Disable, Outcome::Failed("AccessDenied".into())),
        (Verb::Delete, Outcome::Done),
        (Verb::Wait, Outcome::Done),
    ] {
        assert_eq!(row(verb, outcome).undo(), None, "{verb:?}");
    }
}

#[test]
fn the_words_of_reports_are_the_documented_ones() {
    let results = [Outcome::Planned, Outcome::Done, Outcome::Failed(String::new())];
    assert_eq!(results.map(|outcome| outcome.as_str()), ["planned", "done", "failed"]);
    assert_eq!(Verb::ALL.map(Verb::as_str), ["keep", "warn", "disable", "wait", "delete", "exempt", "skip"]);
}

#[test]
fn totals_count_each_decision_by_itself() {
    for verb in Verb::ALL {
        let mut totals = Totals::default();
        totals.count(verb);
        let mut sum = totals;
        sum.add(&totals);
        for other in Verb::ALL {
            assert_eq!((totals.of(other), sum.of(other)), if other == verb { (1, 2) } else { (0, 0) });
        }
        assert_eq!((totals.keys(), sum.keys()), (1, 2));
    }
}

#[test]
fn an_account_is_complete_without_skips_and_failed_writes() {
    assert!(capped().complete());
    assert!(!AccountSummary { skipped: vec![skipped()], ..capped() }.complete());
    assert!(!AccountSummary { failed: 1, ..capped() }.complete());
}

#[test]
fn the_summary_adds_its_accounts_up() {
    let mut run = Summary::default();
    run.add(&capped());
    assert!(run.complete());
    run.add(&AccountSummary { failed: 3, left: Some("SUSPENDED".into()), cap: None, ..capped() });
    assert!(!run.complete());
    run.add(&AccountSummary { totals: Totals::default(), cap: None, ..capped() });
    assert_eq!((run.accounts, run.accounts_left, run.accounts_incomplete, run.accounts_capped), (3, 1, 1, 1));
    assert_eq!((run.users_expected, run.users_evaluated, run.users_exempt), (15, 15, 3));
    assert_eq!((run.totals.of(Verb::Keep), run.totals.of(Verb::Disable), run.totals.keys()), (2, 4, 6));
    assert_eq!((run.failed, run.calls, run.throttled), (3, 30, 6));
}

#[test]
fn a_run_that_stopped_or_could_not_list_the_accounts_is_not_complete() {
    assert!(!Summary { skipped: vec![skipped()], ..Summary::default() }.complete());
    for stopped in [Stopped::Asked, Stopped::OutOfTime] {
        assert!(!Summary { stopped: Some(stopped), ..Summary::default() }.complete());
    }
}
