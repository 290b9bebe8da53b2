//! The purge as a Lambda function: the real binary behind a runtime API on loopback, against the sandbox.

mod bucket;
mod deadline;
mod events;
mod faults;
#[cfg(target_os = "linux")]
mod figures;
mod foreign;
mod left;
mod metrics;
mod notices;
pub mod rig;
mod runs;
pub mod runtime;
mod settings;
mod steps;

pub use rig::{Rig, account};
pub use runtime::{Ended, Runtime};

/// The function under test: `KEYROT_PURGE_LAMBDA`, for figures of a release build, or this build's own.
pub fn function() -> String {
    std::env::var("KEYROT_PURGE_LAMBDA").unwrap_or_else(|_| env!("CARGO_BIN_EXE_purge-lambda").to_owned())
}
