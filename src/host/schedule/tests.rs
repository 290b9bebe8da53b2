//! What is rendered is read back as it was, whatever the words; the next run on both sides of a change of the clock.

use chrono_tz::Tz;
use proptest::prelude::*;

use super::*;

fn task(words: &[String]) -> Task {
    let (program, arguments) = words.split_first().unwrap();
    Task {
        program: format!("/opt/{program}").into(),
        arguments: arguments.to_vec(),
        at: Timetable::default(),
        environment: Vec::new(),
        confined: true,
    }
}

proptest! {
    #[test]
    fn a_service_is_read_back_as_it_was_written(words in prop::collection::vec("[ a-z\"'\\\\$%;#=ü<&-]{0,8}", 1..6)) {
        let task = task(&words);
        let read = systemd::read(&systemd::service(&task)).unwrap();
        prop_assert_eq!((read.program, read.arguments), (task.program, task.arguments));
    }

    #[test]
    fn an_agent_is_read_back_as_it_was_written(words in prop::collection::vec("[a-z\"'\\\\$%;#=ü<>&-]{1,8}", 1..6)) {
        let task = task(&words);
        let read = launchd::read(&launchd::agent(&task, std::path::Path::new("/log"))).unwrap();
        prop_assert_eq!((read.program, read.arguments), (task.program, task.arguments));
    }

    #[test]
    fn a_windows_task_is_read_back_as_it_was_written(words in prop::collection::vec("[ a-z\"'\\\\$;#=ü<>&-]{0,8}", 2..6)) {
        let task = task(&words);
        let found = windows::read(&windows::definition(&task)).unwrap();
        prop_assert!(found.ours && found.enabled);
        prop_assert_eq!(&found.start, "2026-01-05T09:00:00");
        prop_assert_eq!((found.read.program, found.read.arguments), (task.program, task.arguments));
    }
}

#[test]
fn the_hour_is_found_among_the_words() {
    let words = ["keyrot-me", "rotate", "--scheduled", "--at", "Tue 10:30", "--profile", "work"].map(str::to_owned);
    let read = systemd::read(&systemd::service(&task(&words))).unwrap();
    let installed = read.installed(vec!["/x".to_owned()]);
    assert_eq!(installed.at, Some("Tue 10:30".parse().unwrap()));
    assert!(installed.active());
    assert_eq!(Read::default().installed(Vec::new()).at, None);
}

#[test]
fn the_next_run_is_on_this_clock() {
    let at = |hour: &str| hour.parse().unwrap();
    let next = |zone: Tz, hour: &str, now: &str| next_in(&zone, at(hour), now.parse().unwrap()).to_rfc3339();
    assert_eq!(next(Tz::UTC, "Mon 09:00", "2026-11-21T09:00:00Z"), "2026-11-22T09:00:00+00:00");
    assert_eq!(next(Tz::Europe__Berlin, "Mon 09:00", "2026-11-21T07:59:59Z"), "2026-11-21T08:00:00+00:00");
    // 02:30 is not there on 29 March, and twice on 25 October.
    assert_eq!(next(Tz::Europe__Berlin, "Sun 02:30", "2026-03-28T12:00:00Z"), "2026-03-30T00:30:00+00:00");
    assert_eq!(next(Tz::Europe__Berlin, "Sun 02:30", "2026-10-24T12:00:00Z"), "2026-10-25T00:30:00+00:00");
    assert_eq!(next(Tz::Europe__Berlin, "Sun 02:30", "2026-10-25T01:10:00Z"), "2026-10-26T01:30:00+00:00");
}
