//! Payload templates of the Amazon States Language, as far as our definition uses them; anything else panics, so that no
//! test rests on what was not understood. Pure. (States Language specification, 'Payload Template', 'Intrinsic Functions'.)

use serde_json::{Map, Value};

/// Fills in a template: a name that ends in `.$` has a path or an intrinsic function as its value.
pub fn filled(template: &Value, input: &Value, context: &Value) -> Value {
    let Value::Object(fields) = template else { return template.clone() };
    let fill = |(name, value): (&String, &Value)| match (name.strip_suffix(".$"), value) {
        (Some(plain), Value::String(text)) => (plain.to_owned(), evaluated(text, input, context)),
        (Some(_), other) => panic!("{name} has {other}, which is no text"),
        (None, value) => (name.clone(), filled(value, input, context)),
    };
    Value::Object(fields.iter().map(fill).collect::<Map<_, _>>())
}

/// A path, or one of the three functions.
fn evaluated(text: &str, input: &Value, context: &Value) -> Value {
    let Some((name, rest)) = text.split_once('(') else { return at(text, input, context) };
    let arguments = arguments(rest.strip_suffix(')').expect("a bracket that closes"));
    assert!(
        ["States.Format", "States.StringToJson", "States.JsonMerge"].contains(&name),
        "the driver does not know {text}"
    );
    let value = |one: &String| match one.strip_prefix('\'') {
        Some(quoted) => Value::from(quoted.strip_suffix('\'').expect("a quote that closes")),
        None if one == "false" => Value::Bool(false),
        None => at(one, input, context),
    };
    let values: Vec<Value> = arguments.iter().map(value).collect();
    match (name, values.as_slice()) {
        ("States.Format", [Value::String(format), Value::String(word)]) if format.matches("{}").count() == 1 => {
            Value::from(format.replace("{}", word))
        }
        ("States.StringToJson", [Value::String(text)]) => serde_json::from_str(text).expect("JSON in a text"),
        ("States.JsonMerge", [Value::Object(under), Value::Object(over), Value::Bool(false)]) => {
            let merged = under.iter().chain(over).map(|(name, value)| (name.clone(), value.clone()));
            Value::Object(merged.collect())
        }
        _ => panic!("the driver does not know {text} of these arguments"),
    }
}

fn arguments(text: &str) -> Vec<String> {
    let mut quoted = false;
    let parts = text.split(|letter: char| {
        quoted ^= letter == '\'';
        letter == ',' && !quoted
    });
    parts.map(|part| part.trim().to_owned()).collect()
}

/// `$.a.b` of the input, `$$.A.b` of the context; nothing but names.
pub fn at(path: &str, input: &Value, context: &Value) -> Value {
    look(path, input, context).unwrap_or_else(|| panic!("States.ParameterPathFailure: {path} is not in {input}"))
}

pub fn look(path: &str, input: &Value, context: &Value) -> Option<Value> {
    let (root, rest) = match path.strip_prefix("$$") {
        Some(rest) => (context, rest),
        None => (input, path.strip_prefix('$').unwrap_or_else(|| panic!("{path} is no path"))),
    };
    assert!(!rest.contains(['[', '*', '?', '@']), "the driver does not know the path {path}");
    let names = rest.split('.').skip(1);
    names.into_iter().try_fold(root, |value, name| value.get(name)).cloned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::filled;

    #[test]
    fn a_template_is_filled_from_input_and_context() {
        let template = json!({"run.$": "$$.Execution.Name", "deep": {"id.$": "$.a.id", "step": "account"},
            "key.$": "States.Format('runs/{}/x.json', $$.Execution.Name)", "n.$": "States.StringToJson('20')",
            "both.$": "States.JsonMerge($.a, $.b, false)", "all.$": "$"});
        let input = json!({"a": {"id": 1, "x": 1}, "b": {"x": 2}});
        let context = json!({"Execution": {"Name": "friday"}});
        let wanted = json!({"run": "friday", "deep": {"id": 1, "step": "account"}, "key": "runs/friday/x.json", "n": 20,
            "both": {"id": 1, "x": 2}, "all": input.clone()});
        assert_eq!(filled(&template, &input, &context), wanted);
    }

    #[test]
    #[should_panic(expected = "does not know States.UUID()")]
    fn what_is_not_known_is_refused() {
        filled(&json!({"id.$": "States.UUID()"}), &json!({}), &json!({}));
    }
}
