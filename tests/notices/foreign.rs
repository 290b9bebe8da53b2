//! The foreign check: SNS, SES and Secrets Manager of moto, which others wrote. A queue that subscribes to the topic shows
//! what arrived; the mails that moto took are in its own interface. It has no suppression list.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use aws_sdk_sns::config::{BehaviorVersion, Credentials, Region};
use serde_json::Value;

use super::holds;
use super::receiver::{Receiver, status};
use crate::foreign::Moto;

const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:heard";

/// One request without the SDK; moto knows the service by the credential's scope.
fn ask(moto: &Moto, service: &str, first_line: &str, body: &str) -> String {
    let address = moto.url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let scope = format!("AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/{service}/aws4_request");
    let kind = "Content-Type: application/x-www-form-urlencoded\r\nConnection: close";
    let length = body.len();
    write!(
        stream,
        "{first_line} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {scope}\r\n{kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}

fn query(moto: &Moto, service: &str, parameters: &[(&str, &str)]) -> String {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    ask(moto, service, "POST /", &body)
}

/// A topic with a queue behind it, a verified sender, and a secret that holds the webhook's address.
fn prepared(moto: &Moto, hook: &str) -> (String, String) {
    let credentials = Credentials::new("AKIAADMIN00000000001", "any", None, None, "test");
    let region = Region::new("us-east-1");
    let (version, url) = (BehaviorVersion::latest(), moto.url());
    let wait = |work| moto.admin.wait_for(work);
    let ses = aws_sdk_sesv2::Config::builder().behavior_version(version).region(region.clone());
    let ses = aws_sdk_sesv2::Client::from_conf(ses.endpoint_url(url).credentials_provider(credentials.clone()).build());
    moto.admin.wait_for(ses.create_email_identity().email_identity("keys@example.com").send()).unwrap();
    let secrets = aws_sdk_secretsmanager::Config::builder().behavior_version(version).region(region.clone());
    let secrets = secrets.endpoint_url(url).credentials_provider(credentials.clone()).build();
    let secrets = aws_sdk_secretsmanager::Client::from_conf(secrets);
    let made = moto.admin.wait_for(secrets.create_secret().name("tickets").secret_string(hook).send()).unwrap();
    let sns = aws_sdk_sns::Config::builder().behavior_version(version).region(region);
    let sns = aws_sdk_sns::Client::from_conf(sns.endpoint_url(url).credentials_provider(credentials).build());
    let topic = wait(async {
        let topic = sns.create_topic().name("keyrot-me").send().await.unwrap().topic_arn.unwrap();
        query(moto, "sqs", &[("Action", "CreateQueue"), ("QueueName", "heard"), ("Version", "2012-11-05")]);
        let call = sns.subscribe().topic_arn(&topic).protocol("sqs").endpoint(QUEUE);
        call.attributes("RawMessageDelivery", "false").send().await.unwrap();
        topic
    });
    (topic, made.arn.unwrap())
}

#[test]
fn a_foreign_sns_ses_and_secrets_manager_take_what_is_sent() {
    let Some(moto) = Moto::start() else { return };
    let receiver = Receiver::start(&[status(200)]);
    let (topic, secret) = prepared(&moto, &receiver.url());
    moto.admin.wait_for(moto.admin.iam.create_group().group_name("Developers").send()).unwrap();
    moto.add_user("bob");
    moto.admin.wait_for(moto.admin.iam.add_user_to_group().group_name("Developers").user_name("bob").send()).unwrap();
    let (key, _) = moto.admin.create_key("bob");
    moto.add_user("purger");
    let (id, own) = moto.admin.create_key("purger");
    moto.write_credentials(&format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {own}\n"));
    // A key must be a second old to be over the limit.
    std::thread::sleep(Duration::from_millis(1100));
    let (sns, ticket) = (format!("sns:{topic}"), format!("ticket:{secret}"));
    let mut arguments = vec!["purge", "--group", "Developers", "--max-age", "1s", "--apply", "--notify", &sns];
    arguments.extend(["--notify", "ses:keys@example.com", "--owner-address", "{user}@example.com"]);
    arguments.extend(["--notify", &ticket]);
    let ran = moto.run(&arguments).expect(0);
    holds(&ran.stderr, &["notices: 3 sent, 0 failed, 0 held", "ses:GetSuppressedDestination"]);

    let queue = format!("{}/123456789012/heard", moto.url());
    let heard = query(&moto, "sqs", &[("Action", "ReceiveMessage"), ("QueueUrl", &queue), ("Version", "2012-11-05")]);
    holds(&heard, &["keyrot-me purge: 1 disabled", "accounts: 1"]);
    let data = ask(&moto, "moto", "GET /moto-api/data.json", "");
    let data: Value = serde_json::from_str(data.split_once("\r\n\r\n").unwrap().1).unwrap();
    let mails = data["ses"]["Message"].to_string();
    holds(&mails, &["bob@example.com", "Your AWS access keys: 1 disabled", &key]);
    assert_eq!(receiver.posted()[0].json()["access_key_id"], key.as_str());
    assert_eq!(moto.admin.keys("bob"), [(key, "Inactive".to_owned())]);
}
