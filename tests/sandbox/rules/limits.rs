//! Throttling, pages, tags.

use std::time::Duration;

use super::client::{Keys, iam, refused, sandbox, sts, trail, wait};
use crate::sandbox::{ADMINISTRATOR, Sandbox, Service};

fn crowd(size: usize) -> (Sandbox, Keys) {
    let (sandbox, keys) = sandbox();
    sandbox.set_policies("alice", &[ADMINISTRATOR]);
    let names: Vec<String> = (0..size).map(|n| format!("user-{n:04}")).collect();
    for name in &names {
        sandbox.add_user(name.as_str());
    }
    sandbox.add_group("Crowd", &names.iter().map(String::as_str).collect::<Vec<_>>());
    (sandbox, keys)
}

/// The sizes of all pages, and how many members were seen.
fn pages(sandbox: &Sandbox, keys: &Keys, size: Option<i32>) -> (Vec<usize>, usize) {
    let (mut sizes, mut seen, mut marker) = (Vec::new(), std::collections::BTreeSet::new(), None);
    loop {
        let call = iam(sandbox, keys).get_group().group_name("Crowd").set_marker(marker).set_max_items(size);
        let answer = wait(call.send()).unwrap();
        sizes.push(answer.users.len());
        seen.extend(answer.users.into_iter().map(|user| user.user_name));
        assert_eq!(answer.is_truncated, answer.marker.is_some());
        marker = answer.marker;
        if marker.is_none() {
            return (sizes, seen.len());
        }
    }
}

#[test]
fn a_page_holds_100_unless_asked_and_1000_at_most() {
    let (sandbox, keys) = crowd(250);
    assert_eq!(pages(&sandbox, &keys, None), (vec![100, 100, 50], 250));
    assert_eq!(pages(&sandbox, &keys, Some(200)), (vec![200, 50], 250));
    assert_eq!(pages(&sandbox, &keys, Some(1000)), (vec![250], 250));
    let too_many = iam(&sandbox, &keys).get_group().group_name("Crowd").max_items(1001).send();
    assert!(refused(too_many).is(400, "ValidationError"));
}

#[test]
fn pages_may_be_short_and_empty() {
    let (sandbox, keys) = crowd(5);
    sandbox.short_pages(2);
    assert_eq!(pages(&sandbox, &keys, None), (vec![2, 2, 1], 5));
    sandbox.empty_pages(true);
    assert_eq!(pages(&sandbox, &keys, None), (vec![0, 2, 0, 2, 0, 1], 5));
}

#[test]
fn a_marker_is_good_for_its_own_list_only() {
    let (sandbox, keys) = crowd(5);
    let marker = wait(iam(&sandbox, &keys).list_users().max_items(2).send()).unwrap().marker;
    let other = iam(&sandbox, &keys).get_group().group_name("Crowd").set_marker(marker).send();
    assert!(refused(other).is(400, "ValidationError"));
}

#[test]
fn users_are_found_by_path() {
    let (sandbox, keys) = crowd(0);
    sandbox.add_user_at("/ops/", "carol");
    let all = wait(iam(&sandbox, &keys).list_users().send()).unwrap().users;
    assert_eq!(all.iter().map(|user| user.user_name.as_str()).collect::<Vec<_>>(), ["alice", "bob", "carol"]);
    let ops = wait(iam(&sandbox, &keys).list_users().path_prefix("/ops/").send()).unwrap().users;
    assert_eq!(ops[0].arn, "arn:aws:iam::123456789012:user/ops/carol");
    assert_eq!(ops.len(), 1);
    let groups = wait(iam(&sandbox, &keys).list_groups_for_user().user_name("bob").send()).unwrap().groups;
    assert_eq!(groups[0].group_name, "Developers");
}

#[test]
fn each_account_has_its_own_bucket_for_each_service() {
    let (sandbox, keys) = sandbox();
    sandbox.add_account("210987654321");
    sandbox.add_user(("210987654321", "zoe"));
    let zoe = Keys::from(sandbox.seed_key(("210987654321", "zoe"), sandbox.now(), "Active"));
    sandbox.rate(Service::Iam, 0.1, 2.0);
    let ask = |keys: &Keys| iam(&sandbox, keys).get_user().send();
    wait(ask(&keys)).unwrap();
    wait(ask(&keys)).unwrap();
    let refusal = refused(ask(&keys));
    assert!(refusal.is(400, "Throttling"));
    wait(ask(&zoe)).unwrap();
    wait(sts(&sandbox, &keys).get_caller_identity().send()).unwrap();
    sandbox.advance(Duration::from_secs(11));
    wait(ask(&keys)).unwrap();
}

#[test]
fn cloudtrail_throttles_in_its_own_words() {
    let (sandbox, keys) = sandbox();
    sandbox.set_policies("alice", &[ADMINISTRATOR]);
    sandbox.rate(Service::CloudTrail, 0.1, 1.0);
    wait(trail(&sandbox, &keys).lookup_events().send()).unwrap();
    assert!(refused(trail(&sandbox, &keys).lookup_events().send()).is(400, "ThrottlingException"));
}

fn tag(key: &str, value: &str) -> aws_sdk_iam::types::Tag {
    aws_sdk_iam::types::Tag::builder().key(key).value(value).build().unwrap()
}

#[test]
fn tags_are_set_listed_and_removed() {
    let (sandbox, keys) = crowd(0);
    let client = iam(&sandbox, &keys);
    wait(client.tag_user().user_name("bob").tags(tag("a/b", "1 2")).tags(tag("c", "")).send()).unwrap();
    wait(client.tag_user().user_name("bob").tags(tag("c", "3")).send()).unwrap();
    let tags = wait(client.list_user_tags().user_name("bob").send()).unwrap().tags;
    assert_eq!(tags, [tag("a/b", "1 2"), tag("c", "3")]);
    assert_eq!(wait(client.get_user().user_name("bob").send()).unwrap().user.unwrap().tags(), tags);
    wait(client.untag_user().user_name("bob").tag_keys("a/b").tag_keys("none").send()).unwrap();
    assert_eq!(sandbox.tags_of("bob").into_keys().collect::<Vec<_>>(), ["c"]);
}

#[test]
fn tags_take_no_semicolon_and_no_comma() {
    let (sandbox, keys) = crowd(0);
    for value in ["first=1;last=2", "a,b", "it's"] {
        let refusal = refused(iam(&sandbox, &keys).tag_user().user_name("bob").tags(tag("k", value)).send());
        assert!(refusal.is(400, "ValidationError"), "{value}");
    }
    let plain = "first=2026-11-20T23:55:00Z last=2026-11-20T23:55:00Z n=1";
    wait(iam(&sandbox, &keys).tag_user().user_name("bob").tags(tag("k", plain)).send()).unwrap();
}

#[test]
fn a_user_has_fifty_tags_at_most() {
    let (sandbox, keys) = crowd(0);
    (0..50).for_each(|n| sandbox.set_tag("bob", &format!("tag-{n}"), ""));
    let one_more = iam(&sandbox, &keys).tag_user().user_name("bob").tags(tag("more", "")).send();
    assert!(refused(one_more).is(409, "LimitExceeded"));
    wait(iam(&sandbox, &keys).tag_user().user_name("bob").tags(tag("tag-1", "again")).send()).unwrap();
}

#[test]
fn devices_are_listed() {
    let (sandbox, keys) = sandbox();
    let devices = wait(iam(&sandbox, &keys).list_mfa_devices().user_name("alice").send()).unwrap().mfa_devices;
    assert_eq!(devices[0].serial_number, "arn:aws:iam::123456789012:mfa/alice");
}
