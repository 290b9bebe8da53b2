//! Permissions.

use std::time::Duration;

use super::client::{Keys, iam, refused, sandbox, session, sts, trail, wait};
use crate::sandbox::{LOOKUP_EVENTS, MFA_DEMANDED, MFA_DEMANDED_TO_READ, OWN_KEYS, Sandbox};

const NO_POLICY: &str = "because no identity-based policy allows the";
const EXPLICIT: &str = "with an explicit deny in an identity-based policy";

fn list(sandbox: &Sandbox, keys: &Keys, user: &str) -> Option<String> {
    let answer = wait(iam(sandbox, keys).list_access_keys().user_name(user).send());
    answer.err().map(|error| error.into_service_error().meta().message().unwrap().to_owned())
}

fn allow(fields: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{fields}}}]}}"#)
}

#[test]
fn a_user_may_use_its_own_keys_only() {
    let (sandbox, keys) = sandbox();
    assert_eq!(list(&sandbox, &keys, "alice"), None);
    let refusal = refused(iam(&sandbox, &keys).list_access_keys().user_name("bob").send());
    assert!(refusal.is(403, "AccessDenied"));
    let expected = format!(
        "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:ListAccessKeys on resource: \
         user bob {NO_POLICY} iam:ListAccessKeys action"
    );
    assert_eq!(refusal.message, expected);
}

#[test]
fn a_path_is_part_of_the_arn() {
    let (sandbox, _) = sandbox();
    sandbox.add_user_at("/team/", "carol");
    let keys = Keys::from(sandbox.seed_key("carol", sandbox.now(), "Active"));
    let name = r#""Action":"iam:*","Resource":"arn:aws:iam::*:user/${aws:username}""#;
    sandbox.set_policies("carol", &[&allow(name)]);
    assert!(list(&sandbox, &keys, "carol").unwrap().contains(NO_POLICY));
    let path = r#""Action":"iam:*","Resource":"arn:aws:iam::*:user/*/${aws:username}""#;
    sandbox.set_policies("carol", &[&allow(path)]);
    assert_eq!(list(&sandbox, &keys, "carol"), None);
}

#[test]
fn mfa_demanded_denies_long_term_keys_and_lets_mfa_sessions_pass() {
    let (sandbox, keys) = sandbox();
    sandbox.set_policies("alice", &[OWN_KEYS, MFA_DEMANDED]);
    assert_eq!(list(&sandbox, &keys, "alice"), None);
    let refusal = refused(iam(&sandbox, &keys).create_access_key().user_name("alice").send());
    assert!(refusal.is(403, "AccessDenied"));
    assert!(refusal.message.ends_with(EXPLICIT), "{}", refusal.message);
    let with_mfa = session(&sandbox, &keys, true);
    wait(iam(&sandbox, &with_mfa).create_access_key().user_name("alice").send()).unwrap();
    sandbox.set_policies("alice", &[OWN_KEYS, MFA_DEMANDED_TO_READ]);
    assert!(list(&sandbox, &keys, "alice").unwrap().ends_with(EXPLICIT));
    assert_eq!(list(&sandbox, &with_mfa, "alice"), None);
}

#[test]
fn a_plain_bool_misses_long_term_keys() {
    let (sandbox, keys) = sandbox();
    let deny = MFA_DEMANDED_TO_READ.replace("BoolIfExists", "Bool");
    sandbox.set_policies("alice", &[OWN_KEYS, &deny]);
    assert_eq!(list(&sandbox, &keys, "alice"), None);
    let present = r#""Action":"iam:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
    sandbox.set_policies("alice", &[&allow(present)]);
    assert!(list(&sandbox, &keys, "alice").is_some());
    assert_eq!(list(&sandbox, &session(&sandbox, &keys, true), "alice"), None);
}

#[test]
fn the_age_of_mfa_is_in_seconds_and_absent_without_it() {
    let (sandbox, keys) = sandbox();
    sandbox.accept_any_clock();
    let young = |operator: &str| {
        let condition = format!(r#""Condition":{{"{operator}":{{"aws:MultiFactorAuthAge":"300"}}}}"#);
        allow(&format!(r#""Action":"iam:*","Resource":"*",{condition}"#))
    };
    let with_mfa = session(&sandbox, &keys, true);
    sandbox.set_policies("alice", &[&young("NumericLessThan")]);
    assert_eq!(list(&sandbox, &with_mfa, "alice"), None);
    assert!(list(&sandbox, &keys, "alice").is_some());
    sandbox.advance(Duration::from_secs(301));
    assert!(list(&sandbox, &with_mfa, "alice").is_some());
    sandbox.set_policies("alice", &[&young("NumericLessThanIfExists")]);
    assert_eq!(list(&sandbox, &keys, "alice"), None);
}

#[test]
fn the_evaluator_knows_wildcards_negations_and_strings() {
    let (sandbox, keys) = sandbox();
    let cases = [
        (r#""Action":"IAM:list*","Resource":"*""#, true),
        (r#""Action":"iam:List?ccessKeys","Resource":"*""#, true),
        (r#""Action":["iam:Get*","iam:Create*"],"Resource":"*""#, false),
        (r#""NotAction":"sts:*","Resource":"*""#, true),
        (r#""NotAction":"iam:List*","Resource":"*""#, false),
        (r#""Action":"*","NotResource":"arn:aws:iam::*:user/bob""#, true),
        (r#""Action":"*","NotResource":"arn:aws:iam::*:user/al*""#, false),
        (r#""Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:username":["bob","alice"]}}"#, true),
        (r#""Action":"*","Resource":"*","Condition":{"StringEquals":{"AWS:USERNAME":"Alice"}}"#, false),
        (r#""Action":"*","Resource":"*","Condition":{"StringLike":{"aws:username":"al*"}}"#, true),
        (r#""Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:username":"alice"}}"#, false),
        (r#""Action":"*","Resource":"*","Condition":{"Null":{"aws:MultiFactorAuthAge":"true"}}"#, true),
        (r#""Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#, false),
        (r#""Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}"#, true),
        (r#""Action":"*","Resource":"*","Condition":{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}}"#, true),
    ];
    for (fields, allowed) in cases {
        sandbox.set_policies("alice", &[&allow(fields)]);
        assert_eq!(list(&sandbox, &keys, "alice").is_none(), allowed, "{fields}");
    }
}

#[test]
fn a_deny_wins_wherever_it_stands() {
    let (sandbox, keys) = sandbox();
    let deny = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:ListAccessKeys","Resource":"*"}}"#;
    sandbox.set_policies("alice", &[deny, OWN_KEYS]);
    assert!(list(&sandbox, &keys, "alice").unwrap().ends_with(EXPLICIT));
    sandbox.set_policies("alice", &[OWN_KEYS]);
    sandbox.set_group_policies("123456789012", "Developers", &[deny]);
    assert!(list(&sandbox, &keys, "alice").unwrap().ends_with(EXPLICIT));
}

#[test]
fn a_service_control_policy_binds_too() {
    let (sandbox, keys) = sandbox();
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"iam:TagUser","Resource":"*",
         "Condition":{"ForAnyValue:StringLike":{"aws:TagKeys":"keyrot-me/*"}}}]}"#;
    sandbox.set_policies("alice", &[crate::sandbox::ADMINISTRATOR]);
    sandbox.set_control_policies("123456789012", &[deny]);
    let tag = |key: &str| {
        let tag = aws_sdk_iam::types::Tag::builder().key(key).value("x").build().unwrap();
        iam(&sandbox, &keys).tag_user().user_name("bob").tags(tag).send()
    };
    let refusal = refused(tag("keyrot-me/exempt"));
    assert!(refusal.message.ends_with("with an explicit deny in a service control policy"), "{}", refusal.message);
    wait(tag("team")).unwrap();
    sandbox.make_organization("123456789012");
    wait(tag("keyrot-me/exempt")).unwrap();
}

#[test]
fn who_am_i_and_session_tokens_need_no_permission() {
    let (sandbox, keys) = sandbox();
    let deny = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
    sandbox.set_policies("alice", &[deny]);
    wait(sts(&sandbox, &keys).get_caller_identity().send()).unwrap();
    session(&sandbox, &keys, true);
    assert!(list(&sandbox, &keys, "alice").is_some());
}

#[test]
fn looking_up_events_needs_its_own_permission() {
    let (sandbox, keys) = sandbox();
    let refusal = refused(trail(&sandbox, &keys).lookup_events().send());
    assert!(refusal.is(400, "AccessDeniedException"));
    sandbox.add_policy("alice", LOOKUP_EVENTS);
    wait(trail(&sandbox, &keys).lookup_events().send()).unwrap();
}

#[test]
#[should_panic(expected = "cannot evaluate the condition DateLessThan")]
fn what_the_evaluator_does_not_know_is_refused_at_once() {
    let (sandbox, _) = sandbox();
    let unknown = r#""Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"2030-01-01"}}"#;
    sandbox.set_policies("alice", &[&allow(unknown)]);
}
