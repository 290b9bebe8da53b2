//! systemd's own reading of the hour against the timetable's.

use std::process::Command;

use chrono::{LocalResult, NaiveDateTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use keyrot_me::host::schedule::{Task, systemd};
use keyrot_me::keys::timetable::Timetable;

use super::task;

const ZONES: [Tz; 5] =
    [Tz::UTC, Tz::Europe__Berlin, Tz::America__New_York, Tz::Asia__Kathmandu, Tz::Australia__Lord_Howe];
/// Around both changes of daylight saving of the zones, leap day and year's end.
const DAYS: [&str; 10] = [
    "2026-03-07",
    "2026-03-08",
    "2026-03-28",
    "2026-04-04",
    "2026-10-03",
    "2026-10-24",
    "2026-10-31",
    "2026-12-31",
    "2028-02-28",
    "2026-11-20",
];

fn calendar(timetable: Timetable) -> String {
    let timer = systemd::timer(&Task { at: timetable, ..task() });
    timer.lines().find_map(|line| line.strip_prefix("OnCalendar=")).unwrap().to_owned()
}

/// What `systemd-analyze` names as the next time, on the zone's wall clock.
fn next(zone: Tz, calendar: &str, base: NaiveDateTime) -> NaiveDateTime {
    let base = format!("--base-time={}", base.format("%Y-%m-%d %H:%M:%S"));
    let said = Command::new("systemd-analyze")
        .args(["calendar", &base, calendar])
        .env_clear()
        .envs([("PATH", std::env::var("PATH").unwrap()), ("TZ", zone.to_string()), ("LC_ALL", "C".to_owned())])
        .output()
        .unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let line = said.lines().find_map(|line| line.trim().strip_prefix("Next elapse: ")).expect(&said);
    let words: Vec<&str> = line.split(' ').collect();
    NaiveDateTime::parse_from_str(&words[1..3].join(" "), "%Y-%m-%d %H:%M:%S").unwrap()
}

/// The next hour of the timetable that this zone's clock shows.
fn shown(zone: Tz, timetable: Timetable, base: NaiveDateTime) -> NaiveDateTime {
    let mut wall = timetable.next_wake(base);
    while zone.from_local_datetime(&wall) == LocalResult::None {
        wall = timetable.next_wake(wall);
    }
    wall
}

#[test]
fn systemd_wakes_when_the_timetable_says() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        crate::skip::skip("systemd is not installed: its calendar is not compared");
        return;
    }
    let mut compared = 0;
    for zone in ZONES {
        for hour in ["Mon 09:00", "Sun 02:30", "Fri 00:00", "Sat 23:59"] {
            let timetable: Timetable = hour.parse().unwrap();
            for day in DAYS {
                for (clock, past) in
                    [("00:00:00", 0), ("02:29:59", 0), ("09:00:00", 0), ("12:00:00", 0), ("23:59:00", 1)]
                {
                    let base = NaiveDateTime::parse_from_str(&format!("{day} {clock}"), "%Y-%m-%d %H:%M:%S").unwrap()
                        + TimeDelta::seconds(past);
                    // An hour that is shown twice is none that a base time could name.
                    if !matches!(zone.from_local_datetime(&base), LocalResult::Single(_)) {
                        continue;
                    }
                    let found = next(zone, &calendar(timetable), base);
                    assert_eq!(found, shown(zone, timetable, base), "{zone} {hour} after {base}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 900, "{compared}");
}
