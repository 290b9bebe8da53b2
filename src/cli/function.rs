//! The purge as an AWS Lambda function: settings from the environment, an event, an answer. packaging/aws/README.md is its
//! contract.
//!
//! It composes what the command line does too; the engine, its checks and its reports are the same.

mod answer;
mod event;
mod failed;
mod job;
mod log;
mod metrics;
mod settings;
mod steps;
mod store;
mod whole;
mod work;

use chrono::DateTime;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Value, json};

use self::failed::Failed;
use self::job::{Invocation, Job};
use self::log::{Level, Log};
use crate::cli::error::Exit;
use crate::host::console::err;
use crate::host::{paths, process};

/// What Lambda sets for every function; without it there is nobody to ask for events.
const RUNTIME: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
];

/// The whole program: asks for events until Lambda ends it; gives the exit code.
#[must_use]
pub fn main() -> u8 {
    if let Some(missing) = RUNTIME.into_iter().find(|name| paths::env(name).is_none()) {
        err(format_args!(
            "error: {missing} is not set: this program runs in AWS Lambda\nnext: on a machine, run `keyrot-me purge`"
        ));
        return Exit::Usage as u8;
    }
    process::protect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(lambda_runtime::Runtime::new(service_fn(handle)).run()),
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => Exit::Done as u8,
        Err(error) => {
            err(json!({"level": "ERROR", "message": "the runtime ended", "error": error.to_string()}));
            Exit::Unexpected as u8
        }
    }
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Failed> {
    let (event, context) = event.into_parts();
    let log = Log { request: context.request_id.clone(), run: String::new() };
    let deadline = i64::try_from(context.deadline).ok().and_then(DateTime::from_timestamp_millis);
    let invocation = Invocation {
        event,
        request: context.request_id,
        function: context.env_config.function_name.clone(),
        deadline: deadline.unwrap_or_default(),
    };
    let ended = Box::pin(answer(invocation)).await;
    if let Err(failed) = &ended {
        let kind = format!("{:?}", failed.kind);
        log.line(Level::Error, &failed.message, [("errorType", kind.into())]);
    }
    ended
}

async fn answer(invocation: Invocation) -> Result<Value, Failed> {
    let job = Job::open(invocation).await?;
    let step = job.event.step.as_str();
    job.log.line(Level::Info, "begins", [("step", step.into()), ("applies", job.settings.mode.writes().into())]);
    let answer = steps::run(&job).await?;
    job.log.line(Level::Info, "ends", [("answer", answer.clone())]);
    Ok(answer)
}
