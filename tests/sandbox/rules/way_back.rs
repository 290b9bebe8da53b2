//! What is left of a key that is gone, and a sign-in that no key has made.

use super::client::{Keys, iam, refused, sandbox, sts, wait};
use crate::sandbox::{ADMINISTRATOR, HOME};

const OTHER: &str = "210987654321";

#[test]
fn the_account_of_a_key_is_told_to_whoever_may_ask_also_of_one_that_is_gone() {
    let (sandbox, keys) = sandbox();
    sandbox.add_account(OTHER);
    sandbox.add_user((OTHER, "eve"));
    let (elsewhere, _) = sandbox.seed_key((OTHER, "eve"), sandbox.now(), "Active");
    let (gone, _) = sandbox.seed_key("bob", sandbox.now(), "Inactive");
    sandbox.delete_key(&gone);
    let ask = |id: &str| sts(&sandbox, &keys).get_access_key_info().access_key_id(id);
    assert!(refused(ask(&gone).send()).is(403, "AccessDenied"));
    sandbox.add_policy("alice", ADMINISTRATOR);
    for (id, account) in [(&keys.id, HOME), (&elsewhere, OTHER), (&gone, HOME)] {
        assert_eq!(wait(ask(id).send()).unwrap().account(), Some(account));
    }
    assert!(refused(ask("AKIANEVERWASAKEY0001").send()).is(400, "ValidationError"));
}

#[test]
fn a_sign_in_at_the_console_outlives_every_key_and_iam_takes_it_with_mfa_only() {
    let (sandbox, keys) = sandbox();
    sandbox.sessions_die_with_their_key(true);
    sandbox.delete_key(&keys.id);
    for mfa in [true, false] {
        let (id, secret, token) = sandbox.sign_in("alice", mfa);
        let signed = Keys { id, secret, token: Some(token) };
        let who = wait(sts(&sandbox, &signed).get_caller_identity().send()).unwrap();
        assert_eq!(who.arn(), Some("arn:aws:iam::123456789012:user/alice"));
        let list = iam(&sandbox, &signed).list_access_keys().user_name("alice").send();
        if mfa {
            assert!(wait(list).unwrap().access_key_metadata().is_empty());
        } else {
            assert!(refused(list).is(403, "InvalidClientTokenId"));
        }
    }
}
