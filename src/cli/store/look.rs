//! What a move finds, and everything that it refuses. Nothing is changed here.

use crate::aws::problem::ProfileProblem;
use crate::cli::error::{Exit, Failure};
use crate::cli::machine::{no_entry, usage};
use crate::host::config_file::StoreKind;
use crate::host::key_store;
use crate::host::keychain::{Entry, KeychainError};
use crate::host::paths;
use crate::host::process_line;
use crate::host::profile_files::{self, PROCESS};
use crate::keys::facts::KeyId;
use crate::keys::secret::AccessKey;
use crate::ports::StoreError;

use super::{Bench, Request};

/// What makes a profile get its credentials in another way than from its own key, once that is not in the file.
const OTHER_WAYS: [&str; 6] =
    ["role_arn", "sso_session", "sso_start_url", "login_session", "credential_source", "web_identity_token_file"];

/// One profile, and where its key is.
pub(super) struct Case {
    pub profile: String,
    pub key: AccessKey,
    /// It stands in the AWS files.
    pub in_file: bool,
    /// The value of `credential_process`, which is this program's.
    pub process: Option<String>,
    /// The entry that the profile has, or would have.
    pub entry: String,
    pub in_keychain: Option<AccessKey>,
    /// Other profiles use the entry: it stays.
    pub entry_is_shared: bool,
    /// Why the keychain could not be looked at, where that stops nothing.
    pub not_looked_at: Option<KeychainError>,
}

impl Case {
    /// The key itself need not be touched, nor the config file.
    pub fn is_there(&self, to: StoreKind) -> bool {
        match to {
            StoreKind::Keychain => !self.in_file,
            StoreKind::File => self.process.is_none(),
        }
    }
}

pub(super) fn cases(bench: &Bench, request: &Request) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    for profile in &request.profiles {
        let case = case(bench, request, profile)?;
        if !case.is_there(request.to) {
            refuse_shadows()?;
            refuse_other_holders(bench, request, &case)?;
            refuse_unfinished(bench, &case.key.id)?;
        }
        cases.push(case);
    }
    Ok(cases)
}

fn case(bench: &Bench, request: &Request, profile: &str) -> Result<Case, Failure> {
    refuse_chain(bench, profile)?;
    let file_key = only_key(bench, profile)?;
    let process = own_process(bench, profile)?;
    let entry = process.as_deref().and_then(process_line::entry_of).unwrap_or_else(|| profile.to_owned());
    let users = bench.in_keychain.iter().filter(|one| one.entry == entry && !request.profiles.contains(&one.profile));
    let entry_is_shared = users.count() > 0;
    // A key that is where it is to be needs no keychain: it may be that there is none on this machine.
    let stays = request.to == StoreKind::File && process.is_none();
    let (in_keychain, not_looked_at) =
        match key_store::published(&bench.keychain, &Entry::Profile(entry.clone())) {
            Err(
                error @ (KeychainError::Missing { .. } | KeychainError::Locked { .. } | KeychainError::Silent { .. }),
            ) if stays => (None, Some(error)),
            // An entry that no profile names, or that the user gives up: what it held cannot be read any more.
            Err(error @ KeychainError::Damaged { .. }) if stays => (None, Some(error)),
            Err(KeychainError::Damaged { .. }) if request.replace && file_key.is_some() => (None, None),
            other => (other.map_err(StoreError::from)?, None),
        };
    let in_file = file_key.is_some();
    if let (Some(file), Some(kept)) = (&file_key, &in_keychain) {
        refuse_another_key(request, profile, file, kept, process.is_some(), stays && entry_is_shared)?;
    }
    let key = file_key.or_else(|| in_keychain.clone()).ok_or_else(|| no_entry(profile))?;
    Ok(Case { profile: profile.to_owned(), key, in_file, process, entry, in_keychain, entry_is_shared, not_looked_at })
}

/// The profile's own key is meant, and no other way to credentials may lie behind it.
fn refuse_chain(bench: &Bench, profile: &str) -> Result<(), Failure> {
    let signing = match bench.files.resolve(profile) {
        Ok(found) => found.signing,
        Err(ProfileProblem::Process(process)) => process.signing,
        Err(problem) => return Err(usage(&problem)),
    };
    if signing != profile {
        return Err(Failure::new(
            Exit::Usage,
            format!("profile '{profile}' has no key of its own: it assumes a role with that of profile '{signing}'"),
        )
        .hint(format!("name the profile that holds the key: --profile {signing}")));
    }
    for property in OTHER_WAYS {
        if profile_files::property(&bench.places, profile, property)?.is_some() {
            return Err(Failure::new(
                Exit::Usage,
                format!(
                    "profile '{profile}' has {property} beside its key: the AWS tools do not agree on what counts then"
                ),
            )
            .hint(format!("put the key into a profile of its own, or take {property} out, then run again")));
        }
    }
    Ok(())
}

fn only_key(bench: &Bench, profile: &str) -> Result<Option<AccessKey>, Failure> {
    let mut keys = profile_files::keys_of(&bench.places, profile)?;
    let first = (!keys.is_empty()).then(|| keys.remove(0));
    match (first, keys.pop()) {
        (Some(one), Some(other)) if one != other => Err(Failure::new(
            Exit::Blocked,
            format!(
                "profile '{profile}' has a key in each of the two AWS files, and they differ: {} in {}, {}{} in {}",
                one.id,
                bench.places.credentials.display(),
                other.id,
                if one.id == other.id { " with another secret" } else { "" },
                bench.places.config.display()
            ),
        )
        .hint("take the lines of the wrong one out, then run again")),
        (first, _) => Ok(first),
    }
}

fn own_process(bench: &Bench, profile: &str) -> Result<Option<String>, Failure> {
    let all = profile_files::properties(&bench.places, profile, PROCESS)?;
    if all.iter().any(|command| process_line::entry_of(command).is_none()) {
        // The command's arguments may be private: not for the screen.
        return Err(Failure::new(
            Exit::Usage,
            format!("the credential_process of profile '{profile}' is another program's"),
        )
        .hint("take that line out first, when that program is not to hand out the key any more"));
    }
    Ok(all.into_iter().next())
}

/// Two keys for one profile: the program does not guess.
fn refuse_another_key(
    request: &Request,
    profile: &str,
    file: &AccessKey,
    kept: &AccessKey,
    handed_out: bool,
    others_entry: bool,
) -> Result<(), Failure> {
    let differs =
        |what: &str| if file.id == kept.id { format!("{} with another secret", kept.id) } else { what.to_owned() };
    if file == kept || others_entry {
        return Ok(());
    }
    if request.to == StoreKind::File && handed_out {
        return Err(Failure::new(
            Exit::Blocked,
            format!(
                "profile '{profile}' has {} in the AWS files already, and {} in the keychain",
                file.id,
                differs(kept.id.as_str())
            ),
        )
        .hint(
            "take the key that is wrong out: its two lines in the file, or with `keyrot-me store move --to keychain --yes` \
             the one in the keychain",
        ));
    }
    if request.replace {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Blocked,
        format!(
            "the keychain's entry for profile '{profile}' holds another key, {}; the AWS files hold {}",
            differs(kept.id.as_str()),
            file.id
        ),
    )
    .hint("when nobody needs the one in the keychain, give it up: add --yes"))
}

fn refuse_shadows() -> Result<(), Failure> {
    let Some(name) = paths::SHADOWS.into_iter().find(|name| paths::env(name).is_some()) else { return Ok(()) };
    Err(Failure::new(
        Exit::Usage,
        format!("{name} is set in the environment: the AWS tools use it whatever the files and the keychain hold"),
    )
    .hint(format!("unset {name}, here and where it is set at sign-in, then run again")))
}

/// A key that stays in another place was not moved.
fn refuse_other_holders(bench: &Bench, request: &Request, case: &Case) -> Result<(), Failure> {
    let mut others: Vec<String> = Vec::new();
    for holder in profile_files::holders(&bench.places, &case.key.id)? {
        match holder.profile {
            Some(profile) => others.push(profile),
            None => {
                return Err(Failure::new(
                    Exit::Blocked,
                    format!(
                        "{}: this section holds {} too, and is no profile to every AWS tool",
                        holder.place, case.key.id
                    ),
                )
                .hint("take its key out, or give it a plain profile's name, then run again"));
            }
        }
    }
    for other in bench.in_keychain.iter().filter(|other| !request.profiles.contains(&other.profile)) {
        if other.entry == case.entry {
            // It gets the key of this profile before and after a move into the keychain; the way back ends its entry.
            others.extend((request.to == StoreKind::File).then(|| other.profile.clone()));
            continue;
        }
        let entry = Entry::Profile(other.entry.clone());
        let theirs = key_store::published(&bench.keychain, &entry).map_err(StoreError::from)?;
        others.extend(theirs.filter(|key| key.id == case.key.id).map(|_| other.profile.clone()));
    }
    others.retain(|other| !request.profiles.contains(other));
    others.dedup();
    if others.is_empty() {
        return Ok(());
    }
    let all: Vec<String> = request.profiles.iter().chain(&others).map(|name| format!("--profile {name}")).collect();
    Err(Failure::new(Exit::Blocked, format!("{} is the key of {} too", case.key.id, others.join(", "))).hint(format!(
        "name every profile that has it: `keyrot-me store move --to {} {}`",
        super::name(request.to),
        all.join(" ")
    )))
}

fn refuse_unfinished(bench: &Bench, key: &KeyId) -> Result<(), Failure> {
    let Some(rotation) = bench.unfinished(key) else { return Ok(()) };
    Err(Failure::new(Exit::Unfinished, format!("a rotation of {} is unfinished", rotation.retire))
        .hint("finish it first: `keyrot-me rotate`, then move the key"))
}
