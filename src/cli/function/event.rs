//! The event: what one invocation is to do, within what the settings say.
//!
//! It narrows and never widens. An unknown member is refused: a misspelt `dry_run` must not be an enforcement.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::failed::Failed;
use crate::keys::facts::Time;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// The whole, by one function.
    #[default]
    Purge,
    Accounts,
    Account,
    Coverage,
}

impl Step {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Purge => "purge",
            Self::Accounts => "accounts",
            Self::Account => "account",
            Self::Coverage => "coverage",
        }
    }
}

/// What narrows: where it comes as null, somebody meant to say something.
const NEVER_NULL: [&str; 4] = ["account", "dry_run", "report_only", "step"];

/// As it comes (packaging/aws/README.md, 'The event').
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    run: Option<String>,
    scheduled: Option<String>,
    dry_run: Option<bool>,
    account: Option<OneOrMore>,
    report_only: Option<bool>,
    period: Option<String>,
    step: Option<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// An event that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub run: String,
    pub scheduled: Option<Time>,
    pub dry_run: Option<bool>,
    /// Empty: all.
    pub accounts: Vec<String>,
    pub report_only: bool,
    pub period: Option<String>,
    pub step: Step,
}

impl Event {
    /// `request` names the run where the event does not.
    ///
    /// # Errors
    /// [`Failed`] of kind Usage.
    pub fn parse(event: Value, request: &str) -> Result<Self, Failed> {
        let raw: Raw = match event {
            Value::Null => Raw::default(),
            Value::Object(members) if NEVER_NULL.iter().any(|name| members.get(*name) == Some(&Value::Null)) => {
                let all = NEVER_NULL.join(", ");
                return Err(Failed::usage(format!(
                    "the event has a null among {all}: leave the member out, or fill it"
                )));
            }
            Value::Object(_) => {
                serde_json::from_value(event).map_err(|why| Failed::usage(format!("the event: {why}")))?
            }
            _ => return Err(Failed::usage("the event is no JSON object")),
        };
        let scheduled = raw.scheduled.filter(|text| !text.is_empty()).map(|text| time(&text)).transpose()?;
        let accounts = match raw.account {
            None => Vec::new(),
            Some(OneOrMore::One(id)) => vec![account(id)?],
            Some(OneOrMore::More(ids)) if ids.is_empty() => {
                return Err(Failed::usage("the event's account is an empty list: leave it out for all accounts"));
            }
            Some(OneOrMore::More(ids)) => ids.into_iter().map(account).collect::<Result<Vec<_>, _>>()?,
        };
        let event = Self {
            run: run(raw.run.filter(|name| !name.is_empty()).as_deref().unwrap_or(request))?,
            scheduled,
            dry_run: raw.dry_run,
            accounts: accounts.into_iter().collect::<BTreeSet<_>>().into_iter().collect(),
            report_only: raw.report_only.unwrap_or_default(),
            period: raw.period,
            step: raw.step.unwrap_or_default(),
        };
        if event.period.is_some() && !event.report_only {
            return Err(Failed::usage("the event's period is of a report: give report_only: true beside it"));
        }
        if event.step == Step::Account && event.accounts.len() != 1 {
            return Err(Failed::usage("the step account is about one account: name it in the event's account"));
        }
        if [Step::Accounts, Step::Coverage].contains(&event.step) && !event.accounts.is_empty() {
            let step = event.step.as_str();
            return Err(Failed::usage(format!("the step {step} is about all accounts of the run: leave out account")));
        }
        Ok(event)
    }

    /// True where less is done than the settings say: its sums are none of the organization, or of no Friday.
    pub fn narrows(&self, applies: bool) -> bool {
        (self.step == Step::Purge && !self.accounts.is_empty()) || (applies && self.dry_run == Some(true))
    }

    /// The settings' words, narrowed. `words` are those of [`super::settings::read`].
    ///
    /// # Errors
    /// [`Failed`] of kind Usage where the event would widen them.
    pub fn narrow(&self, words: &[String]) -> Result<Vec<String>, Failed> {
        let applies = words.iter().any(|word| word == "--apply");
        if self.dry_run == Some(false) && !applies {
            let why =
                "the event's dry_run is false, and the settings are a dry run: KEYROT_ME_APPLY alone changes that";
            return Err(Failed::usage(why));
        }
        let mut words = words.to_vec();
        if self.dry_run == Some(true) || self.report_only {
            words.retain(|word| word != "--apply");
        }
        if self.report_only {
            words.push("--report-only".to_owned());
        }
        words.extend(self.period.as_ref().map(|period| format!("--period={period}")));
        Ok(words)
    }
}

/// A part of the names of objects.
fn run(name: &str) -> Result<String, Failed> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let valid = (1..=64).contains(&name.len()) && name.bytes().all(known) && !name.bytes().all(|byte| byte == b'.');
    let message = format!("the event's run is {name:?}: it has 1 to 64 letters, digits or ._- and is not dots alone");
    if valid { Ok(name.to_owned()) } else { Err(Failed::usage(message)) }
}

fn time(text: &str) -> Result<Time, Failed> {
    let why =
        |error| Failed::usage(format!("the event's scheduled is {text:?}, no time like 2026-11-27T23:55:00Z: {error}"));
    text.parse().map_err(why)
}

/// Account ids have twelve digits (IAM user guide, 'account identifiers').
fn account(id: String) -> Result<String, Failed> {
    let valid = id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    let message = format!("the event's account {id:?} is no account id: it has twelve digits");
    if valid { Ok(id) } else { Err(Failed::usage(message)) }
}
