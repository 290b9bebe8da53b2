//! packaging/aws/terraform by the real Terraform: form and types, what the least settings make and what is refused
//! (`terraform test` with a mocked provider, the example of an organization too), and the example of one account made, found
//! unchanged, put in earnest and removed in moto, an emulator that others wrote.
//!
//! What moto cannot give:
//! - It does not keep a function's `logging_config`, which is therefore left out of the comparison here.
//! - It knows no `ValidateStateMachineDefinition`, which the provider asks before it makes a state machine: that is made
//!   with the mocked provider only, and its definition is checked by cfn-lint and run by `tests/state_machine`.
//! - It checks no key policy and no trust policy: those are looked at elsewhere.
//! - The provider watches a bucket's lifecycle for a minute, whoever answers: it is left out here, and made with the mocked
//!   provider.

mod alike;
mod tool;

use crate::foreign::Moto;
use serde_json::{Value, json};
use tool::{Folder, Terraform};

const FOLDERS: [&str; 5] =
    [".", "modules/member-role", "modules/service-control-policy", "examples/one-account", "examples/organization"];

/// Not kept by moto, and what only takes time.
const IN_MOTO: &str = "resource \"aws_lambda_function\" \"purge\" {\n  lifecycle {\n    ignore_changes = [logging_config]\n  }\n}\n\n\
     resource \"aws_s3_bucket_lifecycle_configuration\" \"reports\" {\n  count = 0\n}\n";

#[test]
fn all_of_it_is_in_terraforms_own_form() {
    let Some(terraform) = Terraform::found() else { return };
    let folder = Folder::copy();
    terraform.run(&folder.at("."), &["fmt", "-check", "-diff", "-recursive"]).expect(0);
}

#[test]
fn all_of_it_is_valid_by_the_providers_own_schema() {
    let Some(terraform) = Terraform::with_provider() else { return };
    let folder = Folder::copy();
    for below in FOLDERS {
        terraform.init(&folder.at(below));
        terraform.run(&folder.at(below), &["validate", "-no-color"]).expect(0);
    }
}

#[test]
fn the_least_settings_make_a_dry_run_and_bad_ones_are_refused() {
    let Some(terraform) = Terraform::with_provider() else { return };
    let folder = Folder::copy();
    terraform.init(&folder.at("."));
    let ran = terraform.run(&folder.at("."), &["test", "-no-color"]).expect(0);
    assert!(ran.stdout.contains("Success! 17 passed, 0 failed."), "{}", ran.stdout);
}

/// Each command but `init` loads the provider's schema, which is most of its time: no more of them than needed.
#[test]
fn one_account_is_made_found_unchanged_put_in_earnest_and_removed() {
    let Some(terraform) = Terraform::with_provider() else { return };
    let Some(moto) = Moto::start() else { return };
    let folder = Folder::copy();
    folder.write("moto_override.tf", IN_MOTO);
    folder.write("examples/one-account/moto.tf", &tool::provider(moto.url()));
    let example = folder.at("examples/one-account");
    let zip = format!("-var=zip_path={}", folder.at("tests/empty.zip").display());
    terraform.init(&example);
    let run = |words: &[&str]| {
        terraform.run(&example, &[words, &["-input=false", "-no-color", "-parallelism=20", &zip]].concat()).expect(0)
    };
    run(&["apply", "-auto-approve"]);
    check(&tool::state(&example), "false");

    run(&["plan", "-detailed-exitcode"]);
    let ran = run(&["apply", "-auto-approve", "-refresh=false", "-var=dry_run=false"]);
    assert!(ran.stdout.contains("0 added, 1 changed, 0 destroyed"), "{}", ran.stdout);
    check(&tool::state(&example), "true");

    let ran = run(&["destroy", "-auto-approve", "-refresh=false"]);
    assert!(ran.stdout.contains("Destroy complete!"), "{}", ran.stdout);
    assert_eq!(tool::state(&example)["resources"], json!([]));
}

/// What the state has of it all.
fn check(state: &Value, apply: &str) {
    let made = tool::instances(state);
    let of = |kind: &str| made.iter().filter(|(one, _)| one == kind).count();
    for (kind, count) in [
        ("aws_lambda_function", 1),
        ("aws_scheduler_schedule", 2),
        ("aws_cloudwatch_metric_alarm", 8),
        ("aws_cloudwatch_event_rule", 3),
        ("aws_s3_bucket", 1),
        ("aws_sns_topic", 1),
        ("aws_sqs_queue", 1),
    ] {
        assert_eq!(of(kind), count, "{kind}");
    }
    let function = &made.iter().find(|(kind, _)| kind == "aws_lambda_function").unwrap().1;
    let variables = &function["environment"][0]["variables"];
    assert_eq!([&variables["KEYROT_ME_APPLY"], &variables["KEYROT_ME_GROUPS"]], [apply, "Developers"]);
    assert_eq!(variables["KEYROT_ME_TEAM_ADDRESS"], Value::Null, "what is not given is not set");
}
