//! What AWS answers: whether the key works, what else the user has, and what IAM would refuse.

use crate::aws::iam::AwsIam;
use crate::aws::session;
use crate::cli::args::Doctor;
use crate::cli::auth_profile;
use crate::cli::doctor::profiles::Subject;
use crate::cli::doctor::{Room, commands};
use crate::cli::error::{Failure, halted};
use crate::cli::machine::Codes;
use crate::host::clock::{Stop, SystemClock};
use crate::host::prompt::{CodeSource, Terminal};
use crate::keys::doctor::{self, Check, Finding, OtherKey};
use crate::keys::facts::{Identity, KeyFacts, LastUsed, Status, Time};
use crate::ports::{CallError, Cause, Clock};
use crate::runner::doctor::{Answers, OfUser, Signs, ask};
use crate::runner::rotate::{CLOCK_TOLERANCE, Halt};

mod permissions;

/// Everything about one key; a call that fails is a finding like any other.
pub async fn look(subject: &Subject, args: &Doctor, codes: &Codes, room: &Room) -> Vec<Finding> {
    let Some(destination) = &subject.destination else { return Vec::new() };
    let mut found = Vec::new();
    let signs = signs(subject, args, codes, room).await.unwrap_or_else(|failure| {
        let name = args.sign.auth_profile.as_deref().unwrap_or_default();
        let why = failure.hint.unwrap_or_default();
        found.push(Finding::problem(
            Check::SignIn,
            failure.message,
            format!("the profile named with --auth-profile signs nothing; {why}"),
            format!("aws sts get-caller-identity --profile {}", commands::word(name)),
        ));
        Signs::Key
    });
    let iam = AwsIam::with_limits(destination.clone(), session::Limits::impatient());
    // Only a source that was named on the command line: a look must not cost anybody's attention.
    let sources = match codes {
        Codes::Given(code) => vec![CodeSource::Given(std::rc::Rc::clone(code))],
        Codes::Command(words) => vec![CodeSource::Command(words.clone())],
        Codes::AsConfigured => Vec::new(),
    };
    let desk = Terminal::new(sources, true, false, Stop::default());
    let clock = SystemClock::default();
    let answers = Box::pin(ask(&iam, &desk, &subject.signing.key, &signs, clock.now())).await;
    let now = clock.now() + answers.clock_offset.unwrap_or_default();
    found.extend(judge(subject, args, &signs, &answers, now, room));
    found.into_iter().map(|finding| finding.of(&subject.profile)).collect()
}

async fn signs(subject: &Subject, args: &Doctor, codes: &Codes, room: &Room) -> Result<Signs, Failure> {
    if let Some(name) = &args.sign.auth_profile {
        return Ok(Signs::Other(auth_profile::signer(name, &room.places).await?.signer));
    }
    Ok(match codes {
        Codes::AsConfigured => Signs::Key,
        Codes::Given(_) | Codes::Command(_) => Signs::Mfa { serial: serial(subject, args, room) },
    })
}

/// As a rotation chooses it: named, configured, or the last rotation's.
fn serial(subject: &Subject, args: &Doctor, room: &Room) -> Option<String> {
    let named = args.sign.mfa_serial.clone().or_else(|| subject.settings.mfa_serial.clone());
    let remembered = || room.rotations.iter().rev().find_map(|rotation| rotation.mfa_serial.clone());
    named.or_else(|| subject.signing.mfa_serial.clone()).or_else(remembered)
}

fn judge(subject: &Subject, args: &Doctor, signs: &Signs, answers: &Answers, now: Time, room: &Room) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(offset) = answers.clock_offset {
        found.push(doctor::clock(offset, CLOCK_TOLERANCE));
    }
    match &answers.identity {
        Err(error) => found.push(no_identity(subject, error)),
        Ok(who) => {
            found.push(Finding::ok(Check::Network, "AWS answers"));
            found.push(identity(subject, who));
        }
    }
    match &answers.keys {
        Ok(keys) => found.extend(keys_of(subject, keys, answers, now, room)),
        // The journal may know the age all the same.
        Err(_) => found.extend(age_by_journal(subject, now, room)),
    }
    if let Some(user) = &answers.user {
        if !args.sign.no_mfa && args.sign.auth_profile.is_none() {
            found.extend(devices(subject, args, user, room));
        }
        let who = answers.identity.as_ref().ok().and_then(Identity::user).unwrap_or_default();
        found.extend(permissions::judge(args, signs, answers, user, who));
    }
    found
}

fn no_identity(subject: &Subject, error: &CallError) -> Finding {
    let key = &subject.signing.key.id;
    match error.cause {
        Cause::KeyNotAccepted | Cause::SignatureRefused => {
            let halt = halted(&Halt::CannotSignIn { key: key.clone(), error: error.clone() });
            Finding::problem(
                Check::SignIn,
                halt.message,
                halt.hint.unwrap_or_default(),
                format!("{} --auth-profile login --yes", subject.commands.rotate),
            )
        }
        Cause::Unreachable | Cause::Ambiguous | Cause::Throttled => Finding::problem(
            Check::Network,
            format!("AWS gives no answer: {error}"),
            "nothing can be rotated, and what IAM permits is not known",
            format!("curl -sS -o /dev/null {}", commands::word(url(subject))),
        ),
        _ => Finding::problem(
            Check::SignIn,
            error.to_string(),
            "a rotation begins with this call",
            commands::about("aws sts get-caller-identity", &subject.profile, false),
        ),
    }
}

/// Where STS is.
fn url(subject: &Subject) -> String {
    let destination = subject.destination.as_ref();
    let custom = destination.and_then(|one| one.custom_endpoints().last()).map(|custom| custom.url.clone());
    let region = destination.map_or("us-east-1", |one| one.region());
    custom.unwrap_or_else(|| format!("https://sts.{region}.amazonaws.com/"))
}

fn identity(subject: &Subject, who: &Identity) -> Finding {
    match who.user() {
        Some(user) => Finding::ok(Check::SignIn, format!("the key works: {user} in account {}", who.account)),
        None => Finding::problem(
            Check::SignIn,
            format!("{} belongs to {}, which is no IAM user", subject.signing.key.id, who.arn),
            "only IAM users' keys can be rotated; a root key is to be deleted in the console",
            "keyrot-me doctor --all",
        ),
    }
}

fn keys_of(subject: &Subject, keys: &[KeyFacts], answers: &Answers, now: Time, room: &Room) -> Vec<Finding> {
    let own = &subject.signing.key.id;
    let Some(base) = keys.iter().find(|facts| facts.id == *own) else {
        return vec![Finding::problem(
            Check::Keys,
            format!("IAM does not list {own} any more"),
            "it was deleted, by the purge for one",
            format!("{} --auth-profile login --yes", subject.commands.rotate),
        )];
    };
    let mut found = vec![doctor::age(base.created, now, &subject.settings.limits, &subject.commands.rotate)];
    if base.status != Status::Active {
        found.push(Finding::problem(
            Check::Keys,
            format!("{own} is {} at IAM", base.status),
            "it stops working as soon as that has spread",
            format!("{} --auth-profile login --yes", subject.commands.rotate),
        ));
    }
    let used = |id| answers.uses.iter().find(|(known, _)| known == id).map(|(_, used): &(_, LastUsed)| used);
    let others: Vec<Finding> = keys
        .iter()
        .filter(|facts| facts.id != *own)
        .map(|facts| {
            let profiles = holders(room, facts);
            let other = OtherKey { facts, last_used: used(&facts.id), profiles };
            doctor::other_key(&other, &room.rotations, subject.settings.retire_after, now, &subject.commands)
        })
        .collect();
    if others.is_empty() && found.len() == 1 {
        found.push(Finding::ok(Check::Keys, "the user has no second key"));
    }
    found.extend(others);
    found
}

/// The profiles of this machine's files that hold a key.
fn holders(room: &Room, facts: &KeyFacts) -> Vec<String> {
    let holders = crate::host::profile_files::holders(&room.places, &facts.id).unwrap_or_default();
    holders.into_iter().filter_map(|holder| holder.profile).collect()
}

fn age_by_journal(subject: &Subject, now: Time, room: &Room) -> Option<Finding> {
    let limits = &subject.settings.limits;
    let known = crate::keys::health::journalled(&subject.signing.key.id, &room.rotations, limits, now);
    known.created.map(|created| doctor::age(created, now, limits, &subject.commands.rotate))
}

fn devices(subject: &Subject, args: &Doctor, user: &OfUser, room: &Room) -> Option<Finding> {
    let serials = user.devices.as_ref().ok()?;
    let configured = serial(subject, args, room);
    let edit = commands::edit(&room.places.settings, None);
    Some(doctor::mfa_devices(serials, configured.as_deref(), &subject.commands.rotate, &edit))
}
