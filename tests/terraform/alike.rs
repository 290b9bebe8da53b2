//! Terraform and CloudFormation make the same, held against each other as texts: variables of the function, alarms,
//! statements of the policies; and the state machine's template against the definition that both deploy.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

fn read(below: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/aws").join(below);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The module's own files, one after the other.
fn module() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/aws/terraform");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "tf"));
    files.sort();
    files.iter().map(|path| fs::read_to_string(path).unwrap()).collect::<Vec<_>>().join("\n")
}

/// The words that follow each `before`, as long as `part_of` holds.
fn words_after(text: &str, before: &str, part_of: impl Fn(char) -> bool + Copy) -> BTreeSet<String> {
    text.split(before)
        .skip(1)
        .map(|rest| rest.chars().take_while(|letter| part_of(*letter)).collect::<String>())
        .filter(|word| !word.is_empty())
        .collect()
}

fn variables(text: &str) -> BTreeSet<String> {
    words_after(text, "KEYROT_ME_", |letter| letter.is_ascii_uppercase() || letter == '_')
}

#[test]
fn the_function_gets_the_variables_of_the_readme_from_both() {
    let documented = variables(&read("README.md"));
    assert!(documented.len() > 20, "{documented:?}");
    assert_eq!(variables(&read("terraform/main.tf")), documented);
    assert_eq!(variables(&read("cloudformation/security-account.yaml")), documented);
}

#[test]
fn both_have_the_same_alarms() {
    let kebab = |letter: char| letter.is_ascii_lowercase() || letter == '-';
    let stack =
        words_after(&read("cloudformation/security-account.yaml"), "AlarmName: !Sub \"${AWS::StackName}-", kebab);
    assert!(stack.len() > 10, "{stack:?}");
    let module = module();
    let alarms = module.split_once("  alarms = {").unwrap().1.split_once("\nresource").unwrap().0;
    let mut made: BTreeSet<String> = alarms
        .lines()
        .filter_map(|line| line.trim().split_once(" = merge(").map(|(name, _)| name.trim().to_owned()))
        .collect();
    made.extend(words_after(&module, "alarm_name          = \"${var.name}-", kebab));
    let watched = module.split_once("contains([").unwrap().1;
    made.extend(
        ["exempted", "left", "reactivated"]
            .into_iter()
            .filter(|name| watched.contains(&format!("\"{name}\"")))
            .map(String::from),
    );
    let states = words_after(&read("stepfunctions/template.yaml"), "AlarmName: !Sub \"${Name}-", kebab);
    assert_eq!(made, stack.union(&states).cloned().collect());
}

/// Statement -> its actions, of a template's YAML.
fn statements_of_yaml(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for rest in text.split("Sid: ").skip(1) {
        let sid = rest.lines().next().unwrap().trim().to_owned();
        let action = rest.split_once("Action:").unwrap().1;
        let line = action.lines().next().unwrap().trim();
        let actions: BTreeSet<String> = if line.is_empty() {
            let items = action.lines().skip(1).map(str::trim).take_while(|line| line.starts_with("- "));
            items.map(|line| line[2..].to_owned()).collect()
        } else {
            line.trim_matches(['[', ']']).split(',').map(|one| one.trim().to_owned()).collect()
        };
        found.insert(sid, actions);
    }
    found
}

fn statements_of_json(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let document: Value = serde_json::from_str(text).unwrap();
    let of = |statement: &Value| {
        let actions = match &statement["Action"] {
            Value::String(one) => BTreeSet::from([one.clone()]),
            many => many.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
        };
        (statement["Sid"].as_str().unwrap().to_owned(), actions)
    };
    document["Statement"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn both_allow_the_same() {
    let function = statements_of_json(&read("policies/function.json"));
    let stack = statements_of_yaml(&read("cloudformation/security-account.yaml"));
    for (sid, actions) in function.iter().chain(&statements_of_json(&read("policies/scheduler.json"))) {
        // The stack's schedule starts no state machine: that has a schedule of its own.
        if sid != "StartTheStateMachine" {
            assert_eq!(stack.get(sid), Some(actions), "{sid}");
        }
    }
    let states = statements_of_yaml(&read("stepfunctions/template.yaml"));
    for (sid, actions) in statements_of_json(&read("policies/state-machine.json")) {
        assert_eq!(states.get(&sid), Some(&actions), "{sid}");
    }
}

#[test]
fn the_state_machines_template_holds_the_definition_word_for_word() {
    let template = read("stepfunctions/template.yaml");
    let block = template.split_once("DefinitionString: |\n").unwrap().1;
    let indented = block.lines().take_while(|line| line.starts_with("        "));
    let text: Vec<&str> = indented.map(|line| &line[8..]).collect();
    assert_eq!(text, read("stepfunctions/state-machine.asl.json").lines().collect::<Vec<_>>());
}
