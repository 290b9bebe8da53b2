//! Without a user manager: the line for cron, and nothing installed.

use crate::program;
use crate::workstation::Workstation;

#[test]
fn without_a_manager_the_line_for_cron_is_printed_and_nothing_is_installed() {
    let station = Workstation::new(program());
    station.settings("[mfa]\ncommand = \"oathtool x\"\n");
    let run = station.run(&["schedule", "install", "--at", "Tue 07:05"]).expect(3);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 1, "{}", run.stdout);
    assert!(lines[0].starts_with("5 7 * * * "), "{}", lines[0]);
    assert!(lines[0].ends_with(" rotate --scheduled --at 'Tue 07:05' --profile default"), "{}", lines[0]);
    assert!(lines[0].contains(&format!(" AWS_ENDPOINT_URL={} ", station.sandbox.url())), "{}", lines[0]);
    assert!(lines[0].contains(" PATH="), "the program that gives codes is found on it");
    for words in ["no scheduler for a timer here", "crontab -e", "nothing was installed"] {
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    assert!(!station.path(".config/systemd").exists());
    let json = station.run(&["schedule", "install", "--json"]).expect(3).json();
    assert_eq!(json["schedule"]["installed"], false);
    assert!(json["schedule"]["crontab"].as_str().unwrap().starts_with("0 9 * * * "));
    assert_eq!(json["error"]["exit_code"], 3);
}

#[test]
fn the_line_for_cron_runs_what_it_says() {
    let station = Workstation::new(program());
    let line = station.run(&["schedule", "install", "--no-mfa"]).expect(3).stdout;
    let command = line.strip_prefix("0 9 * * * ").unwrap().replace("\\%", "%");
    // cron gives a home, a shell and little else.
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &format!("{} --help", command.trim())]).env_clear().env("HOME", station.home.path());
    let ran = shell.output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn nothing_installed_is_told_and_is_no_error() {
    let station = Workstation::new(program());
    let status = station.run(&["schedule", "status"]).expect(0);
    assert_eq!(status.stdout, "no timer is installed: `keyrot-me schedule install`\n");
    let json = station.run(&["schedule", "status", "--json"]).expect(0).json();
    assert_eq!(json["schedule"], serde_json::json!({ "installed": false, "scheduler": null }));
    assert_eq!(station.run(&["schedule", "remove"]).expect(0).stdout, "no timer is installed: nothing to remove\n");
    assert_eq!(station.run(&["schedule", "remove", "--json"]).expect(0).json()["change"], "none");
}

#[test]
fn what_is_wrong_with_a_profile_or_a_setting_is_found_before_anything_is_installed() {
    let station = Workstation::new(program());
    for (arguments, told) in [
        (&["schedule", "install", "--profile", "nobody"][..], "nobody"),
        (&["schedule", "install", "--profile", "default", "--profile", "nobody"], "nobody"),
        (&["schedule", "install", "--auth-profile", "nobody"], "nobody"),
        (&["schedule", "install", "--at", "Montag 9"], "Mon 09:00"),
        (&["schedule", "install", "--no-mfa", "--auth-profile", "elsewhere"], "cannot be used with"),
    ] {
        let run = station.run(arguments).expect(2);
        assert!(run.stderr.contains(told), "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    let broken =
        station.command(&["schedule", "install"]).env("AWS_CONFIG_FILE", station.path("a\nb")).output().unwrap();
    assert_eq!(broken.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&broken.stderr).contains("control characters"));
    assert!(!station.path(".config/systemd").exists());
    assert_eq!(station.sandbox.calls().len(), 0, "no call is made");
}

#[test]
fn who_gives_no_code_is_told_that_the_timer_only_reminds() {
    let station = Workstation::new(program());
    let told = |arguments: &[&str]| station.run(arguments).expect(3).stderr;
    assert!(told(&["schedule", "install"]).contains("default: nothing gives the timer an MFA code"));
    assert!(!told(&["schedule", "install", "--no-mfa"]).contains("MFA code"));
    assert!(!told(&["schedule", "install", "--auth-profile", "elsewhere"]).contains("MFA code"));
    station.settings("[mfa]\npinentry = true\n");
    assert!(!told(&["schedule", "install"]).contains("MFA code"));
}

#[test]
fn a_password_in_a_proxys_address_is_written_nowhere() {
    let station = Workstation::new(program());
    let run = station
        .command(&["schedule", "install", "--no-mfa"])
        .envs([("HTTPS_PROXY", "http://me:hunter2@proxy:3128"), ("AWS_SECRET_ACCESS_KEY", "hunter2")])
        .output()
        .unwrap();
    let said = String::from_utf8([run.stdout, run.stderr].concat()).unwrap();
    assert!(!said.contains("hunter2"), "{said}");
    assert!(said.contains("HTTPS_PROXY holds a user or password"), "{said}");
}
