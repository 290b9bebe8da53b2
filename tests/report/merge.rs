//! The parts of one run as a whole: nothing is lost on the way, nothing is told twice, and what is no part is named.

use std::path::{Path, PathBuf};

use chrono::TimeDelta;

use keyrot_me::host::report::merge::{Finished, MergeError, finished_accounts, merge, opening};
use keyrot_me::host::report::{ReportFile, ReportHeader};
use keyrot_me::keys::purge::row::{AccountSummary, KeyRow, Outcome, Skipped, Stopped, Summary};
use keyrot_me::keys::purge::{Decision, Rule, Totals, UserFacts, Verb};
use keyrot_me::ports::{PurgeReport, ReportError};

use super::rows::{HOSTILE, account, bad_account, header, hostile_row, row, summary, time};

/// One part's file.
pub fn part(path: &Path, keys: &[KeyRow], accounts: &[AccountSummary], summary: &Summary) {
    let header = ReportHeader { applied: summary.applied, ..header() };
    let mut report = ReportFile::create(path, &header).unwrap();
    for key in keys {
        report.key(key).unwrap();
    }
    for account in accounts {
        report.account(account).unwrap();
    }
    report.finish(summary).unwrap();
}

/// What a reader was told.
#[derive(Default)]
struct Heard {
    keys: Vec<KeyRow>,
    accounts: Vec<AccountSummary>,
}

impl PurgeReport for Heard {
    fn key(&mut self, row: &KeyRow) -> Result<(), ReportError> {
        self.keys.push(row.clone());
        Ok(())
    }

    fn account(&mut self, account: &AccountSummary) -> Result<(), ReportError> {
        self.accounts.push(account.clone());
        Ok(())
    }
}

/// Parts of `(rows, accounts, how it ended)`, merged.
fn merged(parts: &[(Vec<KeyRow>, Vec<AccountSummary>, Option<Stopped>)]) -> (Heard, Summary) {
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (number, (keys, accounts, stopped)) in parts.iter().enumerate() {
        let path = folder.path().join(format!("{number:04}.json"));
        part(&path, keys, accounts, &Summary { stopped: *stopped, ..summary(accounts) });
        paths.push(path);
    }
    let mut heard = Heard::default();
    let summary = merge(&paths, &mut heard).unwrap();
    (heard, summary)
}

pub fn written_again(from: &Path) -> (String, String) {
    let to = from.with_file_name("again.json");
    let mut report = ReportFile::create(&to, &opening(from).unwrap()).unwrap();
    let summary = merge(&[from.to_owned()], &mut report).unwrap();
    report.finish(&summary).unwrap();
    (std::fs::read_to_string(from).unwrap(), std::fs::read_to_string(to).unwrap())
}

#[test]
fn every_decision_and_every_gap_is_read_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part.json");
    let keys: Vec<KeyRow> = (0..300).map(row).chain([hostile_row()]).collect();
    let accounts = [account(0), account(1), bad_account(HOSTILE)];
    part(&path, &keys, &accounts, &super::rows::stopped(&accounts));
    let (written, again) = written_again(&path);
    assert_eq!(written, again);
}

/// A key of user `number` of the one account of these tests.
fn key(number: usize, verb: Verb, outcome: Outcome) -> KeyRow {
    let decision = Decision::new(verb, Rule::OverAge);
    let user = UserFacts { name: format!("user-{number}"), id: format!("AIDA{number:016}") };
    KeyRow { account: "111122223333".into(), user, decision, outcome, request_id: None, ..row(number) }
}

fn told(heard: &Heard) -> Vec<(usize, Verb, &'static str)> {
    let number = |row: &KeyRow| row.key.as_str()[11..].parse().unwrap();
    let mut told: Vec<_> =
        heard.keys.iter().map(|row| (number(row), row.decision.verb, row.outcome.as_str())).collect();
    told.sort_unstable();
    told
}

fn one(keys: &[KeyRow], stopped: Option<Stopped>) -> AccountSummary {
    let mut account = AccountSummary {
        account: "111122223333".into(),
        users_expected: 9,
        users_evaluated: 9,
        keys_evaluated: keys.len() as u64,
        calls: 10,
        cut_short: stopped.is_some(),
        ..AccountSummary::default()
    };
    if let Some(why) = stopped {
        account.skipped.push(Skipped { what: "account/111122223333".into(), cause: format!("{why:?}") });
    }
    for key in keys {
        account.totals.count(key.decision.verb);
        account.failed += u64::from(matches!(key.outcome, Outcome::Failed(_)));
        account.census.add_user(std::slice::from_ref(key), TimeDelta::days(1));
    }
    account
}

#[test]
fn a_key_that_two_parts_tell_of_is_told_once_and_as_what_was_done() {
    use Outcome::{Done, Planned};
    let failed = || Outcome::Failed("iam: no".into());
    let first = vec![
        key(1, Verb::Disable, Done),    // waits in the second part
        key(2, Verb::Disable, Planned), // done by the second part
        key(3, Verb::Delete, Done),     // not there any more
        key(4, Verb::Disable, failed()),
        key(5, Verb::Disable, failed()), // not there any more
        key(6, Verb::Disable, Planned),  // not there any more
        key(7, Verb::Keep, Planned),
    ];
    let second = vec![
        key(1, Verb::Wait, Planned),
        key(2, Verb::Disable, Done),
        key(4, Verb::Disable, Done),
        key(7, Verb::Keep, Planned),
        key(8, Verb::Keep, Planned),
    ];
    let before = one(&first, Some(Stopped::OutOfTime));
    let (heard, summary) =
        merged(&[(first, vec![before], Some(Stopped::OutOfTime)), (second.clone(), vec![one(&second, None)], None)]);
    assert_eq!(
        told(&heard),
        [
            (1, Verb::Disable, "done"),
            (2, Verb::Disable, "done"),
            (3, Verb::Delete, "done"),
            (4, Verb::Disable, "done"),
            (5, Verb::Disable, "failed"),
            (7, Verb::Keep, "planned"),
            (8, Verb::Keep, "planned"),
        ]
    );
    let [account] = heard.accounts.as_slice() else { panic!("{:?}", heard.accounts) };
    assert_eq!((account.keys_evaluated, account.totals.keys(), account.failed, account.calls), (7, 7, 1, 20));
    assert_eq!((account.done.of(Verb::Disable), account.done.of(Verb::Delete)), (3, 1));
    assert_eq!((account.census.keys, account.census.users_with_keys), (7, 7));
    assert_eq!(
        account.census.age_seconds,
        heard.keys.iter().map(|row| row.age.num_seconds().cast_unsigned()).sum::<u64>()
    );
    assert_eq!((summary.accounts, summary.done, summary.census), (1, account.done, account.census));
    assert_eq!((summary.stopped, summary.skipped.len(), account.skipped.len()), (None, 0, 0));
    assert!(!summary.complete(), "a write failed and was not made good");
}

#[test]
fn parts_that_each_finish_accounts_are_their_sum() {
    let id = |number: u64| account(number).account;
    let in_account =
        |number: u64| -> Vec<KeyRow> { (0..7).map(|key| KeyRow { account: id(number), ..row(key) }).collect() };
    let whole = |number: u64| AccountSummary { account: id(number), ..one(&in_account(number), None) };
    let left = |number: u64| AccountSummary { account: id(number), ..one(&[], Some(Stopped::OutOfTime)) };
    let (heard, summary) = merged(&[
        (in_account(0), vec![whole(0), left(1), left(2)], Some(Stopped::OutOfTime)),
        (in_account(1), vec![whole(1), left(2)], Some(Stopped::OutOfTime)),
        (in_account(2), vec![whole(2)], None),
    ]);
    assert_eq!(heard.keys, [in_account(0), in_account(1), in_account(2)].concat());
    let bare = |account: &AccountSummary| AccountSummary { done: Totals::default(), ..account.clone() };
    assert_eq!(heard.accounts.iter().map(bare).collect::<Vec<_>>(), [whole(0), whole(1), whole(2)]);
    let done = (summary.done.of(Verb::Disable), summary.done.of(Verb::Delete));
    assert_eq!((summary.totals.keys(), done, summary.calls, summary.complete()), (21, (3, 3), 30, true));
}

#[test]
fn an_account_that_the_last_part_left_is_left_in_the_whole() {
    let keys = [key(1, Verb::Disable, Outcome::Planned)];
    let left = one(&keys, Some(Stopped::OutOfTime));
    // The state machine's parts: the last one is another account's.
    let (_, whole) = merged(&[(keys.to_vec(), vec![left], Some(Stopped::OutOfTime)), (vec![], vec![account(5)], None)]);
    assert_eq!(whole.stopped, Some(Stopped::OutOfTime));
    assert!(!whole.complete());
}

#[test]
fn the_callers_account_that_was_not_named_yet_is_not_another_one() {
    let nameless = AccountSummary { account: String::new(), cut_short: true, ..AccountSummary::default() };
    let (heard, whole) =
        merged(&[(vec![], vec![nameless], Some(Stopped::OutOfTime)), (vec![], vec![account(0)], None)]);
    assert_eq!((heard.accounts.len(), whole.accounts, whole.complete()), (1, 1, true));
}

#[test]
fn a_list_that_could_be_read_the_second_time_is_no_gap() {
    let folder = tempfile::tempdir().unwrap();
    let paths = [folder.path().join("1.json"), folder.path().join("2.json")];
    part(&paths[0], &[], &[], &super::rows::stopped(&[]));
    part(&paths[1], &[], &[account(0)], &summary(&[account(0)]));
    let whole = merge(&paths, &mut Heard::default()).unwrap();
    assert!(whole.complete(), "{whole:?}");
    let back = [paths[1].clone(), paths[0].clone()];
    assert_eq!(merge(&back, &mut Heard::default()).unwrap().skipped.len(), 1);
}

#[test]
fn a_part_says_which_accounts_it_finished_and_which_it_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part.json");
    let left = one(&[], Some(Stopped::OutOfTime));
    let suspended = AccountSummary { left: Some("suspended".into()), ..bad_account("222233334444") };
    part(&path, &[row(0)], &[account(4), suspended, left], &summary(&[]));
    let accounts = vec!["111122223337".into(), "222233334444".into()];
    assert_eq!(finished_accounts(&path).unwrap(), Finished { accounts, left: vec!["111122223333".into()] });
    let opened = opening(&path).unwrap();
    assert_eq!((opened.applied, opened.started, opened.rules), (true, time("2026-11-20T22:55:00Z"), header().rules));
}

/// What `merge` says of a file with this text.
fn refusal(text: &str) -> MergeError {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part.json");
    std::fs::write(&path, text).unwrap();
    merge(&[path], &mut Heard::default()).unwrap_err()
}

fn a_part() -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part.json");
    part(&path, &[row(0), row(1)], &[account(0)], &summary(&[account(0)]));
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn a_part_that_was_cut_off_anywhere_is_named_as_such() {
    let whole = a_part();
    for length in (0..whole.trim_end().len()).step_by(7) {
        let refused = refusal(&whole[..length]);
        assert!(matches!(refused, MergeError::CutOff { .. }), "{length}: {refused}");
    }
}

#[test]
fn what_is_no_part_is_refused_by_file_and_line() {
    let whole = a_part();
    for (bad, why) in [
        ("[]".to_owned(), "the object that"),
        ("{}".to_owned(), "it has no \"keys\""),
        ("{\"keys\":[]}".to_owned(), "it does not begin with a version"),
        (whole.replace("under-age", "by-dice"), "key 1: it is no report of 'keyrot-me purge': no rule is called"),
        (whole.replace("\"decision\":\"keep\"", "\"decision\":\"sell\""), "no decision is called \"sell\""),
        (whole.replace("\"result\":\"planned\"", "\"result\":\"?\""), "no result is called"),
        (whole.replace("AKIAEXAMPLE000000001", "nonsense"), "line 3: it is no report"),
        (whole.replace("\"by\":\"group\",\"group\":\"KeyExempt\"", "\"group\":null"), "neither a group nor a tag"),
        (whole.replace(",\"complete\":true}", "}"), "it has no \"complete\""),
        (format!("{whole}{whole}"), "trailing characters"),
    ] {
        let refused = refusal(&bad);
        let MergeError::NotOurs { .. } = &refused else { panic!("{refused:?}") };
        assert!(refused.to_string().contains(why), "{refused}");
        assert!(refused.to_string().contains("part.json, "), "{refused}");
    }
    let newer = refusal(&whole.replace("{\"version\":1,", "{\"version\":2,"));
    assert!(matches!(newer, MergeError::Version { version: 2, known: 1, .. }), "{newer}");
    let missing = merge(&[PathBuf::from("/nowhere/part.json")], &mut Heard::default()).unwrap_err();
    assert!(missing.to_string().starts_with("/nowhere/part.json: it cannot be read"), "{missing}");
    assert_eq!(merge(&[], &mut Heard::default()).unwrap_err(), MergeError::Nothing);
}

#[test]
fn a_dry_run_and_a_purge_are_no_parts_of_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let paths = [folder.path().join("1.json"), folder.path().join("2.json")];
    part(&paths[0], &[], &[], &summary(&[]));
    part(&paths[1], &[], &[], &Summary { applied: false, ..summary(&[]) });
    let refused = merge(&paths, &mut Heard::default()).unwrap_err();
    assert!(
        refused.to_string().ends_with("2.json: it is of another run than the first part: it is a dry run"),
        "{refused}"
    );
}

#[test]
fn a_reader_that_takes_no_more_ends_it() {
    struct Full;
    impl PurgeReport for Full {
        fn key(&mut self, _: &KeyRow) -> Result<(), ReportError> {
            Err(ReportError { name: "purge.html".into(), why: "the disk is full".into() })
        }
        fn account(&mut self, _: &AccountSummary) -> Result<(), ReportError> {
            unreachable!("it ended before")
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part.json");
    part(&path, &[row(0)], &[account(0)], &summary(&[]));
    let MergeError::Told(error) = merge(&[path], &mut Full).unwrap_err() else { panic!() };
    assert_eq!(error.name, "purge.html");
}
