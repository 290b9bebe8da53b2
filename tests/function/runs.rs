//! Whole runs: what is answered, what is kept, and that nothing is done twice whoever comes at the same time or dies.

use serde_json::{Value, json};

use super::rig::{BUCKET, developer};
use super::{Ended, Rig, account};
use crate::sandbox::HOME;

const README: &str = include_str!("../../packaging/aws/README.md");

/// The names of an object and of what is in it, as `a`, `b.c`.
fn shape(value: &Value) -> Vec<String> {
    let Some(members) = value.as_object() else { return Vec::new() };
    let of = |(name, inner): (&String, &Value)| {
        let inner: Vec<String> = shape(inner).iter().map(|below| format!("{name}.{below}")).collect();
        if inner.is_empty() { vec![name.clone()] } else { inner }
    };
    let mut all: Vec<String> = members.iter().flat_map(of).collect();
    all.sort();
    all
}

#[test]
fn the_answer_is_as_it_is_documented() {
    let rig = Rig::new(1, 1);
    let answer = rig.run(&json!({"run": "friday"})).ended.answer();
    let block = README.split("## The answer").nth(1).unwrap().split("\n\n").nth(1).unwrap();
    let documented = block.lines().map(str::trim).collect::<String>().replace(",…", "");
    let documented: Value = serde_json::from_str(&documented).unwrap();
    let verbs: Vec<&str> = answer["totals"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(verbs, ["delete", "disable", "exempt", "keep", "skip", "wait", "warn"]);
    let plain = |value: &Value| {
        let names = shape(value).into_iter();
        let mut all: Vec<String> = names.map(|name| name.split('.').next().unwrap().to_owned()).collect();
        all.dedup();
        all
    };
    assert_eq!(plain(&answer), plain(&documented));
    assert_eq!(answer["notified"], json!({"sent": 0, "failed": 0, "held": 0}));
    let reports: Vec<&str> = answer["reports"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    for (address, end) in reports.iter().zip(["purge.html", "purge.json", "purge.csv"]) {
        let key = address.strip_prefix(&format!("s3://{BUCKET}/")).unwrap();
        assert!(key.starts_with("reports/20") && key.ends_with(&format!("/friday/{end}")), "{key}");
        let (_, kind) = rig.sandbox.object(BUCKET, key).unwrap();
        assert!(kind.contains(end.rsplit('.').next().unwrap()), "{key}: {kind}");
    }
}

#[test]
fn twenty_accounts_are_purged_and_told_as_one_run() {
    let rig = Rig::new(20, 3);
    let ran = rig.run(&json!({"run": "friday"}));
    let answer = ran.ended.clone().answer();
    // The management account has no such role: it is left out, and named.
    assert_eq!(
        (&answer["accounts"], &answer["complete"], &answer["done"]["disable"]),
        (&json!(21), &json!(true), &json!(60))
    );
    assert_eq!((rig.writes(), rig.keys("Inactive")), ((60, 1), 60));
    let report = rig.json_report("friday");
    assert_eq!(report["totals"]["disable"], 60);
    let home = report["accounts"].as_array().unwrap().iter().find(|it| it["account"] == HOME).unwrap();
    assert!(home["left"].as_str().unwrap().contains("management account"), "{home}");
    let disabled = ran.log().iter().filter(|line| line["message"] == "disable done").count();
    assert_eq!(disabled, 60, "each key that was touched is in the log");
    let history = rig.object("history.jsonl");
    assert_eq!(history.lines().count(), 1, "{history}");
    assert!(history.contains("\"disabled\":60"), "{history}");
}

#[test]
fn a_finished_run_is_answered_from_its_report_and_does_nothing() {
    let rig = Rig::new(2, 1);
    let runtime = rig.start();
    let first = runtime.invoke(&json!({"run": "friday"})).answer();
    let objects = rig.objects("");
    developer(&rig.sandbox, &account(1), "newcomer");
    rig.sandbox.clear_calls();
    let ended = runtime.invoke(&json!({"run": "friday"}));
    let again = rig.over(runtime, ended);
    assert_eq!(again.ended.clone().answer(), first);
    assert_eq!(rig.objects(""), objects);
    assert_eq!((rig.sandbox.count("AssumeRole"), rig.sandbox.count("PutObject"), rig.writes()), (0, 0, (0, 0)));
    assert_eq!(again.metrics().len(), 2 + 1 + 1, "the accounts and the total of the first invocation alone");
    // The next Friday is another run.
    let next = rig.run(&json!({"run": "friday-2"})).ended.answer();
    assert_eq!(next["done"]["disable"], 1);
}

#[test]
fn a_review_changes_nothing_and_shows_the_trend_of_earlier_runs() {
    let rig = Rig::new(2, 2);
    rig.run(&json!({"run": "friday"})).ended.answer();
    let writes = rig.writes();
    let ran = rig.run(&json!({"run": "monday", "report_only": true, "period": "30d"}));
    let answer = ran.ended.clone().answer();
    assert_eq!((&answer["applied"], &answer["complete"]), (&json!(false), &json!(true)), "{answer}");
    assert_eq!((rig.writes(), ran.stdout.as_str()), (writes, ""), "no write, and no metric");
    let review: Value = serde_json::from_str(&rig.report("monday", "review.json")).unwrap();
    let earlier = review["review"]["past"]["trend"].as_array().unwrap_or_else(|| panic!("{}", review["review"]));
    assert_eq!(earlier.len(), 2, "{earlier:?}");
    assert!(rig.report("monday", "review.html").contains("<svg"), "the trend is drawn");
    assert_eq!(rig.objects("runs/monday/"), ["runs/monday/parts/review-0001.json"]);
    assert_eq!(rig.object("history.jsonl").lines().count(), 2);
}

#[test]
fn a_cap_that_was_hit_is_an_answer() {
    let rig = Rig::new(2, 3).with("KEYROT_ME_MAX_AFFECTED", "2");
    let answer = rig.run(&json!({"run": "friday"})).ended.answer();
    assert_eq!((&answer["accounts_capped"], &answer["complete"]), (&json!(2), &json!(true)));
    assert_eq!((&answer["totals"]["disable"], &answer["done"]["disable"]), (&json!(6), &json!(0)));
    assert_eq!(rig.writes(), (0, 0));
}

#[test]
fn incomplete_coverage_is_an_answer_that_names_the_account_in_the_report() {
    let rig = Rig::new(3, 1);
    rig.sandbox.remove_role(&account(2), "keyrot-me-purge");
    let answer = rig.run(&json!({"run": "friday"})).ended.answer();
    let told = (&answer["complete"], &answer["accounts_incomplete"], &answer["done"]["disable"]);
    assert_eq!(told, (&json!(false), &json!(1), &json!(2)));
    let report = rig.json_report("friday");
    let left: Vec<&Value> =
        report["accounts"].as_array().unwrap().iter().filter(|it| it["complete"] == json!(false)).collect();
    assert_eq!((left.len(), &left[0]["account"]), (1, &json!(account(2))));
    assert!(left[0]["skipped"][0]["cause"].as_str().unwrap().contains("AssumeRole"), "{}", left[0]);
}

#[test]
fn an_organization_that_cannot_be_listed_is_told_and_nothing_is_done() {
    let rig = Rig::new(1, 1);
    rig.sandbox.deny("ListAccounts");
    let answer = rig.run(&json!({"run": "friday"})).ended.answer();
    assert_eq!((&answer["complete"], &answer["accounts"]), (&json!(false), &json!(0)));
    assert_eq!(rig.json_report("friday")["skipped"][0]["what"], "organization");
    assert_eq!(rig.writes(), (0, 0));
}

#[test]
fn two_invocations_of_one_run_at_once_write_each_key_once_and_tell_one_run() {
    let rig = Rig::new(4, 4);
    let (one, other) = (rig.start(), rig.start());
    // Both have listed before either writes.
    let gate = rig.sandbox.gate("UpdateAccessKey", None, 1);
    let event = json!({"run": "friday"});
    let first = one.begin(&event, "a", std::time::Duration::from_secs(900));
    assert!(gate.reached(std::time::Duration::from_secs(60)));
    let second = other.begin(&event, "b", std::time::Duration::from_secs(900)).wait();
    gate.open();
    let answers = [first.wait().answer(), second.answer()];
    assert!(answers.iter().all(|answer| answer["complete"] == json!(true)), "{answers:?}");
    assert_eq!(rig.keys("Inactive"), 16);
    assert_eq!(rig.objects("runs/friday/parts/").len(), 2);
    assert_eq!(rig.objects("reports/").len(), 3);
    // Who ended last knew both parts.
    let report = rig.json_report("friday");
    assert_eq!(report["keys"].as_array().unwrap().iter().filter(|key| key["result"] == "done").count(), 16);
    let [one, other] = [one.stop().0, other.stop().0];
    let finished = [one, other].concat().matches("RunsFinished\":1").count();
    assert_eq!(finished, 1, "one of them finished the run");
}

#[cfg(unix)]
#[test]
fn killed_in_the_middle_the_next_invocation_does_what_is_left_and_nothing_twice() {
    let rig = Rig::new(4, 4);
    let mut runtime = rig.start();
    // Three accounts are done, the fourth is about to begin.
    let door = rig.sandbox.gate("GetGroup", Some(&account(4)), 1);
    let gate = rig.sandbox.gate("UpdateAccessKey", Some(&account(4)), 1);
    let pending = runtime.begin(&json!({"run": "friday"}), "a", std::time::Duration::from_secs(900));
    assert!(door.reached(std::time::Duration::from_secs(60)));
    rig.until_answered("TagUser", 12);
    door.open();
    assert!(gate.reached(std::time::Duration::from_secs(60)));
    runtime.kill();
    gate.open();
    assert_eq!(pending.wait(), Ended::Died);
    let done = rig.keys("Inactive");
    assert!((12..16).contains(&done), "{done}");
    let (_, log) = runtime.stop();
    assert!(log.matches("\"disable done\"").count() >= 12, "what was done before is in the log: {log}");
    assert_eq!(rig.objects(""), Vec::<String>::new());
    let answer = rig.run(&json!({"run": "friday"})).ended.answer();
    assert_eq!(answer["complete"], json!(true), "{answer}");
    assert_eq!((rig.keys("Inactive"), rig.writes().1), (16, 1));
}
