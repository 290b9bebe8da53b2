//! The purge's notices: the real program against the sandbox's SNS, SES and Secrets Manager, and plain HTTP receivers on
//! loopback for webhooks. What is sent is read where it arrived.

mod foreign;
mod hostile;
mod owners;
pub mod receiver;
mod summaries;
mod usage;
mod webhooks;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use chrono::TimeDelta;

use crate::program;
use crate::sandbox::{ADMINISTRATOR, HOME, Mail, Sandbox};
use crate::workstation::{Ran, set_mode};

const FROM: &str = "keys@example.com";
const TEAM: &str = "security@example.com";

/// One account, and the user that the purge runs as. Keys are disabled at 30 days and warned of five days before.
pub struct Office {
    pub sandbox: Sandbox,
    pub home: tempfile::TempDir,
    key: (String, String),
    topic: String,
}

impl Office {
    /// The domain of the senders is verified.
    pub fn new() -> Self {
        let sandbox = Sandbox::start();
        sandbox.add_user("purger");
        sandbox.set_policies("purger", &[ADMINISTRATOR]);
        let key = sandbox.seed_key("purger", sandbox.now() - TimeDelta::days(1), "Active");
        sandbox.add_group("Developers", &[]);
        sandbox.verify_identity("example.com");
        let topic = sandbox.add_topic(HOME, "keyrot-me");
        Self { sandbox, home: tempfile::tempdir().unwrap(), key, topic }
    }

    /// A developer with a key of so many days; its id.
    pub fn developer(&self, name: &str, age: i64) -> String {
        self.sandbox.add_user(name);
        self.sandbox.join(name, "Developers");
        self.another_key(name, age)
    }

    pub fn another_key(&self, name: &str, age: i64) -> String {
        self.sandbox.seed_key(name, self.sandbox.now() - TimeDelta::days(age), "Active").0
    }

    /// A key that we disabled so many days ago.
    pub fn disabled(&self, name: &str, age: i64, ago: i64) -> String {
        let (id, _) = self.sandbox.seed_key(name, self.sandbox.now() - TimeDelta::days(age), "Inactive");
        let at = (self.sandbox.now() - TimeDelta::days(ago)).format("%Y-%m-%dT%H:%M:%SZ");
        self.sandbox.set_tag(name, &format!("keyrot-me/disabled/{id}"), &format!("first={at} last={at} n=1"));
        id
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        fs::write(&path, text).unwrap();
        set_mode(&path, 0o600);
        path
    }

    pub fn topic(&self) -> String {
        format!("sns:{}", self.topic)
    }

    pub fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(["purge", "--group", "Developers", "--max-age", "30d", "--warn-before", "5d"]);
        if !more.contains(&"--max-affected") {
            command.args(["--max-affected", "100%"]);
        }
        command.args(more);
        command.env_clear().stdin(Stdio::null()).current_dir(self.home.path());
        command.env("HOME", self.home.path()).env("AWS_REGION", "us-east-1");
        command.env("AWS_ENDPOINT_URL", self.sandbox.url());
        command.env("AWS_ACCESS_KEY_ID", &self.key.0).env("AWS_SECRET_ACCESS_KEY", &self.key.1);
        command
    }

    pub fn purge(&self, more: &[&str]) -> Ran {
        Ran::from(self.command(more).output().unwrap())
    }

    /// With `--apply`, and mail to owners and the team.
    pub fn mailing(&self, more: &[&str]) -> Ran {
        let from = format!("ses:{FROM}");
        let mut all = vec!["--apply", "--notify", &from];
        all.extend(more);
        self.purge(&all)
    }

    /// What was sent to this address.
    pub fn mails_to(&self, address: &str) -> Vec<Mail> {
        self.sandbox.mails().into_iter().filter(|mail| mail.to == address).collect()
    }

    #[track_caller]
    pub fn mail_to(&self, address: &str) -> Mail {
        let mut mails = self.mails_to(address);
        assert_eq!(mails.len(), 1, "{:?}", self.sandbox.mails());
        mails.remove(0)
    }
}

#[track_caller]
pub fn holds(text: &str, all: &[&str]) {
    for words in all {
        assert!(text.contains(words), "{words:?} is not in:\n{text}");
    }
}
