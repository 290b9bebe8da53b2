//! The purge as an AWS Lambda function: hands over to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(keyrot_me::cli::function::main())
}
