//! The organization and the roles in its accounts.

use std::time::Duration;

use keyrot_me::aws::estate::AwsEstate;
use keyrot_me::ports::{Cause, Directory, Estate, RoleToAssume};

use super::{Bench, Limits, all, at, bench, destination, key_of, limits, signer};
use crate::sandbox::{ADMINISTRATOR, AccountFields, Fault, HOME, Sandbox};

const OTHER: &str = "200000000001";

fn organization(accounts: usize) -> (Sandbox, String) {
    let sandbox = Sandbox::start();
    sandbox.standard();
    sandbox.set_policies("alice", &[ADMINISTRATOR]);
    (1..accounts).for_each(|n| sandbox.add_account(&format!("{:012}", 200_000_000_000 + n as u64)));
    let root = sandbox.make_organization(HOME);
    (sandbox, root)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_accounts_are_found_twenty_at_a_time() {
    let (sandbox, _) = organization(45);
    let Bench { sandbox, estate, .. } = at(sandbox, limits()).await;
    let who = estate.identity().await.unwrap();
    assert_eq!((who.account.as_str(), who.user()), (HOME, Some("alice")));
    assert_eq!(estate.management_account().await.unwrap(), HOME);
    let (accounts, sizes) = all(async |next| estate.accounts_page(None, next.as_deref()).await).await;
    assert_eq!((accounts.len(), sizes), (45, vec![20, 20, 5]));
    assert_eq!((accounts[0].id.as_str(), accounts[0].state.as_str()), (HOME, "ACTIVE"));
    assert_eq!(accounts[1].name, format!("account-{OTHER}"));
    sandbox.empty_pages(true);
    let (again, sizes) = all(async |next| estate.accounts_page(None, next.as_deref()).await).await;
    assert_eq!((again, sizes), (accounts, vec![0, 20, 0, 20, 0, 5]));
    assert!(estate.clock_offset().unwrap().num_seconds().abs() <= 2);
    assert_eq!(estate.signing_key().map(|key| key.to_string()), Some(sandbox.keys_of("alice")[0].id.clone()));
    assert!(!estate.temporary());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_has_its_own_accounts_and_units() {
    let (sandbox, root) = organization(4);
    let unit = sandbox.add_unit(&root, "Workloads");
    let inner = sandbox.add_unit(&unit, "Inner");
    sandbox.place(OTHER, &unit);
    sandbox.empty_pages(true);
    let Bench { sandbox: _sandbox, estate, .. } = at(sandbox, limits()).await;
    let (units, _) = all(async |next| estate.units_page(&root, next.as_deref()).await).await;
    assert_eq!(units, [unit.as_str()]);
    let (units, _) = all(async |next| estate.units_page(&unit, next.as_deref()).await).await;
    assert_eq!(units, [inner.as_str()]);
    assert_eq!(estate.units_page(&inner, None).await.unwrap().items, Vec::<String>::new());
    let (accounts, _) = all(async |next| estate.accounts_page(Some(&unit), next.as_deref()).await).await;
    assert_eq!(accounts.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), [OTHER]);
    let failed = estate.accounts_page(Some("ou-none-11111111"), None).await.unwrap_err();
    assert_eq!((failed.cause, failed.code.as_deref()), (Cause::NotFound, Some("ParentNotFoundException")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_state_of_an_account_is_read_from_either_field() {
    let (sandbox, _) = organization(2);
    sandbox.set_account_state(OTHER, "CLOSED");
    let Bench { sandbox, estate, .. } = at(sandbox, limits()).await;
    for (fields, state) in [
        (AccountFields::Both, "CLOSED"),
        (AccountFields::StateOnly, "CLOSED"),
        (AccountFields::StatusOnly, "SUSPENDED"),
    ] {
        sandbox.account_fields(fields);
        assert_eq!(estate.accounts_page(None, None).await.unwrap().items[1].state, state);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outside_an_organization_and_below_its_management_the_cause_is_told() {
    let alone = bench().await;
    for failed in [
        alone.estate.management_account().await.unwrap_err(),
        alone.estate.accounts_page(None, None).await.unwrap_err(),
    ] {
        let code = Some("AWSOrganizationsNotInUseException");
        assert_eq!((failed.cause, failed.code.as_deref()), (Cause::NotFound, code), "{failed}");
    }
    let (sandbox, _) = organization(2);
    sandbox.add_user((OTHER, "zoe"));
    sandbox.set_policies((OTHER, "zoe"), &[ADMINISTRATOR]);
    let (id, secret) = sandbox.seed_key((OTHER, "zoe"), sandbox.now(), "Active");
    let zoe = signer(&id, &secret);
    let estate = AwsEstate::signed_by(destination(&sandbox.url()).await, limits(), &zoe);
    assert_eq!(estate.management_account().await.unwrap(), HOME);
    assert_eq!(estate.accounts_page(None, None).await.unwrap_err().cause, Cause::AccessDenied);
    assert_eq!(estate.accounts_page(Some("r-1"), None).await.unwrap_err().cause, Cause::AccessDenied);
    assert_eq!(estate.units_page("r-1", None).await.unwrap_err().cause, Cause::AccessDenied);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_broken_answer_of_the_organization_or_of_sts_passes() {
    let (sandbox, root) = organization(2);
    let quick = Limits { attempt: Duration::from_millis(400), ..limits() };
    let role = role(&sandbox, "");
    let Bench { sandbox, estate, .. } = at(sandbox, quick).await;
    let call = async |action: &str| match action {
        "GetCallerIdentity" => estate.identity().await.map(drop),
        "DescribeOrganization" => estate.management_account().await.map(drop),
        "ListAccounts" => estate.accounts_page(None, None).await.map(drop),
        "ListAccountsForParent" => estate.accounts_page(Some(&root), None).await.map(drop),
        "ListOrganizationalUnitsForParent" => estate.units_page(&root, None).await.map(drop),
        _ => estate.assume(&role).await.map(drop),
    };
    for action in [
        "GetCallerIdentity",
        "DescribeOrganization",
        "ListAccounts",
        "ListAccountsForParent",
        "ListOrganizationalUnitsForParent",
        "AssumeRole",
    ] {
        for fault in [
            Fault::CutAnswer,
            Fault::HalfAnswer,
            Fault::Garbage,
            Fault::Html,
            Fault::ErrorBefore(500),
            Fault::Hang,
            Fault::Refuse,
            Fault::ActAndDrop,
        ] {
            sandbox.clear_calls();
            sandbox.fault(action, 1, fault.clone());
            let failed = call(action).await.expect_err(&format!("{action} {fault:?}"));
            assert_eq!((failed.cause, sandbox.count(action)), (Cause::Ambiguous, 1), "{action} {fault:?}: {failed}");
        }
        sandbox.throttle_next(action, 1);
        assert_eq!(call(action).await.unwrap_err().cause, Cause::Throttled, "{action}");
        call(action).await.unwrap();
    }
}

/// A role in the other account that HOME may take, under `condition`.
fn role(sandbox: &Sandbox, condition: &str) -> RoleToAssume {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole",
            "Principal":{{"AWS":"arn:aws:iam::{HOME}:root"}}{condition}}}]}}"#
    );
    let arn = sandbox.add_role(OTHER, "keyrot-me-purge", &trust, &[ADMINISTRATOR]);
    RoleToAssume { arn, session_name: "keyrot-me-purge-2026-11-20".into(), external_id: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_is_taken_on_with_its_external_id_and_named_for_the_auditor() {
    let (sandbox, _) = organization(2);
    sandbox.add_user((OTHER, "zoe"));
    let plain = role(&sandbox, r#","Condition":{"StringEquals":{"sts:ExternalId":"friday-7"}}"#);
    let Bench { sandbox, estate, it, .. } = at(sandbox, limits()).await;
    let right = RoleToAssume { external_id: Some("friday-7".into()), ..plain.clone() };
    let there = estate.assume(&right).await.unwrap();
    let names = async |it: &keyrot_me::aws::directory::AwsDirectory| {
        it.users_page(None).await.unwrap().items.into_iter().map(|user| user.name).collect::<Vec<_>>()
    };
    assert_eq!(names(&there).await, ["zoe"]);
    assert_eq!(names(&it).await, ["alice", "bob"]);
    let asked = sandbox.calls().into_iter().find(|call| call.action == "AssumeRole").unwrap();
    assert_eq!(asked.parameters["DurationSeconds"], "3600");
    assert_eq!(asked.parameters["RoleSessionName"], right.session_name);

    there.tag("zoe", "team", "x").await.unwrap();
    let tagged = sandbox.events().into_iter().find(|event| event.name == "TagUser").unwrap().record;
    let arn = tagged["userIdentity"]["arn"].as_str().unwrap();
    assert_eq!(arn, format!("arn:aws:sts::{OTHER}:assumed-role/keyrot-me-purge/keyrot-me-purge-2026-11-20"));
    assert!(tagged["userAgent"].as_str().unwrap().contains("app/keyrot-me"));

    let wrong = RoleToAssume { external_id: Some("monday".into()), ..plain.clone() };
    let missing = RoleToAssume { arn: plain.arn.replace("keyrot-me-purge", "none"), ..right.clone() };
    let nameless = RoleToAssume { session_name: "not a name".into(), ..right };
    for (role, cause) in [
        (wrong, Cause::AccessDenied),
        (plain, Cause::AccessDenied),
        (missing, Cause::AccessDenied),
        (nameless, Cause::Refused),
    ] {
        let failed = estate.assume(&role).await.expect_err(&role.arn);
        assert_eq!(failed.cause, cause, "{failed}");
    }
    sandbox.expire_sessions();
    assert_eq!(there.users_page(None).await.unwrap_err().cause, Cause::SessionExpired);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_an_hour_off_is_refused_and_known_from_the_refusal() {
    let Bench { sandbox, estate, it, .. } = bench().await;
    sandbox.advance(Duration::from_hours(1));
    assert_eq!(estate.identity().await.unwrap_err().cause, Cause::SignatureRefused);
    let off = estate.clock_offset().unwrap().num_seconds();
    assert!((3598..=3602).contains(&off), "{off}");
    // The SDK makes up for it from then on, each client for itself.
    estate.identity().await.unwrap();
    assert_eq!(it.users_page(None).await.unwrap_err().cause, Cause::SignatureRefused);
    it.users_page(None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_called_before_it_is_asked_for() {
    let Bench { sandbox, estate, it, .. } = bench().await;
    drop((estate.own(), estate.signing_key(), estate.clock_offset(), it.clone()));
    assert!(sandbox.calls().is_empty());
    assert_eq!(estate.clock_offset(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn debug_shows_no_secret() {
    let (sandbox, _) = organization(2);
    let role = role(&sandbox, "");
    let secret = key_of(&sandbox, "alice").secret;
    let Bench { sandbox: _sandbox, estate, it, .. } = at(sandbox, limits()).await;
    it.users_page(None).await.unwrap();
    let there = estate.assume(&role).await.unwrap();
    there.users_page(None).await.unwrap();
    let shown = format!("{estate:?} {estate:#?} {it:?} {there:#?}");
    assert!(shown.contains("AwsEstate") && !shown.contains(secret.expose()), "{shown}");
    assert!(!shown.contains("ASIA") && !shown.contains("ession"), "{shown}");
}
