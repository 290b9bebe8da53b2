//! The credentials that the purge runs with, and those of `--auth-profile`: the SDK's standard chain, and plain
//! words where it finds none.
//!
//! Here, and nowhere else, the SDK looks at the environment and the AWS files by itself. No secret leaves but
//! to the clients.

use std::error::Error;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::imds;
use aws_config::profile::{Profile, ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_types::os_shim_internal::{Env, Fs};

use super::endpoint::Destination;
use super::error::{call_error, chain, safe, words};
use super::http::shared_client;
use super::problem::ProfileProblem;
use super::profile::{unknown, value};
use super::session::{ATTEMPTS, LOAD_LIMIT, Limits, Shared, Source, quiet, timeouts};
use crate::keys::facts::{KeyId, Time};
use crate::keys::secret::{AccessKey, SecretKey, Session, Signer};

/// A machine that has a metadata service reaches it at once; on all others each try is time lost.
const METADATA_CONNECT: Duration = Duration::from_secs(1);
const METADATA_ATTEMPTS: u32 = 2;

/// There are no credentials to run with (exit 2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EstateProblem {
    #[error(transparent)]
    Profile(ProfileProblem),
    #[error("the AWS files cannot be read: {why}")]
    Files { why: String },
    #[error("no AWS credentials were found")]
    Nothing,
    #[error("profile '{profile}' holds no credentials")]
    Empty { profile: String },
    #[error("the credentials{} cannot be had: {why}", profile.as_ref().map_or_else(String::new, |name| format!(" of profile '{name}'")))]
    Unusable { profile: Option<String>, why: String, hint: String },
}

impl EstateProblem {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Profile(problem) => problem.hint(),
            Self::Files { .. } => "mend that line; the AWS tools cannot read the file either".into(),
            Self::Nothing => "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --profile; \
                              'aws configure' and 'aws configure sso' make one"
                .into(),
            Self::Empty { .. } => "put them there with 'aws configure', or name another profile with --profile".into(),
            Self::Unusable { hint, .. } => hint.clone(),
        }
    }
}

/// What the clients sign with, and what may be told of it.
pub(super) struct Found {
    pub source: Source,
    /// Where it is a long-term key.
    pub signing_key: Option<KeyId>,
    pub temporary: bool,
}

/// A named profile, and nothing else; or without one the standard chain, in which the environment wins, as in
/// the AWS CLI.
pub(super) async fn find(shared: &Shared, profile: Option<&str>) -> Result<Found, EstateProblem> {
    let config = provider_config(shared);
    let provider = match profile {
        Some(name) => of_profile_alone(&config, name),
        None => SharedCredentialsProvider::new(standard_chain(shared, config).await),
    };
    let first = first(&provider, profile).await?;
    Ok(found(first, provider))
}

/// The credentials that `profile` has now, as a signer, and the command that renews them, or shows what they are.
///
/// # Errors
/// [`EstateProblem`] where there are none.
pub async fn signer_of(destination: Destination, profile: &str) -> Result<(Signer, String), EstateProblem> {
    let shared = Shared::new(destination, Limits::default());
    let provider = of_profile_alone(&provider_config(&shared), profile);
    let given = first(&provider, Some(profile)).await?;
    let sections = sections(Some(profile)).await?;
    let renew = sections.get_profile(profile).map_or_else(|| show(profile), |section| renew(section, &sections));
    Ok((signer(&given, profile)?, renew))
}

fn signer(given: &Credentials, profile: &str) -> Result<Signer, EstateProblem> {
    let secret = SecretKey::new(given.secret_access_key().to_owned());
    match given.session_token() {
        Some(token) => Ok(Signer::Session(Session {
            id: given.access_key_id().to_owned(),
            secret,
            token: SecretKey::new(token.to_owned()),
            // Nobody may have told; the service says when it is over.
            expires: given.expiry().map_or(Time::MAX_UTC, Time::from),
        })),
        None => match KeyId::new(given.access_key_id()) {
            Ok(id) => Ok(Signer::Key(AccessKey { id, secret })),
            Err(not_valid) => Err(EstateProblem::Unusable {
                profile: Some(profile.to_owned()),
                why: format!("its access key id is none: {}", not_valid.why),
                hint: show(profile),
            }),
        },
    }
}

fn of_profile_alone(config: &ProviderConfig, name: &str) -> SharedCredentialsProvider {
    let builder = ProfileFileCredentialsProvider::builder().configure(config).profile_name(name);
    SharedCredentialsProvider::new(builder.build())
}

async fn first(provider: &SharedCredentialsProvider, profile: Option<&str>) -> Result<Credentials, EstateProblem> {
    match tokio::time::timeout(LOAD_LIMIT, quiet(provider.provide_credentials())).await {
        Ok(Ok(first)) => Ok(first),
        Ok(Err(error)) => Err(explain(profile, Some(&error)).await),
        Err(_) => Err(explain(profile, None).await),
    }
}

fn found(first: Credentials, provider: SharedCredentialsProvider) -> Found {
    let long_term = first.session_token().is_none();
    Found {
        signing_key: KeyId::new(first.access_key_id()).ok().filter(|_| long_term),
        temporary: !long_term,
        source: Source::renewed(SharedCredentialsProvider::new(Renewed { first: Mutex::new(Some(first)), provider })),
    }
}

fn provider_config(shared: &Shared) -> ProviderConfig {
    let destination = &shared.destination;
    let config = ProviderConfig::without_region()
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_region(Some(Region::new(destination.region().to_owned())))
        .with_use_fips(destination.fips)
        .with_use_dual_stack(destination.dual_stack)
        .with_timeout_config(timeouts(shared.limits.attempt, ATTEMPTS));
    match shared.http_client() {
        Some(client) => config.with_http_client(client),
        None => config,
    }
}

/// The region is given: the chain would ask a metadata service for one.
async fn standard_chain(shared: &Shared, config: ProviderConfig) -> DefaultCredentialsChain {
    let metadata = imds::Client::builder()
        .configure(&config.clone().with_http_client(shared_client(METADATA_CONNECT)))
        .max_attempts(METADATA_ATTEMPTS)
        .build();
    let region = Region::new(shared.destination.region().to_owned());
    DefaultCredentialsChain::builder().configure(config).region(region).imds_client(metadata).build().await
}

/// Hands out the credentials that were found first, so that finding them is not done twice; from then on asks
/// where they came from.
struct Renewed {
    first: Mutex<Option<Credentials>>,
    provider: SharedCredentialsProvider,
}

impl fmt::Debug for Renewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewed").finish_non_exhaustive()
    }
}

impl ProvideCredentials for Renewed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        match self.first.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(first) => future::ProvideCredentials::ready(Ok(first)),
            None => self.provider.provide_credentials(),
        }
    }
}

/// Why there are none, judged by the files: the chain's own words are for programmers. No `error` is a time-out.
async fn explain(asked: Option<&str>, error: Option<&CredentialsError>) -> EstateProblem {
    let sections = match sections(asked).await {
        Ok(sections) => sections,
        Err(problem) => return problem,
    };
    let name = sections.selected_profile();
    let nothing = matches!(error, Some(CredentialsError::CredentialsNotLoaded(_)));
    match sections.get_profile(name) {
        Some(profile) => of_profile(profile, &sections, nothing, error),
        None if asked.is_some() || name != "default" => EstateProblem::Profile(unknown(&sections, name, None)),
        None if nothing => EstateProblem::Nothing,
        None => {
            let hint = "see the AWS_* variables of the environment, or name a profile with --profile";
            unusable(None, error, hint.into())
        }
    }
}

async fn sections(asked: Option<&str>) -> Result<ProfileSet, EstateProblem> {
    let files = EnvConfigFiles::default();
    let selected = asked.map(|name| name.to_owned().into());
    let loaded = aws_config::profile::load(&Fs::real(), &Env::real(), &files, selected).await;
    loaded.map_err(|why| EstateProblem::Files { why: safe(&words(&why).replace('\n', " ")) })
}

/// The profile that the sign-in of `profile` is kept under.
fn signs_in<'a>(profile: &'a Profile, sections: &'a ProfileSet) -> &'a Profile {
    value(profile, "source_profile").and_then(|name| sections.get_profile(name)).unwrap_or(profile)
}

/// The command that renews a sign-in; for credentials that nobody signs in for, the one that shows what they are.
fn renew(profile: &Profile, sections: &ProfileSet) -> String {
    let source = signs_in(profile, sections);
    if value(source, "sso_session").or(value(source, "sso_start_url")).is_some() {
        format!("aws sso login --profile {}", source.name())
    } else if value(source, "login_session").is_some() {
        format!("aws login --profile {}", source.name())
    } else {
        show(profile.name())
    }
}

fn show(profile: &str) -> String {
    format!("aws sts get-caller-identity --profile {profile}")
}

fn of_profile(
    profile: &Profile,
    sections: &ProfileSet,
    nothing: bool,
    error: Option<&CredentialsError>,
) -> EstateProblem {
    let name = profile.name().to_owned();
    let has = |key: &str| value(profile, key).is_some();
    let renew = renew(profile, sections);
    if nothing && !has("role_arn") && !has("sso_session") && !has("sso_start_url") {
        EstateProblem::Empty { profile: name }
    } else if renew.contains(" login ") {
        unusable(Some(name), error, format!("sign in first: {renew}"))
    } else if has("mfa_serial") {
        let hint = format!(
            "it asks for an MFA code, which nobody can type here: make a profile with \
             'credential_process = aws configure export-credentials --profile {name}', after the AWS CLI got a session"
        );
        unusable(Some(name), error, hint)
    } else {
        let hint = format!("see whether '{renew}' works");
        unusable(Some(name), error, hint)
    }
}

fn unusable(profile: Option<String>, error: Option<&CredentialsError>, hint: String) -> EstateProblem {
    let why = error.map_or_else(|| format!("no answer within {} s", LOAD_LIMIT.as_secs()), why);
    EstateProblem::Unusable { profile, why, hint }
}

/// What STS said of a profile's role is in its answer and not in the chain's words.
fn why(error: &CredentialsError) -> String {
    let outermost: &(dyn Error + 'static) = error;
    let refused = chain(outermost).find_map(|part| part.downcast_ref::<SdkError<AssumeRoleError, HttpResponse>>());
    match refused {
        Some(refused) => call_error("sts:AssumeRole", refused).to_string(),
        // The outermost words say only that credentials were being loaded.
        None => safe(&words(outermost.source().unwrap_or(outermost)).replace('\n', " ")),
    }
}
