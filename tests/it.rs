//! The one integration test binary.
#![allow(clippy::disallowed_methods, reason = "tests write files and read the clock and the environment freely")]

mod aws_estate;
mod aws_sandbox;
mod aws_wire;
mod cli;
#[cfg(unix)]
mod crash;
mod debug;
#[cfg(unix)]
mod deploy;
#[cfg(unix)]
mod doctor;
mod file_faults;
mod foreign;
#[cfg(feature = "lambda")]
mod function;
#[cfg(feature = "lambda")]
mod function_policy;
#[cfg(unix)]
mod keychain;
mod layers;
mod model;
#[cfg(unix)]
mod notices;
#[cfg(unix)]
mod packages;
mod policy;
mod purge;
mod purge_calls;
mod purge_policy;
mod readme;
mod report;
mod rotate;
#[cfg(unix)]
mod runbook;
#[allow(dead_code, unused_imports, reason = "each target that has the sandbox uses a part of it")]
mod sandbox;
#[path = "sandbox/rules/mod.rs"]
mod sandbox_rules;
mod schedule;
#[cfg(unix)]
mod scheduled;
mod skip;
#[cfg(feature = "lambda")]
mod state_machine;
#[cfg(unix)]
mod store;
mod terraform;
#[allow(dead_code, reason = "each target that has the workstation uses a part of it")]
mod workstation;

/// The program under test.
fn program() -> &'static str {
    env!("CARGO_BIN_EXE_keyrot-me")
}
