//! `rotate --scheduled`: a run without anybody at the terminal, for the timer.

use crate::cli::args::{Output, Rotate};
use crate::cli::error::{Exit, Failure};
use crate::cli::machine::unavailable;

pub async fn run(_: &Rotate, _: Output) -> Result<Exit, Failure> {
    Err(unavailable("--scheduled"))
}
