//! What a purge tells its report: rows, accounts and a summary to write with.

use chrono::TimeDelta;
use serde_json::json;

use keyrot_me::host::report::ReportHeader;
use keyrot_me::keys::facts::{KeyId, LastUsed, Status, Time};
use keyrot_me::keys::purge::row::{
    AccountSummary, CapHit, ExemptBy, ExemptUser, KeyRow, Outcome, Skipped, Stopped, Summary,
};
use keyrot_me::keys::purge::{Decision, Rule, UserFacts, Verb};

pub const HOSTILE: &str = "</script><img src=x onerror=alert(1)>&\u{2028}\u{2029}'\"\r\n<!--<script>";

pub fn time(text: &str) -> Time {
    text.parse().unwrap()
}

pub fn header() -> ReportHeader {
    let rules = json!({ "groups": ["Developers"], "max_age": 432_000, "grace": 604_800 });
    ReportHeader {
        applied: true,
        started: time("2026-11-20T22:55:00Z"),
        facts: vec![("Groups".into(), "Developers".into()), ("Maximum age".into(), "5 d".into())],
        rules: rules.as_object().unwrap().clone(),
    }
}

pub fn key_id(number: usize) -> KeyId {
    KeyId::new(format!("AKIAEXAMPLE{number:09}")).unwrap()
}

pub fn user(name: &str) -> UserFacts {
    UserFacts { name: name.to_owned(), id: format!("AIDA{:X}", name.len()) }
}

/// Every verb in turn, with what comes with it.
pub fn row(number: usize) -> KeyRow {
    let verb = Verb::ALL[number % Verb::ALL.len()];
    let rule = match verb {
        Verb::Keep => Rule::UnderAge,
        Verb::Warn => Rule::WarnBefore,
        Verb::Disable => Rule::OverAge,
        Verb::Wait => Rule::InGrace,
        Verb::Delete => Rule::PastGrace,
        Verb::Exempt => Rule::ExemptTag,
        Verb::Skip => Rule::Unread,
    };
    let at = time("2026-11-20T22:55:03Z");
    let age = TimeDelta::seconds(86_400 * i64::try_from(number % 400).unwrap() + 43_200);
    let acts = matches!(verb, Verb::Disable | Verb::Delete);
    KeyRow {
        account: format!("{:012}", 111_122_223_333_u64 + (number / 100) as u64),
        user: user(&format!("user-{number}")),
        key: key_id(number),
        status: if matches!(verb, Verb::Wait | Verb::Delete) { Status::Inactive } else { Status::Active },
        created: at - age,
        age,
        last_used: (number.is_multiple_of(2)).then(|| LastUsed {
            at: at - TimeDelta::hours(2),
            service: "s3".into(),
            region: "eu-central-1".into(),
        }),
        contact: None,
        decision: Decision {
            until: matches!(verb, Verb::Wait | Verb::Warn).then(|| time("2026-11-27T22:55:03Z")),
            ..Decision::new(verb, rule)
        },
        outcome: if acts { Outcome::Done } else { Outcome::Planned },
        request_id: acts.then(|| format!("0f1e2d3c-{number}")),
        at,
    }
}

pub fn hostile_row() -> KeyRow {
    KeyRow {
        user: user(HOSTILE),
        status: Status::Other(HOSTILE.into()),
        last_used: Some(LastUsed { at: time("2026-11-20T20:00:00Z"), service: HOSTILE.into(), region: HOSTILE.into() }),
        decision: Decision { note: Some(HOSTILE.into()), ..Decision::new(Verb::Disable, Rule::OverAge) },
        outcome: Outcome::Failed(HOSTILE.into()),
        request_id: Some(HOSTILE.into()),
        ..row(2)
    }
}

pub fn account(number: u64) -> AccountSummary {
    let mut account = AccountSummary {
        account: format!("{:012}", 111_122_223_333 + number),
        name: format!("team {number}"),
        users_expected: 60,
        users_evaluated: 60,
        users_exempt: 2,
        keys_evaluated: 100,
        calls: 70,
        throttled: 1,
        exemptions: vec![
            ExemptUser { user: user("ci"), by: ExemptBy::Group("KeyExempt".into()), keys: Vec::new() },
            ExemptUser {
                user: user("build"),
                by: ExemptBy::Tag { reason: "OPS-7 vendor migration".into(), ends: time("2026-12-21T00:00:00Z") },
                keys: vec![key_id(5)],
            },
        ],
        ..AccountSummary::default()
    };
    (0..100).for_each(|key| account.totals.count(Verb::ALL[key % Verb::ALL.len()]));
    account
}

/// With everything that can be missing.
pub fn bad_account(text: &str) -> AccountSummary {
    AccountSummary {
        account: text.to_owned(),
        name: text.to_owned(),
        left: Some(text.to_owned()),
        users_evaluated: 59,
        skipped: vec![Skipped { what: format!("user/{text}"), cause: text.to_owned() }],
        exemptions: vec![
            ExemptUser { user: user(text), by: ExemptBy::Group(text.to_owned()), keys: vec![key_id(1), key_id(2)] },
            ExemptUser {
                user: user(text),
                by: ExemptBy::Tag { reason: text.to_owned(), ends: time("2026-12-21T00:00:00Z") },
                keys: Vec::new(),
            },
        ],
        cap: Some(CapHit { affected: 40, allowed: 25, scanned: 100 }),
        failed: 1,
        ..account(0)
    }
}

pub fn summary(accounts: &[AccountSummary]) -> Summary {
    let mut summary = Summary {
        applied: true,
        started: time("2026-11-20T22:55:00Z"),
        ended: time("2026-11-20T23:01:30Z"),
        ..Summary::default()
    };
    for account in accounts {
        summary.add(account);
    }
    summary
}

pub fn stopped(accounts: &[AccountSummary]) -> Summary {
    let skipped = vec![Skipped { what: "organization".into(), cause: "stopped before it was listed".into() }];
    Summary { stopped: Some(Stopped::Asked), skipped, ..summary(accounts) }
}
