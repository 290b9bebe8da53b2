//! Summaries: a topic, a Slack-style webhook, and by mail to the team where nothing was done.

use super::receiver::{Receiver, status};
use super::{Office, TEAM, holds};
use crate::sandbox::{ADMINISTRATOR, Always, Fault};

#[test]
fn a_topic_and_a_chat_get_a_summary_of_the_run() {
    let office = Office::new();
    office.developer("alice", 40);
    office.developer("bob", 26);
    office.developer("carol", 3);
    let chat = Receiver::start(&[status(200)]);
    office.file("slack", &format!("{}\n", chat.url()));
    let topic = office.topic();
    let ran = office.purge(&["--apply", "--notify", &topic, "--notify", "slack:slack"]).expect(0);
    holds(&ran.stderr, &["notices: 2 sent, 0 failed, 0 held"]);
    let messages = office.sandbox.messages();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].subject.as_deref(), Some("keyrot-me purge: 1 disabled, 1 near the limit"));
    holds(&messages[0].text, &["accounts: 1", "users: 3", "keys: 3", "disabled: 1", "near the limit: 1", "kept: 1"]);
    let posted = chat.posted();
    assert_eq!(posted.len(), 1);
    assert_eq!(posted[0].json()["text"], messages[0].text);
    assert_eq!(posted[0].headers["content-type"], "application/json");
    assert_eq!(posted[0].path, "/services/T0/s3cr3t-path?token=s3cr3t-query");
}

#[test]
fn a_dry_run_and_a_review_send_summaries_that_say_so_and_nothing_else() {
    for (argument, word) in [("--json", "DRY RUN"), ("--report-only", "REVIEW")] {
        let office = Office::new();
        office.developer("alice", 40);
        office.developer("bob", 26);
        let (chat, tickets) = (Receiver::start(&[status(200)]), Receiver::start(&[status(200)]));
        office.file("slack", &chat.url());
        office.file("tickets", &tickets.url());
        let topic = office.topic();
        let mut arguments = vec!["--notify", &topic, "--notify", "slack:slack", "--notify", "ticket:tickets"];
        arguments.extend(["--notify", "ses:keys@example.com", "--team-address", TEAM, argument]);
        arguments.extend(["--owner-address", "{user}@example.com"]);
        let ran = office.purge(&arguments).expect(0);
        holds(&ran.stderr, &["notices: 3 sent, 0 failed, 0 held"]);
        let mail = office.mail_to(TEAM);
        assert_eq!(office.sandbox.mails().len(), 1);
        let message = office.sandbox.messages().remove(0);
        assert_eq!(Some(mail.subject), message.subject);
        for text in [&mail.text, &message.text, chat.posted()[0].json()["text"].as_str().unwrap()] {
            assert!(text.starts_with(&format!("{word}: nothing was changed")), "{text}");
            holds(text, &["to disable: 1"]);
        }
        assert_eq!(tickets.posted().len(), 0);
    }
}

#[test]
fn a_summary_names_accounts_that_are_incomplete_or_above_the_cap() {
    let office = Office::new();
    office.developer("alice", 40);
    office.developer("bob", 40);
    let topic = office.topic();
    office.purge(&["--apply", "--max-affected", "1", "--notify", &topic]);
    office.sandbox.fault_about("ListAccessKeys", "alice", Always, Fault::denied());
    office.purge(&["--notify", &topic, "--group", "Nobody"]).expect(20);
    office.purge(&["--notify", &topic]).expect(20);
    let messages = office.sandbox.messages();
    assert_eq!(messages.len(), 3);
    holds(&messages[0].text, &["CAP 123456789012: 2 of 2 keys are to go, and the cap allows 1"]);
    holds(&messages[1].text, &["INCOMPLETE 123456789012: group/Nobody"]);
    holds(&messages[2].text, &["INCOMPLETE 123456789012: user/alice: iam:ListAccessKeys: AccessDenied"]);
    holds(messages[2].subject.as_deref().unwrap(), &["1 account INCOMPLETE"]);
}

#[test]
fn a_topic_that_refuses_ends_no_other_channel() {
    let office = Office::new();
    office.developer("alice", 40);
    let (topic, gone) = (office.topic(), "sns:arn:aws:sns:us-east-1:123456789012:gone");
    let ran = office.purge(&["--apply", "--notify", gone, "--notify", &topic]).expect(20);
    holds(&ran.stderr, &["notices: 1 sent, 1 failed, 0 held", "sns:Publish: NotFound", "the purge itself is complete"]);
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"sns:Publish","Resource":"*"}]}"#;
    office.sandbox.set_policies("purger", &[ADMINISTRATOR, deny]);
    holds(&office.purge(&["--notify", &topic]).expect(20).stderr, &["sns:Publish: AuthorizationError"]);
}

#[test]
fn a_topic_is_called_in_its_own_region() {
    let office = Office::new();
    let topic = office.topic();
    let mut command = office.command(&["--allow-empty", "--notify", &topic]);
    command.env("AWS_REGION", "eu-central-1");
    crate::workstation::Ran::from(command.output().unwrap()).expect(0);
    assert_eq!(office.sandbox.messages().len(), 1);
}

#[test]
fn the_json_report_tells_nothing_of_notices() {
    let office = Office::new();
    office.developer("alice", 40);
    let topic = office.topic();
    let without = office.purge(&["--json"]).expect(0).json();
    let with = office.purge(&["--json", "--notify", &topic]).expect(0).json();
    let names = |report: &serde_json::Value| report.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&without), names(&with));
}
