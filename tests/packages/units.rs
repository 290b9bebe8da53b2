//! The units that a package brings for all users: the timer's own text, and nothing runs where it would be of no use.

use std::fs;
use std::path::Path;
use std::process::Command;

use keyrot_me::host::schedule::{Task, systemd};

use crate::skip::skip;
use crate::workstation::{Ran, set_mode};

const HOUR: &str = "Mon 09:00";

/// What stands in the units of a package besides: why they are there, and whom they leave alone.
const HEAD: &str = "\
# keyrot-me for all users: `systemctl --global enable keyrot-me.timer`. A user's own `keyrot-me schedule install` wins.
# Another hour: copy both units to /etc/systemd/user and change it in both.
";
/// Neither root nor a display manager rotates keys, and nobody does without AWS files.
const WHOM: &str = "ConditionUser=!@system\nConditionPathExists=%h/.aws\n";

/// The rendered text, its first two lines (whose file it is) exchanged.
fn vendor(rendered: &str) -> String {
    let own: Vec<&str> = rendered.lines().skip(2).collect();
    assert!(rendered.starts_with("# ") && own[0] == "[Unit]", "{rendered}");
    HEAD.to_owned() + &own.join("\n") + "\n"
}

/// Each unit's name and text for a program.
fn units(program: &str) -> [(&'static str, String); 2] {
    let task = Task {
        program: program.into(),
        arguments: ["rotate", "--scheduled", "--at", HOUR].map(str::to_owned).to_vec(),
        at: HOUR.parse().unwrap(),
        environment: Vec::new(),
        confined: true,
    };
    let service = vendor(&systemd::service(&task));
    let condition = service.lines().find(|line| line.starts_with("ConditionFileIsExecutable=")).unwrap().to_owned();
    let service = service.replace(&condition, &format!("{condition}\n{}", WHOM.trim_end()));
    [("keyrot-me.service", service), ("keyrot-me.timer", vendor(&systemd::timer(&task)))]
}

#[test]
fn the_packages_units_are_the_timers_own_text() {
    for (name, text) in units("/usr/bin/keyrot-me") {
        let file = format!("packaging/systemd/{name}");
        if std::env::var_os("KEYROT_BLESS").is_some() {
            fs::write(&file, &text).unwrap();
        }
        let renew = "it is stale: KEYROT_BLESS=1 cargo test --test it packages::units";
        assert_eq!(fs::read_to_string(&file).unwrap(), text, "{file}: {renew}");
    }
}

/// Starts the unit for a program in that home; gives whether its conditions held, and how it ended.
fn started(home: &Path, program: &Path) -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        skip("needs root: the packages' units were not started by a user manager");
        return None;
    }
    let folder = home.join(".config/systemd/user");
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in units(program.to_str().unwrap()) {
        fs::write(folder.join(name), text).unwrap();
    }
    Ran::from(Command::new("chown").args(["-R", "4322:4322"]).arg(home).output().unwrap()).expect(0);
    let script = "systemctl --user start keyrot-me.service; echo start=$?
        systemctl --user start keyrot-me.timer
        systemctl --user show -p ConditionResult,Result,ExecMainStatus keyrot-me.service
        systemctl --user is-failed keyrot-me.service";
    let mut manager = Command::new("tests/schedule/user-manager.sh");
    manager.arg("4322").arg(home).args(["sh", "-c", script]);
    Some(Ran::from(manager.output().unwrap()).stdout)
}

#[test]
fn a_unit_whose_program_is_gone_is_skipped_and_does_not_fail() {
    let home = tempfile::Builder::new().prefix("keyrot-me-home-").tempdir_in("/tmp").unwrap();
    let program = home.path().join("keyrot-me");
    let wanted = |said: &str, condition: &str, code: &str| {
        let all = ["start=0", condition, code, "Result=success", "inactive"];
        assert!(all.iter().all(|word| said.contains(word)), "{said}");
    };
    fs::create_dir(home.path().join(".aws")).unwrap();
    let Some(said) = started(home.path(), &program) else { return };
    wanted(&said, "ConditionResult=no", "ExecMainStatus=0");
    // The same with a program that has a person notified, and with one whose user has no AWS files.
    fs::write(&program, "#!/bin/sh\nexit 10\n").unwrap();
    set_mode(&program, 0o755);
    wanted(&started(home.path(), &program).unwrap(), "ConditionResult=yes", "ExecMainStatus=10");
    fs::remove_dir(home.path().join(".aws")).unwrap();
    wanted(&started(home.path(), &program).unwrap(), "ConditionResult=no", "ExecMainStatus=0");
}
