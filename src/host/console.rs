//! Standard output and standard error, whose reader may be gone.
//!
//! `println!` ends the process where nobody reads any more (`keyrot-me status | head -1`); a rotation must
//! not end so. What cannot be shown is lost, and never stops the work.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

static OUTPUT_LOST: AtomicBool = AtomicBool::new(false);
static OUTPUT_GONE: AtomicBool = AtomicBool::new(false);

/// One line, or several, for standard output.
pub fn out(text: impl Display) {
    out_bytes(format!("{text}\n").as_bytes());
}

/// As they are.
pub fn out_bytes(bytes: &[u8]) {
    let mut stdout = io::stdout().lock();
    let Err(error) = stdout.write_all(bytes).and_then(|()| stdout.flush()) else { return };
    OUTPUT_GONE.store(true, Ordering::Relaxed);
    if error.kind() != ErrorKind::BrokenPipe && !OUTPUT_LOST.swap(true, Ordering::Relaxed) {
        err(format_args!("error: cannot write to standard output: {error}"));
    }
}

/// True when standard output did not take what it was given, other than by being closed.
pub fn output_lost() -> bool {
    OUTPUT_LOST.load(Ordering::Relaxed)
}

/// True when standard output did not take what it was given, for whatever reason.
pub fn output_gone() -> bool {
    OUTPUT_GONE.load(Ordering::Relaxed)
}

/// One line, or several, for standard error.
pub fn err(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
