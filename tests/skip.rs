//! How a test says that it cannot run here: in words, and counted by `tests/run`.

use std::io::Write;

/// `why` names what is missing, such as `needs ptrace: the sweep over system calls`.
pub fn skip(why: &str) {
    let line = format!("skipped: {why}");
    println!("{line}");
    if let Ok(counted) = std::env::var("KEYROT_SKIPS") {
        let mut file = std::fs::OpenOptions::new().append(true).open(counted).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}
