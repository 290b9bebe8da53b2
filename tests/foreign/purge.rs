//! The purge against moto: groups, tags, last uses and other accounts, as others understood AWS. Keys there are
//! seconds old: `--max-age 1s` makes them over-age, `--all-keys` too.

use std::time::Duration;

use serde_json::Value;

use super::moto::{ALICE, Moto};

const ACCOUNT: &str = "123456789012";

/// Developers: alice, bob and carol; carol is in `KeyExempt`, too. The purger is outside.
fn company() -> Option<(Moto, [String; 3])> {
    let moto = Moto::start()?;
    let iam = &moto.admin.iam;
    for group in ["Developers", "KeyExempt"] {
        moto.admin.wait_for(iam.create_group().group_name(group).send()).unwrap();
    }
    let keys = [ALICE, "bob", "carol"].map(|user| {
        moto.add_user(user);
        moto.admin.wait_for(iam.add_user_to_group().group_name("Developers").user_name(user).send()).unwrap();
        moto.admin.create_key(user).0
    });
    moto.admin.wait_for(iam.add_user_to_group().group_name("KeyExempt").user_name("carol").send()).unwrap();
    moto.add_user("purger");
    let (id, secret) = moto.admin.create_key("purger");
    moto.write_credentials(&format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"));
    // A key must be a second old to be over the limit.
    std::thread::sleep(Duration::from_millis(1100));
    Some((moto, keys))
}

fn purge(moto: &Moto, exit: i32, more: &[&str]) -> Value {
    let mut arguments = vec!["purge", "--group", "Developers", "--exempt-group", "KeyExempt", "--json"];
    arguments.extend(more);
    moto.run(&arguments).expect(exit).json()
}

fn decisions(report: &Value) -> Vec<(String, String, String)> {
    let word = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let row = |row: &Value| (word(row, "user"), word(row, "decision"), word(row, "result"));
    let mut rows: Vec<_> = report["keys"].as_array().unwrap().iter().map(row).collect();
    rows.sort();
    rows
}

fn rows(decision: &str, result: &str) -> Vec<(String, String, String)> {
    [ALICE, "bob"].map(|user| (user.to_owned(), decision.to_owned(), result.to_owned())).to_vec()
}

fn states(moto: &Moto, users: [&str; 3]) -> Vec<String> {
    users.iter().flat_map(|user| moto.admin.keys(user)).map(|(_, status)| status).collect()
}

fn tags(moto: &Moto, user: &str) -> Vec<(String, String)> {
    let answer = moto.admin.wait_for(moto.admin.iam.list_user_tags().user_name(user).send()).unwrap();
    answer.tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

#[test]
fn keys_of_a_group_are_disabled_recorded_and_deleted() {
    let Some((moto, [alice, bob, _])) = company() else { return };
    let dry = purge(&moto, 0, &["--max-age", "1s"]);
    assert_eq!(decisions(&dry), rows("disable", "planned"));
    assert_eq!(dry["accounts"][0]["account"], ACCOUNT);
    assert_eq!(dry["accounts"][0]["users_exempt"], 1);
    assert_eq!(states(&moto, [ALICE, "bob", "carol"]), ["Active", "Active", "Active"]);

    let done = purge(&moto, 0, &["--max-age", "1s", "--apply"]);
    assert_eq!(decisions(&done), rows("disable", "done"));
    assert_eq!(states(&moto, [ALICE, "bob", "carol"]), ["Inactive", "Inactive", "Active"]);
    let recorded = tags(&moto, "bob");
    assert_eq!(recorded[0].0, format!("keyrot-me/disabled/{bob}"));
    assert!(recorded[0].1.starts_with("first=") && recorded[0].1.ends_with(" n=1"), "{recorded:?}");

    assert_eq!(decisions(&purge(&moto, 0, &["--max-age", "1s", "--apply"])), rows("wait", "planned"));
    std::thread::sleep(Duration::from_millis(1100));
    let deleted = purge(&moto, 0, &["--max-age", "1s", "--grace", "1s", "--apply"]);
    assert_eq!(decisions(&deleted), rows("delete", "done"));
    assert!(moto.keys().is_empty(), "{alice} is gone");
    assert_eq!(states(&moto, [ALICE, "bob", "carol"]), ["Active"]);
    assert!(tags(&moto, "bob").is_empty() && tags(&moto, ALICE).is_empty());
}

#[test]
fn all_keys_of_a_group_go_at_once_where_that_is_asked_for() {
    let Some((moto, _)) = company() else { return };
    let done = purge(&moto, 0, &["--all-keys", "--grace", "0", "--max-affected", "100%", "--apply"]);
    assert_eq!(decisions(&done), rows("delete", "done"));
    assert_eq!(states(&moto, [ALICE, "bob", "carol"]), ["Active"]);
}

#[test]
fn a_tag_exempts_and_a_group_that_is_missing_stops_everything() {
    let Some((moto, _)) = company() else { return };
    let ends = (chrono::Utc::now() + chrono::TimeDelta::days(30)).format("%Y-%m-%d OPS-42 vendor migration");
    let tag = aws_sdk_iam::types::Tag::builder().key("keyrot-me/exempt").value(ends.to_string()).build().unwrap();
    moto.admin.wait_for(moto.admin.iam.tag_user().user_name("bob").tags(tag).send()).unwrap();
    let done = purge(&moto, 0, &["--max-age", "1s", "--exempt-tag", "--apply"]);
    let bob = done["keys"].as_array().unwrap().iter().find(|row| row["user"] == "bob").unwrap();
    assert_eq!(bob["decision"], "exempt");
    assert_eq!(states(&moto, [ALICE, "bob", "carol"]), ["Inactive", "Active", "Active"]);

    let ran = purge(&moto, 20, &["--max-age", "1s", "--group", "Nobodies", "--apply"]);
    assert_eq!(ran["complete"], false);
    assert_eq!(ran["accounts"][0]["skipped"][0]["what"], "group/Nobodies");
    assert_eq!(states(&moto, [ALICE, "bob", "carol"]), ["Inactive", "Active", "Active"]);
}

#[test]
fn another_account_is_entered_through_the_role_and_its_gap_has_a_name() {
    let Some((moto, _)) = company() else { return };
    // It has no such group: named, left alone, and the caller's own account is done all the same.
    let other = "210987654321";
    let ran = purge(&moto, 20, &["--max-age", "1s", "--account", ACCOUNT, "--account", other, "--apply"]);
    let account =
        |id: &str| ran["accounts"].as_array().unwrap().iter().find(|row| row["account"] == id).unwrap().clone();
    assert_eq!(account(ACCOUNT)["complete"], true, "{ran:#}");
    assert_eq!(account(other)["complete"], false, "{ran:#}");
    assert_eq!(account(other)["skipped"][0]["what"], "group/KeyExempt");
    assert_eq!(states(&moto, [ALICE, "bob", "carol"]), ["Inactive", "Inactive", "Active"]);
}

/// moto's Organizations answers as `text/html`, which the program takes for a login page's: nothing is done.
#[test]
fn an_organization_that_cannot_be_read_is_no_empty_one() {
    let Some((moto, _)) = company() else { return };
    let ran = purge(&moto, 20, &["--max-age", "1s", "--org", "--apply"]);
    assert_eq!(ran["complete"], false);
    assert_eq!(states(&moto, [ALICE, "bob", "carol"]), ["Active", "Active", "Active"]);
}

#[test]
fn explain_finds_a_keys_owner_and_tells_the_rules() {
    let Some((moto, [_, bob, _])) = company() else { return };
    let told = purge(&moto, 0, &["--max-age", "1s", "--explain", &bob]);
    assert_eq!(told["user"], "bob");
    assert_eq!(told["keys"][0]["decision"], "disable");
    assert_eq!(told["keys"][0]["rules"][2]["rule"], "age");
}
