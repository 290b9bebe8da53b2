//! The commands: they compose the layers, run, and render. One file per command.

pub mod args;
pub mod error;
