//! How a test says that it cannot run here: in words, and counted by `tests/run`.

use std::io::Write;

/// Prints and counts. What is missing begins with `root`, `mount`, `ptrace`, or a program's name.
pub fn skip(needs: &str) {
    let line = format!("skipped: needs {needs}");
    println!("{line}");
    if let Ok(counted) = std::env::var("KEYROT_SKIPS") {
        let mut file = std::fs::OpenOptions::new().append(true).open(counted).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}
