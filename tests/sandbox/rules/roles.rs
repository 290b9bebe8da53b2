//! `AssumeRole`: trust, external id, permissions on both sides.

use super::client::{Keys, Refusal, iam, refused, sandbox, session, sts, wait};
use crate::sandbox::{ADMINISTRATOR, HOME, OWN_KEYS, Sandbox};

const OTHER: &str = "210987654321";
const MAY_ASSUME: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::*:role/purge"}]}"#;

fn trust(principal: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole",
            "Principal":{{"AWS":"{principal}"}}{condition}}}]}}"#
    )
}

fn two_accounts(trust: &str) -> (Sandbox, Keys, String) {
    let (sandbox, keys) = sandbox();
    sandbox.add_account(OTHER);
    sandbox.add_user((OTHER, "zoe"));
    let role = sandbox.add_role(OTHER, "purge", trust, &[ADMINISTRATOR]);
    sandbox.set_policies("alice", &[OWN_KEYS, MAY_ASSUME]);
    (sandbox, keys, role)
}

fn assume(sandbox: &Sandbox, keys: &Keys, role: &str, external_id: Option<&str>) -> Result<Keys, Refusal> {
    let call = sts(sandbox, keys).assume_role().role_arn(role).role_session_name("friday");
    let call = call.set_external_id(external_id.map(str::to_owned));
    match wait(call.clone().send()) {
        Ok(made) => {
            let made = made.credentials.unwrap();
            Ok(Keys { id: made.access_key_id, secret: made.secret_access_key, token: Some(made.session_token) })
        }
        Err(_) => Err(refused(call.send())),
    }
}

#[test]
fn a_role_acts_in_its_own_account() {
    let (sandbox, keys, role) = two_accounts(&trust(&format!("arn:aws:iam::{HOME}:root"), ""));
    let made = assume(&sandbox, &keys, &role, None).unwrap();
    let who = wait(sts(&sandbox, &made).get_caller_identity().send()).unwrap();
    assert_eq!(who.arn(), Some("arn:aws:sts::210987654321:assumed-role/purge/friday"));
    let users = wait(iam(&sandbox, &made).list_users().send()).unwrap().users;
    assert_eq!(users.iter().map(|user| user.user_name.as_str()).collect::<Vec<_>>(), ["zoe"]);
    let refusal = refused(iam(&sandbox, &made).list_access_keys().send());
    assert_eq!(refusal.message, "Must specify userName when calling with non-User credentials");
}

#[test]
fn both_accounts_must_allow_it() {
    let (sandbox, keys, role) = two_accounts(&trust(&format!("arn:aws:iam::{HOME}:user/alice"), ""));
    assume(&sandbox, &keys, &role, None).unwrap();
    sandbox.set_policies("alice", &[OWN_KEYS]);
    let refusal = assume(&sandbox, &keys, &role, None).unwrap_err();
    assert!(refusal.is(403, "AccessDenied"));
    let bob = sandbox.keys_of("bob").remove(0);
    sandbox.set_policies("bob", &[MAY_ASSUME]);
    assert!(assume(&sandbox, &Keys::from((bob.id, bob.secret)), &role, None).is_err());
}

#[test]
fn in_one_account_a_trust_that_names_the_user_is_enough() {
    let (sandbox, keys) = sandbox();
    let named = sandbox.add_role(HOME, "named", &trust(&format!("arn:aws:iam::{HOME}:user/alice"), ""), &[]);
    assume(&sandbox, &keys, &named, None).unwrap();
    let whole = sandbox.add_role(HOME, "whole", &trust(HOME, ""), &[]);
    assert!(assume(&sandbox, &keys, &whole, None).is_err());
}

#[test]
fn the_external_id_must_be_right() {
    let condition = r#","Condition":{"StringEquals":{"sts:ExternalId":"s3same"}}"#;
    let (sandbox, keys, role) = two_accounts(&trust(HOME, condition));
    assert!(assume(&sandbox, &keys, &role, None).is_err());
    assert!(assume(&sandbox, &keys, &role, Some("open")).is_err());
    assume(&sandbox, &keys, &role, Some("s3same")).unwrap();
}

#[test]
fn a_trust_may_ask_for_the_organization_and_for_mfa() {
    let (sandbox, keys, role) = two_accounts(&trust(HOME, ""));
    sandbox.make_organization(HOME);
    let organization =
        format!(r#","Condition":{{"StringEquals":{{"aws:PrincipalOrgID":"{}"}}}}"#, sandbox.organization_id());
    sandbox.add_role(OTHER, "purge", &trust("*", &organization), &[]);
    assume(&sandbox, &keys, &role, None).unwrap();
    let with_mfa = r#","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
    sandbox.add_role(OTHER, "purge", &trust(HOME, with_mfa), &[]);
    assert!(assume(&sandbox, &keys, &role, None).is_err());
    assume(&sandbox, &session(&sandbox, &keys, true), &role, None).unwrap();
}

#[test]
fn a_role_that_is_not_there_looks_like_one_that_may_not_be_taken() {
    let (sandbox, keys, role) = two_accounts(&trust(HOME, ""));
    let absent = role.replace("purge", "other");
    sandbox.set_policies("alice", &[ADMINISTRATOR]);
    let refusal = assume(&sandbox, &keys, &absent, None).unwrap_err();
    assert!(refusal.is(403, "AccessDenied"));
    let expected = format!(
        "User: arn:aws:iam::{HOME}:user/alice is not authorized to perform: sts:AssumeRole on resource: {absent}"
    );
    assert_eq!(refusal.message, expected);
}

#[test]
fn a_roles_session_carries_no_mfa() {
    let (sandbox, keys, role) = two_accounts(&trust(HOME, ""));
    let made = assume(&sandbox, &session(&sandbox, &keys, true), &role, None).unwrap();
    sandbox.add_role(OTHER, "purge", &trust(HOME, ""), &[ADMINISTRATOR, crate::sandbox::MFA_DEMANDED_TO_READ]);
    assert!(refused(iam(&sandbox, &made).list_users().send()).is(403, "AccessDenied"));
    assert!(refused(sts(&sandbox, &made).get_session_token().send()).is(403, "AccessDenied"));
}

#[test]
fn a_roles_session_has_bounds() {
    let (sandbox, keys, role) = two_accounts(&trust(HOME, ""));
    for (seconds, fine) in [(899, false), (900, true), (3600, true), (3601, false)] {
        let call = sts(&sandbox, &keys).assume_role().role_arn(&role).role_session_name("x1").duration_seconds(seconds);
        assert_eq!(wait(call.send()).is_ok(), fine, "{seconds}");
    }
}
