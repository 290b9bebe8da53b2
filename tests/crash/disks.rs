//! Disks of our own for a home: small, full, read-only, or cut from their power.
//!
//! Each lives in a mount namespace that a holder process keeps; the program enters it, and the test looks into it
//! through `/proc`. Nothing is mounted where others see it, and it all goes when the holder does.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::skip::skip;

pub struct Disk {
    holder: Child,
}

impl Disk {
    /// What `script` mounts, with `$1` and so on as given; `None` where this machine does not let us, which is said.
    pub fn mount(script: &str, arguments: &[&Path]) -> Option<Disk> {
        let script = format!("set -e; {script}; echo ready; exec cat");
        let mut holder = Command::new("unshare")
            .args(["-m", "sh", "-c", &script, "sh"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut said = String::new();
        let _ = BufReader::new(holder.stdout.take()?).read_line(&mut said);
        let disk = Disk { holder };
        if said.trim() == "ready" {
            return Some(disk);
        }
        skip("needs root and mount namespaces: a disk of our own");
        None
    }

    /// How a path looks from outside.
    pub fn seen(&self, path: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The command that runs another one inside.
    pub fn prefix(&self) -> Vec<String> {
        ["nsenter".to_owned(), "-m".to_owned(), "-t".to_owned(), self.holder.id().to_string()].to_vec()
    }

    /// For hooks: runs a shell script inside.
    pub fn script(&self, script: &str) -> impl FnMut() + Send + 'static {
        let (prefix, script) = (self.prefix(), script.to_owned());
        move || {
            let done = Command::new(&prefix[0]).args(&prefix[1..]).args(["sh", "-c", &script]).status();
            assert!(done.is_ok_and(|status| status.success()), "{script}");
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Its own child, by its handle.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
