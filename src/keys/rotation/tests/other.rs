//! Another identity signs (`--auth-profile`): the profile's own key may be off or gone.

use std::slice;

use super::*;

fn by_other() -> Policy {
    Policy { other_signs: true, ..rotate() }
}

fn off() -> KeyFacts {
    key("OLD", Status::Inactive, -40 * DAY)
}

fn other(status: Status) -> KeyFacts {
    key("OTHER", status, -DAY)
}

/// Of a key that was off or gone before, as far as the n-th of S5 to S9b.
fn of_a_dead_key(steps: usize) -> Rotation {
    Rotation { old_off: true, ..forward(steps) }
}

/// The listing may be empty.
fn listed(second: i64, rotation: Option<Rotation>, listing: &[KeyFacts]) -> Situation {
    Situation { listing: Some(listing.to_vec()), ..situation(second, rotation, listing) }
}

#[test]
fn a_dead_key_is_replaced_whatever_its_age_was() {
    let goals = [
        Goal::Rotate { older_than: None },
        Goal::Rotate { older_than: Some(TimeDelta::days(90)) },
        Goal::RotateDue { week: None },
    ];
    for goal in goals {
        for listing in [&[off()][..], &[], &[key("OLD", Status::Other("Expired".into()), -DAY)]] {
            let policy = Policy { other_signs: true, ..policy(goal.clone()) };
            assert_eq!(next(&listed(0, None, listing), &policy), Decision::Do(Step::Create), "{goal:?} {listing:?}");
        }
    }
}

#[test]
fn a_timer_replaces_no_dead_key() {
    let timer = Policy { scheduled: true, other_signs: true, ..policy(Goal::RotateDue { week: None }) };
    let off_or_gone = [
        (vec![off()], Blocked::TargetNotActive { key: id("OLD"), status: Status::Inactive }),
        (vec![], Blocked::TargetGone { key: id("OLD") }),
    ];
    for (listing, why) in off_or_gone {
        assert_eq!(next(&listed(0, None, &listing), &timer), Decision::Blocked(why));
    }
}

#[test]
fn only_the_flag_lets_a_dead_key_be_replaced() {
    for listing in [&[off()][..], &[]] {
        assert!(matches!(next(&listed(0, None, listing), &with_yes()), Decision::Blocked(_)), "{listing:?}");
    }
}

#[test]
fn a_live_key_keeps_its_rules() {
    let live = |listing: &[KeyFacts], policy: &Policy| next(&listed(0, None, listing), policy);
    assert_eq!(live(&[old()], &by_other()), Decision::Do(Step::Create));
    let blocked = Blocked::OtherKey { other: other(Status::Active) };
    assert_eq!(live(&[old(), other(Status::Active)], &by_other()), Decision::Blocked(blocked));
    let named = Policy { replace: vec![id("OLD")], ..by_other() };
    let refused = Decision::Blocked(Blocked::ReplacesTarget { key: id("OLD") });
    assert_eq!(live(&[old(), other(Status::Active)], &named), refused);
    let young = Policy { other_signs: true, ..policy(Goal::Rotate { older_than: Some(TimeDelta::days(90)) }) };
    assert!(matches!(live(&[old()], &young), Decision::Idle(Idle::YoungEnough { .. })));
}

#[test]
fn a_key_that_sts_took_a_moment_ago_is_not_given_up_for_a_list() {
    for listing in [&[off()][..], &[]] {
        let s = Situation { accepted: Some(at(9)), ..listed(10, None, listing) };
        assert_eq!(next(&s, &by_other()), Decision::Wait { until: at(69), reason: Waiting::FreshList });
    }
}

#[test]
fn where_a_slot_is_free_the_other_key_is_left_alone() {
    for status in [Status::Active, Status::Inactive] {
        assert_eq!(next(&listed(0, None, &[other(status)]), &by_other()), Decision::Do(Step::Create));
    }
}

#[test]
fn of_two_full_slots_only_a_named_key_gives_way_and_it_may_be_the_dead_one() {
    let full = [&[off(), other(Status::Active)][..], &[other(Status::Active), key("THIRD", Status::Inactive, -DAY)]];
    for listing in full {
        let blocked = Blocked::BothSlotsTaken { target: id("OLD"), keys: listing.to_vec() };
        for policy in [by_other(), Policy { yes: true, ..by_other() }] {
            assert_eq!(next(&listed(0, None, listing), &policy), Decision::Blocked(blocked.clone()));
        }
        for given in listing {
            let named = Policy { replace: vec![given.id.clone()], ..by_other() };
            let delete = Step::Delete { key: given.id.clone(), because: DeleteReason::Named };
            assert_eq!(next(&listed(0, None, listing), &named), Decision::Do(delete));
        }
    }
}

#[test]
fn more_keys_than_the_quota_are_never_sorted_out() {
    let listing = [other(Status::Inactive), key("A", Status::Inactive, 0), key("B", Status::Inactive, 0)];
    let named = Policy { replace: vec![id("A")], ..by_other() };
    assert!(matches!(next(&listed(0, None, &listing), &named), Decision::Blocked(Blocked::TooManyKeys { .. })));
}

#[test]
fn a_dead_keys_rotation_goes_its_way_and_notes_what_is_off_already() {
    let new = key("NEW", Status::Active, 0);
    let reread = |listing: &[KeyFacts]| next(&situation(9, Some(of_a_dead_key(4)), listing), &by_other());
    assert_eq!(reread(&[off(), new.clone()]), record(Event::Deactivated));
    assert_eq!(reread(&[new]), Decision::Do(Step::Deactivate { key: id("OLD") }), "only IAM's answer proves it gone");
}

#[test]
fn nothing_leads_back_to_a_key_that_was_off_before() {
    let back = Policy { other_signs: true, ..policy(Goal::Rollback) };
    let blocked = Decision::Blocked(Blocked::OldKeyWasOff { key: id("OLD") });
    for done in 1..=6 {
        let s = situation(100, Some(of_a_dead_key(done)), &[off(), key("NEW", Status::Active, 0)]);
        assert_eq!(next(&s, &back), blocked, "{done}");
        assert_eq!(next(&s, &policy(Goal::Rollback)), blocked, "{done}");
    }
}

#[test]
fn where_neither_key_works_the_rotation_is_given_up_for_a_fresh_one() {
    let new_off = key("NEW", Status::Inactive, 0);
    for done in 1..=4 {
        for listing in [&[off(), new_off.clone()][..], &[off()], slice::from_ref(&new_off), &[]] {
            // Before it is published, a vanished new key is abandoned by whoever comes.
            let mut s = listed(100, Some(forward(done)), listing);
            s.published = vec![id("NEW")];
            let given_up = |decision| matches!(decision, Decision::Do(Step::Record(Event::Abandoned { .. })));
            assert!(given_up(next(&s, &by_other())), "{done} {listing:?}");
            assert!(!given_up(next(&s, &rotate())), "{done} {listing:?}");
        }
        let live = situation(100, Some(forward(done)), &[old(), new_off.clone()]);
        assert!(matches!(next(&live, &by_other()), Decision::Blocked(Blocked::KeepNotActive { .. })), "{done}");
    }
}

#[test]
fn a_proof_that_cannot_be_repaired_is_made_on_a_fresh_list() {
    let s = situation(100, Some(of_a_dead_key(5)), &[]);
    assert_eq!(next(&s, &by_other()), Decision::Do(Step::List));
    let gone = listed(100, Some(of_a_dead_key(5)), &[]);
    assert!(matches!(next(&gone, &by_other()), Decision::Do(Step::Record(Event::Abandoned { .. }))));
    assert!(matches!(next(&situation(100, Some(forward(5)), &[]), &by_other()), Decision::Do(Step::ProveAgain { .. })));
}
