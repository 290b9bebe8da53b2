//! The few traits the runner needs from the world, and the words they share.
//!
//! Each has two real implementations: the machine's own (`aws`, `host`, `cli`) and the model's in
//! the tests. Nothing here may name an adapter.

use std::fmt;

use chrono::TimeDelta;

use crate::keys::facts::{Identity, KeyFacts, KeyId, LastUsed, Time};
use crate::keys::journal::{Event, Rotation, RotationId};
use crate::keys::purge::row::{AccountSummary, KeyRow};
use crate::keys::purge::{Tags, UserFacts};
use crate::keys::secret::{AccessKey, SecretKey, Session, Signer};

/// Actions of IAM as errors name them. Whoever counts the refusals of one, and the adapter that meets them, must mean the
/// same.
pub mod action {
    pub const GET_GROUP: &str = "iam:GetGroup";
    pub const LIST_USERS: &str = "iam:ListUsers";
    pub const GET_USER: &str = "iam:GetUser";
    pub const LIST_GROUPS_FOR_USER: &str = "iam:ListGroupsForUser";
    pub const LIST_ACCESS_KEYS: &str = "iam:ListAccessKeys";
    pub const GET_ACCESS_KEY_LAST_USED: &str = "iam:GetAccessKeyLastUsed";
    pub const TAG_USER: &str = "iam:TagUser";
    pub const UNTAG_USER: &str = "iam:UntagUser";
    pub const UPDATE_ACCESS_KEY: &str = "iam:UpdateAccessKey";
    pub const DELETE_ACCESS_KEY: &str = "iam:DeleteAccessKey";
}

/// Why a call gave no answer that can be used: the wire's codes, sorted by what they mean for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// `InvalidClientTokenId` and kin: the key is unknown, deleted, inactive or not yet propagated.
    KeyNotAccepted,
    /// `ExpiredToken`: the session's time is over.
    SessionExpired,
    /// `SignatureDoesNotMatch`: the secret is wrong, or the clock is.
    SignatureRefused,
    /// `AccessDenied`: the key is accepted, the action is not.
    AccessDenied,
    /// STS refused the MFA code: wrong, or used before.
    MfaCodeRefused,
    /// STS does not know this MFA device for this user.
    MfaDeviceUnknown,
    /// `LimitExceeded`: IAM's quota of two keys is full.
    QuotaFull,
    /// `Throttling` and kin. A definite refusal: nothing was done.
    Throttled,
    /// `NoSuchEntity`.
    NotFound,
    /// No connection was made: a definite 'nothing was done'.
    Unreachable,
    /// A time-out, a broken connection, a 5xx or an answer that cannot be read: it may have been done.
    Ambiguous,
    /// Any other definite refusal.
    Refused,
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct CallError {
    /// Such as `iam:CreateAccessKey`.
    pub action: &'static str,
    pub cause: Cause,
    /// The service's own code, when there was one.
    pub code: Option<String>,
    /// The service's own words, or the transport's; never a secret.
    pub message: String,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.action)?;
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// The answer of `CreateAccessKey`.
#[derive(Debug, Clone)]
pub struct CreatedKey {
    pub key: AccessKey,
    pub created: Time,
}

/// One `CreateAccessKey` event of CloudTrail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creation {
    /// The key that was made.
    pub key: KeyId,
    /// The key id that signed the call.
    pub signer: String,
    pub user_agent: String,
    pub at: Time,
}

/// AWS, as one rotation needs it. Each method is one call on the wire, unless it says otherwise.
pub trait Iam {
    /// `sts:GetCallerIdentity`.
    fn identity(&self, signer: &Signer) -> impl Future<Output = Result<Identity, CallError>>;
    /// `sts:GetSessionToken` for 900 s with one MFA code.
    fn open_session(
        &self,
        key: &AccessKey,
        mfa_serial: &str,
        mfa_code: &SecretKey,
    ) -> impl Future<Output = Result<Session, CallError>>;
    /// `iam:ListMFADevices`: the devices' serials (ARNs).
    fn mfa_serials(&self, signer: &Signer, user: &str) -> impl Future<Output = Result<Vec<String>, CallError>>;
    /// `iam:ListAccessKeys`, all pages.
    fn list_keys(&self, signer: &Signer, user: &str) -> impl Future<Output = Result<Vec<KeyFacts>, CallError>>;
    /// `iam:ListAccessKeys` without a user name: the signer's own user, which only a long-term key may
    /// leave out.
    fn list_own_keys(&self, signer: &Signer) -> impl Future<Output = Result<Vec<KeyFacts>, CallError>>;
    /// `iam:CreateAccessKey`, ONE attempt, attributed by `rotation` in the user agent.
    fn create_key(
        &self,
        signer: &Signer,
        user: &str,
        rotation: &RotationId,
    ) -> impl Future<Output = Result<CreatedKey, CallError>>;
    /// `iam:UpdateAccessKey`.
    fn set_active(
        &self,
        signer: &Signer,
        user: &str,
        key: &KeyId,
        active: bool,
    ) -> impl Future<Output = Result<(), CallError>>;
    /// `iam:DeleteAccessKey`.
    fn delete_key(&self, signer: &Signer, user: &str, key: &KeyId) -> impl Future<Output = Result<(), CallError>>;
    /// `iam:GetAccessKeyLastUsed`, which also tells whose key it is; no use is 'never, or not recorded yet'.
    fn key_use(&self, signer: &Signer, key: &KeyId) -> impl Future<Output = Result<KeyUse, CallError>>;
    /// `iam:GetUser`: who the user of this name is.
    fn user(&self, signer: &Signer, name: &str) -> impl Future<Output = Result<Identity, CallError>>;
    /// `sts:GetAccessKeyInfo`: the account of a key, also of one that is off and mostly of one that is gone.
    fn key_account(&self, signer: &Signer, key: &KeyId) -> impl Future<Output = Result<String, CallError>>;
    /// `cloudtrail:LookupEvents` by the signer's key id since `since`, all pages: the keys it made.
    fn keys_made_by(
        &self,
        signer: &Signer,
        made_by: &str,
        since: Time,
    ) -> impl Future<Output = Result<Vec<Creation>, CallError>>;
    /// Service time minus local time, from the `Date` of the newest answer (whole seconds); `None`
    /// before the first.
    fn clock_offset(&self) -> Option<TimeDelta>;
    /// How long one attempt of `CreateAccessKey` may take before it counts as lost.
    fn call_timeout(&self) -> TimeDelta;
}

/// A store that did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// It is not broken: somebody must decide.
    pub needs_decision: bool,
}

/// A key in the place where the AWS tools read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedKey {
    /// Every profile that holds this id, in the file's order.
    pub profiles: Vec<String>,
    pub key: AccessKey,
}

/// Where secrets live on this machine: the published place and the stash beside it.
pub trait SecretStore {
    /// S0: writes, syncs and removes a probe of the final size, in the published place and the stash.
    fn prove_writable(&self) -> Result<(), StoreError>;
    /// Reads the published keys afresh, as the AWS SDK reads them.
    fn published(&self) -> Result<Vec<PublishedKey>, StoreError>;
    /// One atomic replace: every profile that holds `old` gets `new`. Durable on return.
    fn publish(&self, old: &KeyId, new: &AccessKey) -> Result<(), StoreError>;
    /// Keeps a copy of `key` for `rotation`, out of the published place. Durable on return.
    fn stash(&self, rotation: &RotationId, key: &AccessKey) -> Result<(), StoreError>;
    /// The keys stashed for `rotation`.
    fn stashed(&self, rotation: &RotationId) -> Result<Vec<AccessKey>, StoreError>;
    /// Erases the copy stashed for `rotation`; no copy is no error.
    fn erase(&self, rotation: &RotationId, key: &KeyId) -> Result<(), StoreError>;
}

/// The record of intents. What `append` returned for is on the disk.
pub trait Journal {
    /// S0: refuses what this program may not write, such as a newer format.
    fn prove_writable(&self) -> Result<(), StoreError>;
    /// All rotations, folded, oldest first.
    fn rotations(&self) -> Result<Vec<Rotation>, StoreError>;
    fn append(&self, rotation: &RotationId, at: Time, event: Event) -> Result<(), StoreError>;
}

/// Local time and patience.
pub trait Clock {
    /// Now, by the local clock.
    fn now(&self) -> Time;
    /// Returns early once a stop is requested.
    fn sleep(&self, duration: TimeDelta) -> impl Future<Output = ()>;
    /// SIGINT or SIGTERM came: finish the step in hand, then stop.
    fn stop_requested(&self) -> bool;
    /// A fresh random rotation id.
    fn new_rotation_id(&self) -> RotationId;
}

/// No MFA code could be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NoCode {
    pub message: String,
    pub hint: Option<String>,
}

/// The person at the terminal, or nobody.
pub trait Desk {
    /// A current code of the device `mfa_serial`; `refused` is how many codes STS has refused in this
    /// run, so that the NEXT code can be asked for.
    fn mfa_code(&self, mfa_serial: &str, refused: u32) -> impl Future<Output = Result<SecretKey, NoCode>>;
    /// A yes-or-no question; `None` where nobody can be asked.
    fn confirm(&self, question: &str) -> Option<bool>;
    /// One line of progress.
    fn tell(&self, line: &str);
}

/// All of the world that one run may touch: the machine's in the program, a model's in the tests.
pub trait World {
    type Iam: Iam;
    type Store: SecretStore;
    type Journal: Journal;
    type Clock: Clock;
    type Desk: Desk;

    fn iam(&self) -> &Self::Iam;
    fn store(&self) -> &Self::Store;
    fn journal(&self) -> &Self::Journal;
    fn clock(&self) -> &Self::Clock;
    fn desk(&self) -> &Self::Desk;
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the list goes on.
    pub next: Option<String>,
}

/// What `GetUser` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedUser {
    pub user: UserFacts,
    /// In the service's time; `None` where the answer does not say.
    pub created: Option<Time>,
    pub tags: Tags,
}

/// The answer to a write: the service's id of the request, where it gave one.
pub type RequestId = Option<String>;

/// IAM of one account, as the purge needs it. Each method is one call on the wire and repeats nothing: the
/// runner paces, repeats and follows the pages.
pub trait Directory {
    /// The account's id, once an answer has shown an ARN. No call.
    fn account(&self) -> Option<String>;
    /// `iam:GetGroup`, at most 1000 members a page.
    fn group_page(&self, group: &str, marker: Option<&str>)
    -> impl Future<Output = Result<Page<UserFacts>, CallError>>;
    /// `iam:ListUsers`, at most 1000 a page.
    fn users_page(&self, marker: Option<&str>) -> impl Future<Output = Result<Page<UserFacts>, CallError>>;
    /// `iam:GetUser`.
    fn user(&self, name: &str) -> impl Future<Output = Result<TaggedUser, CallError>>;
    /// `iam:ListGroupsForUser`: the names.
    fn groups_page(&self, user: &str, marker: Option<&str>) -> impl Future<Output = Result<Page<String>, CallError>>;
    /// `iam:ListAccessKeys`.
    fn keys_page(&self, user: &str, marker: Option<&str>) -> impl Future<Output = Result<Page<KeyFacts>, CallError>>;
    /// `iam:GetAccessKeyLastUsed`.
    fn key_use(&self, key: &KeyId) -> impl Future<Output = Result<KeyUse, CallError>>;
    /// `iam:TagUser`.
    fn tag(&self, user: &str, name: &str, value: &str) -> impl Future<Output = Result<RequestId, CallError>>;
    /// `iam:UntagUser`.
    fn untag(&self, user: &str, names: &[String]) -> impl Future<Output = Result<RequestId, CallError>>;
    /// `iam:UpdateAccessKey` to Inactive. The purge never makes a key Active.
    fn disable(&self, user: &str, key: &KeyId) -> impl Future<Output = Result<RequestId, CallError>>;
    /// `iam:DeleteAccessKey`.
    fn delete(&self, user: &str, key: &KeyId) -> impl Future<Output = Result<RequestId, CallError>>;
}

/// What `GetAccessKeyLastUsed` says of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// Whose key it is.
    pub user: Option<String>,
    pub last: Option<LastUsed>,
}

/// An account of the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberAccount {
    pub id: String,
    pub name: String,
    /// `ACTIVE`, or what Organizations calls it otherwise.
    pub state: String,
}

/// The organization and its accounts, seen with the credentials that the purge was given. One call each,
/// nothing repeated.
pub trait Estate {
    type Account: Directory;

    /// `sts:GetCallerIdentity`.
    fn identity(&self) -> impl Future<Output = Result<Identity, CallError>>;
    /// `organizations:DescribeOrganization`: the management account's id.
    fn management_account(&self) -> impl Future<Output = Result<String, CallError>>;
    /// `organizations:ListAccounts`, or with a unit `ListAccountsForParent`.
    fn accounts_page(
        &self,
        unit: Option<&str>,
        token: Option<&str>,
    ) -> impl Future<Output = Result<Page<MemberAccount>, CallError>>;
    /// `organizations:ListOrganizationalUnitsForParent`: the ids.
    fn units_page(&self, parent: &str, token: Option<&str>) -> impl Future<Output = Result<Page<String>, CallError>>;
    /// The caller's own account, with its own credentials. No call.
    fn own(&self) -> Self::Account;
    /// `sts:AssumeRole` for one hour.
    fn assume(&self, role: &RoleToAssume) -> impl Future<Output = Result<Self::Account, CallError>>;
    /// Service time minus local time, as [`Iam::clock_offset`].
    fn clock_offset(&self) -> Option<TimeDelta>;
    /// The key that signs, where it is a long-term one.
    fn signing_key(&self) -> Option<KeyId>;
}

/// A role in another account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleToAssume {
    pub arn: String,
    /// What an auditor reads in CloudTrail.
    pub session_name: String,
    pub external_id: Option<String>,
}

/// A report that could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the report {name} cannot be written: {why}")]
pub struct ReportError {
    pub name: String,
    pub why: String,
}

/// Takes what a purge finds and does, while it goes on. A row is told once, when nothing more happens to
/// the key; an account once, when it ended.
pub trait PurgeReport {
    fn key(&mut self, row: &KeyRow) -> Result<(), ReportError>;
    fn account(&mut self, account: &AccountSummary) -> Result<(), ReportError>;
}

/// How far a purge is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    pub accounts_done: u64,
    /// Known so far.
    pub accounts: u64,
    pub users_done: u64,
    /// Known so far.
    pub users: u64,
    pub writes_done: u64,
    pub writes: u64,
    pub calls: u64,
    pub throttled: u64,
}

/// Shows how far it is, or does not.
pub trait Gauge {
    fn show(&self, progress: &Progress);
}

/// None shows nothing.
impl<G: Gauge> Gauge for Option<G> {
    fn show(&self, progress: &Progress) {
        if let Some(gauge) = self {
            gauge.show(progress);
        }
    }
}
