//! The profiles that were asked for, the keys behind them, and where their calls go.

use crate::aws::endpoint::Destination;
use crate::aws::problem::ProfileProblem;
use crate::aws::profile::{ProfileFiles, SigningProfile};
use crate::cli::args::Profiles;
use crate::cli::doctor::{Room, commands};
use crate::cli::machine::asked_names;
use crate::host::config_file::ProfileSettings;
use crate::host::credentials_file::CredentialsFile;
use crate::host::key_store;
use crate::host::keychain::Entry;
use crate::host::paths;
use crate::host::process_line;
use crate::keys::doctor::{Check, Commands, Finding};

/// A key to look at. Several profiles that hold it are looked at once.
pub struct Subject {
    pub profile: String,
    pub signing: SigningProfile,
    pub settings: ProfileSettings,
    /// `None` where the calls would go where they must not.
    pub destination: Option<Destination>,
    pub commands: Commands,
}

pub async fn look(asked: &Profiles, files: &ProfileFiles, room: &mut Room) -> Vec<Subject> {
    let mut subjects: Vec<Subject> = Vec::new();
    for signing in signing(asked, files, room) {
        if subjects.iter().any(|known| known.signing.key == signing.key) {
            continue;
        }
        let profile = signing.asked.clone();
        let destination = destination(files, &signing, room).await;
        room.add(Finding::ok(Check::Profile, format!("{} signs for it", signing.key.id)).of(&profile));
        subjects.push(Subject {
            settings: room.config.for_profile(&profile).clone(),
            commands: commands::for_keys(&profile, is_default(&profile)),
            destination,
            signing,
            profile,
        });
    }
    subjects
}

/// Not to be named on a command line.
pub fn is_default(profile: &str) -> bool {
    paths::env("AWS_PROFILE").as_deref().unwrap_or("default") == profile
}

/// The AWS files do not parse: `files` has told it too, unless the two parsers differ.
pub fn unreadable(problem: &ProfileProblem) -> Finding {
    let fix = match problem {
        ProfileProblem::Unreadable { path, .. } => format!("ls -l {}", commands::word(path.display())),
        ProfileProblem::Unparsable { path, .. } => commands::edit(path, None),
        _ => "aws configure list".to_owned(),
    };
    Finding::problem(Check::Profile, problem.to_string(), format!("no profile can be read; {}", problem.hint()), fix)
}

/// The keys behind the asked profiles; what cannot be resolved is told.
fn signing(asked: &Profiles, files: &ProfileFiles, room: &mut Room) -> Vec<SigningProfile> {
    let known: Vec<String> = files.names().into_iter().map(str::to_owned).collect();
    let named = asked_names(asked);
    let all = named.is_none();
    let mut found = Vec::new();
    for name in named.unwrap_or(known) {
        match resolve(files, room, &name) {
            Ok(Some(profile)) if !all || profile.signing == profile.asked => found.push(profile),
            // Without an entry the keychain's own finding says it.
            Ok(_) => {}
            Err(_) if all => {}
            Err(problem) => {
                let finding = unresolved(&name, &problem, asked);
                room.add(finding);
            }
        }
    }
    if all && found.is_empty() {
        let why = "there is nothing to rotate";
        room.add(Finding::problem(Check::Profile, "no profile holds a long-term access key", why, "aws configure"));
    }
    found
}

/// `None` where the keychain should have the key and does not give it.
fn resolve(files: &ProfileFiles, room: &Room, name: &str) -> Result<Option<SigningProfile>, ProfileProblem> {
    match files.resolve(name) {
        Ok(profile) => Ok(Some(profile)),
        Err(ProfileProblem::Process(process)) => match process_line::entry_of(&process.command) {
            None => Err(ProfileProblem::Process(process)),
            Some(entry) => {
                let key = key_store::published(&room.keychain, &Entry::Profile(entry)).ok().flatten();
                Ok(key.map(|key| process.with_key(key)))
            }
        },
        Err(problem) => Err(problem),
    }
}

fn unresolved(name: &str, problem: &ProfileProblem, asked: &Profiles) -> Finding {
    if let (ProfileProblem::Unknown { .. }, [], Some(_)) =
        (problem, asked.profile.as_slice(), paths::env("AWS_PROFILE"))
    {
        return Finding::problem(
            Check::Environment,
            format!("AWS_PROFILE names profile '{name}', which is not there"),
            format!("every AWS tool of this shell fails; {}", problem.hint()),
            "unset AWS_PROFILE",
        );
    }
    let fix = match problem {
        ProfileProblem::Unknown { nearest: Some(nearest), .. } => {
            commands::about("keyrot-me doctor", nearest, is_default(nearest))
        }
        ProfileProblem::Unknown { .. } | ProfileProblem::HalfKey { .. } | ProfileProblem::BadKeyId { .. } => {
            commands::about("aws configure", name, name == "default")
        }
        ProfileProblem::NoKeys { .. } => commands::about("keyrot-me import", name, is_default(name)),
        _ => "keyrot-me doctor --all".to_owned(),
    };
    Finding::problem(Check::Profile, problem.to_string(), format!("it has no key to rotate; {}", problem.hint()), fix)
        .of(name)
}

async fn destination(files: &ProfileFiles, signing: &SigningProfile, room: &mut Room) -> Option<Destination> {
    const UNSET: &str = "unset AWS_ENDPOINT_URL AWS_ENDPOINT_URL_IAM AWS_ENDPOINT_URL_STS AWS_ENDPOINT_URL_CLOUDTRAIL";
    match Destination::read(files, signing, &paths::env).await {
        Err(problem) => {
            let why = format!("no call is made; {}", problem.hint());
            room.add(Finding::problem(Check::Endpoint, problem.to_string(), why, UNSET).of(&signing.asked));
            None
        }
        Ok(destination) => {
            let mut named: Vec<&str> = destination.custom_endpoints().iter().map(|one| one.url.as_str()).collect();
            named.dedup();
            room.add(if named.is_empty() {
                Finding::ok(Check::Endpoint, "calls go to AWS itself").of(&signing.asked)
            } else {
                Finding::note(
                    Check::Endpoint,
                    format!("calls go to {}, not to AWS itself", named.join(", ")),
                    "whatever answers there gets your calls, and says what your keys are",
                    UNSET,
                )
                .of(&signing.asked)
            });
            Some(destination)
        }
    }
}

/// Another key of the same profile in the config file.
pub fn shadowed(subject: &Subject, room: &mut Room) {
    let store = CredentialsFile::new(&room.places, subject.signing.key.id.clone());
    for what in store.shadowed() {
        room.add(
            Finding::problem(
                Check::Shadowing,
                what,
                "which of the two a tool uses depends on the tool",
                commands::edit(&room.places.config, None),
            )
            .of(&subject.profile),
        );
    }
}
