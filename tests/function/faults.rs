//! What goes wrong around the purge: no credentials, a bucket that does not take what it is given. Nothing that was done
//! is lost from sight.

use serde_json::json;

use super::rig::BUCKET;
use super::{Ended, Rig};
use crate::sandbox::{Always, Fault, HOME};

#[test]
fn without_credentials_it_says_so() {
    let rig = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
        .into_iter()
        .fold(Rig::new(0, 0), |rig, name| rig.with(name, ""))
        .with("AWS_EC2_METADATA_DISABLED", "true");
    assert!(rig.run(&json!({})).ended.error("CannotSignIn").contains("credentials"));
    assert_eq!(rig.sandbox.calls().len(), 0);
}

#[test]
fn credentials_that_are_over_are_told_and_nothing_is_kept() {
    let rig = Rig::new(1, 1);
    rig.sandbox.fault(
        "GetCallerIdentity",
        Always,
        Fault::Deny {
            code: "ExpiredToken".to_owned(),
            message: "The security token included in the request is expired".to_owned(),
        },
    );
    let said = rig.run(&json!({"run": "friday"})).ended.error("CannotSignIn");
    assert!(said.contains("not accepted"), "{said}");
    assert_eq!(rig.objects(""), Vec::<String>::new());
    rig.sandbox.clear_faults();
    let answer = rig.run(&json!({"run": "friday"})).ended.answer();
    assert_eq!((&answer["complete"], &answer["done"]["disable"]), (&json!(true), &json!(1)));
}

#[test]
fn a_bucket_that_cannot_be_listed_stops_before_anything_is_done() {
    for fault in [Fault::denied(), Fault::ErrorBefore(500), Fault::Refuse] {
        let rig = Rig::new(1, 1);
        rig.sandbox.fault("ListObjectsV2", Always, fault.clone());
        let said = rig.run(&json!({})).ended.error("Unexpected");
        assert!(said.contains("KEYROT_ME_REPORT_BUCKET"), "{fault:?}: {said}");
        assert_eq!((rig.writes(), rig.sandbox.count("AssumeRole")), ((0, 0), 0), "{fault:?}");
    }
}

#[test]
fn a_bucket_that_is_not_there_is_named() {
    let rig = Rig::new(1, 1).with("KEYROT_ME_REPORT_BUCKET", "another-bucket");
    rig.sandbox.allow_role(
        HOME,
        "keyrot-me-function",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#,
    );
    let said = rig.run(&json!({})).ended.error("Unexpected");
    assert!(said.contains("another-bucket") && said.contains("NoSuchBucket"), "{said}");
    assert_eq!(rig.writes(), (0, 0));
}

#[test]
fn a_report_that_cannot_be_kept_fails_the_invocation_and_the_log_names_each_key() {
    for fault in [Fault::denied(), Fault::ErrorBefore(503)] {
        let rig = Rig::new(2, 2);
        rig.sandbox.fault("PutObject", Always, fault);
        let ran = rig.run(&json!({"run": "friday"}));
        let touched: Vec<String> = (rig.sandbox.calls().iter())
            .filter(|call| call.action == "UpdateAccessKey")
            .map(|call| call.parameters["AccessKeyId"].clone())
            .collect();
        assert_eq!(touched.len(), 4);
        let log = ran.log();
        for key in touched {
            let line = log.iter().find(|line| line["accessKeyId"] == json!(key)).unwrap_or_else(|| panic!("{key}"));
            assert!(line["undo"].as_str().unwrap().contains("--status Active"), "{line}");
        }
        let said = ran.ended.error("Unexpected");
        assert!(said.contains("could not be kept") && said.contains("4 keys were disabled"), "{said}");
        assert_eq!(rig.objects(""), Vec::<String>::new());
        // The next invocation finds the keys off, and keeps its report.
        rig.sandbox.clear_faults();
        let answer = rig.run(&json!({"run": "friday"})).ended.answer();
        assert_eq!((&answer["complete"], &answer["totals"]["wait"]), (&json!(true), &json!(4)));
        assert_eq!(rig.writes(), (4, 1));
    }
}

#[test]
fn a_part_whose_answer_was_lost_is_kept_once() {
    let rig = Rig::new(1, 1);
    rig.sandbox.fault_about("PutObject", "runs/friday/parts/0001.json", 1, Fault::ActAndDrop);
    let answer = rig.run(&json!({"run": "friday"})).ended.answer();
    assert_eq!(answer["complete"], json!(true));
    assert_eq!(rig.objects("runs/"), ["runs/friday/parts/0001.json"]);
}

#[test]
fn cut_off_between_its_part_and_its_reports_the_next_invocation_tells_the_run() {
    let rig = Rig::new(2, 2);
    let runtime = rig.start();
    let event = json!({"run": "friday"});
    // The part, then the page.
    rig.sandbox.fault("PutObject", 2, Fault::denied());
    runtime.invoke(&event).error("Unexpected");
    assert_eq!((rig.objects("runs/").len(), rig.objects("reports/").len()), (1, 0));
    let answer = runtime.invoke(&event).answer();
    assert_eq!(
        (&answer["complete"], &answer["done"]["disable"], &answer["accounts"]),
        (&json!(true), &json!(4), &json!(3))
    );
    assert_eq!(rig.writes(), (4, 1));
    assert_eq!(rig.json_report("friday")["totals"]["disable"], 4);
}

#[test]
fn a_history_that_is_damaged_is_told_and_left_as_it_is() {
    let rig = Rig::new(1, 1);
    rig.sandbox.put_object(BUCKET, "history.jsonl", "not ours\n");
    let ran = rig.run(&json!({"run": "friday"}));
    assert!(matches!(ran.ended, Ended::Answer(_)), "{:?}", ran.ended);
    assert!(ran.log().iter().any(|line| line["message"] == "the history was not written"));
    assert_eq!(rig.object("history.jsonl"), "not ours\n");
}

#[test]
fn a_history_that_others_write_too_loses_no_line() {
    let rig = Rig::new(1, 1);
    rig.run(&json!({"run": "one"})).ended.answer();
    let line = rig.object("history.jsonl");
    let (control, mut once) = (rig.sandbox.control(), true);
    rig.sandbox.on_call(move |call| {
        let ours = call.action == "PutObject" && call.parameters["Key"] == "history.jsonl";
        if ours && std::mem::take(&mut once) {
            control.put_object(BUCKET, "history.jsonl", &line.repeat(2));
        }
    });
    rig.run(&json!({"run": "two"})).ended.answer();
    assert_eq!(rig.object("history.jsonl").lines().count(), 3);
}

#[test]
fn a_history_that_cannot_be_written_does_not_end_the_run() {
    let rig = Rig::new(1, 1);
    rig.sandbox.fault_about("PutObject", "history.jsonl", Always, Fault::denied());
    let ran = rig.run(&json!({"run": "friday"}));
    ran.ended.clone().answer();
    assert!(ran.log().iter().any(|line| line["message"] == "the history was not written"));
    assert_eq!(rig.json_report("friday")["complete"], json!(true));
}

#[test]
fn a_run_that_is_told_again_has_one_line_in_the_history() {
    let rig = Rig::new(1, 1);
    let runtime = rig.start();
    for report_only in [false, true] {
        let event = json!({"run": "friday", "report_only": report_only});
        let json = if report_only { "review.json" } else { "purge.json" };
        runtime.invoke(&event).answer();
        let told = rig.objects("reports/").into_iter().find(|key| key.ends_with(json)).unwrap();
        rig.sandbox.delete_object(BUCKET, &told);
        runtime.invoke(&event).answer();
    }
    let history = rig.object("history.jsonl");
    assert_eq!(history.lines().count(), 2, "{history}");
    let review: serde_json::Value = serde_json::from_str(&rig.report("friday", "review.json")).unwrap();
    assert_eq!(review["review"]["past"]["trend"].as_array().unwrap().len(), 2);
}

#[test]
fn accounts_that_cannot_be_listed_this_time_leave_nothing_and_the_next_invocation_purges() {
    let rig = Rig::new(1, 1);
    rig.sandbox.fault("ListAccounts", Always, Fault::ErrorBefore(503));
    let said = rig.run(&json!({"run": "friday"})).ended.error("Unfinished");
    assert!(said.contains("could not be listed this time") && said.contains("nothing was done"), "{said}");
    assert_eq!(rig.objects(""), Vec::<String>::new());
    rig.sandbox.clear_faults();
    let answer = rig.run(&json!({"run": "friday"})).ended.answer();
    assert_eq!((&answer["complete"], &answer["done"]["disable"]), (&json!(true), &json!(1)));
}
