//! `store move` is killed on entry to every system call that changes a file, and at every message to the keychain. An
//! AWS tool finds the key then, and the same command finishes.

use std::collections::BTreeMap;

use super::*;
use crate::skip::skip;

const CHANGING: &str = "openat,creat,write,pwrite64,writev,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,\
                        chmod,fchmod,fchmodat,fchown,ftruncate,truncate,flock,link,linkat,symlink,mkdir,mkdirat,close";

/// Which calls are worth dying at.
#[derive(Clone, Copy, Debug)]
enum At {
    /// The files are changed by the main thread only.
    Files,
    /// One other thread speaks to the keychain.
    Bus,
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Keychain,
    File,
}

impl Way {
    fn arguments(self) -> [&'static str; 4] {
        ["store", "move", "--to", if matches!(self, Self::Keychain) { "keychain" } else { "file" }]
    }

    /// Two profiles with one key, and a retired one that a rotation keeps.
    fn prepare(self, desktop: &Arc<Desktop>) -> Home {
        let mut home = Home::new(desktop);
        home.write_config("[profile b]\nregion = r\n");
        home.run_signed(&["rotate"]).expect(0);
        let active = home.station.sandbox.keys_of("alice").into_iter().find(|key| key.status == "Active").unwrap();
        (home.id, home.secret) = (active.id, active.secret);
        if matches!(self, Self::File) {
            home.to_keychain();
        }
        home
    }

    #[track_caller]
    fn is_settled(self, home: &Home) {
        let retired = home.station.sandbox.keys_of("alice").into_iter().find(|key| key.id != home.id).unwrap();
        assert_eq!(home.found("default"), Some(home.key()));
        match self {
            Self::Keychain => {
                assert_eq!(home.desktop.key("default"), Some(home.key()));
                assert_eq!(home.desktop.stashed(), [(retired.id, retired.secret.clone())]);
                assert_eq!(home.files_with(&home.secret), Vec::<PathBuf>::new());
                assert_eq!(home.files_with(&retired.secret), Vec::<PathBuf>::new());
                assert!(home.config().contains(&line("default")));
            }
            Self::File => {
                home.keychain_is_empty();
                assert_eq!(home.files_with(&home.secret), [home.station.credentials_path()]);
                assert_eq!(home.files_with(&retired.secret).len(), 1);
                assert!(!home.config().contains("credential_process"));
            }
        }
        assert!(home.config().starts_with("[profile b]\nregion = r\n"));
        assert!(home.station.credentials().ends_with("aws_secret_access_key=not/a/real+secret\n"));
        assert_eq!(home.files_with("not/a/real+secret"), [home.station.credentials_path()], "a temporary file is left");
    }
}

fn traced(command: &Command, options: &[&str]) -> Command {
    let mut outer = Command::new("strace");
    outer.args(["-qq", "-y"]).args(options).arg(command.get_program()).args(command.get_args());
    outer.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    outer
}

/// The name and number of each call in the trace that changes something below home, or speaks to the keychain.
fn kill_points(at: At, trace: &str, home: &str) -> Vec<(String, usize)> {
    let mut counts = BTreeMap::<(String, String), usize>::new();
    let mut points = Vec::new();
    for line in trace.lines() {
        let (thread, call) = match at {
            At::Files => ("", line),
            At::Bus => line.split_once(' ').map(|(thread, call)| (thread, call.trim_start())).unwrap(),
        };
        let Some((name, rest)) = call.split_once('(') else { continue };
        let n = counts.entry((thread.to_owned(), name.to_owned())).or_default();
        *n += 1;
        let reads = name == "openat" && !["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| rest.contains(flag));
        let wanted = match at {
            At::Files => rest.contains(home) && !reads && name != "close",
            At::Bus => name == "sendmsg",
        };
        if wanted {
            points.push((name.to_owned(), *n));
        }
    }
    if matches!(at, At::Bus) {
        // strace counts for each thread: a second one that sends would be killed in the first one's place.
        assert_eq!(counts.len(), 1, "{counts:?}");
    }
    points
}

fn sweep(way: Way, at: At) {
    let probe = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    if !probe.is_ok_and(|status| status.success()) {
        return skip("needs strace and ptrace: the sweep over system calls of store move");
    }
    let Some(desktop) = Desktop::start().map(Arc::new) else { return };
    let all = {
        let home = way.prepare(&desktop);
        let trace = home.station.path("trace");
        let seen = match at {
            At::Files => vec![format!("--trace={CHANGING}")],
            At::Bus => vec!["-f".to_owned(), "--trace=sendmsg".to_owned()],
        };
        let mut options: Vec<&str> = seen.iter().map(String::as_str).collect();
        options.extend(["-o", trace.to_str().unwrap()]);
        Ran::from(traced(&home.command(&way.arguments()), &options).output().unwrap()).expect(0);
        way.is_settled(&home);
        let text = fs::read_to_string(&trace).unwrap();
        kill_points(at, &text, &home.station.home.path().canonicalize().unwrap().display().to_string())
    };
    assert!(all.len() > 10, "{all:?}");
    let mut killed = 0;
    for (name, n) in &all {
        let home = way.prepare(&desktop);
        let inject = format!("--inject={name}:signal=KILL:when={n}");
        let mut options = vec!["-o", "/dev/null", &inject];
        if matches!(at, At::Bus) {
            options.extend(["-f", "--trace=sendmsg"]);
        }
        let ran = Ran::from(traced(&home.command(&way.arguments()), &options).output().unwrap());
        killed += usize::from(ran.code.is_none());
        assert_eq!(home.found("default"), Some(home.key()), "killed at {name} {n}");
        home.run(&way.arguments()).expect(0);
        way.is_settled(&home);
        let again = home.run(&way.arguments()).expect(0);
        assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    }
    assert!(killed * 10 >= all.len() * 9, "only {killed} of {} points were reached", all.len());
    println!("store move, {way:?}, {at:?}: {killed} kill points, one run to settle each");
}

#[test]
fn a_move_into_the_keychain_may_die_at_any_system_call() {
    sweep(Way::Keychain, At::Files);
}

#[test]
fn a_move_into_the_keychain_may_die_at_any_message_to_it() {
    sweep(Way::Keychain, At::Bus);
}

#[test]
fn a_move_into_the_file_may_die_at_any_system_call() {
    sweep(Way::File, At::Files);
}

#[test]
fn a_move_into_the_file_may_die_at_any_message_to_the_keychain() {
    sweep(Way::File, At::Bus);
}
