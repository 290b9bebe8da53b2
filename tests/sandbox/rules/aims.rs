//! Faults and gates for calls about one user, group or account; and what only hands do: renaming, opening sessions.

use std::time::Duration;

use super::client::{Keys, iam, refused, sandbox, sts, wait};
use crate::sandbox::{ADMINISTRATOR, Always, Fault, When};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_fault_may_be_about_one_user_group_or_account() {
    let (sandbox, keys) = sandbox();
    sandbox.set_policies("alice", &[ADMINISTRATOR]);
    sandbox.add_group("Exempt", &[]);
    sandbox.fault_about("GetUser", "bob", 2, Fault::Throttle);
    sandbox.fault_about("GetGroup", "Exempt", Always, Fault::denied());
    let user = |name: &str| wait(iam(&sandbox, &keys).get_user().user_name(name).send()).is_ok();
    assert_eq!(["bob", "alice", "alice", "bob", "bob"].map(user), [true, true, true, false, true]);
    let group = |name: &str| wait(iam(&sandbox, &keys).get_group().group_name(name).send()).is_ok();
    assert_eq!(["Exempt", "Developers", "Exempt"].map(group), [false, true, false]);
    assert_eq!(sandbox.calls()[0].account, "123456789012");
    sandbox.fault_about("GetUser", "bob", When::From(2), Fault::Throttle);
    assert_eq!(["bob", "alice", "bob", "bob"].map(user), [true, true, false, false]);
    sandbox.clear_faults();
    sandbox.fault_about("*", "123456789012", Always, Fault::Throttle);
    assert!(!user("alice"));
}

#[test]
fn a_call_waits_at_its_gate_and_others_do_not() {
    let (sandbox, keys) = sandbox();
    sandbox.set_policies("alice", &[ADMINISTRATOR]);
    let gate = sandbox.gate("GetUser", Some("bob"), 1);
    std::thread::scope(|scope| {
        let held = scope.spawn(|| wait(iam(&sandbox, &keys).get_user().user_name("bob").send()).unwrap());
        assert!(gate.reached(SOON));
        wait(iam(&sandbox, &keys).get_user().user_name("alice").send()).unwrap();
        sandbox.set_tag("bob", "while", "held");
        assert!(!held.is_finished());
        gate.open();
        assert_eq!(held.join().unwrap().user.unwrap().tags().len(), 1);
    });
    wait(iam(&sandbox, &keys).get_user().user_name("bob").send()).unwrap();
}

#[test]
fn a_gate_that_is_dropped_is_open() {
    let (sandbox, keys) = sandbox();
    drop(sandbox.gate("GetUser", None, 1));
    wait(iam(&sandbox, &keys).get_user().send()).unwrap();
}

#[test]
fn a_list_may_go_on_without_saying_where() {
    let (sandbox, keys) = sandbox();
    sandbox.set_policies("alice", &[ADMINISTRATOR]);
    sandbox.fault("GetGroup", Always, Fault::LostMarker);
    let list = || wait(iam(&sandbox, &keys).get_group().group_name("Developers").send()).unwrap();
    let whole = list();
    assert_eq!((whole.users.len(), whole.is_truncated, whole.marker), (2, true, None));
    sandbox.short_pages(1);
    let page = list();
    assert_eq!((page.users.len(), page.is_truncated, page.marker), (1, true, None));
}

#[test]
fn a_renamed_user_keeps_id_keys_and_groups() {
    let (sandbox, keys) = sandbox();
    sandbox.set_policies("alice", &[ADMINISTRATOR]);
    let id = sandbox.user_id("bob");
    sandbox.rename_user("bob", "robert");
    let client = iam(&sandbox, &keys);
    assert!(refused(client.get_user().user_name("bob").send()).is(404, "NoSuchEntity"));
    assert_eq!(wait(client.get_user().user_name("robert").send()).unwrap().user.unwrap().user_id, id);
    let listed = wait(client.list_access_keys().user_name("robert").send()).unwrap().access_key_metadata;
    assert_eq!(listed.len(), 1);
    let used = client.get_access_key_last_used().access_key_id(listed[0].access_key_id().unwrap()).send();
    assert_eq!(wait(used).unwrap().user_name.as_deref(), Some("robert"));
    let members = wait(client.get_group().group_name("Developers").send()).unwrap().users;
    assert_eq!(members.into_iter().map(|user| user.user_name).collect::<Vec<_>>(), ["alice", "robert"]);
}

#[test]
fn a_session_opened_by_hand_works_as_one_with_mfa() {
    let (sandbox, _) = sandbox();
    let (id, secret, token) = sandbox.open_session("alice");
    let keys = Keys { id, secret, token: Some(token) };
    let identity = wait(sts(&sandbox, &keys).get_caller_identity().send()).unwrap();
    assert_eq!(identity.arn.as_deref(), Some("arn:aws:iam::123456789012:user/alice"));
    wait(iam(&sandbox, &keys).list_access_keys().user_name("alice").send()).unwrap();
}
