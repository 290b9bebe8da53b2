//! packaging/iam/purge-*.json: enough for the purge of an organization, nothing in it unused, and nobody else gets in.
//!
//! The real program runs as in production: with a role's session of the security account, through `AssumeRole`, under
//! the service control policy.

use serde_json::Value;

pub mod company;
mod control;
mod documents;
pub mod papers;

use crate::sandbox::Call;
use crate::sandbox_rules::client::{Keys, iam, refused, wait};
use crate::workstation::Ran;
use company::{Company, EXTERNAL_ID, MEMBER, Papers, SECURITY};
use papers::{READER, ROLE, TRUST, allowed, json, without_action, without_condition};

/// Each says what went wrong, if anything.
type Scenario = fn(&Company) -> Result<(), String>;

/// Each action of the role in a member account, with the scenario that breaks without it.
const ROLE_IS_NEEDED_BY: [(&str, &str, Scenario); 10] = [
    ("iam:DeleteAccessKey", "a deletion", deletion),
    ("iam:GetAccessKeyLastUsed", "only unused keys", unused),
    ("iam:GetGroup", "a dry run", dry_run),
    ("iam:GetUser", "a disabling", disabling),
    ("iam:ListAccessKeys", "a dry run", dry_run),
    ("iam:ListGroupsForUser", "a disabling", disabling),
    ("iam:ListUsers", "a dry run over all users", everybody),
    ("iam:TagUser", "a disabling", disabling),
    ("iam:UntagUser", "a deletion", deletion),
    ("iam:UpdateAccessKey", "a disabling", disabling),
];

/// The same of the role in the security account.
const READER_IS_NEEDED_BY: [(&str, &str, Scenario); 5] = [
    ("organizations:DescribeOrganization", "a management account without the role", dry_run),
    ("organizations:ListAccounts", "a dry run", dry_run),
    ("organizations:ListAccountsForParent", "a dry run of a unit", unit),
    ("organizations:ListOrganizationalUnitsForParent", "a dry run of a unit", unit),
    ("sts:AssumeRole", "a dry run", dry_run),
];

/// AWS asks nobody for a permission for it.
const FREE: &str = "sts:GetCallerIdentity";

fn run(company: &Company, more: &[&str]) -> Result<(), String> {
    let ran = company.purge(more);
    if ran.code == Some(0) { Ok(()) } else { Err(format!("{:?}: {}{}", ran.code, ran.stdout, ran.stderr)) }
}

fn dry_run(company: &Company) -> Result<(), String> {
    run(company, &["--group", "Developers"])
}

fn everybody(company: &Company) -> Result<(), String> {
    run(company, &["--all-users"])
}

fn unit(company: &Company) -> Result<(), String> {
    run(company, &["--group", "Developers", "--ou", &company.unit])
}

fn unused(company: &Company) -> Result<(), String> {
    run(company, &["--group", "Developers", "--unused-for", "10d"])
}

fn disabling(company: &Company) -> Result<(), String> {
    run(company, &["--group", "Developers", "--apply"])?;
    let (id, status) = company.key().unwrap();
    let record = company.sandbox().tags_of((MEMBER, "carol")).remove(&format!("keyrot-me/disabled/{id}"));
    if status == "Inactive" && record.is_some() { Ok(()) } else { Err(format!("{status}, {record:?}")) }
}

/// Not of the organization: `--explain` looks into one account.
fn explanation(company: &Company) -> Result<(), String> {
    let (id, _) = company.key().unwrap();
    let place = ["purge", "--account", MEMBER, "--external-id", EXTERNAL_ID];
    for what in ["carol", &id] {
        let asked = ["--group", "Developers", "--max-age", "5d", "--explain", what];
        let ran = company.start(&company.purge, &[&place[..], &asked].concat());
        if ran.code != Some(0) || !ran.stdout.contains(&id) {
            return Err(format!("{:?}: {}{}", ran.code, ran.stdout, ran.stderr));
        }
    }
    Ok(())
}

/// Of a key that was disabled long ago, and then of one for which there is no grace.
fn deletion(company: &Company) -> Result<(), String> {
    let (sandbox, (id, _)) = (company.sandbox(), company.key().unwrap());
    sandbox.set_status(&id, "Inactive");
    let last = (sandbox.now() - chrono::TimeDelta::days(8)).format("%Y-%m-%dT%H:%M:%SZ");
    sandbox.set_tag((MEMBER, "carol"), &format!("keyrot-me/disabled/{id}"), &format!("first={last} last={last} n=1"));
    for grace in ["7d", "0"] {
        run(company, &["--group", "Developers", "--apply", "--grace", grace])?;
        let (key, tags) = (company.key(), sandbox.tags_of((MEMBER, "carol")));
        if key.is_some() || !tags.is_empty() {
            return Err(format!("{key:?}, {tags:?}"));
        }
        sandbox.seed_key((MEMBER, "carol"), sandbox.now() - chrono::TimeDelta::days(9), "Active");
    }
    Ok(())
}

/// Whether the scenario breaks, and because AWS refused just this.
fn breaks(papers: &Papers, action: &str, what: &str, scenario: Scenario) {
    let company = Company::new(papers);
    assert!(scenario(&company).is_err(), "{what} works without {action}");
    let name = action.split_once(':').unwrap().1;
    let refused = |call: &Call| call.action == name && call.outcome.starts_with("AccessDenied");
    assert!(company.sandbox().calls().iter().any(refused), "{what} broke, but not for want of {action}");
}

#[test]
fn each_action_of_the_role_is_needed() {
    let listed: Vec<&str> = ROLE_IS_NEEDED_BY.iter().map(|(action, ..)| *action).collect();
    assert_eq!(listed, allowed(ROLE));
    for (action, what, scenario) in ROLE_IS_NEEDED_BY {
        breaks(&Papers { role: without_action(ROLE, action), ..Papers::default() }, action, what, scenario);
    }
}

#[test]
fn each_action_of_the_reader_is_needed() {
    let listed: Vec<&str> = READER_IS_NEEDED_BY.iter().map(|(action, ..)| *action).collect();
    assert_eq!(listed, allowed(READER));
    for (action, what, scenario) in READER_IS_NEEDED_BY {
        breaks(&Papers { reader: without_action(READER, action), ..Papers::default() }, action, what, scenario);
    }
}

#[test]
fn with_exactly_these_policies_everything_works_and_nothing_in_them_is_unused() {
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for (what, scenario) in [
        ("dry run", dry_run as Scenario),
        ("everybody", everybody),
        ("unit", unit),
        ("unused", unused),
        ("disabling", disabling),
        ("deletion", deletion),
        ("explanation", explanation),
    ] {
        let company = Company::new(&Papers::default());
        scenario(&company).unwrap_or_else(|why| panic!("{what}: {why}"));
        inside.extend(company.actions_in(MEMBER));
        outside.extend(company.actions_in(SECURITY));
        for call in company.calls_in(MEMBER) {
            assert_eq!(call.outcome, "OK", "{what}: {}", call.action);
            // What the alarm on re-activations rests upon.
            assert_ne!(call.parameters.get("Status").map(String::as_str), Some("Active"), "{what}");
        }
    }
    outside.retain(|action| action != FREE);
    for (mut recorded, document) in [(inside, ROLE), (outside, READER)] {
        recorded.sort_unstable();
        recorded.dedup();
        assert_eq!(recorded, allowed(document));
    }
}

/// A purge that must not come into a member account.
struct Intruder {
    what: &'static str,
    signer: fn(&Company) -> &Keys,
    external_id: Option<&'static str>,
    /// The one that the member accounts trust, where it is not their own.
    organization: Option<&'static str>,
    /// The trust policy without what keeps this one out.
    loosened: String,
}

impl Intruder {
    fn attempt(&self, trust: &str) -> (Company, Ran) {
        let papers = Papers { trust: trust.to_owned(), ..Papers::default() };
        let company = Company::trusting(&papers, self.organization);
        let external_id: Vec<&str> = self.external_id.iter().flat_map(|id| ["--external-id", id]).collect();
        let report = company.station.path("purge.json").display().to_string();
        let asked = [&["--group", "Developers", "--apply", "--report", &report], &external_id[..]].concat();
        let ran = company.purge_as((self.signer)(&company), &asked);
        (company, ran)
    }
}

fn intruders() -> [Intruder; 5] {
    let ours = |it: fn(&Company) -> &Keys, what, external_id, loosened: &str| Intruder {
        what,
        signer: it,
        external_id,
        organization: None,
        loosened: loosened.to_owned(),
    };
    let no_external_id = without_condition(TRUST, "StringEquals", "sts:ExternalId");
    let no_organization = without_condition(TRUST, "StringEquals", "aws:PrincipalOrgID");
    let whole_account = TRUST.replace("{{PURGE_PRINCIPAL_ARN}}", &format!("arn:aws:iam::{SECURITY}:root"));
    [
        ours(|it| &it.purge, "no external id", None, &no_external_id),
        ours(|it| &it.purge, "a wrong external id", Some("guess"), &no_external_id),
        ours(|it| &it.other_role, "another role of the security account", Some(EXTERNAL_ID), &whole_account),
        ours(|it| &it.operator, "an administrator of the security account", Some(EXTERNAL_ID), &whole_account),
        Intruder {
            organization: Some("o-a1b2c3d4e5"),
            ..ours(|it| &it.purge, "a purge of another organization", Some(EXTERNAL_ID), &no_organization)
        },
    ]
}

#[test]
fn whoever_is_not_the_purge_is_refused_at_the_door_and_the_account_is_named_as_skipped() {
    for intruder in intruders() {
        let (company, ran) = intruder.attempt(TRUST);
        ran.expect(20);
        let report = json(&std::fs::read_to_string(company.station.path("purge.json")).unwrap());
        let accounts = report["accounts"].as_array().unwrap();
        let member = accounts.iter().find(|account| account["account"] == MEMBER).unwrap();
        let skipped = &member["skipped"][0];
        assert_eq!(skipped["what"], format!("account/{MEMBER}"), "{}", intruder.what);
        assert!(skipped["cause"].as_str().unwrap().starts_with("sts:AssumeRole: AccessDenied"), "{skipped}");
        assert_eq!([&member["complete"], &report["complete"]], [&Value::Bool(false); 2]);
        assert!(company.calls_in(MEMBER).is_empty(), "{}", intruder.what);
        assert_eq!(company.key().unwrap().1, "Active");
    }
}

#[test]
fn each_part_of_the_trust_policy_keeps_somebody_out() {
    for intruder in intruders() {
        let (company, ran) = intruder.attempt(&intruder.loosened);
        ran.expect(0);
        assert_eq!(company.key().unwrap().1, "Inactive", "{}", intruder.what);
    }
}

#[test]
fn the_role_makes_no_keys_and_writes_no_tags_but_its_own() {
    let company = Company::new(&Papers::default());
    let (inside, (id, _)) = (company.inside(), company.key().unwrap());
    let client = iam(company.sandbox(), &inside);
    assert!(refused(client.create_access_key().user_name("carol").send()).is(403, "AccessDenied"));
    let ours = format!("keyrot-me/disabled/{id}");
    let refused: [&[&str]; 6] = [
        &["keyrot-me/exempt"],
        &["keyrot-me/disabled"],
        &["team"],
        &["KEYROT-ME/DISABLED/AKIA"],
        &[&ours, "keyrot-me/exempt"],
        &[],
    ];
    for names in refused {
        for answer in [company.tag(&inside, "carol", names), company.untag(&inside, "carol", names)] {
            assert!(answer.unwrap_err().contains("AccessDenied"), "{names:?}");
        }
    }
    company.tag(&inside, "carol", &[&ours]).unwrap();
    company.untag(&inside, "carol", &[&ours, "keyrot-me/disabled/AKIAGONE000000000001"]).unwrap();
    assert_eq!(allowed(ROLE).iter().filter(|action| action.contains('*')).count(), 0);
}

/// `ForAllValues` is true of a request that names no tag at all.
#[test]
fn the_null_condition_is_needed() {
    let role = without_condition(ROLE, "Null", "aws:TagKeys");
    let company = Company::new(&Papers { role, ..Papers::default() });
    company.untag(&company.inside(), "carol", &[]).unwrap();
}

/// README says so: no condition key tells the two directions apart, hence the alarm.
#[test]
fn the_role_could_switch_a_key_on_again() {
    let company = Company::new(&Papers::default());
    let (id, _) = company.key().unwrap();
    company.sandbox().set_status(&id, "Inactive");
    let call = iam(company.sandbox(), &company.inside()).update_access_key().user_name("carol").access_key_id(&id);
    wait(call.status(aws_sdk_iam::types::StatusType::Active).send()).unwrap();
    assert_eq!(company.key().unwrap().1, "Active");
}
