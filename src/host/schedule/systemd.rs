//! systemd's user manager: a service, and a timer that starts it each day and makes up for what was missed.
//!
//! Rendering and reading are pure; `manager` runs systemctl.

mod manager;

use crate::keys::facts::NotValid;

use super::seal::{BLANK, sealed};
use super::{Read, Task};

pub(super) use manager::{install, look, probe, remove};

const SERVICE: &str = "keyrot-me.service";
const TIMER: &str = "keyrot-me.timer";

/// What a run and its children cannot do: seccomp and flags, which a user manager may set without any right. Options that
/// need a namespace or a capability are left out: they fail there (`ProtectClock`, `PrivateDevices`, `ProtectKernelLogs`),
/// or wherever users get no namespaces. So are those that an MFA command may stumble over: `MemoryDenyWriteExecute` stops
/// JIT compilers, `RestrictNamespaces` snaps, `RestrictAddressFamilies` WSL's own programs.
const CONFINED: &str = "NoNewPrivileges=true
LockPersonality=true
RestrictRealtime=true
RestrictSUIDSGID=true
SystemCallArchitectures=native
";

/// `keyrot-me.service`. An hour is long enough for a pinentry that somebody sees after lunch; the codes that are no
/// failure say 'blocked', 'unfinished', 'another run is at work' and 'a person was notified'.
#[must_use]
pub fn service(task: &Task) -> String {
    let mut command = program_word(&task.program.to_string_lossy());
    for argument in &task.arguments {
        command.push(' ');
        command.push_str(&quoted(argument, true));
    }
    let variable =
        |(name, value): &(String, String)| ["Environment=", &quoted(&format!("{name}={value}"), false), "\n"].concat();
    let environment: String = task.environment.iter().map(variable).collect();
    let confined = if task.confined { CONFINED } else { "" };
    sealed(&format!(
        "# Written by `keyrot-me schedule install` ({BLANK}).
# Changes of your own: systemctl --user edit {SERVICE}
[Unit]
Description=Rotate AWS access keys that are due
Documentation=man:keyrot-me(1)

[Service]
Type=oneshot
ExecStart={command}
{environment}SuccessExitStatus=3 5 7 10
StandardInput=null
TimeoutStartSec=1h
TimeoutStopSec=2min
UMask=0077
LimitCORE=0
{confined}"
    ))
}

/// `keyrot-me.timer`. Daily contains weekly: the run is told the weekly hour, and knows what is due.
#[must_use]
pub fn timer(task: &Task) -> String {
    sealed(&format!(
        "# Written by `keyrot-me schedule install` ({BLANK}).
# Changes of your own: systemctl --user edit {TIMER}
[Unit]
Description=Rotate AWS access keys: {}, and each day what is still due
Documentation=man:keyrot-me(1)

[Timer]
OnCalendar=*-*-* {:02}:{:02}:00
Persistent=true
AccuracySec=1min

[Install]
WantedBy=timers.target
",
        task.at,
        task.at.hour(),
        task.at.minute()
    ))
}

/// Such a path is no program to systemd, however it is written (tried with version 252).
///
/// # Errors
/// [`NotValid`] for a program that cannot be started.
pub(super) fn check(task: &Task) -> Result<(), NotValid> {
    let path = task.program.to_string_lossy().into_owned();
    if path.contains(['"', '\'', '\\']) {
        let why = "systemd starts nothing whose path has quotes or backslashes; put the program elsewhere";
        return Err(NotValid { what: "path of this program", value: path, why });
    }
    Ok(())
}

/// The first word of a command line: `%` stands for more there, `$` does not (systemd.service(5)).
fn program_word(path: &str) -> String {
    quoted(path, false)
}

/// One word of a unit file: `%` begins a specifier, `$` a variable in command lines only, and C's escapes count within
/// double quotes (systemd.syntax(7), systemd.service(5)).
fn quoted(word: &str, in_command: bool) -> String {
    let mut text = String::with_capacity(word.len() + 2);
    for letter in word.chars() {
        match letter {
            '%' => text.push_str("%%"),
            '$' if in_command => text.push_str("$$"),
            '"' | '\\' => text.extend(['\\', letter]),
            other => text.push(other),
        }
    }
    let plain = |letter: char| letter.is_alphanumeric() || "_-/.,:=@+%$".contains(letter);
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("\"{text}\"") }
}

/// What a service of ours starts: the opposite of [`service`]. `None` where it is written in another way.
pub(super) fn read(service: &str) -> Option<Read> {
    let line = service.lines().find_map(|line| line.strip_prefix("ExecStart="))?;
    let mut words = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let (word, behind) = word(rest)?;
        words.push(word.replace("%%", "%"));
        rest = behind.trim_start_matches(' ');
    }
    let mut words = words.into_iter();
    Some(Read { program: words.next()?.into(), arguments: words.map(|word| word.replace("$$", "$")).collect() })
}

/// The first word, its quotes and escapes read, and what stands behind it.
fn word(line: &str) -> Option<(String, &str)> {
    let Some(inside) = line.strip_prefix('"') else {
        let end = line.find(' ').unwrap_or(line.len());
        return Some((line.get(..end)?.to_owned(), line.get(end..)?));
    };
    let mut word = String::new();
    let mut letters = inside.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((word, inside.get(at + 1..)?)),
            '\\' => word.push(letters.next()?.1),
            other => word.push(other),
        }
    }
    None
}
