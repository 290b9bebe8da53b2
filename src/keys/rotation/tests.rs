//! One test per row of DESIGN's fault table that the planner decides.

mod other;
mod unlisted;

use super::*;
use crate::keys::facts::{Identity, LastUsed};
use crate::keys::journal::{RotationId, fold};
use crate::keys::policy::Limits;

const DAY: i64 = 86_400;

fn id(name: &str) -> KeyId {
    KeyId::new(format!("AKIA{name:0>16}")).unwrap()
}

fn at(second: i64) -> Time {
    Time::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

fn key(name: &str, status: Status, created: i64) -> KeyFacts {
    KeyFacts { id: id(name), status, created: at(created) }
}

fn old() -> KeyFacts {
    key("OLD", Status::Active, -40 * DAY)
}

fn policy(goal: Goal) -> Policy {
    let limits = Limits { max_age: TimeDelta::days(5), purge: None };
    Policy {
        goal,
        limits,
        retire_after: TimeDelta::days(1),
        replace: Vec::new(),
        yes: false,
        scheduled: false,
        may_start: true,
        other_signs: false,
    }
}

fn rotate() -> Policy {
    policy(Goal::Rotate { older_than: None })
}

fn with_yes() -> Policy {
    Policy { yes: true, ..rotate() }
}

fn timer() -> Policy {
    Policy { scheduled: true, ..policy(Goal::RotateDue { week: None }) }
}

/// A rotation of OLD begun at second 0, with one event per second after it.
fn rotation(events: Vec<Event>) -> Rotation {
    let mut all = Vec::new();
    let intent = Event::Intent {
        who: Identity { account: "1".into(), arn: "arn:aws:iam::1:user/alice".into() },
        old: id("OLD"),
        listed: vec![id("OLD")],
        signer: "ASIASESSION".into(),
        mfa_serial: None,
        call_timeout: 10,
        old_off: false,
    };
    for (second, event) in (0..).zip([vec![intent], events].concat()) {
        fold(&mut all, &RotationId::from_bits(7), at(second), event).unwrap();
    }
    all.remove(0)
}

fn lost() -> Rotation {
    rotation(vec![Event::Lost { reason: String::new() }])
}

fn orphan(disabled: bool) -> Rotation {
    let mut events = vec![Event::Orphan { key: id("NEW"), attributed: false }];
    events.extend(disabled.then_some(Event::OrphanDisabled { key: id("NEW") }));
    rotation(events)
}

/// As far as the n-th of S5 to S9b.
fn forward(steps: usize) -> Rotation {
    let all = [
        Event::Staged { key: id("NEW"), created: at(0) },
        Event::Verified,
        Event::Published,
        Event::Reread,
        Event::Deactivated,
        Event::Proved,
    ];
    rotation(all[..steps].to_vec())
}

fn situation(second: i64, rotation: Option<Rotation>, listing: &[KeyFacts]) -> Situation {
    let published = rotation.as_ref().is_some_and(|r| {
        !matches!(r.phase, Phase::Intended { .. } | Phase::Orphan { .. } | Phase::Staged | Phase::Verified)
    });
    let keys = if rotation.as_ref().is_some_and(|r| r.keep.is_some()) { vec![id("OLD"), id("NEW")] } else { vec![] };
    let target = if published { id("NEW") } else { id("OLD") };
    Situation {
        now: at(second),
        listing: (!listing.is_empty()).then(|| listing.to_vec()),
        asked: at(second),
        target: target.clone(),
        accepted: None,
        published: vec![target.clone()],
        stashed: keys.into_iter().filter(|key| *key != target).collect(),
        rotation,
        suspect: None,
        unlisted: None,
    }
}

fn suspected(second: i64, maker: Maker, used: Used) -> Situation {
    let mut s = situation(second, Some(lost()), &[old(), key("NEW", Status::Active, 1)]);
    s.suspect = Some(Suspect { key: id("NEW"), maker, used });
    s
}

fn record(event: Event) -> Decision {
    Decision::Do(Step::Record(event))
}

fn delete(name: &str, because: DeleteReason) -> Decision {
    Decision::Do(Step::Delete { key: id(name), because })
}

#[test]
fn nothing_is_decided_on_keys_that_were_not_listed() {
    assert_eq!(next(&situation(0, None, &[]), &rotate()), Decision::Do(Step::List));
}

#[test]
fn one_active_key_is_rotated_and_two_keys_never_are() {
    assert_eq!(next(&situation(0, None, &[old()]), &rotate()), Decision::Do(Step::Create));
    for status in [Status::Active, Status::Inactive, Status::Other("Expired".into())] {
        let other = key("OTHER", status, -DAY);
        let s = situation(0, None, &[old(), other.clone()]);
        for policy in [rotate(), with_yes(), timer()] {
            assert_eq!(next(&s, &policy), Decision::Blocked(Blocked::OtherKey { other: other.clone() }));
        }
        let named = Policy { replace: vec![id("OTHER")], ..rotate() };
        assert_eq!(next(&s, &named), delete("OTHER", DeleteReason::Named));
    }
}

#[test]
fn the_key_to_be_rotated_cannot_be_the_one_to_give_up() {
    let named = Policy { replace: vec![id("OLD")], ..rotate() };
    let s = situation(0, None, &[old(), key("OTHER", Status::Active, -DAY)]);
    assert_eq!(next(&s, &named), Decision::Blocked(Blocked::ReplacesTarget { key: id("OLD") }));
}

#[test]
fn an_old_key_that_is_deleted_or_disabled_already_is_said_to_be() {
    let off = key("OLD", Status::Inactive, -DAY);
    let blocked = Blocked::TargetNotActive { key: id("OLD"), status: Status::Inactive };
    assert_eq!(next(&situation(0, None, &[off]), &rotate()), Decision::Blocked(blocked));
    let gone = situation(0, None, &[key("OTHER", Status::Active, -DAY)]);
    assert_eq!(next(&gone, &rotate()), Decision::Blocked(Blocked::TargetGone { key: id("OLD") }));
}

#[test]
fn a_list_that_denies_a_key_which_signs_is_taken_for_a_stale_one() {
    let mut s = situation(10, None, &[key("OLD", Status::Inactive, -DAY)]);
    s.accepted = Some(at(9));
    assert_eq!(next(&s, &rotate()), Decision::Wait { until: at(69), reason: Waiting::FreshList });
}

#[test]
fn a_lost_creates_absence_proves_nothing_for_a_minute() {
    let s = |second| situation(second, Some(lost()), &[old()]);
    assert_eq!(next(&s(60), &with_yes()), Decision::Wait { until: at(61), reason: Waiting::FreshList });
    assert_eq!(next(&s(61), &with_yes()), record(Event::NotCreated));
}

#[test]
fn a_list_counts_from_when_it_was_asked_for() {
    let late = Situation { asked: at(60), ..situation(70, Some(lost()), &[old()]) };
    assert_eq!(next(&late, &with_yes()), Decision::Wait { until: at(61), reason: Waiting::FreshList });
}

#[test]
fn a_staged_key_that_was_not_journalled_is_found_by_its_secret() {
    let mut s = situation(0, Some(rotation(vec![])), &[]);
    s.stashed = vec![id("NEW")];
    assert_eq!(next(&s, &rotate()), record(Event::Staged { key: id("NEW"), created: at(0) }));
}

#[test]
fn a_key_that_may_be_the_lost_creates_is_investigated_first() {
    let s = situation(90, Some(lost()), &[old(), key("NEW", Status::Active, 1)]);
    assert_eq!(next(&s, &with_yes()), Decision::Do(Step::Investigate { key: id("NEW") }));
}

#[test]
fn a_key_that_cloudtrail_attributes_to_us_is_ours_at_once() {
    let s = suspected(2, Maker::ThisRotation, Used::Unknown);
    assert_eq!(next(&s, &rotate()), record(Event::Orphan { key: id("NEW"), attributed: true }));
}

#[test]
fn an_unattributed_key_is_asked_about_and_with_yes_or_by_the_timer_taken() {
    let s = suspected(90, Maker::Unknown, Used::NotRecorded);
    let orphan = Blocked::Orphan { key: id("NEW"), created: at(1) };
    assert_eq!(next(&s, &rotate()), Decision::Blocked(orphan));
    for policy in [with_yes(), timer()] {
        assert_eq!(next(&s, &policy), record(Event::Orphan { key: id("NEW"), attributed: false }));
    }
    let early = suspected(30, Maker::Unknown, Used::NotRecorded);
    assert_eq!(next(&early, &with_yes()), Decision::Wait { until: at(61), reason: Waiting::FreshList });
}

#[test]
fn unknown_use_is_never_taken_for_disuse() {
    let s = suspected(90, Maker::Unknown, Used::Unknown);
    assert_eq!(next(&s, &with_yes()), Decision::Blocked(Blocked::OrphanUseUnknown { key: id("NEW") }));
}

#[test]
fn a_key_in_use_or_made_by_another_is_never_ours() {
    let used = LastUsed { at: at(5), service: "s3".into(), region: "eu-west-1".into() };
    for s in [suspected(90, Maker::SomebodyElse, Used::NotRecorded), suspected(90, Maker::Unknown, Used::At(used))] {
        assert_eq!(next(&s, &with_yes()), record(Event::NotCreated));
    }
}

#[test]
fn a_key_made_outside_the_window_or_listed_before_is_never_ours() {
    for created in [-3, 4] {
        let s = situation(90, Some(lost()), &[old(), key("NEW", Status::Active, created)]);
        assert_eq!(next(&s, &with_yes()), record(Event::NotCreated), "{created}");
    }
    let mut s = situation(90, Some(lost()), &[old(), key("NEW", Status::Active, 1)]);
    s.published.push(id("NEW"));
    assert_eq!(next(&s, &with_yes()), record(Event::NotCreated));
}

#[test]
fn of_several_keys_none_is_picked() {
    let s = situation(90, Some(lost()), &[key("A", Status::Active, 0), key("B", Status::Active, 1)]);
    assert_eq!(next(&s, &with_yes()), Decision::Blocked(Blocked::SeveralOrphans { keys: vec![id("A"), id("B")] }));
}

#[test]
fn an_unattributed_orphan_is_disabled_first_and_the_timer_lets_its_grace_pass() {
    let on = situation(90, Some(orphan(false)), &[old(), key("NEW", Status::Active, 1)]);
    assert_eq!(next(&on, &with_yes()), Decision::Do(Step::DisableOrphan { key: id("NEW") }));
    let off = |second| situation(second, Some(orphan(true)), &[old(), key("NEW", Status::Inactive, 1)]);
    assert_eq!(next(&off(90), &with_yes()), delete("NEW", DeleteReason::Orphan));
    let blocked = Blocked::OrphanInGrace { key: id("NEW"), delete_after: at(DAY + 2) };
    assert_eq!(next(&off(DAY + 1), &timer()), Decision::Blocked(blocked));
    assert_eq!(next(&off(DAY + 2), &timer()), delete("NEW", DeleteReason::Orphan));
}

#[test]
fn an_orphan_that_somebody_switched_on_again_is_left_alone() {
    let s = situation(90, Some(orphan(true)), &[old(), key("NEW", Status::Active, 1)]);
    assert_eq!(next(&s, &with_yes()), Decision::Blocked(Blocked::OrphanActiveAgain { key: id("NEW") }));
}

#[test]
fn a_key_that_was_never_stored_goes_at_once() {
    let s =
        situation(9, Some(rotation(vec![Event::Unstored { key: id("NEW") }])), &[old(), key("NEW", Status::Active, 1)]);
    assert_eq!(next(&s, &timer()), delete("NEW", DeleteReason::Orphan));
}

#[test]
fn an_interrupted_rotation_goes_on_where_it_stands() {
    let both = [old(), key("NEW", Status::Active, 0)];
    let (new, retired) = (id("NEW"), id("OLD"));
    let steps = [
        Step::Verify { key: new.clone() },
        Step::Publish { old: retired.clone(), new: new.clone() },
        Step::Reread { key: new.clone() },
        Step::Deactivate { key: retired.clone() },
        Step::ProveAgain { key: new, retired },
    ];
    for (done, step) in (1..).zip(steps) {
        assert_eq!(next(&situation(9, Some(forward(done)), &both), &timer()), Decision::Do(step));
    }
}

#[test]
fn the_old_key_is_deactivated_only_on_a_list_that_shows_the_new_one_active() {
    let reread = || Some(forward(4));
    assert_eq!(next(&situation(9, reread(), &[]), &rotate()), Decision::Do(Step::List));
    let wait = Decision::Wait { until: at(62), reason: Waiting::FreshList };
    assert_eq!(next(&situation(9, reread(), &[old()]), &rotate()), wait);
    assert_eq!(
        next(&situation(62, reread(), &[old()]), &rotate()),
        Decision::Blocked(Blocked::KeepGone { key: id("NEW") })
    );
    let off = [old(), key("NEW", Status::Inactive, 0)];
    let blocked = Blocked::KeepNotActive { key: id("NEW"), status: Status::Inactive };
    assert_eq!(next(&situation(9, reread(), &off), &rotate()), Decision::Blocked(blocked));
}

#[test]
fn the_old_key_is_not_deactivated_on_the_proof_of_an_earlier_run() {
    let both = [old(), key("NEW", Status::Active, 0)];
    let proof = Decision::Do(Step::Reread { key: id("NEW") });
    assert_eq!(next(&situation(14, Some(forward(4)), &both), &rotate()), proof);
    let off = Decision::Do(Step::Deactivate { key: id("OLD") });
    assert_eq!(next(&situation(13, Some(forward(4)), &both), &rotate()), off);
    // A list that was asked for in time and came late is no reason to prove again, and to list again after it.
    let slow = Situation { asked: at(5), ..situation(40, Some(forward(4)), &both) };
    assert_eq!(next(&slow, &rotate()), off);
}

#[test]
fn a_list_without_the_retiring_key_may_be_older_than_it() {
    let s = situation(9, Some(forward(4)), &[key("NEW", Status::Active, 0)]);
    assert_eq!(next(&s, &rotate()), Decision::Do(Step::Deactivate { key: id("OLD") }));
}

#[test]
fn a_new_key_that_somebody_deleted_before_it_was_published_ends_the_rotation() {
    let s = situation(100, Some(forward(1)), &[]);
    assert_eq!(next(&s, &rotate()), Decision::Do(Step::List));
    let Decision::Do(Step::Record(Event::Abandoned { .. })) =
        next(&situation(100, Some(forward(1)), &[old()]), &rotate())
    else {
        panic!("not abandoned")
    };
}

#[test]
fn a_staged_secret_that_is_lost_makes_its_key_an_orphan_of_ours() {
    let mut s = situation(9, Some(forward(1)), &[]);
    s.stashed.clear();
    assert_eq!(next(&s, &rotate()), record(Event::Unstored { key: id("NEW") }));
}

#[test]
fn an_old_key_that_another_tool_wrote_back_is_replaced_again() {
    for done in [3, 4, 5, 6] {
        let mut s =
            situation(200, Some(forward(done)), &[key("OLD", Status::Inactive, -DAY), key("NEW", Status::Active, 0)]);
        (s.published, s.stashed) = (vec![id("OLD")], vec![id("OLD"), id("NEW")]);
        assert_eq!(next(&s, &rotate()), Decision::Do(Step::Publish { old: id("OLD"), new: id("NEW") }), "{done}");
    }
}

#[test]
fn a_profile_that_holds_neither_key_is_left_alone() {
    let mut s = situation(9, Some(forward(2)), &[]);
    s.published = vec![id("OTHER")];
    s.stashed = vec![id("NEW")];
    let blocked = Blocked::ProfileChanged { old: id("OLD"), new: id("NEW") };
    assert_eq!(next(&s, &rotate()), Decision::Blocked(blocked));
}

fn retired_at(second: i64, status: Status) -> Situation {
    situation(second, Some(forward(6)), &[key("OLD", status, -DAY), key("NEW", Status::Active, 0)])
}

#[test]
fn a_retired_key_in_grace_is_asked_about_and_with_yes_deleted() {
    let s = retired_at(100, Status::Inactive);
    let blocked = Blocked::RetiredInGrace { key: id("OLD"), delete_after: at(DAY + 5) };
    assert_eq!(next(&s, &rotate()), Decision::Blocked(blocked));
    assert_eq!(next(&s, &with_yes()), delete("OLD", DeleteReason::Retired));
}

#[test]
fn a_retired_key_past_grace_is_deleted_by_whoever_comes() {
    let s = retired_at(DAY + 5, Status::Inactive);
    for policy in [rotate(), timer(), policy(Goal::Finish { now: false })] {
        assert_eq!(next(&s, &policy), delete("OLD", DeleteReason::Retired));
    }
    let before = retired_at(DAY + 4, Status::Inactive);
    let idle = Decision::Idle(Idle::Retired { key: id("OLD"), delete_after: at(DAY + 5) });
    assert_eq!(next(&before, &policy(Goal::Finish { now: false })), idle);
    assert_eq!(next(&before, &policy(Goal::Finish { now: true })), delete("OLD", DeleteReason::Retired));
}

#[test]
fn the_run_that_retired_a_key_never_deletes_it() {
    let over = Policy { may_start: false, retire_after: TimeDelta::zero(), yes: true, ..rotate() };
    let idle = Decision::Idle(Idle::Retired { key: id("OLD"), delete_after: at(5) });
    assert_eq!(next(&retired_at(100, Status::Inactive), &over), idle);
}

#[test]
fn a_retired_key_that_is_active_again_is_never_touched() {
    let goals =
        [Goal::Rotate { older_than: None }, Goal::RotateDue { week: None }, Goal::Finish { now: true }, Goal::Rollback];
    for goal in goals {
        let s = retired_at(2 * DAY, Status::Active);
        let decision = next(&s, &Policy { yes: true, ..policy(goal) });
        assert_eq!(decision, Decision::Blocked(Blocked::RetiredActiveAgain { key: id("OLD") }));
    }
    let wait = Decision::Wait { until: at(65), reason: Waiting::FreshList };
    assert_eq!(next(&retired_at(10, Status::Active), &with_yes()), wait);
}

#[test]
fn the_retired_key_stays_while_the_profiles_own_key_is_in_doubt() {
    let s = situation(100, Some(forward(6)), &[key("OLD", Status::Inactive, -DAY)]);
    assert_eq!(next(&s, &with_yes()), Decision::Blocked(Blocked::TargetGone { key: id("NEW") }));
}

#[test]
fn rollback_works_in_grace_and_not_after_it_and_only_to_a_key_that_is_there() {
    let back = policy(Goal::Rollback);
    assert_eq!(next(&retired_at(100, Status::Inactive), &back), record(Event::Rollback));
    assert_eq!(
        next(&retired_at(DAY + 5, Status::Inactive), &back),
        Decision::Blocked(Blocked::GraceOver { key: id("OLD") })
    );
    let mut lost = retired_at(100, Status::Inactive);
    lost.stashed.clear();
    assert_eq!(next(&lost, &back), Decision::Blocked(Blocked::SecretLost { key: id("OLD") }));
    let gone = situation(9, Some(forward(3)), &[key("NEW", Status::Active, 0)]);
    assert_eq!(next(&gone, &back), Decision::Blocked(Blocked::KeepGone { key: id("OLD") }));
    assert_eq!(next(&situation(9, None, &[old()]), &back), Decision::Blocked(Blocked::NothingToRollBack));
}

#[test]
fn an_unfinished_rotation_is_resumed_whatever_the_age_says_and_finish_leaves_it() {
    let young = policy(Goal::Rotate { older_than: Some(TimeDelta::days(400)) });
    let s = situation(9, Some(forward(2)), &[]);
    assert_eq!(next(&s, &young), Decision::Do(Step::Publish { old: id("OLD"), new: id("NEW") }));
    assert_eq!(next(&s, &policy(Goal::Finish { now: true })), Decision::Blocked(Blocked::Unfinished));
}

#[test]
fn a_young_key_is_let_be() {
    let young = policy(Goal::Rotate { older_than: Some(TimeDelta::days(41)) });
    let age = TimeDelta::days(40);
    assert_eq!(next(&situation(0, None, &[old()]), &young), Decision::Idle(Idle::YoungEnough { age }));
}
