//! What the scripts call where no emulator knows the service: `StackSets`, the organization, a small quota, refused
//! deletions. The AWS CLI is a stand-in that writes down each call and answers as it is told.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json};

use super::{packaging, ran};
use crate::workstation::Ran;

const STACK: &str = "status\tof the stack\tCREATE_COMPLETE\noutput\tFunctionRoleArn\tarn:aws:iam::111122223333:role/purge\n\
                     parameter\tExternalId\ta,b\nparameter\tMemberRole\tpurge,us\nparameter\tCodeKey\tkeyrot-me-purge/0a.zip";

/// In an organization whose management account is another one.
const DELEGATED: [(&str, &str); 7] = [
    ("describe-stacks", STACK),
    ("Organization.MasterAccountId", "999988887777"),
    ("Organization.Id", "o-a1b2c3d4e5"),
    ("get-caller-identity", "111122223333"),
    ("list-roots", "r-ab12"),
    ("describe-stack-set-operation", "RUNNING|RUNNING|SUCCEEDED"),
    ("-stack-", "operation-1"),
];

struct Cloud(tempfile::TempDir);

impl Cloud {
    /// A call is answered by the first part that is in it; the words between bars are one call's after the other, the last
    /// one for all that follow. What has no answer succeeds without one.
    fn saying(answers: &[(&str, &str)]) -> Self {
        let cloud = Self(tempfile::tempdir().unwrap());
        let mut script = String::from("#!/usr/bin/env bash\nprintf '%s\\n' \"$*\" >>\"$CALLS\"\ncase \"$*\" in\n");
        for (part, words) in answers {
            write!(
                script,
                "*'{part}'*)\n  mapfile -d '|' -t words < <(printf %s '{words}')\n  n=$(grep -cF -- '{part}' \"$CALLS\")\n  \
                 [ $n -le ${{#words[@]}} ] || n=${{#words[@]}}\n  printf '%s\\n' \"${{words[n-1]}}\" ;;\n"
            )
            .unwrap();
        }
        cloud.program("aws", &(script + "esac\n"));
        cloud.program("sleep", "#!/bin/sh\n");
        cloud
    }

    fn program(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn runs(&self, script: &str, arguments: &[&str]) -> Ran {
        let mut command = Command::new(packaging(&format!("aws/{script}")));
        let path = format!("{}:{}", self.0.path().display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).env("CALLS", self.0.path().join("calls")).env("TMPDIR", self.0.path());
        command.env_remove("AWS_REGION").env("AWS_DEFAULT_REGION", "eu-west-1");
        ran(command.args(arguments))
    }

    fn calls(&self) -> Vec<String> {
        fs::read_to_string(self.0.path().join("calls")).unwrap().lines().map(str::to_owned).collect()
    }

    /// The calls about a `StackSet`, and the first words of each.
    fn of_stack_sets(&self) -> (Vec<String>, Vec<String>) {
        let calls: Vec<String> = self.calls().into_iter().filter(|call| call.contains("--stack-set-name")).collect();
        let verbs = calls.iter().map(|call| call.split(' ').nth(1).unwrap().to_owned()).collect();
        (calls, verbs)
    }
}

const PREFERENCES: &str = "--operation-preferences FailureTolerancePercentage=100,MaxConcurrentPercentage=100";

#[test]
fn the_roles_are_rolled_out_again_when_the_operation_before_is_over() {
    let cloud = Cloud::saying(&DELEGATED);
    let told = cloud.runs("deploy", &["--member-accounts"]).expect(0);
    let (calls, verbs) = cloud.of_stack_sets();
    let wait = "describe-stack-set-operation";
    assert_eq!(verbs, ["describe-stack-set", "update-stack-set", wait, wait, wait, "create-stack-instances"]);
    // Found out: nobody said --as-delegated.
    assert!(calls.iter().all(|call| call.contains("--call-as DELEGATED_ADMIN")), "{calls:?}");
    assert!(told.stdout.contains("--call-as DELEGATED_ADMIN"), "{}", told.stdout);
    assert!(calls[1].contains(PREFERENCES) && calls[5].contains(PREFERENCES), "{calls:?}");
    assert!(calls[5].contains("OrganizationalUnitIds=r-ab12 --regions eu-west-1"), "{}", calls[5]);
    let parameters = calls[1].split_once("--parameters ").unwrap().1.split_once(']').unwrap().0;
    let parameters: Value = serde_json::from_str(&format!("{parameters}]")).unwrap();
    assert_eq!(parameters[2], json!({"ParameterKey": "ExternalId", "ParameterValue": "a,b"}));
    assert_eq!(parameters[3], json!({"ParameterKey": "RoleName", "ParameterValue": "purge,us"}));
}

#[test]
fn an_operation_that_failed_ends_the_roll_out_with_words() {
    let mut answers = DELEGATED;
    answers[5].1 = "RUNNING|FAILED";
    let cloud = Cloud::saying(&answers);
    let told = cloud.runs("deploy", &["--member-accounts"]).expect(1);
    assert!(told.stderr.contains("list-stack-set-operation-results --stack-set-name keyrot-me-purge-member-role"));
    assert!(!cloud.calls().iter().any(|call| call.contains("create-stack-instances")));
}

#[test]
fn the_management_account_calls_as_itself_and_makes_the_stack_set_without_preferences() {
    let mut answers = DELEGATED.to_vec();
    answers[1].1 = "111122223333";
    let cloud = Cloud::saying(&answers);
    // No StackSet yet.
    let aws = fs::read_to_string(cloud.0.path().join("aws")).unwrap();
    cloud.program(
        "aws",
        &aws.replace("case \"$*\"", "[[ \"$*\" != *' describe-stack-set --'* ]] || exit 1\ncase \"$*\""),
    );
    cloud.runs("deploy", &["--member-accounts"]).expect(0);
    let (calls, verbs) = cloud.of_stack_sets();
    assert_eq!(verbs, ["describe-stack-set", "create-stack-set", "create-stack-instances"]);
    assert!(!calls.iter().any(|call| call.contains("--call-as")), "{calls:?}");
    assert_eq!(calls.iter().map(|call| call.contains(PREFERENCES)).collect::<Vec<_>>(), [false, false, true]);
}

#[test]
fn the_roles_are_removed_by_a_delegated_administrator_too() {
    let mut answers = DELEGATED.to_vec();
    answers.insert(0, ("StackSet.OrganizationalUnitIds", "r-ab12\tou-ab12-cdef3456"));
    let cloud = Cloud::saying(&answers);
    cloud.runs("remove", &["--member-accounts", "--yes"]).expect(0);
    let (calls, verbs) = cloud.of_stack_sets();
    let wait = "describe-stack-set-operation";
    assert_eq!(verbs, ["describe-stack-set", "delete-stack-instances", wait, wait, wait, "delete-stack-set"]);
    assert!(calls.iter().all(|call| call.contains("--call-as DELEGATED_ADMIN")), "{calls:?}");
    assert!(calls[1].contains("OrganizationalUnitIds=r-ab12,ou-ab12-cdef3456 --regions eu-west-1"), "{}", calls[1]);
    assert!(calls[1].contains(PREFERENCES), "{}", calls[1]);
}

/// The call that makes the stack, in an account with so much that nobody reserved.
fn deployed(free: &str, arguments: &[&str]) -> (String, Ran) {
    let answers = [("describe-stacks", STACK), ("get-account-settings", free)];
    let cloud = Cloud::saying(&answers);
    let told = cloud.runs("deploy", &[&["--groups", "A"], arguments].concat()).expect(0);
    let call = cloud.calls().into_iter().find(|call| call.starts_with("cloudformation deploy")).unwrap();
    (call, told)
}

#[test]
fn concurrency_is_reserved_where_the_account_has_enough() {
    let (call, told) = deployed("10", &[]);
    assert!(call.ends_with("ReservedConcurrency=0"), "{call}");
    assert!(told.stdout.contains("ReservedConcurrency is 0, not 1: 10 invocations at once"), "{}", told.stdout);
    let (call, _) = deployed("105", &["--set", "ReservedConcurrency=10"]);
    assert!(call.ends_with("ReservedConcurrency=0"), "{call}");
    for enough in ["101", "1000", "None"] {
        assert!(!deployed(enough, &[]).0.contains("ReservedConcurrency"), "{enough}");
    }
}

#[test]
fn a_stack_that_could_not_be_made_is_deleted_before_it_is_made_again() {
    let failed = "status\tof the stack\tROLLBACK_COMPLETE\nparameter\tCodeKey\tgone.zip|";
    let cloud = Cloud::saying(&[("describe-stacks", failed), ("get-account-settings", "1000")]);
    fs::write(cloud.0.path().join("x-lambda-arm64.zip"), "").unwrap();
    let zip = cloud.0.path().join("x-lambda-arm64.zip");
    let told = cloud.runs("deploy", &["--groups", "A", "--zip", zip.to_str().unwrap()]).expect(0);
    let calls = cloud.calls();
    let at =
        |part: &str| calls.iter().position(|call| call.contains(part)).unwrap_or_else(|| panic!("{part}: {calls:?}"));
    assert!(at("delete-stack") < at("wait stack-delete-complete") && at("wait stack-") < at("cloudformation deploy"));
    assert!(told.stdout.contains("could not be made the last time"), "{}", told.stdout);
    // A stack that stands is not.
    let cloud = Cloud::saying(&[("describe-stacks", STACK), ("get-account-settings", "1000")]);
    cloud.runs("deploy", &["--enforce"]).expect(0);
    assert!(!cloud.calls().iter().any(|call| call.contains("delete-stack")), "{:?}", cloud.calls());
}

#[test]
fn a_name_that_no_schedule_could_be_made_of_is_refused_before_any_call() {
    let cloud = Cloud::saying(&[("describe-stacks", STACK)]);
    let told = cloud.runs("deploy", &["--groups", "A", "--stack", &"a".repeat(58)]).expect(1);
    assert!(told.stderr.contains("58 characters: at most 57"), "{}", told.stderr);
    assert!(!cloud.0.path().join("calls").exists());
    cloud.runs("deploy", &["--groups", "A", "--stack", &"a".repeat(57)]).expect(0);
}

#[test]
fn a_run_by_hand_is_asked_for_once_because_of_the_alarm_on_no_run() {
    let told = deployed("1000", &[]).1;
    assert!(
        told.stdout.contains("run it once now (until then the alarm keyrot-me-purge-no-run is on"),
        "{}",
        told.stdout
    );
}

#[test]
fn reports_that_may_not_be_deleted_end_the_removal_with_words() {
    let cloud = Cloud::saying(&[
        ("describe-stacks", "reports-bucket code-bucket"),
        ("list-object-versions", r#"{"Objects": [{"Key": "reports/x", "VersionId": "1"}]}|{}"#),
        ("delete-objects", "reports/x\tAccessDenied\tAccess Denied"),
    ]);
    let told = cloud.runs("remove", &["--yes"]).expect(1);
    assert!(
        told.stderr.contains("bucket reports-bucket keeps what could not be deleted: reports/x"),
        "{}",
        told.stderr
    );
    assert_eq!(cloud.calls().iter().filter(|call| call.contains("delete-objects")).count(), 1);
    assert!(!cloud.calls().iter().any(|call| call.contains("delete-bucket")));
}
