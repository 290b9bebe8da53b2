//! The cloud around the state machine: the real binary in as many execution environments as may run at once, the sandbox as
//! IAM, STS, Organizations and S3, and an organization of many small accounts.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;

use super::machine::{Fault, World, fault};
use crate::function::runtime::{Ended, Runtime};
use crate::function_policy::function_policy;
use crate::purge_policy::company::{EXTERNAL_ID, PURGE_ROLE, account_trust};
use crate::purge_policy::papers::{READER, ROLE, TRUST, filled};
use crate::sandbox::{HOME, Sandbox};

pub const BUCKET: &str = "keyrot-me-reports";
pub const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:keyrot-me";
/// No account of the sandbox.
const NOBODYS: &str = "999999999999";
/// Of each account: one user whose key is over age, three whose keys are not.
pub const USERS: usize = 4;
/// Lambda's own.
const FIFTEEN_MINUTES: Duration = Duration::from_secs(900);

pub struct Cloud {
    pub sandbox: Sandbox,
    pub accounts: Vec<String>,
    /// Of the organization.
    root: String,
    variables: Mutex<BTreeMap<String, String>>,
    /// Those that are not at work.
    idle: Mutex<Vec<Runtime>>,
    /// How many there are, and how many there may be.
    made: Mutex<usize>,
    at_once: usize,
    pub invocations: Mutex<Vec<Invocation>>,
    /// The next invocation about this account has so much time.
    short: Mutex<BTreeMap<String, Duration>>,
}

#[derive(Clone, Debug)]
pub struct Invocation {
    pub event: Value,
    pub ended: Ended,
    pub took: Duration,
}

impl Cloud {
    /// An organization of `count` accounts beside the security account, which manages it; under the policies that are
    /// deployed.
    pub fn new(count: usize, at_once: usize) -> Cloud {
        Self::under(count, at_once, &[&function_policy(), READER])
    }

    /// With a function's role that these documents permit.
    pub fn under(count: usize, at_once: usize, documents: &[&str]) -> Cloud {
        let sandbox = Sandbox::start();
        let accounts: Vec<String> = (1..=count).map(|number| format!("{:012}", 200_000_000_000 + number)).collect();
        for id in &accounts {
            sandbox.add_account(id);
        }
        let root = sandbox.make_organization(HOME);
        let central = sandbox.add_role(HOME, "keyrot-me-function", &account_trust(HOME), documents);
        let values = [
            ("PURGE_PRINCIPAL_ARN", central.clone()),
            ("ORGANIZATION_ID", sandbox.organization_id()),
            ("EXTERNAL_ID", EXTERNAL_ID.to_owned()),
        ];
        let trust = filled(TRUST, &values);
        for id in &accounts {
            sandbox.add_role(id, PURGE_ROLE, &trust, &[ROLE]);
            people(&sandbox, id);
        }
        sandbox.add_role(HOME, PURGE_ROLE, &trust, &[ROLE]);
        sandbox.add_group_in(HOME, "Developers", &[]);
        sandbox.add_bucket(HOME, BUCKET);
        let variables = variables(&sandbox, &sandbox.role_session(HOME, "keyrot-me-function"));
        sandbox.clear_calls();
        Cloud {
            sandbox,
            accounts,
            root,
            variables: Mutex::new(variables),
            idle: Mutex::default(),
            made: Mutex::default(),
            at_once,
            invocations: Mutex::default(),
            short: Mutex::default(),
        }
    }

    /// Of execution environments that are made from now on.
    pub fn set(&self, name: &str, value: &str) {
        self.variables.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    /// The id of the key that Lambda handed over.
    pub fn function_key(&self) -> String {
        self.variables.lock().unwrap()["AWS_ACCESS_KEY_ID"].clone()
    }

    /// A unit with all accounts but the security account in it, one level below another.
    pub fn unit(&self) -> String {
        let unit = self.sandbox.add_unit(&self.root, "Workloads");
        let below = self.sandbox.add_unit(&unit, "Payments");
        self.accounts.iter().for_each(|account| self.sandbox.place(account, &below));
        unit
    }

    /// Its role lets the function in no more.
    pub fn close(&self, account: &str) {
        self.sandbox.add_role(account, PURGE_ROLE, &account_trust(NOBODYS), &[ROLE]);
    }

    /// As Lambda's clock cuts an invocation short.
    pub fn cut_short(&self, account: &str, time: Duration) {
        self.short.lock().unwrap().insert(account.to_owned(), time);
    }

    /// Ids and states of the keys of an account's first user, who has the old one.
    pub fn old_key(&self, account: &str) -> (String, String) {
        let key = self.sandbox.keys_of((account, "user-0")).pop().unwrap();
        (key.id, key.status)
    }

    /// Of those that are at rest, in MiB: the most that one ever had.
    pub fn peak_memory(&self) -> f64 {
        let of = |runtime: &Runtime| {
            let status = std::fs::read_to_string(format!("/proc/{}/status", runtime.pid())).unwrap_or_default();
            let line = status.lines().find(|line| line.starts_with("VmHWM:"));
            line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok()).unwrap_or_default() / 1024.0
        };
        self.idle.lock().unwrap().iter().map(of).fold(0.0, f64::max)
    }

    fn free(&self) -> Option<Runtime> {
        if let Some(idle) = self.idle.lock().unwrap().pop() {
            return Some(idle);
        }
        let mut made = self.made.lock().unwrap();
        if *made == self.at_once {
            return None;
        }
        *made += 1;
        drop(made);
        let variables: Vec<(String, String)> = self.variables.lock().unwrap().clone().into_iter().collect();
        Some(Runtime::start(env!("CARGO_BIN_EXE_purge-lambda"), &variables))
    }
}

impl World for Cloud {
    fn invoke(&self, function: &str, payload: &Value) -> Result<Value, Fault> {
        assert_eq!(function, FUNCTION);
        let Some(runtime) = self.free() else {
            return Err(fault("Lambda.TooManyRequestsException", "Rate Exceeded."));
        };
        let account = payload["account"].as_str().unwrap_or_default();
        let time = self.short.lock().unwrap().remove(account).unwrap_or(FIFTEEN_MINUTES);
        let began = std::time::Instant::now();
        let number = self.invocations.lock().unwrap().len();
        let ended = runtime.begin(payload, &format!("request-{number}"), time).wait();
        self.idle.lock().unwrap().push(runtime);
        let invocation = Invocation { event: payload.clone(), ended: ended.clone(), took: began.elapsed() };
        self.invocations.lock().unwrap().push(invocation);
        match ended {
            Ended::Answer(answer) => Ok(answer),
            Ended::Error { kind, message } => Err(fault(&kind, message)),
            Ended::Died => Err(fault("Runtime.ExitError", "the function's process ended")),
        }
    }

    fn get(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        self.sandbox.object(bucket, key).map(|(text, _)| text.into_bytes())
    }

    fn put(&self, bucket: &str, key: &str, body: Vec<u8>) {
        self.sandbox.put_object(bucket, key, &String::from_utf8(body).expect("results of text"));
    }
}

fn people(sandbox: &Sandbox, account: &str) {
    let names: Vec<String> = (0..USERS).map(|number| format!("user-{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        sandbox.add_user((account, name.as_str()));
        let days = if number == 0 { 90 } else { 1 };
        sandbox.seed_key((account, name.as_str()), sandbox.now() - TimeDelta::days(days), "Active");
    }
    let members: Vec<&str> = names.iter().map(String::as_str).collect();
    sandbox.add_group_in(account, "Developers", &members);
}

/// What the templates set, and the credentials that Lambda hands over.
fn variables(sandbox: &Sandbox, function: &(String, String, String)) -> BTreeMap<String, String> {
    let all = [
        ("AWS_ACCESS_KEY_ID", function.0.clone()),
        ("AWS_SECRET_ACCESS_KEY", function.1.clone()),
        ("AWS_SESSION_TOKEN", function.2.clone()),
        ("AWS_ENDPOINT_URL", sandbox.url()),
        ("KEYROT_ME_GROUPS", "Developers".to_owned()),
        ("KEYROT_ME_MAX_AGE", "5d".to_owned()),
        ("KEYROT_ME_ORG", "true".to_owned()),
        ("KEYROT_ME_EXTERNAL_ID", EXTERNAL_ID.to_owned()),
        ("KEYROT_ME_ALLOW_EMPTY", "true".to_owned()),
        ("KEYROT_ME_APPLY", "true".to_owned()),
        ("KEYROT_ME_REPORT_BUCKET", BUCKET.to_owned()),
    ];
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
