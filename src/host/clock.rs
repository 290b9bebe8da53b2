//! The local clock, patience, randomness, and the wish to stop (SIGINT, SIGTERM).
//!
//! It never ends the process: the runner finishes its step and then asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use chrono::{Local, NaiveDateTime, TimeDelta};
use tokio::sync::Notify;

use crate::keys::facts::Time;
use crate::keys::journal::RotationId;
use crate::keys::policy::first_instant;
use crate::ports::Clock;

/// Set once a stop is requested; shared by all who wait.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    requested: Arc<AtomicBool>,
    wake: Arc<Notify>,
}

impl Stop {
    /// Listens for SIGINT and SIGTERM (Ctrl-C on Windows) until the process ends: on a thread of its own, so
    /// that a question to the person, who blocks the other one, can be broken off.
    pub fn listen(&self) {
        let stop = self.clone();
        let (ready, listens) = std::sync::mpsc::channel();
        let spawned = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
            runtime.block_on(async {
                loop {
                    signal(&ready).await;
                    stop.request();
                }
            });
        });
        if spawned.is_ok() {
            // Fails where the thread has ended: signals end the process then, as they do without us.
            let _ = listens.recv();
        }
    }

    /// As a signal does.
    pub fn request(&self) {
        self.requested.store(true, Ordering::SeqCst);
        self.wake.notify_waiters();
    }

    #[must_use]
    pub fn requested(&self) -> bool {
        self.requested.load(Ordering::SeqCst)
    }

    /// Returns once a stop is requested.
    pub async fn wait(&self) {
        let woken = self.wake.notified();
        if !self.requested() {
            woken.await;
        }
    }
}

#[cfg(unix)]
async fn signal(ready: &Sender<()>) {
    use tokio::signal::unix::{SignalKind, signal};
    let listening = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    // Nobody waits for it any more after the first time.
    let _ = ready.send(());
    if let (Ok(mut interrupt), Ok(mut terminate)) = listening {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    } else {
        std::future::pending::<()>().await;
    }
}

#[cfg(not(unix))]
async fn signal(ready: &Sender<()>) {
    let _ = ready.send(());
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock {
    pub stop: Stop,
}

/// The wall clock of this machine's time zone.
#[must_use]
pub fn wall(time: Time) -> NaiveDateTime {
    time.with_timezone(&Local).naive_local()
}

/// The instant at which this machine's wall clock shows it, by [`first_instant`].
#[must_use]
pub fn instant(wall: NaiveDateTime) -> Time {
    first_instant(&Local, wall)
}

/// For people: `Fri 2026-11-27 23:55`, on the wall clock.
#[must_use]
pub fn wall_words(time: Time) -> String {
    wall(time).format("%a %Y-%m-%d %H:%M").to_string()
}

impl SystemClock {
    /// Waits a random part of `most`, or until a stop is requested.
    pub async fn jitter(&self, most: TimeDelta) {
        let bits = getrandom::u64().unwrap_or_else(|_| self.now().timestamp_micros().unsigned_abs());
        let milliseconds = u64::try_from(most.num_milliseconds()).unwrap_or_default();
        let some = i64::try_from(bits % (milliseconds + 1)).unwrap_or_default();
        self.sleep(TimeDelta::milliseconds(some)).await;
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn now(&self) -> Time {
        chrono::Utc::now()
    }

    async fn sleep(&self, duration: TimeDelta) {
        let duration = duration.to_std().unwrap_or_default();
        tokio::select! { () = tokio::time::sleep(duration) => {}, () = self.stop.wait() => {} }
    }

    fn stop_requested(&self) -> bool {
        self.stop.requested()
    }

    fn new_rotation_id(&self) -> RotationId {
        // Uniqueness is all that is asked of it; where the system has no randomness, time will do.
        let bits = getrandom::u64().unwrap_or_else(|_| self.now().timestamp_micros().unsigned_abs());
        RotationId::from_bits(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the zone that the tests run in.
    #[test]
    fn the_wall_clock_leads_back_to_the_instant() {
        let now: Time = "2026-11-18T08:30:00Z".parse().unwrap();
        assert_eq!(instant(wall(now)), now);
        let shown = wall(now).format("%a 2026-11-%d %H:%M").to_string();
        assert_eq!(wall_words(now), shown);
    }

    #[test]
    fn no_jitter_is_no_wait_and_a_stop_ends_one() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let clock = SystemClock::default();
            let (began, most) = (tokio::time::Instant::now(), TimeDelta::minutes(1));
            clock.jitter(TimeDelta::zero()).await;
            assert!(began.elapsed().as_millis() < 5, "{:?}", began.elapsed());
            for _ in 0..20 {
                clock.jitter(most).await;
            }
            let slept = began.elapsed();
            assert!(slept > most.to_std().unwrap() && slept < 20 * most.to_std().unwrap(), "{slept:?}");
            clock.stop.request();
            clock.jitter(TimeDelta::days(365)).await;
            assert_eq!(began.elapsed(), slept);
        });
    }
}
