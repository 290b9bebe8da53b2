//! Who is let in: signatures, clocks, key states, sessions.

use std::time::Duration;

use chrono::TimeDelta;

use super::client::{Keys, iam, raw, refused, sandbox, send, session, signed, sts, trail, wait};
use crate::sandbox::{ADMINISTRATOR, Sandbox, Service};

fn identity(sandbox: &Sandbox, keys: &Keys) -> String {
    wait(sts(sandbox, keys).get_caller_identity().send()).unwrap().arn.unwrap()
}

fn turned_away(sandbox: &Sandbox, keys: &Keys) {
    assert!(refused(sts(sandbox, keys).get_caller_identity().send()).is(403, "InvalidClientTokenId"));
    let list = iam(sandbox, keys).list_access_keys().user_name("alice").send();
    let refusal = refused(list);
    assert!(refusal.is(403, "InvalidClientTokenId"));
    assert_eq!(refusal.message, "The security token included in the request is invalid.");
}

#[test]
fn a_good_signature_is_let_in_at_sts_and_iam() {
    let (sandbox, keys) = sandbox();
    assert_eq!(identity(&sandbox, &keys), "arn:aws:iam::123456789012:user/alice");
    let listed = wait(iam(&sandbox, &keys).list_access_keys().user_name("alice").send()).unwrap();
    assert_eq!(listed.access_key_metadata[0].access_key_id.as_deref(), Some(keys.id.as_str()));
    assert_eq!(listed.access_key_metadata[0].create_date.unwrap().subsec_nanos(), 0);
}

#[test]
fn a_bad_secret_does_not_match() {
    let (sandbox, mut keys) = sandbox();
    keys.secret.push('x');
    assert!(refused(sts(&sandbox, &keys).get_caller_identity().send()).is(403, "SignatureDoesNotMatch"));
    assert!(refused(iam(&sandbox, &keys).get_user().send()).is(403, "SignatureDoesNotMatch"));
    assert!(refused(trail(&sandbox, &keys).lookup_events().send()).is(400, "InvalidSignatureException"));
}

#[test]
fn a_request_changed_after_signing_does_not_match() {
    let (sandbox, keys) = sandbox();
    let body = "Action=GetUser&UserName=alice&Version=2010-05-08";
    let good = signed(&sandbox, &keys, Service::Iam, &[("content-type", "x-form")], body);
    assert!(send(&sandbox, &good).unwrap().starts_with("HTTP/1.1 200"));
    for (part, other) in [("=alice", "=malic"), ("content-type:x-form", "content-type:y-form")] {
        let answer = send(&sandbox, &good.replace(part, other)).unwrap();
        assert!(answer.contains("<Code>SignatureDoesNotMatch</Code>"), "{answer}");
    }
    let elsewhere = send(&sandbox, &good.replace("/iam/", "/sts/")).unwrap();
    assert!(elsewhere.contains("<ErrorResponse"), "{elsewhere}");
}

#[test]
fn an_unsigned_request_lacks_its_token() {
    let (sandbox, _) = sandbox();
    let unsigned = "GET /?Action=GetUser&Version=2010-05-08 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert!(send(&sandbox, unsigned).unwrap().contains("<Code>MissingAuthenticationToken</Code>"));
}

#[test]
fn a_clock_beyond_five_minutes_does_not_match() {
    let (sandbox, keys) = sandbox();
    sandbox.advance(Duration::from_secs(290));
    identity(&sandbox, &keys);
    sandbox.advance(Duration::from_secs(20));
    let refusal = refused(sts(&sandbox, &keys).get_caller_identity().send());
    assert!(refusal.is(403, "SignatureDoesNotMatch"));
    assert!(refusal.message.starts_with("Signature expired: "), "{}", refusal.message);
    sandbox.set(sandbox.now() - TimeDelta::seconds(620));
    let refusal = refused(sts(&sandbox, &keys).get_caller_identity().send());
    assert!(refusal.message.starts_with("Signature not yet current: "), "{}", refusal.message);
    sandbox.accept_any_clock();
    identity(&sandbox, &keys);
}

#[test]
fn every_answer_tells_the_sandbox_time() {
    let (sandbox, keys) = sandbox();
    let noon = "2031-02-03T12:00:00Z".parse().unwrap();
    sandbox.set(noon);
    let answer = raw(&sandbox, &keys, Service::Sts, &[], "Action=GetCallerIdentity&Version=2011-06-15").unwrap();
    assert!(answer.contains("date: Mon, 03 Feb 2031 12:00:0"), "{answer}");
}

#[test]
fn an_unknown_key_is_turned_away() {
    let (sandbox, keys) = sandbox();
    turned_away(&sandbox, &Keys { id: "AKIAQQQQQQQQQQQQQQQQ".to_owned(), ..keys });
}

#[test]
fn a_deleted_or_inactive_key_is_turned_away() {
    let (sandbox, keys) = sandbox();
    for status in ["Inactive", "Expired"] {
        sandbox.set_status(&keys.id, status);
        turned_away(&sandbox, &keys);
    }
    sandbox.set_status(&keys.id, "Active");
    identity(&sandbox, &keys);
    sandbox.delete_key(&keys.id);
    turned_away(&sandbox, &keys);
    assert!(refused(trail(&sandbox, &keys).lookup_events().send()).is(400, "UnrecognizedClientException"));
}

#[test]
fn a_deactivation_may_take_a_while_to_count() {
    let (sandbox, keys) = sandbox();
    sandbox.revocation_delay(Duration::from_secs(30));
    sandbox.set_status(&keys.id, "Inactive");
    identity(&sandbox, &keys);
    sandbox.advance(Duration::from_secs(31));
    turned_away(&sandbox, &keys);
}

#[test]
fn a_session_without_mfa_is_turned_away_by_iam() {
    let (sandbox, keys) = sandbox();
    let plain = session(&sandbox, &keys, false);
    let list = iam(&sandbox, &plain).list_access_keys().user_name("alice").send();
    assert!(refused(list).is(403, "InvalidClientTokenId"));
    let with_mfa = session(&sandbox, &keys, true);
    wait(iam(&sandbox, &with_mfa).list_access_keys().user_name("alice").send()).unwrap();
}

#[test]
fn a_session_may_only_assume_roles_and_ask_who_it_is_at_sts() {
    let (sandbox, keys) = sandbox();
    let made = session(&sandbox, &keys, true);
    assert_eq!(identity(&sandbox, &made), "arn:aws:iam::123456789012:user/alice");
    let refusal = refused(sts(&sandbox, &made).get_session_token().send());
    assert!(refusal.is(403, "AccessDenied"));
    assert_eq!(refusal.message, "Cannot call GetSessionToken with session credentials");
}

#[test]
fn a_session_needs_its_own_token() {
    let (sandbox, keys) = sandbox();
    let made = session(&sandbox, &keys, true);
    turned_away(&sandbox, &Keys { token: None, ..made.clone() });
    turned_away(&sandbox, &Keys { token: session(&sandbox, &keys, false).token, ..made });
    turned_away(&sandbox, &Keys { token: Some("made up".to_owned()), ..keys });
}

#[test]
fn a_session_expires() {
    let (sandbox, keys) = sandbox();
    let made = session(&sandbox, &keys, true);
    sandbox.accept_any_clock();
    sandbox.advance(Duration::from_secs(890));
    identity(&sandbox, &made);
    sandbox.advance(Duration::from_secs(11));
    assert!(refused(sts(&sandbox, &made).get_caller_identity().send()).is(403, "ExpiredToken"));
    assert!(refused(iam(&sandbox, &made).get_user().send()).is(403, "ExpiredToken"));
    assert!(refused(trail(&sandbox, &made).lookup_events().send()).is(400, "ExpiredTokenException"));
}

#[test]
fn session_durations_have_bounds() {
    let (sandbox, keys) = sandbox();
    let ask = |seconds| sts(&sandbox, &keys).get_session_token().duration_seconds(seconds).send();
    for seconds in [899, 129_601] {
        assert!(refused(ask(seconds)).is(400, "ValidationError"));
    }
    for seconds in [900, 129_600] {
        let credentials = wait(ask(seconds)).unwrap().credentials.unwrap();
        let lasts = credentials.expiration.secs() - sandbox.now().timestamp();
        assert!((lasts - i64::from(seconds)).abs() <= 2, "{lasts}");
    }
}

#[test]
fn a_session_outlives_its_key_unless_told_otherwise() {
    let (sandbox, keys) = sandbox();
    let made = session(&sandbox, &keys, true);
    sandbox.set_status(&keys.id, "Inactive");
    identity(&sandbox, &made);
    wait(iam(&sandbox, &made).list_access_keys().user_name("alice").send()).unwrap();
    sandbox.sessions_die_with_their_key(true);
    turned_away(&sandbox, &made);
    sandbox.set_status(&keys.id, "Active");
    identity(&sandbox, &made);
}

#[test]
fn unknown_actions_are_named() {
    let (sandbox, keys) = sandbox();
    sandbox.set_policies("alice", &[ADMINISTRATOR]);
    let answer = raw(&sandbox, &keys, Service::Iam, &[], "Action=CreateCheese&Version=2010-05-08").unwrap();
    assert!(answer.contains("<Code>InvalidAction</Code>"), "{answer}");
}
