//! What a run was to do against what it did, as a table that needs no programmer to be read.

use std::collections::BTreeMap;

use super::file::{ExpectedAccount, Run};
use super::names::{Names, expected, means};
use super::report::{KeyLine, Report};
use super::scenarios::Others;
use super::scene::Scene;
use crate::workstation::Ran;

/// One line of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    pub what: String,
    pub expected: String,
    pub found: String,
}

impl Difference {
    pub fn new(what: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { what: what.into(), expected: expected.into(), found: found.into() }
    }
}

/// Collects differences; equal things leave none.
#[derive(Default)]
pub struct Table(pub Vec<Difference>);

impl Table {
    #[expect(clippy::needless_pass_by_value, reason = "text, numbers and flags are given as they come")]
    pub fn same(&mut self, what: impl Into<String>, expected: impl ToString, found: impl ToString) {
        let (expected, found) = (expected.to_string(), found.to_string());
        if expected != found {
            self.0.push(Difference::new(what, expected, found));
        }
    }

    pub fn wrong(&mut self, what: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) {
        self.0.push(Difference::new(what, expected, found));
    }

    pub fn text(&self) -> String {
        let heads = Difference::new("what", "expected", "found");
        let lines: Vec<&Difference> = [&heads].into_iter().chain(&self.0).collect();
        let width = |of: fn(&Difference) -> &str| lines.iter().map(|line| of(line).chars().count()).max().unwrap_or(0);
        let (first, second) = (width(|line| &line.what), width(|line| &line.expected));
        let line = |line: &&Difference| format!("  {:first$}  {:second$}  {}\n", line.what, line.expected, line.found);
        lines.iter().map(line).collect()
    }
}

/// Everything that one run is held against.
pub struct Outcome<'a> {
    pub run: &'a Run,
    pub names: &'a Names,
    pub ran: &'a Ran,
    pub report: &'a Report,
    pub before: &'a Scene,
    pub after: &'a Scene,
    pub others: Others,
}

impl Outcome<'_> {
    pub fn compare(&self, table: &mut Table) {
        self.reported_keys(table);
        self.keys_at_iam(table);
        self.records(table);
        self.tags(table);
        self.accounts(table);
        self.skips(table);
        self.exemptions(table);
        for (decision, number) in &self.run.totals {
            let found = self.report.totals.get(decision).map_or("no such word".to_owned(), u64::to_string);
            table.same(format!("total of {decision}"), number, found);
        }
        for words in &self.run.says {
            if !self.ran.stderr.contains(words) && !self.ran.stdout.contains(words) {
                table.wrong("what it says", format!("… {words} …"), self.ran.stderr.trim());
            }
        }
    }

    fn line(&self, id: &str) -> Option<&KeyLine> {
        self.report.keys.iter().find(|line| line.access_key_id == id)
    }

    fn reported_keys(&self, table: &mut Table) {
        for (label, key) in &self.names.keys {
            let line = self.line(&key.id);
            let found = line.map_or("absent".to_owned(), KeyLine::words);
            let what = format!("report on {label}");
            match expected(&self.run.keys, label) {
                Some(wanted) if begins_with_words(&found, wanted) => {}
                Some(wanted) => table.wrong(what, wanted, found + &line.map_or(String::new(), KeyLine::remarks)),
                None if line.is_some_and(touches) => table.wrong(what, "left alone", found),
                None => {}
            }
        }
        let of_no_key = |pattern: &&String| !self.names.keys.keys().any(|label| means(pattern, label));
        let tables = [&self.run.keys, &self.run.iam, &self.run.records];
        for pattern in tables.into_iter().flat_map(BTreeMap::keys).filter(of_no_key) {
            table.wrong(pattern, "a key of this label", "there is none");
        }
    }

    fn keys_at_iam(&self, table: &mut Table) {
        for label in self.names.keys.keys() {
            let found = self.after.status(label);
            let wanted = expected(&self.run.iam, label).map_or_else(|| self.before.status(label), String::as_str);
            table.same(format!("{label} at IAM"), wanted, found);
        }
    }

    /// A disabled key has a record, a deleted one has none, and what was not touched keeps what it had.
    fn records(&self, table: &mut Table) {
        for (label, key) in &self.names.keys {
            let found = self.after.record(&key.id).unwrap_or("none");
            let written = self.line(&key.id).filter(|line| line.result == "done");
            let what = format!("record of {label}");
            match (expected(&self.run.records, label), written.map(|line| line.decision.as_str())) {
                (Some(wanted), _) if wanted == "present" || wanted == "none" => {
                    let wanted_at_all = wanted == "present";
                    if wanted_at_all != (found != "none") {
                        table.wrong(what, wanted, found);
                    }
                }
                (Some(part), _) if !found.contains(part) => table.wrong(what, format!("… {part} …"), found),
                (None, Some("disable" | "wait")) if found == "none" => table.wrong(what, "present", found),
                (Some(_), _) | (None, Some("disable" | "wait")) => {}
                (None, Some("delete")) => table.same(what, "none", found),
                (None, _) => table.same(what, self.before.record(&key.id).unwrap_or("none"), found),
            }
        }
    }

    /// The other tags of users are nobody's to touch.
    fn tags(&self, table: &mut Table) {
        for (user, wanted) in &self.run.tags {
            for (name, value) in wanted {
                let found = self.after.tag(user, name).unwrap_or("absent");
                table.same(format!("tag {name} of {user}"), value, found);
            }
        }
        let (before, after) = (self.before.foreign_tags(), self.after.foreign_tags());
        if before != after && self.others == Others::Nothing {
            table.wrong("tags that are not the purge's", format!("{before:?}"), format!("{after:?}"));
        }
    }

    fn accounts(&self, table: &mut Table) {
        for (name, wanted) in &self.run.accounts {
            let Some(id) = self.names.accounts.get(name) else {
                table.wrong(format!("account {name}"), "an account of this name", "there is none");
                continue;
            };
            match self.report.accounts.iter().find(|line| line.account == *id) {
                None if wanted.absent => {}
                None => table.wrong(format!("account {name}"), "in the report", "absent"),
                Some(_) if wanted.absent => table.wrong(format!("account {name}"), "absent", "in the report"),
                Some(line) => account(name, wanted, line, table),
            }
        }
    }

    /// Every skip is expected, and every expected one is there.
    fn skips(&self, table: &mut Table) {
        let mut open: Vec<_> = self.run.skips.iter().collect();
        for (account, line) in self.report.skips() {
            let account = self.names.account_name(account);
            let meant = open.iter().position(|skip| {
                let what = self.with_labels(&line.what);
                skip.account.as_ref().is_none_or(|wanted| wanted == account)
                    && means(&skip.what, &what)
                    && line.cause.contains(&skip.cause)
            });
            match meant {
                Some(at) if open[at].what.ends_with('*') => {}
                Some(at) => _ = open.remove(at),
                None => {
                    let found = format!("{account} {}: {}", self.with_labels(&line.what), line.cause);
                    table.wrong("left out", "nothing else", found);
                }
            }
        }
        for skip in open.into_iter().filter(|skip| !skip.what.ends_with('*')) {
            table.wrong("left out", format!("{}: … {} …", skip.what, skip.cause), "nothing such");
        }
    }

    /// Key ids by the names that the file gives them.
    fn with_labels(&self, text: &str) -> String {
        let named = self.names.keys.iter().fold(text.to_owned(), |text, (label, key)| text.replace(&key.id, label));
        self.names.accounts.iter().fold(named, |text, (name, id)| text.replace(id, name))
    }

    fn exemptions(&self, table: &mut Table) {
        let found: BTreeMap<&str, String> = self
            .report
            .accounts
            .iter()
            .flat_map(|account| account.exemptions.iter().map(|line| (line.user.as_str(), line.words())))
            .collect();
        for (user, why) in &found {
            let wanted = expected(&self.run.exempt, user).map_or("not exempt", String::as_str);
            table.same(format!("user {user}"), wanted, why);
        }
        let met = |pattern: &str| found.keys().any(|user| means(pattern, user));
        for (pattern, why) in self.run.exempt.iter().filter(|(pattern, _)| !met(pattern)) {
            table.wrong(format!("user {pattern}"), why, "not exempt");
        }
    }
}

fn account(name: &str, wanted: &ExpectedAccount, line: &super::report::AccountLine, table: &mut Table) {
    let what = |of: &str| format!("account {name}: {of}");
    if let Some(complete) = wanted.complete {
        table.same(what("complete"), complete, line.complete);
    }
    if let Some(capped) = wanted.capped {
        table.same(what("capped"), capped, line.cap.is_some());
    }
    let left = line.left.as_deref().unwrap_or("taken part");
    match &wanted.left {
        Some(why) if !left.contains(why) => table.wrong(what("left out"), format!("… {why} …"), left),
        None if line.left.is_some() => table.wrong(what("left out"), "taken part", left),
        _ => {}
    }
    let numbers = [
        ("users expected", wanted.users, line.users_expected),
        ("users evaluated", wanted.evaluated, line.users_evaluated),
        ("keys evaluated", wanted.keys, line.keys_evaluated),
    ];
    for (of, wanted, found) in numbers {
        if let Some(wanted) = wanted {
            table.same(what(of), wanted, found);
        }
    }
}

/// True where all words that are expected come first.
fn begins_with_words(found: &str, wanted: &str) -> bool {
    let found: Vec<&str> = found.split_whitespace().collect();
    let wanted: Vec<&str> = wanted.split_whitespace().collect();
    found.starts_with(&wanted)
}

fn touches(line: &KeyLine) -> bool {
    ["disable", "delete"].contains(&line.decision.as_str()) || line.result != "planned"
}
