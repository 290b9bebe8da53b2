//! Who watches the purge: the patterns of EventBridge rules, on CloudTrail events as IAM has them, decided by MiniStack's
//! own matcher. MiniStack's conditions know no `AWS::Region`, so that its stacks are without these rules; moto makes them.

use serde_json::{Value, json};

use super::emulator::{Emulator, Kind};
use super::{SECURITY_ACCOUNT, template, tools};

/// The rule's pattern for groups `KeyExempt` and `Developers`, the purge's role and an exemption role.
fn pattern(template: &Value, rule: &str) -> Value {
    let pattern = template["Resources"][rule]["Properties"]["EventPattern"].to_string();
    let filled = [
        (r#"{"Fn::Split":[",",{"Ref":"ExemptGroups"}]}"#, r#"["KeyExempt"]"#),
        (r#"{"Fn::Split":[",",{"Ref":"Groups"}]}"#, r#"["Developers","Contractors"]"#),
        (r#"{"Fn::If":["OtherAccounts",{"Ref":"MemberRole"},{"Ref":"FunctionRole"}]}"#, r#""keyrot-me-purge""#),
        (r#"{"Fn::If":["HasExemptionRole",{"Ref":"ExemptionRole"},{"Ref":"AWS::NoValue"}]}"#, r#""exemptions""#),
    ];
    let pattern = filled.into_iter().fold(pattern, |pattern, (from, to)| pattern.replace(from, to));
    assert!(!pattern.contains("Fn::") && !pattern.contains("Ref\""), "{pattern}");
    serde_json::from_str(&pattern).unwrap()
}

/// CloudTrail user guide, 'CloudTrail userIdentity element': a role's session has an issuer, a user has none.
fn by(who: &str) -> Value {
    match who.strip_prefix("role/") {
        Some(role) => json!({
            "type": "AssumedRole",
            "sessionContext": {"sessionIssuer": {"type": "Role", "userName": role}},
        }),
        None => json!({"type": "IAMUser", "userName": who}),
    }
}

fn event(name: &str, who: &str, parameters: &Value) -> String {
    json!({
        "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "account": "111122223333", "region": "us-east-1",
        "time": "2026-11-20T23:55:00Z", "source": "aws.iam", "detail-type": "AWS API Call via CloudTrail", "resources": [],
        "detail": {"eventSource": "iam.amazonaws.com", "eventName": name, "userIdentity": by(who), "requestParameters": parameters},
    })
    .to_string()
}

#[test]
fn the_rules_see_what_no_policy_can_forbid_and_nothing_else() {
    let Some(tools) = tools("the patterns of rules were not tried") else { return };
    let Some(emulator) = Emulator::start(Kind::MiniStack, &tools) else { return };
    let template = template(&tools, SECURITY_ACCOUNT);
    let tag =
        |key: &str| json!({"userName": "bob", "tags": [{"key": "team", "value": "x"}, {"key": key, "value": "y"}]});
    let untag = |key: &str| json!({"userName": "bob", "tagKeys": ["team", key]});
    let group = |name: &str| json!({"userName": "bob", "groupName": name});
    let status = |status: &str| json!({"userName": "bob", "accessKeyId": "AKIA", "status": status});
    let cases = [
        ("ExemptedRule", "AddUserToGroup", "mallory", group("KeyExempt"), true),
        ("ExemptedRule", "AddUserToGroup", "mallory", group("Developers"), false),
        ("ExemptedRule", "RemoveUserFromGroup", "mallory", group("KeyExempt"), false),
        ("LeftRule", "RemoveUserFromGroup", "role/admin", group("Contractors"), true),
        ("LeftRule", "AddUserToGroup", "role/admin", group("Contractors"), false),
        ("TaggedRule", "TagUser", "mallory", tag("keyrot-me/exempt"), true),
        ("TaggedRule", "TagUser", "mallory", tag("Keyrot-ME/exempt"), true),
        ("TaggedRule", "TagUser", "role/admin", tag("keyrot-me/disabled/AKIA"), true),
        ("TaggedRule", "UntagUser", "role/admin", untag("keyrot-me/disabled/AKIA"), true),
        ("TaggedRule", "CreateUser", "mallory", tag("keyrot-me/exempt"), true),
        ("TaggedRule", "TagUser", "role/keyrot-me-purge", tag("keyrot-me/disabled/AKIA"), false),
        ("TaggedRule", "TagUser", "role/exemptions", tag("keyrot-me/exempt"), false),
        ("TaggedRule", "TagUser", "keyrot-me-purge", tag("keyrot-me/exempt"), true),
        ("TaggedRule", "TagUser", "mallory", tag("keyrot"), false),
        ("ReactivatedRule", "UpdateAccessKey", "role/keyrot-me-purge", status("Active"), true),
        ("ReactivatedRule", "UpdateAccessKey", "role/keyrot-me-purge", status("Inactive"), false),
        ("ReactivatedRule", "UpdateAccessKey", "role/admin", status("Active"), false),
    ];
    for (rule, name, who, parameters, seen) in cases {
        let pattern = pattern(&template, rule).to_string();
        let event = event(name, who, &parameters);
        let answer = emulator.json(&["events", "test-event-pattern", "--event-pattern", &pattern, "--event", &event]);
        assert_eq!(answer["Result"], seen, "{rule}: {name} by {who}: {parameters}");
    }
}
