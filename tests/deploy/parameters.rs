//! The templates' parameters: their patterns take what the program takes, and refuse the rest before anything is made.

use serde_json::{Value, json};

use super::emulator::{Emulator, Kind};
use super::{MEMBER_ROLE, SECURITY_ACCOUNT, SERVICE_CONTROL_POLICY, TEMPLATES, refused, template, tools};

/// Parameter, what it takes, what it refuses.
type Case<'a> = (&'a str, &'a [&'a str], &'a [&'a str]);

const SECURITY_ACCOUNT_CASES: &[Case] = &[
    ("CodeBucket", &["my-bucket.code"], &["", "My-Bucket", "ab", "a/b"]),
    ("CodeKey", &["keyrot-me/0a1b.zip"], &["", "a b"]),
    ("Architecture", &["arm64", "x86_64"], &["amd64", ""]),
    ("Groups", &["", "Developers", "Developers,Contractors", "a+b=c.d@e-f_g"], &["A, B", ",", "A,", "A/B", "${x}"]),
    ("AllUsers", &["true", "false"], &["yes", ""]),
    ("MaxAge", &["90d", "1s", "12h", "13w"], &["", "0", "0d", "90", "5x", "-5d", "1.5d", " 5d", "5d "]),
    ("Grace", &["0", "7d"], &["", "7", "00"]),
    ("WarnBefore", &["", "0", "24h"], &["24", "never"]),
    ("UnusedFor", &["", "10d"], &["0", "ten days"]),
    ("ExemptGroups", &["", "KeyExempt"], &["Key Exempt"]),
    (
        "Schedule",
        &["cron(55 23 ? * FRI *)", "rate(7 days)", "rate(1 minute)", "cron(0/5 8-18 L * ? 2026)"],
        &["", "55 23 * * 5", "cron(55 23 * * 5)", "Fri 23:55", "at(2026-01-01T00:00:00)", "rate(0 days)"],
    ),
    (
        "TimeZone",
        &["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+1"],
        &["", "+01:00", "Europe Berlin"],
    ),
    ("Review", &["weekly", "monthly", "never"], &["daily", ""]),
    ("DryRun", &["true", "false"], &["", "False", "no"]),
    ("MaxAffected", &["", "25%", "100%", "0", "500"], &["101%", "-1", "25 %", "all"]),
    ("Accounts", &["", "111122223333", "111122223333,444455556666"], &["1", "111122223333, 444455556666", "all"]),
    ("OrganizationalUnits", &["", "ou-ab12-cdef3456", "r-ab12,ou-ab12-cdef3456"], &["Root", "ou-ab12"]),
    ("MemberRole", &["keyrot-me-purge"], &["", "path/role", "arn:aws:iam::111122223333:role/x", "*"]),
    ("ExternalId", &["", "0a1b2c3d"], &["x", "a b"]),
    ("AlarmAddress", &["", "team@example.com"], &["team", "team@localhost", "a b@example.com"]),
    ("MailFrom", &["", "purge@example.com"], &["example.com", "a@example.com,b@example.com"]),
    ("OwnerTag", &["", "owner", "Cost Center"], &["a*"]),
    ("OwnerAddress", &["", "{user}@example.com"], &["{user}"]),
    ("OwnerMap", &["", "/var/task/owners.csv"], &["owners.csv", "/etc/passwd"]),
    ("NotifyTemplates", &["", "/var/task/notices"], &["notices"]),
    (
        "ChatSecret",
        &["", "arn:aws:secretsmanager:eu-central-1:111122223333:secret:chat-AbCdEf"],
        &["https://hooks.slack.com/services/T/B/X", "chat"],
    ),
    ("TicketSecret", &[""], &["https://tickets.example.com/hook"]),
    ("NotifyLimit", &["", "0", "500"], &["-1", "many"]),
    ("TrailLogGroup", &["", "aws-cloudtrail-logs/org"], &["arn:aws:logs:us-east-1:111122223333:log-group:x", "a*"]),
    ("ExemptionRole", &["", "key-exemptions"], &["*", "a/b"]),
    ("MemorySize", &["128", "10240"], &["64", "10241", "much"]),
    ("EphemeralStorage", &["512", "10240"], &["511", "10241", ""]),
    ("ReservedConcurrency", &["0", "1", "100"], &["-1", "many"]),
    ("ReportRetention", &["40", "800"], &["39", "forever"]),
    ("LogRetention", &["400"], &["399"]),
    ("KmsKeyArn", &["", "arn:aws:kms:eu-central-1:111122223333:key/0a1b-2c3d"], &["alias/mine", "0a1b-2c3d"]),
    ("SubnetIds", &["", "subnet-0a1b,subnet-2c3d"], &["subnet-0a1b, subnet-2c3d", "vpc-0a1b"]),
    ("SecurityGroupIds", &["", "sg-0a1b"], &["default"]),
    ("EndpointsVpcId", &["", "vpc-0a1b"], &["subnet-0a1b"]),
    ("EndpointsRouteTableIds", &["", "rtb-0a1b"], &["main"]),
];

const MEMBER_ROLE_CASES: &[Case] = &[
    (
        "PurgePrincipalArn",
        &["arn:aws:iam::111122223333:role/purge", "arn:aws-us-gov:iam::111122223333:role/a/b"],
        &["", "*", "arn:aws:iam::*:role/purge", "arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:root"],
    ),
    ("OrganizationId", &["o-a1b2c3d4e5"], &["", "o-*", "a1b2c3d4e5"]),
    ("ExternalId", &["0a1b2c3d"], &["", "x", "*"]),
    ("RoleName", &["keyrot-me-purge"], &["", "a/b"]),
];

const SERVICE_CONTROL_POLICY_CASES: &[Case] = &[
    ("MemberRole", &["keyrot-me-purge"], &["", "a/b", "*"]),
    ("TargetIds", &["r-ab12", "ou-ab12-cdef3456,111122223333"], &["", "Root"]),
    (
        "ExemptionRoleArn",
        &["arn:*:iam::*:role/key-exemptions", "arn:aws:iam::111122223333:role/sso/Exempt*"],
        &["", "*", "arn:*:iam::*:role/*", "arn:*:iam::*:user/alice", "{{EXEMPTION_ROLE_ARN}}"],
    ),
    ("DeploymentRoleArn", &["arn:*:iam::*:role/stacksets-exec-*"], &["", "arn:*:iam::*:role/*", "*"]),
];

#[test]
fn patterns_take_what_is_meant_and_refuse_the_rest() {
    let Some(tools) = tools("patterns of parameters were not tried") else { return };
    let all = [
        (SECURITY_ACCOUNT, SECURITY_ACCOUNT_CASES),
        (MEMBER_ROLE, MEMBER_ROLE_CASES),
        (SERVICE_CONTROL_POLICY, SERVICE_CONTROL_POLICY_CASES),
    ];
    for (name, cases) in all {
        let asked: Value = cases
            .iter()
            .map(|(parameter, good, bad)| ((*parameter).to_owned(), json!([*good, *bad].concat())))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let answer = refused(&tools, name, &asked);
        for (parameter, _, bad) in cases {
            assert_eq!(answer[parameter], json!(bad), "{name}: {parameter}");
        }
    }
}

/// Lambda's environment has 4 KB for all of them.
#[test]
fn more_accounts_than_the_environment_holds_are_refused() {
    let Some(tools) = tools("patterns of parameters were not tried") else { return };
    let [most, more] = [200, 201].map(|count| vec!["111122223333"; count].join(","));
    let answer = refused(&tools, SECURITY_ACCOUNT, &json!({"Accounts": [most, more]}));
    assert_eq!(answer["Accounts"], json!([more]));
}

/// A pattern that lets a duration through which the function then refuses would be found out on Friday.
#[test]
fn durations_that_the_patterns_take_are_taken_by_the_program() {
    for (parameter, good, _) in SECURITY_ACCOUNT_CASES {
        if ["MaxAge", "Grace", "WarnBefore", "UnusedFor"].contains(parameter) {
            for text in good.iter().filter(|text| !text.is_empty()) {
                assert!(keyrot_me::keys::policy::parse_duration(text).is_ok(), "{parameter}: {text}");
            }
        }
    }
}

#[test]
fn each_parameter_says_what_it_wants_and_its_default_is_valid() {
    let Some(tools) = tools("defaults of parameters were not tried") else { return };
    for name in TEMPLATES {
        let template = template(&tools, name);
        let mut defaults = serde_json::Map::new();
        for (parameter, is) in template["Parameters"].as_object().unwrap() {
            assert!(
                is["AllowedValues"].is_array() || is["ConstraintDescription"].is_string(),
                "{name}: {parameter} does not say what it wants"
            );
            if let Some(default) = is.get("Default") {
                let text = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
                defaults.insert(parameter.clone(), json!([text]));
            }
        }
        for (parameter, refused) in refused(&tools, name, &defaults.into()).as_object().unwrap() {
            assert_eq!(refused, &json!([]), "{name}: {parameter}");
        }
    }
}

#[test]
fn a_stack_that_could_not_work_is_refused_before_anything_is_made() {
    let Some(tools) = tools("rules of parameters were not tried") else { return };
    let Some(emulator) = Emulator::start(Kind::MiniStack, &tools) else { return };
    emulator.upload_nothing();
    let combinations: [(&[&str], &str); 7] = [
        (&[], "give Groups, or AllUsers=true"),
        (&["Groups=A", "AllUsers=true"], "not both"),
        (&["Groups=A", "Organization=true"], "need ExternalId"),
        (&["Groups=A", "Organization=true", "ExternalId=id", "Accounts=111122223333"], "not both"),
        (&["Groups=A", "OrganizationalUnits=r-ab12"], "needs Organization=true"),
        (&["Groups=A", "SubnetIds=subnet-0a1b"], "SubnetIds needs SecurityGroupIds"),
        (&["Groups=A", "MaxAge=5x"], "a duration like 12h, 5d or 13w"),
    ];
    for (parameters, why) in combinations {
        let template = super::template_path(SECURITY_ACCOUNT);
        let mut arguments = vec!["cloudformation", "deploy", "--stack-name", "purge", "--s3-bucket", "code"];
        arguments.extend(["--capabilities", "CAPABILITY_IAM", "--template-file", template.to_str().unwrap()]);
        arguments.extend(["--parameter-overrides", "CodeBucket=code", "CodeKey=function.zip"]);
        arguments.extend(parameters);
        let tried = emulator.tries(&arguments);
        assert_ne!(tried.code, Some(0), "{parameters:?}");
        assert!(tried.stderr.contains(why), "{parameters:?}: {}", tried.stderr);
    }
    assert_eq!(emulator.json(&["lambda", "list-functions", "--query", "Functions"]), json!([]));
}
