//! Mail to owners: who gets which, and what the team gets where an owner cannot.

use super::{FROM, Office, TEAM, holds};
use crate::sandbox::{ADMINISTRATOR, Always, Fault};

const BY_NAME: [&str; 4] = ["--owner-address", "{user}@example.com", "--team-address", TEAM];

#[test]
fn an_owner_gets_one_mail_with_all_keys_what_happens_to_them_and_what_to_run() {
    let office = Office::new();
    let (warned, off) = (office.developer("alice", 26), office.another_key("alice", 40));
    office.developer("bob", 3);
    office.developer("carol", 2);
    let deleted = office.disabled("carol", 60, 8);
    let ran = office.mailing(&BY_NAME).expect(0);
    holds(&ran.stderr, &["notices: 2 sent, 0 failed, 0 held"]);
    let mail = office.mail_to("alice@example.com");
    assert_eq!((mail.from.as_str(), mail.reply_to), (FROM, vec![TEAM.to_owned()]));
    assert_eq!(mail.subject, "Your AWS access keys: 1 disabled, 1 to be disabled");
    let html = mail.html.unwrap();
    for text in [&mail.text, &html] {
        holds(text, &[&warned, &off, "will be disabled by the first purge after", "and will be deleted after"]);
        holds(text, &["123456789012", "40 d", "keyrot-me rotate --auth-profile login --yes", "keyrot-me import", TEAM]);
    }
    let mail = office.mail_to("carol@example.com");
    assert_eq!(mail.subject, "Your AWS access keys: 1 deleted");
    holds(&mail.text, &[&deleted, "was deleted at"]);
    assert_eq!(office.sandbox.mails().len(), 2);
}

#[test]
fn the_map_goes_before_the_tag_and_the_tag_before_the_template() {
    let office = Office::new();
    for user in ["alice", "bob", "carol"] {
        office.developer(user, if user == "bob" { 26 } else { 40 });
        office.sandbox.set_tag(user, "Owner", &format!("{user}@tag.example.com"));
    }
    office.sandbox.remove_tag("carol", "Owner");
    let map = office.file("owners.csv", "account,user,address\n*,alice,alice@map.example.com\n");
    let (map, tag) = (map.display().to_string(), ["--owner-tag", "owner"]);
    office.mailing(&[&["--owner-map", &map], &tag[..], &BY_NAME[..]].concat()).expect(0);
    let mut to: Vec<String> = office.sandbox.mails().into_iter().map(|mail| mail.to).collect();
    to.sort();
    assert_eq!(to, ["alice@map.example.com", "bob@tag.example.com", "carol@example.com"]);
}

#[test]
fn what_reaches_no_owner_goes_to_the_team_in_one_mail_with_the_reasons() {
    let office = Office::new();
    let names = ["alice", "bob", "carol", "dave", "eve"];
    let keys = names.map(|name| office.developer(name, 40));
    office.sandbox.set_tag("alice", "owner", "the platform team");
    for name in ["bob", "carol", "dave"] {
        office.sandbox.set_tag(name, "owner", &format!("{name}@elsewhere.example"));
    }
    office.sandbox.suppress("bob@elsewhere.example", "BOUNCE");
    office.sandbox.suppress("carol@elsewhere.example", "COMPLAINT");
    // In SES's sandbox dave's address is not verified; the team's is.
    office.sandbox.ses_sandbox(true);
    let ran = office.mailing(&["--owner-tag", "owner", "--team-address", TEAM]).expect(0);
    holds(&ran.stderr, &["notices: 1 sent, 0 failed, 0 held"]);
    let mail = office.mail_to(TEAM);
    assert_eq!(mail.subject, "AWS access keys: notices that reached no owner");
    holds(&mail.text, &keys.each_ref().map(String::as_str));
    holds(
        &mail.text,
        &[
            "the owner's tag holds no mail address",
            "mail to bob@elsewhere.example bounced before",
            "mail to carol@elsewhere.example was complained about",
            "mail to dave@elsewhere.example: ses:SendEmail: MessageRejected",
            "no owner's address is known",
        ],
    );
    assert_eq!(office.sandbox.mails().len(), 1);
}

#[test]
fn with_a_team_address_alone_everything_goes_to_the_team() {
    let office = Office::new();
    let key = office.developer("alice", 40);
    let ran = office.mailing(&["--team-address", TEAM]).expect(0);
    holds(&ran.stderr, &["notices: 1 sent, 0 failed, 0 held"]);
    holds(&office.mail_to(TEAM).text, &[&key]);
}

#[test]
fn without_a_team_address_what_reaches_no_owner_counts_as_failed() {
    let office = Office::new();
    let key = office.developer("alice", 40);
    office.developer("bob", 40);
    office.sandbox.set_tag("bob", "owner", "bob@example.com");
    let ran = office.mailing(&["--owner-tag", "owner"]).expect(20);
    holds(&ran.stderr, &["notices: 1 sent, 1 failed, 0 held", "no --team-address", &key, "1 notice could not be sent"]);
    assert_eq!(office.mails_to("bob@example.com").len(), 1);
}

#[test]
fn above_the_limit_no_owner_is_written_to_and_the_team_is_told_how_many_were_held() {
    let office = Office::new();
    for n in 0..4 {
        office.developer(&format!("user-{n}"), 40);
        office.another_key(&format!("user-{n}"), 26);
    }
    let (limit, topic) = (["--notify-limit", "3"], office.topic());
    let ran = office.mailing(&[&BY_NAME[..], &limit, &["--notify", &topic]].concat()).expect(0);
    holds(&ran.stderr, &["notices: 2 sent, 0 failed, 4 held"]);
    holds(&office.mail_to(TEAM).text, &["4 owners of 8 keys were not written to", "raise --notify-limit"]);
    assert_eq!(office.sandbox.mails().len(), 1);
    holds(&office.sandbox.messages()[0].text, &["4 owners of 8 keys were not written to", "--notify-limit 3"]);
    let again = Office::new();
    (0..3).for_each(|n| _ = again.developer(&format!("user-{n}"), 40));
    again.mailing(&[&BY_NAME[..], &limit].concat()).expect(0);
    assert_eq!(again.sandbox.mails().len(), 3);
    let alone = Office::new();
    (0..4).for_each(|n| _ = alone.developer(&format!("user-{n}"), 40));
    let ran = alone.mailing(&[&BY_NAME[..2], &limit].concat()).expect(0);
    let words =
        "warning: 4 owners of 4 keys were not written to, more than --notify-limit 3: raise it where they should be";
    holds(&ran.stderr, &[words, "notices: 0 sent, 0 failed, 4 held"]);
}

#[test]
fn throttled_and_lost_mail_is_sent_again() {
    let office = Office::new();
    office.developer("alice", 40);
    office.sandbox.fault("SendEmail", 1, Fault::Throttle);
    office.sandbox.fault("SendEmail", 2, Fault::ErrorAfter(500));
    office.mailing(&BY_NAME).expect(0);
    // The second attempt's answer was lost, and nobody can tell.
    assert_eq!(office.mails_to("alice@example.com").len(), 2);
    assert_eq!(office.sandbox.count("SendEmail"), 3);
}

#[test]
fn where_ses_cannot_be_asked_for_bounces_mail_goes_out_and_it_is_said_once() {
    let office = Office::new();
    office.developer("alice", 40);
    office.developer("bob", 40);
    office.sandbox.deny("GetSuppressedDestination");
    let ran = office.mailing(&BY_NAME).expect(0);
    assert_eq!(office.sandbox.mails().len(), 2);
    assert_eq!(
        ran.stderr.matches("whether mail to an address bounced before is not known").count(),
        1,
        "{}",
        ran.stderr
    );
}

#[test]
fn a_purge_that_may_not_send_mail_says_so_and_has_purged() {
    let office = Office::new();
    let key = office.developer("alice", 40);
    office.sandbox.fault("SendEmail", Always, Fault::denied());
    let ran = office.mailing(&BY_NAME).expect(20);
    holds(&ran.stderr, &["0 sent, 1 failed", "ses:keys@example.com: the team's mail", "ses:SendEmail: AccessDenied"]);
    assert_eq!(office.sandbox.key(&key).unwrap().status, "Inactive");
}

#[test]
fn owners_tags_are_read_of_users_who_are_warned_and_of_nobody_else() {
    let office = Office::new();
    office.developer("alice", 26);
    office.developer("bob", 3);
    office.sandbox.set_tag("alice", "owner", "alice@example.com");
    let with_tag = ["--owner-tag", "owner", "--team-address", TEAM];
    office.mailing(&with_tag).expect(0);
    assert_eq!(office.sandbox.count("GetUser"), 1);
    office.mail_to("alice@example.com");
    // Without the option, and in a dry run, there is no call more.
    for arguments in [&["--apply"][..], &["--owner-tag", "owner", "--notify", "ses:keys@example.com"]] {
        office.sandbox.clear_calls();
        office.purge(arguments).expect(0);
        assert_eq!(office.sandbox.count("GetUser"), 0, "{arguments:?}");
    }
    // And a review asks for all users with keys.
    office.sandbox.clear_calls();
    office.purge(&["--report-only", "--owner-tag", "owner"]).expect(0);
    assert_eq!(office.sandbox.count("GetUser"), 2);
}

#[test]
fn a_tag_that_cannot_be_read_spares_no_key_and_the_team_is_told() {
    let office = Office::new();
    let key = office.developer("alice", 26);
    office.sandbox.deny("GetUser");
    office.mailing(&["--owner-tag", "owner", "--team-address", TEAM]).expect(0);
    holds(&office.mail_to(TEAM).text, &[&key, "no owner's address is known"]);
}

#[test]
fn each_action_of_mail_is_asked_of_the_policy() {
    let office = Office::new();
    office.developer("alice", 40);
    let without = |action: &str, resource: &str| {
        let deny = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Action":"{action}","Resource":"{resource}"}}]}}"#
        );
        office.sandbox.set_policies("purger", &[ADMINISTRATOR, &deny]);
    };
    without("ses:SendEmail", "arn:aws:ses:us-east-1:123456789012:identity/example.com");
    holds(&office.mailing(&BY_NAME).expect(20).stderr, &["ses:SendEmail: AccessDenied"]);
    office.developer("bob", 40);
    without("ses:GetSuppressedDestination", "*");
    holds(&office.mailing(&BY_NAME).expect(0).stderr, &["ses:GetSuppressedDestination: AccessDenied"]);
}
