//! The purge, as a security engineer would try it: cases in files that need no Rust (`*.toml`, see the README beside
//! them), and every read and write that can fail, failing.
//!
//! The real program runs against the sandbox; nothing here uses the program's own code.

mod attack;
mod bench;
mod closed;
mod compare;
mod file;
mod hands;
#[cfg(unix)]
mod kill;
mod laws;
mod names;
mod patience;
mod report;
mod review;
mod scenarios;
mod scene;
mod sees;
mod stage;
mod trial;
mod writes;
