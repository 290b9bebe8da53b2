//! What an invocation answers (packaging/aws/README.md, 'The answer').

use serde_json::{Map, Value, json};

use super::event::Step;
use crate::cli::purge::notify::Notified;
use crate::keys::purge::Verb;
use crate::keys::purge::row::{Summary, Totals};

const VERSION: u32 = 1;

/// Of the whole, of one account, or of the coverage.
pub fn of_summary(run: &str, step: Step, summary: &Summary, notified: &Notified, reports: &[String]) -> Value {
    json!({
        "version": VERSION,
        "run": run,
        "step": step.as_str(),
        "applied": summary.applied,
        "complete": summary.complete(),
        "accounts": summary.accounts,
        "accounts_incomplete": summary.accounts_incomplete,
        "accounts_capped": summary.accounts_capped,
        "totals": totals(&summary.totals),
        "done": totals(&summary.done),
        "notified": {"sent": notified.sent, "failed": notified.failed, "held": notified.held},
        "reports": reports,
    })
}

/// Of the step `accounts`: how many there are, and where they stand.
pub fn of_accounts(run: &str, accounts: usize, bucket: &str, key: &str) -> Value {
    let step = Step::Accounts.as_str();
    json!({"version": VERSION, "run": run, "step": step, "accounts": accounts, "bucket": bucket, "key": key})
}

fn totals(totals: &Totals) -> Map<String, Value> {
    Verb::ALL.map(|verb| (verb.as_str().to_owned(), Value::from(totals.of(verb)))).into_iter().collect()
}
