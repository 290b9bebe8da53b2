//! The report as one CSV table (RFC 4180, lines end in LF): a row per key, for spreadsheets and filters.
//!
//! What is no key and must not be lost has a row without a key id: what was skipped, users whom an exempt group
//! spares, accounts that were left out or hit their cap, and a stop before the end. Nothing here may keep rows.

use std::borrow::Cow;
use std::io::{self, Write};

use super::line::{ExemptionLine, KeyLine, SkippedLine, cap_words, stopped_words};
use super::{Document, ReportHeader};
use crate::keys::purge::row::{AccountSummary, KeyRow, Summary};
use crate::keys::purge::{Rule, Verb};

const COLUMNS: [&str; 20] = [
    "account",
    "user",
    "user_id",
    "access_key_id",
    "status",
    "created",
    "age_days",
    "age_seconds",
    "last_used",
    "last_used_service",
    "last_used_region",
    "decision",
    "rule",
    "until",
    "result",
    "error",
    "request_id",
    "time",
    "note",
    "undo",
];

/// Whether it was a dry run is in each row's `result`.
pub struct CsvDocument;

impl CsvDocument {
    pub fn begin(out: &mut dyn Write, _: &ReportHeader) -> io::Result<Self> {
        record(out, COLUMNS.map(Cow::from))?;
        Ok(Self)
    }
}

impl Document for CsvDocument {
    fn key(&mut self, out: &mut dyn Write, row: &KeyRow) -> io::Result<()> {
        let line = KeyLine::of(row);
        let text = |value: Option<String>| Cow::from(value.unwrap_or_default());
        let part = |value: Option<&'_ str>| value.unwrap_or_default().to_owned().into();
        let used = line.last_used.as_ref();
        record(
            out,
            [
                line.account.into(),
                line.user.into(),
                line.user_id.into(),
                line.access_key_id.into(),
                line.status.into(),
                line.created.into(),
                days(line.age_seconds).into(),
                line.age_seconds.to_string().into(),
                text(used.map(|used| used.at.clone())),
                part(used.map(|used| used.service)),
                part(used.map(|used| used.region)),
                line.decision.into(),
                line.rule.into(),
                text(line.until),
                line.result.into(),
                part(line.error),
                part(line.request_id),
                line.at.into(),
                part(line.note),
                text(line.undo),
            ],
        )
    }

    fn account(&mut self, out: &mut dyn Write, account: &AccountSummary) -> io::Result<()> {
        let of = account.account.as_str();
        if let Some(why) = &account.left {
            Remark { account: of, decision: "left", note: why, ..Remark::default() }.write(out)?;
        }
        if let Some(cap) = account.cap {
            Remark { account: of, decision: "capped", note: &cap_words(cap), ..Remark::default() }.write(out)?;
        }
        // Where the keys were listed, they have rows of their own.
        for spared in account.exemptions.iter().filter(|spared| spared.keys.is_empty()).map(ExemptionLine::of) {
            spared_user(of, &spared).write(out)?;
        }
        account.skipped.iter().try_for_each(|skipped| skip(out, of, &SkippedLine::of(skipped)))
    }

    fn end(&mut self, out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        summary.skipped.iter().try_for_each(|skipped| skip(out, "", &SkippedLine::of(skipped)))?;
        let Some(stopped) = summary.stopped else { return Ok(()) };
        Remark { decision: "stopped", note: stopped_words(stopped), ..Remark::default() }.write(out)
    }
}

/// A row that is no key's.
#[derive(Default)]
struct Remark<'a> {
    account: &'a str,
    user: &'a str,
    user_id: &'a str,
    decision: &'a str,
    rule: &'a str,
    until: &'a str,
    note: &'a str,
}

impl Remark<'_> {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let cells = COLUMNS.map(|column| match column {
            "account" => self.account,
            "user" => self.user,
            "user_id" => self.user_id,
            "decision" => self.decision,
            "rule" => self.rule,
            "until" => self.until,
            "note" => self.note,
            _ => "",
        });
        record(out, cells.map(Cow::from))
    }
}

fn spared_user<'a>(account: &'a str, spared: &'a ExemptionLine<'a>) -> Remark<'a> {
    let rule = if spared.group.is_some() { Rule::ExemptGroup } else { Rule::ExemptTag };
    Remark {
        account,
        user: spared.user,
        user_id: spared.user_id,
        decision: Verb::Exempt.as_str(),
        rule: rule.as_str(),
        until: spared.expires.as_deref().unwrap_or_default(),
        note: spared.group.or(spared.reason).unwrap_or_default(),
    }
}

fn skip(out: &mut dyn Write, account: &str, skipped: &SkippedLine<'_>) -> io::Result<()> {
    Remark {
        account,
        user: skipped.what.strip_prefix("user/").unwrap_or_default(),
        decision: Verb::Skip.as_str(),
        rule: Rule::Unread.as_str(),
        note: &format!("{}: {}", skipped.what, skipped.cause),
        ..Remark::default()
    }
    .write(out)
}

fn record(out: &mut dyn Write, cells: [Cow<'_, str>; COLUMNS.len()]) -> io::Result<()> {
    let mut line = csv::Writer::from_writer(Vec::new());
    line.write_record(cells.map(guarded).iter().map(|cell| cell.as_bytes()))?;
    let line = line.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    out.write_all(&line)
}

/// OWASP, 'CSV injection': a spreadsheet takes a cell that begins so for a formula, and IAM allows names that do.
fn guarded(cell: Cow<'_, str>) -> Cow<'_, str> {
    let risky = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if cell.starts_with(risky) { format!("'{cell}").into() } else { cell }
}

/// With two decimals, rounded down: 4.99 is under a limit of five days.
fn days(seconds: i64) -> String {
    let hundredths = seconds / 864;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
