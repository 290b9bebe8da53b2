//! What is wrong with the options of notices is found before anything is called (exit 2).

use super::{Office, TEAM, holds};

const MAIL: [&str; 2] = ["--notify", "ses:keys@example.com"];

#[test]
fn options_that_say_nothing_or_contradict_each_other_are_refused_before_any_call() {
    let office = Office::new();
    office.file("empty", "\n");
    office.file("plain", "http://hooks.example.com/s3cr3t");
    office.file("json", "{\"uri\": \"https://hooks.example.com/s3cr3t\"}");
    office.file("owners.csv", "account,user,address\n*,alice,alice@example.com\n*,bob,nobody\n");
    let team = ["--team-address", TEAM];
    let by_tag = ["--owner-tag", "owner"];
    for (arguments, words) in [
        (MAIL.to_vec(), "nothing says who they are"),
        ([&MAIL[..], &["--notify", "ses:b@example.com"], &team].concat(), "ses: is given twice"),
        ([&["--notify", "slack:empty", "--notify", "slack:empty"][..]].concat(), "slack:empty: it is empty"),
        (vec!["--notify", "slack:none"], "slack:none: the file cannot be read: No such file"),
        (vec!["--notify", "slack:."], "slack:.: the file cannot be read: it is not a regular file"),
        (vec!["--notify", "ticket:plain"], "ticket:plain: its address is plain http"),
        (vec!["--notify", "ticket:json"], "ticket:json: its JSON must be"),
        (by_tag.to_vec(), "--owner-tag is for mail"),
        (vec!["--notify", "slack:plain", "--owner-address", "{user}@a.example"], "--owner-address is for mail"),
        ([&["--notify", "slack:plain"][..], &team].concat(), "--team-address is for mail"),
        ([&MAIL[..], &by_tag, &["--team-address", "a@b.example,c@d.example"]].concat(), "is no mail address"),
        ([&MAIL[..], &["--owner-address", "all@example.com"]].concat(), "{user}"),
        ([&MAIL[..], &["--owner-map", "owners.csv"]].concat(), "owners.csv:3: \"nobody\" is no mail address"),
        ([&MAIL[..], &["--owner-map", "none.csv"]].concat(), "none.csv: No such file"),
        (vec!["--notify-limit", "3"], "--notify"),
    ] {
        let ran = office.purge(&arguments).expect(2);
        holds(&ran.stderr, &[words]);
        assert!(!ran.stderr.contains("s3cr3t") && !ran.stderr.contains("hooks.example"), "{}", ran.stderr);
    }
    assert_eq!(office.sandbox.calls().len(), 0);
}

#[test]
fn a_template_with_a_mistake_is_named_with_its_line_before_any_call() {
    let office = Office::new();
    std::fs::create_dir(office.home.path().join("words")).unwrap();
    office.file("words/mail.html", "<p>\n{% if keys %}\n</p>\n");
    let topic = office.topic();
    let arguments = ["--notify", &topic, "--notify-templates", "words"];
    holds(&office.purge(&arguments).expect(2).stderr, &["the template words/mail.html:2: unexpected end of input"]);
    office.file("words/mail.html", "<p>{{ user }}</p>\n");
    holds(&office.purge(&arguments).expect(2).stderr, &["the template words/mail.html:1: undefined value"]);
    assert_eq!(office.sandbox.calls().len(), 0);
    std::fs::remove_file(office.home.path().join("words/mail.html")).unwrap();
    office.file("words/summary.txt", "ours: {{ headline }}");
    office.purge(&[&arguments[..], &["--allow-empty"]].concat()).expect(0);
    assert_eq!(office.sandbox.messages()[0].text, "ours: nothing to do");
}
