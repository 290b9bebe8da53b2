//! A small evaluator of IAM policy documents. Pure. It refuses, when a document is handed in, whatever it cannot
//! evaluate, so that no test rests on a statement that was skipped.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::policy_conditions::Condition;

/// Full access to the user's own keys.
pub const OWN_KEYS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Action":["iam:*AccessKey*","iam:GetUser","iam:ListMFADevices"],
    "Resource":["arn:*:iam::*:user/${aws:username}","arn:*:iam::*:user/*/${aws:username}"]}]}"#;

/// Without MFA only the two reads of the self-service policy work.
pub const MFA_DEMANDED: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny",
    "NotAction":["iam:ListAccessKeys","iam:GetAccessKeyLastUsed","sts:GetSessionToken"],"Resource":"*",
    "Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}"#;

/// Without MFA nothing works, reads included.
pub const MFA_DEMANDED_TO_READ: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny",
    "NotAction":["sts:GetSessionToken"],"Resource":"*",
    "Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}"#;

pub const LOOKUP_EVENTS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"cloudtrail:LookupEvents","Resource":"*"}]}"#;

pub const ADMINISTRATOR: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// What is asked. Context keys in lower case; a key that is absent is absent for the conditions too.
#[derive(Default)]
pub struct Ask {
    pub action: String,
    pub resource: String,
    pub context: BTreeMap<String, Vec<String>>,
    /// The values of `Principal` that mean the caller; for trust policies only.
    pub principals: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allowed,
    NotAllowed,
    Denied,
}

#[derive(Clone, Debug)]
pub struct Policy(Vec<Statement>);

#[derive(Clone, Debug)]
struct Statement {
    allows: bool,
    actions: Patterns,
    resources: Option<Patterns>,
    principals: Option<Vec<String>>,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug)]
struct Patterns {
    negated: bool,
    any_of: Vec<String>,
}

pub fn judge<'a>(policies: impl IntoIterator<Item = &'a Policy>, ask: &Ask) -> Verdict {
    let matching = policies.into_iter().flat_map(|policy| &policy.0).filter(|statement| statement.matches(ask));
    matching.fold(Verdict::NotAllowed, |verdict, statement| match (verdict, statement.allows) {
        (Verdict::Denied, _) | (_, false) => Verdict::Denied,
        (_, true) => Verdict::Allowed,
    })
}

impl Policy {
    pub fn parse(document: &str) -> Policy {
        let document: Value = serde_json::from_str(document).expect("a policy document is JSON");
        assert_eq!(document["Version"], "2012-10-17", "policy variables need this version");
        Policy(items(&document["Statement"]).iter().map(Statement::parse).collect())
    }
}

impl Statement {
    fn parse(statement: &Value) -> Statement {
        let fields = statement.as_object().expect("a statement is an object");
        let known =
            ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "Condition"].as_slice();
        let unknown: Vec<&String> = fields.keys().filter(|key| !known.contains(&key.as_str())).collect();
        assert!(unknown.is_empty(), "the sandbox cannot evaluate {unknown:?}");
        let conditions = statement.get("Condition").map(|it| it.as_object().expect("a Condition is an object"));
        Statement {
            allows: match statement["Effect"].as_str() {
                Some("Allow") => true,
                Some("Deny") => false,
                other => panic!("{other:?} is no Effect"),
            },
            actions: Patterns::parse(fields, "Action").expect("Action or NotAction"),
            resources: Patterns::parse(fields, "Resource"),
            principals: statement.get("Principal").map(principals),
            conditions: conditions
                .into_iter()
                .flatten()
                .flat_map(|(name, keys)| Condition::parse(name, keys))
                .collect(),
        }
    }

    fn matches(&self, ask: &Ask) -> bool {
        let fill = |pattern: &str| fill_in(pattern, ask);
        let principal_fits = self.principals.as_ref().is_none_or(|named| {
            named.iter().any(|name| ask.principals.contains(name)) || named.iter().any(|name| name == "*")
        });
        principal_fits
            && self.actions.match_action(&ask.action)
            && self.resources.as_ref().is_none_or(|resources| resources.match_resource(&ask.resource, fill))
            && self.conditions.iter().all(|condition| condition.holds(&ask.context, fill))
    }
}

impl Patterns {
    fn parse(fields: &Map<String, Value>, name: &str) -> Option<Patterns> {
        let plain = fields.get(name).map(|value| Patterns { negated: false, any_of: strings(value) });
        let not = || fields.get(&format!("Not{name}")).map(|it| Patterns { negated: true, any_of: strings(it) });
        plain.or_else(not)
    }

    fn match_action(&self, action: &str) -> bool {
        let action = action.to_lowercase();
        self.any_of.iter().any(|pattern| wild_match(&pattern.to_lowercase(), &action)) != self.negated
    }

    fn match_resource(&self, resource: &str, fill: impl Fn(&str) -> Option<String>) -> bool {
        let hit = |pattern: &String| fill(pattern).is_some_and(|pattern| wild_match(&pattern, resource));
        self.any_of.iter().any(hit) != self.negated
    }
}

fn principals(value: &Value) -> Vec<String> {
    match value {
        Value::String(all) => vec![all.clone()],
        Value::Object(kinds) if kinds.keys().eq(["AWS"]) => strings(&kinds["AWS"]),
        other => panic!("the sandbox cannot evaluate the Principal {other}"),
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice)
}

pub fn strings(value: &Value) -> Vec<String> {
    let text = |item: &Value| match item {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => item.to_string(),
        other => panic!("{other} is neither text, number nor bool"),
    };
    items(value).iter().map(text).collect()
}

/// `${key}` from the context; None when the context lacks it, and then nothing matches.
fn fill_in(pattern: &str, ask: &Ask) -> Option<String> {
    let mut filled = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, behind) = after.split_once('}')?;
        filled += before;
        match name {
            "*" | "?" | "$" => filled += name,
            _ => filled += ask.context.get(&name.to_lowercase())?.first()?,
        }
        rest = behind;
    }
    Some(filled + rest)
}

/// `*` is any run, `?` any one character.
pub fn wild_match(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&letter) if letter == '?' || letter == text[t] => (p, t) = (p + 1, t + 1),
            _ => {
                let Some((star_at, covered)) = star else { return false };
                star = Some((star_at, covered + 1));
                (p, t) = (star_at + 1, covered + 1);
            }
        }
    }
    pattern[p..].iter().all(|letter| *letter == '*')
}
