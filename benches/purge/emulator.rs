//! The tests' emulator of AWS in a process of its own, so that neither its memory nor its threads are counted as the
//! program's. It is told on its command line what to hold, and asked over standard input what was called.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::sandbox::{ADMINISTRATOR, Always, Fault, HOME, Sandbox, Service};

pub const ROLE: &str = "keyrot-me-purge";
pub const GROUP: &str = "Developers";
pub const EXEMPT: &str = "Robots";
/// Days.
pub const LIMIT: i64 = 30;
const OVER_AGE: i64 = 40;

/// What there is in AWS. Every user has one key and is a member of [`GROUP`]; the exempt ones have over-age keys.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct World {
    /// Zero: users in the caller's own account. Else so many accounts of an organization beside it.
    pub accounts: usize,
    /// In each account, and of these so many are exempt, and so many others have an over-age key.
    pub users: usize,
    pub exempt: usize,
    pub over_age: usize,
    /// Milliseconds before each answer.
    pub delay: u64,
    /// IAM's calls per second and burst, for each account.
    pub rate: Option<(f64, f64)>,
}

/// Where it is, and the long-term key of an administrator of the first account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Address {
    pub url: String,
    pub key_id: String,
    pub secret: String,
}

/// What was called.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Counted {
    pub by_action: BTreeMap<String, usize>,
    pub refused: usize,
}

impl Counted {
    pub fn calls(&self) -> usize {
        self.by_action.values().sum()
    }
}

pub struct Emulator {
    child: Child,
    answers: BufReader<ChildStdout>,
    pub address: Address,
}

impl Emulator {
    pub fn start(world: &World) -> Self {
        let world = serde_json::to_string(world).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--role", "emulator", &world]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let address = line(&mut answers);
        Self { child, answers, address }
    }

    /// Since the start, or since it was asked last.
    pub fn counted(&mut self) -> Counted {
        self.child.stdin.as_mut().unwrap().write_all(b"count\n").unwrap();
        line(&mut self.answers)
    }

    /// For a program that is to know no other AWS than this one.
    pub fn environment(&self) -> [(&'static str, &str); 5] {
        [
            ("AWS_ENDPOINT_URL", &self.address.url),
            ("AWS_ACCESS_KEY_ID", &self.address.key_id),
            ("AWS_SECRET_ACCESS_KEY", &self.address.secret),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
        ]
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn line<T: for<'a> Deserialize<'a>>(answers: &mut impl BufRead) -> T {
    let mut text = String::new();
    answers.read_line(&mut text).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("the emulator said {text:?}: {error}"))
}

/// The process itself: serves until its standard input ends.
pub fn serve(world: &str) {
    let world: World = serde_json::from_str(world).unwrap();
    let sandbox = Sandbox::start();
    let (key_id, secret) = furnish(&sandbox, &world);
    say(&Address { url: sandbox.url(), key_id, secret });
    for _ in std::io::stdin().lines() {
        let mut counted = Counted::default();
        for call in sandbox.calls() {
            counted.refused += usize::from(call.outcome == "Throttling");
            *counted.by_action.entry(call.action).or_default() += 1;
        }
        sandbox.clear_calls();
        say(&counted);
    }
}

fn say(what: &impl Serialize) {
    println!("{}", serde_json::to_string(what).unwrap());
}

fn furnish(sandbox: &Sandbox, world: &World) -> (String, String) {
    sandbox.add_user("purger");
    sandbox.set_policies("purger", &[ADMINISTRATOR]);
    let key = sandbox.seed_key("purger", sandbox.now() - TimeDelta::days(1), "Active");
    if world.accounts == 0 {
        furnish_account(sandbox, HOME, world);
    }
    for n in 0..world.accounts {
        let account = format!("{:012}", 200_000_000_000 + n);
        sandbox.add_account(&account);
        sandbox.add_role(&account, ROLE, &trust(), &[ADMINISTRATOR]);
        furnish_account(sandbox, &account, world);
    }
    if world.accounts > 0 {
        sandbox.make_organization(HOME);
    }
    if world.delay > 0 {
        sandbox.fault("*", Always, Fault::Delay(Duration::from_millis(world.delay)));
    }
    if let Some((per_second, burst)) = world.rate {
        sandbox.rate(Service::Iam, per_second, burst);
    }
    key
}

fn furnish_account(sandbox: &Sandbox, account: &str, world: &World) {
    let names: Vec<String> = (0..world.users).map(|n| format!("user-{n:04}")).collect();
    for (n, name) in names.iter().enumerate() {
        let user = (account, name.as_str());
        let age = if n < world.exempt + world.over_age { OVER_AGE } else { 1 };
        sandbox.add_user(user);
        sandbox.seed_key(user, sandbox.now() - TimeDelta::days(age), "Active");
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    sandbox.add_group_in(account, GROUP, &names);
    sandbox.add_group_in(account, EXEMPT, &names[..world.exempt]);
}

fn trust() -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole",
            "Principal":{{"AWS":"arn:aws:iam::{HOME}:root"}}}}]}}"#
    )
}
