//! This machine as the runner's world, and how it is put together for one key.

use std::cell::RefCell;
use std::rc::Rc;

use crate::aws::endpoint::{Destination, DestinationProblem};
use crate::aws::iam::AwsIam;
use crate::aws::problem::ProfileProblem;
use crate::aws::profile::{ProfileFiles, SigningProfile};
use crate::cli::args::{Output, Profiles, Sign};
use crate::cli::error::{Exit, Failure};
use crate::host::clock::{Stop, SystemClock};
use crate::host::config_file::{ConfigFile, ProfileSettings, split_command};
use crate::host::console::err;
use crate::host::credentials_file::{self, CredentialsFile};
use crate::host::journal_file::JournalFile;
use crate::host::key_store::{self, KeyStore, KeychainProfile};
use crate::host::keychain::{Entry, Keychain};
use crate::host::lock::{LockError, RunLock};
use crate::host::paths::{self, Places};
use crate::host::process_line;
use crate::host::prompt::{CodeSource, Terminal};
use crate::keys::secret::SecretKey;
use crate::ports::{StoreError, World};
use crate::runner::rotate::{Auth, OtherProfile};

/// The world of one run.
pub struct Machine {
    iam: AwsIam,
    store: KeyStore,
    journal: JournalFile,
    clock: SystemClock,
    desk: Terminal,
}

impl World for Machine {
    type Iam = AwsIam;
    type Store = KeyStore;
    type Journal = JournalFile;
    type Clock = SystemClock;
    type Desk = Terminal;

    fn iam(&self) -> &AwsIam {
        &self.iam
    }
    fn store(&self) -> &KeyStore {
        &self.store
    }
    fn journal(&self) -> &JournalFile {
        &self.journal
    }
    fn clock(&self) -> &SystemClock {
        &self.clock
    }
    fn desk(&self) -> &Terminal {
        &self.desk
    }
}

/// One key to work on, with the profiles that were asked for and hold it.
pub struct Subject {
    pub profiles: Vec<String>,
    /// The profiles that hold the key for them.
    pub holders: Vec<String>,
    pub signing: SigningProfile,
    pub settings: ProfileSettings,
    pub destination: Destination,
}

/// A profile that cannot be used.
pub struct LeftOut {
    pub profile: String,
    pub failure: Failure,
}

/// Everything that is found out before any call.
pub struct Workplace {
    pub places: Places,
    pub subjects: Vec<Subject>,
    pub stop: Stop,
    pub keychain: Keychain,
    /// The profiles whose keys are in the keychain.
    pub keychain_profiles: Vec<KeychainProfile>,
    output: Output,
}

/// The user's own files, as they are found before anything is resolved in them.
pub struct Surroundings {
    pub places: Places,
    pub config: ConfigFile,
    pub files: ProfileFiles,
    pub keychain: Keychain,
}

impl Surroundings {
    pub async fn look() -> Result<Self, Failure> {
        let places = found_places()?;
        let config = settings(&places)?;
        credentials_file::readable(&places)?;
        let files = ProfileFiles::load(&places.credentials, &places.config).await.map_err(|problem| usage(&problem))?;
        let keychain = Keychain::new(config.keychain_wait);
        Ok(Self { places, config, files, keychain })
    }
}

impl Workplace {
    /// Reads the files and resolves the profiles; all that is wrong with them is found here.
    pub async fn open(asked: &Profiles, output: Output) -> Result<Self, Failure> {
        let stop = Stop::default();
        stop.listen();
        let (workplace, left_out) = Self::open_each(asked, output, stop).await?;
        for one in left_out {
            // The others are rotated all the same.
            if !(asked.all && one.failure.exit == Exit::CannotSignIn) {
                return Err(one.failure);
            }
            err(format_args!("warning: {}", one.failure.message));
        }
        if workplace.subjects.is_empty() { Err(no_key_at_all()) } else { Ok(workplace) }
    }

    /// As [`Workplace::open`], but a profile that cannot be used is left out, and told.
    pub async fn open_each(asked: &Profiles, output: Output, stop: Stop) -> Result<(Self, Vec<LeftOut>), Failure> {
        let found = Surroundings::look().await?;
        let Surroundings { config, files, keychain, .. } = &found;
        let mut subjects: Vec<Subject> = Vec::new();
        let (profiles, left_out) = resolved(files, keychain, asked);
        if profiles.is_empty() && left_out.is_empty() {
            return Err(no_key_at_all());
        }
        for profile in profiles {
            match subjects.iter_mut().find(|known| known.signing.key == profile.key) {
                Some(known) if known.profiles.contains(&profile.asked) => {}
                Some(known) => {
                    known.profiles.push(profile.asked);
                    if !known.holders.contains(&profile.signing) {
                        known.holders.push(profile.signing);
                    }
                }
                None => subjects.push(Subject {
                    profiles: vec![profile.asked.clone()],
                    holders: vec![profile.signing.clone()],
                    settings: config.for_profile(&profile.asked).clone(),
                    destination: Destination::read(files, &profile, &paths::env)
                        .await
                        .map_err(|bad| elsewhere(&bad))?,
                    signing: profile,
                }),
            }
        }
        Ok((Self::of(found, subjects, stop, output), left_out))
    }

    pub fn of(found: Surroundings, subjects: Vec<Subject>, stop: Stop, output: Output) -> Self {
        let keychain_profiles = in_keychain(&found.files);
        Self { places: found.places, subjects, stop, keychain: found.keychain, keychain_profiles, output }
    }

    /// One run at a time on this machine.
    pub fn lock(&self) -> Result<RunLock, Failure> {
        locked(&self.places)
    }

    /// The world for one subject.
    pub fn machine(&self, subject: &Subject, codes: Vec<CodeSource>, may_ask: bool) -> Result<Machine, Failure> {
        Ok(Machine {
            iam: AwsIam::new(subject.destination.clone()),
            store: self.store(subject),
            journal: JournalFile::open(&self.places.state)?,
            clock: SystemClock { stop: self.stop.clone() },
            desk: Terminal::new(codes, self.output.quiet, may_ask, self.stop.clone()),
        })
    }

    fn store(&self, subject: &Subject) -> KeyStore {
        let files = CredentialsFile::new(&self.places, subject.signing.key.id.clone());
        KeyStore::new(files, self.keychain.clone(), self.keychain_profiles.clone())
    }

    /// What the user should know before anything is done, on standard error.
    pub fn announce(&self, subject: &Subject) {
        if self.output.quiet {
            return;
        }
        for name in paths::SHADOWS {
            if paths::env(name).is_some() {
                err(format_args!(
                    "warning: {name} is set in the environment: the AWS tools use it instead of the file; unset it"
                ));
            }
        }
        for warning in self.store(subject).files.warnings() {
            err(format_args!("warning: {warning}"));
        }
        let mut named: Vec<&str> = subject.destination.custom_endpoints().iter().map(|one| one.url.as_str()).collect();
        named.dedup();
        for url in named {
            err(format_args!("note: calls go to {url}, not to AWS itself"));
        }
        if subject.signing.asked != subject.signing.signing {
            err(format_args!(
                "note: profile {} assumes a role; its key is that of profile {}",
                subject.signing.asked, subject.signing.signing
            ));
        }
    }
}

pub fn found_places() -> Result<Places, Failure> {
    Places::find().map_err(|error| {
        Failure::new(Exit::Usage, error.to_string()).hint(format!("set HOME, or set {}", error.missing))
    })
}

/// Calls would go where they must not.
pub fn elsewhere(problem: &DestinationProblem) -> Failure {
    Failure::new(Exit::Usage, problem.to_string()).hint(problem.hint())
}

/// One run at a time on this machine.
pub fn locked(places: &Places) -> Result<RunLock, Failure> {
    let failed = |error: LockError| {
        let exit = if matches!(error, LockError::Held { .. }) { Exit::Busy } else { Exit::Store };
        Failure::new(exit, error.to_string()).hint(error.hint())
    };
    credentials_file::create_state_folder(places)?;
    RunLock::acquire(&places.state).map_err(failed)
}

pub fn usage(problem: &ProfileProblem) -> Failure {
    Failure::new(Exit::Usage, problem.to_string()).hint(problem.hint())
}

pub fn settings(places: &Places) -> Result<ConfigFile, Failure> {
    ConfigFile::load(&places.settings, places.settings_named)
        .map_err(|error| Failure::new(Exit::Usage, error.to_string()).hint("mend that line; nothing was changed"))
}

/// The profiles whose key this program hands out from the keychain.
pub fn in_keychain(files: &ProfileFiles) -> Vec<KeychainProfile> {
    let ours = |(profile, command): (&str, &str)| {
        Some(KeychainProfile { profile: profile.to_owned(), entry: process_line::entry_of(command)? })
    };
    files.processes().into_iter().filter_map(ours).collect()
}

/// The names of the profiles that were asked for; `None` for all of them.
pub fn asked_names(asked: &Profiles) -> Option<Vec<String>> {
    match asked.profile.as_slice() {
        _ if asked.all => None,
        [] => Some(vec![paths::env("AWS_PROFILE").unwrap_or_else(|| "default".to_owned())]),
        names => Some(names.to_vec()),
    }
}

/// The asked profiles, resolved to the keys that sign for them, and those that cannot be.
fn resolved(files: &ProfileFiles, keychain: &Keychain, asked: &Profiles) -> (Vec<SigningProfile>, Vec<LeftOut>) {
    let all = || files.names().into_iter().filter(|name| holds_its_own_key(files, name)).map(str::to_owned).collect();
    let names = asked_names(asked).unwrap_or_else(all);
    let (mut found, mut left_out) = (Vec::new(), Vec::new());
    for profile in names {
        match resolve(files, keychain, &profile) {
            Ok(resolved) => found.push(resolved),
            Err(failure) => left_out.push(LeftOut { profile, failure }),
        }
    }
    (found, left_out)
}

/// A profile that `--all` means: its key is not another profile's, nor handed out by another program.
fn holds_its_own_key(files: &ProfileFiles, name: &str) -> bool {
    match files.resolve(name) {
        Ok(profile) => profile.signing == profile.asked,
        Err(ProfileProblem::Process(process)) => {
            process.signing == process.asked && process_line::entry_of(&process.command).is_some()
        }
        Err(_) => false,
    }
}

/// The key that signs for a profile, from the files or from the keychain.
fn resolve(files: &ProfileFiles, keychain: &Keychain, name: &str) -> Result<SigningProfile, Failure> {
    let process = match files.resolve(name) {
        Ok(profile) => return Ok(profile),
        Err(ProfileProblem::Process(process)) => process,
        Err(problem) => return Err(usage(&problem)),
    };
    let Some(entry) = process_line::entry_of(&process.command) else {
        return Err(usage(&ProfileProblem::Process(process)));
    };
    let key = key_store::published(keychain, &Entry::Profile(entry)).map_err(StoreError::from)?;
    match key {
        Some(key) => Ok(process.with_key(key)),
        None => Err(no_entry(&process.signing)),
    }
}

fn no_key_at_all() -> Failure {
    Failure::new(Exit::Usage, "no profile holds a long-term access key").hint("see `aws configure`")
}

/// The profile says that its key is in the keychain, and it is not.
pub fn no_entry(profile: &str) -> Failure {
    Failure::new(Exit::CannotSignIn, format!("the keychain holds no key of profile '{profile}'"))
        .hint(format!("put one there: `keyrot-me import --profile {profile}`"))
}

/// Where MFA codes come from, as far as the command line says.
pub enum Codes {
    Given(Rc<RefCell<Option<SecretKey>>>),
    Command(Vec<String>),
    AsConfigured,
}

impl Codes {
    /// For one subject, in the order in which they are tried: the command line's, what is configured, the person.
    /// A given code is followed by nothing.
    pub fn sources(&self, subject: &Subject) -> Vec<CodeSource> {
        let asked = match self {
            Self::Given(code) => return vec![CodeSource::Given(Rc::clone(code))],
            Self::Command(words) => Some(words),
            Self::AsConfigured => None,
        };
        let configured = subject.settings.mfa_command.as_ref().filter(|words| Some(*words) != asked);
        let mut sources: Vec<CodeSource> =
            asked.into_iter().chain(configured).cloned().map(CodeSource::Command).collect();
        sources.extend(subject.settings.pinentry.then_some(CodeSource::Pinentry));
        sources.push(CodeSource::Typed);
        sources
    }

    /// As [`Codes::sources`], without what a terminal is needed for.
    pub fn unattended(&self, subject: &Subject) -> Vec<CodeSource> {
        let mut sources = self.sources(subject);
        sources.retain(|source| matches!(source, CodeSource::Command(_) | CodeSource::Pinentry));
        sources
    }
}

impl Sign {
    /// How IAM's writes are signed: by `other` where one was named, else as the command line and the profile tell.
    pub fn auth(&self, subject: &Subject, other: Option<&OtherProfile>) -> Auth {
        if let Some(other) = other {
            return Auth::Other(other.clone());
        }
        if self.no_mfa {
            return Auth::KeyItself;
        }
        let serial = self.mfa_serial.clone();
        let configured = || subject.settings.mfa_serial.clone().or_else(|| subject.signing.mfa_serial.clone());
        Auth::Mfa { serial: serial.or_else(configured) }
    }

    /// Checked before anything is called.
    pub fn codes(&self) -> Result<Codes, Failure> {
        if let Some(code) = &self.mfa_code {
            if code.expose().len() != 6 || !code.expose().bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Failure::new(Exit::Usage, "the value of --mfa-code is not the six digits of a code")
                    .hint("give the code that the device shows now, without spaces"));
            }
            return Ok(Codes::Given(Rc::new(RefCell::new(Some(code.clone())))));
        }
        let Some(command) = &self.mfa_command else { return Ok(Codes::AsConfigured) };
        let words = split_command(command).map_err(|error| {
            Failure::new(Exit::Usage, error.to_string())
                .hint("mend the value of --mfa-command, for example close its quotes")
        })?;
        Ok(Codes::Command(words))
    }
}
