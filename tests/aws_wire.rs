//! The AWS calls on the wire: what is sent, how often, and what becomes of each kind of answer.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyrot_me::aws::endpoint::Destination;
use keyrot_me::aws::iam::AwsIam;
use keyrot_me::aws::profile::{ProfileFiles, SigningProfile};
use keyrot_me::aws::session::Limits;
use keyrot_me::keys::facts::{KeyId, Status};
use keyrot_me::keys::journal::RotationId;
use keyrot_me::keys::secret::{AccessKey, SecretKey, Session, Signer};
use keyrot_me::ports::{Cause, Iam};
use tokio::net::TcpListener;

pub mod server;

use server::{Reply, Wire};

const TOKEN: &str = "FwoGZXIvYXdzEBYaDH8wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY";

fn key(n: u8) -> AccessKey {
    AccessKey {
        id: KeyId::new(format!("AKIAEXAMPLE00000000{n}")).unwrap(),
        secret: SecretKey::new("wJalr/secret".into()),
    }
}

fn signer() -> Signer {
    Signer::Key(key(1))
}

fn limits() -> Limits {
    Limits {
        connect: Duration::from_millis(500),
        attempt: Duration::from_millis(300),
        create: Duration::from_millis(300),
    }
}

async fn iam_at(url: &str) -> AwsIam {
    AwsIam::with_limits(destination(url).await, limits())
}

pub async fn destination(url: &str) -> Destination {
    let nowhere = std::path::Path::new("/nowhere");
    let files = ProfileFiles::load(nowhere, nowhere).await.unwrap();
    let profile = SigningProfile {
        asked: "default".into(),
        signing: "default".into(),
        key: key(1),
        mfa_serial: None,
        region: Some("eu-central-1".into()),
    };
    let env = |name: &str| (name == "AWS_ENDPOINT_URL").then(|| url.to_owned());
    Destination::read(&files, &profile, &env).await.unwrap()
}

async fn serve(replies: Vec<Reply>) -> (Wire, AwsIam) {
    let (wire, at) = Wire::start(replies).await;
    (wire, iam_at(&format!("http://{at}")).await)
}

fn xml(body: &str) -> Reply {
    Reply::Answer(200, "text/xml", body.into(), None)
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>r</RequestId></ErrorResponse>"
    );
    Reply::Answer(status, "text/xml", body, None)
}

fn created(secret: &str) -> String {
    format!(
        "<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><UserName>alice</UserName>\
         <AccessKeyId>AKIAEXAMPLE000000002</AccessKeyId><Status>Active</Status>\
         <SecretAccessKey>{secret}</SecretAccessKey><CreateDate>2026-11-16T09:00:05Z</CreateDate></AccessKey>\
         </CreateAccessKeyResult></CreateAccessKeyResponse>"
    )
}

fn listed(rows: &[(&str, &str)], more: &str) -> String {
    let mut members = String::new();
    for (id, status) in rows {
        _ = write!(
            members,
            "<member><UserName>alice</UserName><AccessKeyId>{id}</AccessKeyId><Status>{status}</Status>\
             <CreateDate>2026-11-16T09:00:05Z</CreateDate></member>"
        );
    }
    format!(
        "<ListAccessKeysResponse><ListAccessKeysResult><AccessKeyMetadata>{members}</AccessKeyMetadata>{more}\
         </ListAccessKeysResult></ListAccessKeysResponse>"
    )
}

fn rotation() -> RotationId {
    RotationId::from_bits(0x0123_4567_89ab_cdef)
}

#[tokio::test]
async fn create_returns_the_key_and_carries_the_rotation_id() {
    let (wire, iam) = serve(vec![xml(&created("abc/def+"))]).await;
    let made = iam.create_key(&signer(), "alice", &rotation()).await.unwrap();
    assert_eq!((made.key.id.as_str(), made.key.secret.expose()), ("AKIAEXAMPLE000000002", "abc/def+"));
    assert_eq!(made.created.to_rfc3339(), "2026-11-16T09:00:05+00:00");
    iam.list_keys(&signer(), "alice").await.unwrap_err();
    let seen = wire.seen.lock().unwrap();
    assert!(seen[0].user_agent.contains("app/keyrot-0123456789abcdef"), "{}", seen[0].user_agent);
    assert!(!seen[0].user_agent.contains("app/keyrot-me"));
    assert!(seen[1].user_agent.contains("app/keyrot-me"), "{}", seen[1].user_agent);
    assert!(seen[0].body.contains("Action=CreateAccessKey") && seen[0].body.contains("UserName=alice"));
    assert!(seen[0].authorization.contains("Credential=AKIAEXAMPLE000000001/"));
}

#[tokio::test]
async fn create_is_sent_once_whatever_comes_back() {
    for (what, reply, cause) in [
        ("500", error(500, "ServiceFailure", "x"), Cause::Ambiguous),
        ("503", error(503, "ServiceUnavailable", "x"), Cause::Ambiguous),
        ("cut", Reply::Drop, Cause::Ambiguous),
        ("hang", Reply::Hang, Cause::Ambiguous),
        ("throttled", error(400, "Throttling", "Rate exceeded"), Cause::Throttled),
        ("quota", error(409, "LimitExceeded", "Cannot exceed quota"), Cause::QuotaFull),
        ("clock", error(403, "SignatureDoesNotMatch", "x"), Cause::SignatureRefused),
    ] {
        let (wire, iam) = serve(vec![reply]).await;
        let failed = iam.create_key(&signer(), "alice", &rotation()).await.unwrap_err();
        assert_eq!((failed.cause, wire.requests()), (cause, 1), "{what}: {failed}");
    }
}

#[tokio::test]
async fn create_over_a_connection_that_was_used_before_is_sent_once() {
    let (wire, iam) = serve(vec![xml(&listed(&[], "")), Reply::Drop]).await;
    iam.list_keys(&signer(), "alice").await.unwrap();
    let failed = iam.create_key(&signer(), "alice", &rotation()).await.unwrap_err();
    assert_eq!((failed.cause, wire.requests()), (Cause::Ambiguous, 2));
    // Other signers, and calls with other time-outs, share it as well.
    let seen = wire.seen.lock().unwrap();
    assert!(seen.iter().all(|s| s.connection == 0));
}

#[tokio::test]
async fn answers_that_are_not_awss_are_ambiguous_for_a_create() {
    let html = |status| Reply::Answer(status, "text/html", format!("<html>log in {TOKEN}</html>"), None);
    for reply in [html(200), html(302), html(403), html(502), xml(""), xml("<A/>"), error(403, "", "x")] {
        let (wire, iam) = serve(vec![reply]).await;
        let failed = iam.create_key(&signer(), "alice", &rotation()).await.unwrap_err();
        assert_eq!((failed.cause, wire.requests()), (Cause::Ambiguous, 1), "{failed}");
        assert!(!failed.to_string().contains(TOKEN), "{failed}");
    }
    let (_, iam) = serve(vec![html(403)]).await;
    let failed = iam.list_keys(&signer(), "alice").await.unwrap_err();
    assert!(failed.message.contains("does not look like AWS"), "{failed}");
}

#[tokio::test]
async fn a_created_key_that_came_in_part_is_ambiguous() {
    let whole = created("abc/def+");
    let inside_the_secret = &whole[..whole.find("/def+").unwrap()];
    for body in [inside_the_secret.to_owned(), created(""), whole.replace("AKIAEXAMPLE000000002", "")] {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\nconnection: close\r\n";
        let long = format!("{head}content-length: {}\r\n\r\n{body}", whole.len());
        for raw in [format!("{head}\r\n{body}"), long] {
            let iam = iam_at(&format!("http://{}", raw_server(raw).await)).await;
            let failed = iam.create_key(&signer(), "alice", &rotation()).await.unwrap_err();
            assert_eq!(failed.cause, Cause::Ambiguous, "{failed}");
            assert!(!failed.to_string().contains("abc"), "{failed}");
        }
    }
}

/// Answers one request with these bytes and closes.
async fn raw_server(raw: String) -> SocketAddr {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 16_384]).await.unwrap();
        stream.write_all(raw.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
    });
    at
}

#[tokio::test]
async fn unreachable_means_that_no_connection_was_made() {
    let refused = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    // A server that speaks no TLS: the handshake fails.
    let (_, no_tls) = Wire::start(vec![Reply::Drop]).await;
    for url in [
        format!("http://{refused}"),
        format!("https://{refused}"),
        format!("https://{no_tls}"),
        "https://no-such-host.invalid".to_owned(),
    ] {
        let failed = iam_at(&url).await.create_key(&signer(), "alice", &rotation()).await.unwrap_err();
        assert_eq!(failed.cause, Cause::Unreachable, "{url}: {failed}");
    }
}

#[tokio::test]
async fn a_connect_that_times_out_is_unreachable() {
    // The listener's queue is full and nobody accepts.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let at = listener.local_addr().unwrap();
    let mut held = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(200), tokio::net::TcpStream::connect(at)).await
    {
        held.push(stream);
    }
    let short = Limits { connect: Duration::from_millis(100), create: Duration::from_secs(2), ..limits() };
    let iam = AwsIam::with_limits(destination(&format!("http://{at}")).await, short);
    let failed = iam.create_key(&signer(), "alice", &rotation()).await.unwrap_err();
    assert_eq!(failed.cause, Cause::Unreachable, "{failed}");
}

#[tokio::test]
async fn everything_else_is_tried_again_within_bounds() {
    let rows = [("AKIAEXAMPLE000000001", "Active"), ("AKIAEXAMPLE000000002", "Expired")];
    let (wire, iam) = serve(vec![Reply::Drop, error(500, "ServiceFailure", "x"), xml(&listed(&rows, ""))]).await;
    let keys = iam.list_keys(&signer(), "alice").await.unwrap();
    assert_eq!(wire.requests(), 3);
    assert_eq!(keys[0].status, Status::Active);
    assert_eq!(keys[1].status, Status::Other("Expired".into()));
    let (wire, iam) = serve(vec![error(500, "ServiceFailure", "x")]).await;
    assert_eq!(iam.set_active(&signer(), "alice", &key(1).id, false).await.unwrap_err().cause, Cause::Ambiguous);
    assert_eq!(wire.requests(), 3);
    let (wire, iam) = serve(vec![Reply::Hang]).await;
    let before = std::time::Instant::now();
    assert_eq!(iam.delete_key(&signer(), "alice", &key(1).id).await.unwrap_err().cause, Cause::Ambiguous);
    assert_eq!(wire.requests(), 3);
    assert!(before.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_list_is_read_to_its_end_or_not_at_all() {
    let more = "<IsTruncated>true</IsTruncated><Marker>m1</Marker>";
    let pages = [
        listed(&[("AKIAEXAMPLE000000001", "Active")], more),
        listed(&[], &more.replace("m1", "m2")),
        listed(&[("AKIAEXAMPLE000000002", "Inactive")], "<IsTruncated>false</IsTruncated>"),
    ];
    let (wire, iam) = serve(pages.iter().map(|p| xml(p)).collect()).await;
    assert_eq!(iam.list_keys(&signer(), "alice").await.unwrap().len(), 2);
    assert!(!wire.body(0).contains("Marker"));
    assert!(wire.body(1).contains("Marker=m1") && wire.body(2).contains("Marker=m2"));
    assert!((0..3).all(|n| wire.body(n).contains("UserName=alice")));
    let (own, iam) = serve(vec![xml(&listed(&[("AKIAEXAMPLE000000001", "Active")], ""))]).await;
    assert_eq!(iam.list_own_keys(&signer()).await.unwrap().len(), 1);
    assert!(!own.body(0).contains("UserName"));
    for endless in [listed(&[], more), listed(&[], "<IsTruncated>true</IsTruncated>")] {
        let (wire, iam) = serve(vec![xml(&endless)]).await;
        assert_eq!(iam.list_keys(&signer(), "alice").await.unwrap_err().cause, Cause::Ambiguous);
        assert!(wire.requests() <= 2);
    }
}

#[tokio::test]
async fn a_key_that_is_not_understood_is_not_dropped() {
    let (_, iam) = serve(vec![xml(&listed(&[("AKIAEXAMPLE000000001", "Active"), ("odd", "Active")], ""))]).await;
    let failed = iam.list_keys(&signer(), "alice").await.unwrap_err();
    assert_eq!(failed.cause, Cause::Refused);
    assert!(failed.message.contains("\"odd\""), "{failed}");
}

#[tokio::test]
async fn a_session_is_opened_with_one_code_that_no_message_repeats() {
    let body = format!(
        "<GetSessionTokenResponse><GetSessionTokenResult><Credentials><AccessKeyId>ASIAEXAMPLE000000001</AccessKeyId>\
         <SecretAccessKey>s3cret</SecretAccessKey><SessionToken>{TOKEN}</SessionToken>\
         <Expiration>2026-11-16T09:15:00Z</Expiration></Credentials></GetSessionTokenResult></GetSessionTokenResponse>"
    );
    let refusals = [
        error(403, "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. "),
        error(403, "AccessDenied", "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify"),
        error(400, "ValidationError", "Value '123456' at 'tokenCode' failed to satisfy constraint"),
    ];
    let (wire, iam) = serve([vec![xml(&body)], refusals.to_vec()].concat()).await;
    let code = SecretKey::new("123456".into());
    let serial = "arn:aws:iam::123456789012:mfa/alice";
    let session = iam.open_session(&key(1), serial, &code).await.unwrap();
    assert_eq!((session.id.as_str(), session.token.expose()), ("ASIAEXAMPLE000000001", TOKEN));
    assert_eq!(session.expires.to_rfc3339(), "2026-11-16T09:15:00+00:00");
    for part in ["DurationSeconds=900", "TokenCode=123456", "SerialNumber=arn%3Aaws"] {
        assert!(wire.body(0).contains(part), "{}", wire.body(0));
    }
    for cause in [Cause::MfaCodeRefused, Cause::MfaDeviceUnknown, Cause::MfaCodeRefused] {
        let failed = iam.open_session(&key(1), serial, &code).await.unwrap_err();
        assert_eq!(failed.cause, cause);
        assert!(!failed.to_string().contains("123456"), "{failed}");
    }
    assert_eq!(wire.requests(), 4);
}

#[tokio::test]
async fn the_canonical_request_is_not_repeated() {
    let message = format!("The request signature we calculated does not match.\n\nx-amz-security-token:{TOKEN}");
    let (_, iam) = serve(vec![error(403, "SignatureDoesNotMatch", &message)]).await;
    let session = Session {
        id: "ASIAEXAMPLE000000001".into(),
        secret: SecretKey::new("s".into()),
        token: SecretKey::new(TOKEN.into()),
        expires: chrono::DateTime::UNIX_EPOCH,
    };
    let failed = iam.identity(&Signer::Session(session)).await.unwrap_err();
    assert_eq!(failed.message, "The request signature we calculated does not match.");
}

#[tokio::test]
async fn the_services_time_is_known_from_errors_too_and_stays_true() {
    let in_2001 = "Mon, 05 Nov 2001 10:00:00 GMT";
    let Reply::Answer(_, kind, denied, _) = error(403, "AccessDenied", "no") else { unreachable!() };
    let (_, iam) = serve(vec![Reply::Answer(403, kind, denied, Some(in_2001))]).await;
    assert_eq!(iam.clock_offset(), None);
    let then = chrono::DateTime::parse_from_rfc2822(in_2001).unwrap().timestamp();
    // The SDK shifts its signatures after the first answer; what we report must not follow.
    for _ in 0..3 {
        assert_eq!(iam.list_keys(&signer(), "alice").await.unwrap_err().cause, Cause::AccessDenied);
        let error = iam.clock_offset().unwrap().num_seconds() - (then - chrono::Utc::now().timestamp());
        assert!(error.abs() <= 1, "{error}");
    }
}

#[tokio::test]
async fn last_use_is_never_or_what_iam_says() {
    let used = |date: &str| {
        xml(&format!(
            "<GetAccessKeyLastUsedResponse><GetAccessKeyLastUsedResult><UserName>alice</UserName><AccessKeyLastUsed>\
             {date}<ServiceName>s3</ServiceName><Region>eu-west-1</Region></AccessKeyLastUsed>\
             </GetAccessKeyLastUsedResult></GetAccessKeyLastUsedResponse>"
        ))
    };
    let date = "<LastUsedDate>2026-11-16T09:00:00Z</LastUsedDate>";
    let (_, iam) = serve(vec![used(date), used("")]).await;
    let last = iam.key_use(&signer(), &key(1).id).await.unwrap().last.unwrap();
    assert_eq!((last.service.as_str(), last.region.as_str()), ("s3", "eu-west-1"));
    assert_eq!(iam.key_use(&signer(), &key(1).id).await.unwrap().last, None);
}

#[tokio::test]
async fn cloudtrail_is_asked_by_signer_in_the_home_region_through_all_pages() {
    let event = |id: &str, more: &str| {
        format!(
            r#"{{"eventTime":"2026-11-16T09:00:05Z","userAgent":"x app/keyrot-1","userIdentity":{{"accessKeyId":"ASIA1"}},
            {more}"responseElements":{{"accessKey":{{"accessKeyId":"{id}"}}}}}}"#
        )
    };
    let page = |name: &str, event: &str, next: &str| {
        let body = serde_json::json!({"Events": [{"EventName": name, "CloudTrailEvent": event}], "NextToken": next});
        Reply::Answer(200, "application/x-amz-json-1.1", body.to_string(), None)
    };
    let (wire, iam) = serve(vec![
        page("ListAccessKeys", "nonsense", "t1"),
        page("CreateAccessKey", &event("AKIAEXAMPLE000000002", ""), "t2"),
        page("CreateAccessKey", &event("AKIAEXAMPLE000000003", r#""errorCode":"AccessDenied","#), ""),
    ])
    .await;
    let made = iam.keys_made_by(&signer(), "ASIA1", chrono::DateTime::UNIX_EPOCH).await.unwrap();
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].key.as_str(), "AKIAEXAMPLE000000002");
    assert_eq!(wire.requests(), 3);
    let sent: serde_json::Value = serde_json::from_str(&wire.body(1)).unwrap();
    assert_eq!(sent["LookupAttributes"][0]["AttributeKey"], "AccessKeyId");
    assert_eq!(sent["LookupAttributes"][0]["AttributeValue"], "ASIA1");
    assert_eq!((&sent["StartTime"], &sent["NextToken"]), (&serde_json::json!(0), &serde_json::json!("t1")));
    assert!(wire.seen.lock().unwrap()[0].authorization.contains("/us-east-1/cloudtrail/"));
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(part)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_reaches_the_log_or_a_debug_print() {
    let log = Log::default();
    let to = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || to.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    tracing::info!("the log is on");
    let (wire, iam) = serve(vec![xml(&created("n3wS3cret")), xml("<A/>"), error(403, "AccessDenied", "no")]).await;
    let session = Signer::Session(Session {
        id: "ASIAEXAMPLE000000001".into(),
        secret: SecretKey::new("s3ss10nS3cret".into()),
        token: SecretKey::new(TOKEN.into()),
        expires: chrono::DateTime::UNIX_EPOCH,
    });
    let made = iam.create_key(&session, "alice", &rotation()).await.unwrap();
    let odd = iam.identity(&session).await.unwrap_err();
    let denied = iam.open_session(&key(1), "serial", &SecretKey::new("654321".into())).await.unwrap_err();
    assert_eq!(wire.requests(), 3);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("the log is on"));
    assert!(!log.contains("orchestrator"), "the SDK's own log is off during calls: {log}");
    let shown = format!("{log} {iam:?} {made:?} {odd:?} {denied:?}");
    for secret in [TOKEN, "n3wS3cret", "s3ss10nS3cret", "wJalr", "654321"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn a_foreign_emulator_is_understood() {
    let Some(moto) = crate::foreign::Moto::start() else { return };
    moto.add_user("alice");
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(all_calls(moto.url()));
}

async fn all_calls(url: &str) {
    let iam = AwsIam::new(destination(url).await);
    let made = iam.create_key(&signer(), "alice", &rotation()).await.unwrap();
    assert_eq!(iam.list_keys(&signer(), "alice").await.unwrap().len(), 1);
    let new = Signer::Key(made.key.clone());
    assert!(iam.identity(&new).await.unwrap().arn.ends_with("user/alice"));
    iam.set_active(&new, "alice", &made.key.id, false).await.unwrap();
    assert_eq!(iam.list_keys(&new, "alice").await.unwrap()[0].status, Status::Inactive);
    assert_eq!(iam.key_use(&new, &made.key.id).await.unwrap().last.map(|u| u.service), Some("iam".into()));
    let code = SecretKey::new("123456".into());
    let session = iam.open_session(&made.key, "arn:aws:iam::123456789012:mfa/alice", &code).await.unwrap();
    assert!(iam.mfa_serials(&Signer::Session(session), "alice").await.unwrap().is_empty());
    iam.create_key(&new, "alice", &rotation()).await.unwrap();
    assert_eq!(iam.create_key(&new, "alice", &rotation()).await.unwrap_err().cause, Cause::QuotaFull);
    iam.delete_key(&new, "alice", &made.key.id).await.unwrap();
    assert_eq!(iam.delete_key(&new, "alice", &made.key.id).await.unwrap_err().cause, Cause::NotFound);
}
