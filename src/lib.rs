//! keyrot-me rotates AWS IAM user access keys without ever losing one.
//!
//! ```text
//! cli ──► runner ──► ports ──► keys        bin, cli: compose; the only ones who know every layer
//!   └──► aws, host ────┘                   aws and host never import each other; runner never names an adapter
//! ```
//!
//! `keys` is pure: no async, no clock, no I/O, no SDK. `tests/layers.rs` holds this picture against
//! the code's own `use crate::` lines.

pub mod aws;
pub mod cli;
pub mod host;
pub mod keys;
pub mod ports;
pub mod runner;
