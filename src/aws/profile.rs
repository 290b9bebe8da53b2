//! From a profile's name to the long-term key that signs for it, read with the SDK's own parser.
//!
//! Reads two files and changes none. The parsed files hold secrets: no type here that holds them has a
//! `Debug`.

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessProfile {
    pub asked: String,
    pub signing: String,
    /// The value of `credential_process`; its arguments may be private: not for the screen.
    pub command: String,
    pub mfa_serial: Option<String>,
    pub region: Option<String>,
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

    /// The sections as the SDK has them when `profile` is selected.
    pub(super) async fn selecting(&self, profile: &str) -> Option<ProfileSet> {
        parse(&self.files, profile).await.ok()
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
            let profile = self.sections.get_profile(name).ok_or_else(|| self.unknown(name, visited.last()))?;
            visited.push(profile);
            match source(profile, visited.len() > 1)? {
                Some(next) => name = next,
                None => return signing(asked, profile, &visited),
            }
        }
    }

    fn unknown(&self, name: &str, named_by: Option<&&Profile>) -> ProfileProblem {
        let known: Vec<String> = self.names().into_iter().map(str::to_owned).collect();
        let nearest = known
            .iter()
            .map(|k| (strsim::damerau_levenshtein(k, name), k))
            .filter(|(distance, k)| *distance <= 1 + k.len() / 3)
            .min()
            .map(|(_, k)| k.clone());
        ProfileProblem::Unknown {
            name: name.to_owned(),
            nearest,
            known,
            named_by: named_by.map(|p| p.name().to_owned()),
        }
    }
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

fn value<'a>(profile: &'a Profile, key: &str) -> Option<&'a str> {
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
mod tests {
    use std::io::Write;

    use super::*;

    const KEY: &str = "aws_access_key_id = AKIAEXAMPLE000000001\naws_secret_access_key = wJalr/secret+\n";

    async fn files(credentials: &str, config: &str) -> Result<ProfileFiles, ProfileProblem> {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            path
        };
        ProfileFiles::load(&write("credentials", credentials), &write("config", config)).await
    }

    async fn resolve(credentials: &str, config: &str, asked: &str) -> Result<SigningProfile, ProfileProblem> {
        files(credentials, config).await?.resolve(asked)
    }

    #[tokio::test]
    async fn a_key_is_found_with_its_serial_and_region() {
        let config = "[default]\nregion = eu-central-1\nmfa_serial = arn:aws:iam::123456789012:mfa/alice\n";
        let found = resolve(&format!("[default]\n{KEY}"), config, "default").await.unwrap();
        assert_eq!((found.asked.as_str(), found.signing.as_str()), ("default", "default"));
        assert_eq!(found.key.id.as_str(), "AKIAEXAMPLE000000001");
        assert_eq!(found.key.secret.expose(), "wJalr/secret+");
        assert_eq!(found.mfa_serial.as_deref(), Some("arn:aws:iam::123456789012:mfa/alice"));
        assert_eq!(found.region.as_deref(), Some("eu-central-1"));
        assert!(!format!("{found:?}").contains("wJalr"));
    }

    #[tokio::test]
    async fn a_role_is_followed_to_the_key_that_signs() {
        let config = "[profile prod]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = mid\nmfa_serial = first\n\
                      [profile mid]\nrole_arn = arn:aws:iam::1:role/b\nsource_profile = base\nregion = eu-west-1\n\
                      [profile base]\nregion = us-west-2\nmfa_serial = last\n";
        let found = resolve(&format!("[base]\n{KEY}"), config, "prod").await.unwrap();
        assert_eq!((found.asked.as_str(), found.signing.as_str()), ("prod", "base"));
        assert_eq!((found.mfa_serial.as_deref(), found.region.as_deref()), (Some("first"), Some("eu-west-1")));
        // A profile that is its own source signs with its own key.
        let config = "[profile own]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = own\n";
        assert_eq!(resolve(&format!("[own]\n{KEY}"), config, "own").await.unwrap().signing, "own");
    }

    #[tokio::test]
    async fn circles_and_lost_sources_are_named() {
        let config = "[profile a]\nrole_arn = x\nsource_profile = b\n[profile b]\nrole_arn = x\nsource_profile = a\n\
                      [profile c]\nrole_arn = x\nsource_profile = gone\n[profile d]\nrole_arn = x\n";
        let problem = |asked| resolve("", config, asked);
        assert_eq!(problem("a").await.unwrap_err().to_string(), "source_profile goes in a circle: a -> b -> a");
        let lost = problem("c").await.unwrap_err().to_string();
        assert_eq!(lost, "there is no profile 'gone', which 'c' names as its source_profile");
        assert_eq!(problem("d").await.unwrap_err(), ProfileProblem::RoleWithoutSource { profile: "d".into() });
    }

    #[tokio::test]
    async fn an_unknown_profile_names_the_nearest() {
        let problem = resolve(&format!("[work]\n{KEY}[default]\n{KEY}"), "", "wrok").await.unwrap_err();
        assert_eq!(problem.to_string(), "there is no profile 'wrok'");
        assert_eq!(problem.hint(), "did you mean 'work'? There are: default, work");
        let far = resolve(&format!("[work]\n{KEY}"), "", "quite-another").await.unwrap_err();
        assert_eq!(far.hint(), "There are: work");
        assert!(resolve("", "", "default").await.unwrap_err().hint().contains("no profiles at all"));
    }

    #[tokio::test]
    async fn what_is_not_a_long_term_key_is_refused_in_its_own_words() {
        let p = || "p".to_owned();
        let cases = [
            ("sso_start_url = https://x.awsapps.com/start\n", ProfileProblem::Sso { profile: p() }),
            ("sso_session = corp\n", ProfileProblem::Sso { profile: p() }),
            ("role_arn = x\nweb_identity_token_file = /t\n", ProfileProblem::WebIdentity { profile: p() }),
            ("login_session = arn:aws:iam::1:user/a\n", ProfileProblem::Login { profile: p() }),
            ("region = eu-west-1\n", ProfileProblem::NoKeys { profile: p() }),
            (
                "role_arn = x\ncredential_source = Ec2InstanceMetadata\n",
                ProfileProblem::CredentialSource { profile: p(), taken_from: "Ec2InstanceMetadata".into() },
            ),
            (
                "aws_access_key_id = AKIAEXAMPLE000000001\n",
                ProfileProblem::HalfKey { profile: p(), missing: "aws_secret_access_key" },
            ),
            ("aws_secret_access_key = x\n", ProfileProblem::HalfKey { profile: p(), missing: "aws_access_key_id" }),
            (
                "aws_access_key_id = ASIAEXAMPLE000000001\naws_secret_access_key = x\n",
                ProfileProblem::Temporary { profile: p() },
            ),
            (&format!("{KEY}aws_session_token = t\n"), ProfileProblem::Temporary { profile: p() }),
        ];
        for (lines, want) in cases {
            let config = format!("[profile p]\n{lines}");
            let problem = resolve("", &config, "p").await.unwrap_err();
            assert_eq!(problem, want, "{lines}");
            assert!(!problem.hint().is_empty());
        }
    }

    #[tokio::test]
    async fn a_key_id_that_is_none_is_refused_without_showing_it() {
        let text = "[p]\naws_access_key_id = wJalr/secret+in/the/wrong/line\naws_secret_access_key = x\n";
        let problem = resolve(text, "", "p").await.unwrap_err();
        assert!(matches!(problem, ProfileProblem::BadKeyId { .. }));
        assert!(!format!("{problem} {problem:?}").contains("wJalr"));
    }

    #[tokio::test]
    async fn a_program_is_handed_to_the_caller_and_a_key_wins_over_it() {
        let config = "[profile p]\ncredential_process = keyrot-me credential-process --profile p\nregion = eu-west-1\n";
        let ProfileProblem::Process(process) = resolve("", config, "p").await.unwrap_err() else { panic!() };
        assert_eq!(process.command, "keyrot-me credential-process --profile p");
        assert_eq!((process.signing.as_str(), process.region.as_deref()), ("p", Some("eu-west-1")));
        let found = resolve(&format!("[p]\n{KEY}"), config, "p").await.unwrap();
        assert_eq!(process.with_key(found.key.clone()), found);
    }

    #[tokio::test]
    async fn a_file_that_does_not_parse_is_named_with_its_line() {
        let Err(problem) = files("[default]\n\nnonsense\n", "").await else { panic!() };
        let text = problem.to_string();
        assert!(text.contains("credentials does not parse: line 3: "), "{text}");
        let Err(problem) = files("", "\u{feff}[default]\n").await else { panic!() };
        assert!(problem.to_string().contains("config does not parse: line 1: "), "{problem}");
        assert!(!problem.hint().is_empty());
    }

    #[tokio::test]
    async fn missing_files_are_empty_and_text_that_is_none_is_refused() {
        let none = ProfileFiles::load(Path::new("/nowhere/credentials"), Path::new("/nowhere/config")).await.unwrap();
        assert!(none.names().is_empty());
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"[default]\nregion = \xff\n").unwrap();
        let Err(problem) = ProfileFiles::load(file.path(), Path::new("/nowhere/config")).await else { panic!() };
        assert!(problem.to_string().contains("not UTF-8"), "{problem}");
    }
}
