//! The units, as systemd's own checker and a real user manager read them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use keyrot_me::host::schedule::{Task, systemd};

use super::session::{Session, own};
use super::{NASTY, task};

#[test]
fn systemd_finds_nothing_to_complain_of() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("my $tools 100%");
    fs::write(&program, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let task = Task { program, ..task() };
    let (service, timer) = (folder.path().join("keyrot-me.service"), folder.path().join("keyrot-me.timer"));
    let verify = |service_text: &str| {
        fs::write(&service, service_text).unwrap();
        fs::write(&timer, systemd::timer(&task)).unwrap();
        let ran = Command::new("systemd-analyze")
            .args(["verify", "--user", "--man=no"])
            .args([&service, &timer])
            .env("XDG_RUNTIME_DIR", folder.path())
            .output()
            .ok()?;
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        Some(said.lines().filter(|line| line.contains("keyrot-me")).map(str::to_owned).collect::<Vec<_>>())
    };
    let Some(said) = verify(&systemd::service(&task)) else {
        crate::skip::skip("systemd is not installed: units are not verified");
        return;
    };
    assert_eq!(said, Vec::<String>::new());
    let broken = verify(&systemd::service(&task).replace("UMask=", "UMsak=")).unwrap();
    assert!(broken.iter().any(|line| line.contains("UMsak")), "it sees a mistake: {broken:?}");
}

/// The words, as the program gets them in the end.
#[test]
fn a_real_user_manager_hands_the_program_its_words_and_variables() {
    let Some(mut session) = Session::start() else { return };
    let folder = session.station.path("my tools/50% $off <x>");
    fs::create_dir_all(&folder).unwrap();
    let (program, seen) = (folder.join("keyrot me"), session.station.path("seen"));
    let script =
        format!("#!/bin/sh\nprintf '%s\\0' \"$0\" \"$@\" \"$AWS_CONFIG_FILE\" \"$NO_PROXY\" >{}\n", seen.display());
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir_all(session.units()).unwrap();
    let task = Task { program: program.clone(), ..task() };
    fs::write(session.units().join("keyrot-me.service"), systemd::service(&task)).unwrap();
    own(session.station.home.path());
    session.run("systemctl --user daemon-reload && systemctl --user start keyrot-me.service").expect(0);
    let seen = fs::read_to_string(seen).unwrap();
    let mut seen: Vec<&str> = seen.strip_suffix('\0').unwrap().split('\0').collect();
    let variables = seen.split_off(seen.len() - 2);
    assert_eq!(seen.remove(0), program.to_str().unwrap());
    assert_eq!(seen, NASTY);
    assert_eq!(variables, [task.environment[0].1.as_str(), task.environment[2].1.as_str()]);
}

#[test]
fn a_path_that_systemd_takes_for_no_program_is_refused() {
    let Some(mut session) = Session::start() else { return };
    for letter in ["'", "\"", "\\"] {
        let folder = session.station.path(&format!("it{letter}s"));
        fs::create_dir(&folder).unwrap();
        fs::rename(&session.program, folder.join("keyrot-me")).unwrap();
        session.program = folder.join("keyrot-me");
        own(session.station.home.path());
        let refused = session.run("keyrot-me schedule install --no-mfa").expect(2);
        assert!(refused.stderr.contains("quotes or backslashes"), "{}", refused.stderr);
        assert!(!session.units().exists());
        // It is not we who are too careful.
        fs::create_dir_all(session.units()).unwrap();
        let unit = systemd::service(&Task { program: session.program.clone(), ..task() });
        fs::write(session.units().join("keyrot-me.service"), unit).unwrap();
        own(session.station.home.path());
        let started = session.run("systemctl --user daemon-reload; systemctl --user start keyrot-me.service");
        assert!(started.stderr.contains("bad unit file setting"), "{}", started.stderr);
        fs::remove_dir_all(session.station.path(".config/systemd")).unwrap();
    }
}
