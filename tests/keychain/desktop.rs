//! A desktop session for one test: a D-Bus daemon of its own, a real gnome-keyring with a throw-away home, and
//! libsecret's own tool to look into it. It knows nothing of the program's code.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use rustix::process::{Pid, Signal, kill_process};

use crate::skip::skip;

/// What the login keyring is locked with.
const PASSWORD: &str = "not a real password";

/// The service under which the program keeps published keys, and stashed ones.
pub const KEYS: &str = "keyrot-me";
pub const STASH: &str = "keyrot-me stash";

const SERVICE: &str = "org.freedesktop.secrets";

/// A method that nobody has.
const END: &str = "TheEnd";

/// No service folder: nothing starts by itself, so that a bus without a keychain has none.
const BUS: &str = r#"<busconfig>
  <type>session</type>
  <listen>unix:path=SOCKET</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// libgcr's own stand-in for the dialog that asks for the password: it types it as often as it is asked.
const PROMPTER: &str = r#"
import ctypes, sys
gcr = ctypes.CDLL("libgcr-base-3.so.1")
gcr.gcr_mock_prompter_start.restype = ctypes.c_char_p
print(gcr.gcr_mock_prompter_start().decode(), flush=True)
for _ in range(20):
    gcr.gcr_mock_prompter_expect_password_ok(sys.argv[1].encode(), None)
sys.stdin.read()
"#;

/// Dropped, its processes are gone.
pub struct Desktop {
    /// The home of the daemon, apart from the program's.
    folder: tempfile::TempDir,
    pub address: String,
    bus: Child,
    prompter: Option<Child>,
    daemon: Mutex<Option<Child>>,
}

impl Desktop {
    /// With an unlocked keyring; a prompt of it is dismissed at once, as where no screen is. `None`, said in words,
    /// where the tools are missing.
    pub fn start() -> Option<Self> {
        let desktop = Self::without_keychain()?;
        desktop.start_keyring(None);
        Some(desktop)
    }

    /// With somebody who types the password whenever the keyring asks for it.
    pub fn with_somebody_there() -> Option<Self> {
        let mut desktop = Self::without_keychain()?;
        let mut command = desktop.command("python3");
        command.args(["-c", PROMPTER, PASSWORD]);
        let mut prompter = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut name = String::new();
        BufReader::new(prompter.stdout.take().unwrap()).read_line(&mut name).unwrap();
        desktop.prompter = Some(prompter);
        if name.is_empty() {
            skip("needs python3 and libgcr-base-3: somebody who answers the keyring's prompt");
            return None;
        }
        desktop.start_keyring(Some(name.trim()));
        Some(desktop)
    }

    /// A bus, and nobody on it.
    pub fn without_keychain() -> Option<Self> {
        for tool in ["dbus-daemon", "gnome-keyring-daemon", "gdbus", "secret-tool"] {
            if !on_path(tool) {
                skip(&format!("needs {tool}: the keychain"));
                return None;
            }
        }
        let folder = tempfile::Builder::new().prefix("keyrot-me-desktop-").tempdir().unwrap();
        fs::create_dir(folder.path().join("run")).unwrap();
        crate::workstation::set_mode(&folder.path().join("run"), 0o700);
        let config = folder.path().join("bus.conf");
        fs::write(&config, BUS.replace("SOCKET", &folder.path().join("bus").display().to_string())).unwrap();
        let mut bus = Command::new("dbus-daemon")
            .args(["--nofork", "--nopidfile", "--print-address=1"])
            .arg(format!("--config-file={}", config.display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        Some(Self { folder, address, bus, prompter: None, daemon: Mutex::default() })
    }

    fn start_keyring(&self, prompter: Option<&str>) {
        let mut daemon = self
            .command("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .envs(prompter.map(|name| ("GNOME_KEYRING_TEST_PROMPTER", name)))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        daemon.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        *self.daemon.lock().unwrap() = Some(daemon);
        let there = self.command("gdbus").args(["wait", "--session", "--timeout", "30"]).arg(SERVICE).status();
        assert!(there.unwrap().success(), "gnome-keyring did not start");
    }

    /// The daemon dies and takes nothing along but what it had in memory.
    pub fn kill_keyring(&self) {
        let daemon = self.daemon.lock().unwrap().take();
        if let Some(mut daemon) = daemon {
            daemon.kill().unwrap();
            daemon.wait().unwrap();
        }
    }

    /// Starts it again with what it kept.
    pub fn restart_keyring(&self) {
        self.kill_keyring();
        self.start_keyring(None);
    }

    /// A program of this session.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var("PATH").unwrap_or_default()).env("HOME", self.folder.path());
        command.env("XDG_RUNTIME_DIR", self.folder.path().join("run")).env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command
    }

    pub fn lock(&self) {
        let login = "[objectpath '/org/freedesktop/secrets/collection/login']";
        assert!(self.method("Lock", &[login]).status().unwrap().success());
    }

    fn method(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = self.command("gdbus");
        command.args(["call", "--session", "--dest", SERVICE, "--object-path", "/org/freedesktop/secrets"]);
        command.args(["--method", &format!("org.freedesktop.Secret.Service.{name}")]).args(arguments);
        command.stdout(Stdio::null());
        command
    }

    /// The daemon takes messages no more, and says nothing.
    pub fn fall_silent(&self) {
        self.signal(Signal::STOP);
    }

    pub fn wake_up(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.daemon.lock().unwrap().as_ref().unwrap().id()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Makes or replaces an entry, as a person would with libsecret's tool.
    pub fn store(&self, service: &str, user: &str, secret: &str) {
        self.store_under(&["service", service, "username", user], secret);
    }

    /// A second entry that answers to the same name.
    pub fn store_twice(&self, user: &str, secret: &str) {
        self.store_under(&["service", KEYS, "username", user, "made", "by hand"], secret);
    }

    fn store_under(&self, attributes: &[&str], secret: &str) {
        let mut command = self.command("secret-tool");
        command.args(["store", "--label=by hand"]).args(attributes).stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(secret.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// A key as `credential_process` hands it out.
    pub fn store_key(&self, profile: &str, id: &str, secret: &str) {
        self.store(KEYS, profile, &record(id, secret));
    }

    pub fn lookup(&self, service: &str, user: &str) -> Option<String> {
        let output = self.lookup_command(service, user).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    /// libsecret's own tool, which prints what an entry holds.
    pub fn lookup_command(&self, service: &str, user: &str) -> Command {
        let mut command = self.command("secret-tool");
        command.args(["lookup", "service", service, "username", user]);
        command
    }

    /// Id and secret of a profile's entry.
    pub fn key(&self, profile: &str) -> Option<(String, String)> {
        let value: serde_json::Value = serde_json::from_str(&self.lookup(KEYS, profile)?).unwrap();
        Some(key_of(&value))
    }

    /// All that is stashed, for whatever rotation.
    pub fn stashed(&self) -> Vec<(String, String)> {
        let contents = self.contents(STASH);
        let keys = contents.iter().map(|text| serde_json::from_str::<Vec<serde_json::Value>>(text).unwrap());
        keys.flatten().map(|value| key_of(&value)).collect()
    }

    /// What each entry of a service holds.
    pub fn contents(&self, service: &str) -> Vec<String> {
        let output = self.command("secret-tool").args(["search", "--all", "service", service]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter_map(|line| line.strip_prefix("secret = ")).map(str::to_owned).collect()
    }

    pub fn clear(&self, service: &str, user: &str) {
        let mut command = self.command("secret-tool");
        assert!(command.args(["clear", "service", service, "username", user]).status().unwrap().success());
    }

    /// Takes away all that the program may have left.
    pub fn clear_all(&self) {
        for service in [KEYS, STASH, "keyrot-me probe"] {
            let mut command = self.command("secret-tool");
            // Nothing there is no failure of ours.
            let _ = command.args(["clear", "service", service]).status().unwrap();
        }
    }

    /// Watches the bus from now on.
    pub fn watch(&self) -> Watch {
        self.monitor(&["--profile"])
    }

    /// Everything that is said on the bus while `work` goes on, bodies included.
    pub fn overhear(&self, work: impl FnOnce()) -> String {
        let watch = self.monitor(&[]);
        work();
        watch.lines(self).join("\n")
    }

    fn monitor(&self, options: &[&str]) -> Watch {
        let mut command = self.command("dbus-monitor");
        command.args(options).args(["--address", &self.address]);
        command.args(["path_namespace='/org/freedesktop/secrets'", "type='method_return'"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        // A monitor loses its name on the bus: then it has begun.
        let mut first = String::new();
        while !first.contains("NameLost") {
            first.clear();
            assert!(output.read_line(&mut first).unwrap() > 0, "dbus-monitor ended");
        }
        Watch { child, output }
    }

    /// Where the daemon keeps what it was given.
    pub fn files(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        self.kill_keyring();
        for child in self.prompter.iter_mut().chain([&mut self.bus]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What was said on a bus.
pub struct Watch {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Watch {
    /// The names of the methods that were called.
    pub fn methods(self, desktop: &Desktop) -> Vec<String> {
        // mc, time, serial, sender, destination, path, interface, member.
        let calls = self.lines(desktop).into_iter().filter(|line| line.starts_with("mc"));
        calls.filter_map(|line| line.trim().rsplit('\t').next().map(str::to_owned)).collect()
    }

    fn lines(mut self, desktop: &Desktop) -> Vec<String> {
        // The bus keeps the order: what it says of this call, which there is no method for, comes last.
        let _ = desktop.method(END, &[]).stderr(Stdio::null()).status().unwrap();
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "dbus-monitor ended");
            if line.contains(END) {
                break;
            }
            lines.push(line);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        lines
    }
}

pub fn record(id: &str, secret: &str) -> String {
    format!(r#"{{"Version":1,"AccessKeyId":"{id}","SecretAccessKey":"{secret}"}}"#)
}

pub fn key_of(value: &serde_json::Value) -> (String, String) {
    let text = |name: &str| value[name].as_str().unwrap().to_owned();
    (text("AccessKeyId"), text("SecretAccessKey"))
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
