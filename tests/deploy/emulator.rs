//! The foreign emulators, each a process of its own on a free port of loopback, and the real AWS CLI in front of them.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use super::ran;
use crate::skip::skip;
use crate::workstation::Ran;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    MiniStack,
    Moto,
}

/// What becomes of a child and all that it started when this is dropped.
pub struct Group(pub Child);

impl Group {
    pub fn signal(&self, signal: Signal) {
        // Gone already is as good.
        let _ = kill_process_group(Pid::from_child(&self.0), signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.0.wait();
    }
}

pub struct Emulator {
    pub kind: Kind,
    _server: Group,
    pub url: String,
    tools: PathBuf,
    pub home: tempfile::TempDir,
}

impl Emulator {
    /// None, with words for it, where it is not installed.
    pub fn start(kind: Kind, tools: &Path) -> Option<Emulator> {
        Self::start_with(kind, tools, false)
    }

    /// Sessions of roles may do what their policies say; our own key may do everything.
    pub fn checking_policies(kind: Kind, tools: &Path) -> Option<Emulator> {
        Self::start_with(kind, tools, true)
    }

    fn start_with(kind: Kind, tools: &Path, policies: bool) -> Option<Emulator> {
        let home = tempfile::Builder::new().prefix("keyrot-me-deploy-").tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let url = format!("http://127.0.0.1:{port}");
        let mut command = match kind {
            Kind::MiniStack => {
                let mut command = Command::new(tools.join("bin/ministack"));
                command.env("BIND_HOST", "127.0.0.1").env("MINISTACK_HOST", "127.0.0.1").env("GATEWAY_PORT", &port);
                // What the functions call, which it runs on this machine.
                command.env("AWS_ENDPOINT_URL", &url).env("AUTH", policies.to_string());
                command
            }
            Kind::Moto => {
                let Some(program) = std::env::var_os("KEYROT_MOTO_SERVER") else {
                    skip("KEYROT_MOTO_SERVER names no moto_server: the templates are deployed in MiniStack alone");
                    return None;
                };
                let mut command = Command::new(program);
                command.args(["-H", "127.0.0.1", "-p", &port]);
                command
            }
        };
        let log = fs::File::create(home.path().join("log")).unwrap();
        command.env("TMPDIR", home.path()).env("HOME", home.path()).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log).process_group(0);
        let server = Group(command.spawn().unwrap());
        let emulator = Emulator { kind, _server: server, url, tools: tools.to_owned(), home };
        let patience = Instant::now() + Duration::from_secs(120);
        while TcpStream::connect(("127.0.0.1", port.parse().unwrap())).is_err() {
            assert!(Instant::now() < patience, "{kind:?} does not answer:\n{}", emulator.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(emulator)
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    /// A command that sees this emulator as AWS, and nothing of this machine's settings.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let path = format!("{}:{}", self.tools.join("bin").display(), std::env::var("PATH").unwrap_or_default());
        for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"] {
            command.env_remove(name);
        }
        command.env("PATH", path).env("HOME", self.home.path()).env("TMPDIR", self.home.path());
        command.env("AWS_ENDPOINT_URL", &self.url).env("AWS_PAGER", "").env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command.env("AWS_REGION", "us-east-1").env("AWS_DEFAULT_REGION", "us-east-1");
        let none = self.home.path().join("none");
        command.env("AWS_CONFIG_FILE", &none).env("AWS_SHARED_CREDENTIALS_FILE", &none);
        command.current_dir(self.home.path());
        command
    }

    /// The AWS CLI, whatever comes of it.
    pub fn tries(&self, arguments: &[&str]) -> Ran {
        ran(self.command(&self.tools.join("bin/aws")).args(arguments))
    }

    /// The AWS CLI, which succeeds.
    pub fn aws(&self, arguments: &[&str]) -> String {
        let done = self.tries(arguments);
        assert_eq!(done.code, Some(0), "{:?}: aws {arguments:?}: {}\n{}", self.kind, done.stderr, self.log());
        done.stdout
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        let text = self.aws(&[arguments, &["--output", "json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("aws {arguments:?}: {error}: {text}"))
    }

    /// A script of packaging/aws.
    pub fn script(&self, name: &str, arguments: &[&str]) -> Ran {
        ran(self.command(&super::packaging(&format!("aws/{name}"))).args(arguments))
    }

    /// The bucket `code` with a zip named `function.zip`: of nothing that could run, where nothing is to run.
    pub fn upload_nothing(&self) {
        let zip = self.home.path().join("function.zip");
        let folder = self.home.path().join("nothing");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("bootstrap"), "#!/bin/sh\nexit 1\n").unwrap();
        let packed = ran(Command::new("python3")
            .args([super::packaging("pack").as_os_str(), "--flat".as_ref(), folder.as_os_str(), zip.as_os_str()])
            .env("SOURCE_DATE_EPOCH", "1700000000"));
        assert_eq!(packed.code, Some(0), "{}", packed.stderr);
        self.aws(&["s3api", "create-bucket", "--bucket", "code"]);
        self.aws(&["s3api", "put-object", "--bucket", "code", "--key", "function.zip", "--body", "function.zip"]);
    }
}
