//! The pieces of the HTML report: one type for each template, or block of one, with what it shows.
//!
//! The templates escape what they are given, but for our own style and script. Nothing here may decide what is
//! shown.
#![expect(unused_qualifications, reason = "askama's derive writes them for enums")]

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
    /// Ages of keys, in words.
    pub oldest: String,
    pub average: String,
}

pub struct Total {
    pub word: &'static str,
    pub keys: u64,
    pub hint: String,
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

/// What stands before and after the rows of a section, or instead of them.
#[derive(Template)]
#[template(path = "page_section.html", config = "src/host/report/askama.toml")]
pub enum Frame {
    #[template(block = "missing")]
    Missing,
    #[template(block = "missing_none")]
    NothingMissing,
    #[template(block = "accounts")]
    Accounts { verbs: [Verb; Verb::ALL.len()] },
    #[template(block = "accounts_none")]
    NoAccounts,
    #[template(block = "exemptions")]
    Exemptions,
    #[template(block = "exemptions_none")]
    NoExemptions,
    #[template(block = "close")]
    Close,
    #[template(block = "undo")]
    Undo,
    #[template(block = "undo_close")]
    UndoClose,
    #[template(block = "undo_none")]
    NoUndo,
}

#[derive(Template)]
#[template(path = "page_keys.html", config = "src/host/report/askama.toml")]
pub struct Keys<'a> {
    /// The other reports of this run, by name.
    pub others: &'a str,
    pub version: &'static str,
    pub script: &'static str,
}
