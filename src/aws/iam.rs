//! [`Iam`] over the SDK: one method, one call on the wire.
//!
//! Decides nothing: it turns answers into our types, or says that it cannot.

use std::sync::Mutex;

use aws_sdk_iam::config::AppName;
use aws_sdk_iam::operation::get_access_key_last_used::GetAccessKeyLastUsedOutput;
use aws_sdk_iam::types::{AccessKey as WireKey, AccessKeyMetadata, StatusType};
use aws_smithy_types::retry::RetryConfig;
use chrono::{DateTime, TimeDelta};

use super::endpoint::{Destination, Service};
use super::error::{call_error, incomplete, refusal, without};
use super::session::{Limits, Shared, quiet, timeouts};
use crate::keys::facts::{Identity, KeyFacts, KeyId, LastUsed, Status, Time};
use crate::keys::journal::RotationId;
use crate::keys::secret::{AccessKey, SecretKey, Session, Signer};
use crate::ports::{CallError, CreatedKey, Creation, Iam, KeyUse, action};

const CREATE: &str = "iam:CreateAccessKey";
const LIST_MFA: &str = "iam:ListMFADevices";
const KEY_INFO: &str = "sts:GetAccessKeyInfo";
const IDENTITY: &str = "sts:GetCallerIdentity";
const SESSION: &str = "sts:GetSessionToken";

/// Seconds: the shortest session that STS gives (API reference, `GetSessionToken`).
const SESSION_SECONDS: i32 = 900;
/// A user has few keys and devices; more pages than this are a server that goes in circles.
const MOST_PAGES: usize = 50;
/// A rotation has three signers: the old key, its session or another profile, the new key.
const CACHED_SIGNERS: usize = 4;

/// AWS at one destination. Cheap to make: nothing is connected or loaded before the first call.
#[derive(Debug)]
pub struct AwsIam {
    pub(super) shared: Shared,
    clients: Mutex<Vec<(Signer, Clients)>>,
}

/// One signer's clients.
#[derive(Debug, Clone)]
struct Clients {
    iam: aws_sdk_iam::Client,
    sts: aws_sdk_sts::Client,
}

impl AwsIam {
    #[must_use]
    pub fn new(destination: Destination) -> Self {
        Self::with_limits(destination, Limits::default())
    }

    #[must_use]
    pub fn with_limits(destination: Destination, limits: Limits) -> Self {
        Self { shared: Shared::new(destination, limits), clients: Mutex::default() }
    }

    /// Where the calls go.
    pub fn destination(&self) -> &Destination {
        &self.shared.destination
    }

    /// The whole signer is compared: one id with two secrets is two signers.
    fn clients(&self, signer: &Signer) -> Clients {
        let mut cached = self.clients.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, clients)) = cached.iter().find(|(known, _)| known == signer) {
            return clients.clone();
        }
        let clients = self.build(signer);
        if cached.len() == CACHED_SIGNERS {
            cached.remove(0);
        }
        cached.push((signer.clone(), clients.clone()));
        clients
    }

    fn build(&self, signer: &Signer) -> Clients {
        let config = |service| self.shared.config(service, signer);
        Clients { iam: self.shared.iam(&config(Service::Iam)), sts: self.shared.sts(&config(Service::Sts)) }
    }

    async fn all_keys(&self, signer: &Signer, user: Option<&str>) -> Result<Vec<KeyFacts>, CallError> {
        let iam = self.clients(signer).iam;
        let (mut keys, mut page) = (Vec::new(), Pages::new(action::LIST_ACCESS_KEYS));
        loop {
            let call = iam.list_access_keys().set_user_name(user.map(str::to_owned)).set_marker(page.marker.clone());
            let answer = quiet(call.send()).await.map_err(|e| call_error(action::LIST_ACCESS_KEYS, &e))?;
            let more = page.turn(answer.is_truncated, answer.marker)?;
            for row in &answer.access_key_metadata {
                keys.push(facts(row)?);
            }
            if !more {
                return Ok(keys);
            }
        }
    }
}

impl Iam for AwsIam {
    async fn identity(&self, signer: &Signer) -> Result<Identity, CallError> {
        let answer = quiet(self.clients(signer).sts.get_caller_identity().send()).await;
        let answer = answer.map_err(|e| call_error(IDENTITY, &e))?;
        match (answer.account, answer.arn) {
            (Some(account), Some(arn)) => Ok(Identity { account, arn }),
            _ => Err(incomplete(IDENTITY, "names no account or no ARN")),
        }
    }

    async fn open_session(
        &self,
        key: &AccessKey,
        mfa_serial: &str,
        mfa_code: &SecretKey,
    ) -> Result<Session, CallError> {
        let call = self.clients(&Signer::Key(key.clone())).sts.get_session_token();
        let call = call.duration_seconds(SESSION_SECONDS).serial_number(mfa_serial).token_code(mfa_code.expose());
        let answer = quiet(call.send()).await.map_err(|e| without(call_error(SESSION, &e), mfa_code.expose()))?;
        let given = answer.credentials.ok_or_else(|| incomplete(SESSION, "holds no credentials"))?;
        if given.access_key_id.is_empty() || given.secret_access_key.is_empty() || given.session_token.is_empty() {
            return Err(incomplete(SESSION, "holds only a part of the credentials"));
        }
        Ok(Session {
            id: given.access_key_id,
            secret: SecretKey::new(given.secret_access_key),
            token: SecretKey::new(given.session_token),
            expires: time(SESSION, Some(&given.expiration))?,
        })
    }

    async fn mfa_serials(&self, signer: &Signer, user: &str) -> Result<Vec<String>, CallError> {
        let iam = self.clients(signer).iam;
        let (mut serials, mut page) = (Vec::new(), Pages::new(LIST_MFA));
        loop {
            let call = iam.list_mfa_devices().user_name(user).set_marker(page.marker.clone());
            let answer = quiet(call.send()).await.map_err(|e| call_error(LIST_MFA, &e))?;
            let more = page.turn(answer.is_truncated, answer.marker)?;
            serials.extend(answer.mfa_devices.into_iter().map(|device| device.serial_number));
            if !more {
                return Ok(serials);
            }
        }
    }

    async fn list_keys(&self, signer: &Signer, user: &str) -> Result<Vec<KeyFacts>, CallError> {
        self.all_keys(signer, Some(user)).await
    }

    async fn list_own_keys(&self, signer: &Signer) -> Result<Vec<KeyFacts>, CallError> {
        self.all_keys(signer, None).await
    }

    async fn create_key(&self, signer: &Signer, user: &str, rotation: &RotationId) -> Result<CreatedKey, CallError> {
        let name = AppName::new(rotation.as_str().to_owned())
            .map_err(|_| refusal(CREATE, "the rotation id cannot be an app name".into()))?;
        // Not idempotent: the SDK's retry would make a second key after a lost answer.
        let once = aws_sdk_iam::Config::builder()
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts(self.shared.limits.create, 1))
            .app_name(name);
        let call = self.clients(signer).iam.create_access_key().user_name(user);
        let answer = quiet(call.customize().config_override(once).send()).await.map_err(|e| call_error(CREATE, &e))?;
        created(answer.access_key)
    }

    async fn set_active(&self, signer: &Signer, user: &str, key: &KeyId, active: bool) -> Result<(), CallError> {
        let status = if active { StatusType::Active } else { StatusType::Inactive };
        let call = self.clients(signer).iam.update_access_key();
        let answer = quiet(call.user_name(user).access_key_id(key.as_str()).status(status).send()).await;
        answer.map(drop).map_err(|e| call_error(action::UPDATE_ACCESS_KEY, &e))
    }

    async fn delete_key(&self, signer: &Signer, user: &str, key: &KeyId) -> Result<(), CallError> {
        let call = self.clients(signer).iam.delete_access_key();
        let answer = quiet(call.user_name(user).access_key_id(key.as_str()).send()).await;
        answer.map(drop).map_err(|e| call_error(action::DELETE_ACCESS_KEY, &e))
    }

    async fn key_use(&self, signer: &Signer, key: &KeyId) -> Result<KeyUse, CallError> {
        let call = self.clients(signer).iam.get_access_key_last_used().access_key_id(key.as_str());
        key_use(quiet(call.send()).await.map_err(|e| call_error(action::GET_ACCESS_KEY_LAST_USED, &e))?)
    }

    async fn user(&self, signer: &Signer, name: &str) -> Result<Identity, CallError> {
        let answer = quiet(self.clients(signer).iam.get_user().user_name(name).send()).await;
        let arn = answer.map_err(|e| call_error(action::GET_USER, &e))?.user.map(|user| user.arn).unwrap_or_default();
        match arn.split(':').nth(4) {
            Some(account) => Ok(Identity { account: account.to_owned(), arn }),
            None => Err(incomplete(action::GET_USER, "does not tell the user's ARN")),
        }
    }

    async fn key_account(&self, signer: &Signer, key: &KeyId) -> Result<String, CallError> {
        let call = self.clients(signer).sts.get_access_key_info().access_key_id(key.as_str());
        let answer = quiet(call.send()).await.map_err(|e| call_error(KEY_INFO, &e))?;
        answer.account.filter(|id| !id.is_empty()).ok_or_else(|| incomplete(KEY_INFO, "names no account"))
    }

    async fn keys_made_by(&self, signer: &Signer, made_by: &str, since: Time) -> Result<Vec<Creation>, CallError> {
        super::trail::keys_made_by(&self.shared, signer, made_by, since).await
    }

    fn clock_offset(&self) -> Option<TimeDelta> {
        self.shared.service_time.offset()
    }

    fn call_timeout(&self) -> TimeDelta {
        TimeDelta::from_std(self.shared.limits.create).unwrap_or(TimeDelta::MAX)
    }
}

/// Follows IAM's markers: a list that stops half-way must not look like a whole one.
struct Pages {
    action: &'static str,
    marker: Option<String>,
    turned: usize,
}

impl Pages {
    fn new(action: &'static str) -> Self {
        Self { action, marker: None, turned: 0 }
    }

    /// True when there is a next page.
    fn turn(&mut self, truncated: bool, marker: Option<String>) -> Result<bool, CallError> {
        if !truncated {
            return Ok(false);
        }
        self.turned += 1;
        match marker.filter(|m| !m.is_empty()) {
            None => Err(incomplete(self.action, "is cut, and does not say where it goes on")),
            next if next == self.marker || self.turned >= MOST_PAGES => {
                Err(incomplete(self.action, "goes on without end"))
            }
            next => {
                self.marker = next;
                Ok(true)
            }
        }
    }
}

/// A row that cannot be understood is an error: dropping it could hide a key.
pub(super) fn facts(row: &AccessKeyMetadata) -> Result<KeyFacts, CallError> {
    let id = KeyId::new(row.access_key_id.clone().unwrap_or_default());
    let id = id.map_err(|e| {
        refusal(action::LIST_ACCESS_KEYS, format!("the list holds a key that this program does not understand: {e}"))
    })?;
    let status =
        row.status.as_ref().ok_or_else(|| incomplete(action::LIST_ACCESS_KEYS, "holds a key without a status"))?;
    Ok(KeyFacts {
        id,
        status: Status::from_wire(status.as_str()),
        created: time(action::LIST_ACCESS_KEYS, row.create_date.as_ref())?,
    })
}

/// A use without a date is none that was recorded.
pub(super) fn key_use(answer: GetAccessKeyLastUsedOutput) -> Result<KeyUse, CallError> {
    let used = answer
        .access_key_last_used
        .ok_or_else(|| incomplete(action::GET_ACCESS_KEY_LAST_USED, "does not speak of the use"))?;
    let last = match used.last_used_date {
        None => None,
        Some(at) => {
            let at = time(action::GET_ACCESS_KEY_LAST_USED, Some(&at))?;
            Some(LastUsed { at, service: used.service_name, region: used.region })
        }
    };
    Ok(KeyUse { user: answer.user_name.filter(|name| !name.is_empty()), last })
}

/// The SDK fills what is missing in an answer with empty strings, and an answer that was cut inside
/// the secret would hold a part of it: the date, which stands last, must be there too.
fn created(key: Option<WireKey>) -> Result<CreatedKey, CallError> {
    let key = key.ok_or_else(|| incomplete(CREATE, "holds no key"))?;
    let secret = SecretKey::new(key.secret_access_key);
    if secret.expose().is_empty() {
        return Err(incomplete(CREATE, "holds no secret"));
    }
    let id = KeyId::new(key.access_key_id).map_err(|_| incomplete(CREATE, "holds no valid key id"))?;
    Ok(CreatedKey { key: AccessKey { id, secret }, created: time(CREATE, key.create_date.as_ref())? })
}

/// Smithy's time as ours, to the nanosecond.
pub(super) fn time(action: &'static str, at: Option<&aws_smithy_types::DateTime>) -> Result<Time, CallError> {
    let at = at.ok_or_else(|| incomplete(action, "lacks a date"))?;
    DateTime::from_timestamp(at.secs(), at.subsec_nanos()).ok_or_else(|| incomplete(action, "holds an impossible date"))
}
