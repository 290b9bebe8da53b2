//! What holds of every run of the purge, whatever its file says: what it may call at all, what it must have read right
//! before each write, and that its report agrees with itself.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::Table;
use super::report::{KeyLine, Report};
use crate::sandbox::Call;
use crate::workstation::Ran;

const READS: [&str; 6] =
    ["GetGroup", "ListUsers", "ListAccessKeys", "GetAccessKeyLastUsed", "GetUser", "ListGroupsForUser"];
const DOORS: [&str; 6] = [
    "GetCallerIdentity",
    "AssumeRole",
    "DescribeOrganization",
    "ListAccounts",
    "ListAccountsForParent",
    "ListOrganizationalUnitsForParent",
];
const WRITES: [&str; 4] = ["TagUser", "UntagUser", "UpdateAccessKey", "DeleteAccessKey"];
const DECISIONS: [&str; 7] = ["keep", "warn", "disable", "wait", "delete", "exempt", "skip"];

/// The calls of one run by the program alone.
pub fn of_calls(words: &[String], calls: &[Call], table: &mut Table) {
    let applied = words.iter().any(|word| word == "--apply");
    for call in calls {
        let action = call.action.as_str();
        let known = READS.contains(&action) || DOORS.contains(&action) || WRITES.contains(&action);
        if !known {
            table.wrong("calls", "those that the purge needs", action);
        }
        if WRITES.contains(&action) && !applied {
            table.wrong("calls of a dry run", "no write", told(call));
        }
        let parameter = |name: &str| call.parameters.get(name).map_or("", String::as_str);
        if action == "UpdateAccessKey" && parameter("Status") != "Inactive" {
            table.wrong("calls", "keys switched off only", told(call));
        }
        let tags = call.parameters.iter().filter(|(name, _)| name.ends_with(".Key") || name.starts_with("TagKeys."));
        for (_, tag) in tags.filter(|(_, tag)| !tag.starts_with("keyrot-me/disabled/")) {
            table.wrong("calls", "its own tags only", format!("{action} of {tag}"));
        }
    }
    // Everybody is asked for: there is no membership to read again.
    let memberships = !words.iter().any(|word| word == "--all-users") || words.iter().any(|it| it == "--exempt-group");
    let writes = ["UpdateAccessKey", "DeleteAccessKey"];
    for (at, call) in calls.iter().enumerate().filter(|(_, call)| writes.contains(&call.action.as_str())) {
        let needed: &[&str] = if memberships {
            &["GetUser", "ListGroupsForUser", "ListAccessKeys"]
        } else {
            &["GetUser", "ListAccessKeys"]
        };
        let read = read_right_before(&calls[..at], call);
        for missing in needed.iter().filter(|action| !read.contains(**action)) {
            table.wrong(format!("right before {}", told(call)), format!("a successful {missing}"), format!("{read:?}"));
        }
    }
}

/// Every write that was answered well is reported with the service's id of it.
pub fn of_request_ids(report: &Report, calls: &[Call], table: &mut Table) {
    for line in report.keys.iter().filter(|line| line.result == "done" && line.request_id.is_none()) {
        let action = if line.decision == "delete" { "DeleteAccessKey" } else { "UpdateAccessKey" };
        let of_key = |call: &&Call| call.parameters.get("AccessKeyId") == Some(&line.access_key_id);
        if calls.iter().filter(of_key).any(|call| call.action == action && call.outcome == "OK") {
            table.wrong(format!("report on {}", line.access_key_id), "the id of the request that did it", "none");
        }
    }
}

/// What was read of a write's user since the write before it, or since the scan where there is none: of the scan's
/// reads none may count, so a list of keys counts only behind a `GetUser`.
fn read_right_before<'a>(calls: &'a [Call], write: &Call) -> BTreeSet<&'a str> {
    let user = write.parameters.get("UserName");
    let of_user: Vec<&Call> = calls
        .iter()
        .filter(|call| call.account == write.account && call.parameters.get("UserName") == user)
        .filter(|call| call.outcome == "OK")
        .collect();
    let last_write =
        of_user.iter().rposition(|call| ["UpdateAccessKey", "DeleteAccessKey"].contains(&call.action.as_str()));
    let since = &of_user[last_write.map_or(0, |at| at + 1)..];
    let last_look = since.iter().rposition(|call| call.action == "GetUser").unwrap_or(since.len());
    since[last_look..].iter().map(|call| call.action.as_str()).collect()
}

fn told(call: &Call) -> String {
    let of = |name: &str| call.parameters.get(name).cloned().unwrap_or_default();
    format!("{} {} {} {}", call.action, of("UserName"), of("AccessKeyId"), of("Status"))
}

/// The report agrees with itself, with what was asked and with the exit code.
pub fn of_report(words: &[String], report: &Report, ran: &Ran, table: &mut Table) {
    let applied = words.iter().any(|word| word == "--apply");
    table.same("report: version", 1, report.version);
    table.same("report: applied", applied, report.applied);
    let mut counted: BTreeMap<&str, u64> = DECISIONS.iter().map(|decision| (*decision, 0)).collect();
    let mut seen = BTreeSet::new();
    for line in &report.keys {
        *counted.entry(&line.decision).or_default() += 1;
        if !seen.insert(&line.access_key_id) {
            table.wrong(&line.access_key_id, "once in the report", "twice");
        }
        of_line(line, applied, table);
    }
    for (decision, number) in counted {
        let total = report.totals.get(decision).copied();
        table.same(
            format!("report: total of {decision}"),
            number,
            total.map_or("none".to_owned(), |it| it.to_string()),
        );
    }
    for account in &report.accounts {
        let whole = account.skipped.is_empty() && account.failed == 0;
        table.same(format!("report: {} complete", account.account), whole, account.complete);
        if account.users_evaluated > account.users_expected {
            table.wrong("report: users evaluated", "at most those expected", account.users_evaluated.to_string());
        }
        if whole && account.left.is_none() {
            table.same("report: users evaluated", account.users_expected, account.users_evaluated);
        }
    }
    for spared in report.accounts.iter().flat_map(|account| &account.exemptions) {
        table.same(format!("exemption of {}: its end", spared.user), spared.by == "tag", spared.expires.is_some());
    }
    let whole = report.skipped.is_empty() && report.accounts.iter().all(|account| account.complete);
    table.same("report: complete", whole, report.complete);
    let capped = applied && report.accounts.iter().any(|account| account.cap.is_some());
    let code = match (report.complete, capped) {
        (false, _) => 20,
        (true, true) => 21,
        (true, false) => 0,
    };
    if ![9, 1].contains(&ran.code.unwrap_or(-1)) {
        table.same("exit code that fits the report", code, ran.code.unwrap_or(-1));
    }
}

fn of_line(line: &KeyLine, applied: bool, table: &mut Table) {
    let key = &line.access_key_id;
    let undo = line.decision == "disable" && line.result == "done";
    table.same(format!("report on {key}: a command that undoes it"), undo, line.undo.is_some());
    if line.result == "done" && (!applied || !["disable", "delete", "wait"].contains(&line.decision.as_str())) {
        table.wrong(format!("report on {key}"), "nothing done", line.words());
    }
    if line.result == "failed" && line.error.is_none() {
        table.wrong(format!("report on {key}"), "why it failed", "nothing");
    }
    if line.age_seconds < 0 || chrono::DateTime::parse_from_rfc3339(&line.created).is_err() {
        table.wrong(format!("report on {key}"), "an age and a date", format!("{} {}", line.age_seconds, line.created));
    }
    for (name, value) in [("account", &line.account), ("user", &line.user), ("user id", &line.user_id)] {
        if value.is_empty() {
            table.wrong(format!("report on {key}"), format!("its {name}"), "nothing");
        }
    }
}

/// No secret gets out, whatever is written.
pub fn of_secrets(secrets: &[String], texts: &[(&str, &str)], table: &mut Table) {
    for (name, text) in texts {
        if secrets.iter().any(|secret| text.contains(secret.as_str())) {
            table.wrong(*name, "no secret", "a secret access key or token");
        }
    }
}
