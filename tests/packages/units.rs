//! The units that a package brings for all users: the timer's own text, and nothing runs where it would be of no use.

use std::fs;

use keyrot_me::host::schedule::{Task, systemd};

#[cfg(target_os = "linux")]
use crate::schedule::session::{Session, own};
#[cfg(target_os = "linux")]
use crate::workstation::set_mode;

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

#[cfg(target_os = "linux")]
#[test]
fn a_unit_whose_program_is_gone_is_skipped_and_does_not_fail() {
    let Some(mut session) = Session::start() else { return };
    let program = session.station.path("gone/keyrot-me");
    fs::create_dir_all(session.units()).unwrap();
    fs::create_dir(program.parent().unwrap()).unwrap();
    for (name, text) in units(program.to_str().unwrap()) {
        fs::write(session.units().join(name), text).unwrap();
    }
    own(session.station.home.path());
    session.run("systemctl --user daemon-reload").expect(0);
    session.run("systemctl --user start keyrot-me.timer").expect(0);
    let mut starts = |condition: &str, code: &str| {
        session.run("systemctl --user start keyrot-me.service").expect(0);
        let asked = "systemctl --user show --property=ConditionResult,Result,ExecMainStatus keyrot-me.service";
        let said = session.run(asked).expect(0).stdout;
        let wanted =
            [format!("ConditionResult={condition}"), format!("ExecMainStatus={code}"), "Result=success".into()];
        assert!(wanted.iter().all(|line| said.lines().any(|said| said == line)), "{wanted:?}: {said}");
    };
    starts("no", "0");
    // There, and it has a person notified; then the package is removed under a timer that goes on.
    fs::write(&program, "#!/bin/sh\nexit 10\n").unwrap();
    set_mode(&program, 0o755);
    starts("yes", "10");
    fs::remove_file(&program).unwrap();
    starts("no", "10");
    session.run("systemctl --user is-failed keyrot-me.service").expect(1);
    session.run("systemctl --user is-active keyrot-me.timer").expect(0);
}
