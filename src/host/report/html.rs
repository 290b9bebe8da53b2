//! The report as one HTML page for an auditor: nothing is loaded from anywhere, and nothing leaves it.
//!
//! The keys come first in the file, as data that is not shown; what people read first follows when it is known.
//! Names, tags and reasons are other people's text: templates escape them, and [`escape_script`] does it for
//! data. Nothing here may keep rows.

use std::io::{self, Write};
use std::path::Path;

use askama::Template;
use chrono::TimeDelta;

use serde_json::json;

use super::line::{AccountLine, EndLine, ExemptionLine, KeyLine, cap_words, stopped_words};
use super::page::{self, AccountRow, ExemptionRow, Frame, Head, Keys, MissingRow, Total, UndoRow};
use super::review::Section;
use super::spool::Spool;
use super::{Document, ReportHeader};
use crate::keys::facts::Time;
use crate::keys::purge::Verb;
use crate::keys::purge::row::{AccountSummary, ExemptBy, KeyRow, Outcome, Skipped, Summary, Totals};
use crate::keys::words::duration;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// What the page's own policy lets in. The tests say the right ones after a change.
const STYLE_HASH: &str = "sha256-H0qbSvKKwnzA+4De4F2tdDMR2jx8NnxvhethxAr8ULM=";
const SCRIPT_HASH: &str = "sha256-TP2BKQorOODJbShMm5qIufjCkFEB34FXLm1Cqf1zxkw=";

pub struct HtmlDocument {
    header: ReportHeader,
    /// The other reports of this run, by name.
    others: String,
    any_key: bool,
    /// Writes that succeeded, and that did not, by decision.
    done: Totals,
    failed: Totals,
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
            done: Totals::default(),
            failed: Totals::default(),
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
        let totals = Verb::ALL.map(|verb| Total {
            word: verb.as_str(),
            keys: summary.totals.of(verb),
            hint: self.hint(verb, summary.totals.of(verb)),
        });
        let page = page::Summary {
            started: &people(self.header.started),
            ended: &people(summary.ended),
            applied: self.header.applied,
            gaps: gaps(summary),
            end: EndLine::of(summary),
            accounts_whole: summary.accounts.saturating_sub(summary.accounts_left + summary.accounts_incomplete),
            totals,
            facts: &self.header.facts,
            oldest: duration(seconds(summary.census.oldest_seconds)),
            average: duration(seconds(summary.census.average_seconds())),
        };
        render(&page, out)?;
        match &summary.review {
            Some(review) => render(&Section::of(review), out),
            None => Ok(()),
        }
    }

    /// What a decision means, and what came of it where it asks for a write.
    fn hint(&self, verb: Verb, keys: u64) -> String {
        let meaning = meaning(verb, self.header.applied);
        let writes = matches!(verb, Verb::Disable | Verb::Delete);
        if !(self.header.applied && writes) {
            return meaning.to_owned();
        }
        let (done, failed) = (self.done.of(verb), self.failed.of(verb));
        let rest = keys.saturating_sub(done + failed);
        let told = [(done, "done"), (failed, "failed"), (rest, "not done")];
        let told = told.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
        let told: Vec<String> = told.collect();
        if told.is_empty() { meaning.to_owned() } else { format!("{meaning}: {}", told.join(", ")) }
    }

    fn sections(&mut self, out: &mut dyn Write) -> io::Result<()> {
        section(out, &mut self.missing, &[Frame::Missing, Frame::Close, Frame::NothingMissing])?;
        section(out, &mut self.accounts, &[Frame::Accounts { verbs: Verb::ALL }, Frame::Close, Frame::NoAccounts])?;
        section(out, &mut self.exemptions, &[Frame::Exemptions, Frame::Close, Frame::NoExemptions])?;
        section(out, &mut self.undo, &[Frame::Undo, Frame::UndoClose, Frame::NoUndo])
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
                self.failed.count(row.decision.verb);
                let what = format!("key/{} of {}: {} failed", line.access_key_id, line.user, line.decision);
                self.miss(line.account, &what, why)
            }
            Outcome::Done => {
                self.done.count(row.decision.verb);
                Ok(())
            }
            Outcome::Planned => Ok(()),
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
            let expires = match &spared.by {
                ExemptBy::Group(_) => String::new(),
                ExemptBy::Tag { ends, .. } => people(*ends),
            };
            render(
                &ExemptionRow { account: &account.account, spared: ExemptionLine::of(spared), expires },
                &mut self.exemptions,
            )
        })
    }

    fn end(&mut self, out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        for Skipped { what, cause } in &summary.skipped {
            self.miss("", what, cause)?;
        }
        self.summary(out, summary)?;
        self.sections(out)?;
        let keys = Keys { others: &self.others, version: env!("CARGO_PKG_VERSION"), script: SCRIPT };
        render(&keys, out)
    }
}

/// What stands before the rows, behind them, or instead of them.
fn section(out: &mut dyn Write, rows: &mut Spool, [before, behind, instead]: &[Frame; 3]) -> io::Result<()> {
    if rows.is_empty() {
        return render(instead, out);
    }
    render(before, out)?;
    rows.copy_to(out)?;
    render(behind, out)
}

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

fn meaning(verb: Verb, applied: bool) -> &'static str {
    match verb {
        Verb::Keep => "within the rules",
        Verb::Warn => "over the limit soon",
        Verb::Disable if !applied => "would be switched off",
        Verb::Disable => "over the limit",
        Verb::Wait => "off, its grace runs",
        Verb::Delete if !applied => "would be deleted",
        Verb::Delete => "past the grace",
        Verb::Exempt => "over the limit, and spared",
        Verb::Skip => "not fully read: not touched",
    }
}

fn seconds(count: u64) -> TimeDelta {
    i64::try_from(count).ok().and_then(TimeDelta::try_seconds).unwrap_or(TimeDelta::MAX)
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
