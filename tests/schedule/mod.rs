//! The timer: what is rendered, by the strictest readers at hand, and the real thing.

#[cfg(target_os = "linux")]
mod calendar;
mod definition;
#[cfg(target_os = "linux")]
mod fallback;
#[cfg(target_os = "linux")]
mod manager;
mod rendered;
#[cfg(target_os = "linux")]
pub mod session;
#[cfg(target_os = "linux")]
mod units;

use keyrot_me::host::schedule::Task;

/// All that a quoting rule may stumble over.
const NASTY: [&str; 14] = [
    "plain",
    "two words",
    "say \"hi\"",
    "it's",
    "100 %h %%",
    "$HOME ${HOME} $$",
    "back\\slash",
    "trailing\\",
    "trailing space and \\\\\"",
    "<a & b>",
    "größe 鍵",
    "",
    ";",
    "-x=#y",
];

fn task() -> Task {
    Task {
        program: "/opt/my tools/50% $off/keyrot-me".into(),
        arguments: NASTY.map(str::to_owned).into(),
        at: "Tue 07:05".parse().unwrap(),
        environment: vec![
            ("AWS_CONFIG_FILE".to_owned(), "/home/alice/my \"aws\" $files/100%/c\\o\\".to_owned()),
            ("AWS_REGION".to_owned(), "eu-central-1".to_owned()),
            ("NO_PROXY".to_owned(), "<local> & größe".to_owned()),
        ],
        confined: true,
    }
}
