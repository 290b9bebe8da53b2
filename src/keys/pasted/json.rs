//! The JSON of a key: as `credential_process`, our keychain's entries and our sinks have it, and as `aws iam
//! create-access-key` prints it.

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Found, NotAKey, Problem};

/// Of other fields there may be any: `aws iam create-access-key` has the user, the status and the date as well.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    #[serde(alias = "access_key_id")]
    access_key_id: Option<Zeroizing<String>>,
    #[serde(alias = "secret_access_key")]
    secret_access_key: Option<Zeroizing<String>>,
    #[serde(alias = "session_token")]
    session_token: Option<Zeroizing<String>>,
    access_key: Option<Box<Self>>,
    /// `aws sts get-session-token` and kin.
    credentials: Option<Box<Self>>,
}

/// A bracket may also be that of a section in an AWS file.
pub(super) fn is_it(text: &str) -> bool {
    let text = text.trim_start();
    let in_array = text.strip_prefix('[').map(str::trim_start);
    text.starts_with('{') || in_array.is_some_and(|rest| rest.starts_with(['{', ']']))
}

pub(super) fn found(text: &str) -> Result<Vec<Found>, NotAKey> {
    let written: Vec<Written> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text)
    } else {
        serde_json::from_str(text).map(|one| vec![one])
    }
    // The parser's own words could quote what it read: its place is enough.
    .map_err(|error| NotAKey { line: u64::try_from(error.line()).ok(), problem: Problem::Json })?;
    let mut found = Vec::new();
    for one in written {
        collect(one, &mut found);
    }
    Ok(found)
}

fn collect(written: Written, found: &mut Vec<Found>) {
    let text = |value: Option<Zeroizing<String>>| super::value(value.as_ref().map(|value| value.as_str()));
    found.push(Found {
        line: None,
        id: text(written.access_key_id),
        secret: text(written.secret_access_key),
        session: text(written.session_token).is_some(),
    });
    for inner in [written.access_key, written.credentials].into_iter().flatten() {
        collect(*inner, found);
    }
}
