//! How far a purge is: one line on standard error while it runs, where that is a terminal.
//!
//! Without colours, so that `NO_COLOR` has nothing to take away. Nothing here may write to standard output, or
//! leave the line behind.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::ports::{Gauge, Progress};

/// Per second.
const REDRAWS: u8 = 10;
/// Before it a guess of the time left says nothing.
const FIRST_GUESS: Duration = Duration::from_secs(5);

pub struct TerminalGauge {
    /// Counts calls: its rate is theirs.
    bar: ProgressBar,
}

impl TerminalGauge {
    /// Shows nothing where standard error is no terminal, or one that cannot redraw a line (`TERM=dumb`).
    pub fn on_stderr() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(REDRAWS));
        // Cut at the terminal's width: a line that wraps could not be redrawn.
        let style = ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        bar.set_style(style);
        Self { bar }
    }

    /// Prints other lines than its own, which would else stand in the middle of them.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }
}

impl Gauge for TerminalGauge {
    fn show(&self, progress: &Progress) {
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_position(progress.calls);
        self.bar.set_message(line(progress, self.bar.per_sec(), self.bar.elapsed()));
    }
}

impl Drop for TerminalGauge {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn line(progress: &Progress, calls_per_second: f64, elapsed: Duration) -> String {
    let writing = progress.users_done >= progress.users && progress.writes > 0;
    let parts = [
        (progress.accounts > 1).then(|| format!("{}/{} accounts", progress.accounts_done, progress.accounts)),
        (!writing).then(|| format!("{}/{} users", progress.users_done, progress.users)),
        writing.then(|| format!("{}/{} writes", progress.writes_done, progress.writes)),
        Some(format!("{calls_per_second:.0} calls/s")),
        (progress.throttled > 0).then(|| format!("{} throttled", progress.throttled)),
        left(progress, elapsed).map(|left| format!("~{}", short(left))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The time left, as if what is left went as fast as what is done. Of several accounts only those that ended count: nobody
/// knows how many users the others have.
fn left(progress: &Progress, elapsed: Duration) -> Option<Duration> {
    let (done, all) = if progress.accounts > 1 {
        (progress.accounts_done, progress.accounts)
    } else {
        (progress.users_done + progress.writes_done, progress.users + progress.writes)
    };
    let known = elapsed >= FIRST_GUESS && done > 0 && done <= all;
    known.then(|| {
        elapsed.saturating_mul(u32::try_from(all - done).unwrap_or(u32::MAX)) / u32::try_from(done).unwrap_or(u32::MAX)
    })
}

fn short(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn one_account_is_told_by_its_users_and_then_by_its_writes() {
        let mut progress = Progress { accounts: 1, users: 2_000, users_done: 500, writes: 3, ..Progress::default() };
        assert_eq!(line(&progress, 33.4, Duration::from_secs(1)), "500/2000 users, 33 calls/s");
        progress = Progress { users_done: 2_000, throttled: 2, ..progress };
        assert_eq!(line(&progress, 33.4, Duration::from_secs(1)), "0/3 writes, 33 calls/s, 2 throttled");
    }

    #[test]
    fn the_time_left_goes_by_what_is_done() {
        let users = Progress { accounts: 1, users: 400, users_done: 100, ..Progress::default() };
        assert_eq!(left(&users, MINUTE), Some(MINUTE * 3));
        let accounts = Progress { accounts: 20, accounts_done: 5, ..users };
        assert_eq!(line(&accounts, 100.0, MINUTE), "5/20 accounts, 100/400 users, 100 calls/s, ~3 min");
        assert_eq!(left(&Progress { accounts_done: 20, ..accounts }, MINUTE), Some(Duration::ZERO));
        assert_eq!(left(&Progress { accounts_done: 0, ..accounts }, MINUTE), None);
        assert_eq!(left(&users, Duration::from_secs(1)), None, "too early to tell");
        assert_eq!(left(&Progress { users_done: 500, ..users }, MINUTE), None, "more done than known");
    }

    #[test]
    fn times_are_short() {
        let shown = |seconds| short(Duration::from_secs(seconds));
        assert_eq!(
            [shown(0), shown(119), shown(120), shown(7_199), shown(7_200)],
            ["0 s", "119 s", "2 min", "119 min", "2 h"]
        );
    }

    #[test]
    fn a_large_organization_fits_on_one_line() {
        let progress = Progress {
            accounts_done: 123,
            accounts: 500,
            users_done: 123_456,
            users: 200_000,
            calls: 1_000_000,
            throttled: 1_234,
            ..Progress::default()
        };
        let line = line(&progress, 1_234.0, MINUTE * 20);
        assert!(line.len() < 80, "{} {line}", line.len());
        assert!(line.ends_with("~61 min"), "{line}");
    }
}
