//! Access keys: quota, names, propagation, stale lists, last use.

use std::time::Duration;

use chrono::TimeDelta;

use super::client::{Keys, iam, refused, sandbox, session, sts, wait};
use crate::sandbox::{ADMINISTRATOR, Sandbox, Service};

fn create(sandbox: &Sandbox, keys: &Keys) -> Keys {
    let made = wait(iam(sandbox, keys).create_access_key().user_name("alice").send()).unwrap().access_key.unwrap();
    Keys { id: made.access_key_id, secret: made.secret_access_key, token: None }
}

fn listed(sandbox: &Sandbox, keys: &Keys) -> Vec<(String, String)> {
    let answer = wait(iam(sandbox, keys).list_access_keys().user_name("alice").send()).unwrap();
    let row = |key: aws_sdk_iam::types::AccessKeyMetadata| {
        (key.access_key_id.unwrap(), key.status.unwrap().as_str().to_owned())
    };
    answer.access_key_metadata.into_iter().map(row).collect()
}

fn row(keys: &Keys, status: &str) -> (String, String) {
    (keys.id.clone(), status.to_owned())
}

fn accepted(sandbox: &Sandbox, keys: &Keys) -> (bool, bool) {
    let at_sts = wait(sts(sandbox, keys).get_caller_identity().send());
    let at_iam = wait(iam(sandbox, keys).get_user().send());
    (at_sts.is_ok(), at_iam.is_ok())
}

#[test]
fn a_key_is_made_deactivated_and_deleted() {
    let (sandbox, old) = sandbox();
    let new = create(&sandbox, &old);
    assert!(new.id.starts_with("AKIA") && new.id.len() == 20 && new.secret.len() == 40);
    assert!(new.secret.contains('/') && new.secret.contains('+'));
    assert_eq!(accepted(&sandbox, &new), (true, true));
    let client = iam(&sandbox, &new);
    let off = client.update_access_key().user_name("alice").access_key_id(&old.id).status("Inactive".into());
    wait(off.send()).unwrap();
    assert_eq!(listed(&sandbox, &new), [row(&old, "Inactive"), row(&new, "Active")]);
    wait(client.delete_access_key().user_name("alice").access_key_id(&old.id).send()).unwrap();
    assert_eq!(listed(&sandbox, &new), [row(&new, "Active")]);
}

#[test]
fn there_are_two_keys_at_most_and_inactive_ones_count() {
    let (sandbox, keys) = sandbox();
    let second = create(&sandbox, &keys);
    sandbox.set_status(&second.id, "Inactive");
    let refusal = refused(iam(&sandbox, &keys).create_access_key().user_name("alice").send());
    assert!(refusal.is(409, "LimitExceeded"));
    assert_eq!(refusal.message, "Cannot exceed quota for AccessKeysPerUser: 2");
    assert_eq!(sandbox.keys_of("alice").len(), 2);
}

#[test]
fn unknown_users_and_keys_are_no_such_entity() {
    let (sandbox, keys) = sandbox();
    sandbox.set_policies("alice", &[ADMINISTRATOR]);
    let client = iam(&sandbox, &keys);
    let refusal = refused(client.list_access_keys().user_name("nobody").send());
    assert!(refusal.is(404, "NoSuchEntity"));
    assert_eq!(refusal.message, "The user with name nobody cannot be found.");
    let id = "AKIAQQQQQQQQQQQQQQQQ";
    let gone = client.update_access_key().user_name("alice").access_key_id(id).status("Inactive".into());
    assert!(refused(gone.send()).is(404, "NoSuchEntity"));
    assert!(refused(client.delete_access_key().user_name("alice").access_key_id(id).send()).is(404, "NoSuchEntity"));
    assert!(refused(client.get_access_key_last_used().access_key_id(id).send()).is(404, "NoSuchEntity"));
    assert!(refused(client.get_group().group_name("Nobodies").send()).is(404, "NoSuchEntity"));
    let others = client.delete_access_key().user_name("bob").access_key_id(&keys.id);
    assert!(refused(others.send()).is(404, "NoSuchEntity"));
}

#[test]
fn without_a_name_a_user_means_its_own_keys() {
    let (sandbox, keys) = sandbox();
    let answer = wait(iam(&sandbox, &keys).list_access_keys().send()).unwrap();
    assert_eq!(answer.access_key_metadata[0].user_name.as_deref(), Some("alice"));
    let temporary = session(&sandbox, &keys, true);
    let client = iam(&sandbox, &temporary);
    assert_eq!(wait(client.get_user().send()).unwrap().user.unwrap().user_name, "alice");
    assert!(refused(client.list_access_keys().send()).is(400, "ValidationError"));
    let off = client.update_access_key().access_key_id(&keys.id).status("Inactive".into());
    assert!(refused(off.send()).is(400, "ValidationError"));
}

#[test]
fn a_status_is_active_or_inactive_when_set_and_open_when_read() {
    let (sandbox, keys) = sandbox();
    let odd = iam(&sandbox, &keys).update_access_key().user_name("alice").access_key_id(&keys.id);
    assert!(refused(odd.status("Expired".into()).send()).is(400, "ValidationError"));
    let (second, _) = sandbox.seed_key("alice", sandbox.now(), "Expired");
    assert_eq!(listed(&sandbox, &keys)[1], (second, "Expired".to_owned()));
}

#[test]
fn a_new_key_reaches_each_service_in_its_own_time() {
    let (sandbox, old) = sandbox();
    sandbox.propagation(Service::Sts, Duration::from_secs(10));
    sandbox.propagation(Service::Iam, Duration::from_mins(1));
    let new = create(&sandbox, &old);
    assert_eq!(accepted(&sandbox, &new), (false, false));
    let refusal = refused(sts(&sandbox, &new).get_caller_identity().send());
    assert!(refusal.is(403, "InvalidClientTokenId"));
    sandbox.advance(Duration::from_secs(11));
    assert_eq!(accepted(&sandbox, &new), (true, false));
    sandbox.advance(Duration::from_secs(50));
    assert_eq!(accepted(&sandbox, &new), (true, true));
    assert_eq!(accepted(&sandbox, &old), (true, true));
}

#[test]
fn a_new_key_may_flicker_by_call() {
    let (sandbox, old) = sandbox();
    sandbox.propagation_script(Service::Iam, &[false, true, false]);
    let new = create(&sandbox, &old);
    let outcomes: Vec<_> = (0..5).map(|_| accepted(&sandbox, &new)).collect();
    assert_eq!(outcomes, [(true, false), (true, true), (true, false), (true, true), (true, true)]);
}

#[test]
fn lists_may_be_stale_after_each_kind_of_change() {
    let (sandbox, old) = sandbox();
    sandbox.stale_lists(Duration::from_secs(20));
    let new = create(&sandbox, &old);
    assert_eq!(listed(&sandbox, &old), [row(&old, "Active")]);
    sandbox.advance(Duration::from_secs(21));
    let both = [row(&old, "Active"), row(&new, "Active")];
    assert_eq!(listed(&sandbox, &old), both);
    sandbox.set_status(&new.id, "Inactive");
    assert_eq!(listed(&sandbox, &old), both);
    sandbox.advance(Duration::from_secs(21));
    assert_eq!(listed(&sandbox, &old)[1], row(&new, "Inactive"));
    sandbox.delete_key(&new.id);
    assert_eq!(listed(&sandbox, &old).len(), 2);
    sandbox.advance(Duration::from_secs(21));
    assert_eq!(listed(&sandbox, &old), [row(&old, "Active")]);
}

#[test]
fn last_use_is_the_first_in_a_quarter_of_an_hour_and_comes_late() {
    let (sandbox, keys) = sandbox();
    sandbox.accept_any_clock();
    sandbox.last_used_lag(Duration::from_mins(2));
    let (other, _) = sandbox.seed_key("alice", sandbox.now(), "Active");
    let ask = |id: &str| {
        let answer = wait(iam(&sandbox, &keys).get_access_key_last_used().access_key_id(id).send()).unwrap();
        assert_eq!(answer.user_name.as_deref(), Some("alice"));
        answer.access_key_last_used.unwrap()
    };
    let never = ask(&other);
    assert_eq!((never.service_name(), never.region(), never.last_used_date), ("N/A", "N/A", None));
    let first = sandbox.now();
    assert_eq!(ask(&keys.id).last_used_date, None);
    for _ in 0..3 {
        sandbox.advance(Duration::from_mins(4));
        let used = ask(&keys.id);
        assert!((used.last_used_date.unwrap().secs() - first.timestamp()).abs() <= 1);
        assert_eq!((used.service_name(), used.region()), ("iam", "us-east-1"));
    }
    sandbox.advance(Duration::from_mins(4));
    ask(&keys.id);
    sandbox.advance(Duration::from_mins(4));
    let later = ask(&keys.id).last_used_date.unwrap().secs();
    assert!(later - first.timestamp() >= 900, "{later}");
}

#[test]
fn everything_can_be_aged_for_a_client_whose_clock_stands() {
    let (sandbox, keys) = sandbox();
    sandbox.set_last_used(&keys.id, sandbox.now() - TimeDelta::days(3), "s3", "eu-west-1");
    sandbox.age_everything(Duration::from_hours(24));
    let age = sandbox.now() - sandbox.keys_of("alice")[0].created;
    assert_eq!(age.num_days(), 41);
    let answer = wait(iam(&sandbox, &keys).get_access_key_last_used().access_key_id(&keys.id).send()).unwrap();
    let last = answer.access_key_last_used.unwrap();
    assert_eq!(last.service_name(), "iam", "the question itself is a use");
}
