//! The purge as a Lambda function: the real binary behind a runtime API on loopback, against the sandbox.

mod bucket;
mod deadline;
mod events;
mod faults;
mod foreign;
mod metrics;
pub mod rig;
mod runs;
pub mod runtime;
mod settings;
mod steps;

pub use rig::{Rig, account};
pub use runtime::{Ended, Runtime};

/// The function under test.
pub fn function() -> &'static str {
    env!("CARGO_BIN_EXE_purge-lambda")
}
