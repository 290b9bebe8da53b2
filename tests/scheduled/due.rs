//! What a run of the timer does by itself.

use super::*;

#[test]
fn a_key_that_is_due_is_rotated_and_one_line_says_so() {
    let station = station();
    with_codes(&station, FAR);
    let old = station.held_id();
    let ran = scheduled(&station, &[]).expect(0);
    let new = station.held_id();
    assert_ne!(new, old);
    assert_eq!(ran.stdout, "");
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.starts_with(&format!("default: rotated: {old} → {new} (alice in account 123456789012); ")));
}
#[test]
fn trial() {
    let station = station();
    let ran = scheduled(&station, &[]);
    println!("{ran:?}");
    settings(
        &station,
        "[purge]\nlimit = \"5d\"\nat = \"Fri 23:55\"\n[notify]\nremind_before = \"9d\"\n[mfa]\npinentry = true\n",
    );
    println!("{:?}", scheduled(&station, &[]));
    println!("{:?}", scheduled(&station, &["--json"]));
    println!("{:?}", scheduled(&station, &["--profile", "nope"]));
    println!("{:?}", scheduled(&station, &["--all"]));
    println!("{}", std::fs::read_to_string(station.state().join("last-run.json")).unwrap());
    println!("{:?}", std::fs::read_to_string(station.state().join("reminders.json")));
}
