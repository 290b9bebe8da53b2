//! What every client of a run shares: settings, time-outs, retries, the HTTP client, and the
//! service's time as its answers tell it.
//!
//! Credentials are never looked up here: a client gets exactly the signer it is built for.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::sdk_config::SharedHttpClient;
use chrono::TimeDelta;

use super::endpoint::{Destination, Service};
use super::http::shared_client;
use crate::keys::secret::Signer;

/// The app name of ordinary calls, in the user agent and so in CloudTrail.
const APP_NAME: &str = "keyrot-me";
/// Calls that may be repeated are, twice.
const ATTEMPTS: u32 = 3;
/// Before the first repetition; small, since a person waits.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);

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

/// Shared by all clients of one destination.
#[derive(Debug)]
pub(super) struct Shared {
    pub destination: Destination,
    pub limits: Limits,
    pub service_time: ServiceTime,
    base: SdkConfig,
}

impl Shared {
    pub fn new(destination: Destination, limits: Limits) -> Self {
        let base = base_config(&destination, limits, shared_client(limits.connect));
        Self { destination, limits, service_time: ServiceTime::default(), base }
    }

    /// The configuration of a client of `service` that signs with `signer`.
    pub fn config(&self, service: Service, signer: &Signer) -> SdkConfig {
        let region = match service {
            Service::Iam | Service::Sts => self.destination.region(),
            Service::CloudTrail => self.destination.home_region(),
        };
        let mut builder = self.base.to_builder();
        builder.set_region(Region::new(region.to_owned()));
        builder.set_endpoint_url(self.destination.url(service));
        builder.set_credentials_provider(Some(SharedCredentialsProvider::new(credentials(signer))));
        builder.build()
    }
}

fn base_config(destination: &Destination, limits: Limits, http: SharedHttpClient) -> SdkConfig {
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
        .time_source(aws_smithy_async::time::SystemTimeSource::new())
        .identity_cache(aws_config::identity::IdentityCache::no_cache())
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(ATTEMPTS)
                .with_initial_backoff(FIRST_BACKOFF)
                .with_max_backoff(LONGEST_BACKOFF),
        )
        .timeout_config(timeouts(limits.attempt, ATTEMPTS));
    builder.set_app_name(AppName::new(APP_NAME).ok());
    builder.set_use_fips(destination.fips);
    builder.set_use_dual_stack(destination.dual_stack);
    builder.build()
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
    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.response().headers();
        if let (Some(date), None, Some(clock)) = (headers.get("date"), headers.get("age"), components.time_source()) {
            self.record(date, clock.now());
        }
        Ok(())
    }
}
