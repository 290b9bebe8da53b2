//! The sandbox's clock: real time plus an offset that tests move. The only place here that reads the system's time.

use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

pub type Time = DateTime<Utc>;

#[derive(Default)]
pub struct Clock(Mutex<TimeDelta>);

impl Clock {
    pub fn now(&self) -> Time {
        real_now() + *self.0.lock().unwrap()
    }

    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += delta(by);
    }

    pub fn set(&self, to: Time) {
        *self.0.lock().unwrap() = to - real_now();
    }
}

#[allow(clippy::disallowed_methods, reason = "the sandbox's clock is its own, not the program's")]
fn real_now() -> Time {
    Utc::now()
}

pub fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).expect("a duration that fits chrono")
}

/// IAM keeps whole seconds.
pub fn whole_seconds(time: Time) -> Time {
    time.trunc_subsecs(0)
}

pub fn iso(time: Time) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The form of the HTTP `Date` header.
pub fn imf(time: Time) -> String {
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
