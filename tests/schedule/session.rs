//! A login session of the user `nobody` with a real systemd user manager, beside the sandbox.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::program;
use crate::workstation::{Ran, Workstation};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schedule/user-manager.sh");
/// It has an entry in every Debian's user database, and no rights.
const USER: &str = "nobody";
const ID: u32 = 65_534;

pub struct Session {
    pub station: Workstation,
    pub program: PathBuf,
    shell: Child,
    /// Closed first: the shell ends, and with it all that runs in its namespaces.
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    jobs: usize,
}

impl Session {
    /// `None`, said in words, where a user manager cannot be started.
    pub fn start() -> Option<Self> {
        let is_root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
        if !is_root {
            crate::skip::skip("needs root: a real systemd user manager in namespaces of its own");
            return None;
        }
        if !Path::new("/usr/lib/systemd/systemd").exists()
            || Command::new("dbus-daemon").arg("--version").output().is_err()
        {
            crate::skip::skip("systemd or dbus is not installed: no timer is fired for real");
            return None;
        }
        let (station, program) = nobodys_station();
        let mut shell = Command::new(SCRIPT)
            .args([USER, station.home.path().to_str().unwrap(), "bash"])
            .env_clear()
            .envs(station.environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (asks, answers) = (shell.stdin.take(), BufReader::new(shell.stdout.take().unwrap()));
        Some(Self { station, program, shell, asks, answers, jobs: 0 })
    }

    /// Runs a line as this user types it, with the program on the path as `keyrot-me`.
    pub fn run(&mut self, line: &str) -> Ran {
        self.jobs += 1;
        let file = |kind: &str| self.station.path(&format!(".jobs/{}.{kind}", self.jobs));
        let folder = self.station.path(".jobs");
        fs::create_dir_all(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        fs::write(file("sh"), format!("export PATH={}:$PATH\n{line}\n", quoted(self.program.parent().unwrap())))
            .unwrap();
        let ask = format!(
            "bash {} >{} 2>{} </dev/null; echo \"done $?\"\n",
            file("sh").display(),
            file("out").display(),
            file("err").display()
        );
        self.asks.as_mut().unwrap().write_all(ask.as_bytes()).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        let code = answer.trim().strip_prefix("done ").unwrap_or_else(|| panic!("the session ended: {}", self.log()));
        Ran {
            code: Some(code.parse().unwrap()),
            stdout: fs::read_to_string(file("out")).unwrap(),
            stderr: fs::read_to_string(file("err")).unwrap(),
        }
    }

    /// What the runs of a service that writes there said, and before it what the manager did.
    pub fn log(&self) -> String {
        let read = |name: &str| fs::read_to_string(self.station.path(".run").join(name)).unwrap_or_default();
        read("manager.log") + &read("run.log")
    }

    pub fn units(&self) -> PathBuf {
        self.station.path(".config/systemd/user")
    }

    pub fn unit(&self, name: &str) -> String {
        fs::read_to_string(self.units().join(name)).unwrap()
    }

    pub fn stamp(&self) -> PathBuf {
        self.station.path(".local/share/systemd/timers/stamp-keyrot-me.timer")
    }

    /// `config.toml`, as this user's.
    pub fn settings(&self, text: &str) {
        self.station.settings(text);
        own(self.station.home.path());
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.asks.take());
        let _ = self.shell.wait();
    }
}

/// Alice's machine, and the program in it, where nobody can reach them.
fn nobodys_station() -> (Workstation, PathBuf) {
    let station = Workstation::new(program());
    fs::create_dir(station.path("bin")).unwrap();
    let copy = station.path("bin/keyrot-me");
    fs::copy(program(), &copy).unwrap();
    own(station.home.path());
    (station, copy)
}

/// For a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

/// All of it becomes the user's.
pub fn own(path: &Path) {
    std::os::unix::fs::lchown(path, Some(ID), Some(ID)).unwrap();
    if path.is_dir() && !path.is_symlink() {
        chown(path, Some(ID), Some(ID)).unwrap();
        for entry in fs::read_dir(path).unwrap() {
            own(&entry.unwrap().path());
        }
    }
}
