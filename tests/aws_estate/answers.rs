//! Answers that are well-formed and still do not say what they must: by a server that answers by script.

use keyrot_me::aws::estate::AwsEstate;
use keyrot_me::keys::facts::KeyId;
use keyrot_me::keys::secret::{AccessKey, SecretKey, Signer};
use keyrot_me::ports::{CallError, Cause, Directory, Estate};

use super::{destination, limits};
use crate::aws_wire::server::{Reply, Wire};

const USER: &str = "<UserName>bob</UserName><UserId>AIDAEXAMPLE</UserId>";
const WHOLE: &str = "<IsTruncated>false</IsTruncated>";
const GROUP: &str = "<Group><GroupName>Developers</GroupName></Group>";

async fn against(reply: Reply) -> (Wire, AwsEstate) {
    let (wire, address) = Wire::start(vec![reply]).await;
    let id = KeyId::new("AKIAEXAMPLE000000001").unwrap();
    let signer = Signer::Key(AccessKey { id, secret: SecretKey::new("s3cr3t".into()) });
    (wire, AwsEstate::signed_by(destination(&format!("http://{address}")).await, limits(), &signer))
}

fn xml(action: &str, result: &str) -> Reply {
    let body = format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>");
    Reply::Answer(200, "text/xml", body, None)
}

fn json(body: &str) -> Reply {
    Reply::Answer(200, "application/x-amz-json-1.1", body.into(), None)
}

/// Calls `action` where it answers `result`.
async fn read(action: &str, result: &str) -> Result<String, CallError> {
    let (_wire, estate) = against(xml(action, result)).await;
    let it = estate.own();
    let key = KeyId::new("AKIAEXAMPLE000000002").unwrap();
    match action {
        "GetGroup" => it.group_page("Developers", None).await.map(|it| format!("{it:?}")),
        "ListUsers" => it.users_page(None).await.map(|it| format!("{it:?}")),
        "GetUser" => it.user("bob").await.map(|it| format!("{it:?}")),
        "ListGroupsForUser" => it.groups_page("bob", None).await.map(|it| format!("{it:?}")),
        "ListAccessKeys" => it.keys_page("bob", None).await.map(|it| format!("{it:?}")),
        "GetAccessKeyLastUsed" => it.key_use(&key).await.map(|it| format!("{it:?}")),
        "GetCallerIdentity" => estate.identity().await.map(|it| format!("{it:?}")),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_list_that_does_not_say_where_it_goes_on_has_no_end() {
    for (action, head) in [
        ("GetGroup", format!("{GROUP}<Users/>")),
        ("ListUsers", "<Users/>".to_owned()),
        ("ListGroupsForUser", "<Groups/>".to_owned()),
        ("ListAccessKeys", "<AccessKeyMetadata/>".to_owned()),
    ] {
        let next = read(action, &format!("{head}<IsTruncated>true</IsTruncated><Marker>m1</Marker>")).await.unwrap();
        assert!(next.contains("m1"), "{next}");
        read(action, &format!("{head}{WHOLE}")).await.unwrap();
        for cut in ["<IsTruncated>true</IsTruncated>", "<IsTruncated>true</IsTruncated><Marker></Marker>"] {
            let failed = read(action, &format!("{head}{cut}")).await.unwrap_err();
            assert_eq!(failed.cause, Cause::Ambiguous, "{action} {cut}: {failed}");
        }
        assert_eq!(read(action, "").await.unwrap_err().cause, Cause::Ambiguous, "{action}");
    }
}

#[tokio::test]
async fn a_row_that_lacks_what_counts_is_not_dropped() {
    let key = |id: &str, status: &str, date: &str| {
        format!("<AccessKeyMetadata><member>{id}{status}{date}</member></AccessKeyMetadata>{WHOLE}")
    };
    let (id, status) = ("<AccessKeyId>AKIAEXAMPLE000000002</AccessKeyId>", "<Status>Active</Status>");
    let date = "<CreateDate>2026-11-16T09:00:05Z</CreateDate>";
    read("ListAccessKeys", &key(id, status, date)).await.unwrap();
    let nameless = "<UserName></UserName><UserId>AIDAEXAMPLE</UserId>";
    for (action, result) in [
        ("ListAccessKeys", key("", status, date)),
        ("ListAccessKeys", key("<AccessKeyId>odd</AccessKeyId>", status, date)),
        ("ListAccessKeys", key(id, "", date)),
        ("ListAccessKeys", key(id, status, "")),
        ("ListAccessKeys", key(id, status, "<CreateDate>lately</CreateDate>")),
        ("GetGroup", format!("<Users/>{WHOLE}")),
        ("GetGroup", format!("{GROUP}<Users><member><UserName>bob</UserName></member></Users>{WHOLE}")),
        ("ListUsers", format!("<Users><member>{nameless}</member></Users>{WHOLE}")),
        ("ListUsers", format!("<Users><member>{USER}</member><member/></Users>{WHOLE}")),
        ("ListGroupsForUser", format!("<Groups><member><GroupId>AGPA</GroupId></member></Groups>{WHOLE}")),
        ("GetUser", String::new()),
        ("GetUser", "<User><UserName>bob</UserName></User>".into()),
        ("GetUser", format!("<User>{nameless}</User>")),
        ("GetUser", format!("<User>{USER}<Tags><member><Value>x</Value></member></Tags></User>")),
        ("GetAccessKeyLastUsed", "<UserName>bob</UserName>".into()),
        ("GetCallerIdentity", "<Account>123456789012</Account>".into()),
    ] {
        let failed = read(action, &result).await.expect_err(&result);
        assert!(matches!(failed.cause, Cause::Ambiguous | Cause::Refused), "{action} {result}: {failed}");
    }
}

#[tokio::test]
async fn a_last_use_without_a_date_is_never() {
    let never = "<UserName>bob</UserName><AccessKeyLastUsed><ServiceName>N/A</ServiceName><Region>N/A</Region>\
                 </AccessKeyLastUsed>";
    let shown = read("GetAccessKeyLastUsed", never).await.unwrap();
    assert_eq!(shown, r#"KeyUse { user: Some("bob"), last: None }"#);
}

#[tokio::test]
async fn a_write_that_is_answered_with_anything_else_is_not_done() {
    let key = KeyId::new("AKIAEXAMPLE000000002").unwrap();
    for (reply, done) in [
        (Reply::Answer(200, "text/xml", "<DeleteAccessKeyResponse/>".into(), None), true),
        (Reply::Answer(200, "text/xml", String::new(), None), false),
        (xml("UpdateAccessKey", ""), false),
        (json("{}"), false),
    ] {
        let (wire, estate) = against(reply).await;
        assert_eq!(estate.own().delete("bob", &key).await.is_ok(), done);
        assert_eq!(wire.requests(), 1);
    }
}

#[tokio::test]
async fn an_organization_that_lacks_what_counts_is_an_error() {
    for body in [
        "",
        "{}",
        "{\"Accounts\":",
        "[]",
        r#"{"Accounts":[{"Id":"1","Name":"x"}]}"#,
        r#"{"Accounts":[{"Name":"x","State":"ACTIVE"}]}"#,
        r#"{"Accounts":null}"#,
    ] {
        let (_wire, estate) = against(json(body)).await;
        for unit in [None, Some("ou-1")] {
            let failed = estate.accounts_page(unit, None).await.expect_err(body);
            assert_eq!(failed.cause, Cause::Ambiguous, "{body}: {failed}");
        }
    }
    for body in ["{}", r#"{"OrganizationalUnits":[{"Name":"x"}]}"#, r#"{"OrganizationalUnits":[{"Id":"ou-1"}"#] {
        let (_wire, estate) = against(json(body)).await;
        assert_eq!(estate.units_page("r-1", None).await.expect_err(body).cause, Cause::Ambiguous, "{body}");
    }
    for body in ["{}", r#"{"Organization":{}}"#, r#"{"Organization":{"MasterAccountId":""}}"#] {
        let (_wire, estate) = against(json(body)).await;
        assert_eq!(estate.management_account().await.expect_err(body).cause, Cause::Ambiguous, "{body}");
    }
    let (_wire, estate) = against(json(r#"{"Accounts":[],"NextToken":"t"}"#)).await;
    assert_eq!(estate.accounts_page(None, None).await.unwrap().next.as_deref(), Some("t"));
}
