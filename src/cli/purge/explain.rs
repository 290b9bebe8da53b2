//! `purge --explain`: why one user's keys are kept or not, rule by rule, for people or as JSON.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use crate::aws::estate::AwsEstate;
use crate::cli::args::Output;
use crate::cli::error::{Exit, Failure};
use crate::host::clock::SystemClock;
use crate::host::console::{err, out};
use crate::keys::facts::Time;
use crate::keys::purge::KeyRead;
use crate::keys::purge::explain::{Answer, Explanation, Step, explain};
use crate::runner::purge::Purge;
use crate::runner::purge::explain::Explained;

/// Says it; what could not be read is named, and makes the exit code 20.
pub async fn run(purge: &Purge<'_, AwsEstate, SystemClock>, what: &str, output: Output) -> Result<Exit, Failure> {
    let seen = purge.explain(what).await.map_err(|why| {
        Failure::new(Exit::Incomplete, format!("nothing can be said of {what}: {why}"))
            .hint("name a user, or a key id, of the account that is looked at (--account names another)")
    })?;
    let keys = seen.user.keys.iter().filter(|key| seen.key.as_ref().is_none_or(|asked| key.facts.id == *asked));
    let all: Vec<(&KeyRead, Explanation)> =
        keys.map(|key| (key, explain(&seen.user, key, &seen.rules, seen.now))).collect();
    if output.json {
        out(as_json(&seen, &all));
    } else {
        show(&seen, &all);
    }
    for unread in &seen.unread {
        err(format_args!("warning: not read: {unread}"));
    }
    Ok(if seen.unread.is_empty() { Exit::Done } else { Exit::Incomplete })
}

fn show(seen: &Explained, all: &[(&KeyRead, Explanation)]) {
    let user = &seen.user.user;
    out(format_args!("{} ({}) in account {}", user.name, user.id, seen.account));
    if all.is_empty() {
        out("  has no such access key");
    }
    for (key, why) in all {
        out(format_args!("{}  {}", why.key, key.facts.status));
        for step in &why.steps {
            let (mark, facts) = said(step);
            out(format_args!("  {mark} {:<11} {:<32} {facts}", step.check.as_str(), step.check.question()));
        }
        out(format_args!("  => {} ({}): {}", why.decision.verb.as_str(), why.decision.rule.as_str(), why.next));
        if let Some(note) = &why.decision.note {
            out(format_args!("     {note}"));
        }
    }
}

fn said(step: &Step) -> (&'static str, &str) {
    match &step.answer {
        Answer::Passed(facts) => (" ", facts),
        Answer::Decided(facts) => (">", facts),
        Answer::NotAsked => (" ", "(not asked: decided above)"),
    }
}

fn as_json(seen: &Explained, all: &[(&KeyRead, Explanation)]) -> Value {
    let time = |at: Time| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let step = |step: &Step| {
        let (answer, facts) = match &step.answer {
            Answer::Passed(facts) => ("passed", Some(facts)),
            Answer::Decided(facts) => ("decided", Some(facts)),
            Answer::NotAsked => ("not-asked", None),
        };
        json!({ "rule": step.check.as_str(), "question": step.check.question(), "answer": answer, "facts": facts })
    };
    let keys: Vec<Value> = all
        .iter()
        .map(|(key, why)| {
            json!({
                "access_key_id": why.key, "status": key.facts.status.as_str(), "created": time(key.facts.created),
                "decision": why.decision.verb.as_str(), "rule": why.decision.rule.as_str(),
                "until": why.decision.until.map(time), "note": why.decision.note, "next": why.next,
                "rules": why.steps.iter().map(step).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "version": 1, "account": seen.account, "user": seen.user.user.name, "user_id": seen.user.user.id,
        "at": time(seen.now), "complete": seen.unread.is_empty(), "unread": seen.unread, "keys": keys,
    })
}
