//! CloudTrail's look-up: which keys a signer has made.
//!
//! Reads events only. An event that cannot be read is an error: absence is what the caller judges by.

use std::time::Duration;

use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use chrono::DateTime;
use serde::Deserialize;

use super::endpoint::Service;
use super::error::{call_error, incomplete, refusal};
use super::session::{Shared, quiet};
use crate::keys::facts::{KeyId, Time};
use crate::keys::secret::Signer;
use crate::ports::{CallError, Creation};

const LOOKUP: &str = "cloudtrail:LookupEvents";
/// 50 events each (API reference, `LookupEvents`).
const MOST_PAGES: usize = 40;
/// Two calls a second are allowed per account and region.
const BETWEEN_PAGES: Duration = Duration::from_millis(500);

/// Only one attribute may be asked for: it is the signer, and the event's name is matched here.
pub(super) async fn keys_made_by(
    shared: &Shared,
    signer: &Signer,
    made_by: &str,
    since: Time,
) -> Result<Vec<Creation>, CallError> {
    let by_signer = LookupAttribute::builder()
        .attribute_key(LookupAttributeKey::AccessKeyId)
        .attribute_value(made_by)
        .build()
        .map_err(|_| refusal(LOOKUP, "the look-up could not be built".into()))?;
    let client = client(shared, signer);
    let mut made = Vec::new();
    let mut next: Option<String> = None;
    for page in 0..MOST_PAGES {
        if page > 0 {
            tokio::time::sleep(BETWEEN_PAGES).await;
        }
        let call = client.lookup_events().lookup_attributes(by_signer.clone());
        let call =
            call.start_time(aws_smithy_types::DateTime::from_secs(since.timestamp())).set_next_token(next.take());
        let answer = quiet(call.send()).await.map_err(|e| call_error(LOOKUP, &e))?;
        for event in answer.events() {
            if event.event_name() == Some("CreateAccessKey") {
                made.extend(creation(event.cloud_trail_event().unwrap_or_default())?);
            }
        }
        next = answer.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(made);
        }
    }
    Err(incomplete(LOOKUP, "has more events than this program reads"))
}

fn client(shared: &Shared, signer: &Signer) -> aws_sdk_cloudtrail::Client {
    let config = aws_sdk_cloudtrail::config::Builder::from(&shared.config(Service::CloudTrail, signer))
        .interceptor(shared.service_time.clone());
    aws_sdk_cloudtrail::Client::from_conf(config.build())
}

/// The parts of a record that matter (CloudTrail user guide, 'record contents').
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_time: String,
    #[serde(default)]
    user_agent: Option<String>,
    user_identity: WhoSigned,
    #[serde(default)]
    error_code: Option<String>,
    #[serde(default)]
    response_elements: Option<Response>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WhoSigned {
    #[serde(default)]
    access_key_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    access_key: MadeKey,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MadeKey {
    access_key_id: KeyId,
}

/// `None` for a create that was refused.
fn creation(event: &str) -> Result<Option<Creation>, CallError> {
    let record: Record =
        serde_json::from_str(event).map_err(|_| incomplete(LOOKUP, "holds an event that cannot be read"))?;
    if record.error_code.is_some() {
        return Ok(None);
    }
    let Some(response) = record.response_elements else { return Ok(None) };
    let at = DateTime::parse_from_rfc3339(&record.event_time)
        .map_err(|_| incomplete(LOOKUP, "holds an event without a readable time"))?;
    Ok(Some(Creation {
        key: response.access_key.access_key_id,
        signer: record.user_identity.access_key_id.unwrap_or_default(),
        user_agent: record.user_agent.unwrap_or_default(),
        at: at.to_utc(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_cloudtrail_is_understood() {
        let event = r#"{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","accessKeyId":"ASIAEXAMPLE000000001",
            "userName":"alice"},"eventTime":"2026-11-16T09:00:05Z","eventSource":"iam.amazonaws.com",
            "eventName":"CreateAccessKey","userAgent":"aws-sdk-rust/1.3 app/keyrot-0123456789abcdef",
            "requestParameters":{"userName":"alice"},"responseElements":{"accessKey":{"userName":"alice",
            "accessKeyId":"AKIAEXAMPLE000000002","status":"Active","createDate":"Nov 16, 2026 9:00:05 AM"}}}"#;
        let made = creation(event).unwrap().unwrap();
        assert_eq!(made.key.as_str(), "AKIAEXAMPLE000000002");
        assert_eq!(made.signer, "ASIAEXAMPLE000000001");
        assert!(made.user_agent.contains("app/keyrot-0123456789abcdef"));
        assert_eq!(made.at.to_rfc3339(), "2026-11-16T09:00:05+00:00");
    }

    #[test]
    fn a_refused_create_made_nothing_and_a_broken_record_is_an_error() {
        let refused = r#"{"userIdentity":{"accessKeyId":"AKIAEXAMPLE000000001"},"eventTime":"2026-11-16T09:00:05Z",
            "errorCode":"AccessDenied","errorMessage":"no","responseElements":null}"#;
        assert_eq!(creation(refused).unwrap(), None);
        assert!(creation("").is_err());
        assert!(creation(r#"{"userIdentity":{},"eventTime":"soon","responseElements":{"accessKey":{}}}"#).is_err());
    }
}
