//! How an invocation ends that is no answer: a kind that the state machine and alarms go by, and words.

use std::fmt;

use lambda_runtime::Diagnostic;

use crate::cli::error::{Exit, Failure};
use crate::ports::CallError;

/// The `errorType` that the invoker sees (packaging/aws/README.md, 'The answer').
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Settings or event: a repetition ends in the same way.
    Usage,
    CannotSignIn,
    /// The deadline came: an invocation with the same run goes on.
    Unfinished,
    /// Of the step `coverage` alone.
    Incomplete,
    Unexpected,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    pub kind: Kind,
    pub message: String,
}

impl Failed {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub fn unexpected(message: impl Into<String>) -> Self {
        Self::new(Kind::Unexpected, message)
    }

    /// A call to the bucket that failed.
    pub fn of_bucket(address: &str, error: &CallError) -> Self {
        Self::unexpected(format!("{address}: {error}; see KEYROT_ME_REPORT_BUCKET and the function's role"))
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.message)
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        let kind = match failure.exit {
            Exit::Usage => Kind::Usage,
            Exit::CannotSignIn => Kind::CannotSignIn,
            _ => Kind::Unexpected,
        };
        let hint = failure.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        Self::new(kind, failure.message + &hint)
    }
}

impl From<Failed> for Diagnostic {
    fn from(failed: Failed) -> Self {
        Self { error_type: format!("{:?}", failed.kind), error_message: failed.message }
    }
}
