//! The pieces of the HTML report: one type for each template, or block of one, with what it shows.
//!
//! The templates escape what they are given, but for our own style and script. Nothing here may decide what is
//! shown.

use askama::Template;

use super::line::{AccountLine, EndLine, ExemptionLine};
use crate::keys::purge::Verb;

#[derive(Template)]
#[template(path = "page_head.html", config = "src/host/report/askama.toml")]
pub struct Head<'a> {
    pub started: &'a str,
    pub applied: bool,
    pub style: &'static str,
    pub style_hash: &'static str,
    pub script_hash: &'static str,
}

#[derive(Template)]
#[template(path = "page_summary.html", config = "src/host/report/askama.toml")]
pub struct Summary<'a> {
    pub started: &'a str,
    pub ended: &'a str,
    pub applied: bool,
    pub end: EndLine<'a>,
    pub accounts_whole: u64,
    /// Why the report is not complete, in words.
    pub gaps: Vec<String>,
    pub totals: [Total; Verb::ALL.len()],
    pub facts: &'a [(String, String)],
}

pub struct Total {
    pub word: &'static str,
    pub keys: u64,
    pub hint: &'static str,
}

#[derive(Template)]
#[template(path = "page_rows.html", block = "missing", config = "src/host/report/askama.toml")]
pub struct MissingRow<'a> {
    pub account: &'a str,
    pub what: &'a str,
    pub cause: &'a str,
}

#[derive(Template)]
#[template(path = "page_rows.html", block = "account", config = "src/host/report/askama.toml")]
pub struct AccountRow<'a> {
    pub line: AccountLine<'a>,
    pub totals: [u64; Verb::ALL.len()],
    pub cap: Option<String>,
}

#[derive(Template)]
#[template(path = "page_rows.html", block = "exemption", config = "src/host/report/askama.toml")]
pub struct ExemptionRow<'a> {
    pub account: &'a str,
    pub spared: ExemptionLine<'a>,
    pub expires: String,
}

#[derive(Template)]
#[template(path = "page_rows.html", block = "undo", config = "src/host/report/askama.toml")]
pub struct UndoRow<'a> {
    pub command: &'a str,
    pub account: &'a str,
}

#[derive(Template)]
#[template(path = "page_section.html", block = "open", config = "src/host/report/askama.toml")]
pub struct SectionOpen<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub lead: &'a str,
    pub columns: &'a [&'a str],
}

#[derive(Template)]
#[template(path = "page_section.html", block = "close", config = "src/host/report/askama.toml")]
pub struct SectionClose;

#[derive(Template)]
#[template(path = "page_section.html", block = "empty", config = "src/host/report/askama.toml")]
pub struct EmptySection<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub lead: &'a str,
}

#[derive(Template)]
#[template(path = "page_section.html", block = "undo_open", config = "src/host/report/askama.toml")]
pub struct UndoOpen;

#[derive(Template)]
#[template(path = "page_section.html", block = "undo_close", config = "src/host/report/askama.toml")]
pub struct UndoClose;

#[derive(Template)]
#[template(path = "page_keys.html", config = "src/host/report/askama.toml")]
pub struct Keys<'a> {
    pub columns: &'a [Column],
    /// The other reports of this run, by name.
    pub others: &'a str,
    pub version: &'static str,
    pub script: &'static str,
}

/// Of the key table; `word` is its name in `page.js`.
pub struct Column {
    pub word: &'static str,
    pub title: &'static str,
    pub number: bool,
}
