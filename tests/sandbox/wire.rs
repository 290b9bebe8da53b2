//! The wire: which service and action a request means, and how answers and errors look in AWS's Query (XML) and
//! JSON 1.1 protocols. It knows no state and decides nothing.

use std::collections::BTreeMap;
use std::net::IpAddr;

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::{mail, s3};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    Iam,
    Sts,
    Sns,
    Organizations,
    CloudTrail,
    S3,
    Ses,
    SecretsManager,
}

impl Service {
    const ALL: [Service; 8] = [
        Self::Iam,
        Self::Sts,
        Self::Sns,
        Self::Organizations,
        Self::CloudTrail,
        Self::S3,
        Self::Ses,
        Self::SecretsManager,
    ];

    /// The name in a credential scope.
    pub fn name(self) -> &'static str {
        match self {
            Self::Iam => "iam",
            Self::Sts => "sts",
            Self::Sns => "sns",
            Self::Organizations => "organizations",
            Self::CloudTrail => "cloudtrail",
            Self::S3 => "s3",
            Self::Ses => "ses",
            Self::SecretsManager => "secretsmanager",
        }
    }

    pub fn speaks_json(self) -> bool {
        matches!(self, Self::Organizations | Self::CloudTrail | Self::Ses | Self::SecretsManager)
    }

    fn version(self) -> &'static str {
        match self {
            Self::Iam => "2010-05-08",
            Self::Sts => "2011-06-15",
            Self::Sns => "2010-03-31",
            Self::Organizations | Self::CloudTrail | Self::S3 | Self::Ses | Self::SecretsManager => "",
        }
    }

    fn namespace(self) -> &'static str {
        match self {
            Self::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Self::Sns => "http://sns.amazonaws.com/doc/2010-03-31/",
            Self::S3 => "http://s3.amazonaws.com/doc/2006-03-01/",
            Self::Organizations | Self::CloudTrail | Self::Ses | Self::SecretsManager => "",
        }
    }
}

/// A request as it came.
#[derive(Debug)]
pub struct Http {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    pub peer: IpAddr,
}

impl Http {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A request understood. `params` serves the Query services, `json` the others.
#[derive(Debug)]
pub struct Request {
    pub service: Service,
    pub action: String,
    pub params: BTreeMap<String, String>,
    pub json: Value,
    pub user_agent: String,
    pub http: Http,
}

impl Request {
    pub fn parse(http: Http) -> Option<Request> {
        let user_agent = http.header("user-agent").unwrap_or_default().to_owned();
        if let Some(target) = http.header("x-amz-target") {
            let (prefix, action) = target.rsplit_once('.')?;
            let service = match prefix {
                "AWSOrganizationsV20161128" => Service::Organizations,
                "CloudTrail_20131101" | "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101" => Service::CloudTrail,
                "secretsmanager" => Service::SecretsManager,
                _ => return None,
            };
            let action = action.to_owned();
            let json = serde_json::from_slice(&http.body).unwrap_or(Value::Null);
            return Some(Request { service, action, params: BTreeMap::new(), json, user_agent, http });
        }
        match scope_service(&http) {
            Some(Service::S3) => return s3::understood(http, user_agent),
            Some(Service::Ses) => return mail::understood(http, user_agent),
            _ => {}
        }
        let params: BTreeMap<String, String> = form_urlencoded::parse(http.query.as_bytes())
            .chain(form_urlencoded::parse(&http.body))
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        let action = params.get("Action")?.clone();
        let service = scope_service(&http).or_else(|| service_of_version(params.get("Version")?))?;
        Some(Request { service, action, params, json: Value::Null, user_agent, http })
    }

    pub fn known_version(&self) -> bool {
        self.service.speaks_json()
            || self.service == Service::S3
            || self.params.get("Version").is_some_and(|it| it == self.service.version())
    }

    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str)
    }

    pub fn required(&self, name: &str) -> Result<&str, Failure> {
        self.param(name).ok_or_else(|| {
            let field = lower_first(name);
            Failure::validation(&format!(
                "Value null at '{field}' failed to satisfy constraint: Member must not be null"
            ))
        })
    }

    /// `Name.member.1`, `Name.member.2`, …
    pub fn members(&self, name: &str) -> Vec<&str> {
        (1..).map_while(|n| self.param(&format!("{name}.member.{n}"))).collect()
    }

    /// The parameters without what must not be kept: one-time codes.
    pub fn kept_params(&self) -> BTreeMap<String, String> {
        if let Value::Object(map) = &self.json {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            return map.iter().map(|(key, value)| (key.clone(), text(value))).collect();
        }
        let hidden = ["Action", "Version", "TokenCode"];
        let kept = self.params.iter().filter(|(key, _)| !hidden.contains(&key.as_str()));
        kept.map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

fn scope_service(http: &Http) -> Option<Service> {
    let authorization = http.header("authorization")?;
    let scope = authorization.split("Credential=").nth(1)?.split(',').next()?;
    let name = scope.split('/').nth(3)?;
    Service::ALL.into_iter().find(|service| service.name() == name)
}

fn service_of_version(version: &str) -> Option<Service> {
    Service::ALL.into_iter().find(|service| !version.is_empty() && service.version() == version)
}

pub fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// An error in the Query services' words; `render` turns it into those of the JSON services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub status: u16,
    pub code: String,
    pub message: String,
}

impl Failure {
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Failure {
        Failure { status, code: code.to_owned(), message: message.into() }
    }

    pub fn denied(message: impl Into<String>) -> Failure {
        Failure::new(403, "AccessDenied", message)
    }

    pub fn invalid_token() -> Failure {
        Failure::new(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
    }

    pub fn throttled() -> Failure {
        Failure::new(400, "Throttling", "Rate exceeded")
    }

    pub fn validation(what: &str) -> Failure {
        Failure::new(400, "ValidationError", format!("1 validation error detected: {what}"))
    }

    pub fn not_found(message: impl Into<String>) -> Failure {
        Failure::new(404, "NoSuchEntity", message)
    }

    /// As this service words it.
    pub fn worded_for(self, service: Service) -> Failure {
        let (status, code) = match (service, self.code.as_str()) {
            (Service::Sns, "AccessDenied") => (403, "AuthorizationError"),
            (Service::Sts | Service::Sns, "ServiceFailure") => (500, "InternalFailure"),
            (Service::S3, "InvalidClientTokenId") => (403, "InvalidAccessKeyId"),
            (Service::S3, "Throttling") => (503, "SlowDown"),
            (Service::S3, "ServiceFailure") => (500, "InternalError"),
            (Service::Iam | Service::Sts | Service::Sns | Service::S3, _) => return self,
            (_, "InvalidClientTokenId") => (400, "UnrecognizedClientException"),
            (_, "SignatureDoesNotMatch") => (400, "InvalidSignatureException"),
            (_, "ExpiredToken") => (400, "ExpiredTokenException"),
            (_, "AccessDenied") => (400, "AccessDeniedException"),
            (_, "Throttling") => (400, "ThrottlingException"),
            (_, "ServiceFailure") => (500, "InternalFailure"),
            (_, "MissingAuthenticationToken") => (400, "MissingAuthenticationTokenException"),
            (_, "IncompleteSignature") => (400, "IncompleteSignatureException"),
            (_, "ValidationError") => (400, "ValidationException"),
            (_, "InvalidAction") => (400, "UnknownOperationException"),
            _ => return self,
        };
        Failure::new(status, code, self.message)
    }
}

/// What an action answers: the inside of `<ActionResult>` (or no such element), or a JSON object.
#[derive(Debug)]
pub enum Body {
    Xml(Option<String>),
    Json(Value),
    /// S3's: as it is, with the headers of an object.
    Plain {
        text: String,
        headers: Vec<(&'static str, String)>,
    },
}

#[derive(Debug)]
pub struct Rendered {
    pub status: u16,
    pub content_type: &'static str,
    pub body: String,
    pub headers: Vec<(&'static str, String)>,
}

pub fn render(service: Service, action: &str, request_id: &str, outcome: &Result<Body, Failure>) -> Rendered {
    let namespace = service.namespace();
    match outcome {
        Ok(Body::Json(value)) => {
            Rendered { status: 200, content_type: JSON, body: value.to_string(), headers: Vec::new() }
        }
        Ok(Body::Plain { text, headers }) => Rendered {
            status: 200,
            content_type: "application/octet-stream",
            body: text.clone(),
            headers: headers.clone(),
        },
        Ok(Body::Xml(result)) => {
            let result = result.as_ref().map(|inner| element(&format!("{action}Result"), inner)).unwrap_or_default();
            let metadata = element("ResponseMetadata", &text("RequestId", request_id));
            let body = format!("<{action}Response xmlns=\"{namespace}\">{result}{metadata}</{action}Response>\n");
            Rendered { status: 200, content_type: XML, body, headers: Vec::new() }
        }
        Err(failure) if service.speaks_json() => {
            let body = json!({"__type": failure.code, "message": failure.message}).to_string();
            Rendered { status: failure.status, content_type: JSON, body, headers: Vec::new() }
        }
        Err(failure) if service == Service::S3 => {
            let inner = text("Code", &failure.code) + &text("Message", &failure.message);
            let body = element("Error", &(inner + &text("RequestId", request_id)));
            Rendered { status: failure.status, content_type: XML, body, headers: Vec::new() }
        }
        Err(failure) => {
            let kind = if failure.status >= 500 { "Receiver" } else { "Sender" };
            let inner = text("Type", kind) + &text("Code", &failure.code) + &text("Message", &failure.message);
            let error = element("Error", &inner);
            let id = text("RequestId", request_id);
            let body = format!("<ErrorResponse xmlns=\"{namespace}\">{error}{id}</ErrorResponse>\n");
            Rendered { status: failure.status, content_type: XML, body, headers: Vec::new() }
        }
    }
}

const XML: &str = "text/xml";
const JSON: &str = "application/x-amz-json-1.1";

pub fn element(name: &str, inner: &str) -> String {
    format!("<{name}>{inner}</{name}>")
}

pub fn text(name: &str, value: &str) -> String {
    let escaped = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    element(name, &escaped)
}

pub fn list(name: &str, members: impl IntoIterator<Item = String>) -> String {
    let inner: String = members.into_iter().map(|inner| element("member", &inner)).collect();
    element(name, &inner)
}
