//! Where the calls go: region, partition and custom endpoints, known and checked before any call.
//!
//! What is named on the screen is what the clients get: the SDK reads no setting of its own behind
//! this module's back. Sets no variable, opens no connection.

use std::net::IpAddr;

use aws_config::profile::ProfileSet;
use aws_runtime::env_config::EnvConfigValue;
use aws_types::os_shim_internal::Env;
use url::{Host, Url};

use super::profile::{ProfileFiles, SigningProfile};

/// Every variable that is asked for, and nothing else of the environment.
const VARIABLES: [&str; 14] = [
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_IAM",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_CLOUDTRAIL",
    "AWS_ENDPOINT_URL_ORGANIZATIONS",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "AWS_ENDPOINT_URL_SESV2",
    "AWS_ENDPOINT_URL_SNS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
];

/// A service that this program calls, by the SDK's service id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    Iam,
    Sts,
    CloudTrail,
    Organizations,
    S3,
    SecretsManager,
    SesV2,
    Sns,
}

impl Service {
    /// What the work on one profile's key calls.
    const OF_A_KEY: &[Self] = &[Self::Iam, Self::Sts, Self::CloudTrail];
    /// What the purge calls.
    const OF_AN_ESTATE: &[Self] =
        &[Self::Iam, Self::Sts, Self::Organizations, Self::SecretsManager, Self::SesV2, Self::Sns];

    /// As people know it; also the service id of the SDK's configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Iam => "IAM",
            Self::Sts => "STS",
            Self::CloudTrail => "CloudTrail",
            Self::Organizations => "Organizations",
            Self::S3 => "S3",
            Self::SecretsManager => "Secrets Manager",
            Self::SesV2 => "SESv2",
            Self::Sns => "SNS",
        }
    }
}

/// An endpoint that is not AWS's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomEndpoint {
    pub service: Service,
    /// As configured; credentials in it are refused.
    pub url: String,
}

/// Where the calls of one profile go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    region: String,
    custom: Vec<CustomEndpoint>,
    pub(super) fips: Option<bool>,
    pub(super) dual_stack: Option<bool>,
}

/// A setting that is refused before any call (exit 2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DestinationProblem {
    #[error("the {} endpoint '{url}' is not a URL: {why}", service.name())]
    NotAUrl { service: Service, url: String, why: String },
    #[error("the {} endpoint '{url}' is neither https nor http", service.name())]
    Scheme { service: Service, url: String },
    #[error("the {} endpoint holds a user name or password", service.name())]
    UserInfo { service: Service },
    #[error("the {} endpoint '{url}' is plain http, and not on this machine: secrets would travel readable", service.name())]
    PlainHttp { service: Service, url: String },
    #[error("{setting} cannot be true where the {} endpoint is set", service.name())]
    Exclusive { setting: &'static str, service: Service },
    #[error("'{0}' cannot be a region")]
    Region(String),
    #[error("{setting} is '{value}', and must be true or false")]
    Boolean { setting: &'static str, value: String },
}

impl DestinationProblem {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Region(_) => "see AWS_REGION, AWS_DEFAULT_REGION and the profile's region",
            Self::Boolean { .. } => "see the environment and the profile",
            _ => {
                "see AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_<SERVICE> and the profile's endpoint_url; \
                 AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true ignores them all"
            }
        }
    }
}

impl Destination {
    /// Reads the settings as the SDKs do (SDK reference guide, 'Service-specific endpoints'): the
    /// environment before the profile, in each the service's own before the general one; the asked
    /// profile before the one that signs. `env` is the environment's getter.
    ///
    /// # Errors
    /// [`DestinationProblem`] for what must not, or cannot, be called.
    pub async fn read(
        files: &ProfileFiles,
        profile: &SigningProfile,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, DestinationProblem> {
        let mut sections = Vec::new();
        for name in [&profile.asked, &profile.signing] {
            sections.extend(files.selecting(name).await);
        }
        Self::from_settings(&Settings { env: snapshot(env), sections }, profile.region.as_deref(), Service::OF_A_KEY)
    }

    /// As [`Self::read`], for the purge, where it need not be a key of the files that signs: `profile`, else
    /// `AWS_PROFILE`, else `default`. A profile that the files do not have sets nothing.
    ///
    /// # Errors
    /// [`DestinationProblem`] for what must not, or cannot, be called.
    pub async fn for_profile(
        files: &ProfileFiles,
        profile: Option<&str>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, DestinationProblem> {
        let asked = profile.map(str::to_owned).or_else(|| env("AWS_PROFILE")).unwrap_or_else(|| "default".to_owned());
        let mut sections = Vec::new();
        let mut region = None;
        for name in files.chain(&asked) {
            sections.extend(files.selecting(name).await);
            region = region.or_else(|| files.region(name));
        }
        Self::from_settings(&Settings { env: snapshot(env), sections }, region, Service::OF_AN_ESTATE)
    }

    /// For the purge as a function, which has no AWS files: the environment alone.
    ///
    /// # Errors
    /// [`DestinationProblem`] for what must not, or cannot, be called.
    #[cfg(feature = "lambda")]
    pub fn of_environment(env: &dyn Fn(&str) -> Option<String>) -> Result<Self, DestinationProblem> {
        let settings = Settings { env: snapshot(env), sections: Vec::new() };
        Self::from_settings(&settings, None, &[Service::OF_AN_ESTATE, &[Service::S3]].concat())
    }

    fn from_settings(
        settings: &Settings,
        profile_region: Option<&str>,
        services: &[Service],
    ) -> Result<Self, DestinationProblem> {
        let fips = settings.flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")?;
        let dual_stack = settings.flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")?;
        let custom = settings.custom_endpoints(services)?;
        // AWS's endpoint rules refuse these pairs, but only inside of a call.
        if let Some(CustomEndpoint { service, .. }) = custom.first() {
            let pairs = [("AWS_USE_FIPS_ENDPOINT", fips), ("AWS_USE_DUALSTACK_ENDPOINT", dual_stack)];
            if let Some((setting, _)) = pairs.into_iter().find(|(_, value)| *value == Some(true)) {
                return Err(DestinationProblem::Exclusive { setting, service: *service });
            }
        }
        Ok(Self { region: settings.region(profile_region)?, custom, fips, dual_stack })
    }

    /// AWS's own endpoints in `region`.
    #[cfg(test)]
    pub(super) fn in_region(region: &str) -> Self {
        Self { region: region.to_owned(), custom: Vec::new(), fips: None, dual_stack: None }
    }

    /// The custom endpoints in force, to be named on the screen.
    #[must_use]
    pub fn custom_endpoints(&self) -> &[CustomEndpoint] {
        &self.custom
    }

    /// The region in force; STS is called there.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The region where the partition keeps IAM, and CloudTrail keeps IAM's events
    /// (CloudTrail user guide, 'About global service events').
    #[must_use]
    pub fn home_region(&self) -> &'static str {
        if self.region.starts_with("cn-") {
            "cn-north-1"
        } else if self.region.starts_with("us-gov-") {
            "us-gov-west-1"
        } else {
            "us-east-1"
        }
    }

    /// Where `service` is called: Organizations has one region in each partition (AWS General Reference,
    /// 'Organizations endpoints').
    pub(super) fn region_of(&self, service: Service) -> &str {
        match service {
            // A topic and a secret are called where their ARNs say: see `post`.
            Service::Iam | Service::Sts | Service::S3 | Service::SesV2 | Service::SecretsManager | Service::Sns => {
                &self.region
            }
            Service::Organizations if self.region.starts_with("cn-") => "cn-northwest-1",
            Service::CloudTrail | Service::Organizations => self.home_region(),
        }
    }

    pub(super) fn url(&self, service: Service) -> Option<String> {
        self.custom.iter().find(|custom| custom.service == service).map(|custom| custom.url.clone())
    }
}

/// The environment's and the profiles' settings, looked up by the SDK's own rule of precedence.
struct Settings {
    env: Env,
    /// The asked profile selected, then the signing one.
    sections: Vec<ProfileSet>,
}

impl Settings {
    fn look_up(&self, value: &EnvConfigValue<'_>) -> Option<String> {
        let sets = self.sections.iter().map(Some).chain([None]);
        sets.filter_map(|set| value.load(&self.env, set).map(|(v, _)| v.trim().to_owned())).find(|v| !v.is_empty())
    }

    fn custom_endpoints(&self, services: &[Service]) -> Result<Vec<CustomEndpoint>, DestinationProblem> {
        let mut custom = Vec::new();
        if self.flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")? != Some(true) {
            for &service in services {
                if let Some(url) = self.endpoint(service) {
                    check(service, &url)?;
                    custom.push(CustomEndpoint { service, url });
                }
            }
        }
        Ok(custom)
    }

    fn endpoint(&self, service: Service) -> Option<String> {
        let value = EnvConfigValue::new().env("AWS_ENDPOINT_URL").profile("endpoint_url").service_id(service.name());
        self.look_up(&value)
    }

    fn flag(&self, variable: &'static str, key: &'static str) -> Result<Option<bool>, DestinationProblem> {
        match self.look_up(&EnvConfigValue::new().env(variable).profile(key)) {
            None => Ok(None),
            Some(v) if v.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(v) if v.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(value) => Err(DestinationProblem::Boolean { setting: variable, value }),
        }
    }

    /// No region is no error, IAM being global, and none is asked of a metadata service.
    fn region(&self, of_profile: Option<&str>) -> Result<String, DestinationProblem> {
        let env = |name: &str| self.env.get(name).ok().filter(|v| !v.trim().is_empty());
        let region = env("AWS_REGION")
            .or_else(|| env("AWS_DEFAULT_REGION"))
            .or_else(|| of_profile.map(str::to_owned))
            .unwrap_or_else(|| "us-east-1".into());
        let region = region.trim().to_owned();
        // It becomes a part of a host name.
        let label = region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if label && region.len() <= 63 && !region.starts_with('-') && !region.ends_with('-') {
            Ok(region)
        } else {
            Err(DestinationProblem::Region(region))
        }
    }
}

fn snapshot(env: &dyn Fn(&str) -> Option<String>) -> Env {
    let set: Vec<(&str, String)> = VARIABLES.iter().filter_map(|name| env(name).map(|v| (*name, v))).collect();
    let set: Vec<(&str, &str)> = set.iter().map(|(name, v)| (*name, v.as_str())).collect();
    Env::from_slice(&set)
}

fn check(service: Service, text: &str) -> Result<(), DestinationProblem> {
    let not_a_url = |why: String| DestinationProblem::NotAUrl { service, url: text.to_owned(), why };
    let url = Url::parse(text).map_err(|e| not_a_url(e.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(DestinationProblem::UserInfo { service });
    }
    match (url.scheme(), url.host()) {
        ("https" | "http", None) => Err(not_a_url("it has no host".into())),
        ("https", Some(_)) => Ok(()),
        ("http", Some(host)) if loopback(&host) => Ok(()),
        ("http", Some(_)) => Err(DestinationProblem::PlainHttp { service, url: text.to_owned() }),
        _ => Err(DestinationProblem::Scheme { service, url: text.to_owned() }),
    }
}

pub(super) fn loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name.trim_end_matches('.').eq_ignore_ascii_case("localhost"),
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => IpAddr::V6(*ip).to_canonical().is_loopback(),
    }
}

#[cfg(test)]
mod tests;
