//! The AWS side of the purge against the sandbox: what each call gives, and that no broken answer passes for
//! an empty one.

use std::path::Path;
use std::time::Duration;

use keyrot_me::aws::directory::AwsDirectory;
use keyrot_me::aws::endpoint::Destination;
use keyrot_me::aws::estate::AwsEstate;
use keyrot_me::aws::iam::AwsIam;
use keyrot_me::aws::profile::ProfileFiles;
use keyrot_me::aws::session::Limits;
use keyrot_me::keys::facts::{KeyId, Status};
use keyrot_me::keys::journal::RotationId;
use keyrot_me::keys::secret::{AccessKey, SecretKey, Signer};
use keyrot_me::ports::{CallError, Cause, Directory, Estate, Iam, Page, RoleToAssume};

use crate::sandbox::{ADMINISTRATOR, Fault, Sandbox};

mod accounts;
mod answers;
mod chain;

struct Bench {
    sandbox: Sandbox,
    estate: AwsEstate,
    it: AwsDirectory,
    /// Alice's, which signs.
    key: AccessKey,
}

fn limits() -> Limits {
    Limits { connect: Duration::from_secs(2), attempt: Duration::from_secs(2), create: Duration::from_secs(2) }
}

/// The standard account; alice may do everything.
async fn bench() -> Bench {
    let sandbox = Sandbox::start();
    sandbox.standard();
    sandbox.set_policies("alice", &[ADMINISTRATOR]);
    at(sandbox, limits()).await
}

async fn at(sandbox: Sandbox, limits: Limits) -> Bench {
    let key = key_of(&sandbox, "alice");
    let estate = AwsEstate::signed_by(destination(&sandbox.url()).await, limits, &Signer::Key(key.clone()));
    let it = estate.own();
    Bench { sandbox, estate, it, key }
}

async fn destination(url: &str) -> Destination {
    let nowhere = Path::new("/nowhere");
    let files = ProfileFiles::load(nowhere, nowhere).await.unwrap();
    let env = |name: &str| match name {
        "AWS_ENDPOINT_URL" => Some(url.to_owned()),
        "AWS_REGION" => Some("eu-central-1".to_owned()),
        _ => None,
    };
    Destination::for_profile(&files, None, &env).await.unwrap()
}

fn signer(id: &str, secret: &str) -> Signer {
    Signer::Key(AccessKey { id: KeyId::new(id).unwrap(), secret: SecretKey::new(secret.into()) })
}

fn key_of(sandbox: &Sandbox, user: &str) -> AccessKey {
    let state = sandbox.keys_of(user).remove(0);
    AccessKey { id: KeyId::new(state.id).unwrap(), secret: SecretKey::new(state.secret) }
}

/// Follows the pages by hand, as the runner does; the sizes tell how they came.
async fn all<T>(page: impl AsyncFn(Option<String>) -> Result<Page<T>, CallError>) -> (Vec<T>, Vec<usize>) {
    let (mut items, mut sizes, mut next) = (Vec::new(), Vec::new(), None);
    loop {
        let got = page(next).await.unwrap();
        sizes.push(got.items.len());
        items.extend(got.items);
        next = got.next;
        if next.is_none() {
            return (items, sizes);
        }
    }
}

const READS: [&str; 6] =
    ["GetGroup", "ListUsers", "GetUser", "ListGroupsForUser", "ListAccessKeys", "GetAccessKeyLastUsed"];
const WRITES: [&str; 4] = ["TagUser", "UntagUser", "UpdateAccessKey", "DeleteAccessKey"];

impl Bench {
    /// One call of bob's, or of his group's; what it gave, in Debug's words.
    async fn call(&self, action: &str) -> Result<String, CallError> {
        fn shown<T: std::fmt::Debug>(value: T) -> String {
            format!("{value:?}")
        }
        let (it, bobs) = (&self.it, KeyId::new(self.sandbox.keys_of("bob")[0].id.clone()).unwrap());
        match action {
            "GetGroup" => it.group_page("Developers", None).await.map(shown),
            "ListUsers" => it.users_page(None).await.map(shown),
            "GetUser" => it.user("bob").await.map(shown),
            "ListGroupsForUser" => it.groups_page("bob", None).await.map(shown),
            "ListAccessKeys" => it.keys_page("bob", None).await.map(shown),
            "GetAccessKeyLastUsed" => it.key_use(&bobs).await.map(shown),
            "TagUser" => it.tag("bob", "team", "x").await.map(shown),
            "UntagUser" => it.untag("bob", &["team".to_owned()]).await.map(shown),
            "UpdateAccessKey" => it.disable("bob", &bobs).await.map(shown),
            "DeleteAccessKey" => it.delete("bob", &bobs).await.map(shown),
            other => panic!("{other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_reads_what_iam_knows() {
    let Bench { sandbox, it, .. } = bench().await;
    let names = |users: &[keyrot_me::keys::purge::UserFacts]| users.iter().map(|u| u.name.clone()).collect::<Vec<_>>();
    let group = it.group_page("Developers", None).await.unwrap();
    assert_eq!((names(&group.items), group.next), (vec!["alice".to_owned(), "bob".to_owned()], None));
    let users = it.users_page(None).await.unwrap();
    assert_eq!(users.items, group.items);
    assert_eq!(users.items[1].id, sandbox.user_id("bob"));

    sandbox.set_tag("bob", "keyrot-me/exempt", "2026-12-20 OPS-7 vendor");
    sandbox.set_tag("bob", "empty", "");
    let bob = it.user("bob").await.unwrap();
    assert_eq!((bob.user, bob.tags), (users.items[1].clone(), sandbox.tags_of("bob")));
    assert!(it.user("alice").await.unwrap().tags.is_empty());
    assert_eq!(it.groups_page("bob", None).await.unwrap().items, ["Developers"]);

    sandbox.seed_key("bob", sandbox.now(), "Inactive");
    let keys = it.keys_page("bob", None).await.unwrap().items;
    let seen: Vec<_> = sandbox.keys_of("bob").into_iter().map(|k| (k.id, k.status, k.created)).collect();
    let told: Vec<_> = keys.iter().map(|k| (k.id.to_string(), k.status.to_string(), k.created)).collect();
    assert_eq!(told, seen);

    let never = it.key_use(&keys[0].id).await.unwrap();
    assert_eq!((never.user.as_deref(), never.last), (Some("bob"), None));
    sandbox.set_last_used(keys[0].id.as_str(), keys[0].created, "s3", "eu-west-1");
    let last = it.key_use(&keys[0].id).await.unwrap().last.unwrap();
    assert_eq!((last.at, last.service.as_str(), last.region.as_str()), (keys[0].created, "s3", "eu-west-1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_does_what_it_says_and_gives_the_id_that_cloudtrail_has() {
    let Bench { sandbox, it, .. } = bench().await;
    let bobs = KeyId::new(sandbox.keys_of("bob")[0].id.clone()).unwrap();
    let name = format!("keyrot-me/disabled/{bobs}");
    let value = "first=2026-11-20T23:55:00Z last=2026-11-20T23:55:00Z n=1";
    let mut ids = vec![it.tag("bob", &name, value).await.unwrap()];
    assert_eq!(sandbox.tags_of("bob"), [(name.clone(), value.to_owned())].into());
    ids.push(it.disable("bob", &bobs).await.unwrap());
    assert_eq!(sandbox.key(bobs.as_str()).unwrap().status, Status::Inactive.as_str());
    ids.push(it.delete("bob", &bobs).await.unwrap());
    assert!(sandbox.keys_of("bob").is_empty());
    ids.push(it.untag("bob", &[name]).await.unwrap());
    assert!(sandbox.tags_of("bob").is_empty());
    let recorded: Vec<_> = sandbox.events().iter().map(|e| e.record["requestID"].as_str().map(str::to_owned)).collect();
    assert_eq!(ids, recorded);
    assert!(ids.iter().all(Option::is_some));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_short_and_empty_ones_too_lead_to_the_end_of_each_list() {
    let Bench { sandbox, it, .. } = bench().await;
    for group in ["A", "B", "C"] {
        sandbox.add_group(group, &["bob"]);
    }
    for n in 0..5 {
        sandbox.add_user(format!("u{n}").as_str());
        sandbox.join(format!("u{n}").as_str(), "Developers");
    }
    sandbox.seed_key("bob", sandbox.now(), "Inactive");
    sandbox.short_pages(2);
    sandbox.empty_pages(true);
    let (members, sizes) = all(async |next| it.group_page("Developers", next.as_deref()).await).await;
    assert_eq!((members.len(), sizes), (7, vec![0, 2, 0, 2, 0, 2, 0, 1]));
    let (users, _) = all(async |next| it.users_page(next.as_deref()).await).await;
    assert_eq!(users.len(), 7);
    let (groups, sizes) = all(async |next| it.groups_page("bob", next.as_deref()).await).await;
    assert_eq!((groups.len(), sizes), (4, vec![0, 2, 0, 2]));
    let (keys, sizes) = all(async |next| it.keys_page("bob", next.as_deref()).await).await;
    assert_eq!((keys.len(), sizes), (2, vec![0, 2]));
    assert!(sandbox.calls().iter().all(|call| call.parameters["MaxItems"] == "1000"));
    let stale = it.users_page(Some("no such marker")).await.unwrap_err();
    assert_eq!((stale.cause, stale.code.as_deref()), (Cause::Refused, Some("ValidationError")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_of_a_thousand_comes_in_one_page() {
    let sandbox = Sandbox::start();
    sandbox.standard();
    sandbox.set_policies("alice", &[ADMINISTRATOR]);
    let names: Vec<String> = (0..1001).map(|n| format!("dev-{n:04}")).collect();
    for name in &names {
        sandbox.add_user(name.as_str());
    }
    sandbox.add_group("Many", &names.iter().map(String::as_str).collect::<Vec<_>>());
    let Bench { sandbox: _sandbox, it, .. } = at(sandbox, limits()).await;
    let (members, sizes) = all(async |next| it.group_page("Many", next.as_deref()).await).await;
    assert_eq!((members.len(), sizes), (1001, vec![1000, 1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_refusal_has_its_cause_and_nothing_is_repeated() {
    for action in READS.into_iter().chain(WRITES) {
        let it = bench().await;
        let gone = Fault::Deny { code: "NoSuchEntity".into(), message: "cannot be found".into() };
        for (fault, cause) in [
            (Fault::denied(), Cause::AccessDenied),
            (Fault::Throttle, Cause::Throttled),
            (gone, Cause::NotFound),
            (Fault::ErrorBefore(503), Cause::Ambiguous),
        ] {
            it.sandbox.clear_calls();
            it.sandbox.fault(action, 1, fault.clone());
            let failed = it.call(action).await.unwrap_err();
            assert_eq!((failed.cause, it.sandbox.count(action)), (cause, 1), "{action} {fault:?}: {failed}");
            assert_eq!(failed.action, format!("iam:{action}"));
        }
        it.call(action).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_broken_answer_passes_for_an_answer() {
    let quick = Limits { attempt: Duration::from_millis(400), ..limits() };
    let Bench { sandbox, .. } = bench().await;
    sandbox.set_tag("bob", "keyrot-me/exempt", "2026-12-20 OPS-7 vendor");
    let it = at(sandbox, quick).await;
    for action in READS.into_iter().chain(WRITES) {
        for fault in [
            Fault::CutAnswer,
            Fault::HalfAnswer,
            Fault::Garbage,
            Fault::Html,
            Fault::ErrorBefore(500),
            Fault::ErrorAfter(500),
            Fault::Hang,
            Fault::Refuse,
            Fault::ActAndDrop,
        ] {
            it.sandbox.clear_calls();
            if it.sandbox.keys_of("bob").is_empty() {
                // The lost answer was to its deletion.
                it.sandbox.seed_key("bob", it.sandbox.now(), "Active");
            }
            it.sandbox.fault(action, 1, fault.clone());
            match it.call(action).await {
                Ok(answer) => panic!("{action} {fault:?} passed for {answer}"),
                Err(failed) => assert_eq!(failed.cause, Cause::Ambiguous, "{action} {fault:?}: {failed}"),
            }
            assert_eq!(it.sandbox.count(action), 1, "{action} {fault:?}");
        }
    }
    it.sandbox.seed_key("bob", it.sandbox.now(), "Active");
    it.sandbox.set_status(it.key.id.as_str(), "Inactive");
    assert_eq!(it.call("GetUser").await.unwrap_err().cause, Cause::KeyNotAccepted);
}

#[test]
fn a_foreign_emulator_is_understood() {
    let Some(moto) = crate::foreign::Moto::start() else { return };
    moto.add_user("bob");
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(all_calls(moto.url()));
}

async fn all_calls(url: &str) {
    let signer = signer("AKIAEXAMPLE000000001", "s3cr3t");
    let iam = AwsIam::new(destination(url).await);
    let key = iam.create_key(&signer, "bob", &RotationId::from_bits(1)).await.unwrap().key.id;
    let estate = AwsEstate::signed_by(destination(url).await, limits(), &signer);
    assert_eq!(estate.identity().await.unwrap().account, crate::sandbox::HOME);
    assert_eq!(estate.management_account().await.unwrap_err().cause, Cause::NotFound);
    let role = RoleToAssume {
        arn: "arn:aws:iam::123456789012:role/purge".into(),
        session_name: "friday".into(),
        external_id: Some("x".into()),
    };
    for it in [estate.own(), estate.assume(&role).await.unwrap()] {
        let users = it.users_page(None).await.unwrap();
        assert_eq!((users.items[0].name.as_str(), users.next), ("bob", None));
        it.tag("bob", "keyrot-me/exempt", "2026-12-20 OPS-7 vendor").await.unwrap();
        assert_eq!(it.user("bob").await.unwrap().tags["keyrot-me/exempt"], "2026-12-20 OPS-7 vendor");
        it.untag("bob", &["keyrot-me/exempt".to_owned()]).await.unwrap();
        assert!(it.user("bob").await.unwrap().tags.is_empty());
        assert!(it.groups_page("bob", None).await.unwrap().items.is_empty());
        assert_eq!(it.group_page("Nobody", None).await.unwrap_err().cause, Cause::NotFound);
        assert_eq!(it.key_use(&key).await.unwrap().user.as_deref(), Some("bob"));
        it.disable("bob", &key).await.unwrap();
        assert_eq!(it.keys_page("bob", None).await.unwrap().items[0].status, Status::Inactive);
    }
    let it = estate.own();
    it.delete("bob", &key).await.unwrap();
    assert!(it.keys_page("bob", None).await.unwrap().items.is_empty());
    assert_eq!(it.delete("bob", &key).await.unwrap_err().cause, Cause::NotFound);
}
