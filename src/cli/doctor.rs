//! `doctor`.

use crate::cli::args::{Doctor, Output};
use crate::cli::error::{Exit, Failure};
use crate::cli::machine::unavailable;

pub async fn run(_: &Doctor, _: Output) -> Result<Exit, Failure> {
    Err(unavailable("doctor"))
}
