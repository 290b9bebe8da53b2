//! `CloudTrail`'s look-up.

use std::time::Duration;

use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use aws_types::app_name::AppName;
use serde_json::Value;

use super::client::{Keys, config, iam, refused, sandbox, session, trail, wait};
use crate::sandbox::{LOOKUP_EVENTS, Sandbox};

fn ready() -> (Sandbox, Keys) {
    let (sandbox, keys) = sandbox();
    sandbox.accept_any_clock();
    sandbox.add_policy("alice", LOOKUP_EVENTS);
    (sandbox, keys)
}

fn by(key: LookupAttributeKey, value: &str) -> LookupAttribute {
    LookupAttribute::builder().attribute_key(key).attribute_value(value).build().unwrap()
}

fn find(sandbox: &Sandbox, keys: &Keys, key: LookupAttributeKey, value: &str) -> Vec<Event> {
    wait(trail(sandbox, keys).lookup_events().lookup_attributes(by(key, value)).send()).unwrap().events.unwrap()
}

#[test]
fn a_create_is_recorded_with_its_user_agent_and_without_its_secret() {
    let (sandbox, keys) = ready();
    sandbox.trail_delay(Duration::ZERO);
    let signer = session(&sandbox, &keys, true);
    let named = config(&sandbox, &signer).into_builder().app_name(AppName::new("rotation-4711").unwrap()).build();
    let create = aws_sdk_iam::Client::new(&named).create_access_key().user_name("alice").send();
    let made = wait(create).unwrap().access_key.unwrap();
    let found = find(&sandbox, &keys, LookupAttributeKey::AccessKeyId, &signer.id);
    assert_eq!(found[0].event_name(), Some("CreateAccessKey"));
    assert_eq!((found[0].username(), found[0].read_only()), (Some("alice"), Some("false")));
    let text = found[0].cloud_trail_event().unwrap();
    assert!(!text.contains(&made.secret_access_key) && !text.contains(signer.token.as_ref().unwrap()));
    let record: Value = serde_json::from_str(text).unwrap();
    assert!(record["userAgent"].as_str().unwrap().contains("app/rotation-4711"), "{record}");
    assert_eq!(record["userIdentity"]["accessKeyId"], signer.id.as_str());
    assert_eq!(record["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"], "true");
    assert_eq!(record["sourceIPAddress"], "127.0.0.1");
    assert_eq!(record["requestParameters"]["userName"], "alice");
    let key = &record["responseElements"]["accessKey"];
    assert_eq!((&key["accessKeyId"], &key["status"]), (&made.access_key_id.into(), &"Active".into()));
    assert_eq!(key["userName"], "alice");
    assert!(key["createDate"].is_string());
}

#[test]
fn events_come_late() {
    let (sandbox, keys) = ready();
    wait(iam(&sandbox, &keys).create_access_key().user_name("alice").send()).unwrap();
    let count = || find(&sandbox, &keys, LookupAttributeKey::EventName, "CreateAccessKey").len();
    assert_eq!(count(), 0);
    sandbox.advance(Duration::from_secs(299));
    assert_eq!(count(), 0);
    sandbox.advance(Duration::from_secs(2));
    assert_eq!(count(), 1);
}

#[test]
fn a_call_whose_answer_was_lost_is_recorded_and_a_refused_one_too() {
    let (sandbox, keys) = ready();
    sandbox.trail_delay(Duration::ZERO);
    sandbox.fault("CreateAccessKey", 1, crate::sandbox::Fault::ActAndDrop);
    for _ in 0..2 {
        assert!(wait(iam(&sandbox, &keys).create_access_key().user_name("alice").send()).is_err());
    }
    let found = find(&sandbox, &keys, LookupAttributeKey::EventName, "CreateAccessKey");
    let records = found.iter().map(|event| serde_json::from_str::<Value>(event.cloud_trail_event().unwrap()).unwrap());
    let errors: Vec<Value> = records.map(|record| record["errorCode"].clone()).collect();
    assert_eq!(errors, [Value::from("LimitExceededException"), Value::Null]);
}

#[test]
fn events_are_found_by_attribute_and_time() {
    let (sandbox, keys) = ready();
    let bob = sandbox.keys_of("bob").remove(0);
    let then = sandbox.now() - chrono::TimeDelta::hours(3);
    sandbox.seed_event(&bob.id, "PutObject", "s3.amazonaws.com", then, "aws-cli/2.32", "203.0.113.9");
    assert_eq!(find(&sandbox, &keys, LookupAttributeKey::AccessKeyId, &bob.id).len(), 1);
    assert_eq!(find(&sandbox, &keys, LookupAttributeKey::Username, "bob").len(), 1);
    assert_eq!(find(&sandbox, &keys, LookupAttributeKey::Username, "carol").len(), 0);
    let from = |hours: i64| {
        let start = DateTime::from_secs((sandbox.now() - chrono::TimeDelta::hours(hours)).timestamp());
        wait(trail(&sandbox, &keys).lookup_events().start_time(start).send()).unwrap().events.unwrap().len()
    };
    assert_eq!((from(2), from(4)), (0, 1));
    let backwards = trail(&sandbox, &keys).lookup_events();
    let backwards = backwards.start_time(DateTime::from_secs(2_000)).end_time(DateTime::from_secs(1_000));
    assert!(refused(backwards.send()).is(400, "InvalidTimeRangeException"));
}

#[test]
fn iams_events_are_in_the_home_region_only() {
    let (sandbox, keys) = ready();
    sandbox.trail_delay(Duration::ZERO);
    wait(iam(&sandbox, &keys).get_user().send()).unwrap();
    let elsewhere = config(&sandbox, &keys).into_builder().region(aws_config::Region::new("eu-central-1")).build();
    let events = wait(aws_sdk_cloudtrail::Client::new(&elsewhere).lookup_events().send()).unwrap().events.unwrap();
    assert!(events.is_empty());
    assert_eq!(find(&sandbox, &keys, LookupAttributeKey::EventName, "GetUser").len(), 1);
}

#[test]
fn a_page_holds_fifty_and_the_newest_come_first() {
    let (sandbox, keys) = ready();
    let bob = sandbox.keys_of("bob").remove(0);
    for minutes in 0..60 {
        let at = sandbox.now() - chrono::TimeDelta::minutes(10 + minutes);
        sandbox.seed_event(&bob.id, "PutObject", "s3.amazonaws.com", at, "x", "203.0.113.9");
    }
    let first = wait(trail(&sandbox, &keys).lookup_events().send()).unwrap();
    let events = first.events();
    assert_eq!(events.len(), 50);
    assert!(events[0].event_time().unwrap() > events[1].event_time().unwrap());
    let second = wait(trail(&sandbox, &keys).lookup_events().set_next_token(first.next_token).send()).unwrap();
    assert_eq!((second.events().len(), second.next_token()), (10, None));
    let too_many = trail(&sandbox, &keys).lookup_events().max_results(51).send();
    assert!(refused(too_many).is(400, "InvalidMaxResultsException"));
}

#[test]
fn one_attribute_at_a_time() {
    let (sandbox, keys) = ready();
    let two = [by(LookupAttributeKey::Username, "bob"), by(LookupAttributeKey::EventName, "GetUser")];
    let both = trail(&sandbox, &keys).lookup_events().set_lookup_attributes(Some(two.to_vec()));
    assert!(refused(both.send()).is(400, "InvalidLookupAttributesException"));
}

#[test]
fn the_full_service_name_is_taken_too() {
    let (sandbox, keys) = ready();
    let target = ("x-amz-target", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents");
    let answer = super::client::raw(&sandbox, &keys, crate::sandbox::Service::CloudTrail, &[target], "{}").unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
