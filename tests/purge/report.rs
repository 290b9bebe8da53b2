//! The program's report as a reader of its JSON sees it (DESIGN section 3).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::file::Mistake;

#[derive(Debug, Deserialize)]
pub struct Report {
    pub version: u32,
    pub applied: bool,
    pub complete: bool,
    pub accounts: Vec<AccountLine>,
    pub keys: Vec<KeyLine>,
    pub totals: BTreeMap<String, u64>,
    pub skipped: Vec<SkipLine>,
    pub stopped: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct AccountLine {
    pub account: String,
    pub complete: bool,
    pub left: Option<String>,
    pub users_expected: u64,
    pub users_evaluated: u64,
    pub keys_evaluated: u64,
    pub skipped: Vec<SkipLine>,
    pub exemptions: Vec<ExemptionLine>,
    pub cap: Option<serde_json::Value>,
    pub failed: u64,
}

#[derive(Debug, Deserialize)]
pub struct SkipLine {
    pub what: String,
    pub cause: String,
}

#[derive(Debug, Deserialize)]
pub struct ExemptionLine {
    pub user: String,
    pub by: String,
    pub group: Option<String>,
    pub reason: Option<String>,
    pub expires: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct KeyLine {
    pub account: String,
    pub user: String,
    pub user_id: String,
    pub access_key_id: String,
    pub created: String,
    pub age_seconds: i64,
    pub decision: String,
    pub rule: String,
    pub result: String,
    pub request_id: Option<String>,
    pub error: Option<String>,
    pub note: Option<String>,
    pub undo: Option<String>,
}

impl Report {
    pub fn read(text: &str) -> Result<Self, Mistake> {
        serde_json::from_str(text).map_err(|why| Mistake(format!("the report is not as documented: {why}\n{text}")))
    }

    /// Every skip with its account's id; of the organization, with none.
    pub fn skips(&self) -> impl Iterator<Item = (&str, &SkipLine)> {
        let of_accounts =
            self.accounts.iter().flat_map(|account| account.skipped.iter().map(|it| (account.account.as_str(), it)));
        self.skipped.iter().map(|it| ("", it)).chain(of_accounts)
    }
}

impl KeyLine {
    /// `decision rule result`, as scenarios write it.
    pub fn words(&self) -> String {
        format!("{} {} {}", self.decision, self.rule, self.result)
    }

    /// What a reader of a failed test wants to know besides.
    pub fn remarks(&self) -> String {
        let remarks = [&self.error, &self.note].into_iter().flatten();
        remarks.fold(String::new(), |all, remark| all + " (" + remark + ")")
    }
}

impl ExemptionLine {
    /// `group KeyExempt`, `tag OPS-7 vendor migration`.
    pub fn words(&self) -> String {
        let why = self.group.as_ref().or(self.reason.as_ref()).map_or("", String::as_str);
        format!("{} {why}", self.by)
    }
}
