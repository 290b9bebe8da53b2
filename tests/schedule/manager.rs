//! The whole thing for real: installed into a systemd user manager, fired, caught up, looked at, removed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::session::{Session, own};

/// With a program that gives the code of the moment.
fn with_codes() -> Option<Session> {
    let session = Session::start()?;
    fs::write(session.station.path("code"), session.station.sandbox.next_totp("alice")).unwrap();
    let code = session.station.path("code");
    session
        .settings(&format!("[rotation]\nsettle = {{ every = \"0s\" }}\n[mfa]\ncommand = \"cat {}\"\n", code.display()));
    Some(session)
}

/// The user's own change: the run starts at once, and is heard. That is where changes belong, so it stays whatever is
/// installed.
fn at_once(session: &mut Session) {
    let line = session.unit("keyrot-me.service");
    let line = line.lines().find(|line| line.starts_with("ExecStart=")).unwrap();
    let folder = session.units().join("keyrot-me.service.d");
    fs::create_dir_all(&folder).unwrap();
    let change = format!("[Service]\nExecStart=\n{line} --jitter 0s\nStandardError=append:%t/run.log\n");
    fs::write(folder.join("at-once.conf"), change).unwrap();
    own(session.station.home.path());
    session.run("systemctl --user daemon-reload").expect(0);
}

/// All files of the user but those of this test and of the session.
fn files(session: &Session) -> BTreeSet<PathBuf> {
    fn below(folder: &Path, found: &mut BTreeSet<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                below(&path, found);
            }
            found.insert(path);
        }
    }
    let home = session.station.home.path();
    let mut found = BTreeSet::new();
    below(home, &mut found);
    found.retain(|path| [".run", ".jobs", ".cache"].iter().all(|own| !path.starts_with(home.join(own))));
    found
}

#[test]
fn the_installed_timers_run_rotates_the_key_with_a_code_from_a_program() {
    let Some(mut session) = with_codes() else { return };
    let old = session.station.held_id();
    let installed = session.run("keyrot-me schedule install").expect(0);
    for words in
        ["installed: Mon 09:00", "keyrot-me.timer", "next run: ", "--profile default", "systemctl --user start"]
    {
        assert!(installed.stdout.contains(words), "{}", installed.stdout);
    }
    at_once(&mut session);
    session.run("systemctl --user start keyrot-me.service").expect(0);
    assert_ne!(session.station.held_id(), old, "{}", session.log());
    let status = session.run("keyrot-me schedule status --json").expect(0).json();
    assert_eq!(status["schedule"]["last"]["exit_code"], 0, "{status}");
    assert_eq!(status["schedule"]["started_exit_code"], 0, "{status}");
    assert_eq!(status["schedule"]["active"], true);
    assert_eq!(status["schedule"]["scheduler"], "systemd");
    assert!(session.log().contains("rotated"), "its one line is in the journal: {}", session.log());
    session.run("keyrot-me schedule remove").expect(0);
    let last = session.run("keyrot-me schedule status --json").expect(0).json();
    assert_eq!(last["schedule"]["installed"], false);
}

#[test]
fn what_was_missed_while_the_machine_was_off_is_made_up_for() {
    let Some(mut session) = with_codes() else { return };
    let old = session.station.held_id();
    session.run("keyrot-me schedule install").expect(0);
    at_once(&mut session);
    assert_eq!(session.run("systemctl --user show -P LastTriggerUSec keyrot-me.timer").stdout.trim(), "", "not yet");
    session
        .run(&format!(
            "systemctl --user stop keyrot-me.timer && touch -d '2 days ago' {} && systemctl --user start keyrot-me.timer",
            session.stamp().display()
        ))
        .expect(0);
    let wait = "for _ in $(seq 600); do [ -n \"$(systemctl --user show -P ExecMainExitTimestamp keyrot-me.service)\" ] \
                && exit; sleep 0.1; done; exit 1";
    session.run(wait).expect(0);
    assert_ne!(session.station.held_id(), old, "{}", session.log());
    let status = session.run("keyrot-me schedule status").expect(0);
    assert!(status.stdout.contains("exit code 0"), "{}", status.stdout);
}

#[test]
fn without_a_code_the_unit_ends_well_and_the_exit_code_is_told() {
    let Some(mut session) = Session::start() else { return };
    let installed = session.run("keyrot-me schedule install").expect(0);
    assert!(installed.stderr.contains("only reminds you"), "{}", installed.stderr);
    at_once(&mut session);
    session.run("systemctl --user start keyrot-me.service").expect(0);
    let state = session.run("systemctl --user show -p ExecMainStatus -p Result keyrot-me.service").stdout;
    assert!(state.contains("ExecMainStatus=10\n") && state.contains("Result=success\n"), "{state}{}", session.log());
    let status = session.run("keyrot-me schedule status").expect(0);
    assert!(status.stdout.contains("exit code 10"), "{}", status.stdout);
    // A failure of the other kind is one for systemd too.
    session.station.sandbox.set_status(&session.station.held_id(), "Inactive");
    session.settings("[nonsense]\n");
    let status = session.run("systemctl --user start keyrot-me.service; keyrot-me schedule status");
    assert!(status.stdout.contains("exit code"), "{}", status.stdout);
}

#[test]
fn twice_is_once_and_another_hour_is_a_change() {
    let Some(mut session) = with_codes() else { return };
    let before = files(&session);
    session.run("keyrot-me schedule install").expect(0);
    let units = |session: &Session| ["keyrot-me.service", "keyrot-me.timer"].map(|unit| session.unit(unit));
    let first = units(&session);
    let inode = |session: &Session| {
        std::os::unix::fs::MetadataExt::ino(&session.units().join("keyrot-me.timer").metadata().unwrap())
    };
    let same = inode(&session);
    let again = session.run("keyrot-me schedule install").expect(0);
    assert!(again.stdout.starts_with("already installed: Mon 09:00"), "{}", again.stdout);
    assert_eq!((units(&session), inode(&session)), (first.clone(), same));
    let json = session.run("keyrot-me schedule install --json").expect(0).json();
    assert_eq!((&json["change"], &json["schedule"]["at"]), (&"none".into(), &"Mon 09:00".into()));
    let other = session.run("keyrot-me schedule install --at 'Tue 10:30' --no-mfa").expect(0);
    assert!(other.stdout.starts_with("changed: Tue 10:30"), "{}", other.stdout);
    assert!(session.unit("keyrot-me.service").contains("\"Tue 10:30\" --profile default --no-mfa\n"));
    let next = session.run("systemctl --user show -P NextElapseUSecRealtime keyrot-me.timer").stdout;
    assert!(next.contains(" 10:30:00 "), "the manager has the new hour: {next}");
    session.run("keyrot-me schedule install").expect(0);
    assert_eq!(units(&session), first);

    let removed = session.run("keyrot-me schedule remove").expect(0);
    assert!(removed.stdout.starts_with("removed: nothing of the timer is left"), "{}", removed.stdout);
    let left: Vec<_> = files(&session).difference(&before).cloned().collect();
    assert_eq!(left, Vec::<PathBuf>::new());
    let known = session
        .run("systemctl --user list-timers --all; systemctl --user list-unit-files; systemctl --user list-units --all");
    assert!(!known.stdout.contains("keyrot"), "{}", known.stdout);
    assert!(session.run("keyrot-me schedule remove").expect(0).stdout.contains("nothing to remove"));
}

#[test]
fn what_somebody_else_wrote_or_changed_is_not_overwritten() {
    let Some(mut session) = with_codes() else { return };
    session.run("keyrot-me schedule install").expect(0);
    let timer = session.units().join("keyrot-me.timer");
    session.run(&format!("sed -i s/Persistent=true/Persistent=false/ {}", timer.display())).expect(0);
    let refused = session.run("keyrot-me schedule install --at 'Tue 10:30'").expect(3);
    assert!(refused.stderr.contains("was edited since"), "{}", refused.stderr);
    assert!(session.unit("keyrot-me.timer").contains("Persistent=false"));
    assert!(session.unit("keyrot-me.service").contains("Mon 09:00"), "neither was touched");
    session.run("keyrot-me schedule remove && keyrot-me schedule install").expect(0);

    session.run(&format!("echo '[Timer]' >{}", timer.display())).expect(0);
    for command in ["install", "remove"] {
        let refused = session.run(&format!("keyrot-me schedule {command}")).expect(3);
        assert!(refused.stderr.contains("not one that keyrot-me wrote"), "{}", refused.stderr);
        assert_eq!(session.unit("keyrot-me.timer"), "[Timer]\n");
    }
    session.run(&format!("ln -sf /dev/null {}", timer.display())).expect(0);
    let refused = session.run("keyrot-me schedule install").expect(3);
    assert!(refused.stderr.contains("unmask"), "{}", refused.stderr);
    let status = session.run("systemctl --user daemon-reload; keyrot-me schedule status").expect(0);
    assert!(status.stdout.contains("will not run: the timer is masked"), "{}", status.stdout);
}

#[test]
fn a_timer_that_will_not_run_is_shown_as_such_and_mended_by_an_installation() {
    let Some(mut session) = with_codes() else { return };
    session.run("keyrot-me schedule install").expect(0);
    for (command, told) in [
        ("stop keyrot-me.timer", "stopped"),
        ("disable keyrot-me.timer", "until you log out"),
        ("disable --now keyrot-me.timer", "disabled"),
        ("mask --runtime keyrot-me.timer", ""),
    ] {
        session.run(&format!("systemctl --user {command}"));
        let status = session.run("keyrot-me schedule status").expect(0);
        if !told.is_empty() {
            assert!(status.stdout.contains("will not run"), "{command}: {}", status.stdout);
        }
        assert!(status.stdout.contains(told), "{command}: {}", status.stdout);
        session.run("keyrot-me schedule install").expect(0);
        let status = session.run("keyrot-me schedule status").expect(0);
        assert!(status.stdout.starts_with("the timer is installed and active\n"), "{command}: {}", status.stdout);
    }
    // Half of it gone, by hand.
    session.run("rm ~/.config/systemd/user/keyrot-me.service; systemctl --user daemon-reload").expect(0);
    let status = session.run("keyrot-me schedule status").expect(0);
    assert!(status.stdout.contains("keyrot-me.service is gone"), "{}", status.stdout);
    assert!(session.run("keyrot-me schedule install").expect(0).stdout.starts_with("changed"));
    session.run("rm ~/.config/systemd/user/keyrot-me.*; keyrot-me schedule remove").expect(0);
    assert!(!session.units().exists());
}

/// The shell's idea of the configuration folder need not be the manager's.
#[test]
fn units_go_where_the_manager_reads_them() {
    let Some(mut session) = with_codes() else { return };
    session.run("export XDG_CONFIG_HOME=~/elsewhere; keyrot-me schedule install --no-mfa").expect(0);
    assert!(session.unit("keyrot-me.service").contains("elsewhere"), "the run is told of that folder");
    assert!(!session.station.path("elsewhere/systemd").exists());
    let status = session.run("keyrot-me schedule status").expect(0);
    assert!(status.stdout.starts_with("the timer is installed and active\n"), "{}", status.stdout);
}

#[test]
fn files_are_found_and_removed_where_no_manager_answers() {
    let Some(mut session) = with_codes() else { return };
    session.run("keyrot-me schedule install").expect(0);
    let alone = "unset DBUS_SESSION_BUS_ADDRESS; export XDG_RUNTIME_DIR=/nowhere";
    let status = session.run(&format!("{alone}; keyrot-me schedule status")).expect(0);
    assert!(status.stdout.contains("will not run: systemd has no manager for this user here"), "{}", status.stdout);
    session.run(&format!("{alone}; keyrot-me schedule remove")).expect(0);
    assert!(!session.units().exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_told_and_nothing_is_left() {
    let Some(mut session) = with_codes() else { return };
    session.run("mkdir -p ~/.config/systemd/user && chmod 500 ~/.config/systemd/user").expect(0);
    let refused = session.run("keyrot-me schedule install").expect(8);
    assert!(refused.stderr.contains("systemd/user"), "{}", refused.stderr);
    assert_eq!(fs::read_dir(session.units()).unwrap().count(), 0);
}
