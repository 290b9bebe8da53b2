//! `rollback`: within the grace the old key comes back, and the new one becomes the retired one.

use super::*;

#[test]
fn the_old_key_comes_back_and_the_new_one_goes_off() {
    let station = station();
    let before = station.credentials();
    let old = station.held_id();
    station.rotate(&[]).expect(0);
    let new = station.held_id();
    let json = station.with_code("rollback", &["--json"]).expect(0).json();
    let back = &json["rotations"][0];
    assert_eq!((back["outcome"].as_str(), back["old_key"].as_str()), (Some("rotated"), Some("inactive")));
    assert_eq!(back["old_access_key_id"], new.as_str(), "{json}");
    assert_eq!(back["new_access_key_id"], old.as_str(), "{json}");
    assert_eq!(station.credentials(), before, "byte by byte");
    assert_eq!(station.sandbox.key(&old).unwrap().status, "Active");
    assert_eq!(station.sandbox.key(&new).unwrap().status, "Inactive");
    assert_eq!(station.stash().len(), 1);
    let words = ["rolled back already", "`keyrot-me rotate`"];
    refused(&station, || station.run(&["rollback", "--no-mfa"]), 3, &words);
    station.run(&["finish", "--now", "--no-mfa"]).expect(0);
    assert!(station.sandbox.key(&new).is_none() && station.sandbox.key(&old).is_some());
}

#[test]
fn it_says_so_when_the_old_key_is_over_the_purges_limit() {
    let purge = "[purge]\nlimit = \"LIMIT\"\nat = \"Fri 23:55\"\n[rotation]\nsettle = { every = \"0s\" }\n";
    for (limit, says) in [("5d", true), ("90d", false)] {
        let station = station();
        station.settings(&purge.replace("LIMIT", limit));
        let old = station.held_id();
        station.run(&["rotate", "--no-mfa"]).expect(0);
        let ran = station.run(&["rollback", "--no-mfa"]).expect(0);
        assert!(ran.stdout.contains("rolled back: "), "{}", ran.stdout);
        let words = format!("{old} is 40 d old, over the purge's limit of 5 d: the purge of 20");
        assert_eq!(ran.stdout.contains(&words), says, "{}", ran.stdout);
        assert_eq!(ran.stdout.contains("`keyrot-me rotate` before"), says, "{}", ran.stdout);
    }
}

#[test]
fn after_the_grace_it_is_refused() {
    let station = station();
    let old = station.held_id();
    station.run(&["rotate", "--no-mfa"]).expect(0);
    station.settings("[rotation]\nretire_after = \"0\"\nsettle = { every = \"0s\" }\n");
    let words = [&format!("the grace of {old} is over"), "`keyrot-me rotate`"];
    refused(&station, || station.run(&["rollback", "--no-mfa"]), 3, &words);
}

#[test]
fn with_nothing_rotated_there_is_nothing_to_roll_back() {
    let station = station();
    refused(&station, || station.run(&["rollback", "--no-mfa"]), 3, &["nothing to roll back", "`keyrot-me status`"]);
    let json = station.run(&["rollback", "--json", "--no-mfa"]).expect(3).json();
    assert_eq!(json["rotations"][0]["outcome"], "blocked");
}

#[test]
fn an_old_key_that_somebody_deleted_cannot_come_back() {
    let station = station();
    let old = station.held_id();
    station.run(&["rotate", "--no-mfa"]).expect(0);
    let held = station.held_id();
    station.sandbox.delete_key(&old);
    station.run(&["rollback", "--no-mfa"]).expect(3);
    assert_eq!(station.held_id(), held);
    assert_eq!(station.sandbox.key(&held).unwrap().status, "Active");
}

#[test]
fn a_rotation_that_is_not_finished_can_be_rolled_back() {
    let station = station();
    let (before, old) = (station.credentials(), station.held_id());
    station.sandbox.fault("UpdateAccessKey", 1, crate::sandbox::Fault::denied());
    station.run(&["rotate", "--no-mfa"]).expect(5);
    station.run(&["rollback", "--no-mfa"]).expect(0);
    assert_eq!(station.credentials(), before);
    assert_eq!(station.sandbox.key(&old).unwrap().status, "Active");
    assert_eq!(station.sandbox.keys_of("alice").iter().filter(|key| key.status == "Active").count(), 1);
}
