//! The report as one HTML page for an auditor: nothing is loaded from anywhere, and nothing leaves it.
//!
//! The keys come first in the file, as data that is not shown; what people read first follows when it is known.
//! Names, tags and reasons are other people's text: templates escape them, and [`escape_script`] does it for
//! data. Nothing here may keep rows.

use std::io::{self, Write};
use std::path::Path;

use askama::Template;

use serde_json::json;

use super::line::{AccountLine, EndLine, ExemptionLine, KeyLine, cap_words, stopped_words};
use super::page::{
    self, AccountRow, Column, EmptySection, ExemptionRow, Head, Keys, MissingRow, SectionClose, SectionOpen, Total,
    UndoClose, UndoOpen, UndoRow,
};
use super::spool::Spool;
use super::{Document, ReportHeader};
use crate::keys::facts::Time;
use crate::keys::purge::Verb;
use crate::keys::purge::row::{AccountSummary, KeyRow, Outcome, Skipped, Summary};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// What the page's own policy lets in. The tests say the right ones after a change.
const STYLE_HASH: &str = "sha256-VSpcCBsSRZdch+OHlBuX8U9j10s9LfvUwtFAzgKmuW0=";
const SCRIPT_HASH: &str = "sha256-dtkBNKgETjjyrtpsKtge3dCo9e7cT1KSRGPHVROcZQg=";

const ACCOUNT_COLUMNS: [&str; 16] = [
    "Account",
    "Name",
    "State",
    "Users expected",
    "Evaluated",
    "Exempt",
    "Keys",
    "Keep",
    "Warn",
    "Disable",
    "Wait",
    "Delete",
    "Exempt",
    "Skip",
    "Failed",
    "Not covered",
];

const KEY_COLUMNS: [Column; 10] = [
    column("account", "Account"),
    column("user", "User"),
    column("key", "Access key"),
    column("created", "Created"),
    Column { number: true, ..column("age", "Age (days)") },
    column("used", "Last used"),
    column("decision", "Decision"),
    column("result", "Result"),
    column("at", "Time, request"),
    column("note", "Note"),
];

const fn column(word: &'static str, title: &'static str) -> Column {
    Column { word, title, number: false }
}

pub struct HtmlDocument {
    header: ReportHeader,
    /// The other reports of this run, by name.
    others: String,
    any_key: bool,
    missing: Spool,
    accounts: Spool,
    exemptions: Spool,
    undo: Spool,
}

impl HtmlDocument {
    pub fn begin(
        out: &mut dyn Write,
        header: &ReportHeader,
        others: &[String],
        folder: Option<&Path>,
    ) -> io::Result<Self> {
        let started = people(header.started);
        let head = Head {
            started: &started,
            applied: header.applied,
            style: STYLE,
            style_hash: STYLE_HASH,
            script_hash: SCRIPT_HASH,
        };
        render(&head, out)?;
        let spool = || Spool::new(folder);
        Ok(Self {
            header: header.clone(),
            others: others.join(", "),
            any_key: false,
            missing: spool(),
            accounts: spool(),
            exemptions: spool(),
            undo: spool(),
        })
    }

    fn miss(&mut self, account: &str, what: &str, cause: &str) -> io::Result<()> {
        render(&MissingRow { account, what, cause }, &mut self.missing)
    }

    fn summary(&self, out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        let totals =
            Verb::ALL.map(|verb| Total { word: verb.as_str(), keys: summary.totals.of(verb), hint: hint(verb) });
        let page = page::Summary {
            started: &people(self.header.started),
            ended: &people(summary.ended),
            applied: self.header.applied,
            gaps: gaps(summary),
            end: EndLine::of(summary),
            accounts_whole: summary.accounts.saturating_sub(summary.accounts_left + summary.accounts_incomplete),
            totals,
            facts: &self.header.facts,
        };
        render(&page, out)
    }

    fn sections(&mut self, out: &mut dyn Write) -> io::Result<()> {
        section(out, &mut self.missing, "missing", "Not covered", MISSING, &["Account", "What", "Cause"])?;
        section(out, &mut self.accounts, "accounts", "Accounts", ACCOUNTS, &ACCOUNT_COLUMNS)?;
        let columns = ["Account", "User", "By", "Reason", "Expires", "Keys spared"];
        section(out, &mut self.exemptions, "exemptions", "Exemptions", EXEMPTIONS, &columns)?;
        if self.undo.is_empty() {
            return render(&EmptySection { id: "undo", title: "Undo", lead: "This run switched off no key." }, out);
        }
        render(&UndoOpen, out)?;
        self.undo.copy_to(out)?;
        render(&UndoClose, out)
    }
}

impl Document for HtmlDocument {
    fn key(&mut self, out: &mut dyn Write, row: &KeyRow) -> io::Result<()> {
        let line = KeyLine::of(row);
        if self.any_key {
            out.write_all(b",\n")?;
        }
        self.any_key = true;
        out.write_all(escape_script(&row_data(&line)?).as_bytes())?;
        if let Some(command) = &line.undo {
            render(&UndoRow { command, account: line.account }, &mut self.undo)?;
        }
        match &row.outcome {
            Outcome::Failed(why) => {
                let what = format!("key/{} of {}: {} failed", line.access_key_id, line.user, line.decision);
                self.miss(line.account, &what, why)
            }
            Outcome::Planned | Outcome::Done => Ok(()),
        }
    }

    fn account(&mut self, _: &mut dyn Write, account: &AccountSummary) -> io::Result<()> {
        for Skipped { what, cause } in &account.skipped {
            self.miss(&account.account, what, cause)?;
        }
        let totals = Verb::ALL.map(|verb| account.totals.of(verb));
        let cap = account.cap.map(cap_words);
        render(&AccountRow { line: AccountLine::of(account), totals, cap }, &mut self.accounts)?;
        account.exemptions.iter().try_for_each(|spared| {
            let spared = ExemptionLine::of(spared);
            let expires = spared.expires.clone().unwrap_or_else(|| "with the membership".to_owned());
            render(&ExemptionRow { account: &account.account, spared, expires }, &mut self.exemptions)
        })
    }

    fn end(&mut self, out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        for Skipped { what, cause } in &summary.skipped {
            self.miss("", what, cause)?;
        }
        self.summary(out, summary)?;
        self.sections(out)?;
        let keys =
            Keys { columns: &KEY_COLUMNS, others: &self.others, version: env!("CARGO_PKG_VERSION"), script: SCRIPT };
        render(&keys, out)
    }
}

fn section(
    out: &mut dyn Write,
    rows: &mut Spool,
    id: &str,
    title: &str,
    (some, none): (&str, &str),
    columns: &[&str],
) -> io::Result<()> {
    if rows.is_empty() {
        return render(&EmptySection { id, title, lead: none }, out);
    }
    render(&SectionOpen { id, title, lead: some, columns }, out)?;
    rows.copy_to(out)?;
    render(&SectionClose, out)
}

/// What each section says of its table, and what it says without one.
const MISSING: (&str, &str) = (
    "What could not be read, and was therefore left alone; and what was tried and did not succeed.",
    "Nothing was skipped, and no write failed.",
);
const ACCOUNTS: (&str, &str) =
    ("A user or key that was expected and not evaluated is named under Not covered.", "No account was looked at.");
const EXEMPTIONS: (&str, &str) =
    ("Users whose keys the rules would have looked at, and who were spared.", "Nobody was spared.");

/// Why the report is not complete, in words.
fn gaps(summary: &Summary) -> Vec<String> {
    let counted = |count: u64, one: &str, more: &str| {
        (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { more }))
    };
    [
        summary.stopped.map(|stopped| format!("{}: what was left is not here", stopped_words(stopped))),
        counted(summary.accounts_incomplete, "account is incomplete", "accounts are incomplete"),
        counted(summary.failed, "write failed", "writes failed"),
        counted(
            summary.users_expected.saturating_sub(summary.users_evaluated),
            "user was not evaluated",
            "users were not evaluated",
        ),
        counted(summary.skipped.len() as u64, "list of accounts was not read", "lists of accounts were not read"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn hint(verb: Verb) -> &'static str {
    match verb {
        Verb::Keep => "within the rules",
        Verb::Warn => "over the limit soon",
        Verb::Disable => "over the limit: to be off",
        Verb::Wait => "off, its grace runs",
        Verb::Delete => "past its grace: to be gone",
        Verb::Exempt => "over the limit, and spared",
        Verb::Skip => "not fully read: not touched",
    }
}

fn people(time: Time) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// One key, in the order of `FIELDS` in `page.js`.
fn row_data(line: &KeyLine<'_>) -> io::Result<String> {
    let used = line.last_used.as_ref();
    let (at, service, region) = (used.map(|it| &it.at), used.map(|it| it.service), used.map(|it| it.region));
    let data = json!([
        line.account,
        line.user,
        line.user_id,
        line.access_key_id,
        line.status,
        line.created,
        line.age_seconds,
        at,
        service,
        region,
        line.decision,
        line.rule,
        line.until,
        line.result,
        line.error,
        line.request_id,
        line.at,
        line.note,
    ]);
    Ok(serde_json::to_string(&data)?)
}

/// JSON that no HTML parser takes for markup. Its strings alone can hold these characters, and there the escapes
/// mean the same (HTML standard, 'restrictions for contents of script elements').
fn escape_script(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            '\u{2028}' => safe.push_str("\\u2028"),
            '\u{2029}' => safe.push_str("\\u2029"),
            other => safe.push(other),
        }
    }
    safe
}

fn render(template: &impl Template, out: &mut dyn Write) -> io::Result<()> {
    Template::write_into(template, out)
}
