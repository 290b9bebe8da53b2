//! `--report-only` and `--history`: what the review says, on every way it is told, and what a run leaves behind.

use std::fs;

use chrono::TimeDelta;
use serde_json::Value;

use super::file::Scenario;
use super::stage::Stage;
use crate::sandbox::Fault;
use crate::workstation::Ran;

const RULES: &str = "--group Developers --max-age 30d --exempt-group KeyExempt --exempt-tag --report-only";

/// Somebody of each kind.
const PEOPLE: &str = r#"
title = "review"
why = "review"
user = [
    { name = "alice", groups = ["Developers"], keys = [{ label = "alice", age = "40d" }] },
    { name = "bob", groups = ["Developers"], keys = [{ label = "bob", age = "2d" }], tags = { owner = "bob@example.com" } },
    { name = "robot", groups = ["Developers", "KeyExempt"], keys = [{ label = "robot", age = "400d" }] },
    { name = "vendor", groups = ["Developers"], keys = [{ label = "vendor", age = "100d" }],
      tags = { "keyrot-me/exempt" = "{today+3d} OPS-7 <b>migration</b>" } },
    { name = "late", groups = ["Developers"], keys = [{ label = "late", age = "70d", status = "Inactive" }],
      tags = { "keyrot-me/exempt" = "{today-3d} OPS-8 over", "keyrot-me/disabled/{late}" = "first={now-2d} last={now-2d} n=1" } },
]
"#;

fn stage() -> Stage {
    let scenario: Scenario = toml::from_str(PEOPLE).unwrap();
    let stage = Stage::new(&scenario).unwrap_or_else(|mistake| panic!("{}", mistake.0));
    for user in ["alice", "bob", "robot", "vendor", "late"] {
        stage.sandbox.set_user_created(user, stage.sandbox.now() - TimeDelta::days(500));
    }
    stage
}

fn purge(stage: &Stage, arguments: &str) -> Ran {
    stage.run(&stage.words(arguments).unwrap_or_else(|mistake| panic!("{}", mistake.0)))
}

fn json(stage: &Stage, name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(stage.home.path().join(name)).unwrap()).unwrap()
}

fn users(list: &Value) -> Vec<&str> {
    list["entries"].as_array().unwrap().iter().map(|entry| entry["user"].as_str().unwrap()).collect()
}

#[test]
fn it_says_who_is_spared_who_has_no_owner_and_how_old_the_keys_are() {
    let stage = stage();
    let ran =
        purge(&stage, &format!("{RULES} --owner-tag owner --report r.json --report r.html --report r.csv")).expect(0);
    let report = json(&stage, "r.json");
    let review = &report["review"];
    assert_eq!(report["applied"], false);
    let mut spared = users(&review["exempt_over_limit"]);
    spared.sort_unstable();
    assert_eq!(spared, ["robot", "vendor"]);
    assert_eq!(users(&review["exemptions_ending"]), ["vendor"]);
    assert_eq!(users(&review["exemptions_void"]), ["late"]);
    let mut without = users(&review["without_owner"]);
    without.sort_unstable();
    assert_eq!(without, ["alice", "late", "robot", "vendor"]);
    let bands = &review["bands"];
    let count = |band: &str| bands[band].as_u64().unwrap();
    let all = ["under_half_the_limit", "half_to_limit", "limit_to_twice", "twice_the_limit"].map(count);
    assert_eq!(all, [1, 0, 1, 3]);
    assert_eq!((count("days_90"), count("days_365")), (2, 1));
    assert_eq!((&review["rotated"], &review["disabled_on_record"]), (&1.into(), &1.into()));
    assert_eq!((&review["past"], &review["period_seconds"]), (&Value::Null, &604_800.into()));
    assert_eq!(report["census"]["users_with_keys"], 4, "without the member of the exempt group");
    for words in [
        "Over the limit and exempt: 2",
        "Exemptions that end within 14 d: 1",
        "no --history was given",
        "the owner's address: 4",
    ] {
        assert!(ran.stdout.contains(words) || words.starts_with("the owner"), "{words}: {}", ran.stdout);
    }
    assert!(ran.stdout.contains("Users without an owner's address: 4"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("--apply"), "a review leads to no --apply: {}", ran.stdout);
    let page = fs::read_to_string(stage.home.path().join("r.html")).unwrap();
    assert!(page.contains("<h3 id=\"review-exempt\">Over the limit and exempt</h3>"), "{page}");
    assert!(!page.contains("<b>migration"), "a tag is text");
    assert!(!page.contains("<svg"), "one point is no trend");
}

#[test]
fn without_an_owner_option_it_says_that_nobody_was_looked_for() {
    let stage = stage();
    let ran = purge(&stage, &format!("{RULES} --report r.json")).expect(0);
    assert_eq!(json(&stage, "r.json")["review"]["without_owner"], Value::Null);
    assert!(ran.stdout.contains("no --owner-tag, --owner-address or --owner-map was given"), "{}", ran.stdout);
}

#[test]
fn weeks_of_history_become_a_trend() {
    let stage = stage();
    let rules = "--group Developers --max-age 30d --exempt-group KeyExempt --exempt-tag";
    purge(&stage, &format!("{rules} --history h.jsonl")).expect(0);
    purge(&stage, &format!("{rules} --history h.jsonl --apply")).expect(0);
    stage.sandbox.advance(std::time::Duration::from_secs(86_400));
    stage.sandbox.delete_key(&stage.key("bob").unwrap_or_else(|mistake| panic!("{}", mistake.0)).id);
    let ran =
        purge(&stage, &format!("{RULES} --history h.jsonl --period 30d --report r.json --report r.html")).expect(0);
    let past = &json(&stage, "r.json")["review"]["past"];
    assert_eq!((&past["runs"], &past["disabled"], &past["deleted"]), (&1.into(), &1.into(), &0.into()));
    let trend: Vec<u64> =
        past["trend"].as_array().unwrap().iter().map(|it| it["users_with_keys"].as_u64().unwrap()).collect();
    assert_eq!(trend, [4, 4, 3]);
    assert!(ran.stdout.contains("██▆ 4 4 3"), "{}", ran.stdout);
    let page = fs::read_to_string(stage.home.path().join("r.html")).unwrap();
    assert!(page.contains("aria-label=\"IAM users with keys, from 4 to 3\""), "{page}");
    let lines = fs::read_to_string(stage.home.path().join("h.jsonl")).unwrap();
    let kinds: Vec<(Value, Value)> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| (line["applied"].clone(), line["review"].clone()))
        .collect();
    assert_eq!(kinds, [(false.into(), false.into()), (true.into(), false.into()), (false.into(), true.into())]);
}

#[test]
fn a_run_that_was_stopped_is_no_line_and_a_damaged_history_ends_it_before_any_call() {
    let stage = stage();
    // The answer to the first list comes when the time is over.
    stage.sandbox.fault("ListAccessKeys", 1, Fault::Delay(std::time::Duration::from_millis(2_500)));
    purge(&stage, &format!("{RULES} --history h.jsonl --time-limit 2s")).expect(20);
    assert!(!stage.home.path().join("h.jsonl").exists(), "a part of a run is no point of a trend");
    let path = stage.home.path().join("h.jsonl");
    fs::write(&path, "nonsense\n{}\n").unwrap();
    let before = stage.sandbox.calls().len();
    let ran = purge(&stage, &format!("{RULES} --history h.jsonl")).expect(2);
    assert!(ran.stderr.contains("h.jsonl, line 1: it is no line of a history"), "{}", ran.stderr);
    let ran = purge(&stage, &format!("{RULES} --history nowhere/h.jsonl")).expect(2);
    assert!(ran.stderr.contains("nowhere/h.jsonl"), "{}", ran.stderr);
    assert_eq!(stage.sandbox.calls().len(), before);
    assert_eq!(fs::read_to_string(path).unwrap(), "nonsense\n{}\n");
}

#[test]
fn options_that_contradict_a_review_are_refused() {
    let stage = stage();
    for (arguments, words) in [
        ("--group D --max-age 5d --report-only --apply", "cannot be used with"),
        ("--group D --max-age 5d --report-only --period 0", "--period 0 looks back at nothing"),
        ("--group D --max-age 5d --period 7d", "--report-only"),
    ] {
        let ran = purge(&stage, arguments).expect(2);
        assert!(ran.stderr.contains(words), "{arguments}: {}", ran.stderr);
    }
}
