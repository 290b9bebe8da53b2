//! Endpoints that must not be called, do not answer, or are not AWS; and clocks that are off.

use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;

use super::*;
use crate::sandbox::{Always, Fault};

fn at(station: &Workstation, url: &str, arguments: &[&str]) -> Ran {
    Ran::from(station.command(arguments).env("AWS_ENDPOINT_URL", url).output().unwrap())
}

#[test]
fn endpoints_that_must_not_be_called_are_refused() {
    let station = station();
    for (url, words) in [
        ("http://iam.example.com", ["http://iam.example.com", "plain http"]),
        ("http://10.0.0.1:8080", ["http://10.0.0.1:8080", "plain http"]),
        ("not a url", ["'not a url'", "is not a URL"]),
        ("ftp://localhost", ["ftp://localhost", "neither https nor http"]),
        ("https://alice:hunter2@localhost", ["endpoint holds a user name or password", "AWS_ENDPOINT_URL"]),
        ("localhost:8080", ["localhost:8080", "neither https nor http"]),
    ] {
        for command in [&["rotate", "--no-mfa"][..], &["status"]] {
            let ran = refused_before_any_call(&station, || at(&station, url, command), 2, &words);
            assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
        }
    }
    let region = || Ran::from(station.command(&["status"]).env("AWS_REGION", "x.evil.com/").output().unwrap());
    refused_before_any_call(&station, region, 2, &["'x.evil.com/' cannot be a region"]);
}

#[test]
fn a_custom_endpoint_is_honoured_and_named() {
    let station = station();
    let note = format!("note: calls go to {}, not to AWS itself", station.sandbox.url());
    let ran = station.run(&["status"]).expect(0);
    assert_eq!(ran.stderr.matches(&note).count(), 1, "{}", ran.stderr);
    config(&station, &format!("[default]\nendpoint_url = {}\n", station.sandbox.url()));
    let ran = Ran::from(station.command(&["status"]).env_remove("AWS_ENDPOINT_URL").output().unwrap()).expect(0);
    assert!(ran.stderr.contains(&note), "{}", ran.stderr);
    assert!(station.run(&["status", "--quiet"]).expect(0).stderr.is_empty());
}

#[test]
fn an_endpoint_that_is_down_is_told() {
    let station = station();
    let nobody = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    for command in [&["rotate", "--no-mfa"][..], &["rotate", "--dry-run"], &["status"], &["finish"]] {
        refused(&station, || at(&station, &nobody, command), 1, &["sts:GetCallerIdentity", "refused", "network"]);
    }
    let json = at(&station, &nobody, &["status", "--json"]).expect(1).json();
    assert_eq!(json["errors"][0]["exit_code"], 1, "{json}");
    assert_eq!(json["keys"][0]["source"], "journal");
}

#[test]
fn an_endpoint_that_hangs_up_is_told() {
    let station = station();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.unwrap().read(&mut [0; 512]);
        }
    });
    refused(&station, || at(&station, &url, &["rotate", "--no-mfa"]), 1, &["sts:GetCallerIdentity", "next: "]);
}

#[test]
fn a_login_page_in_between_is_recognized() {
    let station = station();
    station.sandbox.fault("*", Always, Fault::Html);
    for command in [&["rotate", "--no-mfa"][..], &["rotate", "--dry-run"], &["status"]] {
        let ran = refused(&station, || station.run(command), 1, &["text/html", "does not look like AWS"]);
        assert!(!ran.stderr.contains("hotel"), "{}", ran.stderr);
    }
}

#[test]
fn a_clock_that_is_off_is_told_with_its_amount_before_any_create() {
    for (service_is, words) in [
        (Duration::from_secs(400), ["clock is", "behind AWS's"]),
        (Duration::from_secs(86_400), ["clock is 864", "behind AWS's"]),
    ] {
        let station = station();
        station.sandbox.advance(service_is);
        for command in [&["rotate", "--no-mfa"][..], &["rotate", "--dry-run"], &["finish"]] {
            refused(&station, || station.run(command), 1, &words);
        }
        refused(&station, || station.run(&["status"]), 0, &words);
        assert_eq!(station.sandbox.count("CreateAccessKey"), 0);
    }
    let ahead = station();
    ahead.sandbox.set(ahead.sandbox.now() - chrono::TimeDelta::seconds(3600));
    refused(&ahead, || ahead.run(&["rotate", "--no-mfa"]), 1, &["clock is 3", "ahead of AWS's", "set the clock"]);
    refused(&ahead, || ahead.run(&["status", "--json"]), 0, &["warning: ", "ahead of AWS's"]);
    assert_eq!(ahead.sandbox.count("CreateAccessKey"), 0);
}

#[test]
fn a_clock_that_is_off_stops_the_run_even_where_signatures_pass() {
    let station = station();
    station.sandbox.accept_any_clock();
    station.sandbox.advance(Duration::from_secs(360));
    refused(&station, || station.run(&["rotate", "--no-mfa"]), 1, &["behind AWS's"]);
    let near = super::station();
    near.sandbox.advance(Duration::from_secs(240));
    near.rotate(&[]).expect(0);
}

#[test]
fn environment_keys_that_shadow_the_file_are_told() {
    let station = station();
    let mut command = station.command(&["status"]);
    command.env("AWS_ACCESS_KEY_ID", "AKIAENVIRON000000001").env("AWS_SECRET_ACCESS_KEY", "hunter2");
    let ran = Ran::from(command.output().unwrap()).expect(0);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        assert!(ran.stderr.contains(&format!("warning: {name} is set in the environment")), "{}", ran.stderr);
    }
    assert!(!ran.stderr.contains("hunter2") && !ran.stdout.contains("AKIAENVIRON"), "{ran:?}");
    assert!(ran.stdout.contains(&station.held_id()), "the file's key is meant:\n{}", ran.stdout);
}
