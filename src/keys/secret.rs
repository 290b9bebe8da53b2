//! The one type for what must not be seen, and the one way out of it.
//!
//! Nothing here may implement `Display`, `Serialize` or a telling `Debug` for a secret.

use std::fmt;

use zeroize::Zeroizing;

use super::facts::{KeyId, Time};

/// A secret access key, a session token or an MFA code.
///
/// Its memory is wiped on drop, `Debug` shows a mask, and [`SecretKey::expose`] is the only way out:
/// a search for that word lists every place where a secret leaves its type.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(Zeroizing<String>);

impl SecretKey {
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The secret itself, for the wire or the store and nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(****)")
    }
}

/// A long-term access key: its id and its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    pub id: KeyId,
    pub secret: SecretKey,
}

/// Temporary credentials that `GetSessionToken` gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The temporary key's id (`ASIA…`): CloudTrail names it as the signer.
    pub id: String,
    pub secret: SecretKey,
    pub token: SecretKey,
    pub expires: Time,
}

/// What signs a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    Key(AccessKey),
    Session(Session),
}

impl Signer {
    /// The signer's key id, as CloudTrail shows it.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Key(key) => key.id.as_str(),
            Self::Session(session) => &session.id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_of_a_key_shows_its_id_and_never_its_secret() {
        let key = AccessKey {
            id: KeyId::new("AKIAEXAMPLE000000001").unwrap(),
            secret: SecretKey::new("wJalr/very+secret".into()),
        };
        let shown = format!("{key:?} {key:#?}");
        assert!(shown.contains("AKIAEXAMPLE000000001"));
        assert!(!shown.contains("wJalr"));
    }
}
