//! `credential-process` beside what else could hand out a key: libsecret's own tool, which asks the same keychain, and a
//! shell that prints the file.

use std::process::{Command, Stdio};
use std::time::Instant;

use crate::desktop::{Desktop, KEYS};
use crate::workstation::Workstation;
use crate::{Row, peak_kib};

/// Runs of each program, in turn, after one that is not counted.
const TIMED: usize = 100;
/// Most of the memory is used for a moment only: several looks find it.
const WATCHED: usize = 30;

/// A name, what it is meant to be, and how to run it.
type Case<'a> = (&'static str, &'static str, Box<dyn Fn() -> Command + 'a>);

/// The rows that are wanted, by name.
pub fn measure(wanted: &dyn Fn(&str) -> bool) {
    let Some(desktop) = Desktop::start() else { return };
    let program = env!("CARGO_BIN_EXE_keyrot-me");
    let file = Workstation::new(program);
    let mut keychain = Workstation::new(program);
    keychain.bus = Some(desktop.address.clone());
    let (id, secret) = keychain.hand_out_by_program();
    desktop.store_key("default", &id, &secret);
    let arguments = ["credential-process", "--profile", "default"];
    let path = file.credentials_path();
    let mut cases: Vec<Case<'_>> = vec![
        ("secret-tool lookup", "", Box::new(|| desktop.lookup_command(KEYS, "default"))),
        ("credential-process, keychain", "< 5 ms more, < 15 MiB", Box::new(|| keychain.command(&arguments))),
        (
            "sh -c 'cat credentials'",
            "",
            Box::new(|| {
                let mut command = Command::new("sh");
                command.arg("-c").arg(format!("cat '{}'", path.display()));
                command
            }),
        ),
        ("credential-process, file", "< 5 ms more, < 15 MiB", Box::new(|| file.command(&arguments))),
    ];
    cases.retain(|(name, ..)| wanted(name));
    let mut times = vec![Vec::new(); cases.len()];
    for _ in 0..=TIMED {
        for ((name, _, command), times) in cases.iter().zip(&mut times) {
            let mut command = command();
            command.stdin(Stdio::null());
            let began = Instant::now();
            let ended = command.output().unwrap();
            times.push(began.elapsed().as_secs_f64() * 1000.0);
            assert!(ended.status.success() && !ended.stdout.is_empty(), "{name}: {ended:?}");
        }
    }
    for ((name, target, command), mut times) in cases.into_iter().zip(times) {
        times.remove(0);
        let peak = (0..WATCHED).filter_map(|_| peak_kib(&mut command())).max();
        Row { name, times, peak, calls: 0, target }.print();
    }
}
