//! Organizations and SNS, by raw requests, and the log of calls.

use serde_json::{Value, json};

use super::client::{Keys, iam, raw, sandbox, session, wait};
use crate::sandbox::{ADMINISTRATOR, AccountFields, HOME, Sandbox, Service};

fn ask(sandbox: &Sandbox, keys: &Keys, action: &str, body: &Value) -> Value {
    let target = format!("AWSOrganizationsV20161128.{action}");
    let headers = [("x-amz-target", target.as_str())];
    let answer = raw(sandbox, keys, Service::Organizations, &headers, &body.to_string()).unwrap();
    serde_json::from_str(answer.rsplit("\r\n").next().unwrap()).unwrap()
}

fn organization(accounts: usize) -> (Sandbox, Keys, String) {
    let (sandbox, keys) = sandbox();
    sandbox.set_policies("alice", &[ADMINISTRATOR]);
    (1..accounts).for_each(|n| sandbox.add_account(&format!("{:012}", 200_000_000_000 + n as u64)));
    let root = sandbox.make_organization(HOME);
    (sandbox, keys, root)
}

#[test]
fn accounts_come_twenty_at_a_time() {
    let (sandbox, keys, _) = organization(45);
    let (mut sizes, mut token) = (Vec::new(), Value::Null);
    loop {
        let body = if token.is_null() { json!({}) } else { json!({"NextToken": token}) };
        let answer = ask(&sandbox, &keys, "ListAccounts", &body);
        sizes.push(answer["Accounts"].as_array().unwrap().len());
        token = answer["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(sizes, [20, 20, 5]);
    sandbox.empty_pages(true);
    assert_eq!(ask(&sandbox, &keys, "ListAccounts", &json!({}))["Accounts"], json!([]));
}

#[test]
fn the_tree_is_walked_by_parent() {
    let (sandbox, keys, root) = organization(3);
    let unit = sandbox.add_unit(&root, "Sandbox");
    sandbox.place("200000000002", &unit);
    assert_eq!(ask(&sandbox, &keys, "ListRoots", &json!({}))["Roots"][0]["Id"], json!(root));
    let units = ask(&sandbox, &keys, "ListOrganizationalUnitsForParent", &json!({"ParentId": root}));
    assert_eq!(units["OrganizationalUnits"][0]["Id"], json!(unit));
    let accounts = ask(&sandbox, &keys, "ListAccountsForParent", &json!({"ParentId": unit}));
    assert_eq!(accounts["Accounts"][0]["Id"], "200000000002");
    assert_eq!(accounts["Accounts"].as_array().unwrap().len(), 1);
    let nowhere = ask(&sandbox, &keys, "ListAccountsForParent", &json!({"ParentId": "ou-none-11111111"}));
    assert_eq!(nowhere["__type"], "ParentNotFoundException");
    let whole = ask(&sandbox, &keys, "DescribeOrganization", &json!({}));
    assert_eq!(whole["Organization"]["MasterAccountId"], HOME);
}

#[test]
fn accounts_carry_status_or_state() {
    let (sandbox, keys, _) = organization(2);
    sandbox.set_account_state("200000000001", "SUSPENDED");
    let second = || ask(&sandbox, &keys, "ListAccounts", &json!({}))["Accounts"][1].clone();
    assert_eq!((&second()["Status"], &second()["State"]), (&json!("SUSPENDED"), &json!("SUSPENDED")));
    sandbox.account_fields(AccountFields::StateOnly);
    assert_eq!((&second()["Status"], &second()["State"]), (&Value::Null, &json!("SUSPENDED")));
}

#[test]
fn only_the_management_account_may_list() {
    let (sandbox, _, _) = organization(2);
    let member = "200000000001";
    sandbox.add_user((member, "zoe"));
    sandbox.set_policies((member, "zoe"), &[ADMINISTRATOR]);
    let zoe = Keys::from(sandbox.seed_key((member, "zoe"), sandbox.now(), "Active"));
    assert_eq!(ask(&sandbox, &zoe, "ListAccounts", &json!({}))["__type"], "AccessDeniedException");
    assert!(ask(&sandbox, &zoe, "DescribeOrganization", &json!({}))["Organization"].is_object());
}

#[test]
fn without_an_organization_there_is_none() {
    let (sandbox, keys) = sandbox();
    let answer = ask(&sandbox, &keys, "ListAccounts", &json!({}));
    assert_eq!(answer["__type"], "AWSOrganizationsNotInUseException");
}

#[test]
fn a_key_that_is_turned_away_is_unrecognized() {
    let (sandbox, keys, _) = organization(1);
    sandbox.set_status(&keys.id, "Inactive");
    assert_eq!(ask(&sandbox, &keys, "ListAccounts", &json!({}))["__type"], "UnrecognizedClientException");
}

#[test]
fn what_is_published_is_kept() {
    let (sandbox, keys) = sandbox();
    let topic = sandbox.add_topic(HOME, "rotation");
    let body = format!("Action=Publish&Version=2010-03-31&TopicArn={topic}&Subject=Hi&Message=A%20key%20goes");
    let publish = || raw(&sandbox, &keys, Service::Sns, &[], &body).unwrap();
    assert!(publish().contains("<Code>AuthorizationError</Code>"));
    sandbox.set_policies("alice", &[ADMINISTRATOR]);
    assert!(publish().contains("<MessageId>"));
    let message = &sandbox.messages()[0];
    assert_eq!((message.topic.as_str(), message.text.as_str()), (topic.as_str(), "A key goes"));
    assert_eq!(message.subject.as_deref(), Some("Hi"));
}

#[test]
fn the_log_holds_every_call_and_no_code() {
    let (sandbox, keys) = sandbox();
    let signer = session(&sandbox, &keys, true);
    wait(iam(&sandbox, &signer).list_access_keys().user_name("alice").send()).unwrap();
    let _ = wait(iam(&sandbox, &signer).list_access_keys().user_name("bob").send());
    let calls = sandbox.calls();
    let shown: Vec<_> = calls.iter().map(|call| (call.service, call.action.as_str(), call.outcome.as_str())).collect();
    let list = "ListAccessKeys";
    let expected =
        [(Service::Sts, "GetSessionToken", "OK"), (Service::Iam, list, "OK"), (Service::Iam, list, "AccessDenied")];
    assert_eq!(shown, expected);
    assert_eq!((&calls[0].key_id, &calls[1].key_id), (&keys.id, &signer.id));
    assert_eq!(calls[1].parameters["UserName"], "alice");
    assert!(!calls[0].parameters.contains_key("TokenCode"));
    assert!(calls[0].user_agent.contains("aws-sdk-rust"));
}

#[test]
fn other_partitions_have_their_own_names() {
    let (sandbox, _) = sandbox();
    sandbox.add_account_in("aws-cn", "310987654321");
    sandbox.add_user(("310987654321", "li"));
    assert_eq!(sandbox.user_arn(("310987654321", "li")), "arn:aws-cn:iam::310987654321:user/li");
}
