//! The bucket's adapter against the sandbox's S3: guards, pages, and what a refusal means.

use keyrot_me::aws::bucket::{Bucket, Guard, Put};
use keyrot_me::aws::endpoint::Destination;
use keyrot_me::aws::estate::AwsEstate;
use keyrot_me::aws::session::Limits;
use keyrot_me::keys::secret::{SecretKey, Session, Signer};
use keyrot_me::ports::Cause;

use super::rig::BUCKET;
use super::{Rig, account};
use crate::sandbox::{ADMINISTRATOR, Fault, HOME};

fn at(url: &str, signer: &Signer, bucket: &str) -> Bucket {
    let env = |name: &str| (name == "AWS_ENDPOINT_URL").then(|| url.to_owned());
    let destination = Destination::of_environment(&env).unwrap();
    Bucket::new(&AwsEstate::signed_by(destination, Limits::default(), signer), bucket, "the tests")
}

fn bucket(rig: &Rig) -> Bucket {
    let (id, secret, token) = rig.sandbox.role_session(HOME, "keyrot-me-function");
    let expires = rig.sandbox.now() + chrono::TimeDelta::hours(1);
    let session = Session { id, secret: SecretKey::new(secret), token: SecretKey::new(token), expires };
    at(&rig.sandbox.url(), &Signer::Session(session), BUCKET)
}

async fn text(bucket: &Bucket, key: &str) -> Option<String> {
    let mut bytes = Vec::new();
    bucket.get(key, &mut bytes).await.unwrap().map(|_| String::from_utf8(bytes).unwrap())
}

/// What any store of this kind must do.
pub async fn guards_hold(bucket: &Bucket) {
    let put = async |text: &str, guard: &Guard| {
        bucket.put_bytes("a/b c+ü.json", text.into(), "application/json", guard).await
    };
    assert_eq!(text(bucket, "a/b c+ü.json").await, None);
    assert_eq!(put("one", &Guard::Absent).await.unwrap(), Put::Done);
    assert_eq!(put("two", &Guard::Absent).await.unwrap(), Put::Refused);
    assert_eq!(text(bucket, "a/b c+ü.json").await.unwrap(), "one");
    let version = bucket.get("a/b c+ü.json", &mut Vec::new()).await.unwrap().unwrap();
    assert_eq!(put("three", &Guard::Unchanged(version.clone())).await.unwrap(), Put::Done);
    assert_eq!(put("four", &Guard::Unchanged(version)).await.unwrap(), Put::Refused);
    assert_eq!(text(bucket, "a/b c+ü.json").await.unwrap(), "three");
    assert_eq!(put("five", &Guard::None).await.unwrap(), Put::Done);
    assert_eq!(bucket.list("a/").await.unwrap(), ["a/b c+ü.json"]);
    assert_eq!(bucket.list("b/").await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guarded_put_replaces_nothing_that_it_did_not_see() {
    let rig = Rig::new(0, 0);
    guards_hold(&bucket(&rig)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_followed_to_its_end_or_is_an_error() {
    let rig = Rig::new(0, 0);
    (0..25).for_each(|n| rig.sandbox.put_object(BUCKET, &format!("parts/{n:04}.json"), "x"));
    rig.sandbox.short_pages(4);
    let bucket = bucket(&rig);
    assert_eq!(bucket.list("parts/").await.unwrap().len(), 25);
    assert_eq!(rig.sandbox.count("ListObjectsV2"), 7);
    rig.sandbox.fault("ListObjectsV2", 5, Fault::denied());
    assert_eq!(bucket.list("parts/").await.unwrap_err().cause, Cause::AccessDenied);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_put_as_it_is_and_a_missing_one_is_named() {
    let rig = Rig::new(0, 0);
    let bucket = bucket(&rig);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    std::fs::write(&path, "<p>käse</p>".repeat(100_000)).unwrap();
    assert_eq!(bucket.put_file("r.html", &path, "text/html", &Guard::None).await.unwrap(), Put::Done);
    assert_eq!(rig.sandbox.object(BUCKET, "r.html").unwrap(), ("<p>käse</p>".repeat(100_000), "text/html".to_owned()));
    let missing = bucket.put_file("r", &folder.path().join("nothing"), "text/html", &Guard::None).await.unwrap_err();
    assert!(missing.message.contains("nothing"), "{missing}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_is_cut_off_is_an_error() {
    let rig = Rig::new(0, 0);
    rig.sandbox.put_object(BUCKET, "a", &"x".repeat(100_000));
    rig.sandbox.fault("GetObject", 1, Fault::CutAnswer);
    let bucket = bucket(&rig);
    assert!(bucket.get("a", &mut Vec::new()).await.is_err());
    assert_eq!(text(&bucket, "a").await.unwrap().len(), 100_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_list_is_not_told_that_there_is_nothing() {
    let rig = Rig::new(0, 0);
    let only = |action: &str| {
        let statement = format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"arn:aws:s3:::{BUCKET}/*"}}"#);
        format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#)
    };
    rig.sandbox.set_role_policies(HOME, "keyrot-me-function", &[&only("s3:GetObject")]);
    rig.sandbox.put_object(BUCKET, "a", "x");
    let bucket = bucket(&rig);
    assert_eq!(text(&bucket, "a").await.unwrap(), "x");
    assert_eq!(bucket.get("b", &mut Vec::new()).await.unwrap_err().cause, Cause::AccessDenied);
    assert_eq!(bucket.list("").await.unwrap_err().cause, Cause::AccessDenied);
    let put = bucket.put_bytes("a", b"y".to_vec(), "text/plain", &Guard::Absent).await;
    assert_eq!(put.unwrap_err().cause, Cause::AccessDenied);
    assert_eq!(text(&bucket, "a").await.unwrap(), "x");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bucket_of_another_account_is_denied() {
    let rig = Rig::new(1, 0);
    rig.sandbox.add_bucket(&account(1), "elsewhere");
    rig.sandbox.allow_role(HOME, "keyrot-me-function", ADMINISTRATOR);
    let (id, secret, token) = rig.sandbox.role_session(HOME, "keyrot-me-function");
    let expires = rig.sandbox.now() + chrono::TimeDelta::hours(1);
    let session = Session { id, secret: SecretKey::new(secret), token: SecretKey::new(token), expires };
    let other = at(&rig.sandbox.url(), &Signer::Session(session), "elsewhere");
    assert_eq!(other.list("").await.unwrap_err().cause, Cause::AccessDenied);
}

/// Where no session is needed.
pub fn with_key(url: &str, id: &str, secret: &str, bucket: &str) -> Bucket {
    let key = keyrot_me::keys::secret::AccessKey {
        id: keyrot_me::keys::facts::KeyId::new(id).unwrap(),
        secret: SecretKey::new(secret.to_owned()),
    };
    at(url, &Signer::Key(key), bucket)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_put_an_object_is_told_by_its_metadata_and_not_by_its_bytes() {
    let rig = Rig::new(0, 0);
    let bucket = bucket(&rig);
    rig.sandbox.put_object(BUCKET, "theirs", "x");
    bucket.put_bytes("ours", b"x".to_vec(), "text/plain", &Guard::Absent).await.unwrap();
    assert_eq!((bucket.is_ours("ours").await.unwrap(), bucket.is_ours("theirs").await.unwrap()), (true, false));
    assert!(bucket.is_ours("nothing").await.is_err());
}
