//! What an entry of the keychain holds: a key as `credential_process` prints it, or the stashed keys of a rotation.
//!
//! Text in and text out; an error names what is wrong and never quotes it.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::keys::facts::KeyId;
use crate::keys::secret::{AccessKey, SecretKey};

/// Version 1 of the `credential_process` contract (AWS CLI user guide, 'Sourcing credentials with an external
/// process'): without `Expiration` the credentials are long-term ones.
const VERSION: u32 = 1;

/// Enough for two keys: a vector that grew would leave copies behind.
const CAPACITY: usize = 1024;

/// Content that is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotARecord {
    #[error("it is not the JSON that was written there")]
    NotOurJson,
    #[error("it has another version than 1")]
    Version,
    #[error("its AccessKeyId is not that of a long-term key")]
    KeyId,
    #[error("its SecretAccessKey is empty")]
    NoSecret,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Record {
    version: u32,
    access_key_id: String,
    secret_access_key: Zeroizing<String>,
}

impl Record {
    fn of(key: &AccessKey) -> Self {
        let secret_access_key = Zeroizing::new(key.secret.expose().to_owned());
        Self { version: VERSION, access_key_id: key.id.to_string(), secret_access_key }
    }

    fn key(self) -> Result<AccessKey, NotARecord> {
        if self.version != VERSION {
            return Err(NotARecord::Version);
        }
        if self.secret_access_key.is_empty() {
            return Err(NotARecord::NoSecret);
        }
        let id = KeyId::new(self.access_key_id).map_err(|_| NotARecord::KeyId)?;
        Ok(AccessKey { id, secret: SecretKey::new(self.secret_access_key.as_str().to_owned()) })
    }
}

/// The key as the AWS tools take it from a `credential_process`.
#[must_use]
pub fn write_key(key: &AccessKey) -> Zeroizing<Vec<u8>> {
    written(&Record::of(key))
}

/// # Errors
/// [`NotARecord`] for anything but what [`write_key`] writes.
pub fn read_key(bytes: &[u8]) -> Result<AccessKey, NotARecord> {
    serde_json::from_slice::<Record>(bytes).map_err(|_| NotARecord::NotOurJson)?.key()
}

/// The stashed keys of one rotation.
#[must_use]
pub fn write_keys(keys: &[AccessKey]) -> Zeroizing<Vec<u8>> {
    written(&keys.iter().map(Record::of).collect::<Vec<_>>())
}

/// # Errors
/// [`NotARecord`] for anything but what [`write_keys`] writes.
pub fn read_keys(bytes: &[u8]) -> Result<Vec<AccessKey>, NotARecord> {
    let records: Vec<Record> = serde_json::from_slice(bytes).map_err(|_| NotARecord::NotOurJson)?;
    records.into_iter().map(Record::key).collect()
}

fn written(value: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(CAPACITY));
    // Strings and numbers into memory: there is nothing that could fail.
    let _ = serde_json::to_writer(&mut *bytes, value);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, secret: &str) -> AccessKey {
        AccessKey { id: KeyId::new(id).unwrap(), secret: SecretKey::new(secret.to_owned()) }
    }

    #[test]
    fn a_key_is_written_as_the_contract_says_and_read_back() {
        let one = key("AKIAEXAMPLE000000001", "wJalr/se+cret");
        let text = write_key(&one);
        assert_eq!(
            std::str::from_utf8(&text).unwrap(),
            r#"{"Version":1,"AccessKeyId":"AKIAEXAMPLE000000001","SecretAccessKey":"wJalr/se+cret"}"#
        );
        assert_eq!(read_key(&text), Ok(one.clone()));
        let two = vec![one, key("AKIAEXAMPLE000000002", "other")];
        assert_eq!(read_keys(&write_keys(&two)), Ok(two));
    }

    #[test]
    fn what_somebody_edited_is_refused_and_not_quoted() {
        for (text, why) in [
            ("", NotARecord::NotOurJson),
            ("wJalr/se+cret", NotARecord::NotOurJson),
            (r#"{"Version":1,"AccessKeyId":"AKIAEXAMPLE000000001"}"#, NotARecord::NotOurJson),
            (r#"{"Version":2,"AccessKeyId":"AKIAEXAMPLE000000001","SecretAccessKey":"s"}"#, NotARecord::Version),
            (r#"{"Version":1,"AccessKeyId":"wJalr/se+cret","SecretAccessKey":"s"}"#, NotARecord::KeyId),
            (r#"{"Version":1,"AccessKeyId":"AKIAEXAMPLE000000001","SecretAccessKey":""}"#, NotARecord::NoSecret),
        ] {
            assert_eq!(read_key(text.as_bytes()), Err(why), "{text}");
            assert!(!format!("{why} {why:?}").contains("wJalr"));
        }
    }

    /// Credential Manager takes 2,560 bytes (Microsoft, `CRED_MAX_CREDENTIAL_BLOB_SIZE`).
    #[test]
    fn two_keys_fit_into_every_keychain_and_into_the_reserved_room() {
        let longest = key("AKIAEXAMPLE000000001", &"s".repeat(128));
        let length = write_keys(&[longest.clone(), longest]).len();
        assert!(length < CAPACITY, "{length}");
        const { assert!(CAPACITY < 2560) };
    }
}
