//! A notification daemon that people use, dunst, on a screen that nobody sees: what it has shown, in its own words.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use super::*;
use crate::keychain::desktop::Desktop;
use crate::skip::skip;

/// Dropped, its processes are gone.
struct Dunst {
    desktop: Desktop,
    display: String,
    children: Vec<Child>,
}

impl Dunst {
    fn start() -> Option<Self> {
        let desktop = Desktop::without_keychain()?;
        let mut screen = Command::new("Xvfb");
        screen.args(["-displayfd", "1", "-nolisten", "tcp"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let Ok(mut screen) = screen.spawn() else {
            skip("needs xvfb and dunst: a desktop that people use");
            return None;
        };
        let mut number = String::new();
        BufReader::new(screen.stdout.take().unwrap()).read_line(&mut number).unwrap();
        let mut there = Self { desktop, display: format!(":{}", number.trim()), children: vec![screen] };
        let Ok(dunst) = there.command("dunst").args(["-config", "/dev/null"]).stderr(Stdio::null()).spawn() else {
            skip("needs dunst: a desktop that people use");
            return None;
        };
        there.children.push(dunst);
        let wait = ["wait", "--session", "--timeout", "30", "org.freedesktop.Notifications"];
        assert!(there.command("gdbus").args(wait).status().unwrap().success(), "dunst did not start");
        Some(there)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("DISPLAY", &self.display).env("DBUS_SESSION_BUS_ADDRESS", &self.desktop.address);
        command
    }

    fn control(&self, arguments: &[&str]) -> String {
        let output = self.command("dunstctl").args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Dunst {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn dunst_shows_one_notification_and_replaces_it() {
    let Some(dunst) = Dunst::start() else { return };
    let mut station = station();
    station.bus = Some(dunst.desktop.address.clone());
    settings(&station, IN_FIVE_DAYS);
    let held = station.held_id();
    scheduled(&station, &[], 10);
    days_later(&station, 1);
    settings(&station, &format!("{IN_FIVE_DAYS}[notify]\nremind_before = \"6d\"\n"));
    scheduled(&station, &[], 10);
    assert_eq!(dunst.control(&["count", "displayed"]).trim(), "1");
    dunst.control(&["close-all"]);
    let history: Value = serde_json::from_str(&dunst.control(&["history"])).unwrap();
    let shown = history["data"][0].as_array().unwrap();
    let word = |name: &str| shown[0][name]["data"].as_str().unwrap();
    assert_eq!((shown.len(), word("appname")), (1, "keyrot-me"), "{history}");
    assert_eq!(shown[0]["timeout"]["data"], 0, "it stays: {history}");
    assert!(word("summary").starts_with("The purge takes AWS access key …"), "{history}");
    assert!(word("body").contains(&format!("Profile default, key {held}, 40 d old.\nThe purge takes it on ")));
}
