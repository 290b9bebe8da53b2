//! `store move` and `rotate --store`: the real program, a real keychain, and the AWS files byte for byte.

mod kill;
mod moves;
mod refusals;
mod rotate;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use crate::keychain::desktop::{Desktop, KEYS, STASH};
use crate::program;
use crate::workstation::{Ran, Workstation};

/// Alice's machine in a desktop session of which everything of ours was cleared.
pub struct Home {
    pub station: Workstation,
    pub desktop: Arc<Desktop>,
    pub id: String,
    pub secret: String,
}

impl Home {
    /// Alice's key is that of profile `default`, in the credentials file.
    pub fn new(desktop: &Arc<Desktop>) -> Self {
        desktop.clear_all();
        let mut station = Workstation::new(program());
        station.bus = Some(desktop.address.clone());
        let key = station.sandbox.keys_of("alice").remove(0);
        Self { station, desktop: Arc::clone(desktop), id: key.id, secret: key.secret }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        self.station.command(arguments)
    }

    /// Runs to an end; no secret may be said.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let ran = Ran::from(self.command(arguments).output().unwrap());
        for key in self.station.sandbox.keys_of("alice") {
            assert!(
                !ran.stdout.contains(&key.secret) && !ran.stderr.contains(&key.secret),
                "a secret was printed (I3)"
            );
        }
        ran
    }

    /// With a good MFA code.
    pub fn run_signed(&self, arguments: &[&str]) -> Ran {
        let code = self.station.sandbox.next_totp("alice");
        let mut all = arguments.to_vec();
        all.extend(["--mfa-code", &code]);
        self.run(&all)
    }

    #[track_caller]
    pub fn to_keychain(&self) -> Ran {
        self.run(&["store", "move", "--to", "keychain"]).expect(0)
    }

    #[track_caller]
    pub fn to_file(&self) -> Ran {
        self.run(&["store", "move", "--to", "file"]).expect(0)
    }

    pub fn pair(&self) -> String {
        format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", self.id, self.secret)
    }

    pub fn key(&self) -> (String, String) {
        (self.id.clone(), self.secret.clone())
    }

    pub fn config_path(&self) -> PathBuf {
        self.station.path(".aws/config")
    }

    /// Empty where there is none.
    pub fn config(&self) -> String {
        fs::read_to_string(self.config_path()).unwrap_or_default()
    }

    pub fn write_config(&self, text: &str) {
        fs::write(self.config_path(), text).unwrap();
    }

    /// What an AWS tool finds for a profile: the key of the credentials file, else what the program in the config file
    /// prints, run as the SDKs run it.
    pub fn found(&self, profile: &str) -> Option<(String, String)> {
        let in_file = section(&self.station.credentials(), &format!("[{profile}]"));
        let value = |lines: &[String], name: &str| {
            let line = lines.iter().find(|line| line.starts_with(name))?;
            line.split_once('=').map(|(_, value)| value.trim().to_owned())
        };
        if let (Some(id), Some(secret)) =
            (value(&in_file, "aws_access_key_id"), value(&in_file, "aws_secret_access_key"))
        {
            return Some((id, secret));
        }
        let header = if profile == "default" { "[default]".to_owned() } else { format!("[profile {profile}]") };
        let line = value(&section(&self.config(), &header), "credential_process")?;
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).env_clear().envs(self.command(&[]).get_envs().filter_map(|(n, v)| Some((n, v?))));
        let ran = Ran::from(shell.output().unwrap()).expect(0);
        Some(crate::keychain::desktop::key_of(&ran.json()))
    }

    /// Files below home that hold this text.
    pub fn files_with(&self, text: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.station.home.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if String::from_utf8_lossy(&fs::read(&path).unwrap()).contains(text) {
                    found.push(path);
                }
            }
        }
        found
    }

    /// Nothing of ours is in the keychain.
    #[track_caller]
    pub fn keychain_is_empty(&self) {
        for service in [KEYS, STASH, "keyrot-me probe"] {
            assert!(self.desktop.contents(service).is_empty(), "{service}");
        }
    }
}

/// The line of a profile in the config file, as it is meant to be.
fn line(profile: &str) -> String {
    format!("credential_process = {} credential-process --profile {profile}", program())
}

/// The lines under a header, up to the next one.
fn section(text: &str, header: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| *line != header).skip(1);
    lines.take_while(|line| !line.starts_with('[')).map(str::to_owned).collect()
}
