//! One truth: the policies in the templates are those of packaging/iam, the variables of the function those of
//! packaging/aws/README.md.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{MEMBER_ROLE, SECURITY_ACCOUNT, SERVICE_CONTROL_POLICY, packaging, template, tools};

/// A document of packaging/iam, with words in place of its placeholders.
fn document(name: &str, words: &[(&str, &str)]) -> Value {
    let mut text = std::fs::read_to_string(packaging(&format!("iam/{name}.json"))).unwrap();
    for (placeholder, word) in words {
        assert!(text.contains(placeholder), "{name}: {placeholder}");
        text = text.replace(placeholder, word);
    }
    serde_json::from_str(&text).unwrap()
}

/// With parameters' values in place of `Ref` and `Fn::Sub`.
fn filled(value: &Value, parameters: &[(&str, &str)]) -> Value {
    match value {
        Value::Object(members) => {
            if let Some(name) = members.get("Ref").and_then(Value::as_str) {
                let found = parameters.iter().find(|(known, _)| *known == name);
                return json!(found.unwrap_or_else(|| panic!("{name} has no value here")).1);
            }
            if let Some(text) = members.get("Fn::Sub").and_then(Value::as_str) {
                let fill = |text: String, (name, word): &(&str, &str)| text.replace(&format!("${{{name}}}"), word);
                return json!(parameters.iter().fold(text.to_owned(), fill));
            }
            members.iter().map(|(name, value)| (name.clone(), filled(value, parameters))).collect()
        }
        Value::Array(values) => values.iter().map(|value| filled(value, parameters)).collect(),
        plain => plain.clone(),
    }
}

#[test]
fn the_function_s_role_may_do_in_other_accounts_and_in_its_own_what_packaging_iam_says() {
    let Some(tools) = tools("policies were not compared") else { return };
    let template = template(&tools, SECURITY_ACCOUNT);
    let policy = |name: &str| template["Resources"][name]["Properties"]["PolicyDocument"].clone();
    assert_eq!(
        filled(&policy("OrganizationReaderPolicy"), &[("MemberRole", "keyrot-me-purge")]),
        document("purge-organization-reader", &[])
    );
    assert_eq!(policy("OwnAccountPolicy"), document("purge-role", &[]));
    assert_eq!(template["Parameters"]["MemberRole"]["Default"], "keyrot-me-purge");
}

#[test]
fn the_role_in_each_account_is_that_of_packaging_iam() {
    let Some(tools) = tools("policies were not compared") else { return };
    let template = template(&tools, MEMBER_ROLE);
    let role = &template["Resources"]["PurgeRole"]["Properties"];
    assert_eq!(role["Policies"], json!([{"PolicyName": "purge-role", "PolicyDocument": document("purge-role", &[])}]));
    let words =
        [("PurgePrincipalArn", "the principal"), ("OrganizationId", "the organization"), ("ExternalId", "the id")];
    let placeholders = [
        ("{{PURGE_PRINCIPAL_ARN}}", "the principal"),
        ("{{ORGANIZATION_ID}}", "the organization"),
        ("{{EXTERNAL_ID}}", "the id"),
    ];
    assert_eq!(filled(&role["AssumeRolePolicyDocument"], &words), document("purge-member-trust", &placeholders));
    assert_eq!(template["Parameters"]["RoleName"]["Default"], "keyrot-me-purge");
}

#[test]
fn the_service_control_policy_is_that_of_packaging_iam() {
    let Some(tools) = tools("policies were not compared") else { return };
    let template = template(&tools, SERVICE_CONTROL_POLICY);
    let words = [("ExemptionRoleArn", "the exemptions"), ("DeploymentRoleArn", "the deployment")];
    let placeholders = [("{{EXEMPTION_ROLE_ARN}}", "the exemptions"), ("{{DEPLOYMENT_ROLE_ARN}}", "the deployment")];
    assert_eq!(
        filled(&template["Resources"]["Policy"]["Properties"]["Content"], &words),
        document("purge-service-control-policy", &placeholders)
    );
}

#[test]
fn the_stack_sets_each_variable_that_the_function_reads_and_no_other() {
    let Some(tools) = tools("the function's variables were not compared") else { return };
    let template = template(&tools, SECURITY_ACCOUNT);
    let set = &template["Resources"]["Function"]["Properties"]["Environment"]["Variables"];
    let set: BTreeSet<&str> = set.as_object().unwrap().keys().map(String::as_str).collect();
    let readme = std::fs::read_to_string(packaging("aws/README.md")).unwrap();
    let table = readme.lines().filter_map(|line| line.strip_prefix("| `KEYROT_ME_")?.split('`').next());
    let read: BTreeSet<String> = table.map(|name| format!("KEYROT_ME_{name}")).collect();
    assert!(read.len() > 20, "{read:?}");
    assert_eq!(set, read.iter().map(String::as_str).collect());
}

/// Each parameter is of use, and each of a stack's is under a heading in the console.
#[test]
fn each_parameter_of_the_stack_has_a_heading() {
    let Some(tools) = tools("headings were not compared") else { return };
    for name in super::TEMPLATES {
        let template = template(&tools, name);
        let groups = &template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"];
        let listed: Vec<&str> = groups
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|group| group["Parameters"].as_array().unwrap())
            .filter_map(Value::as_str)
            .collect();
        let once: BTreeSet<&str> = listed.iter().copied().collect();
        assert_eq!(once.len(), listed.len(), "{name}: {listed:?}");
        let parameters = template["Parameters"].as_object().unwrap();
        assert_eq!(once, parameters.keys().map(String::as_str).collect(), "{name}");
    }
}
