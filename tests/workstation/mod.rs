//! A developer's workstation for tests and for the sandbox example: a temporary home with AWS files,
//! the real program, and the sandbox as AWS. It knows nothing of the program's own code.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::sandbox::Sandbox;

/// Alice's machine: profile `default` holds her key, with comments and another profile around it.
pub struct Workstation {
    pub sandbox: Sandbox,
    pub home: tempfile::TempDir,
    program: PathBuf,
    /// The desktop session's bus, where the machine has one.
    pub bus: Option<String>,
}

impl Workstation {
    /// `sandbox.standard()` with alice's 40-day-old key in the credentials file, and no waiting in the
    /// settle check.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let sandbox = Sandbox::start();
        sandbox.standard();
        let home = tempfile::Builder::new().prefix("keyrot-me-home-").tempdir().unwrap();
        let station = Self { sandbox, home, program: program.into(), bus: None };
        fs::create_dir(station.path(".aws")).unwrap();
        let key = station.sandbox.keys_of("alice").remove(0);
        station.write_credentials(format!(
            "# alice's keys\n[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n\n; of another account\n[elsewhere]\naws_access_key_id=AKIAELSEWHERE0000001\naws_secret_access_key=not/a/real+secret\n",
            key.id, key.secret
        ));
        station.settings("[rotation]\nsettle = { every = \"0s\" }\n");
        station
    }

    /// Takes alice's key out of the file: profile `default` has it from the program, which asks the keychain.
    /// Gives id and secret, for whoever puts them there.
    pub fn hand_out_by_program(&self) -> (String, String) {
        let key = self.sandbox.keys_of("alice").remove(0);
        self.write_credentials("; of another account\n[elsewhere]\naws_access_key_id=AKIAELSEWHERE0000001\naws_secret_access_key=not/a/real+secret\n");
        let line = self.process_line("default");
        fs::write(self.path(".aws/config"), format!("# alice's\n[default]\n{line}\n")).unwrap();
        (key.id, key.secret)
    }

    /// The line of a config file that has the program hand out a key.
    pub fn process_line(&self, profile: &str) -> String {
        format!("credential_process = \"{}\" credential-process --profile {profile}", self.program.display())
    }

    /// Profile `security`: a user in no group, with the policy of the purge role.
    pub fn add_security_team(&self) {
        const NAME: &str = "security";
        self.sandbox.add_user(NAME);
        self.sandbox.set_policies(NAME, &[include_str!("../../packaging/iam/purge-role.json")]);
        let (id, secret) = self.sandbox.seed_key(NAME, self.sandbox.now(), "Active");
        let section = format!("\n[{NAME}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
        self.write_credentials(self.credentials() + &section);
    }

    pub fn path(&self, below_home: &str) -> PathBuf {
        self.home.path().join(below_home)
    }

    pub fn credentials_path(&self) -> PathBuf {
        self.path(".aws/credentials")
    }

    pub fn credentials(&self) -> String {
        fs::read_to_string(self.credentials_path()).unwrap()
    }

    pub fn write_credentials(&self, text: impl AsRef<[u8]>) {
        fs::write(self.credentials_path(), text).unwrap();
        set_mode(&self.credentials_path(), 0o600);
    }

    /// `config.toml`.
    pub fn settings(&self, text: &str) {
        fs::create_dir_all(self.path(".config/keyrot-me")).unwrap();
        fs::write(self.path(".config/keyrot-me/config.toml"), text).unwrap();
    }

    pub fn state(&self) -> PathBuf {
        self.path(".local/state/keyrot-me")
    }

    /// The program with this home and the sandbox as AWS; nothing else of our environment.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear().envs(self.environment()).stdin(Stdio::null());
        command
    }

    pub fn environment(&self) -> Vec<(String, String)> {
        let home = self.home.path().display().to_string();
        let mut all = vec![
            ("HOME".to_owned(), home.clone()),
            ("XDG_CONFIG_HOME".to_owned(), format!("{home}/.config")),
            ("XDG_STATE_HOME".to_owned(), format!("{home}/.local/state")),
            // Nobody's own session bus is here.
            ("XDG_RUNTIME_DIR".to_owned(), format!("{home}/.run")),
            ("AWS_ENDPOINT_URL".to_owned(), self.sandbox.url()),
            ("AWS_REGION".to_owned(), "us-east-1".to_owned()),
            ("PATH".to_owned(), std::env::var("PATH").unwrap_or_default()),
        ];
        all.extend(self.bus.iter().map(|bus| ("DBUS_SESSION_BUS_ADDRESS".to_owned(), bus.clone())));
        if let Ok(term) = std::env::var("TERM") {
            all.push(("TERM".to_owned(), term));
        }
        all
    }

    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }

    /// `rotate` with a good MFA code and no question left open.
    pub fn rotate(&self, more: &[&str]) -> Ran {
        self.with_code("rotate", more)
    }

    pub fn with_code(&self, command: &str, more: &[&str]) -> Ran {
        let code = self.sandbox.next_totp("alice");
        let mut arguments = vec![command, "--mfa-code", &code];
        arguments.extend(more);
        self.run(&arguments)
    }

    /// The id that profile `default` holds, as text in the file.
    pub fn held_id(&self) -> String {
        held_id(&self.credentials())
    }

    pub fn stash(&self) -> Vec<PathBuf> {
        match fs::read_dir(self.state().join("stash")) {
            Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
            Err(_) => Vec::new(),
        }
    }
}

/// The first key id in a credentials file.
pub fn held_id(text: &str) -> String {
    let line = text.lines().find(|line| line.starts_with("aws_access_key_id")).unwrap();
    line.split('=').nth(1).unwrap().trim().to_owned()
}

/// What a run of the program came to.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Fails with everything that was printed when the exit code is another one.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {:?}", self.stdout))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

#[cfg(unix)]
pub fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
pub fn set_mode(_: &Path, _: u32) {}
