//! What IAM says of users and keys, as our own plain types.
//!
//! Nothing here may know the SDK; ids are checked once, on construction.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// An instant in the service's time.
pub type Time = DateTime<Utc>;

/// A value that cannot be what it claims to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value:?} is not valid: {why}")]
pub struct NotValid {
    pub what: &'static str,
    pub value: String,
    pub why: &'static str,
}

/// The id of an access key, such as `AKIA…`: 16 to 128 of `[A-Z0-9]` (IAM API reference, `AccessKey`),
/// and never a temporary key's `ASIA…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(String);

impl KeyId {
    /// # Errors
    /// [`NotValid`] when `id` cannot be a long-term access key's id.
    pub fn new(id: impl Into<String>) -> Result<Self, NotValid> {
        let id = id.into();
        let not_valid = |why| NotValid { what: "access key id", value: id.clone(), why };
        if id.starts_with("ASIA") {
            return Err(not_valid("it is a temporary key's"));
        }
        if !(16..=128).contains(&id.len()) {
            return Err(not_valid("an id has 16 to 128 characters"));
        }
        if !id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
            return Err(not_valid("an id has capital letters and digits only"));
        }
        Ok(Self(id))
    }

    /// An id that no key has: AWS makes them in base 32, which is without the digits 0, 1, 8 and 9. A call about it
    /// changes nothing, and its refusal tells whether the call is permitted.
    #[must_use]
    pub fn impossible() -> Self {
        Self("AKIA0189018901890189".to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for KeyId {
    type Error = NotValid;
    fn try_from(id: String) -> Result<Self, NotValid> {
        Self::new(id)
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.0
    }
}

/// State of a key at IAM. Open-ended: AWS has added `Expired` and may add more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    Active,
    Inactive,
    Other(String),
}

impl Status {
    #[must_use]
    pub fn from_wire(word: &str) -> Self {
        match word {
            "Active" => Self::Active,
            "Inactive" => Self::Inactive,
            other => Self::Other(other.to_owned()),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "Active",
            Self::Inactive => "Inactive",
            Self::Other(word) => word,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One row of `ListAccessKeys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    pub id: KeyId,
    pub status: Status,
    pub created: Time,
}

/// `GetAccessKeyLastUsed`. It proves use, never disuse: the record lags by an unpublished time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUsed {
    pub at: Time,
    pub service: String,
    pub region: String,
}

/// Who a signer is, as `GetCallerIdentity` says: the account, and the ARN of an IAM user.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    pub account: String,
    pub arn: String,
}

impl Identity {
    /// The IAM user's name (the last segment of its ARN, behind any path), or `None` when the ARN is
    /// root's, a role's or a federated user's.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        let resource = self.arn.splitn(6, ':').nth(5)?;
        resource.strip_prefix("user/")?.rsplit('/').next().filter(|name| !name.is_empty())
    }

    /// `aws`, `aws-cn` or `aws-us-gov`.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.arn.split(':').nth(1).unwrap_or("aws")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_ids_are_checked_on_construction() {
        assert!(KeyId::new("AKIAIOSFODNN7EXAMPLE").is_ok());
        for bad in ["", "AKIA", "akiaiosfodnn7example", "AKIAIOSFODNN7 EXAMPLE", "ASIAIOSFODNN7EXAMPLE"] {
            assert!(KeyId::new(bad).is_err(), "{bad:?}");
        }
        assert!(serde_json::from_str::<KeyId>("\"nonsense\"").is_err());
        assert!(KeyId::new(KeyId::impossible().as_str()).is_ok(), "IAM looks for it");
    }

    #[test]
    fn the_user_name_is_the_last_segment_and_only_of_iam_users() {
        let of = |arn: &str| Identity { account: "123456789012".into(), arn: arn.into() }.user().map(str::to_owned);
        assert_eq!(of("arn:aws:iam::123456789012:user/alice").as_deref(), Some("alice"));
        assert_eq!(of("arn:aws-cn:iam::123456789012:user/dev/eu/alice").as_deref(), Some("alice"));
        assert_eq!(of("arn:aws:iam::123456789012:root"), None);
        assert_eq!(of("arn:aws:sts::123456789012:assumed-role/r/s"), None);
    }
}
