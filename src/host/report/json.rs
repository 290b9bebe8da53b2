//! The report as one JSON object (DESIGN section 3): a line per key and per account, for `grep` and `jq` alike.
//!
//! Nothing here may keep rows.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::line::{AccountLine, EndLine, KeyLine, rfc3339};
use super::spool::Spool;
use super::{Document, ReportHeader};
use crate::keys::purge::row::{AccountSummary, KeyRow, Summary};

/// Of the object. A reader refuses one that it does not know.
pub const VERSION: u32 = 1;

pub struct JsonDocument {
    any_key: bool,
    accounts: Spool,
}

impl JsonDocument {
    pub fn begin(out: &mut dyn Write, header: &ReportHeader, folder: Option<&Path>) -> io::Result<Self> {
        let (applied, rules) = (header.applied, serde_json::to_string(&header.rules)?);
        write!(
            out,
            r#"{{"version":{VERSION},"applied":{applied},"started":"{}","rules":{rules},"keys":["#,
            rfc3339(header.started)
        )?;
        Ok(Self { any_key: false, accounts: Spool::new(folder) })
    }
}

impl Document for JsonDocument {
    fn key(&mut self, out: &mut dyn Write, row: &KeyRow) -> io::Result<()> {
        item(out, &KeyLine::of(row), !self.any_key)?;
        self.any_key = true;
        Ok(())
    }

    fn account(&mut self, _: &mut dyn Write, account: &AccountSummary) -> io::Result<()> {
        let first = self.accounts.is_empty();
        item(&mut self.accounts, &AccountLine::of(account), first)
    }

    fn end(&mut self, out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        out.write_all(b"\n],\"accounts\":[")?;
        self.accounts.copy_to(out)?;
        out.write_all(b"\n],\n")?;
        let end = serde_json::to_string(&EndLine::of(summary))?;
        // The members of an object that is open already.
        writeln!(out, "{}", end.trim_start_matches('{'))
    }
}

fn item(out: &mut dyn Write, value: &impl Serialize, first: bool) -> io::Result<()> {
    out.write_all(if first { b"\n" } else { b",\n" })?;
    Ok(serde_json::to_writer(out, value)?)
}
