//! The policies of packaging/iam as they are deployed: read, filled in, and cut down to see what breaks.

use serde_json::Value;

pub const ROLE: &str = include_str!("../../packaging/iam/purge-role.json");
pub const TRUST: &str = include_str!("../../packaging/iam/purge-member-trust.json");
pub const READER: &str = include_str!("../../packaging/iam/purge-organization-reader.json");
pub const CONTROL: &str = include_str!("../../packaging/iam/purge-service-control-policy.json");

/// What an operator puts in the place of each `{{NAME}}`.
pub type Values = [(&'static str, String)];

/// # Panics
/// Where a placeholder is left.
pub fn filled(document: &str, values: &Values) -> String {
    let fill = |text: String, (name, value): &(&str, String)| text.replace(&format!("{{{{{name}}}}}"), value);
    let filled = values.iter().fold(document.to_owned(), fill);
    assert!(placeholders(&filled).is_empty(), "left behind: {:?}", placeholders(&filled));
    filled
}

/// The names in double braces, each once.
pub fn placeholders(text: &str) -> Vec<String> {
    let mut names: Vec<String> =
        text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(name, _)| name.to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

pub fn json(document: &str) -> Value {
    serde_json::from_str(document).unwrap()
}

pub fn statements(document: &Value) -> &[Value] {
    document["Statement"].as_array().unwrap()
}

pub fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        many => many.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
    }
}

/// All actions that it allows, in order.
pub fn allowed(document: &str) -> Vec<String> {
    let document = json(document);
    let allows = statements(&document).iter().filter(|statement| statement["Effect"] == "Allow");
    let mut actions: Vec<String> = allows.flat_map(|statement| texts(&statement["Action"])).collect();
    actions.sort_unstable();
    actions
}

pub fn without_action(document: &str, action: &str) -> String {
    let mut document = json(document);
    for statement in document["Statement"].as_array_mut().unwrap() {
        let left: Vec<String> = texts(&statement["Action"]).into_iter().filter(|one| one != action).collect();
        statement["Action"] = left.into();
    }
    document.to_string()
}

/// Without one key of one operator in every statement's `Condition`.
pub fn without_condition(document: &str, operator: &str, key: &str) -> String {
    let (mut document, mut found) = (json(document), false);
    for statement in document["Statement"].as_array_mut().unwrap() {
        let keys = statement.pointer_mut(&format!("/Condition/{operator}")).and_then(Value::as_object_mut);
        found |= keys.is_some_and(|keys| keys.remove(key).is_some());
    }
    assert!(found, "{operator} of {key} is nowhere in {document}");
    document.to_string()
}
