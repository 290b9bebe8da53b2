//! The function's log: one JSON object a line, on standard error, in the shape that Lambda's own JSON log has.
//!
//! Neither the event nor the environment is ever written here as it came.

use chrono::SecondsFormat;
use serde_json::{Map, Value};

use crate::host::clock::SystemClock;
use crate::host::console::err;
use crate::keys::purge::row::{KeyRow, Outcome};
use crate::ports::Clock;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Info,
    Warn,
    Error,
}

/// The log of one invocation.
pub struct Log {
    pub request: String,
    pub run: String,
}

impl Log {
    pub fn line<const N: usize>(&self, level: Level, message: &str, more: [(&str, Value); N]) {
        let level = match level {
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
        };
        let now = SystemClock::default().now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let text = |value: &str| Value::from(value);
        let first = [
            ("timestamp", text(&now)),
            ("level", text(level)),
            ("requestId", text(&self.request)),
            ("run", text(&self.run)),
            ("message", text(message)),
        ];
        let all: Map<String, Value> =
            first.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value)).collect();
        err(Value::from(all));
    }

    /// What was done to a key, or was tried: on record here before any report is kept.
    pub fn key(&self, row: &KeyRow) {
        let (level, error) = match &row.outcome {
            Outcome::Planned => return,
            Outcome::Done => (Level::Info, Value::Null),
            Outcome::Failed(why) => (Level::Warn, Value::from(why.as_str())),
        };
        self.line(
            level,
            &format!("{} {}", row.decision.verb.as_str(), row.outcome.as_str()),
            [
                ("account", Value::from(row.account.as_str())),
                ("user", Value::from(row.user.name.as_str())),
                ("accessKeyId", Value::from(row.key.as_str())),
                ("rule", Value::from(row.decision.rule.as_str())),
                ("awsRequestId", Value::from(row.request_id.as_deref())),
                ("undo", Value::from(row.undo())),
                ("error", error),
            ],
        );
    }
}
