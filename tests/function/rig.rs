//! A security account with the function's role and bucket, an organization of member accounts behind it, and what the
//! function's environment holds.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::function;
use super::runtime::{Ended, Pending, Runtime};
use crate::sandbox::{HOME, Sandbox};

pub const BUCKET: &str = "keyrot-me-reports";
pub const EXTERNAL_ID: &str = "8d1f-purge";
const ROLE: &str = "keyrot-me-purge";
const FUNCTION_ROLE: &str = "keyrot-me-function";

const MEMBER_ROLE: &str = include_str!("../../packaging/iam/purge-role.json");
const MEMBER_TRUST: &str = include_str!("../../packaging/iam/purge-member-trust.json");
const READER: &str = include_str!("../../packaging/iam/purge-organization-reader.json");

/// The id of the n-th member account, from 1.
pub fn account(n: usize) -> String {
    format!("{:012}", 200_000_000_000_usize + n)
}

pub struct Rig {
    pub sandbox: Sandbox,
    /// Of the organization.
    pub root: String,
    variables: Vec<(String, String)>,
}

impl Rig {
    /// `accounts` member accounts; in each, `users` developers with a key of 30 days and a fresh one.
    pub fn new(accounts: usize, users: usize) -> Rig {
        let sandbox = Sandbox::start();
        (1..=accounts).for_each(|n| sandbox.add_account(&account(n)));
        let root = sandbox.make_organization(HOME);
        sandbox.add_bucket(HOME, BUCKET);
        let role = sandbox.add_role(HOME, FUNCTION_ROLE, &trust_of_nobody(), &[READER, &bucket_policy()]);
        let trust = MEMBER_TRUST
            .replace("{{PURGE_PRINCIPAL_ARN}}", &role)
            .replace("{{ORGANIZATION_ID}}", &sandbox.organization_id())
            .replace("{{EXTERNAL_ID}}", EXTERNAL_ID);
        for id in (1..=accounts).map(account) {
            sandbox.add_role(&id, ROLE, &trust, &[MEMBER_ROLE]);
            sandbox.add_group_in(&id, "Developers", &[]);
            (1..=users).for_each(|n| developer(&sandbox, &id, &format!("dev-{n}")));
        }
        let (key, secret, token) = sandbox.role_session(HOME, FUNCTION_ROLE);
        let url = sandbox.url();
        let variables = [
            ("AWS_ACCESS_KEY_ID", key.as_str()),
            ("AWS_SECRET_ACCESS_KEY", &secret),
            ("AWS_SESSION_TOKEN", &token),
            ("AWS_ENDPOINT_URL", &url),
            ("KEYROT_ME_GROUPS", "Developers"),
            ("KEYROT_ME_MAX_AGE", "5d"),
            ("KEYROT_ME_ORG", "true"),
            ("KEYROT_ME_EXTERNAL_ID", EXTERNAL_ID),
            ("KEYROT_ME_MAX_AFFECTED", "100%"),
            ("KEYROT_ME_APPLY", "true"),
            ("KEYROT_ME_REPORT_BUCKET", BUCKET),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Rig { sandbox, root, variables }
    }

    /// In place of what it was; an empty one is not set.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Rig {
        self.set(name, value);
        self
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// What must never be seen anywhere.
    pub fn secrets(&self) -> Vec<String> {
        let named =
            |name: &str| self.variables().iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
            .into_iter()
            .filter_map(named)
            .filter(|it| !it.is_empty())
            .collect()
    }

    pub fn start(&self) -> Runtime {
        Runtime::start(&function(), &self.variables)
    }

    /// One invocation in an environment of its own, with all that it printed.
    pub fn run(&self, event: &Value) -> Ran {
        let runtime = self.start();
        let ended = runtime.invoke(event);
        self.over(runtime, ended)
    }

    pub fn over(&self, runtime: Runtime, ended: Ended) -> Ran {
        let (stdout, stderr) = runtime.stop();
        for secret in self.secrets() {
            assert!(!stdout.contains(&secret) && !stderr.contains(&secret), "a secret is in the log");
            assert!(!format!("{ended:?}").contains(&secret), "a secret is in the answer");
        }
        Ran { ended, stdout, stderr }
    }

    /// An invocation that has `left` until it stops by itself.
    pub fn begin_with(runtime: &Runtime, event: &Value, left: Duration) -> Pending {
        // The function keeps 40 s for what it has to tell.
        runtime.begin(event, "request-1", left + Duration::from_secs(40))
    }

    pub fn objects(&self, beginning: &str) -> Vec<String> {
        self.sandbox.objects(BUCKET).into_iter().filter(|key| key.starts_with(beginning)).collect()
    }

    pub fn object(&self, key: &str) -> String {
        self.sandbox.object(BUCKET, key).unwrap_or_else(|| panic!("no {key} in {:?}", self.objects(""))).0
    }

    /// The run's one report of this ending, whatever the day.
    pub fn report(&self, run: &str, name: &str) -> String {
        let end = format!("/{run}/{name}");
        let all: Vec<String> = self.objects("reports/").into_iter().filter(|key| key.ends_with(&end)).collect();
        let [key] = all.as_slice() else { panic!("{end}: {all:?}") };
        self.object(key)
    }

    pub fn json_report(&self, run: &str) -> Value {
        serde_json::from_str(&self.report(run, "purge.json")).unwrap()
    }

    /// How often each write was made at IAM: by action, and the highest number for one key.
    pub fn writes(&self) -> (usize, usize) {
        let writes = ["UpdateAccessKey", "DeleteAccessKey"];
        let calls: Vec<_> = self
            .sandbox
            .calls()
            .into_iter()
            .filter(|call| writes.contains(&call.action.as_str()) && call.outcome == "OK")
            .collect();
        let of = |key: &String| calls.iter().filter(|call| call.parameters["AccessKeyId"] == *key).count();
        let most = calls.iter().map(|call| of(&call.parameters["AccessKeyId"])).max().unwrap_or_default();
        (calls.len(), most)
    }

    /// Waits until so many calls of this action were answered.
    pub fn until_answered(&self, action: &str, calls: usize) {
        let patience = std::time::Instant::now() + Duration::from_secs(60);
        let answered = || self.sandbox.calls().iter().filter(|it| it.action == action && it.outcome == "OK").count();
        while answered() < calls {
            assert!(std::time::Instant::now() < patience, "{} of {calls} {action}", answered());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Keys of all developers that stand so at IAM.
    pub fn keys(&self, status: &str) -> usize {
        let users = self.sandbox.users().into_iter();
        let keys = users.flat_map(|(account, name)| self.sandbox.keys_of((account.as_str(), name.as_str())));
        keys.filter(|key| key.status == status).count()
    }
}

/// What one invocation came to.
#[derive(Debug)]
pub struct Ran {
    pub ended: Ended,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// The objects of the embedded metric format.
    pub fn metrics(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}")))
            .collect()
    }

    pub fn log(&self) -> Vec<Value> {
        self.stderr
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}")))
            .collect()
    }
}

pub fn developer(sandbox: &Sandbox, account: &str, name: &str) {
    sandbox.add_user((account, name));
    sandbox.seed_key((account, name), sandbox.now() - TimeDelta::days(30), "Active");
    sandbox.seed_key((account, name), sandbox.now() - TimeDelta::days(1), "Active");
    sandbox.join((account, name), "Developers");
}

/// Lambda takes the role, which the sandbox does not play.
fn trust_of_nobody() -> String {
    let statement = json!({"Effect": "Allow", "Principal": {"AWS": HOME}, "Action": "sts:AssumeRole"});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

fn bucket_policy() -> String {
    let (bucket, objects) = (format!("arn:aws:s3:::{BUCKET}"), format!("arn:aws:s3:::{BUCKET}/*"));
    let objects = json!({"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"], "Resource": objects});
    let bucket = json!({"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket});
    json!({"Version": "2012-10-17", "Statement": [objects, bucket]}).to_string()
}
