//! The fault script, seen from the client.

use std::time::{Duration, Instant};

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::timeout::TimeoutConfig;

use super::client::{config, failed, iam, raw, refused, sandbox, wait};
use crate::sandbox::{Always, Fault, Sandbox, Service};

const CREATE: &str = "Action=CreateAccessKey&UserName=alice&Version=2010-05-08";

fn keys(sandbox: &Sandbox) -> usize {
    sandbox.keys_of("alice").len()
}

#[test]
fn refuse_resets_the_connection_before_acting() {
    let (sandbox, key) = sandbox();
    sandbox.fault("CreateAccessKey", 1, Fault::Refuse);
    let error = raw(&sandbox, &key, Service::Iam, &[], CREATE).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(keys(&sandbox), 1);
    sandbox.fault("CreateAccessKey", 1, Fault::Refuse);
    let error = failed(iam(&sandbox, &key).create_access_key().user_name("alice").send());
    assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
}

#[test]
fn an_error_may_come_before_or_after_acting() {
    let (sandbox, key) = sandbox();
    let create = || iam(&sandbox, &key).create_access_key().user_name("alice").send();
    sandbox.fault("CreateAccessKey", 1, Fault::ErrorBefore(500));
    assert!(refused(create()).is(500, "ServiceFailure"));
    assert_eq!(keys(&sandbox), 1);
    sandbox.fault("CreateAccessKey", 1, Fault::ErrorBefore(503));
    assert!(refused(create()).is(503, "ServiceUnavailable"));
    sandbox.fault("CreateAccessKey", 1, Fault::ErrorAfter(500));
    assert!(refused(create()).is(500, "ServiceFailure"));
    assert_eq!(keys(&sandbox), 2);
}

#[test]
fn act_and_drop_loses_the_answer() {
    let (sandbox, key) = sandbox();
    sandbox.fault("CreateAccessKey", 1, Fault::ActAndDrop);
    assert_eq!(raw(&sandbox, &key, Service::Iam, &[], CREATE).unwrap(), "");
    assert_eq!(keys(&sandbox), 2);
    assert_eq!(sandbox.calls()[0].outcome, "ActAndDrop");
}

#[test]
fn hang_never_answers() {
    let (sandbox, key) = sandbox();
    let limit = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(300)).build();
    let client = aws_sdk_iam::Client::new(&config(&sandbox, &key).into_builder().timeout_config(limit).build());
    for (fault, left) in [(Fault::Hang, 1), (Fault::ActAndHang, 2)] {
        sandbox.fault("CreateAccessKey", 1, fault);
        let error = failed(client.create_access_key().user_name("alice").send());
        assert!(matches!(error, SdkError::TimeoutError(_)), "{error:?}");
        assert_eq!(keys(&sandbox), left);
    }
}

#[test]
fn delay_answers_late() {
    let (sandbox, key) = sandbox();
    sandbox.fault("GetUser", 1, Fault::Delay(Duration::from_millis(300)));
    let start = Instant::now();
    wait(iam(&sandbox, &key).get_user().send()).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[test]
fn throttle_and_deny_are_definite_refusals() {
    let (sandbox, key) = sandbox();
    let create = || iam(&sandbox, &key).create_access_key().user_name("alice").send();
    sandbox.throttle_next("CreateAccessKey", 2);
    for _ in 0..2 {
        let refusal = refused(create());
        assert!(refusal.is(400, "Throttling"));
        assert_eq!(refusal.message, "Rate exceeded");
    }
    sandbox.deny("CreateAccessKey");
    assert!(refused(create()).is(403, "AccessDenied"));
    sandbox.clear_faults();
    wait(create()).unwrap();
}

#[test]
fn garbage_and_half_an_answer_come_after_acting() {
    let (sandbox, key) = sandbox();
    let create = || iam(&sandbox, &key).create_access_key().user_name("alice").send();
    sandbox.fault("CreateAccessKey", 1, Fault::Garbage);
    let error = failed(create());
    assert!(matches!(error, SdkError::ServiceError(_) | SdkError::ResponseError(_)), "{error:?}");
    assert_eq!(keys(&sandbox), 2);
    let second = sandbox.keys_of("alice")[1].id.clone();
    sandbox.delete_key(&second);
    sandbox.fault("CreateAccessKey", 2, Fault::CutAnswer);
    sandbox.fault("CreateAccessKey", 1, Fault::CutAnswer);
    let half = raw(&sandbox, &key, Service::Iam, &[], CREATE).unwrap();
    assert!(half.contains("<CreateAccessKeyResponse") && !half.contains("</CreateAccessKeyResponse>"), "{half}");
    assert_eq!(keys(&sandbox), 2);
    let error = failed(create());
    assert!(matches!(error, SdkError::ResponseError(_) | SdkError::DispatchFailure(_)), "{error:?}");
}

#[test]
fn half_an_answer_may_look_like_all_of_it() {
    let (sandbox, key) = sandbox();
    sandbox.fault("CreateAccessKey", 1, Fault::HalfAnswer);
    let half = raw(&sandbox, &key, Service::Iam, &[], CREATE).unwrap();
    let (head, body) = half.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
    assert!(body.starts_with("<CreateAccessKeyResponse") && !body.contains("</CreateAccessKeyResponse>"), "{body}");
    assert_eq!(keys(&sandbox), 2);
}

#[test]
fn html_is_a_page_and_nothing_happened() {
    let (sandbox, key) = sandbox();
    sandbox.fault("CreateAccessKey", 1, Fault::Html);
    let page = raw(&sandbox, &key, Service::Iam, &[], CREATE).unwrap();
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("<html>"), "{page}");
    assert_eq!(keys(&sandbox), 1);
}

#[test]
fn calls_are_counted_from_the_registration_on() {
    let (sandbox, key) = sandbox();
    let get = || wait(iam(&sandbox, &key).get_user().send()).is_ok();
    assert!(get());
    sandbox.fault("GetUser", 2, Fault::Throttle);
    assert_eq!([get(), get(), get()], [true, false, true]);
    sandbox.fault("*", Always, Fault::Throttle);
    assert_eq!([get(), get()], [false, false]);
    assert_eq!(sandbox.count("GetUser"), 6);
    sandbox.clear_calls();
    assert_eq!(sandbox.count("GetUser"), 0);
}

#[test]
fn hooks_run_before_acting_and_before_answering() {
    let (sandbox, key) = sandbox();
    let (seen, note) = (std::sync::Arc::new(std::sync::Mutex::new(Vec::new())), |number: usize| number);
    for after in [false, true] {
        let (control, seen) = (sandbox.control(), seen.clone());
        let hook = move |call: &crate::sandbox::Call| {
            seen.lock().unwrap().push((call.action.clone(), after, note(control.keys_of("alice").len())));
        };
        if after { sandbox.after_call(hook) } else { sandbox.on_call(hook) }
    }
    wait(iam(&sandbox, &key).create_access_key().user_name("alice").send()).unwrap();
    let action = || "CreateAccessKey".to_owned();
    assert_eq!(*seen.lock().unwrap(), [(action(), false, 1), (action(), true, 2)]);
}

#[cfg(unix)]
#[test]
fn the_client_may_be_killed_before_or_after_acting() {
    use std::os::unix::process::ExitStatusExt;
    for (fault, left) in [(Fault::KillBefore, 1), (Fault::KillAfter, 2)] {
        let (sandbox, key) = sandbox();
        let mut client = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        sandbox.set_client(Some(client.id()));
        sandbox.fault("CreateAccessKey", 1, fault);
        failed(iam(&sandbox, &key).create_access_key().user_name("alice").send());
        assert_eq!(client.wait().unwrap().signal(), Some(9));
        assert_eq!(keys(&sandbox), left);
    }
}
