//! A report that is read and written again has the same bytes, whatever other people's text is in it.

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;

use keyrot_me::keys::facts::{LastUsed, Status, Time};
use keyrot_me::keys::purge::review::{Listed, Past, Remark, Review};
use keyrot_me::keys::purge::row::{
    AccountSummary, CapHit, ExemptBy, ExemptUser, KeyRow, Outcome, Skipped, Stopped, Summary,
};
use keyrot_me::keys::purge::{Census, Decision, Rule, Totals, UserFacts, Verb};

use super::merge::{part, written_again};
use super::rows::{HOSTILE, key_id, summary};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), Just(HOSTILE.to_owned()), Just(String::new()), "[ -~]{0,12}"]
}

/// IAM's times are whole seconds.
fn instant() -> impl Strategy<Value = Time> {
    (0..4_000_000_000_i64).prop_map(|seconds| DateTime::from_timestamp(seconds, 0).unwrap())
}

fn a_user() -> impl Strategy<Value = UserFacts> {
    (text(), text()).prop_map(|(name, id)| UserFacts { name, id })
}

fn a_row() -> impl Strategy<Value = KeyRow> {
    let used = (instant(), text(), text()).prop_map(|(at, service, region)| LastUsed { at, service, region });
    let outcome = prop_oneof![Just(Outcome::Planned), Just(Outcome::Done), text().prop_map(Outcome::Failed)];
    let decision = (
        prop::sample::select(Verb::ALL.to_vec()),
        prop::sample::select(Rule::ALL.to_vec()),
        prop::option::of(instant()),
        prop::option::of(text()),
    );
    let decision = decision.prop_map(|(verb, rule, until, note)| Decision { verb, rule, until, note });
    let facts = (text(), a_user(), 0_usize..999_999_999, text(), instant(), -1_000_000_000_i64..4_000_000_000);
    (facts, prop::option::of(used), decision, outcome, prop::option::of(text()), instant()).prop_map(
        |((account, user, key, status, created, age), last_used, decision, outcome, request_id, at)| KeyRow {
            account,
            user,
            key: key_id(key),
            status: Status::from_wire(&status),
            created,
            age: TimeDelta::seconds(age),
            last_used,
            contact: None,
            decision,
            outcome,
            request_id,
            at,
        },
    )
}

/// With a list that is longer than a review keeps, now and then.
fn a_review() -> impl Strategy<Value = Box<Review>> {
    let remarks = prop::collection::vec((text(), text(), text()), 0..3);
    (remarks, prop::option::of(instant()), any::<bool>(), 0_u64..1 << 40, 0_usize..600).prop_map(
        |(remarks, since, asked, number, many)| {
            let mut review = Review { period_seconds: 604_800, since, rotated: number, ..Review::default() };
            let remark = |(account, user, why)| Remark { account, user, why };
            remarks.into_iter().map(remark).for_each(|it| review.exemptions_void.push(it));
            review.without_owner = asked.then(Listed::default);
            let entry = Remark { account: "1".into(), user: "u".into(), why: HOSTILE.into() };
            (0..many).for_each(|_| review.without_owner.get_or_insert_default().push(entry.clone()));
            Box::new(review)
        },
    )
}

fn an_account() -> impl Strategy<Value = AccountSummary> {
    let numbers = prop::array::uniform32(0_u64..1 << 40);
    let skipped = prop::collection::vec((text(), text()).prop_map(|(what, cause)| Skipped { what, cause }), 0..3);
    let by = prop_oneof![
        text().prop_map(ExemptBy::Group),
        (text(), instant()).prop_map(|(reason, ends)| ExemptBy::Tag { reason, ends })
    ];
    let spared = (a_user(), by, prop::collection::vec((0_usize..99).prop_map(key_id), 0..3));
    let review = prop::option::of(a_review());
    let exemptions = prop::collection::vec(spared.prop_map(|(user, by, keys)| ExemptUser { user, by, keys }), 0..3);
    let flags = (any::<bool>(), any::<bool>());
    (text(), text(), prop::option::of(text()), numbers, skipped, exemptions, flags, review).prop_map(
        |(account, name, left, n, skipped, exemptions, (capped, cut_short), review)| {
            let mut totals = Totals::default();
            Verb::ALL.iter().zip(n).for_each(|(verb, keys)| totals.set(*verb, keys));
            AccountSummary {
                account,
                name,
                left,
                users_expected: n[8],
                users_evaluated: n[9],
                users_exempt: n[10],
                keys_evaluated: n[11],
                totals,
                done: Totals::default(),
                census: Census {
                    users_with_keys: n[12],
                    keys: n[13],
                    over_limit: n[14],
                    near_limit: n[15],
                    oldest_seconds: n[16],
                    age_seconds: n[17],
                },
                review,
                skipped,
                exemptions,
                cap: capped.then_some(CapHit { affected: n[18], allowed: n[19], scanned: n[20] }),
                failed: n[21],
                calls: n[22],
                throttled: n[23],
                cut_short,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_report_that_is_read_and_written_again_has_the_same_bytes(
        keys in prop::collection::vec(a_row(), 0..6),
        accounts in prop::collection::vec(an_account(), 0..4),
        applied in any::<bool>(),
        stop in prop::option::of(prop::sample::select(vec![Stopped::Asked, Stopped::OutOfTime, Stopped::Unreported])),
        skipped in prop::option::of((text(), text())),
        past in prop::option::of(Just(Past { runs: 3, disabled: 2, deleted: 1, trend: Vec::new() })),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part.json");
        let mut known = std::collections::HashSet::new();
        let accounts: Vec<AccountSummary> =
            accounts.into_iter().filter(|it| !it.account.is_empty() && known.insert(it.account.clone())).collect();
        let skipped = skipped.map(|(what, cause)| Skipped { what, cause }).into_iter().collect();
        let mut whole = Summary { applied, stopped: stop, skipped, ..summary(&accounts) };
        if let Some(review) = &mut whole.review {
            review.past = past;
        }
        part(&path, &keys, &accounts, &whole);
        let (written, again) = written_again(&path);
        prop_assert_eq!(written, again);
    }
}
