//! The one place where the SDK's errors and the wire's codes become [`CallError`] and [`Cause`].
//!
//! Nothing here may Debug-print an SDK error or response: STS answers are not marked sensitive.
//! The rule of doubt: only an AWS error code that was parsed, or the certainty that no connection was
//! made, is a refusal. Everything else may have been done.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{DispatchFailure, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use hyper_util::client::legacy;

use crate::ports::{CallError, Cause};

/// Longest message that is shown, in characters.
const MESSAGE_LIMIT: usize = 400;
/// From this length on, a run of base64 characters may be a secret (secret access keys have 40).
const SECRET_LENGTH: usize = 40;

/// What the failed call `action` (such as `iam:CreateAccessKey`) means for us.
///
/// Where the SDK retried, it judges the last attempt.
pub fn call_error<E>(action: &'static str, error: &SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(service) => {
            let answer = service.raw();
            match service.err().code().filter(|code| !code.trim().is_empty()) {
                Some(code) => refused(action, answer.status().as_u16(), code, service.err().message()),
                None => unreadable(action, answer),
            }
        }
        SdkError::ResponseError(response) => unreadable(action, response.raw()),
        SdkError::DispatchFailure(failure) => dispatch_failure(action, failure),
        SdkError::TimeoutError(_) => plain(action, Cause::Ambiguous, "no answer in time".into()),
        SdkError::ConstructionFailure(_) => {
            let why = error.source().map(words).unwrap_or_default();
            plain(action, Cause::Refused, safe(&format!("the request could not be built: {why}")))
        }
        _ => plain(action, Cause::Ambiguous, "the call failed in a way that this program does not know".into()),
    }
}

/// An answer that was read and does not say what it must: the call may have been done.
pub fn incomplete(action: &'static str, what: &str) -> CallError {
    plain(action, Cause::Ambiguous, format!("the answer {what}"))
}

/// A definite failure on our side of the wire.
pub fn refusal(action: &'static str, message: String) -> CallError {
    plain(action, Cause::Refused, message)
}

/// The same error with every copy of `secret` masked: STS quotes a malformed MFA code back.
#[must_use]
pub fn without(mut error: CallError, secret: &str) -> CallError {
    if !secret.is_empty() {
        error.message = error.message.replace(secret, "****");
    }
    error
}

fn plain(action: &'static str, cause: Cause, message: String) -> CallError {
    CallError { action, cause, code: None, message }
}

fn refused(action: &'static str, status: u16, code: &str, message: Option<&str>) -> CallError {
    let message = safe(message.unwrap_or("no further words"));
    CallError { action, cause: cause_of(action, status, code, &message), code: Some(safe(code)), message }
}

/// Codes as in the API references of IAM, STS, CloudTrail, Organizations, SNS, SES and Secrets Manager ('Common Errors') and, for the kin of each,
/// the SDKs' own lists.
fn cause_of(action: &str, status: u16, code: &str, message: &str) -> Cause {
    match code {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequests"
        | "TooManyRequestsException"
        | "SlowDown" => Cause::Throttled,
        _ if status == 429 => Cause::Throttled,
        // Whatever the code: a server that failed may have acted before it failed.
        _ if status >= 500 => Cause::Ambiguous,
        "InvalidClientTokenId" | "UnrecognizedClientException" => Cause::KeyNotAccepted,
        _ if code.starts_with("InvalidAccessKeyId") => Cause::KeyNotAccepted,
        "ExpiredToken" | "ExpiredTokenException" => Cause::SessionExpired,
        // RequestExpired and RequestTimeTooSkewed judge the time in the signature, not the session.
        "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "RequestExpired"
        | "RequestTimeTooSkewed" => Cause::SignatureRefused,
        "AccessDenied" | "AccessDeniedException" => denied(action, message),
        "NotAuthorized" | "UnauthorizedOperation" | "AuthorizationError" => Cause::AccessDenied,
        "ValidationError" => invalid(action, message),
        "LimitExceeded" | "LimitExceededException" => Cause::QuotaFull,
        "NoSuchEntity"
        | "NoSuchEntityException"
        | "AWSOrganizationsNotInUseException"
        | "ParentNotFoundException"
        | "NotFound"
        | "NotFoundException"
        | "ResourceNotFoundException" => Cause::NotFound,
        _ => Cause::Refused,
    }
}

/// STS reports a wrong code and a wrong device as `AccessDenied` (1Password/shell-plugins #180,
/// aws-cli #6325); only the words tell them apart.
fn denied(action: &str, message: &str) -> Cause {
    let message = message.to_ascii_lowercase();
    if action == "sts:GetSessionToken" && message.contains("unable to validate mfa code") {
        Cause::MfaDeviceUnknown
    } else if message.contains("multifactorauthentication failed")
        || (action == "sts:GetSessionToken" && message.contains("invalid mfa one time pass code"))
    {
        Cause::MfaCodeRefused
    } else {
        Cause::AccessDenied
    }
}

/// A code that is not six digits, or a serial that cannot be one, fails STS's validation instead.
fn invalid(action: &str, message: &str) -> Cause {
    match action {
        "sts:GetSessionToken" if message.contains("'tokenCode'") => Cause::MfaCodeRefused,
        "sts:GetSessionToken" if message.contains("'serialNumber'") => Cause::MfaDeviceUnknown,
        _ => Cause::Refused,
    }
}

/// An answer without an AWS error code, or one that was cut: says what it was, never what was in it.
fn unreadable(action: &'static str, answer: &HttpResponse) -> CallError {
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type").unwrap_or("no content type");
    let message = if status >= 500 {
        format!("HTTP {status}: the server failed")
    } else if ["xml", "json", "cbor"].iter().any(|word| kind.contains(word)) {
        format!("HTTP {status}: the answer could not be read to its end")
    } else {
        format!("HTTP {status} ({kind}): this does not look like AWS; is a proxy or a login page in between?")
    };
    plain(action, Cause::Ambiguous, safe(&message))
}

fn dispatch_failure(action: &'static str, failure: &DispatchFailure) -> CallError {
    let Some(error) = failure.as_connector_error() else {
        return plain(action, Cause::Ambiguous, "the connection failed".into());
    };
    let cause = if never_connected(error) { Cause::Unreachable } else { Cause::Ambiguous };
    plain(action, cause, safe(&words(error)))
}

/// True only when it is certain that no request went out: the name look-up, the TCP connect, the
/// proxy's tunnel or the TLS handshake failed or timed out. hyper-util reports these, and only these,
/// as `is_connect`.
pub(super) fn never_connected(error: &(dyn Error + 'static)) -> bool {
    chain(error).filter_map(|e| e.downcast_ref::<legacy::Error>()).any(legacy::Error::is_connect)
}

/// The transport's words, outermost first, without repetition.
pub(super) fn words(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for part in chain(error).map(|part| without_stderr(part.to_string())) {
        if !text.contains(&part) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&part);
        }
    }
    text
}

/// The SDK quotes what a `credential_process` wrote on its standard error: that may be anything, secrets too.
fn without_stderr(mut part: String) -> String {
    if let Some(at) = part.find("Stderr:") {
        part.truncate(at);
        part.push_str("what it wrote on standard error is not shown: run it by itself to see");
    }
    part
}

pub(super) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&e| e.source())
}

/// The first line, bounded, with every run that could be a secret masked. `SignatureDoesNotMatch`
/// goes on, from its second line, with the canonical request: the session token is in there.
pub(super) fn safe(message: &str) -> String {
    let first = message.trim_start().lines().next().unwrap_or_default().trim_end();
    let printable: String = first.chars().filter(|c| !c.is_control()).take(MESSAGE_LIMIT).collect();
    let mut out = String::with_capacity(printable.len());
    let mut run = String::new();
    for c in printable.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=') {
            run.push(c);
        } else {
            flush(&mut out, &mut run);
            out.push(c);
        }
    }
    flush(&mut out, &mut run);
    out
}

/// Base64 of this length has capitals, small letters and digits; a user's path seldom has.
fn flush(out: &mut String, run: &mut String) {
    let has = |test: fn(&char) -> bool| run.chars().any(|c| test(&c));
    let like_secret = run.len() >= SECRET_LENGTH
        && has(char::is_ascii_uppercase)
        && has(char::is_ascii_lowercase)
        && has(char::is_ascii_digit);
    out.push_str(if like_secret { "****" } else { run });
    run.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATE: &str = "iam:CreateAccessKey";
    const SESSION: &str = "sts:GetSessionToken";

    fn cause(status: u16, code: &str) -> Cause {
        cause_of(CREATE, status, code, "words")
    }

    #[test]
    fn what_a_program_wrote_on_its_standard_error_is_not_quoted() {
        let error = std::io::Error::other("external process exited with code 1. Stderr: seed JBSWY3 code 123456");
        let said = words(&error);
        assert!(said.contains("exited with code 1") && !said.contains("JBSWY3") && !said.contains("123456"), "{said}");
    }

    #[test]
    fn every_code_has_its_meaning() {
        for (status, code, want) in [
            (403, "InvalidClientTokenId", Cause::KeyNotAccepted),
            (400, "UnrecognizedClientException", Cause::KeyNotAccepted),
            (403, "InvalidAccessKeyId", Cause::KeyNotAccepted),
            (400, "InvalidAccessKeyId.NotFound", Cause::KeyNotAccepted),
            (403, "ExpiredToken", Cause::SessionExpired),
            (400, "ExpiredTokenException", Cause::SessionExpired),
            (400, "RequestExpired", Cause::SignatureRefused),
            (403, "RequestTimeTooSkewed", Cause::SignatureRefused),
            (403, "SignatureDoesNotMatch", Cause::SignatureRefused),
            (400, "InvalidSignatureException", Cause::SignatureRefused),
            (400, "IncompleteSignature", Cause::SignatureRefused),
            (403, "AccessDenied", Cause::AccessDenied),
            (400, "AccessDeniedException", Cause::AccessDenied),
            (400, "NotAuthorized", Cause::AccessDenied),
            (409, "LimitExceeded", Cause::QuotaFull),
            (400, "Throttling", Cause::Throttled),
            (400, "ThrottlingException", Cause::Throttled),
            (503, "RequestLimitExceeded", Cause::Throttled),
            (429, "TooManyRequestsException", Cause::Throttled),
            (503, "SlowDown", Cause::Throttled),
            (429, "Anything", Cause::Throttled),
            (404, "NoSuchEntity", Cause::NotFound),
            (400, "ValidationError", Cause::Refused),
            (409, "EntityTemporarilyUnmodifiable", Cause::Refused),
        ] {
            assert_eq!(cause(status, code), want, "{status} {code}");
        }
    }

    #[test]
    fn a_5xx_is_ambiguous_whatever_its_code() {
        for code in ["ServiceFailure", "InternalFailure", "ServiceUnavailable", "AccessDenied", "NoSuchEntity"] {
            assert_eq!(cause(500, code), Cause::Ambiguous, "{code}");
            assert_eq!(cause(503, code), Cause::Ambiguous, "{code}");
        }
    }

    #[test]
    fn the_words_tell_a_wrong_code_from_a_wrong_device() {
        let of = |action, message: &str| cause_of(action, 403, "AccessDenied", message);
        let wrong_code = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";
        let wrong_device =
            "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial";
        assert_eq!(of(SESSION, wrong_code), Cause::MfaCodeRefused);
        assert_eq!(of(SESSION, &wrong_code.to_uppercase()), Cause::MfaCodeRefused);
        assert_eq!(of(SESSION, wrong_device), Cause::MfaDeviceUnknown);
        assert_eq!(of(SESSION, "Cannot call GetSessionToken with session credentials"), Cause::AccessDenied);
        assert_eq!(of(CREATE, "User: x is not authorized with an explicit deny"), Cause::AccessDenied);
        let invalid = |message| cause_of(SESSION, 400, "ValidationError", message);
        assert_eq!(invalid("Value '12345' at 'tokenCode' failed to satisfy constraint"), Cause::MfaCodeRefused);
        assert_eq!(invalid("Value 'x' at 'serialNumber' failed to satisfy constraint"), Cause::MfaDeviceUnknown);
    }

    #[test]
    fn messages_hold_no_secret() {
        let token = "FwoGZXIvYXdzEBYaDH8wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY+/==";
        let text = safe(&format!("token {token} is bad\nCanonical String: x-amz-security-token:{token}"));
        assert_eq!(text, "token **** is bad");
        let arn = "User: arn:aws:iam::123456789012:user/division_abc/subdivision/alice is not authorized";
        assert_eq!(safe(arn), arn);
        assert!(safe(&"long words ".repeat(1000)).len() <= MESSAGE_LIMIT);
        let quoted = refused(SESSION, 400, "ValidationError", Some("Value '12345' at 'tokenCode' failed"));
        assert_eq!(without(quoted, "12345").message, "Value '****' at 'tokenCode' failed");
    }

    #[test]
    fn an_unknown_transport_error_is_ambiguous() {
        let lost = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "reset");
        assert!(!never_connected(&lost));
        // Refused by name alone: without the client's word for it, it may be a later connection's.
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "refused");
        assert!(!never_connected(&refused));
    }
}
