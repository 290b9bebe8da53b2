//! The one integration test binary.
#![allow(clippy::disallowed_methods, reason = "tests write files and read the clock and the environment freely")]

mod aws_sandbox;
mod aws_wire;
mod file_faults;
#[allow(dead_code, unused_imports, reason = "each target that has the sandbox uses a part of it")]
mod sandbox;
#[path = "sandbox/rules/mod.rs"]
mod sandbox_rules;
