//! Names and tags are other people's text, and no secret is in anything that is sent or said.

use super::receiver::{Receiver, status};
use super::{Office, TEAM, holds};

/// What IAM would not take as a name, and an emulator or a later IAM might.
const EVE: &str = "eve\nBcc: all@example.com <!channel> <img src=x onerror=alert(1)> {{ 7*7 }} {% raw %} \" \\ &";

#[test]
fn hostile_names_and_tags_steer_nothing_and_no_secret_is_sent_or_said() {
    let office = Office::new();
    let keys = [office.developer(EVE, 40), office.developer("bob", 26), office.developer("carol", 40)];
    office.sandbox.set_tag(EVE, "owner", "eve@example.com\r\nBcc: all@example.com");
    office.sandbox.set_tag("bob", "owner", "bob@example.com,all@example.com");
    office.sandbox.set_tag("carol", "owner", "carol@example.com");
    office.sandbox.set_tag("carol", "keyrot-me/exempt", "2020-01-01 <script>{{ 7*7 }}</script> <!here>");
    let (chat, tickets) = (Receiver::start(&[status(200)]), Receiver::start(&[status(200)]));
    office.file("slack", &chat.url());
    let url = tickets.url();
    office.file("tickets", &format!("{{\"url\":\"{url}\",\"headers\":{{\"X-Token\":\"s3cr3t-header\"}}}}"));
    let topic = office.topic();
    let mut arguments = vec!["--exempt-tag", "--owner-tag", "owner", "--team-address", TEAM, "--notify", &topic, "-vv"];
    arguments.extend(["--notify", "slack:slack", "--notify", "ticket:tickets", "--report", "report.json"]);
    let ran = office.mailing(&arguments).expect(0);
    assert_eq!(office.sandbox.mails().len(), 2);
    let team = office.mail_to(TEAM);
    holds(&team.text, &[&keys[0], &keys[1], "the owner's tag holds no mail address"]);
    let carol = office.mail_to("carol@example.com");
    holds(&carol.text, &[&keys[2]]);
    for mail in [&team, &carol] {
        assert!(!mail.subject.contains(['\r', '\n']), "{mail:?}");
        assert!(!mail.text.contains("\nBcc") && !mail.text.contains("49"), "{}", mail.text);
        let html = mail.html.as_deref().unwrap();
        assert!(!html.contains("<img") && !html.contains("<script") && !html.contains("49"), "{html}");
    }
    let posted = tickets.posted();
    let of_eve = posted.iter().find(|posted| posted.json()["access_key_id"] == keys[0].as_str()).unwrap();
    holds(of_eve.json()["user"].as_str().unwrap(), &["<!channel> <img", "{{ 7*7 }} {% raw %} \" \\ &"]);
    let said = chat.posted()[0].json()["text"].as_str().unwrap().to_owned();
    assert!(!said.contains("<!"), "{said}");
    let report = std::fs::read_to_string(office.home.path().join("report.json")).unwrap();
    let mails = [&team, &carol].map(|mail| format!("{mail:?}"));
    let all = [said, ran.stdout, ran.stderr, report, format!("{:?}", office.sandbox.messages()), mails.concat()];
    let bodies: String = posted.iter().map(|posted| posted.body.clone()).collect();
    for text in all.iter().chain([&bodies]) {
        assert!(!text.contains("s3cr3t"), "{text}");
        for (account, user) in office.sandbox.users() {
            for key in office.sandbox.keys_of((account.as_str(), user.as_str())) {
                assert!(!text.contains(&key.secret), "{user}: {text}");
            }
        }
    }
}
