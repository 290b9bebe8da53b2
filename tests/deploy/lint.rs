//! What cfn-lint and checkov say of the templates: nothing, and what they are told not to say has a reason.

use std::process::Command;

use serde_json::Value;

use super::{TEMPLATES, ran, template, template_path, tools};

#[test]
fn cfn_lint_finds_nothing() {
    let Some(tools) = tools("the templates were not linted") else { return };
    let found = ran(Command::new(tools.join("bin/cfn-lint")).args(TEMPLATES.map(template_path)));
    assert_eq!((found.code, found.stdout.as_str()), (Some(0), ""), "{}", found.stderr);
}

#[test]
fn checkov_finds_nothing() {
    let Some(tools) = tools("the templates were not searched for insecure settings") else { return };
    let mut command = Command::new(tools.join("bin/checkov"));
    // The descriptions of its checks are all that it would fetch.
    command.args(["--skip-download", "--framework", "cloudformation", "--compact", "--output", "json"]);
    for name in TEMPLATES {
        command.arg("--file").arg(template_path(name));
    }
    let found = ran(&mut command);
    assert_eq!(found.code, Some(0), "{}{}", found.stdout, found.stderr);
    let report: Value = serde_json::from_str(&found.stdout).unwrap();
    assert!(report["summary"]["passed"].as_u64().unwrap() > 20, "{}", report["summary"]);
    assert_eq!(report["summary"]["parsing_errors"], 0);
}

#[test]
fn each_suppression_of_checkov_has_a_reason() {
    let Some(tools) = tools("suppressions were not looked at") else { return };
    let mut seen = 0;
    for name in TEMPLATES {
        let template = template(&tools, name);
        for (resource, definition) in template["Resources"].as_object().unwrap() {
            for skipped in definition["Metadata"]["checkov"]["skip"].as_array().into_iter().flatten() {
                let reason = skipped["comment"].as_str().unwrap_or_default();
                assert!(reason.len() > 20, "{name}: {resource}: {skipped}");
                seen += 1;
            }
        }
    }
    assert_ne!(seen, 0, "the suppressions stand somewhere else now");
}
