//! The executors: they observe through the ports, ask `keys`, perform one step, record it, and loop.
//!
//! Nothing here may name an adapter (`aws`, `host`) or decide what `keys` decides.

pub mod doctor;
pub mod import;
pub mod purge;
pub mod rotate;
pub mod scheduled;
pub mod status;
