//! The walk through a week: what is told, what is run, what is shown. Secrets are masked on screen,
//! although they are the emulator's own.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use chrono::TimeDelta;

use crate::sandbox::{Fault, LOOKUP_EVENTS, MFA_DEMANDED};
use crate::workstation::Workstation;

/// A TOTP device's time step: after it the next code counts.
const CODE_STEP: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_hours(24);

/// A policy that demands MFA, a purge every Friday, and CloudTrail to look things up in.
pub fn prepare(station: &Workstation) {
    station.sandbox.add_policy("alice", MFA_DEMANDED);
    station.sandbox.add_policy("alice", LOOKUP_EVENTS);
    station.sandbox.trail_delay(Duration::ZERO);
    station.add_security_team();
    let serial = "arn:aws:iam::123456789012:mfa/alice";
    fs::write(station.path(".aws/config"), format!("[default]\nregion = us-east-1\nmfa_serial = {serial}\n")).unwrap();
    station
        .settings("[rotation]\nmax_age = \"5d\"\n\n[purge]\nlimit = \"5d\"\nat = \"Fri 23:55\"\ntimezone = \"UTC\"\n");
}

pub fn monday_to_friday(station: &Workstation) {
    let began = Instant::now();
    let walk = Walk { station };
    say("This is a whole AWS account on loopback: IAM, STS and CloudTrail with AWS's own rules, and alice,");
    say("whose access key is 40 days old. Her policy demands MFA. Every Friday at 23:55 a purge takes keys");
    say("of 5 days and more. The days below are named, not waited for.");

    title("Monday: how does my key stand?");
    walk.show_credentials();
    walk.run(&["status"]);

    title("Monday: rotate, with one MFA code");
    walk.rotate(&[]);
    say("The same file, every other byte as it was:");
    walk.show_credentials();
    walk.show_iam();

    title("Tuesday: the grace is over, the old key goes for good");
    walk.with_code("finish", &["--now"]);
    walk.show_iam();

    title("Wednesday: the laptop dies in the middle of a rotation");
    say("The program is killed in the very moment after IAM made the new key, before it hears of it:");
    walk.killed_after_create();
    say("Two active keys, and the secret of one is nowhere. Other tools are stuck here. Run it again:");
    walk.rotate(&[]);
    walk.show_iam();

    title("Friday 23:55: the purge, run by the security team");
    station.sandbox.age_everything(4 * DAY);
    say("alice's key is young enough, bob's is not: he has not rotated. First a dry run:");
    let purge = ["purge", "--group", "Developers", "--max-age", "5d", "--profile", "security"];
    walk.run(&purge);
    say("Then in earnest, with a report for the auditor:");
    walk.run(&[&purge[..], &["--apply", "--report", "purge.html", "--report", "purge.json"]].concat());
    walk.show_report();
    say("On Monday alice goes on as ever, and bob finds out:");
    walk.run(&["status"]);
    walk.colleague();

    title("Done");
    say(&format!(
        "{} calls to AWS in {:.1} s. On a real account it is the same: keyrot-me rotate",
        station.sandbox.calls().len(),
        began.elapsed().as_secs_f64()
    ));
}

fn title(text: &str) {
    println!("\n── {text} ──\n");
}

fn say(text: &str) {
    println!("{text}");
}

struct Walk<'a> {
    station: &'a Workstation,
}

impl Walk<'_> {
    /// Shows the command as it would be typed, then what it prints.
    fn run(&self, arguments: &[&str]) {
        println!("$ keyrot-me {}", arguments.join(" "));
        let status = self.station.command(arguments).current_dir(self.station.home.path()).status().unwrap();
        println!("(exit code {})\n", status.code().unwrap_or(-1));
    }

    fn rotate(&self, more: &[&str]) {
        self.with_code("rotate", more);
    }

    fn with_code(&self, command: &str, more: &[&str]) {
        let code = self.code();
        let mut arguments = vec![command];
        arguments.extend(more);
        arguments.extend(["--mfa-code", &code]);
        self.run(&arguments);
    }

    /// A code that was not used yet, as if half a minute had gone by since the last one.
    fn code(&self) -> String {
        self.station.sandbox.advance(CODE_STEP);
        self.station.sandbox.next_totp("alice")
    }

    fn show_credentials(&self) {
        println!("$ cat ~/.aws/credentials");
        for line in self.station.credentials().lines() {
            match line.split_once('=') {
                Some((name, _)) if name.contains("secret") => println!("{name}= ********"),
                _ => println!("{line}"),
            }
        }
        println!();
    }

    /// The key of the one colleague that went, as programs read it.
    fn show_report(&self) {
        let text = fs::read_to_string(self.station.path("purge.json")).unwrap();
        println!("$ grep '\"decision\":\"disable\"' purge.json");
        for line in text.lines().filter(|line| line.contains("\"decision\":\"disable\"")) {
            println!("{line}");
        }
        println!();
    }

    fn show_iam(&self) {
        println!("at IAM:");
        for key in self.station.sandbox.keys_of("alice") {
            let age = self.station.sandbox.now() - key.created;
            println!("  {}  {:<8}  {} old", key.id, key.status, days(age));
        }
        println!();
    }

    fn killed_after_create(&self) {
        let station = self.station;
        station.sandbox.fault("CreateAccessKey", 1, Fault::KillAfter);
        let code = self.code();
        println!("$ keyrot-me rotate --mfa-code {code}");
        let mut command = station.command(&["rotate", "--mfa-code", &code]);
        let mut child = command.stdin(Stdio::null()).spawn().unwrap();
        station.sandbox.set_client(Some(child.id()));
        let ended = child.wait().unwrap();
        station.sandbox.set_client(None);
        println!("({ended})\n");
        self.show_iam();
    }

    fn colleague(&self) {
        let key = self.station.sandbox.keys_of("bob").remove(0);
        let file = self.station.path("bob-credentials");
        let text = format!("[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, key.secret);
        fs::write(&file, text).unwrap();
        println!("bob$ keyrot-me status --check");
        let mut command = self.station.command(&["status", "--check"]);
        let status = command.env("AWS_SHARED_CREDENTIALS_FILE", &file).status().unwrap();
        println!("(exit code {})\n", status.code().unwrap_or(-1));
    }
}

fn days(age: TimeDelta) -> String {
    match age.num_days() {
        0 => format!("{} s", age.num_seconds()),
        days => format!("{days} d"),
    }
}
