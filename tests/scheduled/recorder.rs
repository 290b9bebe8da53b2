//! A desktop that writes down what it is to show: python-dbusmock's notification daemon on a bus of its own.

use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::keychain::desktop::Desktop;
use crate::skip::skip;
use crate::workstation::Workstation;

/// Debian's own: dbusmock is a package of the system's Python.
const PYTHON: &str = "/usr/bin/python3";
const NAME: &str = "org.freedesktop.Notifications";

const CALLS: &str = r#"
import dbus, json, sys
bus = dbus.bus.BusConnection(sys.argv[1])
mock = dbus.Interface(bus.get_object(sys.argv[2], "/org/freedesktop/Notifications"), "org.freedesktop.DBus.Mock")
if len(sys.argv) > 3:
    mock.AddMethod("org.freedesktop.Notifications", "Notify", "susssasa{sv}i", "u", sys.argv[3])
print(json.dumps([args for _, args in mock.GetMethodCalls("Notify")]))
"#;

/// One call of `Notify`.
#[derive(Debug)]
pub struct Shown {
    pub app: String,
    pub replaces: u64,
    pub summary: String,
    pub body: String,
    pub actions: usize,
    pub urgency: u64,
    /// Milliseconds; -1 leaves it to the server, 0 is never.
    pub expires: i64,
}

/// Dropped, its processes are gone.
pub struct Recorder {
    desktop: Desktop,
    mock: Child,
}

impl Recorder {
    /// `None`, said in words, where the tools are missing.
    pub fn start() -> Option<Self> {
        Self::on(Desktop::without_keychain()?)
    }

    /// On the bus of this session.
    pub fn on(desktop: Desktop) -> Option<Self> {
        let mock = Self::mock(&desktop)?;
        Some(Self { desktop, mock })
    }

    fn mock(desktop: &Desktop) -> Option<Child> {
        let there = Command::new(PYTHON).args(["-c", "import dbusmock"]).stderr(Stdio::null()).status();
        if !there.is_ok_and(|status| status.success()) {
            skip("needs python3-dbusmock: a desktop that records notifications");
            return None;
        }
        let mut mock = Command::new(PYTHON);
        mock.args(["-m", "dbusmock", "--session", "--template", "notification_daemon"]);
        let mock = mock.env("DBUS_SESSION_BUS_ADDRESS", &desktop.address).stdout(Stdio::null()).spawn().unwrap();
        let mut wait = Command::new("gdbus");
        wait.args(["wait", "--session", "--timeout", "30", NAME]).env("DBUS_SESSION_BUS_ADDRESS", &desktop.address);
        assert!(wait.status().unwrap().success(), "the recorder did not start");
        Some(mock)
    }

    /// The station's programs are in this session from now on.
    pub fn seat(&self, station: &mut Workstation) {
        station.bus = Some(self.desktop.address.clone());
    }

    fn ask(&self, more: &[&str]) -> Vec<Shown> {
        let output = Command::new(PYTHON).args(["-c", CALLS, &self.desktop.address, NAME]).args(more).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let calls: Vec<Value> = serde_json::from_str(&text).unwrap();
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let read = |call: &Value| Shown {
            app: word(&call[0]),
            replaces: call[1].as_u64().unwrap(),
            summary: word(&call[3]),
            body: word(&call[4]),
            actions: call[5].as_array().unwrap().len(),
            urgency: call[6]["urgency"].as_u64().unwrap(),
            expires: call[7].as_i64().unwrap(),
        };
        calls.iter().map(read).collect()
    }

    /// Everything so far, since the last start.
    pub fn shown(&self) -> Vec<Shown> {
        self.ask(&[])
    }

    /// From now on, this Python is what `Notify` does.
    pub fn answers(&self, python: &str) {
        self.ask(&[python]);
    }

    /// As after the next sign-in: the same program, with numbers from one.
    pub fn restart(&mut self) {
        self.end();
        self.mock = Self::mock(&self.desktop).unwrap();
    }

    /// Reads its messages no more.
    pub fn fall_silent(&self) {
        let pid = i32::try_from(self.mock.id()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::STOP).unwrap();
    }

    fn end(&mut self) {
        let _ = self.mock.kill();
        let _ = self.mock.wait();
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.end();
    }
}
