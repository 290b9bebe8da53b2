//! A scenario's world, built in the sandbox, and the program in it.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use chrono::{Datelike, TimeDelta};

use super::file::{Account, Fault, FaultKind, Key, LastUsed, Mistake, Purger, Scenario, Start, User};
use super::names::{KeyName, Names};
use crate::program;
use crate::sandbox::{self, ADMINISTRATOR, Always, HOME, Sandbox, Time};
use crate::workstation::{Ran, set_mode};

/// The user that the purge runs as, and the label of its key.
pub const PURGER: &str = "purger";
const ROLE: &str = "keyrot-me-purge";
/// A run that takes longer hangs.
const LONGEST_RUN: Duration = Duration::from_secs(180);

pub struct Stage {
    pub sandbox: Sandbox,
    pub home: tempfile::TempDir,
    /// Hands in the middle of a run add to them.
    names: Mutex<Names>,
    credentials: Credentials,
}

/// Variables of the environment.
type Credentials = Vec<(&'static str, String)>;

impl Stage {
    pub fn new(scenario: &Scenario) -> Result<Self, Mistake> {
        let sandbox = Sandbox::start();
        sandbox.accept_any_clock();
        if let Some(start) = scenario.start {
            sandbox.set(next(start, sandbox.now()));
        }
        let home = tempfile::Builder::new().prefix("keyrot-me-purge-").tempdir().unwrap();
        let stage = Self { sandbox, home, names: Mutex::default(), credentials: Vec::new() };
        stage.add_accounts(scenario)?;
        for group in &scenario.empty_groups {
            stage.sandbox.add_group(group, &[]);
        }
        for user in scenario.users.iter().flat_map(copies) {
            stage.add_user(&user)?;
        }
        let credentials = stage.add_purger(&scenario.purger)?;
        if let Some(size) = scenario.pages.size {
            stage.sandbox.short_pages(size);
        }
        stage.sandbox.empty_pages(scenario.pages.empty);
        Ok(Self { credentials, ..stage })
    }

    pub fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap()
    }

    pub fn account(&self, name: &str) -> Result<String, Mistake> {
        self.names().account(name).map(str::to_owned)
    }

    pub fn key(&self, label: &str) -> Result<KeyName, Mistake> {
        self.names().key(label).cloned()
    }

    pub fn fill(&self, text: &str) -> Result<String, Mistake> {
        self.names().fill(text, self.sandbox.now())
    }

    fn add_accounts(&self, scenario: &Scenario) -> Result<(), Mistake> {
        self.names().accounts.insert("home".to_owned(), HOME.to_owned());
        let (strangers, members): (Vec<&Account>, Vec<&Account>) =
            scenario.accounts.iter().partition(|account| account.stranger);
        for account in members {
            self.add_account(account);
        }
        if let Some(organization) = &scenario.organization {
            let manager = organization.management.as_deref().unwrap_or("home");
            let root = self.sandbox.make_organization(&self.account(manager)?);
            for unit in &organization.units {
                let parent = unit.parent.as_ref().map_or_else(|| Ok(root.clone()), |parent| self.unit(parent))?;
                let id = self.sandbox.add_unit(&parent, &unit.name);
                self.names().units.insert(unit.name.clone(), id);
            }
        }
        for account in strangers {
            self.add_account(account);
        }
        for account in &scenario.accounts {
            let id = self.account(&account.name)?;
            if let Some(unit) = &account.unit {
                self.sandbox.place(&id, &self.unit(unit)?);
            }
            self.furnish(&id, account);
        }
        Ok(())
    }

    fn unit(&self, name: &str) -> Result<String, Mistake> {
        self.names().units.get(name).cloned().ok_or_else(|| Mistake(format!("there is no unit {name:?} (yet)")))
    }

    fn add_account(&self, account: &Account) {
        if account.name == "home" {
            return;
        }
        let mut names = self.names();
        let id = format!("{:012}", 200_000_000_000_u64 + names.accounts.len() as u64);
        self.sandbox.add_account(&id);
        names.accounts.insert(account.name.clone(), id);
    }

    fn furnish(&self, id: &str, account: &Account) {
        let default = if id == HOME { "none" } else { ROLE };
        let role = account.role.as_deref().unwrap_or(default);
        if role != "none" {
            self.sandbox.add_role(id, role, &trust(account.external_id.as_deref()), &[ADMINISTRATOR]);
        }
        if let Some(state) = &account.state {
            self.sandbox.set_account_state(id, state);
        }
        for group in &account.empty_groups {
            self.sandbox.add_group_in(id, group, &[]);
        }
    }

    /// Also later, by a hand.
    pub fn add_user(&self, user: &User) -> Result<(), Mistake> {
        let account = self.account(user.account.as_deref().unwrap_or("home"))?;
        let place = (account.as_str(), user.name.as_str());
        self.sandbox.add_user_at(user.path.as_deref().unwrap_or("/"), place);
        for group in &user.groups {
            self.sandbox.join_or_add_group(place, group);
        }
        for key in &user.keys {
            self.add_key(place, key)?;
        }
        for (name, value) in &user.tags {
            self.sandbox.set_tag(place, &self.fill(name)?, &self.fill(value)?);
        }
        (0..user.filler_tags).for_each(|n| self.sandbox.set_tag(place, &format!("filler-{n:02}"), "of no meaning"));
        Ok(())
    }

    pub fn add_key(&self, (account, user): (&str, &str), key: &Key) -> Result<(), Mistake> {
        let (now, status) = (self.sandbox.now(), key.status.as_deref().unwrap_or("Active"));
        let (id, _) = self.sandbox.seed_key((account, user), now - key.age.0, status);
        if let Some(LastUsed::Ago { age, service, region }) = &key.last_used {
            self.sandbox.set_last_used(&id, now - *age, service, region);
        }
        let name = KeyName { id, account: account.to_owned(), user: user.to_owned() };
        self.names().add_key(&key.label, name)
    }

    fn add_purger(&self, purger: &Purger) -> Result<Credentials, Mistake> {
        let age = purger.age.map_or(TimeDelta::days(1), |age| age.0);
        self.sandbox.add_user(PURGER);
        self.sandbox.set_policies(PURGER, &[ADMINISTRATOR]);
        let (id, secret) = self.sandbox.seed_key(PURGER, self.sandbox.now() - age, "Active");
        let key = KeyName { id: id.clone(), account: HOME.to_owned(), user: PURGER.to_owned() };
        self.names().add_key(PURGER, key)?;
        purger.groups.iter().for_each(|group| self.sandbox.join_or_add_group((HOME, PURGER), group));
        if let Some(second) = &purger.second_key {
            self.add_key((HOME, PURGER), second)?;
        }
        if let Some(role) = &purger.profile_role {
            self.write_profiles(role, &id, &secret);
            return Ok(Vec::new());
        }
        let (id, secret, token) =
            if purger.session { self.sandbox.open_session(PURGER) } else { (id, secret, String::new()) };
        let mut credentials = vec![("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)];
        if purger.session {
            credentials.push(("AWS_SESSION_TOKEN", token));
        }
        Ok(credentials)
    }

    fn write_profiles(&self, role: &str, id: &str, secret: &str) {
        let folder = self.home.path().join(".aws");
        std::fs::create_dir(&folder).unwrap();
        let keys = format!("[base]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
        std::fs::write(folder.join("credentials"), keys).unwrap();
        set_mode(&folder.join("credentials"), 0o600);
        let profile = format!("[profile purge]\nrole_arn = arn:aws:iam::{HOME}:role/{role}\nsource_profile = base\n");
        std::fs::write(folder.join("config"), profile).unwrap();
    }

    /// Of the purge's own credentials.
    pub fn secrets(&self) -> Vec<String> {
        let secret = |name: &str| name != "AWS_ACCESS_KEY_ID";
        self.credentials.iter().filter(|(name, _)| secret(name)).map(|(_, value)| value.clone()).collect()
    }

    pub fn add_fault(&self, fault: &Fault) -> Result<(), Mistake> {
        let kind = kind(fault.kind);
        let about = fault.about.as_ref().map(|about| self.fill(about)).transpose()?;
        let add = |when: sandbox::When| match &about {
            Some(about) => self.sandbox.fault_about(&fault.action, about, when, kind.clone()),
            None => self.sandbox.fault(&fault.action, when, kind.clone()),
        };
        match (fault.nth, fault.times) {
            (None, None) => add(Always),
            (nth, times) => {
                nth.into_iter().chain(1..=times.unwrap_or_default()).for_each(|n| add(n.into()));
            }
        }
        Ok(())
    }

    /// The words after `keyrot-me`, as the program gets them.
    pub fn words(&self, arguments: &str) -> Result<Vec<String>, Mistake> {
        let filled = self.fill(arguments)?;
        let words = shell_words::split(&filled).map_err(|why| Mistake(format!("arguments: {why}")))?;
        Ok(["purge".to_owned()].into_iter().chain(words).collect())
    }

    pub fn command(&self, words: &[String]) -> Command {
        let home = self.home.path().display().to_string();
        let mut command = Command::new(program());
        command.args(words).env_clear().stdin(Stdio::null()).current_dir(self.home.path());
        command.envs([("HOME", home.clone()), ("XDG_CONFIG_HOME", format!("{home}/.config"))]);
        command.envs([("XDG_STATE_HOME", format!("{home}/.local/state")), ("AWS_REGION", "us-east-1".to_owned())]);
        command.env("AWS_ENDPOINT_URL", self.sandbox.url()).envs(self.credentials.iter().cloned());
        command
    }

    pub fn run(&self, words: &[String]) -> Ran {
        self.run_while(words, |_| ())
    }

    /// `meanwhile` gets the process id.
    pub fn run_while(&self, words: &[String], meanwhile: impl FnOnce(u32)) -> Ran {
        let mut command = self.command(words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        std::thread::scope(|scope| {
            let (stdout, stderr) = (scope.spawn(|| all_of(stdout)), scope.spawn(|| all_of(stderr)));
            meanwhile(child.id());
            let code = ended(&mut child);
            Ran { code, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
        })
    }
}

fn all_of(mut stream: impl Read) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

fn ended(child: &mut Child) -> Option<i32> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if began.elapsed() > LONGEST_RUN {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The next such moment that is not past.
fn next(start: Start, now: Time) -> Time {
    let today = now.date_naive();
    let days = (7 + start.day.num_days_from_monday() - today.weekday().num_days_from_monday()) % 7;
    let moment = (today + TimeDelta::days(i64::from(days))).and_time(start.time).and_utc();
    if moment < now { moment + TimeDelta::days(7) } else { moment }
}

fn trust(external_id: Option<&str>) -> String {
    let condition = external_id
        .map(|id| format!(r#","Condition":{{"StringEquals":{{"sts:ExternalId":"{id}"}}}}"#))
        .unwrap_or_default();
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole",
            "Principal":{{"AWS":"arn:aws:iam::{HOME}:root"}}{condition}}}]}}"#
    )
}

/// The users that one entry means.
fn copies(user: &User) -> Vec<User> {
    let Some(count) = user.count else { return vec![user.clone()] };
    let width = count.to_string().len();
    let numbered = |n: usize| {
        let number = |text: &str| text.replace("{n}", &format!("{n:0width$}"));
        let keys = user.keys.iter().map(|key| Key { label: number(&key.label), ..key.clone() });
        User { name: number(&user.name), keys: keys.collect(), ..user.clone() }
    };
    (1..=count).map(numbered).collect()
}

fn kind(kind: FaultKind) -> sandbox::Fault {
    match kind {
        FaultKind::Denied => sandbox::Fault::denied(),
        FaultKind::Throttled => sandbox::Fault::Throttle,
        FaultKind::Error => sandbox::Fault::ErrorBefore(500),
        FaultKind::ErrorAfter => sandbox::Fault::ErrorAfter(500),
        FaultKind::Refused => sandbox::Fault::Refuse,
        FaultKind::Dropped => sandbox::Fault::ActAndDrop,
        FaultKind::Cut => sandbox::Fault::CutAnswer,
        FaultKind::Garbage => sandbox::Fault::Garbage,
        FaultKind::Html => sandbox::Fault::Html,
        FaultKind::Hang => sandbox::Fault::Hang,
        FaultKind::HangAfter => sandbox::Fault::ActAndHang,
        FaultKind::LostMarker => sandbox::Fault::LostMarker,
    }
}
