//! `import`: a key that was made in the console comes in, is proved and stored, and rotated at once.
//!
//! Everything after the reading is done under the run lock. Killed anywhere, the same command goes on: what it did is
//! seen, and not done twice.

mod home;
mod source;

use crate::aws::endpoint::Destination;
use crate::aws::profile::SigningProfile;
use crate::cli::args::{Import, Output, Profiles};
use crate::cli::auth_profile;
use crate::cli::error::{Exit, Failure, halted, refused};
use crate::cli::machine::{Codes, Machine, Subject, Surroundings, Workplace, elsewhere, found_places, locked};
use crate::cli::render;
use crate::cli::rotate::{Done, exit, run_each, settings};
use crate::host::clock::Stop;
use crate::host::config_file::StoreKind;
use crate::host::console::{err, out};
use crate::host::paths;
use crate::keys::facts::{Identity, KeyId};
use crate::keys::policy::Goal;
use crate::keys::secret::AccessKey;
use crate::ports::{Desk, World};
use crate::runner::import::{self, Check, Known};
use crate::runner::rotate::Halt;
use home::Home;
use source::{NO_PROOF, TakenFile};

/// A key that came in.
pub struct Imported {
    pub key: KeyId,
    pub profiles: Vec<String>,
    pub who: Identity,
    pub store: StoreKind,
    /// The key whose place it took.
    pub replaced: Option<KeyId>,
}

/// What became of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileEnd {
    Erased,
    Kept,
}

pub async fn run(args: &Import, output: Output) -> Result<Exit, Failure> {
    let codes = args.sign.codes()?;
    let stop = Stop::default();
    let taken = source::take(args.source.as_deref(), args.erase, &stop)?;
    let name = args.profile.clone().or_else(|| paths::env("AWS_PROFILE")).unwrap_or_else(|| "default".to_owned());
    let _lock = locked(&found_places()?)?;
    let (workplace, home) = open(args, &name, &taken.key, stop, output).await?;
    let [subject] = workplace.subjects.as_slice() else { return Err(halted(&Halt::Stopped)) };
    let machine = workplace.machine(subject, Vec::new(), true)?;
    let present = home.present.as_ref().map(|present| &present.id);
    let known = import::known(&machine, &taken.key.id, present).map_err(|no| refused(&no))?;
    let imported = if known == Known::No {
        workplace.announce(subject);
        agree_to_new_profile(&home, &machine)?;
        Some(bring_in(args, &workplace, subject, &machine, &home, &taken.key).await?)
    } else {
        tell_known(&taken.key, &known, args.no_rotate, output);
        None
    };
    if let Some(imported) = imported.as_ref().filter(|_| !output.json) {
        render::imported(imported);
    }
    let starts = !matches!(known, Known::ReplacedBy(_));
    let rotations = if args.no_rotate { Vec::new() } else { rotate_it(args, &name, &codes, starts, output).await? };
    let mut end = exit(&rotations);
    if end != Exit::Done && imported.is_some() {
        err(format_args!("note: {} is stored and works: `keyrot-me rotate` goes on from here", taken.key.id));
    }
    let file = taken.file.as_ref().map(|file| farewell(args, file, &machine, &mut end));
    if output.json {
        render::import_json(imported.as_ref(), file, &rotations)?;
    }
    Ok(end)
}

/// A slip of the keyboard would make a profile that nobody looks into.
fn agree_to_new_profile(home: &Home, machine: &Machine) -> Result<(), Failure> {
    let Some(like) = &home.like else { return Ok(()) };
    let question = format!("there is no profile '{}' (did you mean '{like}'?). make it?", home.profile);
    match machine.desk().confirm(&question) {
        Some(false) => Err(Failure::new(Exit::Blocked, format!("profile '{}' was not made", home.profile))
            .hint(format!("name the right one: --profile {like}"))),
        Some(true) => Ok(()),
        None => {
            err(format_args!("note: profile '{}' is new; there is one that is called '{like}'", home.profile));
            Ok(())
        }
    }
}

/// The place that the key is to come to, found before anything is called.
async fn open(
    args: &Import,
    name: &str,
    key: &AccessKey,
    stop: Stop,
    output: Output,
) -> Result<(Workplace, Home), Failure> {
    let found = Surroundings::look().await?;
    let configured = found.config.for_profile(name).clone();
    let home = Home::find(&found.files, &found.keychain, name, args.store, configured.store)?;
    let destination = Destination::for_profile(&found.files, Some(name), &paths::env);
    let subject = Subject {
        profiles: vec![name.to_owned()],
        holders: vec![home.profile.clone()],
        settings: configured,
        destination: destination.await.map_err(|bad| elsewhere(&bad))?,
        signing: SigningProfile {
            asked: name.to_owned(),
            signing: home.profile.clone(),
            // The store looks after the key that stands there now.
            key: home.present.clone().unwrap_or_else(|| key.clone()),
            mfa_serial: None,
            region: None,
        },
    };
    stop.listen();
    let mut workplace = Workplace::of(found, vec![subject], stop, output);
    workplace.keychain_profiles.extend(home.new_entry());
    Ok((workplace, home))
}

/// Proves the store and the key, and stores it.
async fn bring_in(
    args: &Import,
    workplace: &Workplace,
    subject: &Subject,
    machine: &Machine,
    home: &Home,
    key: &AccessKey,
) -> Result<Imported, Failure> {
    home.prove_writable(&workplace.places, machine.store(), key)?;
    let check = Check::new(machine, &subject.settings.settle, args.sign.yes);
    let who = check.run(key, home.present.as_ref()).await.map_err(|no| refused(&no))?;
    if workplace.stop.requested() {
        return Err(halted(&Halt::Stopped));
    }
    let profiles = home.store(&workplace.places, machine.store(), &workplace.keychain, key)?;
    let replaced = home.present.as_ref().map(|present| present.id.clone()).filter(|present| *present != key.id);
    Ok(Imported { key: key.id.clone(), profiles, who, store: home.kind(), replaced })
}

fn tell_known(key: &AccessKey, known: &Known, no_rotate: bool, output: Output) {
    if output.json || output.quiet {
        return;
    }
    let id = &key.id;
    match known {
        Known::ReplacedBy(successor) => {
            out(format_args!("nothing to do: {id} came in before, and {successor} took its place"));
        }
        _ if no_rotate => {
            out(format_args!("{id} came in before, and is being rotated: `keyrot-me rotate` goes on with that"));
        }
        _ => out(format_args!("{id} came in before, and is being rotated: going on with that")),
    }
}

/// The usual run, of the profile as it is now. Where it `starts` no rotation, it tidies up after one that was killed at
/// its very end.
async fn rotate_it(
    args: &Import,
    name: &str,
    codes: &Codes,
    starts: bool,
    output: Output,
) -> Result<Vec<Done>, Failure> {
    let profiles = Profiles { profile: vec![name.to_owned()], all: false };
    let workplace = Workplace::open(&profiles, output).await?;
    let other = auth_profile::resolve(&args.sign, &workplace, args.replace.as_ref()).await?;
    let settings = |subject: &Subject| {
        let mut settings = settings(subject, &args.sign, other.as_ref(), Goal::Rotate { older_than: None });
        settings.policy.replace.extend(args.replace.clone());
        settings.policy.may_start = starts;
        settings
    };
    run_each(&workplace, codes, settings, output).await
}

/// The file has served. It is erased where somebody says so, and only after everything went well.
fn farewell(args: &Import, file: &TakenFile, machine: &Machine, end: &mut Exit) -> FileEnd {
    let name = file.path.display();
    if *end != Exit::Done {
        err(format_args!("note: {name} is kept; erase it once the rotation is done"));
        return FileEnd::Kept;
    }
    if let Some(why) = file.obstacle() {
        err(format_args!("note: the file is not erased: {why}"));
        return FileEnd::Kept;
    }
    let question = format!("erase {name}? ({NO_PROOF})");
    if !args.erase && machine.desk().confirm(&question) != Some(true) {
        err(format_args!("note: {name} still holds the key: erase it (--erase does); {NO_PROOF}"));
        return FileEnd::Kept;
    }
    match file.erase() {
        Ok(()) => {
            err(format_args!("note: {name} is erased; {NO_PROOF}"));
            FileEnd::Erased
        }
        Err(failure) => {
            err(&failure);
            *end = failure.exit;
            FileEnd::Kept
        }
    }
}
