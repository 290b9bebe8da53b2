//! Each template created, updated and deleted for real, with the AWS CLI, in both emulators; and the list of its resources,
//! which an emulator made or passed over. What neither makes is only linted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::emulator::{Emulator, Kind};
use super::{MEMBER_ROLE, SECURITY_ACCOUNT, SERVICE_CONTROL_POLICY, template, template_path, tools};

/// Parameters with which each resource of a template is made in one of the stacks.
const STACKS: [(&str, &str, &[&str]); 4] = [
    (
        SECURITY_ACCOUNT,
        "one-account",
        &[
            "CodeBucket=code",
            "CodeKey=function.zip",
            "Groups=Developers",
            "ExemptGroups=KeyExempt",
            "ExemptionRole=exemptions",
            "AlarmAddress=team@example.com",
        ],
    ),
    (
        SECURITY_ACCOUNT,
        "organization",
        &[
            "CodeBucket=code",
            "CodeKey=function.zip",
            "Groups=Developers,Contractors",
            "ExemptGroups=KeyExempt",
            "Organization=true",
            "ExternalId=0a1b2c3d",
            "MailFrom=purge@example.com",
            "ChatSecret=arn:aws:secretsmanager:us-east-1:111122223333:secret:chat-AbCdEf",
            "TrailLogGroup=organization-trail",
        ],
    ),
    (
        MEMBER_ROLE,
        "member",
        &[
            "PurgePrincipalArn=arn:aws:iam::111122223333:role/purge",
            "OrganizationId=o-a1b2c3d4e5",
            "ExternalId=0a1b2c3d",
        ],
    ),
    (SERVICE_CONTROL_POLICY, "control", &["TargetIds=r-ab12"]),
];

/// What MiniStack refuses, and with it the whole stack: alarms over two metrics.
const REFUSED: &str = "TaggedAlarm";

/// The template's file. moto reads none out of a bucket, and the security account's is too long to be sent: as JSON it is not.
fn body(emulator: &Emulator, tools: &Path, name: &str, stack: &str) -> String {
    if emulator.kind == Kind::MiniStack && stack != "organization" {
        return template_path(name).to_str().unwrap().to_owned();
    }
    let mut template = template(tools, name);
    if emulator.kind == Kind::MiniStack {
        template["Resources"].as_object_mut().unwrap().remove(REFUSED).unwrap();
    }
    let path = emulator.home.path().join(format!("{name}.json"));
    std::fs::write(&path, template.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn deploy(emulator: &Emulator, body: &str, stack: &str, parameters: &[&str]) -> crate::workstation::Ran {
    let mut arguments = vec!["cloudformation", "deploy", "--stack-name", stack, "--template-file", body];
    arguments.extend(["--capabilities", "CAPABILITY_NAMED_IAM", "--parameter-overrides"]);
    arguments.extend(parameters);
    if emulator.kind == Kind::MiniStack {
        arguments.extend(["--s3-bucket", "code"]);
    }
    emulator.tries(&arguments)
}

/// The names of the stack's resources that are there.
fn made(emulator: &Emulator, stack: &str) -> BTreeSet<String> {
    let listed = emulator.tries(&["cloudformation", "list-stack-resources", "--stack-name", stack, "--output", "json"]);
    if listed.stderr.contains("does not exist") {
        return BTreeSet::new();
    }
    let listed: Value =
        serde_json::from_str(&listed.stdout).unwrap_or_else(|error| panic!("{error}: {}", listed.stderr));
    let rows = listed["StackResourceSummaries"].as_array().unwrap();
    rows.iter()
        .filter(|row| ["CREATE_COMPLETE", "UPDATE_COMPLETE"].iter().any(|status| row["ResourceStatus"] == *status))
        .filter_map(|row| row["LogicalResourceId"].as_str())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The parameters of a function in the emulator's default network.
fn network(emulator: &Emulator) -> [String; 4] {
    let first = |parameter: &str, what: &str, query: &str| {
        let id = emulator.aws(&["ec2", what, "--query", query, "--output", "text"]);
        format!("{parameter}={}", id.trim())
    };
    [
        first("EndpointsVpcId", "describe-vpcs", "Vpcs[0].VpcId"),
        first("SubnetIds", "describe-subnets", "Subnets[0].SubnetId"),
        first("SecurityGroupIds", "describe-security-groups", "SecurityGroups[0].GroupId"),
        first("EndpointsRouteTableIds", "describe-route-tables", "RouteTables[0].RouteTableId"),
    ]
}

/// What each resource of each template became in this emulator, over all stacks.
fn created(emulator: &Emulator, tools: &Path) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut all: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (name, stack, parameters) in STACKS {
        let network = if stack == "organization" { network(emulator).to_vec() } else { Vec::new() };
        let parameters: Vec<&str> = parameters.iter().copied().chain(network.iter().map(String::as_str)).collect();
        let deployed = deploy(emulator, &body(emulator, tools, name, stack), stack, &parameters);
        // MiniStack knows no policies of organizations, and refuses a stack that it cannot make whole.
        let whole = emulator.kind == Kind::Moto || name != SERVICE_CONTROL_POLICY;
        assert_eq!(
            deployed.code == Some(0),
            whole,
            "{:?} {stack}: {}{}",
            emulator.kind,
            deployed.stdout,
            deployed.stderr
        );
        all.entry(name).or_default().extend(made(emulator, stack));
    }
    all
}

#[test]
fn each_resource_is_made_or_known_to_be_passed_over() {
    let Some(tools) = tools("no template was deployed") else { return };
    let Some(moto) = Emulator::start(Kind::Moto, &tools) else { return };
    let Some(ministack) = Emulator::start(Kind::MiniStack, &tools) else { return };
    let there: Vec<_> = [ministack, moto]
        .into_iter()
        .map(|emulator| {
            emulator.upload_nothing();
            emulator.aws(&["logs", "create-log-group", "--log-group-name", "organization-trail"]);
            created(&emulator, &tools)
        })
        .collect();
    let mut table = String::from("template\tresource\ttype\tMiniStack\tmoto\n");
    for name in super::TEMPLATES {
        for (resource, definition) in template(&tools, name)["Resources"].as_object().unwrap() {
            let words = there.iter().map(|made| if made[name].contains(resource) { "created" } else { "ignored" });
            let words: Vec<&str> = words.collect();
            let kind = definition["Type"].as_str().unwrap();
            writeln!(table, "{name}\t{resource}\t{kind}\t{}", words.join("\t")).unwrap();
        }
    }
    let expected = include_str!("resources.tsv");
    assert_eq!(table, expected, "where this is right, it goes into tests/deploy/resources.tsv:\n{table}");
}

fn variables(emulator: &Emulator, function: &str) -> Value {
    let query = ["--query", "Environment.Variables"];
    emulator.json(&[&["lambda", "get-function-configuration", "--function-name", function][..], &query].concat())
}

#[test]
fn a_stack_is_made_as_a_dry_run_then_enforces_then_is_gone() {
    let Some(tools) = tools("no stack was updated or deleted") else { return };
    for kind in [Kind::MiniStack, Kind::Moto] {
        let Some(emulator) = Emulator::start(kind, &tools) else { continue };
        emulator.upload_nothing();
        let (_, stack, parameters) = STACKS[0];
        let body = body(&emulator, &tools, SECURITY_ACCOUNT, stack);
        assert_eq!(deploy(&emulator, &body, stack, parameters).code, Some(0), "{}", emulator.log());
        assert_eq!(variables(&emulator, stack)["KEYROT_ME_APPLY"], "false");
        let bucket = variables(&emulator, stack)["KEYROT_ME_REPORT_BUCKET"].as_str().unwrap().to_owned();

        let update = ["DryRun=false", "Schedule=cron(0 22 ? * THU *)"];
        let update: Vec<&str> = if kind == Kind::Moto { [parameters, &update].concat() } else { update.to_vec() };
        assert_eq!(deploy(&emulator, &body, stack, &update).code, Some(0), "{}", emulator.log());
        assert_eq!(variables(&emulator, stack)["KEYROT_ME_APPLY"], "true");
        assert_eq!(variables(&emulator, stack)["KEYROT_ME_GROUPS"], "Developers");
        assert_eq!(variables(&emulator, stack)["KEYROT_ME_REPORT_BUCKET"], bucket);
        if kind == Kind::MiniStack {
            let schedule =
                emulator.json(&["scheduler", "get-schedule", "--group-name", stack, "--name", "one-account-purge"]);
            assert_eq!(schedule["ScheduleExpression"], "cron(0 22 ? * THU *)");
            assert_eq!(schedule["State"], "ENABLED");
        }

        emulator.aws(&["cloudformation", "delete-stack", "--stack-name", stack]);
        emulator.aws(&["cloudformation", "wait", "stack-delete-complete", "--stack-name", stack]);
        assert_eq!(emulator.json(&["lambda", "list-functions", "--query", "Functions"]), json!([]));
        let alarms = emulator.json(&["cloudwatch", "describe-alarms", "--query", "MetricAlarms[].AlarmName"]);
        assert_eq!(alarms, json!([]), "{kind:?}");
        // The reports outlive the stack; moto knows no deletion policies.
        let buckets = emulator.aws(&["s3api", "list-buckets", "--query", "Buckets[].Name", "--output", "text"]);
        assert_eq!(buckets.contains(&bucket), kind == Kind::MiniStack, "{buckets}");
    }
}
