//! Webhooks: tickets that are never doubled, receivers that misbehave, and where the address is kept.

use std::time::Instant;

use super::receiver::{Answer, Receiver, status};
use super::{Office, TEAM, holds};
use crate::sandbox::{Fault, HOME};
use crate::workstation::set_mode;

fn tickets(office: &Office, receiver: &Receiver, more: &[&str]) -> crate::workstation::Ran {
    office.file("tickets", &receiver.url());
    office.purge(&[&["--apply", "--notify", "ticket:tickets"], more].concat())
}

#[test]
fn each_key_that_was_disabled_or_deleted_gets_a_ticket() {
    let office = Office::new();
    let off = office.developer("alice", 40);
    office.developer("bob", 26);
    let deleted = office.disabled("bob", 60, 8);
    let receiver = Receiver::start(&[status(201)]);
    let url = receiver.url();
    office.file("tickets", &format!("{{\"url\": \"{url}\", \"headers\": {{\"Authorization\": \"Bearer s3cr3t\"}}}}"));
    let ran = office.purge(&["--apply", "--notify", "ticket:tickets"]).expect(0);
    holds(&ran.stderr, &["notices: 2 sent, 0 failed, 0 held"]);
    let mut posted = receiver.posted();
    posted.sort_by_key(|posted| posted.json()["event"].as_str().map(str::to_owned));
    let [of_deleted, of_off] = posted.try_into().unwrap();
    let today = office.sandbox.now().format("%Y-%m-%d").to_string();
    for (posted, event, key) in [(of_deleted, ("deleted", "delete"), deleted), (of_off, ("disabled", "disable"), off)] {
        let ticket = posted.json();
        assert_eq!((ticket["event"].as_str(), ticket["access_key_id"].as_str()), (Some(event.0), Some(key.as_str())));
        assert_eq!(ticket["account"], HOME);
        let id = format!("{HOME}/{key}/{}/{today}", event.1);
        assert_eq!((ticket["idempotency_key"].as_str(), &posted.headers["idempotency-key"]), (Some(id.as_str()), &id));
        assert_eq!(posted.headers["authorization"], "Bearer s3cr3t");
        assert_eq!(ticket["delete_after"].is_null(), event.0 == "deleted");
    }
}

#[test]
fn a_ticket_that_may_have_arrived_is_not_repeated_and_counts_as_failed_with_its_id() {
    for (answer, why) in [
        (status(500), "HTTP 500: the server failed; it may have arrived"),
        (Answer::Drop, "the connection broke"),
        (status(403), "HTTP 403: it was refused"),
    ] {
        let office = Office::new();
        let key = office.developer("alice", 40);
        let receiver = Receiver::start(&[answer]);
        let ran = tickets(&office, &receiver, &[]).expect(20);
        holds(&ran.stderr, &["notices: 0 sent, 1 failed, 0 held", &format!("ticket {HOME}/{key}/disable/"), why]);
        assert_eq!(receiver.posted().len(), 1, "{why}");
        assert_eq!(office.sandbox.key(&key).unwrap().status, "Inactive");
    }
}

#[test]
fn a_ticket_that_was_surely_refused_for_now_is_tried_again() {
    let office = Office::new();
    office.developer("alice", 40);
    let receiver = Receiver::start(&[Answer::Status(429, "Retry-After: 0".to_owned()), status(200)]);
    tickets(&office, &receiver, &[]).expect(0);
    let ids: Vec<_> = receiver.posted().iter().map(|posted| posted.headers["idempotency-key"].clone()).collect();
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
}

#[test]
fn no_redirect_is_followed() {
    let (office, elsewhere) = (Office::new(), Receiver::start(&[status(200)]));
    office.developer("alice", 40);
    let receiver = Receiver::start(&[Answer::Status(307, format!("Location: {}", elsewhere.url()))]);
    let ran = tickets(&office, &receiver, &[]).expect(20);
    holds(&ran.stderr, &["HTTP 307: a redirect, and none is followed"]);
    assert_eq!((receiver.posted().len(), elsewhere.posted().len()), (1, 0));
}

#[test]
fn nobody_waits_for_a_receiver_that_hangs() {
    let office = Office::new();
    office.developer("alice", 40);
    let receiver = Receiver::start(&[Answer::Hang]);
    let ran = tickets(&office, &receiver, &[]).expect(20);
    holds(&ran.stderr, &["no answer within 10 s; it may have arrived, and is not repeated"]);
    assert_eq!(receiver.posted().len(), 1);
}

#[test]
fn sending_ends_soon_after_the_runs_deadline_and_what_is_unsent_is_counted() {
    let office = Office::new();
    (0..12).for_each(|n| _ = office.developer(&format!("user-{n:02}"), 40));
    let (receiver, topic) = (Receiver::start(&[Answer::Hang]), office.topic());
    let began = Instant::now();
    let ran = tickets(&office, &receiver, &["--time-limit", "2s", "--notify", &topic]).expect(20);
    holds(&ran.stderr, &["notices: 1 sent, 12 failed, 0 held", "the run's time was over"]);
    // Without the deadline, three rounds of four tickets would hang for 10 s each.
    assert!(receiver.posted().len() < 12, "{} in {:?}", receiver.posted().len(), began.elapsed());
}

#[test]
fn a_chat_is_tried_again_whatever_the_answer_was() {
    let office = Office::new();
    let receiver = Receiver::start(&[status(503), Answer::Drop, status(200)]);
    office.file("slack", &receiver.url());
    office.purge(&["--allow-empty", "--notify", "slack:slack"]).expect(0);
    assert_eq!(receiver.posted().len(), 3);
    let refused = Receiver::start(&[status(404)]);
    office.file("slack", &refused.url());
    let ran = office.purge(&["--allow-empty", "--notify", "slack:slack"]).expect(20);
    holds(&ran.stderr, &["slack:slack: HTTP 404: it was refused"]);
    assert_eq!(refused.posted().len(), 1);
}

#[test]
fn above_the_limit_no_ticket_is_opened_and_the_team_is_told() {
    let office = Office::new();
    (0..3).for_each(|n| _ = office.developer(&format!("user-{n}"), 40));
    let (receiver, topic) = (Receiver::start(&[status(200)]), office.topic());
    let mail = ["--notify", "ses:keys@example.com", "--team-address", TEAM];
    let ran =
        tickets(&office, &receiver, &[&["--notify-limit", "2", "--notify", &topic], &mail[..]].concat()).expect(0);
    holds(&ran.stderr, &["3 held"]);
    assert_eq!(receiver.posted().len(), 0);
    holds(&office.mail_to(TEAM).text, &["3 tickets were not opened", "raise --notify-limit"]);
    holds(&office.sandbox.messages()[0].text, &["3 tickets were not opened: more than --notify-limit 2"]);
}

#[test]
fn an_address_is_read_from_secrets_manager_in_the_secrets_region() {
    let office = Office::new();
    let receiver = Receiver::start(&[status(200)]);
    let arn = office.sandbox.add_secret(HOME, "eu-west-1", "slack", &receiver.url());
    let target = format!("slack:{arn}");
    office.purge(&["--allow-empty", "--notify", &target]).expect(0);
    assert_eq!(receiver.posted().len(), 1);
    let calls = office.sandbox.calls();
    let read = calls.iter().find(|call| call.action == "GetSecretValue").unwrap();
    assert_eq!(read.region, "eu-west-1");
}

#[test]
fn a_secret_that_is_refused_stops_the_purge_before_it_begins_and_one_that_is_out_of_reach_does_not() {
    let office = Office::new();
    let key = office.developer("alice", 40);
    let receiver = Receiver::start(&[status(200)]);
    let arn = office.sandbox.add_secret(HOME, "us-east-1", "tickets", &receiver.url());
    let nonsense = office.sandbox.add_secret(HOME, "us-east-1", "nonsense", "s3cr3t, but no address");
    let purge = |arn: &str| office.purge(&["--apply", "--notify", &format!("ticket:{arn}")]);
    for (gone, why) in
        [(arn.replace("tickets", "none"), "ResourceNotFoundException"), (nonsense, "not one https address")]
    {
        let ran = purge(&gone).expect(2);
        holds(&ran.stderr, &[why, &gone]);
        assert!(!ran.stderr.contains("s3cr3t"), "{}", ran.stderr);
    }
    office.sandbox.fault("GetSecretValue", 1, Fault::denied());
    holds(&purge(&arn).expect(2).stderr, &["secretsmanager:GetSecretValue: AccessDenied"]);
    assert_eq!(office.sandbox.key(&key).unwrap().status, "Active");
    (1..=3).for_each(|n| office.sandbox.fault("GetSecretValue", n, Fault::ErrorBefore(503)));
    let ran = purge(&arn).expect(20);
    holds(&ran.stderr, &["0 sent, 1 failed", "secretsmanager:GetSecretValue: "]);
    assert_eq!(office.sandbox.key(&key).unwrap().status, "Inactive");
}

#[test]
fn a_source_that_others_can_read_is_warned_of() {
    let office = Office::new();
    let receiver = Receiver::start(&[status(200)]);
    let file = office.file("slack", &receiver.url());
    let purge = || office.purge(&["--allow-empty", "--notify", "slack:slack"]).expect(0).stderr;
    assert!(!purge().contains("warning"));
    set_mode(&file, 0o644);
    holds(&purge(), &["warning: slack holds a webhook's address and can be read by others: chmod 600 slack"]);
}
