//! The policies of the deployed purge: the function's role allows what its recorded calls need and nothing more; those that
//! no emulator enforces (the schedules', the state machine's) are looked at word by word.
//!
//! The real function runs in the sandbox under packaging/aws/policies/function.json, which Terraform deploys, and which
//! tests/terraform/alike.rs holds against the CloudFormation template; beside it the organization reader's policy.

mod papers;
mod still;

use serde_json::json;

use crate::notices::receiver::{Receiver, status};
use crate::purge_policy::papers::{READER, allowed, without_action};
use crate::sandbox::{Call, HOME};
use crate::state_machine::cloud::{Cloud, FUNCTION};
use crate::state_machine::machine::{Fault, World};
pub use papers::function_policy;
use papers::{MAIL_FROM, NOT_THE_PROGRAMS, SECRET, TOPIC};

/// Each says what went wrong, if anything.
type Scenario = fn(&Cloud) -> Result<(), String>;

/// Each action of the function's own, with the scenario that breaks without it, and the call that AWS refuses.
const NEEDED: [(&str, &str, &str, Scenario); 7] = [
    ("s3:GetObject", "a run that is asked for again", "GetObject", again),
    ("s3:ListBucket", "a run", "ListObjectsV2", run),
    ("s3:PutObject", "a run", "PutObject", run),
    ("secretsmanager:GetSecretValue", "a run that tells a chat", "GetSecretValue", chatted),
    ("ses:GetSuppressedDestination", "mail to an owner whose mail bounced", "GetSuppressedDestination", mailed),
    ("ses:SendEmail", "mail to owners", "SendEmail", mailed),
    ("sns:Publish", "a run that tells a topic", "Publish", told),
];

/// The same of what the organization reader's policy allows.
const READER_IS_NEEDED: [(&str, &str, Scenario); 5] = [
    ("organizations:DescribeOrganization", "a management account without the role", without_management),
    ("organizations:ListAccounts", "a run", run),
    ("organizations:ListAccountsForParent", "a run of a unit", unit),
    ("organizations:ListOrganizationalUnitsForParent", "a run of a unit", unit),
    ("sts:AssumeRole", "a run", run),
];

/// AWS asks nobody for a permission for it.
const FREE: &str = "sts:GetCallerIdentity";

fn cloud(function: &str, reader: &str) -> Cloud {
    Cloud::under(2, 1, &[function, reader])
}

fn run(cloud: &Cloud) -> Result<(), String> {
    let answer = cloud.invoke(FUNCTION, &json!({"run": "friday"}));
    let answer = answer.map_err(|Fault { error, cause }| format!("{error}: {cause}"))?;
    if answer["complete"] == true { Ok(()) } else { Err(answer.to_string()) }
}

fn again(cloud: &Cloud) -> Result<(), String> {
    run(cloud)?;
    run(cloud)
}

/// Its own account does not let it in, which is no fault of the coverage.
fn without_management(cloud: &Cloud) -> Result<(), String> {
    cloud.close(HOME);
    run(cloud)
}

fn unit(cloud: &Cloud) -> Result<(), String> {
    let unit = cloud.unit();
    cloud.set("KEYROT_ME_OUS", &unit);
    run(cloud)
}

/// That nobody is left untold, and how many messages there were.
fn notified(cloud: &Cloud, sent: u64) -> Result<(), String> {
    let answer = cloud.invoke(FUNCTION, &json!({"run": "friday"}));
    let answer = answer.map_err(|Fault { error, cause }| format!("{error}: {cause}"))?;
    if answer["notified"] == json!({"sent": sent, "failed": 0, "held": 0}) { Ok(()) } else { Err(answer.to_string()) }
}

fn told(cloud: &Cloud) -> Result<(), String> {
    let topic = cloud.sandbox.add_topic(HOME, TOPIC);
    cloud.set("KEYROT_ME_NOTIFY", &format!("sns:{topic}"));
    notified(cloud, 1)
}

fn chatted(cloud: &Cloud) -> Result<(), String> {
    let receiver = Receiver::start(&[status(200)]);
    let secret = cloud.sandbox.add_secret(HOME, "us-east-1", SECRET, &receiver.url());
    cloud.set("KEYROT_ME_NOTIFY", &format!("slack:{secret}"));
    notified(cloud, 1)
}

/// To the owners of both old keys, who are one; mail to her bounced, so that the team gets it.
fn mailed(cloud: &Cloud) -> Result<(), String> {
    cloud.sandbox.verify_identity("example.com");
    cloud.sandbox.suppress("user-0@example.com", "BOUNCE");
    cloud.set("KEYROT_ME_NOTIFY", &format!("ses:{MAIL_FROM}"));
    cloud.set("KEYROT_ME_OWNER_ADDRESS", "{user}@example.com");
    cloud.set("KEYROT_ME_TEAM_ADDRESS", "team@example.com");
    let answer = cloud.invoke(FUNCTION, &json!({"run": "friday"}));
    let answer = answer.map_err(|Fault { error, cause }| format!("{error}: {cause}"))?;
    let mails = cloud.sandbox.mails();
    let to: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    if answer["notified"]["failed"] == 0 && to.contains(&"team@example.com") && !to.contains(&"user-0@example.com") {
        Ok(())
    } else {
        Err(format!("{answer}, mail to {to:?}"))
    }
}

/// Calls of the function with its own role, as policies name them.
fn named(call: &Call) -> String {
    let action = if call.action == "ListObjectsV2" { "ListBucket" } else { &call.action };
    format!("{}:{action}", call.service.name())
}

fn breaks(cloud: &Cloud, action: &str, call: &str, what: &str, scenario: Scenario) {
    assert!(scenario(cloud).is_err(), "{what} works without {action}");
    let refused = |one: &Call| {
        one.action == call && ["AccessDenied", "AuthorizationError"].iter().any(|code| one.outcome.starts_with(code))
    };
    let calls = cloud.sandbox.calls();
    assert!(calls.iter().any(refused), "{what} broke, but not for want of {action}");
    // The management account may be closed to it.
    let others = calls
        .iter()
        .filter(|one| one.outcome.contains("Denied") && !refused(one) && one.action != "AssumeRole")
        .map(named);
    assert_eq!(others.collect::<Vec<_>>(), [""; 0], "{what} without {action}");
}

#[test]
fn each_action_of_the_functions_role_is_needed() {
    let policy = function_policy();
    let mut listed: Vec<&str> = NEEDED.iter().map(|(action, ..)| *action).chain(NOT_THE_PROGRAMS).collect();
    listed.sort_unstable();
    assert_eq!(listed, allowed(&policy));
    for (action, what, call, scenario) in NEEDED {
        breaks(&cloud(&without_action(&policy, action), READER), action, call, what, scenario);
    }
}

#[test]
fn each_action_of_the_reader_is_needed_by_the_function_too() {
    let listed: Vec<&str> = READER_IS_NEEDED.iter().map(|(action, ..)| *action).collect();
    assert_eq!(listed, allowed(READER));
    for (action, what, scenario) in READER_IS_NEEDED {
        let call = action.split_once(':').unwrap().1;
        breaks(&cloud(&function_policy(), &without_action(READER, action)), action, call, what, scenario);
    }
}

#[test]
fn under_exactly_these_policies_everything_works_and_nothing_in_them_is_unused() {
    let mut recorded = Vec::new();
    let scenarios: [(&str, Scenario); 6] = [
        ("again", again),
        ("without management", without_management),
        ("unit", unit),
        ("told", told),
        ("chatted", chatted),
        ("mailed", mailed),
    ];
    for (what, scenario) in scenarios {
        let cloud = cloud(&function_policy(), READER);
        scenario(&cloud).unwrap_or_else(|why| panic!("{what}: {why}"));
        let own = |call: &&Call| call.account == HOME && call.key_id == cloud.function_key();
        recorded.extend(cloud.sandbox.calls().iter().filter(own).map(named));
    }
    recorded.retain(|action| action != FREE);
    recorded.extend(NOT_THE_PROGRAMS.map(str::to_owned));
    recorded.sort_unstable();
    recorded.dedup();
    let mut documents = [allowed(&function_policy()), allowed(READER)].concat();
    documents.sort_unstable();
    assert_eq!(recorded, documents);
}

/// Another bucket, another topic: the resources are exact.
#[test]
fn the_function_writes_nowhere_else() {
    let cloud = cloud(&function_policy(), READER);
    cloud.sandbox.add_bucket(HOME, "somebody-elses");
    cloud.set("KEYROT_ME_REPORT_BUCKET", "somebody-elses");
    let refused = run(&cloud).unwrap_err();
    assert!(refused.contains("s3://somebody-elses") && refused.contains("AccessDenied"), "{refused}");
    assert_eq!(cloud.sandbox.objects("somebody-elses"), [""; 0]);
}
