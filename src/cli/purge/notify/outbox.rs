//! One message on its way: when to try again, when to stop, and what is counted.
//!
//! A second mail is better than none; a second ticket is not, so one whose answer was lost is not repeated.

use std::cell::RefCell;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::Notified;
use super::channels::Hook;
use crate::aws::post::AwsPost;
use crate::aws::webhook::Undelivered;

/// Attempts at a webhook; the SDK repeats its own calls.
const ATTEMPTS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Problems that are told; more are counted.
const MOST_PROBLEMS: usize = 50;
/// Why nothing more was tried.
const OUT_OF_TIME: &str = "the run's time was over";

/// What came of all messages, counted while several are on their way.
#[derive(Debug, Default)]
pub struct Counts(RefCell<(Notified, u64)>);

impl Counts {
    pub fn sent(&self) {
        self.0.borrow_mut().0.sent += 1;
    }

    pub fn held(&self, number: u64) {
        self.0.borrow_mut().0.held += number;
    }

    /// So many notices were not sent.
    pub fn failed(&self, number: u64, problem: String) {
        self.0.borrow_mut().0.failed += number;
        self.problem(problem);
    }

    /// What somebody should know, and is no failure by itself.
    pub fn problem(&self, problem: String) {
        let (notified, more) = &mut *self.0.borrow_mut();
        if notified.problems.contains(&problem) {
            return;
        }
        if notified.problems.len() < MOST_PROBLEMS {
            notified.problems.push(problem);
        } else {
            *more += 1;
        }
    }

    pub fn problems(&self) -> Vec<String> {
        self.0.borrow().0.problems.clone()
    }

    pub fn end(self) -> Notified {
        let (mut notified, more) = self.0.into_inner();
        if more > 0 {
            notified.problems.push(format!("{more} more problems"));
        }
        notified
    }
}

/// What `send` came to by `until`; after it nothing is begun.
pub async fn by<T, E: ToString>(until: Instant, send: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    if Instant::now() >= until {
        return Err(OUT_OF_TIME.to_owned());
    }
    match timeout_at(until, send).await {
        Ok(ended) => ended.map_err(|error| error.to_string()),
        Err(_) => Err(format!("{OUT_OF_TIME} before it was answered")),
    }
}

/// Posts `json`. With a `key` it is a ticket.
///
/// # Errors
/// Why it is not known to have arrived, without the webhook's address.
pub async fn deliver(post: &AwsPost, hook: &Hook, json: &str, key: Option<&str>) -> Result<(), String> {
    let webhook = hook.webhook()?;
    let (mut attempt, mut pause) = (0, FIRST_PAUSE);
    loop {
        let Err(undelivered) = post.deliver(webhook, json, key).await else { return Ok(()) };
        attempt += 1;
        let wait = match &undelivered {
            Undelivered::NotNow(_, wait) => Some(wait.unwrap_or(pause)),
            Undelivered::Unknown(_) if key.is_none() => Some(pause),
            Undelivered::Unknown(why) => return Err(format!("{why}; it may have arrived, and is not repeated")),
            Undelivered::Refused(_) => None,
        };
        match wait.filter(|_| attempt < ATTEMPTS) {
            Some(wait) => sleep(wait).await,
            None => return Err(undelivered.why().to_owned()),
        }
        pause *= 2;
    }
}
