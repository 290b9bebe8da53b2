//! `status --short`: one line for a shell's prompt, from files alone.
//!
//! No client, no call, no keychain: a prompt must not wait. What a keychain holds is known from the journal, and from
//! what `status` saw last.

use crate::aws::problem::ProfileProblem;
use crate::aws::profile::ProfileFiles;
use crate::cli::args::Status;
use crate::cli::error::{Exit, Failure};
use crate::cli::machine::{asked_names, found_places, settings, usage};
use crate::host::clock::SystemClock;
use crate::host::config_file::ConfigFile;
use crate::host::console::out;
use crate::host::journal_file::JournalFile;
use crate::host::process_line;
use crate::host::seen::Seen;
use crate::keys::countdown::Countdown;
use crate::keys::facts::{KeyId, Time};
use crate::keys::health;
use crate::keys::journal::{Phase, Rotation};
use crate::keys::lifecycle::{self, Freshness};
use crate::keys::short::{Known, Short, line, worst};
use crate::ports::{Clock, Journal};

/// A failure is one line too: a prompt must not be flooded.
pub async fn run(args: &Status) -> Result<Exit, Failure> {
    let all = look(args).await.map_err(|failure| Failure {
        message: failure.message.replace('\n', " "),
        hint: None,
        ..failure
    })?;
    let how = worst(&all);
    if let Some(line) = line(all) {
        out(line);
    }
    Ok(match how {
        Freshness::Due if args.check => Exit::Due,
        Freshness::Overdue if args.check => Exit::Overdue,
        _ => Exit::Done,
    })
}

/// All that is read.
struct Desk {
    config: ConfigFile,
    rotations: Vec<Rotation>,
    seen: Seen,
    now: Time,
}

async fn look(args: &Status) -> Result<Vec<Short>, Failure> {
    let places = found_places()?;
    let desk = Desk {
        config: settings(&places)?,
        rotations: JournalFile::open(&places.state)?.rotations()?,
        seen: Seen::read(&places.state),
        now: SystemClock::default().now(),
    };
    let files = ProfileFiles::load(&places.credentials, &places.config).await.map_err(|problem| usage(&problem))?;
    let names = match asked_names(&args.profiles) {
        Some(names) => names,
        None => files.names().into_iter().map(str::to_owned).collect(),
    };
    let mut found: Vec<(Signs, String)> = Vec::new();
    for name in names {
        let signs = match signs(&files, &desk, &name) {
            Ok(Signs::Otherwise) => continue,
            Ok(signs) => signs,
            Err(_) if args.profiles.all => continue,
            Err(problem) => return Err(usage(&problem)),
        };
        match found.iter_mut().find(|(known, _)| signs != Signs::Unseen && *known == signs) {
            Some((_, shown)) if name == "default" => *shown = name,
            Some(_) => {}
            None => found.push((signs, name)),
        }
    }
    Ok(found.into_iter().map(|(signs, profile)| desk.short(&signs, profile)).collect())
}

/// What signs for a profile, as far as files tell.
#[derive(PartialEq, Eq)]
enum Signs {
    Key(KeyId),
    /// Only the keychain knows which key it is.
    Unseen,
    /// No key that this program could rotate.
    Otherwise,
}

fn signs(files: &ProfileFiles, desk: &Desk, name: &str) -> Result<Signs, ProfileProblem> {
    match files.resolve(name) {
        Ok(profile) => Ok(Signs::Key(profile.key.id)),
        Err(ProfileProblem::Process(process)) if process_line::entry_of(&process.command).is_none() => {
            Ok(Signs::Otherwise)
        }
        Err(ProfileProblem::Process(process)) => {
            let seen = desk.seen.of(name).or_else(|| desk.seen.of(&process.signing));
            Ok(seen.map_or(Signs::Unseen, |seen| Signs::Key(successor(&seen.access_key_id, &desk.rotations))))
        }
        Err(
            problem @ (ProfileProblem::Unreadable { .. }
            | ProfileProblem::Unparsable { .. }
            | ProfileProblem::Unknown { .. }
            | ProfileProblem::Cycle { .. }
            | ProfileProblem::RoleWithoutSource { .. }
            | ProfileProblem::HalfKey { .. }
            | ProfileProblem::BadKeyId { .. }),
        ) => Err(problem),
        Err(_) => Ok(Signs::Otherwise),
    }
}

/// The key that this machine has put in the place of `seen` since.
fn successor(seen: &KeyId, rotations: &[Rotation]) -> KeyId {
    let published = |rotation: &Rotation| match rotation.phase {
        Phase::Published | Phase::Reread | Phase::Deactivated { .. } | Phase::Retired { .. } => true,
        Phase::Closed => rotation.deleted.as_ref() == Some(&rotation.retire),
        Phase::Intended { .. } | Phase::Orphan { .. } | Phase::Staged | Phase::Verified => false,
    };
    let mut key = seen;
    // Oldest first: each key's successor comes behind it.
    for rotation in rotations.iter().filter(|rotation| published(rotation)) {
        if let Some(keep) = rotation.keep.as_ref().filter(|_| rotation.retire == *key) {
            key = keep;
        }
    }
    key.clone()
}

impl Desk {
    fn short(&self, signs: &Signs, profile: String) -> Short {
        let Signs::Key(key) = signs else {
            return Short { profile, known: Known::Nothing { asked: false }, unfinished: false };
        };
        let limits = &self.config.for_profile(&profile).limits;
        let seen = self.seen.key(key);
        let journalled = health::journalled(key, &self.rotations, limits, self.now).created;
        let known = match journalled.or_else(|| seen.and_then(|seen| seen.created)) {
            None => Known::Nothing { asked: seen.is_some() },
            Some(created) => Known::Aged {
                age: lifecycle::age(created, self.now),
                freshness: lifecycle::freshness(created, self.now, limits),
                countdown: Countdown::of(created, self.now, limits),
            },
        };
        let unfinished = self.rotations.iter().any(|rotation| rotation.unfinished() && rotation.is_about(key));
        Short { profile, known, unfinished }
    }
}
