//! Roles that no emulator enforces: exact actions, exact resources, exact trust, word by word; and that nothing is open
//! but where AWS knows no resource.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::papers::{FUNCTION_ROLE, SCHEDULER_ROLE, STATE_MACHINE_ROLE};
use crate::purge_policy::papers::{allowed, json as parsed, statements, texts};

/// The actions that AWS knows no resource for (Service authorization reference).
const NO_RESOURCE: [&str; 15] = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "ses:GetSuppressedDestination",
];

#[test]
fn nothing_is_open_but_where_aws_knows_no_resource() {
    for document in [FUNCTION_ROLE, SCHEDULER_ROLE, STATE_MACHINE_ROLE] {
        for statement in statements(&parsed(document)) {
            let (actions, resources) = (texts(&statement["Action"]), texts(&statement["Resource"]));
            assert!(actions.iter().all(|action| !action.contains('*')), "{statement}");
            assert_eq!(statement["Effect"], "Allow");
            if resources == ["*"] {
                assert!(actions.iter().all(|action| NO_RESOURCE.contains(&action.as_str())), "{statement}");
            } else {
                assert!(resources.iter().all(|resource| resource.starts_with("{{")), "{statement}");
            }
        }
    }
}

/// Step Functions' manual: 'IAM policies for using Distributed Map states', 'Logging using CloudWatch Logs'.
#[test]
fn the_state_machine_may_do_what_its_definition_says_and_no_more() {
    let document = parsed(STATE_MACHINE_ROLE);
    let of = |sid: &str| {
        let found = statements(&document).iter().find(|one| one["Sid"] == sid).unwrap();
        (texts(&found["Action"]), texts(&found["Resource"]))
    };
    let words = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    let is =
        |sid, actions: &[&str], resources: &[&str]| assert_eq!(of(sid), (words(actions), words(resources)), "{sid}");
    is("CallThePurge", &["lambda:InvokeFunction"], &["{{FUNCTION_ARN}}"]);
    is("StartOneExecutionForEachAccount", &["states:StartExecution"], &["{{STATE_MACHINE_ARN}}"]);
    let label = definition()["States"]["Each account"]["Label"].as_str().unwrap().to_owned();
    let children = format!("{{{{EXECUTION_ARN}}}}/{label}:*");
    is("FollowThem", &["states:DescribeExecution", "states:StopExecution"], &["{{EXECUTION_ARN}}:*", &children]);
    is("ReadTheListOfAccounts", &["s3:GetObject"], &["{{REPORT_BUCKET_ARN}}/runs/*/accounts.json"]);
    let written = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"];
    is("WriteTheirResults", &written, &["{{REPORT_BUCKET_ARN}}/runs/*/map/*"]);
    is("ReadAndWriteEncrypted", &["kms:Decrypt", "kms:GenerateDataKey"], &["{{KEY_ARN}}"]);
    assert_eq!(statements(&document).len(), 7);
    let places = definition()["States"]["Name the run"]["Parameters"].clone();
    assert_eq!(places["list.$"], "States.Format('runs/{}/accounts.json', $$.Execution.Name)");
    assert_eq!(places["results.$"], "States.Format('runs/{}/map', $$.Execution.Name)");
}

fn definition() -> Value {
    parsed(include_str!("../../packaging/aws/stepfunctions/state-machine.asl.json"))
}

/// SES asks for the identity and, where it has one of its own, for its configuration set.
#[test]
fn mail_may_go_through_an_identitys_own_configuration_set() {
    let document = parsed(FUNCTION_ROLE);
    let mail = statements(&document).iter().find(|one| one["Sid"] == "MailOwners").unwrap();
    assert_eq!(texts(&mail["Resource"]), ["{{IDENTITY_ARNS}}", "{{CONFIGURATION_SET_ARNS}}"]);
}

#[test]
fn the_schedules_may_start_the_purge_and_leave_what_was_not_taken() {
    let actions =
        ["kms:Decrypt", "kms:GenerateDataKey", "lambda:InvokeFunction", "sqs:SendMessage", "states:StartExecution"];
    assert_eq!(allowed(SCHEDULER_ROLE), actions);
}

/// Each role lets in one service, for this account's own schedules and state machine.
#[test]
fn each_role_trusts_one_service_of_this_account() {
    let read = |below: &str| {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/aws").join(below)).unwrap()
    };
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let terraform = flat(&(read("terraform/policies.tf") + &read("terraform/state_machine.tf")));
    for (service, condition) in [
        ("lambda", ""),
        ("scheduler", "ArnEquals = { \"aws:SourceArn\" = aws_scheduler_schedule_group.purge.arn }"),
        ("states", "ArnLike = { \"aws:SourceArn\" = [local.state_machine_arn, \"${local.state_machine_arn}/*\"] }"),
    ] {
        let principal = format!("Principal = {{ Service = \"{service}.amazonaws.com\" }} Action = \"sts:AssumeRole\"");
        assert_eq!(terraform.matches(&principal).count(), 1, "{service}");
        assert!(terraform.contains(condition), "{condition}");
    }
    assert_eq!(terraform.matches("sts:AssumeRole").count(), 3);
    for (template, service) in [
        ("cloudformation/security-account.yaml", "lambda"),
        ("cloudformation/security-account.yaml", "scheduler"),
        ("stepfunctions/template.yaml", "scheduler"),
        ("stepfunctions/template.yaml", "states"),
    ] {
        let text = flat(&read(template)).replace("{ ", "{").replace(" }", "}");
        assert_eq!(
            text.matches(&format!("Principal: {{Service: {service}.amazonaws.com}} Action: sts:AssumeRole")).count(),
            1,
            "{template}: {service}"
        );
    }
}
