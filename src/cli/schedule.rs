//! `schedule install|status|remove`.

use crate::cli::args::{Output, Schedule};
use crate::cli::error::{Exit, Failure};
use crate::cli::machine::unavailable;

pub fn run(_: &Schedule, _: Output) -> Result<Exit, Failure> {
    Err(unavailable("schedule"))
}
