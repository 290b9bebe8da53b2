//! SES and Secrets Manager, through the real SDK clients.

use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};

use super::client::{Keys, config, refused, sandbox, wait};
use crate::sandbox::{ADMINISTRATOR, HOME, Sandbox};

fn alice() -> (Sandbox, Keys) {
    let (sandbox, keys) = sandbox();
    sandbox.set_policies("alice", &[ADMINISTRATOR]);
    (sandbox, keys)
}

fn mail(
    client: &aws_sdk_sesv2::Client,
    from: &str,
    to: &str,
    subject: &str,
) -> aws_sdk_sesv2::operation::send_email::builders::SendEmailFluentBuilder {
    let content = |text: &str| Content::builder().data(text).build().unwrap();
    let body = Body::builder().text(content("text")).build();
    let message = Message::builder().subject(content(subject)).body(body).build();
    let to = Destination::builder().to_addresses(to).build();
    let call = client.send_email().from_email_address(from).destination(to);
    call.content(EmailContent::builder().simple(message).build())
}

#[test]
fn ses_sends_from_verified_addresses_and_domains_alone() {
    let (sandbox, keys) = alice();
    let client = aws_sdk_sesv2::Client::new(&config(&sandbox, &keys));
    let send = |from: &str| mail(&client, from, "b@elsewhere.example", "s").send();
    assert!(refused(send("a@example.com")).is(400, "MessageRejected"));
    sandbox.verify_identity("a@example.com");
    wait(send("a@example.com")).unwrap();
    assert!(refused(send("c@example.com")).is(400, "MessageRejected"));
    sandbox.verify_identity("example.com");
    wait(send("c@example.com")).unwrap();
    let two_headers = mail(&client, "c@example.com", "b@elsewhere.example", "s\r\nBcc: d").send();
    assert!(refused(two_headers).is(400, "BadRequestException"));
    sandbox.ses_sandbox(true);
    assert!(refused(send("c@example.com")).is(400, "MessageRejected"));
    wait(mail(&client, "c@example.com", "d@example.com", "s").send()).unwrap();
    assert_eq!(sandbox.mails().len(), 3);
}

#[test]
fn ses_takes_mail_to_a_suppressed_address_and_does_not_deliver_it() {
    let (sandbox, keys) = alice();
    let client = aws_sdk_sesv2::Client::new(&config(&sandbox, &keys));
    sandbox.verify_identity("example.com");
    sandbox.suppress("b+c@elsewhere.example", "BOUNCE");
    wait(mail(&client, "a@example.com", "b+c@elsewhere.example", "s").send()).unwrap();
    assert!(!sandbox.mails()[0].delivered);
    let ask = |address: &str| client.get_suppressed_destination().email_address(address).send();
    let found = wait(ask("b+c@elsewhere.example")).unwrap().suppressed_destination.unwrap();
    assert_eq!(found.reason.as_str(), "BOUNCE");
    assert!(refused(ask("d@elsewhere.example")).is(404, "NotFoundException"));
}

#[test]
fn a_secret_is_read_by_its_arn_in_its_region_where_a_policy_allows_it() {
    let (sandbox, keys) = alice();
    let client = aws_sdk_secretsmanager::Client::new(&config(&sandbox, &keys));
    let ask = |arn: &str| client.get_secret_value().secret_id(arn).send();
    let here = sandbox.add_secret(HOME, "us-east-1", "hook", "its text");
    let there = sandbox.add_secret(HOME, "eu-west-1", "hook", "its text");
    assert_eq!(wait(ask(&here)).unwrap().secret_string.as_deref(), Some("its text"));
    assert!(refused(ask(&there)).is(400, "ResourceNotFoundException"));
    let other = here.replace("hook", "other");
    let allow = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"{other}"}}]}}"#
    );
    sandbox.set_policies("alice", &[&allow]);
    assert!(refused(ask(&here)).is(400, "AccessDeniedException"));
}
