//! The calls of a rotation with nothing in its way: each in order, with its reason.

use super::*;

/// Action and which key signs.
const CALLS: [(&str, &str, &str); 14] = [
    ("GetCallerIdentity", "old", "whose key it is, whether it works, and how the clocks compare"),
    ("GetSessionToken", "old", "S1: one MFA code for the whole run"),
    ("ListAccessKeys", "session", "S2: what there is; the quota of two"),
    ("CreateAccessKey", "session", "S4"),
    ("GetCallerIdentity", "new", "S6: first of three proofs at STS: same account, same ARN (I8)"),
    ("ListAccessKeys", "new", "S6: and at IAM, which learns of new keys by itself"),
    ("GetCallerIdentity", "new", "S6: second"),
    ("ListAccessKeys", "new", "S6: second"),
    ("GetCallerIdentity", "new", "S6: third"),
    ("ListAccessKeys", "new", "S6: third"),
    ("GetCallerIdentity", "new", "S8: the key as it was read back from the file"),
    ("ListAccessKeys", "session", "S9: immediately before the old key goes off, the new one must be Active"),
    ("UpdateAccessKey", "session", "S9: the old key goes off"),
    ("GetCallerIdentity", "new", "S9b: the new key works without the old one"),
];

fn made(station: &Workstation, old: &str) -> Vec<(String, &'static str)> {
    let signer = |id: &str| match id {
        id if id == old => "old",
        id if id.starts_with("ASIA") => "session",
        _ => "new",
    };
    station.sandbox.calls().into_iter().map(|call| (call.action, signer(&call.key_id))).collect()
}

fn expected() -> Vec<(String, &'static str)> {
    CALLS.iter().map(|(action, signer, _)| ((*action).to_owned(), *signer)).collect()
}

#[test]
fn a_rotation_with_a_known_device_makes_these_fourteen_calls() {
    let station = station();
    let old = station.held_id();
    let serial = station.sandbox.user_arn("alice").replace(":user/", ":mfa/");
    station.sandbox.clear_calls();
    station.rotate(&["--mfa-serial", &serial]).expect(0);
    assert_eq!(made(&station, &old), expected());
    assert_eq!(station.sandbox.count("GetSessionToken"), 1);
    assert_eq!(station.sandbox.count("CreateAccessKey"), 1);
    let named = station.sandbox.calls().into_iter().filter(|call| call.action.ends_with("AccessKeys"));
    assert!(named.into_iter().all(|call| call.parameters["UserName"] == "alice"), "UserName is always passed");
}

#[test]
fn the_first_run_looks_the_device_up() {
    let station = station();
    let old = station.held_id();
    station.sandbox.clear_calls();
    station.rotate(&[]).expect(0);
    let mut calls = expected();
    calls.insert(1, ("ListMFADevices".to_owned(), "old"));
    assert_eq!(made(&station, &old), calls);
}

#[test]
fn without_mfa_there_is_no_session() {
    let station = station();
    let old = station.held_id();
    station.sandbox.clear_calls();
    station.run(&["rotate", "--no-mfa"]).expect(0);
    let calls = made(&station, &old);
    assert_eq!(calls.len(), 13, "{calls:?}");
    assert!(calls.iter().all(|(_, signer)| *signer != "session"), "{calls:?}");
}

#[test]
fn the_create_carries_the_rotations_id_and_no_other_call_does() {
    let station = station();
    station.sandbox.clear_calls();
    station.rotate(&[]).expect(0);
    let journal = std::fs::read_to_string(station.state().join("journal.jsonl")).unwrap();
    let id = journal.split("\"rotation\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    for call in station.sandbox.calls() {
        assert_eq!(call.user_agent.contains(&id), call.action == "CreateAccessKey", "{call:?}");
    }
}

#[test]
fn nothing_to_do_costs_two_calls_and_no_code() {
    let station = station();
    station.rotate(&[]).expect(0);
    station.sandbox.clear_calls();
    station.run(&["rotate", "--if-older-than", "5d"]).expect(0);
    assert_eq!(actions(&station), ["GetCallerIdentity", "ListAccessKeys"]);
    station.sandbox.clear_calls();
    station.run(&["finish"]).expect(0);
    assert_eq!(actions(&station), ["GetCallerIdentity", "ListAccessKeys"]);
}
