//! The commands: they compose the layers, run, and render. One file per command.

pub mod args;
mod auth_profile;
mod credential_process;
mod doctor;
pub mod error;
#[cfg(feature = "lambda")]
pub mod function;
mod import;
mod machine;
mod man;
mod purge;
mod render;
mod rotate;
mod schedule;
mod scheduled;
mod short;
mod status;
mod store;

use std::io;

use clap::{CommandFactory, Parser};

use args::{Cli, Command, Completions, Output, StoreCommand};
use error::{Exit, Failure};

use crate::host::console::{err, out_bytes, output_lost};

/// The whole program: parses, runs, prints what went wrong; gives the exit code.
#[must_use]
pub fn main() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8);
        }
    };
    crate::host::process::protect();
    log_to_stderr(cli.output);
    let output = cli.output;
    let ended = match &cli.command {
        Command::Rotate(args) => to_end(rotate::rotate(args, output)),
        Command::Status(args) => to_end(status::run(args, output)),
        Command::Finish(args) => to_end(rotate::finish(args, output)),
        Command::Rollback(args) => to_end(rotate::rollback(args, output)),
        Command::Import(args) => to_end(import::run(args, output)),
        Command::Purge(args) => to_end(purge::run(args, output)),
        Command::Store(args) => match &args.command {
            StoreCommand::Move(args) => to_end(store::run(args, output)),
        },
        Command::Schedule(args) => to_end(schedule::run(args, output)),
        Command::Doctor(args) => to_end(doctor::run(args, output)),
        Command::CredentialProcess(args) => credential_process::run(args),
        Command::Completions(args) => Ok(completions(args)),
        Command::Man(args) => man::run(args),
    };
    match ended {
        Ok(Exit::Done) if output_lost() => Exit::Unexpected as u8,
        Ok(exit) => exit as u8,
        Err(failure) => {
            // Where an AWS tool reads standard output, there is the key or nothing.
            if cli.output.json && !matches!(cli.command, Command::CredentialProcess(_)) {
                render::failure_json(&failure);
            }
            err(&failure);
            failure.exit as u8
        }
    }
}

/// Runs what needs a runtime: those that need none start sooner without.
fn to_end(work: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::from(anyhow::Error::new(error)))?;
    let ended = runtime.block_on(work);
    // A prompt that nobody answers any more must not keep the process.
    runtime.shutdown_background();
    ended
}

fn completions(args: &Completions) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "keyrot-me", &mut script);
    out_bytes(&script);
    Exit::Done
}

/// The SDK's log stops at `info`: below that it would show bodies, and so secrets.
fn log_to_stderr(output: Output) {
    use tracing_subscriber::filter::LevelFilter;
    let level = match output.verbose {
        0 => return,
        1 => LevelFilter::WARN,
        _ => LevelFilter::INFO,
    };
    tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).without_time().init();
}
