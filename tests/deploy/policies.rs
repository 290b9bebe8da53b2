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
    let words = [
        ("ExemptionRoleArn", "the exemptions"),
        ("DeploymentRoleArn", "the deployment"),
        ("MemberRole", "keyrot-me-purge"),
    ];
    let placeholders = [("{{EXEMPTION_ROLE_ARN}}", "the exemptions"), ("{{DEPLOYMENT_ROLE_ARN}}", "the deployment")];
    assert_eq!(
        filled(&template["Resources"]["Policy"]["Properties"]["Content"], &words),
        document("purge-service-control-policy", &placeholders)
    );
}

/// A member role of another name is let through by name, and protected.
#[test]
fn the_service_control_policy_names_the_role_that_the_stack_takes() {
    let Some(tools) = tools("policies were not compared") else { return };
    let template = template(&tools, SERVICE_CONTROL_POLICY);
    assert_eq!(template["Parameters"]["MemberRole"]["Default"], "keyrot-me-purge");
    let words = [("ExemptionRoleArn", "x"), ("DeploymentRoleArn", "y"), ("MemberRole", "other")];
    let policy = filled(&template["Resources"]["Policy"]["Properties"]["Content"], &words).to_string();
    assert_eq!([policy.matches("role/other").count(), policy.matches("keyrot-me-purge").count()], [3, 0], "{policy}");
}

/// EventBridge publishes under no condition: a statement with one lets it in never (EventBridge guide, 'Amazon SNS').
#[test]
fn event_bridge_and_cloud_watch_may_publish_each_as_it_asks() {
    let Some(tools) = tools("policies were not compared") else { return };
    let template = template(&tools, SECURITY_ACCOUNT);
    let allowed = |policy: &Value, service: &str| {
        let of = policy["Statement"].as_array().unwrap().iter();
        let of = of.filter(|one| one["Effect"] == "Allow" && one["Principal"]["Service"].to_string().contains(service));
        of.map(|one| one["Condition"].clone()).collect::<Vec<_>>()
    };
    let topic = &template["Resources"]["TopicPolicy"]["Properties"]["PolicyDocument"];
    assert_eq!(allowed(topic, "events.amazonaws.com"), [Value::Null]);
    let ours = json!({"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}});
    assert_eq!(allowed(topic, "cloudwatch.amazonaws.com"), [ours]);
    let key = &template["Resources"]["TopicKey"]["Properties"]["KeyPolicy"];
    assert_eq!(allowed(key, "events.amazonaws.com"), [Value::Null]);
    assert_eq!(allowed(key, "cloudwatch.amazonaws.com"), [Value::Null]);
}

#[test]
fn mail_under_a_default_configuration_set_is_allowed() {
    let Some(tools) = tools("policies were not compared") else { return };
    let role = &template(&tools, SECURITY_ACCOUNT)["Resources"]["FunctionRole"]["Properties"]["Policies"];
    let statements = role[0]["PolicyDocument"]["Statement"].to_string();
    for kind in ["identity", "configuration-set"] {
        let arn = format!("arn:${{AWS::Partition}}:ses:${{AWS::Region}}:${{AWS::AccountId}}:{kind}/*");
        assert!(statements.contains(&arn), "{arn}: {statements}");
    }
}

/// Its map's executions have a source of their own; and a bucket under a key is read and written with it.
#[test]
fn the_state_machine_s_role_serves_its_map_and_an_encrypted_bucket() {
    let Some(tools) = tools("policies were not compared") else { return };
    let template = template(&tools, "../stepfunctions/template");
    let trust = &template["Resources"]["StateMachineRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0];
    let machine = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${Name}";
    assert_eq!(
        trust["Condition"]["ArnLike"]["aws:SourceArn"],
        json!([{"Fn::Sub": machine}, {"Fn::Sub": format!("{machine}/*")}])
    );
    let policy = &template["Resources"]["StateMachinePolicy"]["Properties"]["PolicyDocument"]["Statement"];
    let of_key = policy.as_array().unwrap().iter().find_map(|one| one["Fn::If"].as_array()).unwrap();
    assert_eq!(of_key[0], "HasReportKey");
    assert_eq!(of_key[1]["Action"], json!(["kms:Decrypt", "kms:GenerateDataKey"]));
    assert_eq!(of_key[1]["Resource"], json!({"Ref": "ReportKmsKeyArn"}));
}

/// The sum of which one side is missing is none: each filter says 0 of what it does not match.
#[test]
fn what_the_purge_tagged_is_counted_off_without_points_made_up() {
    let Some(tools) = tools("the alarm on tags was not looked at") else { return };
    let resources = &template(&tools, SECURITY_ACCOUNT)["Resources"];
    let alarm = &resources["TaggedAlarm"]["Properties"];
    assert_eq!(alarm["Metrics"][0]["Expression"], "all - ours");
    // CloudTrail comes late, and a 0 on the newest point would hide what is one period older.
    assert_eq!([&alarm["EvaluationPeriods"], &alarm["DatapointsToAlarm"]], [3, 1]);
    for filter in ["TaggedFilter", "TaggedByPurgeFilter"] {
        assert_eq!(resources[filter]["Properties"]["MetricTransformations"][0]["DefaultValue"], 0, "{filter}");
    }
}

/// What the outputs tell to type leaves nothing that `packaging/aws/remove` does not know, and can be typed twice.
#[test]
fn the_outputs_commands_are_the_scripts_and_repeatable() {
    let Some(tools) = tools("outputs were not looked at") else { return };
    let stack = template(&tools, SECURITY_ACCOUNT);
    let enforce = &stack["Outputs"]["Enforce"]["Value"]["Fn::Sub"];
    assert_eq!(enforce, "packaging/aws/deploy --stack ${AWS::StackName} --enforce");
    let machine = template(&tools, "../stepfunctions/template");
    assert!(!machine["Outputs"]["NextCommand"].to_string().contains("--name"));
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
