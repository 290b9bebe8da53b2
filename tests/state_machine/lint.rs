//! The state machine's template by cfn-lint, which knows the states language too.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::skip::skip;
use crate::workstation::Ran;

const TEMPLATE: &str = include_str!("../../packaging/aws/stepfunctions/template.yaml");

/// Its definition in full, as for the partition aws: cfn-lint knows the services of no other.
fn lint(program: &PathBuf, template: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.yaml");
    fs::write(&path, template.replace("arn:${Partition}:states", "arn:aws:states")).unwrap();
    let mut command = Command::new(program);
    command.args(["--mandatory-checks", "E3601", "--"]).arg(&path).stdin(Stdio::null());
    Ran::from(command.output().unwrap())
}

#[test]
fn the_template_and_the_definition_in_it_are_what_cloudformation_and_step_functions_take() {
    let tools = std::env::var_os("KEYROT_DEPLOY").map(|folder| PathBuf::from(folder).join("bin/cfn-lint"));
    let Some(program) = tools.filter(|program| program.exists()) else {
        skip("KEYROT_DEPLOY names no folder with cfn-lint: the state machine's template was not linted");
        return;
    };
    let ran = lint(&program, TEMPLATE).expect(0);
    assert_eq!(ran.stdout.trim(), "");
    // The check sees into the definition.
    let broken = TEMPLATE.replace("\"ToleratedFailurePercentage\"", "\"ToleratedFailures\"");
    let ran = lint(&program, &broken);
    assert!(ran.code != Some(0) && ran.stdout.contains("ToleratedFailures"), "{ran:?}");
}
