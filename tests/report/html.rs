//! The HTML report: loads nothing, lets nothing break out, and says first what came last.

use sha2::{Digest, Sha256};

use keyrot_me::host::report::{ReportFile, ReportHeader, Reports};
use keyrot_me::keys::purge::row::{AccountSummary, KeyRow, Outcome, Summary};
use keyrot_me::ports::PurgeReport;
use serde_json::Value;

use super::rows::{HOSTILE, account, bad_account, header, hostile_row, row, stopped, summary};

fn written(header: &ReportHeader, keys: &[KeyRow], accounts: &[AccountSummary], summary: &Summary) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("purge.html");
    let mut report = ReportFile::create(&path, header).unwrap();
    for key in keys {
        report.key(key).unwrap();
    }
    for account in accounts {
        report.account(account).unwrap();
    }
    report.finish(summary).unwrap();
    std::fs::read_to_string(path).unwrap()
}

/// The text between `from` and the next `to`.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let start = page.find(from).unwrap_or_else(|| panic!("no {from}")) + from.len();
    &page[start..start + page[start..].find(to).unwrap()]
}

fn section<'a>(page: &'a str, id: &str) -> &'a str {
    between(page, &format!("<section id=\"{id}\""), "</section>")
}

fn rows(page: &str) -> Vec<Vec<Value>> {
    serde_json::from_str(between(page, "<script type=\"application/json\" id=\"rows\">", "</script>")).unwrap()
}

#[test]
fn it_loads_nothing_from_anywhere() {
    let page = written(&header(), &[row(2), row(9)], &[account(0)], &summary(&[account(0)]));
    for outside in ["http://", "https://", "src=", "<link", "url(", "@import", "fetch(", "XMLHttpRequest", "innerHTML"]
    {
        assert!(!page.contains(outside), "{outside}");
    }
    let addresses: Vec<&str> = page.split("href=\"").skip(1).collect();
    assert!(addresses.len() > 6 && addresses.iter().all(|address| address.starts_with('#')));
}

#[test]
fn its_policy_lets_in_its_own_style_and_script_and_nothing_else() {
    let page = written(&header(), &[], &[], &summary(&[]));
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\"");
    for (directive, text) in
        [("style-src", between(&page, "<style>", "</style>")), ("script-src", between(&page, "<script>", "</script>"))]
    {
        // Browsers hash what they parsed: with line feeds alone.
        let hash = base64(&Sha256::digest(text.replace("\r\n", "\n")));
        assert!(policy.contains(&format!("{directive} 'sha256-{hash}'")), "{directive} must be sha256-{hash}");
    }
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(policy.matches("-src").count(), 3);
    assert!(!page.contains(" style=\"") && !page.contains(" onclick"), "which the policy would not let in");
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().chain([0, 0].iter()).take(3).fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        for place in 0..4 {
            let letter = LETTERS[bits >> (18 - 6 * place) & 63];
            text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[test]
fn hostile_text_stays_text() {
    let hostile = ReportHeader { facts: vec![(HOSTILE.into(), HOSTILE.into())], ..header() };
    let undone = KeyRow { outcome: Outcome::Done, ..hostile_row() };
    let accounts = [bad_account(HOSTILE)];
    let page = written(&hostile, &[hostile_row(), undone, row(0)], &accounts, &stopped(&accounts));
    assert!(!page.contains("<img") && !page.contains("<!--"));
    assert_eq!(page.matches("<script").count(), 2, "the data and the program");
    assert_eq!(page.matches("</script>").count(), 2);
    let rows = rows(&page);
    assert_eq!(rows.len(), 3);
    assert_eq!((&rows[0][1], &rows[0][14], &rows[2][1]), (&HOSTILE.into(), &HOSTILE.into(), &"user-0".into()));
    assert!(!between(&page, "id=\"rows\">", "</script>").contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
    let escaped = "&#60;/script&#62;&#60;img src=x onerror=alert(1)&#62;&#38;";
    for id in ["rules", "missing", "accounts", "exemptions", "undo"] {
        assert!(section(&page, id).contains(escaped), "{id}");
    }
}

#[test]
fn a_key_has_the_fields_that_the_script_names() {
    let page = written(&header(), &[row(2)], &[], &summary(&[]));
    let fields = between(&page, "const FIELDS = [", "]");
    let rows = rows(&page);
    let of = |name: &str| {
        let place = fields.split(',').position(|field| field.trim().trim_matches('"') == name);
        rows[0][place.unwrap_or_else(|| panic!("no {name}"))].clone()
    };
    assert_eq!(fields.split(',').count(), rows[0].len());
    for (name, value) in [
        ("account", "111122223333"),
        ("user", "user-2"),
        ("user_id", "AIDA6"),
        ("key", "AKIAEXAMPLE000000002"),
        ("status", "Active"),
        ("created", "2026-11-18T10:55:03Z"),
        ("used", "2026-11-20T20:55:03Z"),
        ("service", "s3"),
        ("region", "eu-central-1"),
        ("decision", "disable"),
        ("rule", "over-age"),
        ("result", "done"),
        ("request", "0f1e2d3c-2"),
        ("at", "2026-11-20T22:55:03Z"),
    ] {
        assert_eq!(of(name), value, "{name}");
    }
    assert_eq!(of("age"), 216_000);
    assert_eq!([of("until"), of("error"), of("note")], [Value::Null, Value::Null, Value::Null]);
    for column in page.split("data-column=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        let _ = of(column);
    }
}

#[test]
fn it_says_whether_it_was_done_and_whether_it_is_all() {
    let dry = ReportHeader { applied: false, ..header() };
    let page = written(&dry, &[], &[account(0)], &summary(&[account(0)]));
    assert!(page.contains("DRY RUN") && page.contains("<strong>COMPLETE") && !page.contains("<strong>APPLIED"));
    assert!(page.contains("<title>Access key purge of 2026-11-20 22:55:00 UTC (dry run)</title>"));
    let accounts = [account(0), bad_account("222233334444")];
    let page = written(&header(), &[], &accounts, &stopped(&accounts));
    assert!(page.contains("<strong>APPLIED") && page.contains("INCOMPLETE") && !page.contains("<strong>COMPLETE"));
    for gap in [
        "the purge was asked to stop before its end",
        "1 account is incomplete",
        "1 write failed",
        "1 user was not evaluated",
        "1 list of accounts was not read",
    ] {
        assert!(between(&page, "banner incomplete", "</div>").contains(gap), "{gap}");
    }
    assert!(page.contains("<strong>CAP</strong> 1 of 2 accounts were left untouched"));
}

#[test]
fn what_is_missing_spared_and_undone_is_there_without_the_script() {
    let failed = KeyRow { outcome: Outcome::Failed("iam:UpdateAccessKey: AccessDenied".into()), ..row(9) };
    let accounts = [account(0), bad_account("bob")];
    let page = written(&header(), &[row(2), failed], &accounts, &stopped(&accounts));
    let missing = section(&page, "missing");
    for told in ["user/bob", "organization", "key/AKIAEXAMPLE000000009 of user-9: disable failed", "AccessDenied"] {
        assert!(missing.contains(told), "{told}: {missing}");
    }
    let exemptions = section(&page, "exemptions");
    for told in ["member of KeyExempt", "OPS-7 vendor migration", "2026-12-21", "AKIAEXAMPLE000000005"] {
        assert!(exemptions.contains(told), "{told}: {exemptions}");
    }
    let undo = between(section(&page, "undo"), "<pre", "</pre>");
    assert!(undo.contains("--access-key-id AKIAEXAMPLE000000002 --status Active  # account 111122223333"), "{undo}");
    assert!(!undo.contains("AKIAEXAMPLE000000009"), "a write that failed is not undone");
    assert!(section(&page, "accounts").contains("111122223333"));
    assert!(section(&page, "rules").contains("Maximum age"));
    let empty = written(&header(), &[], &[], &summary(&[]));
    assert!(section(&empty, "undo").contains("switched off no key"));
    assert!(section(&empty, "missing").contains("Nothing was skipped"));
}

#[test]
fn it_names_the_reports_that_need_no_browser() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["one.html", "keys.csv", "keys.json"].map(|name| folder.path().join(name));
    Reports::create(&paths, false, &header()).unwrap().finish(&summary(&[])).unwrap();
    let page = std::fs::read_to_string(&paths[0]).unwrap();
    assert!(between(&page, "<noscript>", "</noscript>").contains("keys.csv, keys.json"));
    let alone = written(&header(), &[], &[], &summary(&[]));
    assert!(between(&alone, "<noscript>", "</noscript>").contains("--report FILE.csv"));
}
