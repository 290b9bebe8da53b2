//! What a run of the purge may not do whatever its surroundings do to it: change what nobody is told of, run for ever,
//! act on what it did not read.

use std::process::Stdio;
use std::time::Duration;

use chrono::TimeDelta;

use super::bench::Bench;
use super::file::Scenario;
use super::stage::Stage;
use crate::sandbox::Fault;
use crate::workstation::Ran;

const APPLY: &str = "--group Developers --exempt-group Spared --exempt-tag --max-age 5d --max-affected 100% --apply";

/// A stage with these users.
fn stage(users: &str) -> Stage {
    Stage::new(&Scenario::parse(&format!("title = \"attack\"\nwhy = \"\"\n{users}")).unwrap()).unwrap()
}

fn run(stage: &Stage, arguments: &str) -> Ran {
    stage.run(&stage.words(arguments).unwrap())
}

#[test]
fn a_key_switched_on_since_the_scan_is_left_alone_where_its_use_was_not_asked_for() {
    let stage = stage(
        r#"
        [[user]]
        name = "bob"
        groups = ["Developers"]
        tags = { "keyrot-me/disabled/{bob}" = "first={now-9d} last={now-8d} n=1" }
        keys = [{ label = "bob", age = "90d", status = "Inactive", last_used = "10m s3 eu-central-1" }]
        "#,
    );
    let id = stage.key("bob").unwrap().id;
    let (sandbox, key, mut looks) = (stage.sandbox.control(), id.clone(), 0);
    stage.sandbox.on_call(move |call| {
        looks += usize::from(call.action == "GetUser");
        if looks == 2 && sandbox.key(&key).unwrap().status == "Inactive" {
            sandbox.set_status(&key, "Active");
        }
    });
    // Without a report that wants them, last uses are asked for only where a rule does.
    let ran = run(&stage, "--group Developers --max-age 5d --unused-for 10d --apply").expect(20);
    assert_eq!(stage.sandbox.key(&id).unwrap().status, "Active", "{}", ran.stdout);
    assert!(ran.stderr.contains("the last use was not read"), "{}", ran.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_done_that_neither_a_report_nor_the_screen_takes() {
    for json in ["", "--json"] {
        let bench = Bench::new();
        let words = bench.stage.words(&format!("{APPLY} {json}")).unwrap();
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ended = bench.stage.command(&words).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{said}");
        assert_eq!(bench.stage.sandbox.calls().len(), 0, "{json}: {said}");
    }
}

/// Before the scan, and in the middle of the writes.
#[test]
fn a_reader_that_goes_away_stops_a_run_without_a_report_and_what_it_did_is_told() {
    for (action, report) in [("GetGroup", false), ("UpdateAccessKey", false), ("GetGroup", true)] {
        let (bench, when) = (Bench::new(), format!("(at {action}, report: {report})"));
        let gate = bench.stage.sandbox.gate(action, None, 1);
        let kept = if report { "--report kept.json" } else { "" };
        let mut child = bench.start(&format!("{APPLY} {kept}"));
        assert!(gate.reached(Duration::from_secs(60)), "{when}");
        drop(child.stdout.take());
        gate.open();
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(if report { 0 } else { 20 }), "{when}: {said}");
        let changed: Vec<String> = bench.changed();
        assert_eq!(changed.is_empty(), action == "GetGroup" && !report, "{when}: {said}");
        let told =
            if report { std::fs::read_to_string(bench.stage.home.path().join("kept.json")).unwrap() } else { said };
        for key in changed {
            assert!(told.contains(&key), "{key} was changed in secret {when}: {told}");
        }
    }
}

#[test]
fn what_others_wrote_reaches_the_screen_without_control_characters() {
    let bench = Bench::new();
    let sandbox = &bench.stage.sandbox;
    let evil = "\u{9b}2K\u{9d}0;owned\u{9c}\rdone: nothing";
    let today = sandbox.now().date_naive() + TimeDelta::days(3);
    sandbox.set_tag("erin", "keyrot-me/exempt", &format!("{today} OPS-7 {evil}"));
    let past = bench.stage.key("past").unwrap().id;
    sandbox.set_tag("bob", &format!("keyrot-me/disabled/{past}"), evil);
    sandbox.set_status(&bench.stage.key("two").unwrap().id, evil);
    let message = format!("denied {evil}");
    sandbox.fault_about("GetUser", "ivan", 1, Fault::Deny { code: format!("Access{evil}"), message });
    let ran = run(&bench.stage, APPLY);
    for (name, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        let control = text.chars().find(|letter| letter.is_control() && *letter != '\n');
        assert_eq!(control, None, "{name}: {text:?}");
    }
    assert!(ran.stdout.contains("OPS-7"), "{}", ran.stdout);
}
