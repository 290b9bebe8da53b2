//! `store move`: takes the keys of profiles from the AWS files into the keychain, or back.
//!
//! At every instant an AWS tool finds the key, in the file or through `credential_process`, and nothing is taken away
//! before its copy was read back. A move that was killed is finished by the same command. No call is made, and nothing
//! here may decide which of two keys is right.

mod look;
mod transfer;

use std::path::PathBuf;

use serde_json::json;

use crate::aws::profile::ProfileFiles;
use crate::cli::args::{Output, StoreMove};
use crate::cli::error::{Exit, Failure};
use crate::cli::machine::{Subject, Workplace, found_places, in_keychain, locked, settings, usage};
use crate::cli::render;
use crate::host::config_file::StoreKind;
use crate::host::console::{err, out};
use crate::host::credentials_file;
use crate::host::journal_file::JournalFile;
use crate::host::key_store::KeychainProfile;
use crate::host::keychain::Keychain;
use crate::host::lock::RunLock;
use crate::host::paths::{self, Places};
use crate::host::process;
use crate::host::process_line;
use crate::host::profile_files::{self, PROCESS};
use crate::keys::facts::KeyId;
use crate::keys::journal::Rotation;
use crate::keys::secret::AccessKey;
use crate::ports::{Journal, StoreError};

/// What a move was asked for.
pub struct Request {
    pub to: StoreKind,
    pub profiles: Vec<String>,
    /// An entry of the keychain that holds another key may be given up.
    pub replace: bool,
}

/// All that a move looks at, read once under the run lock.
pub struct Bench {
    pub places: Places,
    pub keychain: Keychain,
    files: ProfileFiles,
    in_keychain: Vec<KeychainProfile>,
    rotations: Vec<Rotation>,
    program: PathBuf,
}

/// What became of one profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Moved,
    /// The key was there; what an earlier, interrupted move had left is gone now.
    Cleaned,
    /// The key was there; the profile's `credential_process` named a program that is not, and names this one now.
    Mended,
    NothingToDo,
}

/// One profile's end.
pub struct Done {
    pub profile: String,
    pub key: KeyId,
    pub outcome: Outcome,
}

/// What a move came to.
pub struct Report {
    pub to: StoreKind,
    pub done: Vec<Done>,
    /// Retired or staged keys of open rotations whose copies moved too.
    pub stashed: Vec<KeyId>,
    /// What could not be looked at, though it stops nothing.
    pub warnings: Vec<String>,
}

/// `store move`.
pub async fn run(args: &StoreMove, output: Output) -> Result<Exit, Failure> {
    let places = found_places()?;
    let keychain = Keychain::new(settings(&places)?.keychain_wait);
    let mut profiles = Vec::new();
    for name in &args.profile {
        if !profiles.contains(name) {
            profiles.push(name.clone());
        }
    }
    if profiles.is_empty() {
        profiles.push(paths::env("AWS_PROFILE").unwrap_or_else(|| "default".to_owned()));
    }
    let _lock = locked(&places)?;
    let bench = Bench::open(places, keychain).await?;
    let report = bench.carry_out(&Request { to: args.to, profiles, replace: args.yes })?;
    tell(&bench, &report, output)?;
    Ok(Exit::Done)
}

impl Bench {
    /// Reads the files; what is wrong with them is told here. The caller holds the run lock.
    pub async fn open(places: Places, keychain: Keychain) -> Result<Self, Failure> {
        credentials_file::readable(&places)?;
        let files = ProfileFiles::load(&places.credentials, &places.config).await.map_err(|problem| usage(&problem))?;
        let program = process::program().map_err(|error| {
            Failure::from(anyhow::Error::new(error).context("this program's own path is not known"))
        })?;
        let rotations = JournalFile::open(&places.state)?.rotations()?;
        Ok(Self { in_keychain: in_keychain(&files), places, keychain, files, rotations, program })
    }

    /// Looks at everything, refuses what must not be done, and only then changes anything.
    pub fn carry_out(&self, request: &Request) -> Result<Report, Failure> {
        let cases = look::cases(self, request)?;
        transfer::carry_out(self, request.to, cases)
    }

    /// The unfinished rotation that this key is a part of.
    pub fn unfinished(&self, key: &KeyId) -> Option<&Rotation> {
        self.rotations.iter().find(|rotation| rotation.unfinished() && rotation.is_about(key))
    }
}

/// For `rotate`: moves the keys that are not where they are to be. The lock is held on from there; `None` where nothing
/// was to be moved.
pub async fn bring(
    workplace: &Workplace,
    asked: Option<StoreKind>,
    output: Output,
) -> Result<Option<RunLock>, Failure> {
    let mut requests = Vec::new();
    for subject in &workplace.subjects {
        requests.extend(request(workplace, subject, asked)?.map(|request| (request, &subject.signing.key.id)));
    }
    if requests.is_empty() {
        return Ok(None);
    }
    let lock = workplace.lock()?;
    let bench = Bench::open(workplace.places.clone(), workplace.keychain.clone()).await?;
    for (request, key) in requests {
        if bench.unfinished(key).is_some() {
            let to = name(request.to);
            err(format_args!("note: {key} is moved to the {to} by the next run: its rotation is finished first"));
            continue;
        }
        let report = bench.carry_out(&request)?;
        if !output.quiet {
            words(&bench, &report).into_iter().for_each(err);
        }
    }
    Ok(Some(lock))
}

/// For `rotate --dry-run`: what [`bring`] would do, with its refusals.
pub async fn would_move(
    workplace: &Workplace,
    subject: &Subject,
    asked: Option<StoreKind>,
) -> Result<Option<String>, Failure> {
    let Some(request) = request(workplace, subject, asked)? else { return Ok(None) };
    let bench = Bench::open(workplace.places.clone(), workplace.keychain.clone()).await?;
    let key = &subject.signing.key.id;
    if bench.unfinished(key).is_some() {
        return Ok(None);
    }
    look::cases(&bench, &request)?;
    Ok(Some(match request.to {
        StoreKind::Keychain => format!("move {key} into the keychain, and set credential_process"),
        StoreKind::File => format!("move {key} into the credentials file, and remove credential_process"),
    }))
}

/// `None` where the key is where it is to be, or nobody said where that is.
fn request(workplace: &Workplace, subject: &Subject, asked: Option<StoreKind>) -> Result<Option<Request>, Failure> {
    let Some(to) = asked.or(subject.settings.store) else { return Ok(None) };
    let mut elsewhere = false;
    for profile in &subject.holders {
        elsewhere |= match to {
            StoreKind::Keychain => !profile_files::keys_of(&workplace.places, profile)?.is_empty(),
            StoreKind::File => {
                let all = profile_files::properties(&workplace.places, profile, PROCESS)?;
                all.iter().any(|command| process_line::entry_of(command).is_some())
            }
        };
    }
    Ok(elsewhere.then(|| Request { to, profiles: subject.holders.clone(), replace: false }))
}

/// What is where, once a move is done: on standard output.
pub fn tell(bench: &Bench, report: &Report, output: Output) -> Result<(), Failure> {
    for warning in &report.warnings {
        err(format_args!("warning: {warning}"));
    }
    if output.json {
        render::print_json(&as_json(report))?;
        return Ok(());
    }
    for line in words(bench, report) {
        out(line);
    }
    Ok(())
}

/// `{"version":1,"to":"keychain","profiles":[{"profile":"work","access_key_id":"AKIA…","outcome":"moved"}],"stashed":[]}`
fn as_json(report: &Report) -> serde_json::Value {
    let profiles: Vec<_> = report
        .done
        .iter()
        .map(|done| json!({ "profile": done.profile, "access_key_id": done.key, "outcome": done.outcome.as_str() }))
        .collect();
    json!({ "version": 1, "to": name(report.to), "profiles": profiles, "stashed": report.stashed })
}

fn words(bench: &Bench, report: &Report) -> Vec<String> {
    let place = match report.to {
        StoreKind::Keychain => "the keychain".to_owned(),
        StoreKind::File => "the AWS files".to_owned(),
    };
    let mut lines = Vec::new();
    for Done { profile, key, outcome } in &report.done {
        lines.push(match (outcome, report.to) {
            (Outcome::NothingToDo, _) => format!("{profile}: nothing to do: {key} is in {place}"),
            (Outcome::Cleaned, _) => {
                format!("{profile}: {key} is in {place}; what an interrupted move had left elsewhere is gone")
            }
            (Outcome::Mended, _) => {
                format!("{profile}: {key} is in {place}; credential_process named a program that is gone, and names this one now")
            }
            (Outcome::Moved, StoreKind::Keychain) => format!(
                "{profile}: {key} is in {place} and no longer in the AWS files; the AWS tools get it by the \
                 credential_process in {}",
                bench.places.config.display()
            ),
            (Outcome::Moved, StoreKind::File) => format!(
                "{profile}: {key} is in {place} and no longer in the keychain; credential_process is gone from the profile"
            ),
        });
    }
    let stash = match report.to {
        StoreKind::Keychain => "in the keychain too",
        StoreKind::File => "in the state folder",
    };
    lines.extend(report.stashed.iter().map(|key| format!("the copy of {key} that a rotation keeps is {stash}")));
    if report.to == StoreKind::Keychain && report.done.iter().any(|done| done.outcome == Outcome::Moved) {
        lines.push(
            "older copies of the file in backups, snapshots and synced folders are not reached: `keyrot-me rotate` makes \
             them worthless"
                .to_owned(),
        );
    }
    lines
}

/// As the command line has it.
pub fn name(kind: StoreKind) -> &'static str {
    match kind {
        StoreKind::File => "file",
        StoreKind::Keychain => "keychain",
    }
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::Cleaned => "cleaned",
            Self::Mended => "mended",
            Self::NothingToDo => "nothing-to-do",
        }
    }
}

/// A place that does not give back what was written into it.
fn not_read_back(place: &str, key: &AccessKey) -> StoreError {
    StoreError {
        message: format!("{place} does not give {} back as it was written; the key is where it was", key.id),
        hint: Some("look into that place, then run again".to_owned()),
        needs_decision: false,
    }
}
