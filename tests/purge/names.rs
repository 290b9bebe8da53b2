//! The names that a scenario gives to keys, accounts and units, and what stands for them in texts: `{alice-old}` is a
//! key's id, `{today+30d}` a date.

use std::collections::BTreeMap;

use super::file::{Mistake, age};
use crate::sandbox::Time;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName {
    pub id: String,
    /// The account's id.
    pub account: String,
    pub user: String,
}

#[derive(Default)]
pub struct Names {
    pub keys: BTreeMap<String, KeyName>,
    pub accounts: BTreeMap<String, String>,
    pub units: BTreeMap<String, String>,
}

impl Names {
    pub fn account(&self, name: &str) -> Result<&str, Mistake> {
        let id = self.accounts.get(name);
        id.map(String::as_str).ok_or_else(|| Mistake(format!("there is no account {name:?}")))
    }

    pub fn account_name<'a>(&'a self, id: &'a str) -> &'a str {
        self.accounts.iter().find(|(_, known)| *known == id).map_or(id, |(name, _)| name)
    }

    pub fn key(&self, label: &str) -> Result<&KeyName, Mistake> {
        self.keys.get(label).ok_or_else(|| Mistake(format!("there is no key labelled {label:?}")))
    }

    pub fn add_key(&mut self, label: &str, key: KeyName) -> Result<(), Mistake> {
        match self.keys.insert(label.to_owned(), key) {
            None => Ok(()),
            Some(_) => Err(Mistake(format!("two keys are labelled {label:?}"))),
        }
    }

    /// With everything in braces replaced.
    pub fn fill(&self, text: &str, now: Time) -> Result<String, Mistake> {
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, behind)) = rest.split_once('{') {
            let Some((name, after)) = behind.split_once('}') else {
                return Err(Mistake(format!("{text:?} opens a brace and does not close it")));
            };
            filled = filled + before + &self.value(name, now)?;
            rest = after;
        }
        Ok(filled + rest)
    }

    fn value(&self, name: &str, now: Time) -> Result<String, Mistake> {
        if let Some(moment) = name.strip_prefix("now").map(|rest| shifted(rest, now)) {
            return Ok(moment?.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        }
        if let Some(moment) = name.strip_prefix("today").map(|rest| shifted(rest, now)) {
            return Ok(moment?.format("%Y-%m-%d").to_string());
        }
        let key = self.keys.get(name).map(|key| &key.id);
        let known: Vec<&String> = [key, self.accounts.get(name), self.units.get(name)].into_iter().flatten().collect();
        match known[..] {
            [id] => Ok(id.clone()),
            [] => Err(Mistake(format!("{{{name}}} is neither a key's label nor an account, a unit or a time"))),
            _ => Err(Mistake(format!("{{{name}}} is the name of several things"))),
        }
    }
}

/// Nothing, `+30d` or `-8d`.
fn shifted(by: &str, now: Time) -> Result<Time, Mistake> {
    match (by.strip_prefix('+'), by.strip_prefix('-')) {
        (Some(ahead), _) => Ok(now + age(ahead).map_err(Mistake)?),
        (_, Some(back)) => Ok(now - age(back).map_err(Mistake)?),
        _ if by.is_empty() => Ok(now),
        _ => Err(Mistake(format!("{by:?} is no distance in time: write +30d or -8d"))),
    }
}

/// Whether a pattern of an expectation means this label: the whole of it, or its beginning where it ends in `*`.
pub fn means(pattern: &str, label: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == label, |beginning| label.starts_with(beginning))
}

/// What is expected of a label: the entry of its own name, else the longest pattern.
pub fn expected<'a, T>(table: &'a BTreeMap<String, T>, label: &str) -> Option<&'a T> {
    let meant = table.iter().filter(|(pattern, _)| means(pattern, label));
    meant.max_by_key(|(pattern, _)| (pattern.as_str() == label, pattern.len())).map(|(_, value)| value)
}
