//! packaging/iam/purge-service-control-policy.json: who may write `keyrot-me/…` tags on a member account's users, and
//! who may change the roles that may.

use super::company::{Company, MEMBER, PURGE_ROLE, Papers, account_trust, session, user};
use super::papers::{CONTROL, filled};
use crate::sandbox::{ADMINISTRATOR, Ask, Policy, Verdict, judge};
use crate::sandbox_rules::client::Keys;

const DENIED: &str = "with an explicit deny in a service control policy";
const EXEMPT: &str = "keyrot-me/exempt";
const RECORD: &str = "keyrot-me/disabled/AKIAEXAMPLE000000001";

/// IAM takes `Department` and `department` on a user for one tag (IAM User Guide, Tags, Case sensitivity); the sign
/// for Kelvin is a letter that lower case makes a `k`.
const OURS: [&str; 8] = [
    EXEMPT,
    RECORD,
    "Keyrot-Me/Exempt",
    "KEYROT-ME/DISABLED/akiaexample000000001",
    "\u{212a}eyrot-me/exempt",
    "keyrot-me/di\u{17f}abled/AKIAEXAMPLE000000001",
    "keyrot-me/anything",
    "keyrot-me/",
];

fn denied(answer: Result<(), String>, names: &[&str]) {
    let why = answer.expect_err(&names.join(", "));
    assert!(why.contains(DENIED), "{names:?}: {why}");
}

fn kept_off(company: &Company, signer: &Keys, names: &[&str]) {
    denied(company.tag(signer, "dave", names), names);
    denied(company.untag(signer, "dave", names), names);
}

fn free(company: &Company, signer: &Keys, names: &[&str]) {
    company.tag(signer, "dave", names).unwrap_or_else(|why| panic!("{names:?}: {why}"));
    company.untag(signer, "dave", names).unwrap_or_else(|why| panic!("{names:?}: {why}"));
}

#[test]
fn an_administrator_of_the_account_can_neither_exempt_nor_forge_or_drop_a_record() {
    let company = Company::new(&Papers::default());
    for name in OURS {
        kept_off(&company, &company.administrator, &[name]);
        kept_off(&company, &company.administrator, &["team", name]);
    }
    assert!(company.sandbox().tags_of((MEMBER, "dave")).is_empty());
}

#[test]
fn other_tags_stay_free() {
    let company = Company::new(&Papers::default());
    for name in ["team", "keyrot", "keyrot-me", "my/keyrot-me/exempt", "keyrot-mex/exempt", "AKIAEXAMPLE000000001"] {
        free(&company, &company.administrator, &[name]);
    }
    free(&company, &company.administrator, &["team", "cost-center/eu"]);
}

#[test]
fn who_may_exempt_may_do_that_and_no_more() {
    let company = Company::new(&Papers::default());
    free(&company, &company.exemptor, &[EXEMPT]);
    free(&company, &company.exemptor, &[EXEMPT, "team"]);
    for name in [RECORD, "KEYROT-ME/DISABLED/AKIAEXAMPLE000000001", "keyrot-me/di\u{17f}abled/AKIA"] {
        kept_off(&company, &company.exemptor, &[name]);
        kept_off(&company, &company.exemptor, &[EXEMPT, name]);
    }
}

#[test]
fn the_purge_still_records() {
    let company = Company::new(&Papers::default());
    company.tag(&company.inside(), "dave", &[RECORD]).unwrap();
    denied(company.untag(&company.administrator, "dave", &[RECORD]), &[RECORD]);
    company.untag(&company.inside(), "dave", &[RECORD]).unwrap();
}

/// A path may hold colons and slashes: only a comparison part by part, `ArnLike`, tells them from the role.
#[test]
fn a_name_like_the_purges_helps_nobody() {
    let company = Company::new(&Papers::default());
    let sandbox = company.sandbox();
    sandbox.add_user_at("/x:role/", (MEMBER, PURGE_ROLE));
    sandbox.set_policies((MEMBER, PURGE_ROLE), &[ADMINISTRATOR]);
    let namesake = Keys::from(sandbox.seed_key((MEMBER, PURGE_ROLE), sandbox.now(), "Active"));
    let other = sandbox.add_role(MEMBER, "keyrot-me-purge-2", &account_trust(MEMBER), &[ADMINISTRATOR]);
    let helper = user(sandbox, MEMBER, "helper");
    let other = session(sandbox, &helper, &other, None).unwrap();
    for signer in [&namesake, &other] {
        kept_off(&company, signer, &[RECORD]);
        kept_off(&company, signer, &[EXEMPT]);
    }
    let loose = CONTROL.replace("ArnNotLike", "StringNotLike");
    let company = Company::new(&Papers { control: loose, ..Papers::default() });
    let sandbox = company.sandbox();
    sandbox.add_user_at("/x:role/", (MEMBER, PURGE_ROLE));
    sandbox.set_policies((MEMBER, PURGE_ROLE), &[ADMINISTRATOR]);
    let namesake = Keys::from(sandbox.seed_key((MEMBER, PURGE_ROLE), sandbox.now(), "Active"));
    free(&company, &namesake, &[RECORD]);
}

fn policy() -> Policy {
    let values = [
        ("EXEMPTION_ROLE_ARN", "arn:aws:iam::*:role/key-exemptions".to_owned()),
        ("DEPLOYMENT_ROLE_ARN", "arn:aws:iam::*:role/stacksets-exec-*".to_owned()),
    ];
    Policy::parse(&filled(CONTROL, &values))
}

fn verdict(caller: &str, action: &str, resource: &str, tags: &[&str]) -> Verdict {
    let mut ask = Ask { action: action.to_owned(), resource: resource.to_owned(), ..Ask::default() };
    ask.context.insert("aws:principalarn".to_owned(), vec![caller.to_owned()]);
    if !tags.is_empty() {
        ask.context.insert("aws:tagkeys".to_owned(), tags.iter().map(|tag| (*tag).to_owned()).collect());
    }
    judge([&policy()], &ask)
}

#[test]
fn nobody_is_born_exempt() {
    for caller in ["arn:aws:iam::222222222222:user/administrator", "arn:aws:iam::222222222222:root"] {
        let create = |tags: &[&str]| verdict(caller, "iam:CreateUser", "arn:aws:iam::222222222222:user/new", tags);
        assert_eq!(create(&["team", EXEMPT]), Verdict::Denied);
        assert_eq!([create(&["team"]), create(&[])], [Verdict::NotAllowed; 2], "not this policy's business");
    }
}

/// Whoever can rewrite the role's trust is the role.
#[test]
fn only_the_deployment_changes_the_two_roles() {
    let writes = [
        "AttachRolePolicy",
        "CreateRole",
        "DeleteRole",
        "DeleteRolePermissionsBoundary",
        "DeleteRolePolicy",
        "DetachRolePolicy",
        "PutRolePermissionsBoundary",
        "PutRolePolicy",
        "UpdateAssumeRolePolicy",
        "UpdateRole",
    ];
    let by = |caller: &str, action: &str, role: &str| {
        let caller = format!("arn:aws:iam::222222222222:{caller}");
        verdict(&caller, &format!("iam:{action}"), &format!("arn:aws:iam::222222222222:role/{role}"), &[])
    };
    for action in writes {
        for caller in ["user/administrator", "role/keyrot-me-purge", "role/key-exemptions", "root"] {
            assert_eq!(by(caller, action, PURGE_ROLE), Verdict::Denied, "{caller} {action}");
            assert_eq!(by(caller, action, "key-exemptions"), Verdict::Denied, "{caller} {action}");
            assert_eq!(by(caller, action, "another"), Verdict::NotAllowed, "{caller} {action}");
        }
        assert_eq!(by("role/stacksets-exec-7a", action, PURGE_ROLE), Verdict::NotAllowed);
    }
    for read in ["GetRole", "ListRolePolicies"] {
        assert_eq!(by("user/administrator", read, PURGE_ROLE), Verdict::NotAllowed);
    }
}

#[test]
fn the_role_is_known_in_every_partition() {
    for partition in ["aws", "aws-cn", "aws-us-gov"] {
        let purge = format!("arn:{partition}:iam::222222222222:role/{PURGE_ROLE}");
        let user = format!("arn:{partition}:iam::222222222222:user/dev/eu/carol");
        assert_eq!(verdict(&purge, "iam:TagUser", &user, &[RECORD]), Verdict::NotAllowed);
        assert_eq!(verdict(&user, "iam:TagUser", &user, &[RECORD]), Verdict::Denied);
        assert_eq!(verdict(&user, "iam:UpdateAssumeRolePolicy", &purge, &[]), Verdict::Denied);
        let role = Policy::parse(super::papers::ROLE);
        let mut ask = Ask { action: "iam:DeleteAccessKey".into(), resource: user, ..Ask::default() };
        assert_eq!(judge([&role], &ask), Verdict::Allowed);
        ask.resource = purge;
        assert_eq!(judge([&role], &ask), Verdict::NotAllowed);
    }
}

#[test]
#[should_panic(expected = "cannot evaluate the Principal {\"Service\":\"lambda.amazonaws.com\"}")]
fn a_principal_that_the_emulator_does_not_know_is_refused_at_once() {
    Policy::parse(
        &account_trust(MEMBER)
            .replace(&format!(r#"{{"AWS":"arn:aws:iam::{MEMBER}:root"}}"#), r#"{"Service":"lambda.amazonaws.com"}"#),
    );
}

#[test]
#[should_panic(expected = "a Condition is an object")]
fn a_condition_that_is_none_is_refused_at_once() {
    let list = r#"[{"Effect":"Deny","Action":"*","Resource":"*","Condition":["Null"]}]"#;
    Policy::parse(&format!(r#"{{"Version":"2012-10-17","Statement":{list}}}"#));
}
