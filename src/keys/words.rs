//! Durations and instants as people read them.
//!
//! Pure. Programs get seconds and RFC 3339 instead.

use chrono::TimeDelta;

use super::facts::Time;

/// A duration in its two largest units, such as `40 d 3 h`.
#[must_use]
pub fn duration(span: TimeDelta) -> String {
    let (days, hours) = (span.num_days(), span.num_hours() % 24);
    let (minutes, seconds) = (span.num_minutes() % 60, span.num_seconds() % 60);
    match (days, span.num_hours(), span.num_minutes()) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ if hours == 0 => format!("{days} d"),
        _ => format!("{days} d {hours} h"),
    }
}

/// An instant, such as `2026-11-20 23:55 UTC`.
#[must_use]
pub fn when(time: Time) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_in_their_two_largest_units() {
        let shown = |seconds| duration(TimeDelta::seconds(seconds));
        assert_eq!(
            [shown(5), shown(180), shown(7260), shown(86_400), shown(3 * 86_400 + 14 * 3600)],
            ["5 s", "3 min", "2 h 1 min", "1 d", "3 d 14 h"]
        );
    }

    #[test]
    fn instants_are_shown_to_the_minute_in_utc() {
        let at: Time = "2026-11-20T23:55:59+01:00".parse().unwrap();
        assert_eq!(when(at), "2026-11-20 22:55 UTC");
    }
}
