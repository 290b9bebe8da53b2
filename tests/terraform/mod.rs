//! packaging/aws/terraform by the real Terraform: form and types, what the least settings make and what is refused
//! (`terraform test` with a mocked provider), and all of it made, found unchanged, changed and removed in moto, an emulator
//! that others wrote.
//!
//! What moto cannot give:
//! - It does not keep a function's `logging_config`, which is therefore left out of the comparison here.
//! - It knows no `ValidateStateMachineDefinition`, which the provider asks before it makes a state machine: that is made
//!   with the mocked provider only, and its definition is checked by cfn-lint and run by `tests/state_machine`.
//! - It checks no key policy and no trust policy: those are looked at elsewhere.

mod alike;
mod tool;

use crate::foreign::Moto;
use serde_json::Value;
use tool::{Folder, Terraform};

const FOLDERS: [&str; 5] =
    [".", "modules/member-role", "modules/service-control-policy", "examples/one-account", "examples/organization"];

/// Kept by AWS and not by moto.
const NOT_IN_MOTO: &str =
    "resource \"aws_lambda_function\" \"purge\" {\n  lifecycle {\n    ignore_changes = [logging_config]\n  }\n}\n";

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
    assert!(ran.stdout.contains("Success! 9 passed, 0 failed."), "{}", ran.stdout);
}

/// All but the state machine: the function's house, roles in two accounts, service control policy.
#[test]
fn an_organization_is_made_found_unchanged_put_in_earnest_and_removed() {
    let Some(terraform) = Terraform::with_provider() else { return };
    let Some(moto) = Moto::start() else { return };
    let root = tool::organization(&moto);
    let folder = Folder::copy();
    folder.write("moto_override.tf", NOT_IN_MOTO);
    folder.write("examples/organization/moto_override.tf", &tool::providers(moto.url()));
    let example = folder.at("examples/organization");
    let settings = tool::settings(&folder, &root);
    terraform.init(&example);
    let with = |words: &[&str]| -> Vec<String> {
        words
            .iter()
            .map(|word| (*word).to_owned())
            .chain(["-input=false".into(), "-no-color".into()])
            .chain(settings.clone())
            .collect()
    };
    let apply = with(&["apply", "-auto-approve"]);
    terraform.run(&example, &apply).expect(0);
    let made = terraform.shown(&example);
    check(&made, "false");

    terraform.run(&example, &with(&["plan", "-detailed-exitcode"])).expect(0);
    let in_earnest = [&apply[..], &["-refresh=false", "-var=dry_run=false"].map(str::to_owned)].concat();
    let ran = terraform.run(&example, &in_earnest).expect(0);
    assert!(ran.stdout.contains("0 added, 1 changed, 0 destroyed"), "{}", ran.stdout);
    check(&terraform.shown(&example), "true");

    let ran = terraform.run(&example, &with(&["destroy", "-auto-approve", "-refresh=false"])).expect(0);
    assert!(ran.stdout.contains("Destroy complete!"), "{}", ran.stdout);
    assert_eq!(terraform.shown(&example)["values"], Value::Null);
}

/// What `terraform show` has of it all.
fn check(made: &Value, apply: &str) {
    let purge = tool::resources(made, "module.purge");
    let of = |kind: &str| purge.iter().filter(|one| one["type"] == kind).count();
    for (kind, count) in [
        ("aws_lambda_function", 1),
        ("aws_scheduler_schedule", 2),
        ("aws_cloudwatch_metric_alarm", 8),
        ("aws_cloudwatch_event_rule", 4),
        ("aws_s3_bucket", 1),
        ("aws_sns_topic", 1),
        ("aws_sqs_queue", 1),
    ] {
        assert_eq!(of(kind), count, "{kind}");
    }
    let function = purge.iter().find(|one| one["type"] == "aws_lambda_function").unwrap();
    let variables = &function["values"]["environment"][0]["variables"];
    assert_eq!([&variables["KEYROT_ME_APPLY"], &variables["KEYROT_ME_GROUPS"]], [apply, "Developers,Contractors"]);
    assert_eq!(variables["KEYROT_ME_TEAM_ADDRESS"], Value::Null, "what is not given is not set");
    for module in ["module.role_in_payments", "module.role_in_search"] {
        let made = tool::resources(made, module);
        let role = made.iter().find(|one| one["type"] == "aws_iam_role").unwrap();
        let trust: Value = serde_json::from_str(role["values"]["assume_role_policy"].as_str().unwrap()).unwrap();
        assert_eq!(trust["Statement"][0]["Principal"]["AWS"], "arn:aws:iam::123456789012:role/keyrot-me-function");
        assert!(!trust.to_string().contains("{{"), "{trust}");
    }
    let guard = tool::resources(made, "module.guard");
    assert_eq!(guard.iter().filter(|one| one["type"] == "aws_organizations_policy_attachment").count(), 1);
}
