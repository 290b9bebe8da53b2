//! The `Condition` part of policy documents. Pure; an operator it does not know is refused when the document is read.

use std::collections::BTreeMap;

use serde_json::Value;

use super::policy::{strings, wild_match};

#[derive(Clone, Debug)]
pub struct Condition {
    operator: Operator,
    negated: bool,
    if_exists: bool,
    set: Option<Set>,
    key: String,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
enum Operator {
    Bool,
    Null,
    Equals,
    EqualsIgnoreCase,
    Like,
    Arn,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug)]
enum Set {
    AnyValue,
    AllValues,
}

impl Condition {
    pub fn parse(name: &str, keys: &Value) -> Vec<Condition> {
        let (set, name) = match name.split_once(':') {
            Some(("ForAnyValue", rest)) => (Some(Set::AnyValue), rest),
            Some(("ForAllValues", rest)) => (Some(Set::AllValues), rest),
            _ => (None, name),
        };
        let (name, if_exists) = name.strip_suffix("IfExists").map_or((name, false), |bare| (bare, true));
        let (operator, negated) = operator(name);
        let keys = keys.as_object().expect("a condition names keys");
        let condition = |(key, values): (&String, &Value)| Condition {
            operator,
            negated,
            if_exists,
            set,
            key: key.to_lowercase(),
            values: strings(values),
        };
        keys.iter().map(condition).collect()
    }

    pub fn holds(&self, context: &BTreeMap<String, Vec<String>>, fill: impl Fn(&str) -> Option<String>) -> bool {
        // A key without values is as good as absent.
        let actual = context.get(&self.key).filter(|values| !values.is_empty());
        if matches!(self.operator, Operator::Null) {
            return self.values.iter().any(|value| value.eq_ignore_ascii_case("true") == actual.is_none());
        }
        let wanted: Vec<String> = self.values.iter().filter_map(|value| fill(value)).collect();
        let hit = |value: &String| wanted.iter().any(|want| self.operator.compare(value, want)) != self.negated;
        match (actual, self.set) {
            (None, Some(Set::AllValues)) => true,
            (None, Some(Set::AnyValue)) => self.if_exists,
            // A negated operator is true of what is absent.
            (None, None) => self.if_exists || self.negated,
            (Some(values), Some(Set::AllValues)) => values.iter().all(hit),
            (Some(values), _) => values.iter().any(hit),
        }
    }
}

impl Operator {
    fn compare(self, actual: &str, wanted: &str) -> bool {
        match self {
            Operator::Bool | Operator::EqualsIgnoreCase => actual.eq_ignore_ascii_case(wanted),
            Operator::Equals => actual == wanted,
            Operator::Like => wild_match(wanted, actual),
            Operator::Arn => arn_match(wanted, actual),
            Operator::Null => unreachable!("answered before any comparison"),
            _ => match (actual.parse::<f64>(), wanted.parse::<f64>()) {
                (Ok(actual), Ok(wanted)) => self.compare_numbers(actual, wanted),
                _ => false,
            },
        }
    }

    fn compare_numbers(self, actual: f64, wanted: f64) -> bool {
        match self {
            Operator::Less => actual < wanted,
            Operator::LessOrEqual => actual <= wanted,
            Operator::Greater => actual > wanted,
            Operator::GreaterOrEqual => actual >= wanted,
            other => unreachable!("{other:?} compares no numbers"),
        }
    }
}

/// Each of the six parts by itself: no wildcard reaches over a colon, except in the last.
fn arn_match(pattern: &str, arn: &str) -> bool {
    let (pattern, arn): (Vec<&str>, Vec<&str>) = (pattern.splitn(6, ':').collect(), arn.splitn(6, ':').collect());
    pattern.len() == arn.len() && pattern.iter().zip(&arn).all(|(pattern, part)| wild_match(pattern, part))
}

fn operator(name: &str) -> (Operator, bool) {
    match name {
        "Bool" => (Operator::Bool, false),
        "Null" => (Operator::Null, false),
        "StringEquals" => (Operator::Equals, false),
        "StringNotEquals" => (Operator::Equals, true),
        "StringEqualsIgnoreCase" => (Operator::EqualsIgnoreCase, false),
        "StringLike" => (Operator::Like, false),
        "StringNotLike" => (Operator::Like, true),
        "ArnLike" | "ArnEquals" => (Operator::Arn, false),
        "ArnNotLike" | "ArnNotEquals" => (Operator::Arn, true),
        "NumericLessThan" => (Operator::Less, false),
        "NumericLessThanEquals" => (Operator::LessOrEqual, false),
        "NumericGreaterThan" => (Operator::Greater, false),
        "NumericGreaterThanEquals" => (Operator::GreaterOrEqual, false),
        other => panic!("the sandbox cannot evaluate the condition {other}"),
    }
}
