//! The rules one by one, each at its very boundary.

use chrono::TimeDelta;

use super::decide::{wants_last_use, wants_tags};
use super::*;
use crate::keys::facts::Status;

mod cases;
mod explaining;
mod fixture;
mod properties;
mod rows;

use fixture::*;

const SECOND: TimeDelta = TimeDelta::seconds(1);

/// The decision on an Active key of this age, of a user without tags.
fn of_age(age: TimeDelta) -> Decision {
    of_key(active(age), &rules())
}

fn of_key(key: KeyRead, rules: &Rules) -> Decision {
    decide_one(&user([key]), rules)
}

fn decide_one(user: &UserRead, rules: &Rules) -> Decision {
    decide(user, &user.keys[0], rules, now())
}

fn said(decision: &Decision) -> (Verb, Rule) {
    (decision.verb, decision.rule)
}

fn note(decision: &Decision) -> &str {
    decision.note.as_deref().unwrap_or_default()
}

/// An over-age key of a user with this exemption, while the tag counts.
fn exempted(value: &str) -> Decision {
    decide_one(&tagged(user([active(days(6))]), records::EXEMPT, value), &Rules { exempt_tag: true, ..rules() })
}

/// An over-age Inactive key with this record.
fn recorded(value: &str, grace: TimeDelta) -> Decision {
    let user = user([inactive(days(40))]);
    let name = records::disabled_tag(&user.keys[0].facts.id);
    decide_one(&tagged(user, &name, value), &Rules { grace, ..rules() })
}

#[test]
fn a_key_is_over_age_at_the_very_second_of_the_limit() {
    assert_eq!(of_age(days(5)), Decision::new(Verb::Disable, Rule::OverAge));
    assert_eq!(of_age(days(5) - SECOND).verb, Verb::Warn);
    assert_eq!(of_age(TimeDelta::zero()), Decision::new(Verb::Keep, Rule::UnderAge));
}

#[test]
fn an_active_key_is_warned_of_from_the_very_second_at_which_the_next_purge_would_take_it() {
    let warned = of_age(days(4));
    assert_eq!(said(&warned), (Verb::Warn, Rule::WarnBefore));
    assert_eq!((warned.until, warned.note), (Some(now() + days(1)), None));
    assert_eq!(of_age(days(4) - SECOND), Decision::new(Verb::Keep, Rule::UnderAge));
    for status in [Status::Inactive, Status::Other("Expired".into())] {
        assert_eq!(of_key(key(status, days(4)), &rules()), Decision::new(Verb::Keep, Rule::UnderAge));
    }
}

#[test]
fn without_warn_before_nobody_is_warned() {
    let silent = Rules { warn_before: TimeDelta::zero(), ..rules() };
    assert_eq!(of_key(active(days(5) - SECOND), &silent), Decision::new(Verb::Keep, Rule::UnderAge));
}

#[test]
fn all_keys_means_a_key_created_in_the_future_too() {
    let all = Rules { max_age: TimeDelta::zero(), ..rules() };
    assert_eq!(said(&of_key(active(-days(1)), &all)), (Verb::Disable, Rule::OverAge));
    assert_eq!(said(&of_key(active(TimeDelta::zero()), &all)), (Verb::Disable, Rule::OverAge));
    assert_eq!(said(&of_age(-days(30))), (Verb::Keep, Rule::UnderAge));
}

#[test]
fn the_key_and_the_user_that_the_purge_runs_on_are_kept_whatever_else_is_so() {
    let exempt =
        UserRead { standing: Standing::Exempt("Vendors".into()), ..user([active(days(400)), inactive(days(400))]) };
    let own_key = Rules { own_keys: vec![exempt.keys[0].facts.id.clone()], ..rules() };
    let of = |index: usize, rules: &Rules| said(&decide(&exempt, &exempt.keys[index], rules, now()));
    assert_eq!(of(0, &own_key), (Verb::Keep, Rule::OwnKey));
    assert_eq!(of(1, &own_key), (Verb::Exempt, Rule::ExemptGroup));
    let own_user = Rules { own_user: Some("alice".into()), ..rules() };
    assert_eq!((of(0, &own_user), of(1, &own_user)), ((Verb::Keep, Rule::OwnKey), (Verb::Keep, Rule::OwnKey)));
    let other_user = Rules { own_user: Some("alic".into()), ..rules() };
    assert_eq!(of(0, &other_user), (Verb::Exempt, Rule::ExemptGroup));
}

#[test]
fn a_user_outside_the_groups_is_kept_and_a_member_of_an_exempt_one_is_named_with_it() {
    let outside = UserRead { standing: Standing::Outside, ..user([active(days(400))]) };
    assert_eq!(decide_one(&outside, &rules()), Decision::new(Verb::Keep, Rule::NotATarget));
    for age in [days(400), days(1)] {
        let exempt = UserRead { standing: Standing::Exempt("Vendors".into()), ..user([active(age)]) };
        let decision = decide_one(&exempt, &rules());
        assert_eq!(said(&decision), (Verb::Exempt, Rule::ExemptGroup));
        assert_eq!((note(&decision), decision.until), ("member of the exempt group Vendors", None));
    }
}

#[test]
fn an_exemption_tag_spares_an_over_age_key_to_the_end_of_its_day() {
    let spared = exempted("2026-11-20 OPS-7 vendor migration");
    assert_eq!(said(&spared), (Verb::Exempt, Rule::ExemptTag));
    assert_eq!((spared.until, note(&spared)), (Some(at("2026-11-21T00:00:00Z")), "OPS-7 vendor migration"));
    assert_eq!(exempted("2027-02-18 OPS-7 vendor").verb, Verb::Exempt);
}

#[test]
fn a_void_exemption_spares_nothing_and_is_reported_with_its_reason() {
    for (value, why) in [
        ("2026-11-19 OPS-7 vendor", "its date is past"),
        ("2027-02-19 OPS-7 vendor", "its date is more than 90 days ahead"),
        ("2026-12-01 OPS-7", "it must read YYYY-MM-DD ticket reason"),
        ("soon OPS-7 vendor", "it must read YYYY-MM-DD ticket reason"),
        ("", "it must read YYYY-MM-DD ticket reason"),
    ] {
        let decision = exempted(value);
        assert_eq!(said(&decision), (Verb::Disable, Rule::OverAge), "{value:?}");
        assert_eq!(note(&decision), format!("the exemption {value:?} is void: {why}"));
    }
}

#[test]
fn a_void_exemption_is_reported_with_a_deletion_too() {
    let past = "first=2026-11-01T00:00:00Z last=2026-11-01T00:00:00Z n=1";
    let user = tagged(user([inactive(days(40))]), &records::disabled_tag(&id(1)), past);
    let decision = decide_one(&tagged(user, records::EXEMPT, "soon"), &Rules { exempt_tag: true, ..rules() });
    assert_eq!(said(&decision), (Verb::Delete, Rule::PastGrace));
    assert_eq!(note(&decision), r#"the exemption "soon" is void: it must read YYYY-MM-DD ticket reason"#);
}

#[test]
fn a_void_exemption_is_reported_beside_another_note() {
    let user = tagged(user([active(days(6)), inactive(days(6))]), records::EXEMPT, "soon");
    let user = tagged(user, &records::disabled_tag(&id(1)), "first=2026-11-01T00:00:00Z last=2026-11-02T00:00:00Z n=2");
    let user = tagged(user, &records::disabled_tag(&id(2)), "yesterday");
    let rules = Rules { exempt_tag: true, ..rules() };
    let notes: Vec<_> = user.keys.iter().map(|key| decide(&user, key, &rules, now()).note.unwrap()).collect();
    let void = r#"the exemption "soon" is void: it must read YYYY-MM-DD ticket reason"#;
    assert_eq!(notes[0], format!("we disabled it at 2026-11-02 00:00 UTC, and somebody switched it on again; {void}"));
    assert_eq!(notes[1], format!(r#"the record "yesterday" cannot be read; {void}"#));
}

#[test]
fn an_exemption_tag_counts_only_where_it_was_asked_for() {
    for value in ["2026-12-01 OPS-7 vendor", "soon"] {
        let user = tagged(user([active(days(6))]), records::EXEMPT, value);
        assert_eq!(decide_one(&user, &rules()), Decision::new(Verb::Disable, Rule::OverAge));
    }
}

#[test]
fn an_exemption_tag_changes_nothing_for_a_key_that_is_under_age() {
    let rules = Rules { exempt_tag: true, ..rules() };
    for (age, verb) in [(days(1), Verb::Keep), (days(4), Verb::Warn)] {
        let user = tagged(user([active(age)]), records::EXEMPT, "2026-12-01 OPS-7 vendor");
        assert_eq!(decide_one(&user, &rules).verb, verb);
        assert!(!wants_tags(&user, &rules, now()));
    }
}

#[test]
fn a_status_that_is_not_known_is_left_alone() {
    let decision = of_key(key(Status::Other("Expired".into()), days(40)), &rules());
    assert_eq!(said(&decision), (Verb::Skip, Rule::UnknownStatus));
    assert_eq!(note(&decision), "the status \"Expired\" is not known to this program");
}

#[test]
fn a_key_in_use_is_kept_until_it_was_unused_for_so_long() {
    let rules = Rules { unused_for: Some(days(10)), ..rules() };
    let of = |ago| said(&of_key(used(active(days(40)), ago), &rules));
    assert_eq!(of(days(10)), (Verb::Disable, Rule::OverAge));
    assert_eq!(of(days(10) - SECOND), (Verb::Keep, Rule::InUse));
    assert_eq!(of(-days(1)), (Verb::Keep, Rule::InUse));
}

#[test]
fn a_last_use_before_the_creation_counts_as_the_creation() {
    let rules = Rules { unused_for: Some(days(10)), ..rules() };
    assert_eq!(said(&of_key(used(active(days(9)), days(400)), &rules)), (Verb::Keep, Rule::InUse));
    assert_eq!(said(&of_key(used(active(days(10)), days(400)), &rules)), (Verb::Disable, Rule::OverAge));
}

#[test]
fn a_key_never_used_is_unused_since_its_creation_if_iam_would_know() {
    let rules = Rules { unused_for: Some(days(10)), ..rules() };
    let of = |age| of_key(KeyRead { used: Use::Never, ..active(age) }, &rules);
    assert_eq!(said(&of(days(10))), (Verb::Disable, Rule::OverAge));
    assert_eq!(said(&of(days(10) - SECOND)), (Verb::Keep, Rule::InUse));
    let tracked = now() - at("2015-04-22T00:00:00Z");
    assert_eq!(said(&of(tracked)), (Verb::Disable, Rule::OverAge));
    let older = of(tracked + SECOND);
    assert_eq!(said(&older), (Verb::Skip, Rule::Unread));
    assert_eq!(note(&older), "made before IAM kept last uses: no use on record says nothing");
    let old_and_used = used(active(tracked + SECOND), days(11));
    assert_eq!(said(&of_key(old_and_used, &rules)), (Verb::Disable, Rule::OverAge));
}

#[test]
fn a_last_use_that_was_not_read_is_not_never_used() {
    let rules = Rules { unused_for: Some(days(10)), ..rules() };
    let decision = of_key(active(days(40)), &rules);
    assert_eq!(said(&decision), (Verb::Skip, Rule::Unread));
    assert_eq!(note(&decision), "the last use was not read");
}

#[test]
fn the_last_use_of_a_key_that_is_off_does_not_matter() {
    let rules = Rules { unused_for: Some(days(10)), grace: days(7), ..rules() };
    let off = tagged(user([used(inactive(days(40)), days(1))]), "team", "x");
    assert_eq!(said(&decide_one(&off, &rules)), (Verb::Wait, Rule::NoRecord));
}

#[test]
fn an_inactive_key_without_a_record_waits_from_now_on() {
    let waiting = decide_one(&tagged(user([inactive(days(40))]), "team", "x"), &rules());
    let expected = Decision { until: Some(now() + days(7)), ..Decision::new(Verb::Wait, Rule::NoRecord) };
    assert_eq!(waiting, expected);
}

#[test]
fn grace_runs_from_the_last_disabling_and_ends_at_its_very_second() {
    let over = recorded("first=2026-11-13T23:55:00Z last=2026-11-13T23:55:00Z n=1", days(7));
    assert_eq!(over, Decision::new(Verb::Delete, Rule::PastGrace));
    let in_grace = recorded("first=2026-10-01T00:00:00Z last=2026-11-13T23:55:01Z n=3", days(7));
    let ends = Some(at("2026-11-20T23:55:01Z"));
    assert_eq!(in_grace, Decision { until: ends, ..Decision::new(Verb::Wait, Rule::InGrace) });
}

#[test]
fn a_record_in_the_future_or_one_that_cannot_be_read_counts_as_none() {
    let first = "first=2026-10-01T00:00:00Z";
    for (value, why) in [
        (format!("{first} last=2026-11-20T23:55:01Z n=1"), "lies in the future"),
        (format!("{first} last=yesterday n=1"), "cannot be read"),
    ] {
        let decision = recorded(&value, days(7));
        assert_eq!(said(&decision), (Verb::Wait, Rule::NoRecord));
        assert_eq!(decision.until, Some(now() + days(7)));
        assert_eq!(note(&decision), format!("the record {value:?} {why}"));
    }
    let this_second = recorded(&format!("{first} last=2026-11-20T23:55:00Z n=1"), days(7));
    assert_eq!(said(&this_second), (Verb::Wait, Rule::InGrace));
}

#[test]
fn a_key_switched_on_again_is_disabled_again_and_said_to_be_reactivated() {
    let disabled = "first=2026-11-01T00:00:00Z last=2026-11-02T00:00:00Z n=2";
    let on = tagged(user([active(days(40))]), &records::disabled_tag(&id(1)), disabled);
    let decision = decide_one(&on, &rules());
    assert_eq!(said(&decision), (Verb::Disable, Rule::Reactivated));
    assert_eq!(note(&decision), "we disabled it at 2026-11-02 00:00 UTC, and somebody switched it on again");
    let others = tagged(user([active(days(40))]), &records::disabled_tag(&id(2)), disabled);
    assert_eq!(decide_one(&others, &rules()), Decision::new(Verb::Disable, Rule::OverAge));
}

#[test]
fn an_active_key_with_a_record_that_cannot_be_read_is_disabled_and_the_record_reported() {
    let on = tagged(user([active(days(40))]), &records::disabled_tag(&id(1)), "by hand");
    let decision = decide_one(&on, &rules());
    assert_eq!(said(&decision), (Verb::Disable, Rule::OverAge));
    assert_eq!(note(&decision), "the record \"by hand\" cannot be read");
}

#[test]
fn a_key_switched_on_again_and_kept_because_it_is_in_use_is_said_to_be_so() {
    let disabled = "first=2026-11-01T00:00:00Z last=2026-11-02T00:00:00Z n=2";
    let on = tagged(user([used(active(days(40)), days(1))]), &records::disabled_tag(&id(1)), disabled);
    let decision = decide_one(&on, &Rules { unused_for: Some(days(10)), ..rules() });
    assert_eq!(said(&decision), (Verb::Keep, Rule::InUse));
    assert_eq!(note(&decision), "we disabled it at 2026-11-02 00:00 UTC, and somebody switched it on again");
}

#[test]
fn without_grace_a_key_is_deleted_in_the_same_run_whatever_the_records_say() {
    let zero = Rules { grace: TimeDelta::zero(), ..rules() };
    assert_eq!(of_key(active(days(5)), &zero), Decision::new(Verb::Delete, Rule::OverAge));
    assert_eq!(said(&of_key(active(days(5) - SECOND), &zero)), (Verb::Warn, Rule::WarnBefore));
    let untagged = tagged(user([inactive(days(5))]), "team", "x");
    assert_eq!(decide_one(&untagged, &zero), Decision::new(Verb::Delete, Rule::NoRecord));
    for (value, rule) in [
        ("first=2026-11-20T23:55:00Z last=2026-11-20T23:55:00Z n=1", Rule::PastGrace),
        ("first=2026-11-20T23:55:00Z last=2026-11-20T23:55:01Z n=1", Rule::NoRecord),
        ("never", Rule::NoRecord),
    ] {
        let decision = recorded(value, TimeDelta::zero());
        assert_eq!((said(&decision), decision.until), ((Verb::Delete, rule), None), "{value}");
    }
    let disabled = "first=2026-11-01T00:00:00Z last=2026-11-02T00:00:00Z n=2";
    let on = tagged(user([active(days(40))]), &records::disabled_tag(&id(1)), disabled);
    assert_eq!(said(&decide_one(&on, &zero)), (Verb::Delete, Rule::Reactivated));
}

#[test]
fn tags_that_were_not_read_are_not_no_tags() {
    for (key, rules) in [
        (active(days(6)), Rules { exempt_tag: true, ..rules() }),
        (inactive(days(6)), rules()),
        (inactive(days(6)), Rules { grace: TimeDelta::zero(), ..rules() }),
    ] {
        let user = user([key]);
        assert_eq!(user.tags, None);
        assert!(wants_tags(&user, &rules, now()));
        let decision = decide_one(&user, &rules);
        assert_eq!(said(&decision), (Verb::Skip, Rule::Unread));
        assert_eq!(note(&decision), "the user's tags were not read");
    }
}

#[test]
fn tags_are_asked_for_only_where_a_decision_needs_them() {
    let wants = |key, exempt_tag| wants_tags(&user([active(days(1)), key]), &Rules { exempt_tag, ..rules() }, now());
    let expired = |age| key(Status::Other("Expired".into()), age);
    assert_eq!(
        [active(days(6)), inactive(days(6)), expired(days(6))].map(|key| wants(key, false)),
        [false, true, false]
    );
    assert_eq!([active(days(6)), inactive(days(6)), expired(days(6))].map(|key| wants(key, true)), [true, true, true]);
    assert_eq!(
        [active(days(4)), inactive(days(4)), expired(days(4))].map(|key| wants(key, true)),
        [false, false, false]
    );
}

#[test]
fn the_last_use_is_asked_for_only_of_offenders_and_only_if_somebody_wants_it() {
    let keys = [active(days(1)), active(days(6)), inactive(days(6)), key(Status::Other("Expired".into()), days(6))];
    let user = tagged(user(keys), records::EXEMPT, "2026-12-01 OPS-7 vendor");
    let asks = Rules { unused_for: Some(days(10)), ..rules() };
    assert_eq!(wants_last_use(&user, &rules(), now(), false), []);
    assert_eq!(wants_last_use(&user, &asks, now(), false), [id(2)]);
    assert_eq!(wants_last_use(&user, &rules(), now(), true), [id(2), id(3), id(4)]);
    let exempt = Rules { exempt_tag: true, ..asks };
    assert_eq!(wants_last_use(&user, &exempt, now(), true), []);
    let unread = UserRead { tags: None, ..user };
    assert_eq!(wants_last_use(&unread, &exempt, now(), true), []);
}
