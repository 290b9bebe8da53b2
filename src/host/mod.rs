//! This machine's side: files, locks and what else the operating system offers.
//!
//! Nothing here may import `crate::aws` or `crate::runner`, or decide anything about a rotation.

pub mod atomic_file;
pub mod aws_ini;
pub mod git;
pub mod lock;
