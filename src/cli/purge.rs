//! `purge`: what was asked, checked; the run; its reports and its exit code.

use crate::cli::args::{Output, Purge};
use crate::cli::error::{Exit, Failure};
use crate::cli::machine::unavailable;

#[expect(clippy::unused_async, reason = "awaits once the runner is there")]
pub async fn run(_args: &Purge, _output: Output) -> Result<Exit, Failure> {
    Err(unavailable("purge"))
}
