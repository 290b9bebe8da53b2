//! What `status` shows. Words and shapes only.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};

use super::{decision_words, error_json, identity, print_json, rfc3339};
use crate::cli::machine::Subject;
use crate::cli::status::Seen;
use crate::host::console::{err, out};
use crate::keys::countdown::Countdown;
use crate::keys::facts::Identity;
use crate::keys::health::{self, KeyHealth, Source};
use crate::keys::journal::{Phase, Rotation};
use crate::keys::words::duration;
use crate::ports::Cause;
use crate::runner::status::UserStatus;

/// The table of `status`.
pub fn status(found: &[Seen<'_>]) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["PROFILES", "KEY", "STATE", "AGE", "LAST USED", "LIMIT", "PURGE", "VERDICT"]);
    for seen in found {
        for key in &seen.user.keys {
            table.add_row(status_row(seen.subject, &seen.user, key));
        }
    }
    out(table.trim_fmt());
    for seen in found {
        status_notes(seen.subject, &seen.user);
    }
    for failure in found.iter().filter_map(|seen| seen.failure.as_ref()) {
        err(failure);
    }
}

fn status_row(subject: &Subject, user: &UserStatus, key: &KeyHealth) -> [String; 8] {
    let unknown = || "?".to_owned();
    let dash = || "-".to_owned();
    [
        if key.profiles.is_empty() { dash() } else { key.profiles.join(" ") },
        key.id.to_string(),
        key.status.as_ref().map_or_else(unknown, ToString::to_string),
        key.age.map_or_else(unknown, duration),
        key.last_used.as_ref().map_or_else(dash, |used| format!("{} {}", used.at.format("%Y-%m-%d"), used.service)),
        duration(health::limit(&subject.settings.limits)),
        countdown(subject, user, key).as_ref().map_or_else(dash, |countdown| match countdown {
            Countdown::In { left, .. } => format!("in {}", duration(*left)),
            Countdown::Now => "now".to_owned(),
            Countdown::Over { .. } => "at the next one".to_owned(),
        }),
        key.verdict.map_or_else(unknown, |verdict| verdict.as_str().to_owned()),
    ]
}

/// Of a key that the purge may take.
fn countdown(subject: &Subject, user: &UserStatus, key: &KeyHealth) -> Option<Countdown> {
    key.purge_at?;
    Countdown::of(key.created?, user.now, &subject.settings.limits)
}

fn status_notes(subject: &Subject, user: &UserStatus) {
    let profiles = subject.profiles.join(", ");
    if let Some(who) = &user.who {
        out(format_args!("{profiles}: {}", identity(Some(who))));
    }
    if user.keys.iter().any(|key| key.source == Source::Journal) {
        let why = match &user.trouble {
            Some(error) if error.cause == Cause::AccessDenied => ", for IAM lists this user's keys with MFA only",
            _ => "",
        };
        out(format_args!("{profiles}: facts of the local journal, not of IAM{why}"));
    }
    for key in user.keys.iter().filter(|key| !key.profiles.is_empty()) {
        if let Some(countdown) = countdown(subject, user, key) {
            out(format_args!("{profiles}: {}", countdown.long()));
        }
    }
    for rotation in &user.unfinished {
        out(format_args!("{profiles}: a rotation of {} is unfinished: run `keyrot-me rotate`", rotation.retire));
    }
    if let Some(next) = &user.next {
        out(format_args!("{profiles}: next: {}", decision_words(next)));
    }
}

pub fn status_json(found: &[Seen<'_>]) -> anyhow::Result<()> {
    let keys: Vec<Value> = found
        .iter()
        .flat_map(|seen| seen.user.keys.iter().map(|key| key_json(seen.subject, &seen.user, key)))
        .collect();
    let unfinished: Vec<Value> = found.iter().flat_map(|seen| &seen.user.unfinished).map(unfinished_json).collect();
    let errors: Vec<Value> = found.iter().filter_map(|seen| seen.failure.as_ref()).map(error_json).collect();
    print_json(&json!({ "version": 1, "keys": keys, "unfinished": unfinished, "errors": errors }))
}

fn key_json(subject: &Subject, user: &UserStatus, key: &KeyHealth) -> Value {
    json!({
        "profiles": key.profiles,
        "account": user.who.as_ref().map(|who| &who.account),
        "user": user.who.as_ref().and_then(Identity::user),
        "access_key_id": key.id,
        "status": key.status.as_ref().map(ToString::to_string),
        "created": key.created.map(rfc3339),
        "age_seconds": key.age.map(|age| age.num_seconds()),
        "last_used": key.last_used.as_ref().map(|used| json!({
            "at": rfc3339(used.at), "service": used.service, "region": used.region,
        })),
        "verdict": key.verdict.map(health::Verdict::as_str),
        "limit_seconds": health::limit(&subject.settings.limits).num_seconds(),
        "purge_at": key.purge_at.map(rfc3339),
        "next": user.next.as_ref().map(decision_words),
        "source": if key.source == Source::Iam { "iam" } else { "journal" },
    })
}

fn unfinished_json(rotation: &Rotation) -> Value {
    json!({
        "rotation": rotation.id,
        "account": rotation.who.account,
        "user": rotation.who.user(),
        "began": rfc3339(rotation.began),
        "old_access_key_id": rotation.retire,
        "new_access_key_id": rotation.keep,
        "phase": phase_words(&rotation.phase),
    })
}

fn phase_words(phase: &Phase) -> &'static str {
    match phase {
        Phase::Intended { .. } => "intended",
        Phase::Orphan { .. } => "orphan",
        Phase::Staged => "staged",
        Phase::Verified => "verified",
        Phase::Published => "published",
        Phase::Reread => "reread",
        Phase::Deactivated { .. } => "deactivated",
        Phase::Retired { .. } => "retired",
        Phase::Closed => "closed",
    }
}
