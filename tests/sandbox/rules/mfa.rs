//! One-time codes.

use std::time::Duration;

use chrono::TimeDelta;

use super::client::{Keys, Refusal, refused, sandbox, sts, wait};
use crate::sandbox::Sandbox;

const WRONG_CODE: &str = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";
const WRONG_SERIAL: &str = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA \
                            serial number is valid and associated with this user.";
const ALICE: &str = "arn:aws:iam::123456789012:mfa/alice";

fn show(sandbox: &Sandbox, keys: &Keys, serial: &str, code: &str) {
    wait(sts(sandbox, keys).get_session_token().serial_number(serial).token_code(code).send()).unwrap();
}

fn fail(sandbox: &Sandbox, keys: &Keys, serial: &str, code: &str) -> Refusal {
    refused(sts(sandbox, keys).get_session_token().serial_number(serial).token_code(code).send())
}

#[test]
fn codes_are_those_of_rfc_6238() {
    let (sandbox, _) = sandbox();
    sandbox.add_user("rfc");
    sandbox.add_totp_with("rfc", b"12345678901234567890");
    // The RFC's table, cut to six digits.
    for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
        sandbox.set(chrono::DateTime::from_timestamp(seconds, 0).unwrap());
        assert_eq!(sandbox.totp_now("rfc"), code);
    }
    assert_eq!(sandbox.totp_seed_base32("rfc"), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
}

#[test]
fn each_code_works_once() {
    let (sandbox, keys) = sandbox();
    let code = sandbox.next_totp("alice");
    show(&sandbox, &keys, ALICE, &code);
    let refusal = fail(&sandbox, &keys, ALICE, &code);
    assert!(refusal.is(403, "AccessDenied"));
    assert_eq!(refusal.message, WRONG_CODE);
    let next = sandbox.next_totp("alice");
    assert_ne!(next, code);
    show(&sandbox, &keys, ALICE, &next);
}

#[test]
fn a_code_may_be_one_step_off() {
    let (sandbox, keys) = sandbox();
    sandbox.accept_any_clock();
    let middle = "2030-01-01T00:00:15Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let code_of = |steps: i32| {
        sandbox.set(middle + TimeDelta::seconds(30) * steps);
        sandbox.totp_now("alice")
    };
    let codes = [-2, -1, 1, 2].map(code_of);
    sandbox.set(middle);
    assert_eq!(fail(&sandbox, &keys, ALICE, &codes[0]).message, WRONG_CODE);
    show(&sandbox, &keys, ALICE, &codes[1]);
    show(&sandbox, &keys, ALICE, &codes[2]);
    assert_eq!(fail(&sandbox, &keys, ALICE, &codes[3]).message, WRONG_CODE);
    sandbox.advance(Duration::from_secs(30));
    show(&sandbox, &keys, ALICE, &codes[3]);
}

#[test]
fn a_wrong_code_changes_nothing() {
    let (sandbox, keys) = sandbox();
    let right = sandbox.next_totp("alice");
    let wrong = if right == "000000" { "000001" } else { "000000" };
    assert_eq!(fail(&sandbox, &keys, ALICE, wrong).message, WRONG_CODE);
    show(&sandbox, &keys, ALICE, &right);
    assert!(fail(&sandbox, &keys, ALICE, "12345a").is(400, "ValidationError"));
}

#[test]
fn the_serial_must_be_one_of_the_users_own() {
    let (sandbox, keys) = sandbox();
    let bobs = sandbox.add_totp("bob");
    for serial in [bobs.as_str(), "arn:aws:iam::123456789012:mfa/nobody"] {
        let refusal = fail(&sandbox, &keys, serial, &sandbox.next_totp("alice"));
        assert!(refusal.is(403, "AccessDenied"));
        assert_eq!(refusal.message, WRONG_SERIAL);
    }
}

#[test]
fn a_passkey_has_no_codes() {
    let (sandbox, keys) = sandbox();
    sandbox.remove_devices("alice");
    let serial = sandbox.add_passkey("alice");
    assert_eq!(fail(&sandbox, &keys, &serial, "123456").message, WRONG_SERIAL);
}

#[test]
fn serial_and_code_come_together() {
    let (sandbox, keys) = sandbox();
    let code_alone = sts(&sandbox, &keys).get_session_token().token_code("123456").send();
    assert!(refused(code_alone).is(403, "AccessDenied"));
}

#[test]
fn a_program_can_fetch_a_code() {
    let (sandbox, keys) = sandbox();
    let request = "GET /sandbox/totp/alice HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = super::client::send(&sandbox, request).unwrap();
    show(&sandbox, &keys, ALICE, answer.rsplit('\n').next().unwrap());
}
