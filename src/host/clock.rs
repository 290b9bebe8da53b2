//! The local clock, patience, randomness, and the wish to stop (SIGINT, SIGTERM).
//!
//! It never ends the process: the runner finishes its step and then asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use tokio::sync::Notify;

use crate::keys::facts::Time;
use crate::keys::journal::RotationId;
use crate::ports::Clock;

/// Set once a stop is requested; shared by all who wait.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    requested: Arc<AtomicBool>,
    wake: Arc<Notify>,
}

impl Stop {
    /// Listens for SIGINT and SIGTERM (Ctrl-C on Windows) until the runtime ends.
    pub fn listen(&self) {
        let stop = self.clone();
        tokio::spawn(async move {
            loop {
                signal().await;
                stop.request();
            }
        });
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
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        }
        _ => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock {
    pub stop: Stop,
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
