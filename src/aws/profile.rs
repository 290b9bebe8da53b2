//! From a profile's name to the long-term key that signs for it, read with the SDK's own parser.
//!
//! Reads two files and changes none. The parsed files hold secrets: no type here that holds them has a
//! `Debug`.

use std::fmt;
use std::path::{Path, PathBuf};

use aws_config::profile::{Profile, ProfileFileLoadError, ProfileSet};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};

use super::problem::ProfileProblem;
use crate::keys::facts::KeyId;
use crate::keys::secret::{AccessKey, SecretKey};

/// The credentials file and the config file, as they were when they were read.
pub struct ProfileFiles {
    files: EnvConfigFiles,
    sections: ProfileSet,
}

/// The profile that was asked for, and the key that signs for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningProfile {
    pub asked: String,
    /// The profile that holds the key: the asked one, or the end of its `source_profile` chain.
    pub signing: String,
    pub key: AccessKey,
    /// `mfa_serial` of the first profile in the chain that has one.
    pub mfa_serial: Option<String>,
    /// `region` of the first profile in the chain that has one.
    pub region: Option<String>,
}

/// A profile whose key a program hands out. Where that program is this one, the key is in the keychain.
#[derive(Clone, PartialEq, Eq)]
pub struct ProcessProfile {
    pub asked: String,
    pub signing: String,
    /// The value of `credential_process`; its arguments may be private: not for the screen.
    pub command: String,
    pub mfa_serial: Option<String>,
    pub region: Option<String>,
}

impl fmt::Debug for ProcessProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessProfile")
            .field("asked", &self.asked)
            .field("signing", &self.signing)
            .finish_non_exhaustive()
    }
}

impl ProcessProfile {
    /// The same profile with the key from where the program has it.
    #[must_use]
    pub fn with_key(self, key: AccessKey) -> SigningProfile {
        let Self { asked, signing, mfa_serial, region, .. } = self;
        SigningProfile { asked, signing, key, mfa_serial, region }
    }
}

impl ProfileFiles {
    /// Reads both files; a file that does not exist is an empty one.
    ///
    /// # Errors
    /// [`ProfileProblem::Unreadable`] and [`ProfileProblem::Unparsable`], which name the file.
    pub async fn load(credentials: &Path, config: &Path) -> Result<Self, ProfileProblem> {
        // In this order the credentials file wins where both name a property, as in every AWS SDK.
        let sources = [(EnvConfigFileKind::Config, config), (EnvConfigFileKind::Credentials, credentials)];
        let mut all = EnvConfigFiles::builder();
        for (kind, path) in sources {
            let text = read(path)?;
            // Parsed alone first, so that an error can name the file.
            let alone = EnvConfigFiles::builder().with_contents(kind, text.as_str()).build();
            parse(&alone, "default").await.map_err(|why| unparsable(path, &why))?;
            all = all.with_contents(kind, text);
        }
        let files = all.build();
        let sections = parse(&files, "default").await.map_err(|why| unparsable(credentials, &why))?;
        Ok(Self { files, sections })
    }

    /// The names of all profiles, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.sections.profiles().collect();
        names.sort_unstable();
        names
    }

    /// Each profile that has a `credential_process`, sorted by name, with its value: not for the screen.
    #[must_use]
    pub fn processes(&self) -> Vec<(&str, &str)> {
        let with_process = |name| Some((name, value(self.sections.get_profile(name)?, "credential_process")?));
        self.names().into_iter().filter_map(with_process).collect()
    }

    /// The sections as the SDK has them when `profile` is selected.
    pub(super) async fn selecting(&self, profile: &str) -> Option<ProfileSet> {
        parse(&self.files, profile).await.ok()
    }

    /// `asked` and the profiles behind it, by `source_profile`, as far as they are there.
    pub(super) fn chain<'a>(&'a self, asked: &'a str) -> Vec<&'a str> {
        let mut names = Vec::new();
        let mut next = Some(asked);
        while let Some(profile) =
            next.filter(|name| !names.contains(name)).and_then(|name| self.sections.get_profile(name))
        {
            names.push(profile.name());
            next = source(profile, names.len() > 1).unwrap_or_default();
        }
        names
    }

    /// `region` of one profile.
    pub(super) fn region(&self, name: &str) -> Option<&str> {
        value(self.sections.get_profile(name)?, "region")
    }

    /// Follows `role_arn` and `source_profile` from `asked` to the long-term key that signs.
    ///
    /// # Errors
    /// [`ProfileProblem`]: everything that is not a long-term key is refused, each kind in its own words.
    pub fn resolve(&self, asked: &str) -> Result<SigningProfile, ProfileProblem> {
        let mut visited: Vec<&Profile> = Vec::new();
        let mut name = asked;
        loop {
            if visited.iter().any(|seen| seen.name() == name) {
                let mut chain: Vec<String> = visited.iter().map(|p| p.name().to_owned()).collect();
                chain.push(name.to_owned());
                return Err(ProfileProblem::Cycle { chain });
            }
            let profile = self
                .sections
                .get_profile(name)
                .ok_or_else(|| unknown(&self.sections, name, visited.last().copied()))?;
            visited.push(profile);
            match source(profile, visited.len() > 1)? {
                Some(next) => name = next,
                None => return signing(asked, profile, &visited),
            }
        }
    }
}

/// There is no profile `name`, which `named_by` gives as its source.
pub(super) fn unknown(sections: &ProfileSet, name: &str, named_by: Option<&Profile>) -> ProfileProblem {
    let mut known: Vec<String> = sections.profiles().map(str::to_owned).collect();
    known.sort_unstable();
    let nearest = known
        .iter()
        .map(|k| (strsim::damerau_levenshtein(k, name), k))
        .filter(|(distance, k)| *distance <= 1 + k.len() / 3)
        .min()
        .map(|(_, k)| k.clone());
    ProfileProblem::Unknown { name: name.to_owned(), nearest, known, named_by: named_by.map(|p| p.name().to_owned()) }
}

fn read(path: &Path) -> Result<String, ProfileProblem> {
    let unreadable = |why: String| ProfileProblem::Unreadable { path: PathBuf::from(path), why };
    match std::fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8 text".into())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(e) => Err(unreadable(e.to_string())),
    }
}

/// The SDK's parser over text in memory: it touches neither the disk nor the environment.
async fn parse(files: &EnvConfigFiles, selected: &str) -> Result<ProfileSet, ProfileFileLoadError> {
    let (fs, env) = (Fs::from_slice(&[]), Env::from_slice(&[]));
    aws_config::profile::load(&fs, &env, files, Some(selected.to_owned().into())).await
}

fn unparsable(path: &Path, why: &ProfileFileLoadError) -> ProfileProblem {
    // 'error parsing <path> on line N:\n  <why>': text in memory has no path, so there are two spaces.
    let why = std::error::Error::source(why).map_or_else(|| why.to_string(), ToString::to_string);
    let mut words = why.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(rest) = words.strip_prefix("error parsing on ") {
        words = rest.to_owned();
    }
    ProfileProblem::Unparsable { path: path.into(), why: words }
}

pub(super) fn value<'a>(profile: &'a Profile, key: &str) -> Option<&'a str> {
    profile.get(key).map(str::trim).filter(|v| !v.is_empty())
}

/// The next profile of the chain, `None` where it ends, by the SDK's rules
/// (aws-config `profile/credentials/repr.rs`): after the first profile, keys win over a role.
fn source(profile: &Profile, behind_another: bool) -> Result<Option<&str>, ProfileProblem> {
    let name = || profile.name().to_owned();
    if value(profile, "web_identity_token_file").is_some() {
        return Err(ProfileProblem::WebIdentity { profile: name() });
    }
    let has_key = value(profile, "aws_access_key_id").is_some() && value(profile, "aws_secret_access_key").is_some();
    if value(profile, "role_arn").is_none() || (behind_another && has_key) {
        return Ok(None);
    }
    match (value(profile, "source_profile"), value(profile, "credential_source")) {
        (_, Some(source)) => Err(ProfileProblem::CredentialSource { profile: name(), taken_from: source.to_owned() }),
        (Some(own), None) if own == profile.name() => Ok(None),
        (Some(next), None) => Ok(Some(next)),
        (None, None) => Err(ProfileProblem::RoleWithoutSource { profile: name() }),
    }
}

/// What signs in `profile`, the end of the chain. Keys win over `login_session` and
/// `credential_process` here, as they do in the AWS CLI.
fn signing(asked: &str, profile: &Profile, chain: &[&Profile]) -> Result<SigningProfile, ProfileProblem> {
    let name = profile.name().to_owned();
    if value(profile, "sso_start_url").is_some() || value(profile, "sso_session").is_some() {
        return Err(ProfileProblem::Sso { profile: name });
    }
    let first = |key: &str| chain.iter().find_map(|p| value(p, key)).map(str::to_owned);
    let (mfa_serial, region) = (first("mfa_serial"), first("region"));
    match (value(profile, "aws_access_key_id"), value(profile, "aws_secret_access_key")) {
        (Some(id), Some(secret)) => {
            let key = long_term(profile, id, secret)?;
            Ok(SigningProfile { asked: asked.to_owned(), signing: name, key, mfa_serial, region })
        }
        (Some(_), None) => Err(ProfileProblem::HalfKey { profile: name, missing: "aws_secret_access_key" }),
        (None, Some(_)) => Err(ProfileProblem::HalfKey { profile: name, missing: "aws_access_key_id" }),
        (None, None) => Err(keyless(asked, profile, mfa_serial, region)),
    }
}

fn long_term(profile: &Profile, id: &str, secret: &str) -> Result<AccessKey, ProfileProblem> {
    let name = || profile.name().to_owned();
    let token = value(profile, "aws_session_token").or_else(|| value(profile, "aws_security_token"));
    if token.is_some() || id.starts_with("ASIA") {
        return Err(ProfileProblem::Temporary { profile: name() });
    }
    // The value is not shown: people do paste the secret into the wrong line.
    let id = KeyId::new(id).map_err(|e| ProfileProblem::BadKeyId { profile: name(), why: e.why })?;
    Ok(AccessKey { id, secret: SecretKey::new(secret.to_owned()) })
}

fn keyless(asked: &str, profile: &Profile, mfa_serial: Option<String>, region: Option<String>) -> ProfileProblem {
    let name = profile.name().to_owned();
    if value(profile, "login_session").is_some() {
        ProfileProblem::Login { profile: name }
    } else if let Some(command) = value(profile, "credential_process") {
        let command = command.to_owned();
        let asked = asked.to_owned();
        ProfileProblem::Process(Box::new(ProcessProfile { asked, signing: name, command, mfa_serial, region }))
    } else if let Some(source) = value(profile, "credential_source") {
        ProfileProblem::CredentialSource { profile: name, taken_from: source.to_owned() }
    } else {
        ProfileProblem::NoKeys { profile: name }
    }
}

#[cfg(test)]
mod tests;
