//! One S3 bucket: objects are put, got and listed whole, and a put can be bound to what stands there.
//!
//! Repeats what may be repeated. Nothing here may know what the objects mean.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::put_object::PutObjectError;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::endpoint::Service;
use super::error::{call_error, incomplete, refusal};
use super::estate::AwsEstate;
use super::session::{ATTEMPTS, quiet, timeouts};
use crate::ports::CallError;

const PUT: &str = "s3:PutObject";
const GET: &str = "s3:GetObject";
const LIST: &str = "s3:ListBucket";

/// The SDK's time-outs end with an answer's head: its body may take so long, and longer where it is large.
const BODY_LIMIT: Duration = Duration::from_secs(30);
/// What an attempt may take, however small the object is.
const ATTEMPT: Duration = Duration::from_secs(10);
/// As many bytes are a second more.
const A_SECOND: u64 = 1024 * 1024;
/// Whose an object is (S3 user guide, 'User-defined object metadata').
const WRITER: &str = "writer";

/// A bucket, with the credentials of an estate.
pub struct Bucket {
    client: aws_sdk_s3::Client,
    name: String,
    /// Stands with each object that is put.
    writer: String,
}

/// What must be true of a key for an object to be put there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// It is replaced, whatever it is.
    None,
    /// There is nothing yet.
    Absent,
    /// It is as it was read.
    Unchanged(Version),
}

/// Tells one state of an object from another (its `ETag`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(String);

/// Whether an object was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    Done,
    /// The guard was not met: nothing was changed.
    Refused,
}

impl Bucket {
    /// `writer`, in ASCII, tells the objects that are put from those of others.
    #[must_use]
    pub fn new(estate: &AwsEstate, name: &str, writer: &str) -> Self {
        // Integrity is TLS's; a checksum in a trailer is what few stores but AWS's own can read.
        let config = aws_sdk_s3::config::Builder::from(&estate.config(Service::S3))
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            // A store on one host has no host name for each bucket.
            .force_path_style(estate.is_custom(Service::S3))
            .build();
        Self { client: aws_sdk_s3::Client::from_conf(config), name: name.to_owned(), writer: writer.to_owned() }
    }

    /// `s3://BUCKET/KEY`, for people.
    #[must_use]
    pub fn address(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Puts the file at `path`.
    ///
    /// # Errors
    /// [`CallError`]; a guard that is not met is none. After one whose cause is ambiguous the object may be there.
    pub async fn put_file(&self, key: &str, path: &Path, kind: &str, guard: &Guard) -> Result<Put, CallError> {
        let unreadable = |error: &dyn std::error::Error| refusal(PUT, format!("{}: {error}", path.display()));
        let body = ByteStream::from_path(path).await.map_err(|error| unreadable(&error))?;
        let size = std::fs::metadata(path).map_err(|error| unreadable(&error))?.len();
        self.put(key, body, size, kind, guard).await
    }

    /// Puts these bytes; errors as of [`Bucket::put_file`].
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn put_bytes(&self, key: &str, bytes: Vec<u8>, kind: &str, guard: &Guard) -> Result<Put, CallError> {
        let size = bytes.len() as u64;
        self.put(key, ByteStream::from(bytes), size, kind, guard).await
    }

    async fn put(&self, key: &str, body: ByteStream, size: u64, kind: &str, guard: &Guard) -> Result<Put, CallError> {
        let call = self.client.put_object().bucket(&self.name).key(key).content_type(kind).body(body);
        let call = call.metadata(WRITER, &self.writer);
        let call = match guard {
            Guard::None => call,
            Guard::Absent => call.if_none_match("*"),
            Guard::Unchanged(Version(tag)) => call.if_match(tag),
        };
        // An SDK call's state is large.
        let patient =
            aws_sdk_s3::config::Builder::new().timeout_config(timeouts(ATTEMPT + in_proportion(size), ATTEMPTS));
        match Box::pin(quiet(call.customize().config_override(patient).send())).await {
            Ok(_) => Ok(Put::Done),
            Err(error) => not_put(guard, &error),
        }
    }

    /// Writes the object to `out`; `None` where there is none.
    ///
    /// # Errors
    /// [`CallError`], after which a part may have been written.
    pub async fn get(&self, key: &str, out: &mut impl Write) -> Result<Option<Version>, CallError> {
        let answer = match Box::pin(quiet(self.client.get_object().bucket(&self.name).key(key).send())).await {
            Ok(answer) => answer,
            Err(error) => {
                let error = call_error(GET, &error);
                return if error.code.as_deref() == Some("NoSuchKey") { Ok(None) } else { Err(error) };
            }
        };
        let version = answer.e_tag.clone().filter(|tag| !tag.is_empty());
        let version = version.ok_or_else(|| incomplete(GET, "has no ETag"))?;
        let size = answer.content_length.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
        let mut body = answer.body;
        let whole = async {
            while let Some(bytes) = body.next().await {
                let bytes = bytes.map_err(|_| incomplete(GET, "was cut off"))?;
                out.write_all(&bytes).map_err(|error| refusal(GET, format!("it cannot be kept: {error}")))?;
            }
            Ok(())
        };
        let ended = tokio::time::timeout(BODY_LIMIT + in_proportion(size), quiet(whole)).await;
        ended.unwrap_or_else(|_| Err(incomplete(GET, "did not end in time")))?;
        Ok(Some(Version(version)))
    }

    /// True where the object that stands there was put by this writer. Its body is not read.
    ///
    /// # Errors
    /// [`CallError`]; an object that is not there is one.
    pub async fn is_ours(&self, key: &str) -> Result<bool, CallError> {
        let answer = Box::pin(quiet(self.client.get_object().bucket(&self.name).key(key).send())).await;
        let answer = answer.map_err(|error| call_error(GET, &error))?;
        Ok(answer.metadata.is_some_and(|all| all.get(WRITER) == Some(&self.writer)))
    }

    /// The keys that begin so, all pages, in their order.
    ///
    /// # Errors
    /// [`CallError`]: a list that stops half-way is an error, never a short list.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        let mut pages = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = quiet(pages.next()).await {
            let page = page.map_err(|error| call_error(LIST, &error))?;
            keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
        }
        keys.sort_unstable();
        Ok(keys)
    }
}

/// Reports of many keys are large, and links slow.
fn in_proportion(size: u64) -> Duration {
    Duration::from_secs(size / A_SECOND)
}

/// S3 user guide, 'How to prevent object overwrites with conditional writes': 412 where the condition is not met, 409
/// where another write was under way; and 404 where `If-Match` finds nothing.
fn not_put(guard: &Guard, error: &SdkError<PutObjectError, HttpResponse>) -> Result<Put, CallError> {
    let error = call_error(PUT, error);
    let code = error.code.as_deref().unwrap_or_default();
    let refused = ["PreconditionFailed", "ConditionalRequestConflict"].contains(&code)
        || (matches!(guard, Guard::Unchanged(_)) && code == "NoSuchKey");
    if refused && *guard != Guard::None { Ok(Put::Refused) } else { Err(error) }
}
