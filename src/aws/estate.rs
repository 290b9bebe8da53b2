//! [`Estate`] over the SDK: the caller, its organization, and the way into the other accounts.
//!
//! One method, one attempt of one call. All accounts share one HTTP client.

use std::fmt;

use aws_sdk_organizations::types::Account;
use aws_types::SdkConfig;
use chrono::TimeDelta;

use super::credentials::{self, EstateProblem, Found};
use super::directory::AwsDirectory;
use super::endpoint::{Destination, Service};
use super::error::{call_error, incomplete};
use super::iam::time;
use super::post::AwsPost;
use super::session::{Limits, Shared, Source, quiet};
use crate::keys::facts::{Identity, KeyId};
use crate::keys::secret::{SecretKey, Session, Signer};
use crate::ports::{CallError, Estate, MemberAccount, Page, RoleToAssume};

const IDENTITY: &str = "sts:GetCallerIdentity";
const ASSUME: &str = "sts:AssumeRole";
const DESCRIBE: &str = "organizations:DescribeOrganization";
const ACCOUNTS: &str = "organizations:ListAccounts";
const ACCOUNTS_OF: &str = "organizations:ListAccountsForParent";
const UNITS: &str = "organizations:ListOrganizationalUnitsForParent";

/// Seconds: the longest that a role taken on from another role may last (STS API reference, `AssumeRole`).
const ROLE_SECONDS: i32 = 3600;
/// The most that Organizations gives at once (API reference, `MaxResults`).
const MOST_RESULTS: i32 = 20;

/// AWS as one set of credentials sees it.
pub struct AwsEstate {
    shared: Shared,
    source: Source,
    sts: aws_sdk_sts::Client,
    organizations: aws_sdk_organizations::Client,
    signing_key: Option<KeyId>,
    temporary: bool,
}

impl fmt::Debug for AwsEstate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsEstate").field("destination", &self.shared.destination).finish_non_exhaustive()
    }
}

impl AwsEstate {
    /// With the credentials of `profile`, or without one of the SDK's standard chain. They are got here, once;
    /// where that is a call (`sts:AssumeRole` of a profile, SSO, a metadata service), it is the only one.
    ///
    /// # Errors
    /// [`EstateProblem`] where there are no credentials.
    pub async fn connect(destination: Destination, profile: Option<&str>) -> Result<Self, EstateProblem> {
        let shared = Shared::new(destination, Limits::default());
        let found = credentials::find(&shared, profile).await?;
        Ok(Self::with_source(shared, found))
    }

    /// With the credentials of `signer`, which are not renewed.
    #[must_use]
    pub fn signed_by(destination: Destination, limits: Limits, signer: &Signer) -> Self {
        let found = Found {
            source: Source::fixed(signer),
            signing_key: match signer {
                Signer::Key(key) => Some(key.id.clone()),
                Signer::Session(_) => None,
            },
            temporary: matches!(signer, Signer::Session(_)),
        };
        Self::with_source(Shared::new(destination, limits), found)
    }

    fn with_source(shared: Shared, found: Found) -> Self {
        let Found { source, signing_key, temporary } = found;
        let config = |service| shared.config_once(service, &source);
        let sts = shared.sts(&config(Service::Sts));
        let organizations = organizations(&shared, &config(Service::Organizations));
        Self { shared, source, sts, organizations, signing_key, temporary }
    }

    /// What sends notices, with the same credentials.
    #[must_use]
    pub fn post(&self) -> AwsPost {
        AwsPost::new(self.shared.clone(), self.source.clone())
    }

    /// The configuration of a client of `service` that signs as this estate does.
    #[cfg(feature = "lambda")]
    pub(super) fn config(&self, service: Service) -> SdkConfig {
        self.shared.config_in(service, &self.source, None)
    }

    /// True where `service` is not AWS's own.
    #[cfg(feature = "lambda")]
    pub(super) fn is_custom(&self, service: Service) -> bool {
        self.shared.destination.url(service).is_some()
    }

    /// True where the credentials expire by themselves.
    #[must_use]
    pub fn temporary(&self) -> bool {
        self.temporary
    }
}

fn organizations(shared: &Shared, config: &SdkConfig) -> aws_sdk_organizations::Client {
    let config = aws_sdk_organizations::config::Builder::from(config).interceptor(shared.service_time.clone());
    aws_sdk_organizations::Client::from_conf(config.build())
}

impl Estate for AwsEstate {
    type Account = AwsDirectory;

    async fn identity(&self) -> Result<Identity, CallError> {
        let answer = quiet(self.sts.get_caller_identity().send()).await.map_err(|e| call_error(IDENTITY, &e))?;
        match (answer.account, answer.arn) {
            (Some(account), Some(arn)) if !account.is_empty() && !arn.is_empty() => Ok(Identity { account, arn }),
            _ => Err(incomplete(IDENTITY, "names no account or no ARN")),
        }
    }

    async fn management_account(&self) -> Result<String, CallError> {
        let answer = quiet(self.organizations.describe_organization().send()).await;
        let answer = answer.map_err(|e| call_error(DESCRIBE, &e))?;
        let id = answer.organization.and_then(|it| it.master_account_id).filter(|id| !id.is_empty());
        id.ok_or_else(|| incomplete(DESCRIBE, "does not name the management account"))
    }

    async fn accounts_page(&self, unit: Option<&str>, token: Option<&str>) -> Result<Page<MemberAccount>, CallError> {
        let token = token.map(str::to_owned);
        let (action, accounts, next) = if let Some(unit) = unit {
            let call = self.organizations.list_accounts_for_parent().parent_id(unit).max_results(MOST_RESULTS);
            let answer = quiet(call.set_next_token(token).send()).await.map_err(|e| call_error(ACCOUNTS_OF, &e))?;
            (ACCOUNTS_OF, answer.accounts, answer.next_token)
        } else {
            let call = self.organizations.list_accounts().max_results(MOST_RESULTS);
            let answer = quiet(call.set_next_token(token).send()).await.map_err(|e| call_error(ACCOUNTS, &e))?;
            (ACCOUNTS, answer.accounts, answer.next_token)
        };
        let accounts = accounts.ok_or_else(|| incomplete(action, "holds no list"))?;
        let items = accounts.into_iter().map(|account| member(action, account)).collect::<Result<_, _>>()?;
        Ok(Page { items, next: next.filter(|token| !token.is_empty()) })
    }

    async fn units_page(&self, parent: &str, token: Option<&str>) -> Result<Page<String>, CallError> {
        let call = self.organizations.list_organizational_units_for_parent().parent_id(parent);
        let call = call.max_results(MOST_RESULTS).set_next_token(token.map(str::to_owned));
        let answer = quiet(call.send()).await.map_err(|e| call_error(UNITS, &e))?;
        let units = answer.organizational_units.ok_or_else(|| incomplete(UNITS, "holds no list"))?;
        let ids = units.into_iter().map(|unit| unit.id.filter(|id| !id.is_empty()));
        let items: Option<Vec<String>> = ids.collect();
        let items = items.ok_or_else(|| incomplete(UNITS, "holds a unit without an id"))?;
        Ok(Page { items, next: answer.next_token.filter(|token| !token.is_empty()) })
    }

    fn own(&self) -> AwsDirectory {
        AwsDirectory::new(&self.shared, &self.source)
    }

    async fn assume(&self, role: &RoleToAssume) -> Result<AwsDirectory, CallError> {
        let call = self.sts.assume_role().role_arn(&role.arn).role_session_name(&role.session_name);
        let call = call.set_external_id(role.external_id.clone()).duration_seconds(ROLE_SECONDS);
        let answer = quiet(call.send()).await.map_err(|e| call_error(ASSUME, &e))?;
        let given = answer.credentials.ok_or_else(|| incomplete(ASSUME, "holds no credentials"))?;
        if given.access_key_id.is_empty() || given.secret_access_key.is_empty() || given.session_token.is_empty() {
            return Err(incomplete(ASSUME, "holds only a part of the credentials"));
        }
        let session = Session {
            id: given.access_key_id,
            secret: SecretKey::new(given.secret_access_key),
            token: SecretKey::new(given.session_token),
            expires: time(ASSUME, Some(&given.expiration))?,
        };
        Ok(AwsDirectory::new(&self.shared, &Source::fixed(&Signer::Session(session))))
    }

    fn clock_offset(&self) -> Option<TimeDelta> {
        self.shared.service_time.offset()
    }

    fn signing_key(&self) -> Option<KeyId> {
        self.signing_key.clone()
    }
}

/// `State` takes the place of `Status` (Organizations API reference, `Account`); an answer may have either.
#[allow(deprecated, reason = "the older field is all that some answers have")]
fn member(action: &'static str, account: Account) -> Result<MemberAccount, CallError> {
    let state = account.state.map(|state| state.as_str().to_owned());
    let state = state.or_else(|| account.status.map(|status| status.as_str().to_owned()));
    match (account.id, state) {
        (Some(id), Some(state)) if !id.is_empty() && !state.is_empty() => {
            Ok(MemberAccount { id, name: account.name.unwrap_or_default(), state })
        }
        _ => Err(incomplete(action, "holds an account without an id or a state")),
    }
}
