//! Templates: ours with hostile names, and the user's own with mistakes.

#![allow(clippy::disallowed_methods, reason = "tests write files")]

use std::fs;

use chrono::TimeDelta;
use serde_json::Value as Json;

use super::*;
use crate::keys::facts::{KeyId, Time};
use crate::keys::notice::letters::Batch;
use crate::keys::notice::told::{Event, Told};

const HOSTILE: &str = "eve\r\nBcc: all@example.com\x1b[2J<!channel><b>&\"' {{ 7*7 }}{% if %}\u{202e}";

fn told(event: Event) -> Told {
    let at: Time = "2026-11-20T23:55:00Z".parse().unwrap();
    Told {
        account: "111122223333".to_owned(),
        user: HOSTILE.to_owned(),
        key: KeyId::new("AKIAEXAMPLE000000001").unwrap(),
        created: at - TimeDelta::days(9),
        age: TimeDelta::days(9),
        event,
        at,
        then: Some(at + TimeDelta::days(7)),
        note: Some(HOSTILE.to_owned()),
    }
}

fn letter() -> Letter {
    let mut batch = Batch::default();
    for event in Event::ALL {
        batch.add(told(event), Some(HOSTILE.to_owned()));
    }
    Templates::load(None).unwrap().letter(&LetterView::to_owner(&batch, "security@example.com")).unwrap()
}

#[test]
fn a_hostile_name_steers_neither_a_header_nor_a_terminal_nor_a_page() {
    let letter = letter();
    assert_eq!(letter.subject, "Your AWS access keys: 1 disabled, 1 deleted, 1 to be disabled");
    for text in [&letter.text, &letter.html] {
        assert!(!text.contains(['\r', '\x1b', '\u{202e}']), "{text}");
        assert!(!text.contains("\nBcc"), "{text}");
        assert!(!text.contains("49"), "{text}");
    }
    assert!(letter.text.contains("<b>"), "{}", letter.text);
    assert!(!letter.html.contains("<b>&") && letter.html.contains("&lt;b&gt;&amp;&quot;"), "{}", letter.html);
}

#[test]
fn a_letter_says_what_happens_when_and_what_to_run() {
    let text = letter().text;
    for words in [
        "AKIAEXAMPLE000000001",
        "in account 111122223333, 9 d old, made at 2026-11-11 23:55 UTC",
        "was disabled at 2026-11-20 23:55 UTC, and will be deleted after 2026-11-27 23:55 UTC",
        "will be disabled by the first purge after 2026-11-27 23:55 UTC",
        "was deleted at 2026-11-20 23:55 UTC",
        "    keyrot-me rotate\n",
        "    keyrot-me rotate --auth-profile login --yes\n",
        "    keyrot-me import accessKeys.csv\n",
        "Ask security@example.com.",
    ] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
}

#[test]
fn a_template_that_puts_a_name_into_the_subject_gets_one_short_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mail_subject.txt"), "{% for key in keys %}{{ key.user }}\n{% endfor %}").unwrap();
    let mut batch = Batch::default();
    (0..20).for_each(|_| batch.add(told(Event::Deleted), None));
    let templates = Templates::load(Some(folder.path())).unwrap();
    let subject = templates.letter(&LetterView::to_owner(&batch, "a@b.example")).unwrap().subject;
    assert!(!subject.contains(char::is_control) && subject.chars().count() == SUBJECT_LIMIT, "{subject:?}");
}

#[test]
fn a_ticket_and_a_slack_message_are_json_whatever_the_names() {
    let templates = Templates::load(None).unwrap();
    let ticket: Json =
        serde_json::from_str(&templates.ticket(&TicketView::of(&told(Event::Disabled))).unwrap()).unwrap();
    assert_eq!(ticket["idempotency_key"], "111122223333/AKIAEXAMPLE000000001/disable/2026-11-20");
    assert_eq!(ticket["delete_after"], "2026-11-27T23:55:00Z");
    assert!(ticket["user"].as_str().unwrap().ends_with("<!channel><b>&\"' {{ 7*7 }}{% if %}\u{fffd}"), "{ticket}");
    let mut view = SummaryView::examples().remove(2);
    view.problems = vec![view::clean(HOSTILE)];
    let slack: Json = serde_json::from_str(&templates.slack(&view).unwrap()).unwrap();
    let text = slack["text"].as_str().unwrap();
    assert!(text.contains("&lt;!channel&gt;&lt;b&gt;&amp;") && !text.contains("<!channel>"), "{text}");
}

#[test]
fn a_summary_fits_into_every_channel() {
    let mut view = SummaryView::examples().remove(2);
    view.problems = vec!["<&\u{1f511}".repeat(4_000); 50];
    let templates = Templates::load(None).unwrap();
    let text = templates.summary(&view).unwrap();
    assert!(text.len() < 262_144 && text.ends_with("[cut: the report has all of it]"), "{}", text.len());
    let slack: Json = serde_json::from_str(&templates.slack(&view).unwrap()).unwrap();
    assert!(slack["text"].as_str().unwrap().chars().count() < 40_000);
    view.headline = "\u{1f511} 3 disabled\n".repeat(90);
    let subject = view.subject();
    assert!(subject.len() == 100 && subject.is_ascii() && !subject.contains('\n'), "{subject:?}");
}

#[test]
fn a_dry_run_and_a_review_say_so_first() {
    let templates = Templates::load(None).unwrap();
    let [dry, review, met] = SummaryView::examples().try_into().unwrap();
    assert!(templates.summary(&dry).unwrap().starts_with("DRY RUN: nothing was changed"));
    assert!(templates.summary(&review).unwrap().starts_with("REVIEW: nothing was changed"));
    assert!(templates.summary(&met).unwrap().starts_with("1 disabled, 1 not disabled, 1 deleted"));
    assert_eq!(dry.subject(), "keyrot-me purge DRY RUN: nothing to do");
}

#[test]
fn a_template_with_a_mistake_is_refused_with_file_and_line() {
    for (file, text, line, words) in [
        ("mail.txt", "one\n{% if team %}\n", Some(2), "unexpected end"),
        ("mail.html", "<p>\n{{ kees }}\n</p>", Some(2), "undefined value"),
        ("ticket.json", "{\"text\": {{ title }}", None, "not JSON"),
        // A letter to the team may have no key.
        ("mail_subject.txt", "{{ keys[0].user }}", Some(1), "undefined value"),
        ("slack.json", "{\"text\":\n{{ summary|shout }}}", Some(2), "shout"),
        ("sumary.txt", "hello", None, "there is no such template; there are mail.txt"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(file), text).unwrap();
        let error = Templates::load(Some(folder.path())).unwrap_err();
        assert_eq!((error.line, error.path.as_path()), (line, folder.path().join(file).as_path()), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    assert!(Templates::load(Some(Path::new("/nowhere/at/all"))).is_err());
}

#[test]
fn a_folder_needs_to_hold_only_the_templates_that_differ() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("summary.txt"), "{{ headline }}!").unwrap();
    fs::write(folder.path().join("README.md"), "{% not a template").unwrap();
    let templates = Templates::load(Some(folder.path())).unwrap();
    let view = SummaryView::examples().remove(0);
    assert_eq!(templates.summary(&view).unwrap(), "nothing to do!");
    assert_eq!(templates.slack(&view).unwrap(), "{\"text\": \"nothing to do!\"}");
}
