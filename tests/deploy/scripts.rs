//! The scripts beside the templates: from nothing to a dry run, to enforcement, and to nothing again; and the try-out.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::json;

use super::emulator::{Emulator, Group, Kind};
use super::{function, packaging, ran, tools};

#[test]
fn deploy_and_remove_leave_nothing_behind_but_reports_on_request() {
    let Some(tools) = tools("deploy and remove did not run") else { return };
    let Some(emulator) = Emulator::start(Kind::MiniStack, &tools) else { return };
    emulator.upload_nothing();
    let zip = emulator.home.path().join("keyrot-me-0.0.0-lambda-x86_64.zip");
    std::fs::rename(emulator.home.path().join("function.zip"), &zip).unwrap();
    emulator.aws(&["s3", "rb", "--force", "s3://code"]);

    let first = emulator.script("deploy", &["--groups", "Developers", "--zip", zip.to_str().unwrap()]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert!(first.stdout.contains("keyrot-me-purge: dry run: nothing is changed."), "{}", first.stdout);
    assert!(first.stdout.contains("packaging/aws/deploy --stack keyrot-me-purge --enforce"), "{}", first.stdout);
    let second = emulator.script("deploy", &["--enforce"]);
    assert!(second.stdout.contains("in earnest: keys are disabled and deleted"), "{}{}", second.stdout, second.stderr);
    let query = "[Environment.Variables.[KEYROT_ME_APPLY,KEYROT_ME_GROUPS],Architectures][]";
    let now = emulator.json(&[
        "lambda",
        "get-function-configuration",
        "--function-name",
        "keyrot-me-purge",
        "--query",
        query,
    ]);
    assert_eq!(now, json!(["true", "Developers", "x86_64"]));

    let asked = emulator.script("remove", &[]);
    assert_ne!(asked.code, Some(0), "nobody said yes: {}", asked.stdout);
    let bucket = emulator.aws(&[
        "cloudformation",
        "describe-stacks",
        "--stack-name",
        "keyrot-me-purge",
        "--output",
        "text",
        "--query",
        "Stacks[0].Outputs[?OutputKey=='ReportBucket'].OutputValue",
    ]);
    let bucket = bucket.trim();
    let report = ["s3api", "put-object", "--bucket", bucket, "--key", "reports/x", "--body", "log"];
    emulator.aws(&report);
    emulator.aws(&report);
    let kept = emulator.script("remove", &["--yes", "--keep-reports"]);
    assert_eq!(kept.code, Some(0), "{}", kept.stderr);
    assert!(kept.stdout.contains(&format!("s3://{bucket}/reports/")), "{}", kept.stdout);
    let left = emulator.json(&["s3api", "list-buckets", "--query", "Buckets[].Name"]);
    assert_eq!(left, json!([bucket]), "the code's bucket goes, the reports' stays");
    let gone = emulator.script("remove", &["--yes"]);
    assert!(gone.stderr.contains("error: no stack keyrot-me-purge"), "{}", gone.stderr);
}

#[test]
fn remove_deletes_every_version_of_every_report() {
    let Some(tools) = tools("remove did not run") else { return };
    let Some(emulator) = Emulator::start(Kind::MiniStack, &tools) else { return };
    emulator.upload_nothing();
    let made = emulator.script("deploy", &["--all-users", "--zip", "function.zip"]);
    assert_ne!(made.code, Some(0), "an option that is none is refused: {}", made.stdout);
    let made = emulator
        .script("deploy", &["--stack", "other", "--set", "AllUsers=true", "--bucket", "code", "--zip", "function.zip"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let query = "Stacks[0].Outputs[?OutputKey=='ReportBucket'].OutputValue";
    let bucket = emulator.aws(&[
        "cloudformation",
        "describe-stacks",
        "--stack-name",
        "other",
        "--output",
        "text",
        "--query",
        query,
    ]);
    for key in ["reports/a", "reports/a", "reports/b c", "history.jsonl"] {
        emulator.aws(&["s3api", "put-object", "--bucket", bucket.trim(), "--key", key, "--body", "log"]);
    }
    emulator.aws(&["s3api", "delete-object", "--bucket", bucket.trim(), "--key", "reports/a"]);
    let gone = emulator.script("remove", &["--yes", "--stack", "other"]);
    assert_eq!(gone.code, Some(0), "{}", gone.stderr);
    assert_eq!(
        emulator.json(&["s3api", "list-buckets", "--query", "Buckets[].Name"]),
        json!(["code"]),
        "which was given"
    );
    assert_eq!(
        emulator.json(&[
            "s3api",
            "list-object-versions",
            "--bucket",
            "code",
            "--prefix",
            "other/",
            "--query",
            "Versions"
        ]),
        json!(null)
    );
}

/// What it leaves in the folder for temporary files, and on this machine's ports, when it is over.
fn try_it(tools: &std::path::Path, zip: &std::path::Path, temporary: &tempfile::TempDir) -> Command {
    let mut command = Command::new(packaging("aws/try-it"));
    command.args(["--zip".as_ref(), zip.as_os_str()]);
    command.env("KEYROT_DEPLOY", tools).env("TMPDIR", temporary.path());
    command
}

#[test]
fn try_it_shows_a_dry_run_and_an_enforced_one_and_leaves_nothing() {
    let Some(tools) = tools("packaging/aws/try-it did not run") else { return };
    let Some(zip) = function("packaging/aws/try-it did not run") else { return };
    let temporary = tempfile::tempdir().unwrap();
    let tried = ran(&mut try_it(&tools, &zip, &temporary));
    assert_eq!(tried.code, Some(0), "{}{}", tried.stdout, tried.stderr);
    let mut rest = tried.stdout.as_str();
    for said in [
        "dry run: nothing is changed",
        "\"applied\": false",
        "user alice",
        "decision disable, rule over-age, result planned",
        "\"applied\": true",
        "decision disable, rule over-age, result done",
        "alice's key is now Inactive",
        "nothing is left of it",
    ] {
        let at = rest.find(said).unwrap_or_else(|| panic!("{said}: {}", tried.stdout));
        rest = &rest[at + said.len()..];
    }
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn try_it_that_is_interrupted_stops_its_emulator_and_leaves_nothing() {
    let Some(tools) = tools("packaging/aws/try-it was not interrupted") else { return };
    let temporary = tempfile::tempdir().unwrap();
    let mut command = try_it(&tools, "never-read-lambda-x86_64.zip".as_ref(), &temporary);
    let mut group = Group(command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0).spawn().unwrap());
    let mut lines = BufReader::new(group.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let url = lines.find(|line| line.starts_with("http://")).expect("its address");
    let address = url.strip_prefix("http://").unwrap();
    assert!(address.starts_with("127.0.0.1:"), "{url}");
    std::net::TcpStream::connect(address).expect("the emulator answers");
    // As Ctrl-C on a terminal: to all that are in front.
    group.signal(Signal::INT);
    assert_eq!(group.0.wait().unwrap().code(), Some(130));
    assert!(std::net::TcpStream::connect(address).is_err(), "the emulator is gone");
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}
