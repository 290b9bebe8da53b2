//! The scenarios' harness held against itself: each thing that a file can say is noticed when it is not so, and a file
//! that makes no sense is refused in words for its author.

use super::file::Scenario;
use super::scenarios::play;

const RIGHT: &str = r#"
title = "right"
why = "each line of it is turned wrong below"

[organization]

[[account]]
name = "prod"
[[account]]
name = "closing"
state = "SUSPENDED"
[[account]]
name = "hollow"
empty_groups = ["Developers"]

[[user]]
name = "alice"
account = "prod"
tags = { team = "payments" }
groups = ["Developers"]
keys = [{ label = "old", age = "6d" }, { label = "young", age = "1d" }]

[[user]]
name = "eve"
account = "prod"
groups = ["Developers", "KeyExempt"]
keys = [{ label = "eve", age = "60d" }]

[[run]]
arguments = "--account {prod} --group Developers --exempt-group KeyExempt --max-age 5d --apply"
keys.old = "disable over-age done"
keys.young = "keep under-age planned"
iam.old = "Inactive"
records.old = "n=1"
exempt.eve = "group KeyExempt"
tags.alice = { team = "payments" }
accounts.prod = { complete = true, users = 2, evaluated = 2, keys = 2 }
totals = { disable = 1, keep = 1 }

[[run]]
arguments = "--org --group Developers --max-age 5d --exempt-tag"
exit = 20
keys.eve = "disable over-age planned"
keys.old = "wait in-grace"
says = ["incomplete"]
accounts.closing = { left = "SUSPENDED" }
accounts.home = { left = "management account" }
skips = [{ account = "hollow", what = "group/Developers", cause = "no members" }]
"#;

fn outcome(text: &str) -> String {
    match Scenario::parse(text).and_then(|scenario| play(&scenario)) {
        Ok(()) => "right".to_owned(),
        Err(why) => why.to_string(),
    }
}

/// Each turn of one line, and what the failure names.
const TURNS: [(&str, &str, &str); 27] = [
    (r#"keys.old = "disable over-age done""#, r#"keys.old = "delete""#, "report on old"),
    (r#"keys.old = "disable over-age done""#, "", "left alone"),
    (r#"keys.young = "keep under-age planned""#, r#"keys.young = "absent""#, "report on young"),
    (r#"keys.young = "keep under-age planned""#, r#"keys.nobody = "absent""#, "a key of this label"),
    (r#"iam.old = "Inactive""#, "", "old at IAM"),
    (r#"iam.old = "Inactive""#, r#"iam.old = "gone""#, "old at IAM"),
    (r#"records.old = "n=1""#, r#"records.old = "none""#, "record of old"),
    (r#"records.old = "n=1""#, r#"records.old = "n=2""#, "record of old"),
    (r#"records.old = "n=1""#, r#"records.young = "present""#, "record of young"),
    (r#"exempt.eve = "group KeyExempt""#, "", "user eve"),
    (r#"exempt.eve = "group KeyExempt""#, r#"exempt.eve = "group Other""#, "user eve"),
    (r#"exempt.eve = "group KeyExempt""#, r#"exempt."*" = "group KeyExempt""#, ""),
    (r#"tags.alice = { team = "payments" }"#, r#"tags.alice = { team = "absent" }"#, "tag team of alice"),
    ("users = 2,", "users = 3,", "users expected"),
    ("evaluated = 2,", "evaluated = 1,", "users evaluated"),
    ("keys = 2 }", "keys = 3 }", "keys evaluated"),
    ("{ complete = true, users", "{ complete = false, users", "account prod: complete"),
    ("{ complete = true, users", "{ capped = true, users", "account prod: capped"),
    ("totals = { disable = 1, keep = 1 }", "totals = { disable = 2 }", "total of disable"),
    ("totals = { disable = 1, keep = 1 }", "totals = { disabled = 1 }", "total of disabled"),
    ("exit = 20", "exit = 0", "exit code"),
    (r#"says = ["incomplete"]"#, r#"says = ["all is well"]"#, "what it says"),
    (r#"left = "SUSPENDED""#, r#"left = "CLOSED""#, "account closing: left out"),
    (r#"{ left = "management account" }"#, "{ absent = true }", "account home"),
    (r#"cause = "no members""#, r#"cause = "denied""#, "left out"),
    (r#"account = "hollow", what"#, r#"account = "prod", what"#, "left out"),
    ("skips = [{", "# [{", "left out"),
];

#[test]
fn whatever_a_file_says_is_noticed_when_it_is_not_so() {
    assert_eq!(outcome(RIGHT), "right");
    for (from, to, named) in TURNS {
        let turned = RIGHT.replacen(from, to, 1);
        assert_ne!(turned, RIGHT, "{from:?} is not there");
        let outcome = outcome(&turned);
        match named {
            "" => assert_eq!(outcome, "right", "{to}"),
            _ => assert!(outcome.contains(named) && outcome != "right", "{to:?} gave:\n{outcome}"),
        }
    }
}

#[test]
fn a_file_that_makes_no_sense_is_refused_in_words() {
    for (from, to, named) in [
        ("[[user]]", "[[usr]]", "unknown field `usr`"),
        ("\ngroups =", "\ngroup =", "unknown field `group`"),
        (r#"age = "6d""#, r#"age = "six days""#, "write 95d"),
        (r#"age = "1d""#, r#"age = "1d", last_used = "3d s3""#, "write never, or 3d s3"),
        (r#"age = "60d" }"#, r#"age = "60d", label = "twice" }"#, "duplicate"),
        (r#"label = "young""#, r#"label = "old""#, "two keys are labelled"),
        (r#"account = "prod""#, r#"account = "prd""#, "there is no account"),
        ("{prod}", "{old", "does not close it"),
        ("{prod}", "{prd}", "is neither a key's label"),
        ("exit = 20", "hand = [{ do = \"switch on\" }]", "missing field `key`"),
        ("exit = 20", "hand = [{ do = \"switch on\", key = \"old\", user = \"eve\" }]", "unknown field `user`"),
        ("exit = 20", "hand = [{ do = \"pray\" }]", "nobody here can do"),
        ("exit = 20", "fault = [{ action = \"GetUser\", kind = \"odd\" }]", "unknown variant `odd`"),
        (
            "exit = 20",
            "exit = 20\nhand = [{ do = \"switch on\", key = \"old\", before = \"CreateUser\" }]",
            "never made that call",
        ),
    ] {
        let turned = RIGHT.replacen(from, to, 1);
        assert_ne!(turned, RIGHT, "{from:?} is not there");
        let outcome = outcome(&turned);
        assert!(outcome.contains(named), "{to:?} gave:\n{outcome}");
    }
}
