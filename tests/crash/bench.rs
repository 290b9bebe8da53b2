//! The workbench of the crash tests: a workstation, and commands that are killed on it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::cli::auth_profile::sign_in;
use crate::keychain::desktop::Desktop;
use crate::program;
use crate::sandbox::KeyState;
use crate::workstation::{Ran, Workstation};

use super::SECOND;
use super::disks::Disk;

/// Longer than a create may take and a list may be stale, together; IAM's time, not ours.
pub const UNTIL_LISTS_ARE_FRESH: Duration = Duration::from_secs(100);

/// How IAM's writes are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    Mfa,
    Key,
    /// `--auth-profile`: alice's sign-in at the console.
    Login,
}

/// A credentials file and the key of its first profile.
#[derive(Clone)]
pub struct Original {
    pub text: String,
    pub id: String,
    pub secret: String,
}

pub struct Bench {
    station: Workstation,
    auth: Auth,
    /// As it was before anything was done; what others edit meanwhile they must edit here too.
    pub original: Arc<Mutex<Original>>,
    old: String,
    /// The old key was off or gone before anything was done.
    dead: bool,
    /// Where the home lies on a disk of its own.
    disk: Option<Disk>,
    /// Whose keychain has the key of profile `default`; in the file it is only where the test put it too.
    pub desktop: Option<Arc<Desktop>>,
    /// Every key that alice was seen to have, with its secret.
    pub known: RefCell<BTreeMap<String, String>>,
}

impl Deref for Bench {
    type Target = Workstation;

    fn deref(&self) -> &Workstation {
        &self.station
    }
}

impl Bench {
    pub fn new(auth: Auth) -> Self {
        let station = Workstation::new(program());
        station.settings("[rotation]\nsettle = { every = \"0s\", successes = 1 }\n");
        station.sandbox.accept_any_clock();
        let key = station.sandbox.keys_of("alice").remove(0);
        let original = Original { text: station.credentials(), id: key.id.clone(), secret: key.secret };
        let original = Arc::new(Mutex::new(original));
        if auth == Auth::Login {
            sign_in(&station);
        }
        Self { station, auth, original, old: key.id, dead: false, disk: None, desktop: None, known: RefCell::default() }
    }

    /// With the key in the keychain of this session, which is emptied before.
    pub fn in_keychain(auth: Auth, desktop: &Arc<Desktop>) -> Self {
        let mut bench = Self::new(auth);
        desktop.clear_all();
        bench.station.bus = Some(desktop.address.clone());
        let (id, secret) = bench.station.hand_out_by_program();
        desktop.store_key("default", &id, &secret);
        bench.original.lock().unwrap().text = bench.credentials();
        bench.desktop = Some(Arc::clone(desktop));
        bench
    }

    /// Alice's key was switched off, or with `deleted` deleted.
    pub fn with_dead_key(deleted: bool) -> Self {
        let bench = Self::new(Auth::Login);
        bench.note_keys();
        if deleted {
            bench.sandbox.delete_key(&bench.old);
        } else {
            bench.sandbox.set_status(&bench.old, "Inactive");
        }
        Self { dead: true, ..bench }
    }

    /// Nothing but the dead key was ever published.
    pub fn still_dead(&self) -> bool {
        self.dead && self.published().0 == self.old
    }

    pub fn settings(&self, rotation: &str) {
        self.station.settings(&format!("[rotation]\n{rotation}\n"));
    }

    /// From here on the home is what this disk shows at its place.
    pub fn move_to(&mut self, disk: Disk) {
        self.disk = Some(disk);
    }

    pub fn disk(&self) -> &Disk {
        self.disk.as_ref().expect("the home was moved to a disk")
    }

    /// The home as the program sees it.
    pub fn home(&self) -> PathBuf {
        let home = self.station.home.path();
        self.disk.as_ref().map_or_else(|| home.to_owned(), |disk| disk.seen(home))
    }

    pub fn path(&self, below_home: &str) -> PathBuf {
        self.home().join(below_home)
    }

    pub fn credentials_path(&self) -> PathBuf {
        self.path(".aws/credentials")
    }

    pub fn credentials(&self) -> String {
        fs::read_to_string(self.credentials_path()).unwrap()
    }

    pub fn stash(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path(".local/state/keyrot-me/stash")).into_iter().flatten();
        entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|it| it == "json"))
            .collect()
    }

    /// As the old key's owner would name it.
    pub fn old(&self) -> &str {
        &self.old
    }

    /// IAM's clock jumps as soon as a create is looked into, so that a lost one need not be waited for.
    pub fn hurry_after_create(&self) {
        let (control, mut created, mut jumped) = (self.sandbox.control(), false, false);
        self.sandbox.on_call(move |call| match call.action.as_str() {
            "CreateAccessKey" => created = true,
            "ListAccessKeys" | "LookupEvents" if created && !jumped => {
                jumped = true;
                control.advance(61 * SECOND);
            }
            _ => {}
        });
    }

    /// At IAM, and for the codes; the program learns it from the answers' `Date`.
    pub fn time_passes(&self, by: Duration) {
        self.sandbox.advance(by);
    }

    /// The program with what it needs to sign, a code that was not used yet included.
    pub fn signed(&self, arguments: &[&str]) -> Command {
        let code = self.sandbox.next_totp("alice");
        let mut all = arguments.to_vec();
        match self.auth {
            Auth::Mfa => all.extend(["--mfa-code", &code]),
            Auth::Key => all.push("--no-mfa"),
            Auth::Login => all.extend(["--auth-profile", "login"]),
        }
        self.unsigned(&all)
    }

    pub fn unsigned(&self, arguments: &[&str]) -> Command {
        let command = self.command(arguments);
        self.disk.as_ref().map_or(command, |disk| under(&disk.prefix(), &self.command(arguments)))
    }

    /// Runs to an end of whatever kind, as the client that the sandbox may kill, and checks what must hold then.
    #[track_caller]
    pub fn run_signed(&self, arguments: &[&str]) -> Ran {
        self.run_to_end(self.signed(arguments))
    }

    #[track_caller]
    pub fn run_to_end(&self, command: Command) -> Ran {
        let child = self.spawn(command);
        self.wait_for(child)
    }

    pub fn spawn(&self, mut command: Command) -> Child {
        self.note_keys();
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        self.sandbox.set_client(Some(child.id()));
        child
    }

    #[track_caller]
    pub fn wait_for(&self, child: Child) -> Ran {
        let ran = self.ended(child);
        if !self.still_dead() {
            self.some_stored_key_is_active();
        }
        self.file_is_whole();
        self.no_secret_left_the_keychain();
        ran
    }

    /// Without a look at what somebody else may have spoilt.
    #[track_caller]
    pub fn ended(&self, child: Child) -> Ran {
        let ran = Ran::from(child.wait_with_output().unwrap());
        self.sandbox.set_client(None);
        self.note_keys();
        for secret in self.known.borrow().values() {
            assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "a secret was printed (I3)");
        }
        ran
    }

    pub fn note_keys(&self) {
        let keys = self.sandbox.keys_of("alice").into_iter().map(|key| (key.id, key.secret));
        self.known.borrow_mut().extend(keys);
    }

    /// The published key and the stashed ones: id and secret.
    pub fn stored(&self) -> Vec<(String, String)> {
        let stashed = self.stash().into_iter().map(|path| stashed(&path));
        let in_keychain = self.desktop.iter().flat_map(|desktop| desktop.stashed());
        std::iter::once(self.published()).chain(stashed).chain(in_keychain).collect()
    }

    /// What profile `default` holds.
    pub fn published(&self) -> (String, String) {
        match &self.desktop {
            Some(desktop) => desktop.key("default").unwrap_or_default(),
            None => published(&self.credentials()),
        }
    }

    pub fn active(&self) -> Vec<KeyState> {
        self.sandbox.keys_of("alice").into_iter().filter(|key| key.status == "Active").collect()
    }

    pub fn time_passes_and_settles(&self) -> usize {
        self.time_passes(UNTIL_LISTS_ARE_FRESH);
        self.settle()
    }

    /// `act` at the n-th call from now (before it is looked at, and before its fault).
    pub fn at_call(&self, n: usize, mut act: impl FnMut() + Send + 'static) {
        let mut calls = 0;
        self.sandbox.on_call(move |_| {
            calls += 1;
            if calls == n {
                act();
            }
        });
    }

    /// Up to three runs without faults put it right (I5); says how many it took.
    #[track_caller]
    pub fn settle(&self) -> usize {
        self.sandbox.clear_faults();
        self.sandbox.clear_hooks();
        for run in 1..=3 {
            self.time_passes(31 * SECOND);
            let ran = self.run_signed(&["rotate", "--yes"]);
            self.every_active_key_is_accounted_for(&ran);
            match ran.code {
                Some(0) => {
                    self.is_settled();
                    return run;
                }
                Some(5) => {}
                _ => panic!("run {run} after the fault: {ran:?}\n{}", self.picture()),
            }
        }
        panic!("three runs without faults did not put it right (I5): {}", self.picture());
    }
}

/// `command` as the last words of another program's.
pub fn under(prefix: &[String], command: &Command) -> Command {
    let mut outer = Command::new(&prefix[0]);
    outer.args(&prefix[1..]).arg(command.get_program()).args(command.get_args());
    outer.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    outer.stdin(Stdio::null());
    outer
}

/// Key id and secret of the first profile in a credentials file.
pub fn published(text: &str) -> (String, String) {
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once('=')).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    (value("aws_access_key_id"), value("aws_secret_access_key"))
}

fn stashed(path: &Path) -> (String, String) {
    let held: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let text = |name: &str| held[name].as_str().unwrap().to_owned();
    (text("access_key_id"), text("secret_access_key"))
}
