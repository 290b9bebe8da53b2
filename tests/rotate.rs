//! The rotation as its user sees it: the real program against the sandbox.

use crate::program;
use crate::workstation::Workstation;

#[test]
fn one_code_rotates_the_key_and_switches_the_old_one_off() {
    let station = Workstation::new(program());
    let old = station.held_id();
    let before = station.credentials();
    station.sandbox.clear_calls();
    let ran = station.rotate(&[]).expect(0);
    let keys = station.sandbox.keys_of("alice");
    let new = keys.iter().find(|key| key.id != old).unwrap();
    assert_eq!(station.held_id(), new.id, "{}", ran.stderr);
    assert_eq!(new.status, "Active");
    assert_eq!(keys.iter().find(|key| key.id == old).unwrap().status, "Inactive");
    let secret = before.lines().nth(3).unwrap().split(" = ").nth(1).unwrap();
    assert_eq!(station.credentials(), before.replace(&old, &new.id).replace(secret, &new.secret));
    assert_eq!(station.stash().len(), 1, "the old key is kept for rollback, the new one is not");
}
