//! S3, as far as one program needs it that keeps reports there: `PutObject` with its conditions, `GetObject`,
//! `ListObjectsV2` in pages; path style, and bodies as they are (no `aws-chunked`).

use std::collections::BTreeMap;

use hyper::body::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::clock::iso;
use super::iam::{Context, Done};
use super::paging::Page;
use super::signer::{Wish, authorize};
use super::sigv4::{body_is_as_signed, hex};
use super::wire::{Body, Failure, Http, Request, Service, element, text};

const WRITER: &str = "x-amz-meta-writer";
const LARGEST_PAGE: usize = 1_000;

/// A bucket.
#[derive(Default)]
pub struct Store {
    pub account: String,
    pub objects: BTreeMap<String, Object>,
}

pub struct Object {
    pub bytes: Bytes,
    pub kind: String,
    pub etag: String,
    /// Its one piece of user-defined metadata.
    pub writer: Option<String>,
}

impl Object {
    pub fn new(bytes: Bytes, kind: &str) -> Object {
        let etag = format!("\"{}\"", &hex(&Sha256::digest(&bytes))[..32]);
        Object { bytes, kind: kind.to_owned(), etag, writer: None }
    }
}

/// What is asked stands in the method, the path and the query.
pub fn understood(http: Http, user_agent: String) -> Option<Request> {
    let mut params: BTreeMap<String, String> = form_urlencoded::parse(http.query.as_bytes())
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    let path = form_urlencoded::parse(http.path.trim_start_matches('/').replace('+', "%2B").as_bytes())
        .next()
        .map(|(path, _)| path.into_owned())?;
    let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
    let action = match (http.method.as_str(), key) {
        ("GET", "") if params.get("list-type").is_some_and(|kind| kind == "2") => "ListObjectsV2",
        ("GET", key) if !key.is_empty() => "GetObject",
        ("PUT", key) if !key.is_empty() => "PutObject",
        _ => return None,
    };
    params.insert("Bucket".to_owned(), bucket.to_owned());
    params.insert("Key".to_owned(), key.to_owned());
    Some(Request { service: Service::S3, action: action.to_owned(), params, json: Value::Null, user_agent, http })
}

pub fn act(context: &mut Context) -> Result<Done, Failure> {
    if !body_is_as_signed(&context.request.http) {
        let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        return Err(Failure::new(400, "XAmzContentSHA256Mismatch", message));
    }
    let body = match context.request.action.as_str() {
        "PutObject" => put(context),
        "GetObject" => get(context),
        _ => list(context),
    }?;
    Ok(Done { body, trail: Value::Null })
}

fn names<'a>(context: &Context<'a>) -> (&'a str, &'a str) {
    let of = |name: &str| context.request.param(name).unwrap_or_default();
    (of("Bucket"), of("Key"))
}

fn permitted(
    context: &Context,
    action: &str,
    resource: &str,
    extra: Vec<(String, Vec<String>)>,
) -> Result<(), Failure> {
    let resource = format!("arn:aws:s3:::{resource}");
    let wish = Wish { action, resource: resource.clone(), shown: Some(format!("\"{resource}\"")), extra };
    authorize(context.world, context.signer, wish, context.now)?;
    let (bucket, _) = names(context);
    match context.world.stores.get(bucket) {
        None => Err(Failure::new(404, "NoSuchBucket", "The specified bucket does not exist")),
        Some(store) if store.account != context.signer.account => Err(Failure::denied("Access Denied")),
        Some(_) => Ok(()),
    }
}

fn no_such_key() -> Failure {
    Failure::new(404, "NoSuchKey", "The specified key does not exist.")
}

fn put(context: &mut Context) -> Result<Body, Failure> {
    let (bucket, key) = names(context);
    permitted(context, "s3:PutObject", &format!("{bucket}/{key}"), Vec::new())?;
    let http = &context.request.http;
    if http.header("content-encoding").is_some_and(|encoding| encoding.contains("aws-chunked")) {
        return Err(Failure::new(501, "NotImplemented", "the sandbox takes no aws-chunked body"));
    }
    let mut object = Object::new(http.body.clone(), http.header("content-type").unwrap_or("binary/octet-stream"));
    object.writer = http.header(WRITER).map(str::to_owned);
    let objects = &mut context.world.stores.get_mut(bucket).expect("it was looked at").objects;
    let unmet =
        Failure::new(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
    let there = objects.get(key).map(|object| object.etag.as_str());
    match (http.header("if-none-match"), http.header("if-match"), there) {
        (Some("*"), _, Some(_)) => return Err(unmet),
        (_, Some(_), None) => return Err(no_such_key()),
        (_, Some(wanted), Some(found)) if wanted != found => return Err(unmet),
        _ => {}
    }
    let etag = vec![("etag", object.etag.clone())];
    objects.insert(key.to_owned(), object);
    Ok(Body::Plain { text: String::new(), headers: etag })
}

/// Who may not list is not told that there is nothing (API reference, `GetObject`).
fn get(context: &Context) -> Result<Body, Failure> {
    let (bucket, key) = names(context);
    permitted(context, "s3:GetObject", &format!("{bucket}/{key}"), Vec::new())?;
    match context.world.stores[bucket].objects.get(key) {
        Some(object) => {
            let text = String::from_utf8(object.bytes.to_vec()).expect("objects of text");
            let writer = object.writer.clone().map(|writer| (WRITER, writer));
            let headers = [("etag", object.etag.clone())].into_iter().chain(writer).collect();
            Ok(Body::Plain { text, headers })
        }
        None => permitted(context, "s3:ListBucket", bucket, Vec::new()).and(Err(no_such_key())),
    }
}

fn list(context: &Context) -> Result<Body, Failure> {
    let (bucket, _) = names(context);
    let prefix = context.request.param("prefix").unwrap_or_default();
    permitted(context, "s3:ListBucket", bucket, vec![("s3:prefix".to_owned(), vec![prefix.to_owned()])])?;
    let all: Vec<(&String, &Object)> =
        context.world.stores[bucket].objects.iter().filter(|(key, _)| key.starts_with(prefix)).collect();
    let token = context.request.param("continuation-token");
    let page = Page::cut("ListObjectsV2", all.len(), LARGEST_PAGE, token, &context.world.settings);
    let page =
        page.ok_or_else(|| Failure::new(400, "InvalidArgument", "The continuation token provided is incorrect"))?;
    let shown: String = all[page.items.clone()]
        .iter()
        .map(|(key, object)| {
            let size = text("Size", &object.bytes.len().to_string());
            let at = text("LastModified", &iso(context.now));
            element("Contents", &(text("Key", key) + &at + &text("ETag", &object.etag) + &size))
        })
        .collect();
    let next = page.next.as_ref().map(|next| text("NextContinuationToken", next)).unwrap_or_default();
    let truncated = text("IsTruncated", if page.next.is_some() { "true" } else { "false" });
    let count = text("KeyCount", &page.items.len().to_string());
    let inner = text("Name", bucket) + &text("Prefix", prefix) + &count + &truncated + &next + &shown;
    let document =
        format!("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inner}</ListBucketResult>");
    Ok(Body::Plain { text: document, headers: Vec::new() })
}
