//! What the rules promise of any account, whatever was and was not read of it.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::cases::{KeyCase, UserCase, account, any_rules};
use super::fixture::{at, now};
use crate::keys::facts::{KeyId, Status};
use crate::keys::purge::decide::{Asked, recorded, wants_last_use, wants_tags};
use crate::keys::purge::records::{Disabling, disabled_tag};
use crate::keys::purge::row::Totals;
use crate::keys::purge::{Cap, Check, Decision, Rule, Rules, Standing, Use, UserRead, Verb, decide};

/// Decisions by key.
type Plan = BTreeMap<KeyId, Decision>;

fn acts(decision: &Decision) -> bool {
    matches!(decision.verb, Verb::Disable | Verb::Delete)
}

fn decisions(users: &[UserRead], rules: &Rules) -> Plan {
    let of = |user: &UserRead| {
        user.keys.iter().map(|key| (key.facts.id.clone(), decide(user, key, rules, now()))).collect::<Vec<_>>()
    };
    users.iter().flat_map(of).collect()
}

/// Every key of the account with its user and the decision made on what was read.
fn decided(users: &[UserCase], rules: &Rules) -> Vec<(UserCase, KeyCase, Decision)> {
    let plan = decisions(&users.iter().map(UserCase::read).collect::<Vec<_>>(), rules);
    let pairs = users.iter().flat_map(|user| user.keys.iter().map(move |key| (user, key)));
    pairs.map(|(user, key)| (user.clone(), key.clone(), plan[&key.read.facts.id].clone())).collect()
}

fn age(key: &KeyCase) -> TimeDelta {
    (now() - key.read.facts.created).max(TimeDelta::zero())
}

fn own(user: &UserCase, key: &KeyCase, rules: &Rules) -> bool {
    rules.own_keys.contains(&key.read.facts.id) || rules.own_user.as_ref() == Some(&user.user.name)
}

/// Known to be unused for as long as the rules want.
fn unused(key: &KeyCase, limit: TimeDelta) -> bool {
    match &key.read.used {
        Use::NotAsked => false,
        Use::Never => key.read.facts.created >= at("2015-04-22T00:00:00Z") && age(key) >= limit,
        Use::Last(used) => (now() - used.at).max(TimeDelta::zero()).min(age(key)) >= limit,
    }
}

/// As a run reads: the lists, then what the rules ask for.
fn observed(user: &UserCase, rules: &Rules, report_asks: bool) -> UserRead {
    let mut read = user.listed();
    if wants_tags(&read, rules, now()) {
        read.tags = Some(user.tags());
    }
    for id in wants_last_use(&read, rules, now(), report_asks) {
        let case = user.keys.iter().find(|key| key.read.facts.id == id).unwrap();
        read.keys.iter_mut().find(|key| key.facts.id == id).unwrap().used = case.use_on_record.clone();
    }
    read
}

/// The account after a run that did all that it decided.
fn applied(users: &[UserRead], plan: &Plan) -> Vec<UserRead> {
    let mut users = users.to_vec();
    for user in &mut users {
        for key in &mut user.keys {
            let decision = &plan[&key.facts.id];
            let unrecorded = decision.verb == Verb::Wait && decision.rule == Rule::NoRecord;
            if decision.verb == Verb::Disable || unrecorded {
                let before = recorded(user.tags.as_ref(), &key.facts.id, now()).filter(|_| !unrecorded);
                let record = Disabling::again(before.as_ref(), now()).to_value();
                user.tags.get_or_insert_default().insert(disabled_tag(&key.facts.id), record);
                key.facts.status = Status::Inactive;
            }
        }
        user.keys.retain(|key| plan[&key.facts.id].verb != Verb::Delete);
    }
    users
}

fn totals<'a>(decisions: impl IntoIterator<Item = &'a Decision>) -> Totals {
    let mut totals = Totals::default();
    decisions.into_iter().for_each(|decision| totals.count(decision.verb));
    totals
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_outside_the_groups_is_touched(users in account(), rules in any_rules()) {
        for (user, _, decision) in decided(&users, &rules) {
            prop_assert!(user.standing == Standing::Target || !acts(&decision), "{user:?} {decision:?}");
            prop_assert!(user.standing == Standing::Target || decision.verb != Verb::Wait);
        }
    }

    #[test]
    fn nothing_exempt_is_touched(users in account(), rules in any_rules()) {
        for (user, _, decision) in decided(&users, &rules) {
            let by_group = matches!(user.standing, Standing::Exempt(_));
            let by_tag = rules.exempt_tag && user.pass.holds();
            prop_assert!(!(by_group || by_tag) || !acts(&decision), "{user:?} {decision:?}");
        }
    }

    #[test]
    fn nothing_under_age_is_touched(users in account(), rules in any_rules()) {
        for (_, key, decision) in decided(&users, &rules) {
            prop_assert!(age(&key) >= rules.max_age || !acts(&decision), "{key:?} {decision:?}");
        }
    }

    #[test]
    fn no_key_that_the_purge_runs_on_is_touched(users in account(), rules in any_rules()) {
        for (user, key, decision) in decided(&users, &rules) {
            prop_assert!(!own(&user, &key, &rules) || decision == Decision::new(Verb::Keep, Rule::OwnKey));
        }
    }

    #[test]
    fn nothing_is_deleted_before_a_recorded_grace_is_over(users in account(), rules in any_rules()) {
        for (user, key, decision) in decided(&users, &rules).into_iter().filter(|it| it.2.verb == Verb::Delete) {
            let past = key.mark.since().is_some_and(|since| now() >= since + rules.grace);
            let ours = user.tags_read && key.read.facts.status == Status::Inactive && past;
            prop_assert!(rules.grace.is_zero() || ours, "{key:?} {decision:?}");
        }
    }

    #[test]
    fn nothing_is_touched_whose_status_is_not_known(users in account(), rules in any_rules()) {
        for (_, key, decision) in decided(&users, &rules) {
            let known = matches!(key.read.facts.status, Status::Active | Status::Inactive);
            prop_assert!(known || !(acts(&decision) || decision.verb == Verb::Wait), "{key:?} {decision:?}");
        }
    }

    #[test]
    fn nothing_is_touched_while_a_read_is_missing(users in account(), rules in any_rules()) {
        for (user, key, decision) in decided(&users, &rules) {
            let active = key.read.facts.status == Status::Active;
            let needs_tags = rules.exempt_tag || !active;
            let needs_use = rules.unused_for.is_some() && active;
            let missing = (needs_tags && !user.tags_read) || (needs_use && key.read.used == Use::NotAsked);
            prop_assert!(!missing || !(acts(&decision) || decision.verb == Verb::Wait), "{key:?} {decision:?}");
        }
    }

    #[test]
    fn no_key_in_use_is_switched_off(users in account(), rules in any_rules()) {
        let Some(limit) = rules.unused_for else { return Ok(()) };
        for (_, key, decision) in decided(&users, &rules) {
            let spared = key.read.facts.status == Status::Active && !unused(&key, limit);
            prop_assert!(!spared || !acts(&decision), "{key:?} {decision:?}");
        }
    }

    #[test]
    fn what_nothing_spares_is_switched_off_or_deleted_or_in_its_grace(users in account(), rules in any_rules()) {
        for (user, key, decision) in decided(&users, &rules) {
            let target = user.standing == Standing::Target && !own(&user, &key, &rules);
            let exempt = rules.exempt_tag && (!user.tags_read || user.pass.holds());
            if !target || exempt || age(&key) < rules.max_age {
                continue;
            }
            let expected = match key.read.facts.status {
                Status::Active if !rules.unused_for.is_none_or(|limit| unused(&key, limit)) => continue,
                Status::Active if rules.grace.is_zero() => Verb::Delete,
                Status::Active => Verb::Disable,
                Status::Inactive if !user.tags_read => continue,
                Status::Inactive if rules.grace.is_zero() => Verb::Delete,
                Status::Inactive if key.mark.since().is_some_and(|at| now() - at >= rules.grace) => Verb::Delete,
                Status::Inactive => Verb::Wait,
                Status::Other(_) => continue,
            };
            prop_assert_eq!(decision.verb, expected, "{:?} {:?}", key, decision);
        }
    }

    #[test]
    fn only_a_working_key_that_is_under_age_is_warned_of(users in account(), rules in any_rules()) {
        for (user, key, decision) in decided(&users, &rules) {
            let target = user.standing == Standing::Target && !own(&user, &key, &rules);
            let soon = age(&key) < rules.max_age && now() + rules.warn_before - key.read.facts.created >= rules.max_age;
            let warned = target && soon && key.read.facts.status == Status::Active;
            prop_assert_eq!(warned, decision.verb == Verb::Warn, "{:?} {:?}", key, decision);
        }
    }

    #[test]
    fn what_the_rules_ask_for_is_enough_to_decide_as_if_all_were_known(users in account(), rules in any_rules(), report_asks: bool) {
        for user in &users {
            let read = observed(user, &rules, report_asks);
            let known = user.known();
            for (key, (as_known, case)) in read.keys.iter().zip(known.keys.iter().zip(&user.keys)) {
                let decision = decide(&read, key, &rules, now());
                prop_assert_eq!(decision.verb, decide(&known, as_known, &rules, now()).verb);
                let old = case.read.facts.created < at("2015-04-22T00:00:00Z") && case.use_on_record == Use::Never;
                prop_assert!(old || decision.rule != Rule::Unread, "{case:?} {decision:?}");
            }
        }
    }

    #[test]
    fn no_more_is_asked_for_than_the_design_counts(users in account(), rules in any_rules(), report_asks: bool) {
        for user in &users {
            let offender = |key: &&KeyCase| {
                user.standing == Standing::Target && !own(user, key, &rules) && age(key) >= rules.max_age
            };
            let read = observed(user, &rules, report_asks);
            let for_tags = |key: &KeyCase| rules.exempt_tag || key.read.facts.status == Status::Inactive;
            prop_assert_eq!(read.tags.is_some(), user.keys.iter().filter(offender).any(for_tags));
            let exempt = rules.exempt_tag && user.pass.holds();
            let for_use = |key: &&KeyCase| {
                !exempt && (report_asks || (rules.unused_for.is_some() && key.read.facts.status == Status::Active))
            };
            let expected = user.keys.iter().filter(offender).filter(for_use).map(|key| &key.read.facts.id);
            let asked = read.keys.iter().filter(|key| key.used != Use::NotAsked).map(|key| &key.facts.id);
            prop_assert!(asked.eq(expected));
        }
    }

    #[test]
    fn a_second_run_in_the_same_moment_finds_nothing_to_do(users in account(), rules in any_rules()) {
        let first: Vec<_> = users.iter().map(UserCase::known).collect();
        let plan = decisions(&first, &rules);
        let again = decisions(&applied(&first, &plan), &rules);
        for (key, before) in &plan {
            match (before.verb, again.get(key)) {
                (Verb::Delete, now_gone) => prop_assert_eq!(now_gone, None),
                (Verb::Disable | Verb::Wait, Some(after)) => {
                    prop_assert_eq!((after.verb, after.rule), (Verb::Wait, Rule::InGrace));
                    prop_assert_eq!(after.until, before.until.or(Some(now() + rules.grace)));
                }
                (_, after) => prop_assert_eq!(after, Some(before)),
            }
        }
    }

    #[test]
    fn the_order_of_users_keys_and_pages_does_not_matter(
        (users, shuffled) in account().prop_flat_map(|users| shuffle(&users)), rules in any_rules(), page in 1usize..4
    ) {
        let (plan, other) = (decisions(&users, &rules), decisions(&shuffled, &rules));
        prop_assert_eq!(&plan, &other);
        let mut by_page = Totals::default();
        shuffled.chunks(page).for_each(|page| by_page.add(&totals(decisions(page, &rules).values())));
        prop_assert_eq!(by_page, totals(plan.values()));
        let mut asked: Vec<_> = users.iter().map(|user| asked_for(user, &rules)).collect();
        let mut asked_shuffled: Vec<_> = shuffled.iter().map(|user| asked_for(user, &rules)).collect();
        asked.sort();
        asked_shuffled.sort();
        prop_assert_eq!(asked, asked_shuffled);
    }

    #[test]
    fn a_key_over_the_limit_is_never_under_it_later(users in account(), rules in any_rules(), later in 0i64..10_000_000) {
        for user in users.iter().map(UserCase::read) {
            for key in &user.keys {
                let spared = |now| Check::Age.ask(&Asked { user: &user, key, rules: &rules, now });
                let (before, after) = (spared(now()), spared(now() + TimeDelta::seconds(later)));
                prop_assert!(before.is_some() || after.is_none(), "{key:?}");
                let warned = before.is_some_and(|before| before.verb == Verb::Warn);
                prop_assert!(!warned || after.is_none_or(|after| after.verb == Verb::Warn));
            }
        }
    }

    #[test]
    fn a_cap_allows_its_share_and_not_a_key_more(percent in 0u64..=100, scanned in 0u64..1_000_000_000) {
        let allowed = Cap::Percent(percent).allows(scanned);
        prop_assert!(allowed * 100 <= scanned * percent && (allowed + 1) * 100 > scanned * percent);
        prop_assert_eq!(Cap::Default.allows(scanned), Cap::Percent(25).allows(scanned).max(10));
        prop_assert_eq!(Cap::Keys(percent).allows(scanned), percent);
        prop_assert_eq!(format!("{percent}%").parse(), Ok(Cap::Percent(percent)));
    }
}

/// The account as it was read, and in another order.
fn shuffle(users: &[UserCase]) -> impl Strategy<Value = (Vec<UserRead>, Vec<UserRead>)> + use<> {
    let users: Vec<_> = users.iter().map(UserCase::read).collect();
    let turned = users.iter().map(|user| {
        let user = user.clone();
        Just(user.keys.clone()).prop_shuffle().prop_map(move |keys| UserRead { keys, ..user.clone() })
    });
    (Just(users.clone()), turned.collect::<Vec<_>>())
        .prop_flat_map(|(users, turned)| (Just(users), Just(turned).prop_shuffle()))
}

/// What a run would ask for this user.
fn asked_for(user: &UserRead, rules: &Rules) -> (bool, Vec<KeyId>) {
    let mut keys = wants_last_use(user, rules, now(), false);
    keys.sort();
    (wants_tags(user, rules, now()), keys)
}

#[test]
fn the_accounts_reach_every_decision() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..3000 {
        let (users, rules) = (account(), any_rules()).new_tree(&mut runner).unwrap().current();
        seen.extend(decided(&users, &rules).iter().map(|(_, _, decision)| (decision.verb, decision.rule)));
    }
    let expected = [
        (Verb::Keep, Rule::OwnKey),
        (Verb::Keep, Rule::NotATarget),
        (Verb::Keep, Rule::UnderAge),
        (Verb::Keep, Rule::InUse),
        (Verb::Warn, Rule::WarnBefore),
        (Verb::Disable, Rule::OverAge),
        (Verb::Disable, Rule::Reactivated),
        (Verb::Wait, Rule::NoRecord),
        (Verb::Wait, Rule::InGrace),
        (Verb::Delete, Rule::OverAge),
        (Verb::Delete, Rule::Reactivated),
        (Verb::Delete, Rule::NoRecord),
        (Verb::Delete, Rule::PastGrace),
        (Verb::Exempt, Rule::ExemptGroup),
        (Verb::Exempt, Rule::ExemptTag),
        (Verb::Skip, Rule::Unread),
        (Verb::Skip, Rule::UnknownStatus),
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
}
