//! What every client of a run shares: settings, time-outs, retries, the HTTP client, and the
//! service's time as its answers tell it.
//!
//! Credentials are never looked up here: a client gets exactly the signer it is built for.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::identity::IdentityCache;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::sdk_config::SharedHttpClient;
use chrono::TimeDelta;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use super::endpoint::{Destination, Service};
use super::http::{client_of, connector};
use super::whole::WholeAnswer;
use crate::keys::secret::Signer;

/// The app name of ordinary calls, in the user agent and so in CloudTrail.
const APP_NAME: &str = "keyrot-me";
/// Calls that may be repeated are, twice.
pub(super) const ATTEMPTS: u32 = 3;
/// Before the first repetition; small, since a person waits.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);
/// How long getting credentials may take: a program or a sign-in service may be behind them.
pub(super) const LOAD_LIMIT: Duration = Duration::from_secs(60);

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Name look-up, TCP connect and TLS handshake together.
    pub connect: Duration,
    /// One attempt of any call but `CreateAccessKey`.
    pub attempt: Duration,
    /// The one attempt of `CreateAccessKey`: long, because giving up early makes an orphan.
    pub create: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), attempt: Duration::from_secs(10), create: Duration::from_secs(30) }
    }
}

impl Limits {
    /// For calls that only look, where somebody waits for all of them.
    #[must_use]
    pub fn impatient() -> Self {
        Self { connect: Duration::from_secs(3), attempt: Duration::from_secs(5), ..Self::default() }
    }
}

/// Shared by all clients of one destination.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub destination: Destination,
    pub limits: Limits,
    pub service_time: ServiceTime,
    /// Under the HTTP client of all clients.
    pub connector: SharedHttpConnector,
    base: SdkConfig,
}

impl Shared {
    pub fn new(destination: Destination, limits: Limits) -> Self {
        let connector = connector(limits.connect);
        let base = base_config(&destination, limits, client_of(connector.clone()));
        Self { destination, limits, service_time: ServiceTime::default(), connector, base }
    }

    /// The configuration of a client of `service` that signs with `signer`.
    pub fn config(&self, service: Service, signer: &Signer) -> SdkConfig {
        let mut builder = self.of(service);
        builder.set_credentials_provider(Some(SharedCredentialsProvider::new(credentials(signer))));
        builder.build()
    }

    /// The same for calls that are made once: whoever asks for them paces and repeats.
    pub fn config_once(&self, service: Service, source: &Source) -> SdkConfig {
        let mut builder = self.of(service);
        builder.set_credentials_provider(Some(source.provider.clone()));
        builder.set_identity_cache(Some(source.cache.clone()));
        builder.set_retry_config(Some(RetryConfig::disabled()));
        builder.set_timeout_config(Some(timeouts(self.limits.attempt, 1)));
        builder.build()
    }

    /// The same for calls that the SDK repeats by itself; in `region`, where the resource's ARN names one.
    pub fn config_in(&self, service: Service, source: &Source, region: Option<&str>) -> SdkConfig {
        let mut builder = self.of(service);
        builder.set_credentials_provider(Some(source.provider.clone()));
        builder.set_identity_cache(Some(source.cache.clone()));
        if let Some(region) = region {
            builder.set_region(Region::new(region.to_owned()));
        }
        builder.build()
    }

    /// The one HTTP client of the run.
    pub fn http_client(&self) -> Option<SharedHttpClient> {
        self.base.http_client()
    }

    fn of(&self, service: Service) -> aws_types::sdk_config::Builder {
        let mut builder = self.base.to_builder();
        builder.set_region(Region::new(self.destination.region_of(service).to_owned()));
        builder.set_endpoint_url(self.destination.url(service));
        builder
    }

    pub fn iam(&self, config: &SdkConfig) -> aws_sdk_iam::Client {
        let config = aws_sdk_iam::config::Builder::from(config);
        aws_sdk_iam::Client::from_conf(config.interceptor(self.service_time.clone()).interceptor(WholeAnswer).build())
    }

    pub fn sts(&self, config: &SdkConfig) -> aws_sdk_sts::Client {
        let config = aws_sdk_sts::config::Builder::from(config);
        aws_sdk_sts::Client::from_conf(config.interceptor(self.service_time.clone()).interceptor(WholeAnswer).build())
    }
}

/// Where a client's credentials come from.
#[derive(Clone)]
pub(super) struct Source {
    provider: SharedCredentialsProvider,
    cache: SharedIdentityCache,
}

impl Source {
    /// Credentials that stay as they are.
    pub fn fixed(signer: &Signer) -> Self {
        let provider = SharedCredentialsProvider::new(credentials(signer));
        Self { provider, cache: IdentityCache::no_cache() }
    }

    /// Credentials that `provider` is asked for again when they expire.
    pub fn renewed(provider: SharedCredentialsProvider) -> Self {
        Self { provider, cache: IdentityCache::lazy().load_timeout(LOAD_LIMIT).build() }
    }
}

fn base_config(destination: &Destination, limits: Limits, http: SharedHttpClient) -> SdkConfig {
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
        .time_source(aws_smithy_async::time::SystemTimeSource::new())
        .identity_cache(IdentityCache::no_cache())
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(ATTEMPTS)
                .with_initial_backoff(FIRST_BACKOFF)
                .with_max_backoff(LONGEST_BACKOFF),
        )
        .timeout_config(timeouts(limits.attempt, ATTEMPTS))
        // The time-outs above bound all; a second watch could only cut a slow create short.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    builder.set_app_name(AppName::new(APP_NAME).ok());
    builder.set_use_fips(destination.fips);
    builder.set_use_dual_stack(destination.dual_stack);
    builder.build()
}

/// Runs one SDK call with the SDK's logging off, whatever the log level: what it redacts is its choice, and
/// the variable `LOG_SENSITIVE_BODIES` undoes it.
pub(super) async fn quiet<F: Future>(call: F) -> F::Output {
    // Not a subscriber made for the call: each would have every log statement's interest worked out again.
    call.with_subscriber(Dispatch::none()).await
}

/// `attempt` bounds each attempt, and with the back-offs the operation as a whole.
pub(super) fn timeouts(attempt: Duration, attempts: u32) -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(attempt)
        .operation_timeout(attempt * attempts + LONGEST_BACKOFF * (attempts - 1))
        .build()
}

fn credentials(signer: &Signer) -> Credentials {
    match signer {
        Signer::Key(key) => Credentials::new(key.id.as_str(), key.secret.expose(), None, None, APP_NAME),
        // No expiry: whether the session is over is for the service to say.
        Signer::Session(session) => {
            let token = Some(session.token.expose().to_owned());
            Credentials::new(&session.id, session.secret.expose(), token, None, APP_NAME)
        }
    }
}

/// Service time minus local time, in whole seconds, from the `Date` of the newest answer.
///
/// The SDK shifts its signatures by a skew that it measures itself; this is measured against the local
/// clock, not against the shifted time, and so stays true.
#[derive(Debug, Clone)]
pub(super) struct ServiceTime(Arc<AtomicI64>);

const UNKNOWN: i64 = i64::MIN;

impl Default for ServiceTime {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(UNKNOWN)))
    }
}

impl ServiceTime {
    pub fn offset(&self) -> Option<TimeDelta> {
        match self.0.load(Ordering::Relaxed) {
            UNKNOWN => None,
            seconds => TimeDelta::try_seconds(seconds),
        }
    }

    fn record(&self, date: &str, local: SystemTime) {
        let Ok(service) = DateTime::from_str(date, Format::HttpDate) else { return };
        let Ok(local) = local.duration_since(UNIX_EPOCH) else { return };
        let Ok(local) = i64::try_from(local.as_secs()) else { return };
        self.0.store(service.secs() - local, Ordering::Relaxed);
    }
}

#[dyn_dispatch_hint]
impl Intercept for ServiceTime {
    fn name(&self) -> &'static str {
        "ServiceTime"
    }

    /// Runs for every answer, errors too. An answer with an `Age` came out of a cache: its date is old.
    ///
    /// A web page is no answer, and no clock: where the SDK expects an empty body, a 200 from a login page would
    /// pass for success.
    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.response().headers();
        if headers.get("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
            return Err("the answer is a web page".into());
        }
        if let (Some(date), None, Some(clock)) = (headers.get("date"), headers.get("age"), components.time_source()) {
            self.record(date, clock.now());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, http_client_fn};
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
    use aws_smithy_runtime_api::client::result::ConnectorError;

    use super::*;
    use crate::keys::facts::KeyId;
    use crate::keys::secret::{AccessKey, SecretKey};

    /// Notes where each request would have gone: host and signing scope.
    #[derive(Debug, Clone, Default)]
    struct Nowhere(Arc<Mutex<Vec<(String, String)>>>);

    impl HttpConnector for Nowhere {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let scope = request.headers().get("authorization").unwrap().split('/').skip(2).take(2);
            let scope = scope.collect::<Vec<_>>().join("/");
            self.0.lock().unwrap().push((request.uri().to_owned(), scope));
            HttpConnectorFuture::ready(Err(ConnectorError::other("nowhere".into(), None)))
        }
    }

    async fn hosts(region: &str) -> Vec<(String, String)> {
        let nowhere = Nowhere::default();
        let connector = SharedHttpConnector::new(nowhere.clone());
        let mut shared = Shared::new(Destination::in_region(region), Limits::default());
        shared.base = shared.base.into_builder().http_client(http_client_fn(move |_, _| connector.clone())).build();
        let key = AccessKey { id: KeyId::new("AKIAEXAMPLE000000001").unwrap(), secret: SecretKey::new("x".into()) };
        let signer = Signer::Key(key);
        let config = |service| shared.config(service, &signer);
        let _ = aws_sdk_iam::Client::new(&config(Service::Iam)).list_access_keys().send().await;
        let _ = aws_sdk_sts::Client::new(&config(Service::Sts)).get_caller_identity().send().await;
        let _ = aws_sdk_cloudtrail::Client::new(&config(Service::CloudTrail)).lookup_events().send().await;
        let _ = aws_sdk_organizations::Client::new(&config(Service::Organizations)).list_accounts().send().await;
        let seen = nowhere.0.lock().unwrap();
        seen.clone()
    }

    #[tokio::test]
    async fn each_partition_has_its_hosts_and_home_region() {
        for (region, iam, sts, trail, organizations) in [
            (
                "eu-central-1",
                ("https://iam.amazonaws.com/", "us-east-1/iam"),
                ("https://sts.eu-central-1.amazonaws.com/", "eu-central-1/sts"),
                ("https://cloudtrail.us-east-1.amazonaws.com/", "us-east-1/cloudtrail"),
                ("https://organizations.us-east-1.amazonaws.com/", "us-east-1/organizations"),
            ),
            (
                "cn-northwest-1",
                ("https://iam.cn-north-1.amazonaws.com.cn/", "cn-north-1/iam"),
                ("https://sts.cn-northwest-1.amazonaws.com.cn/", "cn-northwest-1/sts"),
                ("https://cloudtrail.cn-north-1.amazonaws.com.cn/", "cn-north-1/cloudtrail"),
                ("https://organizations.cn-northwest-1.amazonaws.com.cn/", "cn-northwest-1/organizations"),
            ),
            (
                "us-gov-east-1",
                ("https://iam.us-gov.amazonaws.com/", "us-gov-west-1/iam"),
                ("https://sts.us-gov-east-1.amazonaws.com/", "us-gov-east-1/sts"),
                ("https://cloudtrail.us-gov-west-1.amazonaws.com/", "us-gov-west-1/cloudtrail"),
                ("https://organizations.us-gov-west-1.amazonaws.com/", "us-gov-west-1/organizations"),
            ),
        ] {
            let want = [iam, sts, trail, organizations].map(|(host, scope)| (host.to_owned(), scope.to_owned()));
            assert_eq!(hosts(region).await, want, "{region}");
        }
    }
}
