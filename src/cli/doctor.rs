//! `doctor`: looks at everything that a rotation, the timer or a reminder depends on, and says what to do about it.
//!
//! It changes nothing, takes no lock, and goes on after each failure: what cannot be looked at is a finding too. What an
//! answer means is decided here and in `keys/doctor.rs`; each subject has a file of its own.

mod aws;
mod commands;
mod files;
mod keychain;
mod machine;
mod mfa;
mod profiles;
mod show;
mod timer;

use futures_util::future::join_all;

use crate::aws::profile::ProfileFiles;
use crate::cli::args::{Doctor, Output};
use crate::cli::error::{Exit, Failure};
use crate::cli::machine::found_places;
use crate::host::config_file::ConfigFile;
use crate::host::keychain::Keychain;
use crate::host::paths::Places;
use crate::keys::doctor::{Check, Finding, clean};
use crate::keys::journal::Rotation;

/// What has been looked at so far.
struct Room {
    places: Places,
    config: ConfigFile,
    keychain: Keychain,
    rotations: Vec<Rotation>,
    found: Vec<Finding>,
}

impl Room {
    fn add(&mut self, finding: Finding) {
        self.found.push(finding);
    }
}

pub async fn run(args: &Doctor, output: Output) -> Result<Exit, Failure> {
    // What is wrong with the command line is no finding.
    args.sign.codes()?;
    let mut room = enter()?;
    files::look(&mut room);
    machine::look_at_environment(&mut room);
    let around = tokio::spawn(timer::look(room.places.state.clone()));
    let loaded = ProfileFiles::load(&room.places.credentials, &room.places.config).await;
    match loaded {
        Ok(files) => look_at_profiles(args, &files, around, &mut room).await?,
        Err(problem) => {
            room.add(profiles::unreadable(&problem));
            timer::judge(around.await.ok(), None, &mut room);
        }
    }
    room.found.sort_by_key(|finding| finding.check);
    show::show(&room.found, output)?;
    Ok(if clean(&room.found) { Exit::Done } else { Exit::Blocked })
}

/// The config file comes first: the rest goes by it, or by what is built in.
fn enter() -> Result<Room, Failure> {
    let places = found_places()?;
    let mut found = Vec::new();
    let config = match machine::config(&places, &mut found) {
        Some(config) => config,
        None => ConfigFile::built_in().map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?,
    };
    let rotations = machine::journal(&places, &mut found);
    Ok(Room { keychain: Keychain::new(config.keychain_wait), places, config, rotations, found })
}

async fn look_at_profiles(
    args: &Doctor,
    files: &ProfileFiles,
    around: tokio::task::JoinHandle<timer::Around>,
    room: &mut Room,
) -> Result<(), Failure> {
    let subjects = profiles::look(&args.profiles, files, room).await;
    keychain::look(files, &subjects, room);
    machine::rotations(&subjects, room);
    for subject in &subjects {
        profiles::shadowed(subject, room);
        let limits =
            crate::keys::doctor::limits(&subject.settings.limits, &commands::edit(&room.places.settings, None));
        room.add(limits.of(&subject.profile));
    }
    let around = around.await.ok();
    let installed = around.as_ref().is_some_and(timer::Around::installed);
    for subject in &subjects {
        let source = mfa::source(subject, &args.sign, installed, &room.places);
        room.add(source.of(&subject.profile));
    }
    timer::judge(around, Some(files), room);
    let codes = args.sign.codes()?;
    let calls = subjects.iter().map(|subject| aws::look(subject, args, &codes, room));
    let answers = join_all(calls).await;
    room.found.extend(answers.into_iter().flatten());
    if subjects.is_empty() {
        room.add(Finding::ok(Check::Network, "AWS was not asked: there is no key to ask with"));
    }
    Ok(())
}
