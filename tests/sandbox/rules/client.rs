//! Clients for the rules' tests: the SDK's, without retries, and a raw one for the services whose SDK is not at hand
//! and for looking at connections.

use std::future::Future;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::OnceLock;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::sandbox::{Sandbox, Service};

/// One runtime and one connector for all tests: loading root certificates again for each would be the slowest part.
static COMMON: OnceLock<(tokio::runtime::Runtime, SdkConfig)> = OnceLock::new();

fn common() -> &'static (tokio::runtime::Runtime, SdkConfig) {
    COMMON.get_or_init(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .no_credentials()
            .retry_config(RetryConfig::disabled());
        let config = runtime.block_on(loader.load());
        (runtime, config)
    })
}

pub fn wait<T>(future: impl Future<Output = T>) -> T {
    common().0.block_on(future)
}

/// Key id, secret, and the token of a session.
#[derive(Clone, Debug)]
pub struct Keys {
    pub id: String,
    pub secret: String,
    pub token: Option<String>,
}

impl From<(String, String)> for Keys {
    fn from((id, secret): (String, String)) -> Keys {
        Keys { id, secret, token: None }
    }
}

pub fn sandbox() -> (Sandbox, Keys) {
    let sandbox = Sandbox::start();
    sandbox.standard();
    let key = sandbox.keys_of("alice").remove(0);
    (sandbox, Keys { id: key.id, secret: key.secret, token: None })
}

pub fn config(sandbox: &Sandbox, keys: &Keys) -> SdkConfig {
    let credentials = Credentials::new(&keys.id, &keys.secret, keys.token.clone(), None, "rules");
    let common = common().1.clone().into_builder();
    common.endpoint_url(sandbox.url()).credentials_provider(SharedCredentialsProvider::new(credentials)).build()
}

pub fn iam(sandbox: &Sandbox, keys: &Keys) -> aws_sdk_iam::Client {
    aws_sdk_iam::Client::new(&config(sandbox, keys))
}

pub fn sts(sandbox: &Sandbox, keys: &Keys) -> aws_sdk_sts::Client {
    aws_sdk_sts::Client::new(&config(sandbox, keys))
}

pub fn trail(sandbox: &Sandbox, keys: &Keys) -> aws_sdk_cloudtrail::Client {
    aws_sdk_cloudtrail::Client::new(&config(sandbox, keys))
}

#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub code: String,
    pub message: String,
}

impl Refusal {
    pub fn is(&self, status: u16, code: &str) -> bool {
        assert_eq!((self.status, self.code.as_str()), (status, code), "{}", self.message);
        true
    }
}

/// Waits for an answer that must be AWS's refusal.
pub fn refused<T: std::fmt::Debug, E>(call: impl Future<Output = Result<T, SdkError<E, Response>>>) -> Refusal
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let error = wait(call).expect_err("a refusal");
    let status = error.raw_response().unwrap_or_else(|| panic!("no answer at all: {error:?}")).status().as_u16();
    let code = error.code().unwrap_or_default().to_owned();
    Refusal { status, code, message: error.message().unwrap_or_default().to_owned() }
}

/// Waits for a call that must get no usable answer.
pub fn failed<T: std::fmt::Debug, E: std::fmt::Debug>(
    call: impl Future<Output = Result<T, SdkError<E, Response>>>,
) -> SdkError<E, Response> {
    wait(call).expect_err("a failure")
}

pub fn session(sandbox: &Sandbox, keys: &Keys, mfa: bool) -> Keys {
    let call = sts(sandbox, keys).get_session_token().duration_seconds(900);
    let call = if mfa {
        let serial = sandbox.user_arn("alice").replace(":user/", ":mfa/");
        call.serial_number(serial).token_code(sandbox.next_totp("alice"))
    } else {
        call
    };
    let made = wait(call.send()).unwrap().credentials.unwrap();
    Keys { id: made.access_key_id, secret: made.secret_access_key, token: Some(made.session_token) }
}

/// One signed request of its own; the answer as it came, or what became of the connection.
pub fn raw(
    sandbox: &Sandbox,
    keys: &Keys,
    service: Service,
    headers: &[(&str, &str)],
    body: &str,
) -> std::io::Result<String> {
    send(sandbox, &signed(sandbox, keys, service, headers, body))
}

pub fn signed(sandbox: &Sandbox, keys: &Keys, service: Service, headers: &[(&str, &str)], body: &str) -> String {
    let host = sandbox.url().trim_start_matches("http://").to_owned();
    let date = sandbox.now().format("%Y%m%dT%H%M%SZ").to_string();
    let mut signed = vec![("host", host.as_str()), ("x-amz-date", date.as_str())];
    signed.extend(keys.token.as_deref().map(|token| ("x-amz-security-token", token)));
    signed.extend(headers);
    signed.sort_unstable();
    let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines = |end: &str| signed.iter().flat_map(|(name, value)| [name, ":", value, end]).collect::<String>();
    let canonical = format!("POST\n/\n\n{}\n{names}\n{}", lines("\n"), hex(&Sha256::digest(body)));
    let scope = [&date[..8], "us-east-1", service.name(), "aws4_request"];
    let to_sign =
        format!("AWS4-HMAC-SHA256\n{date}\n{}\n{}", scope.join("/"), hex(&Sha256::digest(canonical.as_bytes())));
    let key = scope.iter().fold(format!("AWS4{}", keys.secret).into_bytes(), |key, part| hmac(&key, part));
    let (credential, signature) = (format!("{}/{}", keys.id, scope.join("/")), hex(&hmac(&key, &to_sign)));
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}");
    let head = format!("POST / HTTP/1.1\r\n{}authorization: {authorization}\r\n", lines("\r\n"));
    format!("{head}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

pub fn send(sandbox: &Sandbox, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(sandbox.url().trim_start_matches("http://"))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}
