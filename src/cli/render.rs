//! What people and programs read on standard output. Words and shapes only: nothing is decided here.
//!
//! The JSON is DESIGN section 3's, stable and documented.

use anyhow::Context;
use chrono::SecondsFormat;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};

use crate::cli::error::Failure;
use crate::cli::import::{FileEnd, Imported};
use crate::cli::machine::Subject;
use crate::cli::rotate::Done;
use crate::cli::status::Seen;
use crate::host::config_file::StoreKind;
use crate::host::console::{err, out};
use crate::keys::countdown::Countdown;
use crate::keys::facts::{Identity, LastUsed, Time};
use crate::keys::health::{self, KeyHealth, Source};
use crate::keys::journal::{Event, Phase, Rotation};
use crate::keys::lifecycle::{self, Freshness};
use crate::keys::preview::NEW_KEY;
use crate::keys::rotation::{Decision, Idle, Step};
use crate::keys::words::{duration, when};
use crate::ports::Cause;
use crate::runner::rotate::{End, Report};
use crate::runner::status::UserStatus;

fn rfc3339(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

pub fn print_json(value: &Value) -> anyhow::Result<()> {
    out(serde_json::to_string(value).context("cannot write JSON")?);
    Ok(())
}

/// A command that failed before there was anything to report on.
pub fn failure_json(failure: &Failure) {
    out(json!({ "version": 1, "error": error_json(failure) }));
}

pub fn error_json(failure: &Failure) -> Value {
    json!({ "message": failure.message, "hint": failure.hint, "exit_code": failure.exit as u8 })
}

fn identity(who: Option<&Identity>) -> String {
    who.map(|who| format!("{} in account {}", who.user().unwrap_or(&who.arn), who.account)).unwrap_or_default()
}

/// What one run came to, for people: the result on standard output, what is wrong on standard error.
pub fn rotation(done: &Done) {
    let profiles = done.profiles.join(", ");
    for line in outcome_lines(done) {
        out(format_args!("{profiles}: {line}"));
    }
    if let Some(failure) = &done.failure {
        err(failure);
        for (key, used) in &done.report.last_uses {
            err(format_args!(
                "  {}  {:<8}  {} old  {}",
                key.id,
                key.status.as_str(),
                duration(done.report.now - key.created),
                last_used_words(used.as_ref())
            ));
        }
    }
}

pub fn outcome_lines(done: &Done) -> Vec<String> {
    let report = &done.report;
    let mut lines = Vec::new();
    if let Some(rotation) = report.rotation.as_ref().filter(|_| report.completed) {
        let verb = if rotation.back { "rolled back" } else { "rotated" };
        let keep = rotation.keep.as_ref().map(ToString::to_string).unwrap_or_default();
        lines.push(format!("{verb}: {} → {keep} ({})", rotation.retire, identity(report.who.as_ref())));
        lines.extend(back_over_the_limit(done, rotation));
        if let Phase::Retired { at } = rotation.phase {
            let undo = if rotation.back || rotation.old_off { "" } else { "; until then rollback undoes this" };
            lines.push(format!(
                "{} is off and will be deleted by the first rotate or finish after {}{undo}",
                rotation.retire,
                when(at + done.retire_after)
            ));
        }
    }
    lines.extend(report.deleted.iter().map(|key| format!("deleted {key}")));
    match &report.end {
        End::Idle(Idle::YoungEnough { age }) => lines.push(format!("nothing to do: the key is {} old", duration(*age))),
        End::Idle(Idle::Retired { key, delete_after }) if !report.completed => {
            lines.push(format!("nothing to do: {key} is off and kept until {}", when(*delete_after)));
        }
        End::Idle(Idle::NothingRetired) if report.deleted.is_empty() => {
            lines.push("nothing to do: no retired key waits for its deletion".to_owned());
        }
        _ => {}
    }
    lines
}

/// A rollback puts an older key back, which the purge may be about to take.
fn back_over_the_limit(done: &Done, rotation: &Rotation) -> Option<String> {
    let kept = done.report.kept.as_ref().filter(|_| rotation.back)?;
    let limit = health::limit(&done.limits);
    if done.limits.purge.is_none()
        || lifecycle::freshness(kept.created, done.report.now, &done.limits) != Freshness::Overdue
    {
        return None;
    }
    let age = duration(lifecycle::age(kept.created, done.report.now));
    let taken = lifecycle::purge_at(kept.created, done.report.now, &done.limits)
        .filter(|at| *at > done.report.now)
        .map_or_else(|| "the next purge".to_owned(), |at| format!("the purge of {}", when(at)));
    Some(format!(
        "{} is {age} old, over the purge's limit of {}: {taken} takes it; run `keyrot-me rotate` before",
        kept.id,
        duration(limit)
    ))
}

/// All runs, for programs.
pub fn rotations_json(all: &[Done]) -> anyhow::Result<()> {
    print_json(&json!({ "version": 1, "rotations": all.iter().map(rotation_json).collect::<Vec<_>>() }))
}

/// A key that came in, for people.
pub fn imported(imported: &Imported) {
    let replaced = imported.replaced.as_ref().map(|key| format!(" in the place of {key}")).unwrap_or_default();
    out(format_args!(
        "{}: stored {} ({}) in the {}{replaced}",
        imported.profiles.join(", "),
        imported.key,
        identity(Some(&imported.who)),
        store_name(imported.store)
    ));
}

fn store_name(store: StoreKind) -> &'static str {
    match store {
        StoreKind::File => "file",
        StoreKind::Keychain => "keychain",
    }
}

/// The rotations as `rotate` has them, and what came in before; null where that came in by an earlier run.
pub fn import_json(imported: Option<&Imported>, file: Option<FileEnd>, rotations: &[Done]) -> anyhow::Result<()> {
    let imported = imported.map(|imported| {
        json!({
            "profiles": imported.profiles,
            "account": imported.who.account,
            "user": imported.who.user(),
            "access_key_id": imported.key,
            "replaced_access_key_id": imported.replaced,
            "store": store_name(imported.store),
        })
    });
    let file = file.map(|end| if end == FileEnd::Erased { "erased" } else { "kept" });
    let rotations: Vec<Value> = rotations.iter().map(rotation_json).collect();
    print_json(&json!({ "version": 1, "imported": imported, "file": file, "rotations": rotations }))
}

pub fn rotation_json(done: &Done) -> Value {
    let report = &done.report;
    let rotation = report.rotation.as_ref();
    let who = report.who.as_ref().or_else(|| rotation.map(|rotation| &rotation.who));
    let retired_at = rotation.and_then(|rotation| match rotation.phase {
        Phase::Retired { at } => Some(at),
        _ => None,
    });
    json!({
        "profiles": done.profiles,
        "account": who.map(|who| &who.account),
        "user": who.and_then(Identity::user),
        "outcome": outcome(done),
        "old_access_key_id": rotation.map_or(&report.target, |rotation| &rotation.retire),
        "new_access_key_id": rotation.and_then(|rotation| rotation.keep.as_ref()),
        "old_key": rotation.map_or("active", |rotation| old_key(report, rotation)),
        "delete_after": retired_at.map(|at| rfc3339(at + done.retire_after)),
        "deleted": report.deleted,
        "reason": done.failure.as_ref().map_or_else(|| outcome_lines(done).join("; "), |failure| failure.message.clone()),
        "error": done.failure.as_ref().map(error_json),
    })
}

fn outcome(done: &Done) -> &'static str {
    let unfinished = done.report.rotation.as_ref().is_some_and(Rotation::unfinished);
    match &done.failure {
        None if done.report.completed => "rotated",
        None => "nothing-to-do",
        Some(failure) if failure.exit == crate::cli::error::Exit::Unfinished || unfinished => "unfinished",
        Some(_) => "blocked",
    }
}

fn old_key(report: &Report, rotation: &Rotation) -> &'static str {
    if report.deleted.contains(&rotation.retire) {
        return "deleted";
    }
    match rotation.phase {
        Phase::Deactivated { .. } | Phase::Retired { .. } => "inactive",
        Phase::Closed if rotation.keep.is_some() => "deleted",
        _ => "active",
    }
}

/// The steps of `--dry-run`.
pub fn plan(subject: &Subject, first: Option<&str>, decisions: &[Decision]) {
    out(format_args!("{}: a run would", subject.profiles.join(", ")));
    if let Some(first) = first {
        out(format_args!("  - {first}"));
    }
    for decision in decisions {
        out(format_args!("  - {}", decision_words(decision)));
    }
}

pub fn plans_json(all: &[(&Subject, Option<String>, Vec<Decision>)]) -> anyhow::Result<()> {
    let plans: Vec<Value> = all
        .iter()
        .map(|(subject, first, plan)| {
            let steps: Vec<String> = first.iter().cloned().chain(plan.iter().map(decision_words)).collect();
            json!({ "profiles": subject.profiles, "steps": steps })
        })
        .collect();
    print_json(&json!({ "version": 1, "dry_run": plans }))
}

/// A decision of the planner in words.
pub fn decision_words(decision: &Decision) -> String {
    let words = match decision {
        Decision::Do(step) => step_words(step),
        Decision::Wait { until, .. } => format!("wait until {}, when IAM's list can be trusted", when(*until)),
        Decision::Idle(Idle::YoungEnough { age }) => format!("do nothing: the key is {} old", duration(*age)),
        Decision::Idle(Idle::Retired { key, delete_after }) => {
            format!("leave {key} off, to be deleted by the first run after {}", when(*delete_after))
        }
        Decision::Idle(Idle::NothingRetired | Idle::Done) => "do nothing more".to_owned(),
        Decision::Blocked(blocked) => format!("stop: {}", crate::cli::error::blocked(blocked).message),
    };
    words.replace(NEW_KEY, "the new key")
}

fn step_words(step: &Step) -> String {
    match step {
        Step::List => "list the user's keys".to_owned(),
        Step::Create => "create a new key, its secret stashed at once".to_owned(),
        Step::Investigate { key } => format!("find out who made {key}"),
        Step::DisableOrphan { key } => format!("switch off {key}, whose secret was lost"),
        Step::Verify { key } => format!("prove {key} at STS and IAM"),
        Step::Activate { key } => format!("switch {key} on again"),
        Step::Publish { old, new } => format!("replace {old} by {new} in every profile that holds it"),
        Step::Reread { key } => format!("read the file back and prove {key} once more"),
        Step::Deactivate { key } => format!("switch {key} off"),
        Step::ProveAgain { key, .. } => format!("prove {key} with the other key off"),
        Step::Delete { key, .. } => format!("delete {key}"),
        Step::Erase { key } => format!("erase the stashed copy of {key}"),
        Step::Record(event) => record_words(event),
    }
}

fn record_words(event: &Event) -> String {
    match event {
        Event::Staged { key, .. } => format!("go on with {key}, whose secret is stashed"),
        Event::NotCreated => "note that the lost create made no key".to_owned(),
        Event::Orphan { key, .. } => format!("give up {key}, whose secret was lost"),
        Event::Deactivated => "note that the old key is off".to_owned(),
        Event::Deleted { key } => format!("note that {key} is gone"),
        Event::Rollback => "roll back".to_owned(),
        Event::Abandoned { reason } => format!("end this rotation: {reason}"),
        other => format!("note {other:?}"),
    }
}

pub fn last_used_words(used: Option<&LastUsed>) -> String {
    used.map_or_else(
        || "no use recorded".to_owned(),
        |used| format!("used {} by {} in {}", when(used.at), used.service, used.region),
    )
}

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
