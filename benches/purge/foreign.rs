//! The same work by other people's programs, against the same emulator: a plain boto3 script, Cloud Custodian and its
//! `c7n-org`, where the Python that is named has them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::emulator::{EXEMPT, Emulator, GROUP, LIMIT, ROLE, World};
use crate::measured::{self, Measured};

/// A Python from the Package Index's side: `pip install boto3 c7n c7n-org`.
pub const PYTHON: &str = "KEYROT_BENCH_PYTHON";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    Boto3,
    Custodian,
}

impl Foreign {
    pub fn name(self, world: &World) -> &'static str {
        match (self, world.accounts) {
            (Self::Boto3, _) => "boto3, 16 threads",
            (Self::Custodian, 0) => "Cloud Custodian",
            (Self::Custodian, _) => "c7n-org",
        }
    }

    /// Its command, where it is installed.
    pub fn program(self, world: &World) -> Option<PathBuf> {
        let python = PathBuf::from(std::env::var_os(PYTHON)?);
        let beside = |name: &str| python.with_file_name(name);
        let program = match (self, world.accounts) {
            (Self::Boto3, _) => {
                let found = Command::new(&python).args(["-c", "import boto3"]).output();
                return found.is_ok_and(|ran| ran.status.success()).then_some(python);
            }
            (Self::Custodian, 0) => beside("custodian"),
            (Self::Custodian, _) => beside("c7n-org"),
        };
        program.exists().then_some(program)
    }

    /// One run, and how many over-age keys it found.
    pub fn run(self, program: &Path, world: &World, emulator: &Emulator) -> (Measured, Option<usize>) {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command.env_clear().env("HOME", home.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(emulator.environment());
        if self == Self::Boto3 {
            command.arg(scripts().join("boto3_threads.py"));
            command.args(["--group", GROUP, "--exempt-group", EXEMPT, "--max-age-days", &LIMIT.to_string()]);
            if world.accounts > 0 {
                command.args(["--role", ROLE]);
            }
            let ran = measured::run(&mut command);
            let found = ran.stdout.trim().parse().ok();
            return (ran, found);
        }
        let (policy, out) = (scripts().join("custodian.yml"), home.path().join("out"));
        let common = ["--cache-period", "0", "-r", "us-east-1", "-s"].map(OsStr::new);
        command.arg("run").args(common).arg(&out);
        if world.accounts == 0 {
            command.arg(&policy);
        } else {
            let accounts = home.path().join("accounts.yml");
            fs::write(&accounts, accounts_file(world)).unwrap();
            command.arg("-c").arg(&accounts).arg("-u").arg(&policy);
        }
        let ran = measured::run(&mut command);
        (ran, matched(&out))
    }
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/purge")
}

/// `c7n-org` is told its accounts; it does not ask the organization.
fn accounts_file(world: &World) -> String {
    (0..world.accounts).fold("accounts:\n".to_owned(), |file, n| {
        let id = format!("{:012}", 200_000_000_000 + n);
        file + &format!(
            "- account_id: '{id}'\n  name: account-{n}\n  regions: [us-east-1]\n  role: arn:aws:iam::{id}:role/{ROLE}\n"
        )
    })
}

/// The users in every `resources.json` below: one for each over-age key here.
fn matched(folder: &Path) -> Option<usize> {
    let mut found = None;
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        let more = if path.is_dir() {
            matched(&path)
        } else if path.ends_with("resources.json") {
            let list: serde_json::Value = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
            list.as_array().map(Vec::len)
        } else {
            None
        };
        found = more.map(|more| found.unwrap_or_default() + more).or(found);
    }
    found
}
