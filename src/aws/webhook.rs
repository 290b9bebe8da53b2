//! A webhook: an address that is a secret, and one attempt to post to it.
//!
//! No error here holds the address, a header, or what was answered: who asks names the source instead.

use std::error::Error;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::time::timeout;
use url::Url;
use zeroize::Zeroizing;

use super::endpoint::loopback;
use super::error::{chain, never_connected};
use super::session::quiet;
use crate::keys::secret::SecretKey;

/// Headers that are ours, or the connection's.
const NOT_TO_SET: [&str; 8] =
    ["connection", "content-length", "content-type", "host", "idempotency-key", "te", "transfer-encoding", "upgrade"];
/// A receiver that asks for more patience is not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Where to post, and with which headers besides.
#[derive(Debug, Clone)]
pub struct Webhook {
    url: SecretKey,
    headers: Vec<(String, SecretKey)>,
}

/// A text that holds no webhook. Never says what it holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookProblem {
    #[error("it is empty")]
    Empty,
    #[error("it is not the JSON that it begins as: line {line}, column {column}")]
    Json { line: usize, column: usize },
    #[error("its JSON must be {{\"url\": \"…\", \"headers\": {{…}}}}, and nothing else: line {line}, column {column}")]
    Shape { line: usize, column: usize },
    #[error("what it holds is not one https address")]
    NotAnAddress,
    #[error("its address is plain http, and not on this machine: everybody on the way could read it")]
    PlainHttp,
    #[error("its address holds a user name or password: put them into an Authorization header")]
    UserInfo,
    #[error("header {0} of its JSON cannot be sent")]
    Header(usize),
}

/// Nothing is known to have been delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undelivered {
    /// It was refused, and would be again.
    Refused(String),
    /// It was refused, or never left: it may be tried again, where told after so long.
    NotNow(String, Option<Duration>),
    /// It may have been delivered.
    Unknown(String),
}

impl Undelivered {
    /// In words.
    #[must_use]
    pub fn why(&self) -> &str {
        match self {
            Self::Refused(why) | Self::NotNow(why, _) | Self::Unknown(why) => why,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    url: Zeroizing<String>,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, Zeroizing<String>>,
}

impl Webhook {
    /// The address alone, or JSON `{"url": "…", "headers": {"Authorization": "…"}}`. Only `https`, but for receivers on
    /// this machine.
    ///
    /// # Errors
    /// [`WebhookProblem`], without what the text holds.
    pub fn parse(text: &SecretKey) -> Result<Self, WebhookProblem> {
        let text = text.expose().trim().trim_start_matches('\u{feff}');
        if text.is_empty() {
            return Err(WebhookProblem::Empty);
        }
        if !text.starts_with('{') {
            check(text)?;
            return Ok(Self { url: SecretKey::new(text.to_owned()), headers: Vec::new() });
        }
        let written: Written = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            match serde_json::from_str::<IgnoredAny>(text) {
                Ok(_) => WebhookProblem::Shape { line, column },
                Err(_) => WebhookProblem::Json { line, column },
            }
        })?;
        check(&written.url)?;
        let url = SecretKey::new(written.url.to_string());
        let headers = written.headers.iter().map(|(name, value)| (name.clone(), SecretKey::new(value.to_string())));
        let hook = Self { url, headers: headers.collect() };
        let mut probe = HttpRequest::new(SdkBody::empty());
        for (number, (name, value)) in hook.headers.iter().enumerate() {
            let ours = NOT_TO_SET.iter().any(|own| name.eq_ignore_ascii_case(own));
            if ours || probe.headers_mut().try_insert(name.to_ascii_lowercase(), value.expose().to_owned()).is_err() {
                return Err(WebhookProblem::Header(number + 1));
            }
        }
        Ok(hook)
    }

    /// One attempt, within `limit`.
    pub(super) async fn post(
        &self,
        connector: &SharedHttpConnector,
        limit: Duration,
        json: &str,
        key: Option<&str>,
    ) -> Result<(), Undelivered> {
        let request = self.request(json, key).map_err(|()| Undelivered::Refused("it cannot be sent".to_owned()))?;
        match timeout(limit, quiet(connector.call(request))).await {
            Ok(Ok(answer)) => judge(&answer),
            Ok(Err(error)) => Err(lost(&error)),
            Err(_) => Err(Undelivered::Unknown(format!("no answer within {} s", limit.as_secs()))),
        }
    }

    fn request(&self, json: &str, key: Option<&str>) -> Result<HttpRequest, ()> {
        let mut request = HttpRequest::new(SdkBody::from(json));
        request.set_method("POST").map_err(drop)?;
        request.set_uri(self.url.expose().to_owned()).map_err(drop)?;
        let headers = request.headers_mut();
        for (name, value) in &self.headers {
            headers.try_insert(name.to_ascii_lowercase(), value.expose().to_owned()).map_err(drop)?;
        }
        headers.try_insert("content-type", "application/json").map_err(drop)?;
        headers.try_insert("content-length", json.len().to_string()).map_err(drop)?;
        if !headers.contains_key("user-agent") {
            headers.try_insert("user-agent", concat!("keyrot-me/", env!("CARGO_PKG_VERSION"))).map_err(drop)?;
        }
        if let Some(key) = key {
            headers.try_insert("idempotency-key", key.to_owned()).map_err(drop)?;
        }
        Ok(request)
    }
}

fn check(text: &str) -> Result<(), WebhookProblem> {
    let plain = !text.chars().any(|letter| letter.is_control() || letter.is_whitespace());
    let url = Url::parse(text).ok().filter(|_| plain && text.is_ascii()).ok_or(WebhookProblem::NotAnAddress)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(WebhookProblem::UserInfo);
    }
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => Ok(()),
        ("http", Some(host)) if loopback(&host) => Ok(()),
        ("http", Some(_)) => Err(WebhookProblem::PlainHttp),
        _ => Err(WebhookProblem::NotAnAddress),
    }
}

fn judge(answer: &HttpResponse) -> Result<(), Undelivered> {
    let status = answer.status().as_u16();
    match status {
        200..=299 => Ok(()),
        300..=399 => Err(Undelivered::Refused(format!("HTTP {status}: a redirect, and none is followed"))),
        429 => {
            let wait = answer.headers().get("retry-after").and_then(|text| text.trim().parse().ok());
            let wait = wait.map(Duration::from_secs);
            let why = "HTTP 429: too many requests".to_owned();
            match wait {
                Some(wait) if wait > LONGEST_WAIT => Err(Undelivered::Refused(why)),
                wait => Err(Undelivered::NotNow(why, wait)),
            }
        }
        500.. => Err(Undelivered::Unknown(format!("HTTP {status}: the server failed"))),
        _ => Err(Undelivered::Refused(format!("HTTP {status}: it was refused"))),
    }
}

/// The transport's own words may name the host: only the system's are told.
fn lost(error: &ConnectorError) -> Undelivered {
    let error: &(dyn Error + 'static) = error;
    let system =
        chain(error).filter_map(|part| part.downcast_ref::<std::io::Error>()).find_map(std::io::Error::raw_os_error);
    let system = system.map_or_else(String::new, |code| format!(": {}", std::io::Error::from_raw_os_error(code)));
    if never_connected(error) {
        Undelivered::NotNow(format!("no connection could be made{system}"), None)
    } else {
        Undelivered::Unknown(format!("the connection broke{system}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "hooks.example.com/services/T0/B0/s3cr3t";

    fn parse(text: &str) -> Result<Webhook, WebhookProblem> {
        Webhook::parse(&SecretKey::new(text.to_owned()))
    }

    #[test]
    fn an_address_alone_and_one_with_headers_are_read() {
        assert_eq!(parse(&format!("https://{SECRET}\r\n")).unwrap().url.expose(), format!("https://{SECRET}"));
        for here in ["http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:9/x"] {
            assert!(parse(here).is_ok(), "{here}");
        }
        let text = format!("{{\"url\": \"https://{SECRET}\", \"headers\": {{\"Authorization\": \"Bearer s3cr3t\"}}}}");
        let hook = parse(&text).unwrap();
        let request = hook.request("{}", Some("1/AKIA/disable/2026-11-20")).unwrap();
        assert_eq!(request.headers().get("authorization"), Some("Bearer s3cr3t"));
        assert_eq!(request.headers().get("idempotency-key"), Some("1/AKIA/disable/2026-11-20"));
        assert_eq!((request.method(), request.uri()), ("POST", format!("https://{SECRET}").as_str()));
        assert!(!format!("{hook:?}").contains("s3cr3t"), "{hook:?}");
    }

    #[test]
    fn what_is_no_webhook_is_refused_and_not_repeated() {
        let header = |name: &str, value: &str| {
            format!("{{\"url\":\"https://{SECRET}\",\"headers\":{{\"{name}\":\"{value}s3cr3t\"}}}}")
        };
        for (text, problem) in [
            (" \n".to_owned(), WebhookProblem::Empty),
            (SECRET.to_owned(), WebhookProblem::NotAnAddress),
            (format!("https://{SECRET} https://{SECRET}"), WebhookProblem::NotAnAddress),
            (format!("https://a\nhttps://{SECRET}"), WebhookProblem::NotAnAddress),
            (format!("ftp://{SECRET}"), WebhookProblem::NotAnAddress),
            (format!("http://{SECRET}"), WebhookProblem::PlainHttp),
            (format!("http://127.0.0.1.{SECRET}"), WebhookProblem::PlainHttp),
            ("https://me:s3cr3t@hooks.example.com".to_owned(), WebhookProblem::UserInfo),
            (format!("{{\"url\": \"https://{SECRET}\""), WebhookProblem::Json { line: 1, column: 57 }),
            (header("Host", ""), WebhookProblem::Header(1)),
            (header("X-A", "\\r\\nX-B: "), WebhookProblem::Header(1)),
            (header("X A", ""), WebhookProblem::Header(1)),
        ] {
            let refused = parse(&text).unwrap_err();
            assert_eq!(refused, problem, "{text}");
            assert!(!refused.to_string().contains("s3cr3t"), "{refused}");
        }
        for text in [format!("{{\"uri\":\"https://{SECRET}\"}}"), "{\"url\": 1}".to_owned(), "{}".to_owned()] {
            assert!(matches!(parse(&text), Err(WebhookProblem::Shape { .. })), "{text}");
        }
    }
}
