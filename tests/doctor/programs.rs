//! Programs that are named and not there, the keychain, and the timer.

use super::*;

#[test]
fn a_source_of_codes_that_is_not_there() {
    let station = healthy();
    station.settings("[mfa]\ncommand = \"no-such-program oath\"\n");
    let finding = only(&doctor(&station, &[]), "mfa-source", "problem", &["names no-such-program", "cannot rotate"]);
    assert!(fix(&finding).starts_with("${EDITOR:-vi} "), "{finding}");
    station.settings("[mfa]\ncommand = \"sh -c 'echo 123456'\"\n");
    nothing_wrong(&station);
    station.settings("[mfa]\npinentry = true\n");
    let mut command = station.command(&["doctor", "--json"]);
    command.env("PATH", station.path(".aws"));
    found(&checks(&Ran::from(command.output().unwrap())), "mfa-source", "problem", &["there is no pinentry"]);
}

#[cfg(target_os = "linux")]
mod keychain {
    use super::*;
    use crate::keychain::desktop::Desktop;

    fn station() -> Option<(Workstation, Desktop)> {
        let desktop = Desktop::start()?;
        let mut station = healthy();
        station.bus = Some(desktop.address.clone());
        let (id, secret) = station.hand_out_by_program();
        desktop.store_key("default", &id, &secret);
        Some((station, desktop))
    }

    #[test]
    fn a_keychain_that_is_locked_silent_or_not_there() {
        let Some((mut station, desktop)) = station() else { return };
        nothing_wrong(&station);
        station.settings("[store]\nwait = \"1s\"\n");
        desktop.fall_silent();
        only(&doctor(&station, &[]), "keychain", "problem", &["no answer within 1 s", "cannot be read"]);
        desktop.wake_up();
        desktop.lock();
        let finding = only(&doctor(&station, &[]), "keychain", "problem", &["locked", "unlock the keychain"]);
        assert!(fix(&finding).ends_with(">/dev/null"), "nothing secret on the screen: {finding}");
        station.bus = None;
        only(&doctor(&station, &[]), "keychain", "problem", &["no keychain to talk to", "session bus"]);
    }

    #[test]
    fn an_entry_that_is_missing_or_damaged() {
        let Some((station, desktop)) = station() else { return };
        desktop.clear("keyrot-me", "default");
        let finding = only(&doctor(&station, &[]), "keychain", "problem", &["no entry \"default\"", "every AWS tool"]);
        assert_eq!(fix(&finding), "keyrot-me import");
        desktop.store("keyrot-me", "default", "not a key");
        only(&doctor(&station, &[]), "keychain", "problem", &["damaged, or edited"]);
        let key = station.sandbox.keys_of("alice").remove(0);
        desktop.store_key("default", &key.id, &key.secret);
        nothing_wrong(&station);
    }

    #[test]
    fn a_credential_process_whose_program_is_gone_or_another_one() {
        let Some((station, _desktop)) = station() else { return };
        let line =
            |program: &str| format!("[default]\ncredential_process = {program} credential-process --profile default\n");
        config(&station, &line("/gone/keyrot-me"));
        let all = doctor(&station, &[]);
        let finding = only(&all, "credential-process", "problem", &["/gone/keyrot-me", "not there"]);
        assert_eq!(fix(&finding), "keyrot-me store move --to keychain");
        mend(&station, &finding, "");
        nothing_wrong(&station);
        config(&station, &line("keyrot-me"));
        found(&doctor(&station, &[]), "credential-process", "note", &["without its path"]);
        let other = station.path("bin/keyrot-me");
        fs::create_dir(station.path("bin")).unwrap();
        fs::write(&other, "#!/bin/sh\necho keyrot-me 0.0.9\n").unwrap();
        crate::workstation::set_mode(&other, 0o755);
        config(&station, &line(&other.display().to_string()));
        only(&doctor(&station, &[]), "credential-process", "note", &["of version 0.0.9", "an older program"]);
    }

    #[test]
    fn a_keychain_that_is_wanted_and_not_there() {
        let station = healthy();
        station.settings("[store]\nkind = \"keychain\"\n");
        only(&doctor(&station, &[]), "keychain", "problem", &["no keychain to talk to"]);
    }
}

/// With a real systemd user manager.
#[cfg(target_os = "linux")]
mod timer {
    use super::*;
    use crate::schedule::session::Session;

    /// Root's look at the files of `nobody` would be another user's.
    #[track_caller]
    fn doctor(session: &mut Session) -> Vec<Value> {
        checks(&session.run("keyrot-me doctor --json"))
    }

    fn mend(session: &mut Session, finding: &Value) {
        session.run(fix(finding)).expect(0);
    }

    #[test]
    fn a_timer_that_is_missing_stopped_or_names_what_is_gone() {
        let Some(mut session) = Session::start() else { return };
        let finding = found(&doctor(&mut session), "timer", "note", &["no timer is installed"]);
        assert_eq!(fix(&finding), "keyrot-me schedule install");
        mend(&mut session, &finding);
        let all = doctor(&mut session);
        assert!(all.iter().any(|check| check["check"] == "timer" && check["state"] == "ok"), "{all:#?}");
        found(&all, "mfa-source", "note", &["it reminds you, and rotates nothing"]);
        found(&all, "notifications", "note", &["only its log says so"]);
        session.run("systemctl --user disable --now keyrot-me.timer").expect(0);
        let finding = found(&doctor(&mut session), "timer", "problem", &["the timer does not run"]);
        assert_eq!(fix(&finding), "keyrot-me schedule install --at 'Mon 09:00' --profile default");
        mend(&mut session, &finding);
        let moved = session.station.path("bin/keyrot-me.moved");
        fs::rename(&session.program, &moved).unwrap();
        let finding = {
            let ran = session.run(&format!("{} doctor --json", moved.display()));
            found(&checks(&ran), "timer", "problem", &["bin/keyrot-me, which is not there"])
        };
        assert!(fix(&finding).starts_with("keyrot-me schedule install --at"), "{finding}");
        fs::rename(&moved, &session.program).unwrap();
        let all = doctor(&mut session);
        assert!(all.iter().all(|check| check["check"] != "timer" || check["state"] == "ok"), "{all:#?}");
    }
}
