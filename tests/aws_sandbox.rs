//! The AWS adapter against the sandbox, which checks signatures, codes and policies as AWS does.

use std::time::Duration;

use chrono::TimeDelta;
use keyrot_me::aws::iam::AwsIam;
use keyrot_me::aws::session::Limits;
use keyrot_me::keys::facts::{KeyId, Status};
use keyrot_me::keys::journal::RotationId;
use keyrot_me::keys::secret::{AccessKey, SecretKey, Signer};
use keyrot_me::ports::{Cause, Iam};

use crate::aws_wire::destination;
use crate::sandbox::{Always, Fault, LOOKUP_EVENTS, MFA_DEMANDED, Sandbox};

struct Bench {
    sandbox: Sandbox,
    iam: AwsIam,
    old: AccessKey,
    serial: String,
}

async fn bench() -> Bench {
    let sandbox = Sandbox::start();
    sandbox.standard();
    let state = sandbox.keys_of("alice").remove(0);
    let old = AccessKey { id: KeyId::new(state.id).unwrap(), secret: SecretKey::new(state.secret) };
    let limits =
        Limits { connect: Duration::from_secs(1), attempt: Duration::from_secs(2), create: Duration::from_millis(500) };
    let iam = AwsIam::with_limits(destination(&sandbox.url()).await, limits);
    let serial = sandbox.user_arn("alice").replace(":user/", ":mfa/");
    Bench { sandbox, iam, old, serial }
}

impl Bench {
    async fn session(&self) -> Signer {
        let code = SecretKey::new(self.sandbox.next_totp("alice"));
        Signer::Session(self.iam.open_session(&self.old, &self.serial, &code).await.unwrap())
    }
}

fn rotation() -> RotationId {
    RotationId::from_bits(0xfeed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_calls_of_a_rotation_with_mfa() {
    let it = bench().await;
    it.sandbox.add_policy("alice", MFA_DEMANDED);
    it.sandbox.add_policy("alice", LOOKUP_EVENTS);
    it.sandbox.trail_delay(Duration::ZERO);
    let old = Signer::Key(it.old.clone());
    let who = it.iam.identity(&old).await.unwrap();
    assert_eq!(who.user(), Some("alice"));
    let denied = it.iam.create_key(&old, "alice", &rotation()).await.unwrap_err();
    assert_eq!(denied.cause, Cause::AccessDenied);
    let session = it.session().await;
    assert_eq!(it.iam.mfa_serials(&session, "alice").await.unwrap(), *std::slice::from_ref(&it.serial));
    let began = it.sandbox.now();
    let made = it.iam.create_key(&session, "alice", &rotation()).await.unwrap();
    let new = Signer::Key(made.key.clone());
    assert_eq!(it.iam.identity(&new).await.unwrap(), who);
    it.iam.set_active(&session, "alice", &it.old.id, false).await.unwrap();
    assert_eq!(it.iam.identity(&old).await.unwrap_err().cause, Cause::KeyNotAccepted);
    let keys = it.iam.list_keys(&new, "alice").await.unwrap();
    let status = |id: &KeyId| keys.iter().find(|k| k.id == *id).map(|k| k.status.clone());
    assert_eq!((status(&it.old.id), status(&made.key.id)), (Some(Status::Inactive), Some(Status::Active)));
    it.iam.delete_key(&session, "alice", &it.old.id).await.unwrap();
    assert_eq!(it.iam.delete_key(&session, "alice", &it.old.id).await.unwrap_err().cause, Cause::NotFound);
    let traced = it.iam.keys_made_by(&session, session.id(), began - TimeDelta::minutes(1)).await.unwrap();
    let [creation] = &traced[..] else { panic!("{traced:?}") };
    assert_eq!((&creation.key, creation.signer.as_str()), (&made.key.id, session.id()));
    assert!(creation.user_agent.contains("app/keyrot-000000000000feed"));
    assert!(it.iam.clock_offset().unwrap().num_seconds().abs() <= 2);
    let calls = it.sandbox.calls();
    assert!(calls.iter().all(|call| call.action == "CreateAccessKey" || call.user_agent.contains("app/keyrot-me")));
    assert!(calls.iter().filter(|call| call.action.starts_with("Get")).all(|call| call.region == "eu-central-1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_create_that_goes_wrong_happens_once_or_not_at_all() {
    for (fault, cause, made) in [
        (Fault::Refuse, Cause::Ambiguous, 0),
        (Fault::ErrorBefore(500), Cause::Ambiguous, 0),
        (Fault::ErrorAfter(503), Cause::Ambiguous, 1),
        (Fault::ActAndDrop, Cause::Ambiguous, 1),
        (Fault::Hang, Cause::Ambiguous, 0),
        (Fault::ActAndHang, Cause::Ambiguous, 1),
        (Fault::Throttle, Cause::Throttled, 0),
        (Fault::denied(), Cause::AccessDenied, 0),
        (Fault::Garbage, Cause::Ambiguous, 1),
        (Fault::CutAnswer, Cause::Ambiguous, 1),
        (Fault::Html, Cause::Ambiguous, 0),
    ] {
        let it = bench().await;
        it.sandbox.fault("CreateAccessKey", Always, fault.clone());
        let failed = it.iam.create_key(&Signer::Key(it.old.clone()), "alice", &rotation()).await.unwrap_err();
        assert_eq!(failed.cause, cause, "{fault:?}: {failed}");
        assert_eq!(it.sandbox.count("CreateAccessKey"), 1, "{fault:?}");
        assert_eq!(it.sandbox.keys_of("alice").len(), 1 + made, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_signer_lacks_is_told_apart() {
    let it = bench().await;
    let code = it.sandbox.next_totp("alice");
    let open = async |serial: &str, code: &str| {
        it.iam.open_session(&it.old, serial, &SecretKey::new(code.into())).await.map_err(|e| e.cause)
    };
    let session = Signer::Session(open(&it.serial, &code).await.unwrap());
    assert_eq!(open(&it.serial, &code).await.unwrap_err(), Cause::MfaCodeRefused, "each code once");
    let stranger = it.serial.replace("alice", "mallory");
    assert_eq!(open(&stranger, "123456").await.unwrap_err(), Cause::MfaDeviceUnknown);
    let list = async |signer: &Signer| it.iam.list_keys(signer, "alice").await.map_err(|e| e.cause);
    assert!(list(&session).await.is_ok());
    it.sandbox.expire_sessions();
    assert_eq!(list(&session).await.unwrap_err(), Cause::SessionExpired);
    // The same id with another secret is another signer, whatever is cached.
    assert!(list(&Signer::Key(it.old.clone())).await.is_ok());
    let wrong = AccessKey { secret: SecretKey::new("wrong".into()), ..it.old.clone() };
    assert_eq!(list(&Signer::Key(wrong)).await.unwrap_err(), Cause::SignatureRefused);
    it.sandbox.set_status(it.old.id.as_str(), "Inactive");
    assert_eq!(list(&Signer::Key(it.old.clone())).await.unwrap_err(), Cause::KeyNotAccepted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_an_hour_off_is_reported_though_the_sdk_makes_up_for_it() {
    let it = bench().await;
    it.sandbox.advance(Duration::from_hours(1));
    for _ in 0..2 {
        // Once by a second try with a corrected time, then corrected at once.
        it.iam.identity(&Signer::Key(it.old.clone())).await.unwrap();
        let off = it.iam.clock_offset().unwrap().num_seconds();
        assert!((3598..=3602).contains(&off), "{off}");
    }
}
