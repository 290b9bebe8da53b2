//! The documents of packaging/aws/policies, filled in as a deployment fills them.

use crate::purge_policy::papers::filled;
use crate::sandbox::HOME;
use crate::state_machine::cloud::BUCKET;

pub const FUNCTION_ROLE: &str = include_str!("../../packaging/aws/policies/function.json");
pub const SCHEDULER_ROLE: &str = include_str!("../../packaging/aws/policies/scheduler.json");
pub const STATE_MACHINE_ROLE: &str = include_str!("../../packaging/aws/policies/state-machine.json");

pub const TOPIC: &str = "keyrot-me";
pub const MAIL_FROM: &str = "security@example.com";
pub const SECRET: &str = "keyrot-me-slack";

/// Lambda's and its role's own business, of which the program makes no call: its log, its queue, its network; and what SNS
/// asks KMS for on behalf of who publishes.
pub const NOT_THE_PROGRAMS: [&str; 11] = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:SendMessage",
];

/// What the function's role allows in the sandbox.
pub fn function_policy() -> String {
    let values = [
        ("LOG_GROUP_ARN", format!("arn:aws:logs:us-east-1:{HOME}:log-group:/aws/lambda/keyrot-me")),
        ("REPORT_BUCKET_ARN", format!("arn:aws:s3:::{BUCKET}")),
        ("TOPIC_ARN", format!("arn:aws:sns:us-east-1:{HOME}:{TOPIC}")),
        ("QUEUE_ARN", format!("arn:aws:sqs:us-east-1:{HOME}:keyrot-me-dead-letters")),
        ("KEY_ARN", format!("arn:aws:kms:us-east-1:{HOME}:key/1234abcd-12ab-34cd-56ef-1234567890ab")),
        ("IDENTITY_ARNS", format!("arn:aws:ses:us-east-1:{HOME}:identity/*")),
        ("CONFIGURATION_SET_ARNS", format!("arn:aws:ses:us-east-1:{HOME}:configuration-set/*")),
        ("MAIL_FROM", MAIL_FROM.to_owned()),
        ("SECRET_ARN", format!("arn:aws:secretsmanager:us-east-1:{HOME}:secret:{SECRET}-*")),
    ];
    filled(FUNCTION_ROLE, &values)
}
