//! `--explain`: the exact words of the main cases, and that they never say other than the rules do.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::cases::{UserCase, account, any_rules};
use super::fixture::*;
use crate::keys::facts::Status;
use crate::keys::purge::decide::Asked;
use crate::keys::purge::explain::Answer;
use crate::keys::purge::{Check, KeyRead, Rules, Standing, Use, UserRead, decide, explain, records};

/// One line per rule that was asked, the one that decided with `=>`, and what happens next.
fn lines(user: &UserRead, rules: &Rules) -> Vec<String> {
    let told = explain(user, &user.keys[0], rules, now());
    assert_eq!((told.user, told.key), (user.user.clone(), id(1)));
    let line = |(check, answer): (Check, Answer)| match answer {
        Answer::Passed(saw) => Some(format!("{}: {saw}", check.as_str())),
        Answer::Decided(saw) => Some(format!("{} => {saw}", check.as_str())),
        Answer::NotAsked => None,
    };
    let steps = told.steps.into_iter().map(|step| (step.check, step.answer));
    steps.filter_map(line).chain([format!("next: {}", told.next)]).collect()
}

/// The line of the rule that decided, and what happens next.
fn end(user: &UserRead, rules: &Rules) -> [String; 2] {
    lines(user, rules).last_chunk().unwrap().clone()
}

fn record(last: &str, times: u32) -> String {
    format!("first=2026-11-01T00:00:00Z last={last} n={times}")
}

fn marked(key: KeyRead, value: &str) -> UserRead {
    tagged(user([key]), &records::disabled_tag(&id(1)), value)
}

#[test]
fn an_over_age_key_is_explained_rule_by_rule() {
    let age = days(50) + TimeDelta::hours(3);
    let ago = days(10) + TimeDelta::hours(14);
    let rules = Rules { exempt_tag: true, unused_for: Some(days(10)), own_keys: vec![id(9)], ..rules() };
    let key = used(active(age), ago);
    assert_eq!(
        lines(&tagged(user([key]), "team", "x"), &rules),
        [
            "own-key: the purge runs on AKIAEXAMPLE000000009",
            "membership: its user was asked for and is a member of no exempt group",
            "age: created 2026-10-01 20:55 UTC, 50 d 3 h old; the limit is 5 d",
            "exempt-tag: there is no tag keyrot-me/exempt",
            "status: the status is Active",
            "last-use: last used 2026-11-10 09:55 UTC by s3 in eu-central-1, 10 d 14 h ago; the limit is 10 d",
            "disabling => the key is Active; no record that we disabled it",
            "next: disable now; delete after 2026-11-27 23:55 UTC",
        ]
    );
}

#[test]
fn an_inactive_key_is_explained_with_its_record() {
    let off = |value: &str| lines(&marked(inactive(days(40)), value), &rules())[4..].to_vec();
    assert_eq!(
        lines(&marked(inactive(days(40)), &record("2026-11-13T23:55:00Z", 2)), &rules())[3..],
        [
            "exempt-tag: --exempt-tag is not given: no tag exempts",
            "status: the status is Inactive",
            "last-use: --unused-for is not given",
            "disabling => the key is Inactive; disabled by us first 2026-11-01 00:00 UTC, last 2026-11-13 23:55 UTC, \
             2 times; the grace of 7 d ends 2026-11-20 23:55 UTC",
            "next: delete now",
        ]
    );
    assert_eq!(
        off(&record("2026-11-14T08:00:00Z", 1))[2..],
        [
            "disabling => the key is Inactive; disabled by us 2026-11-14 08:00 UTC; the grace of 7 d ends 2026-11-21 \
             08:00 UTC",
            "next: wait; delete after 2026-11-21 08:00 UTC",
        ]
    );
    assert_eq!(
        off("by hand")[2..],
        [
            "disabling => the key is Inactive; the record \"by hand\" cannot be read",
            "next: record it as disabled now; delete after 2026-11-27 23:55 UTC",
        ]
    );
}

#[test]
fn a_reactivated_key_is_explained_with_its_record() {
    assert_eq!(
        end(&marked(active(days(40)), &record("2026-11-13T23:55:00Z", 1)), &rules()),
        [
            "disabling => the key is Active; disabled by us 2026-11-13 23:55 UTC; the record is void, for somebody \
             switched it on again",
            "next: disable now; delete after 2026-11-27 23:55 UTC",
        ]
    );
}

#[test]
fn without_grace_both_is_done_now() {
    let zero = Rules { grace: TimeDelta::zero(), ..rules() };
    assert_eq!(end(&user([active(days(40))]), &zero)[1], "next: disable and delete now");
    assert_eq!(end(&tagged(user([inactive(days(40))]), "team", "x"), &zero)[1], "next: delete now");
}

#[test]
fn a_key_under_age_is_explained_with_the_time_of_its_limit() {
    assert_eq!(
        end(&user([active(days(1) + TimeDelta::hours(3))]), &rules()),
        [
            "age => created 2026-11-19 20:55 UTC, 1 d 3 h old; the limit is 5 d",
            "next: keep; over the limit from 2026-11-24 20:55 UTC",
        ]
    );
    assert_eq!(
        end(&user([active(-days(1))]), &rules()),
        [
            "age => created 2026-11-21 23:55 UTC, 0 s old; the limit is 5 d",
            "next: keep; over the limit from 2026-11-26 23:55 UTC",
        ]
    );
    assert_eq!(
        end(&user([active(days(4))]), &rules())[1],
        "next: keep and warn; over the limit from 2026-11-21 23:55 UTC"
    );
}

#[test]
fn a_key_in_use_is_explained_with_when_it_would_not_be() {
    let rules = Rules { unused_for: Some(days(10)), ..rules() };
    assert_eq!(
        end(&user([used(active(days(40)), days(2))]), &rules),
        [
            "last-use => last used 2026-11-18 23:55 UTC by s3 in eu-central-1, 2 d ago; the limit is 10 d",
            "next: keep; not in use from 2026-11-28 23:55 UTC if it is not used again",
        ]
    );
    assert_eq!(
        end(&user([KeyRead { used: Use::Never, ..active(days(6)) }]), &rules),
        [
            "last-use => no use on record; the limit is 10 d",
            "next: keep; not in use from 2026-11-24 23:55 UTC if it is not used again",
        ]
    );
}

#[test]
fn the_last_use_is_told_where_it_is_known_and_does_not_count() {
    let known = used(active(days(40)), days(2));
    assert_eq!(
        lines(&user([known]), &rules())[5],
        "last-use: last used 2026-11-18 23:55 UTC by s3 in eu-central-1, 2 d ago; --unused-for is not given"
    );
    let off = tagged(user([inactive(days(40))]), "team", "x");
    assert_eq!(
        lines(&off, &Rules { unused_for: Some(days(10)), ..rules() })[5],
        "last-use: the key is Inactive: --unused-for is for Active ones"
    );
}

#[test]
fn what_could_not_be_judged_is_explained_with_what_is_missing() {
    let next = "next: leave alone, and report that this key was not judged";
    let unused = Rules { unused_for: Some(days(10)), ..rules() };
    let exempt = Rules { exempt_tag: true, ..rules() };
    let never = KeyRead { used: Use::Never, ..active(days(5000)) };
    for (key, rules, decided) in [
        (active(days(40)), &unused, "last-use => the last use was not read; the limit is 10 d"),
        (never, &unused, "last-use => no use on record, and made before IAM kept last uses; the limit is 10 d"),
        (active(days(40)), &exempt, "exempt-tag => the user's tags were not read"),
        (inactive(days(40)), &rules(), "disabling => the key is Inactive; the user's tags were not read"),
        (key(Status::Other("Expired".into()), days(40)), &rules(), "status => the status is Expired"),
    ] {
        assert_eq!(end(&user([key]), rules), [decided, next]);
    }
}

#[test]
fn an_exemption_is_explained_with_its_reason_and_end() {
    let exempt = Rules { exempt_tag: true, ..rules() };
    let of = |value: &str| tagged(user([active(days(40))]), records::EXEMPT, value);
    assert_eq!(
        end(&of("2026-12-01 OPS-7 vendor"), &exempt),
        [
            "exempt-tag => the tag keyrot-me/exempt says \"OPS-7 vendor\"; it ends 2026-12-02 00:00 UTC",
            "next: leave alone until the exemption ends 2026-12-02 00:00 UTC",
        ]
    );
    assert_eq!(
        lines(&of("2026-11-01 OPS-7 vendor"), &exempt)[3],
        "exempt-tag: the exemption \"2026-11-01 OPS-7 vendor\" is void: its date is past"
    );
    let member = UserRead { standing: Standing::Exempt("Vendors".into()), ..user([active(days(40))]) };
    assert_eq!(
        end(&member, &rules()),
        [
            "membership => its user is a member of the exempt group Vendors",
            "next: leave alone as long as its user is in that group",
        ]
    );
}

#[test]
fn what_the_purge_never_looks_at_is_explained() {
    let outside = UserRead { standing: Standing::Outside, ..user([active(days(40))]) };
    assert_eq!(
        lines(&outside, &rules()),
        [
            "own-key: the purge runs on no user's key",
            "membership => its user is a member of no group that was asked for",
            "next: keep",
        ]
    );
    let own = Rules { own_keys: vec![id(1)], own_user: Some("bob".into()), ..rules() };
    assert_eq!(
        lines(&outside, &own),
        [
            "own-key => the purge runs on AKIAEXAMPLE000000001, a session of the user bob",
            "next: keep: the purge never touches what it runs on",
        ]
    );
}

#[test]
fn every_rule_has_its_own_name_and_question() {
    assert_eq!(
        Check::ORDER.map(Check::as_str),
        ["own-key", "membership", "age", "exempt-tag", "status", "last-use", "disabling"]
    );
    let questions: std::collections::BTreeSet<_> = Check::ORDER.map(Check::question).into();
    assert!(questions.len() == 7 && questions.iter().all(|question| question.ends_with('?')));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_explanation_says_what_the_rules_decide(users in account(), rules in any_rules()) {
        for user in users.iter().map(UserCase::read) {
            for key in &user.keys {
                let told = explain(&user, key, &rules, now());
                prop_assert_eq!(&told.decision, &decide(&user, key, &rules, now()));
                prop_assert!(told.steps.iter().map(|step| step.check).eq(Check::ORDER));
                let by = told.steps.iter().position(|step| matches!(step.answer, Answer::Decided(_))).unwrap();
                let alone = Check::ORDER[by].ask(&Asked { user: &user, key, rules: &rules, now: now() }).unwrap();
                prop_assert_eq!((alone.verb, alone.rule), (told.decision.verb, told.decision.rule));
                prop_assert!(told.steps[..by].iter().all(|step| matches!(&step.answer, Answer::Passed(saw) if !saw.is_empty())));
                prop_assert!(told.steps[by + 1..].iter().all(|step| step.answer == Answer::NotAsked));
            }
        }
    }
}
