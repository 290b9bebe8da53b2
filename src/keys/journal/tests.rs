//! The fold's table, written down a second time: every phase against every event.

use super::*;

const NAMES: [&str; 18] = [
    "Refused",
    "Lost",
    "NotCreated",
    "Staged",
    "Unstored",
    "Orphan",
    "OrphanDisabled",
    "Verified",
    "Published",
    "Reread",
    "Deactivated",
    "Proved",
    "Reactivated",
    "Rollback",
    "Deleted orphan",
    "Deleted old",
    "Abandoned",
    "Intent",
];

/// Each phase and the events that may follow it, with the phase they lead to.
const TABLE: [(&str, &[(&str, &str)]); 10] = [
    (
        "Intended",
        &[
            ("Refused", "Closed"),
            ("Lost", "Lost"),
            ("NotCreated", "Closed"),
            ("Staged", "Staged"),
            ("Unstored", "Orphan"),
            ("Orphan", "Orphan"),
            ("Deleted orphan", "Closed"),
        ],
    ),
    (
        "Lost",
        &[
            ("Refused", "Closed"),
            ("NotCreated", "Closed"),
            ("Staged", "Staged"),
            ("Unstored", "Orphan"),
            ("Orphan", "Orphan"),
            ("Deleted orphan", "Closed"),
        ],
    ),
    ("Orphan", &[("OrphanDisabled", "Orphan"), ("Deleted orphan", "Closed")]),
    ("Staged", &[("Unstored", "Orphan"), ("Verified", "Verified"), ("Rollback", "Staged"), ("Abandoned", "Closed")]),
    (
        "Verified",
        &[("Unstored", "Orphan"), ("Published", "Published"), ("Rollback", "Staged"), ("Abandoned", "Closed")],
    ),
    ("Published", &[("Published", "Published"), ("Reread", "Reread"), ("Rollback", "Staged"), ("Abandoned", "Closed")]),
    (
        "Reread",
        &[
            ("Published", "Published"),
            ("Reread", "Reread"),
            ("Deactivated", "Deactivated"),
            ("Rollback", "Staged"),
            ("Abandoned", "Closed"),
        ],
    ),
    (
        "Deactivated",
        &[
            ("Published", "Published"),
            ("Proved", "Retired"),
            ("Reactivated", "Staged"),
            ("Rollback", "Staged"),
            ("Abandoned", "Closed"),
        ],
    ),
    ("Retired", &[("Published", "Published"), ("Rollback", "Staged"), ("Deleted old", "Closed")]),
    ("Closed", &[]),
];

fn key(name: &str) -> KeyId {
    KeyId::new(format!("AKIA{name:0>16}")).unwrap()
}

fn second(number: i64) -> Time {
    Time::from_timestamp(1_800_000_000 + number, 0).unwrap()
}

fn event(name: &str) -> Event {
    let reason = "some reason".to_owned();
    match name {
        "Refused" => Event::Refused { reason },
        "Lost" => Event::Lost { reason },
        "NotCreated" => Event::NotCreated,
        "Staged" => Event::Staged { key: key("NEW"), created: second(1) },
        "Unstored" => Event::Unstored { key: key("NEW") },
        "Orphan" => Event::Orphan { key: key("NEW"), attributed: false },
        "OrphanDisabled" => Event::OrphanDisabled { key: key("NEW") },
        "Verified" => Event::Verified,
        "Published" => Event::Published,
        "Reread" => Event::Reread,
        "Deactivated" => Event::Deactivated,
        "Proved" => Event::Proved,
        "Reactivated" => Event::Reactivated { reason },
        "Rollback" => Event::Rollback,
        "Deleted orphan" => Event::Deleted { key: key("NEW") },
        "Deleted old" => Event::Deleted { key: key("OLD") },
        "Abandoned" => Event::Abandoned { reason },
        _ => Event::Intent {
            who: Identity { account: "1".into(), arn: "arn:aws:iam::1:user/alice".into() },
            old: key("OLD"),
            listed: vec![key("OLD")],
            signer: "ASIASESSION".into(),
            mfa_serial: None,
            call_timeout: 10,
            old_off: false,
        },
    }
}

/// The events that lead from nothing to a phase.
fn way_to(phase: &str) -> Vec<&'static str> {
    let forward = ["Intent", "Staged", "Verified", "Published", "Reread", "Deactivated", "Proved"];
    let steps = match phase {
        "Intended" => 1,
        "Staged" => 2,
        "Verified" => 3,
        "Published" => 4,
        "Reread" => 5,
        "Deactivated" => 6,
        "Retired" => 7,
        "Lost" => return vec!["Intent", "Lost"],
        "Orphan" => return vec!["Intent", "Orphan"],
        _ => return vec!["Intent", "NotCreated"],
    };
    forward[..steps].to_vec()
}

fn folded(events: &[&str]) -> Result<Rotation, IllegalEvent> {
    let mut all = Vec::new();
    for (number, name) in events.iter().enumerate() {
        fold(&mut all, &RotationId::from_bits(7), second(i64::try_from(number).unwrap()), event(name))?;
    }
    Ok(all.remove(0))
}

fn name_of(phase: &Phase) -> &'static str {
    match phase {
        Phase::Intended { lost: None } => "Intended",
        Phase::Intended { .. } => "Lost",
        Phase::Orphan { .. } => "Orphan",
        Phase::Staged => "Staged",
        Phase::Verified => "Verified",
        Phase::Published => "Published",
        Phase::Reread => "Reread",
        Phase::Deactivated { .. } => "Deactivated",
        Phase::Retired { .. } => "Retired",
        Phase::Closed => "Closed",
    }
}

#[test]
fn every_event_is_legal_or_refused_in_every_phase_as_the_table_says() {
    for (phase, legal) in TABLE {
        for name in NAMES {
            let mut events = way_to(phase);
            assert_eq!(name_of(&folded(&events).unwrap().phase), phase);
            events.push(name);
            let expected = legal.iter().find(|(event, _)| *event == name).map(|(_, to)| *to);
            let found = folded(&events).ok().map(|rotation| name_of(&rotation.phase));
            assert_eq!(found, expected, "{name} after {phase}");
        }
    }
}

#[test]
fn nothing_but_an_intent_begins_a_rotation() {
    for name in NAMES.iter().filter(|name| **name != "Intent") {
        assert!(folded(&[name]).is_err(), "{name}");
    }
}

#[test]
fn a_key_that_was_listed_before_the_intent_is_never_taken_for_the_new_one() {
    for known in [
        Event::Staged { key: key("OLD"), created: second(1) },
        Event::Unstored { key: key("OLD") },
        Event::Orphan { key: key("OLD"), attributed: true },
    ] {
        let mut all = vec![folded(&["Intent"]).unwrap()];
        assert!(fold(&mut all, &RotationId::from_bits(7), second(9), known).is_err());
    }
}

#[test]
fn an_orphans_events_name_the_orphan() {
    for stranger in [Event::OrphanDisabled { key: key("OTHER") }, Event::Deleted { key: key("OTHER") }] {
        let mut all = vec![folded(&["Intent", "Orphan"]).unwrap()];
        assert!(fold(&mut all, &RotationId::from_bits(7), second(9), stranger).is_err());
    }
}

#[test]
fn a_refused_event_changes_nothing() {
    let before = folded(&["Intent", "Staged"]).unwrap();
    let mut all = vec![before.clone()];
    assert!(fold(&mut all, &RotationId::from_bits(7), second(9), Event::Proved).is_err());
    assert_eq!(all, vec![before]);
}

#[test]
fn a_rollback_changes_the_places_of_the_two_keys() {
    let back = folded(&["Intent", "Staged", "Verified", "Published", "Rollback"]).unwrap();
    assert_eq!((back.keep, back.retire, back.back), (Some(key("OLD")), key("NEW"), true));
}

#[test]
fn grace_runs_from_the_deactivation_and_not_from_the_proof() {
    let retired = folded(&way_to("Retired")).unwrap();
    assert_eq!(retired.phase, Phase::Retired { at: second(5) });
}

#[test]
fn the_window_of_a_lost_create_ends_when_it_was_lost_or_with_the_calls_time_out() {
    assert_eq!(folded(&["Intent"]).unwrap().window_end, second(10));
    assert_eq!(folded(&["Intent", "Lost"]).unwrap().window_end, second(1));
}
