//! `finish`: deletes what is past its grace, and nothing else.

use std::time::Duration;

use super::*;

fn rotated() -> (Workstation, String) {
    let station = station();
    let old = station.held_id();
    station.run(&["rotate", "--no-mfa"]).expect(0);
    (station, old)
}

#[test]
fn with_nothing_retired_there_is_nothing_to_do() {
    let station = station();
    let ran = station.run(&["finish"]).expect(0);
    assert!(ran.stdout.contains("default: nothing to do: no retired key waits"), "{}", ran.stdout);
    let json = station.run(&["finish", "--json"]).expect(0).json();
    assert_eq!(json["rotations"][0]["outcome"], "nothing-to-do");
}

#[test]
fn within_the_grace_it_waits_and_says_until_when() {
    let (station, old) = rotated();
    let before = Scene::of(&station);
    let ran = station.run(&["finish"]).expect(0);
    assert!(ran.stdout.contains(&format!("nothing to do: {old} is off and kept until 20")), "{}", ran.stdout);
    let json = station.run(&["finish", "--json"]).expect(0).json();
    assert_eq!(json["rotations"][0]["old_key"], "inactive");
    assert!(json["rotations"][0]["delete_after"].is_string(), "{json}");
    assert_eq!(before, Scene::of(&station));
    assert_eq!(station.sandbox.count("GetSessionToken"), 0, "no code for nothing");
}

#[test]
fn now_deletes_it_and_its_copy() {
    let (station, old) = rotated();
    let ran = station.with_code("finish", &["--now"]).expect(0);
    assert!(ran.stdout.contains(&format!("default: deleted {old}")), "{}", ran.stdout);
    assert!(station.sandbox.key(&old).is_none() && station.stash().is_empty());
    station.run(&["status", "--check"]).expect(0);
    refused(&station, || station.run(&["rollback", "--no-mfa"]), 3, &["nothing to roll back", "keyrot-me status"]);
}

#[test]
fn past_the_grace_it_deletes() {
    let (station, old) = rotated();
    let json = station.with_code("finish", &["--retire-after", "0", "--json"]).expect(0).json();
    assert_eq!(json["rotations"][0]["deleted"], serde_json::json!([old]));
    assert_eq!(json["rotations"][0]["old_key"], "deleted");
    assert!(station.sandbox.key(&old).is_none());
    let json = station.run(&["finish", "--json"]).expect(0).json();
    assert_eq!(json["rotations"][0]["outcome"], "nothing-to-do");
}

#[test]
fn a_retired_key_that_somebody_switched_on_again_is_left_alone() {
    let (station, old) = rotated();
    station.sandbox.age_everything(Duration::from_hours(1));
    station.sandbox.set_status(&old, "Active");
    let journal = station.state().join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, earlier(&text)).unwrap();
    let words = [&old, "somebody switched", "on again", "aws iam update-access-key"];
    refused(&station, || station.run(&["finish", "--now", "--no-mfa"]), 3, &words);
    refused(&station, || station.run(&["rotate", "--yes", "--no-mfa"]), 3, &words);
}

/// The journal as if it had been written an hour before.
pub fn earlier(journal: &str) -> String {
    let shift = |stamp: &str| {
        let at: chrono::DateTime<chrono::Utc> = stamp.parse().unwrap();
        (at - chrono::TimeDelta::hours(1)).to_rfc3339()
    };
    let line = |line: &str| {
        let mut event: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(at) = event.get_mut("at") {
            *at = shift(at.as_str().unwrap()).into();
        }
        format!("{event}\n")
    };
    journal.lines().map(line).collect()
}
