//! systemd's own reading of the hour against the timetable's.

use std::process::Command;

use chrono::{LocalResult, NaiveDateTime, TimeZone};
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

/// What `systemd-analyze` names as the next time of each, on the zone's wall clock.
fn next(zone: Tz, calendars: &[String], base: NaiveDateTime) -> Vec<NaiveDateTime> {
    let base = format!("--base-time={}", base.format("%Y-%m-%d %H:%M:%S"));
    let said = Command::new("systemd-analyze")
        .args(["calendar", &base])
        .args(calendars)
        .env_clear()
        .envs([("PATH", std::env::var("PATH").unwrap()), ("TZ", zone.to_string()), ("LC_ALL", "C".to_owned())])
        .output()
        .unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let lines = said.lines().filter_map(|line| line.trim().strip_prefix("Next elapse: "));
    let read = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        NaiveDateTime::parse_from_str(&words[1..3].join(" "), "%Y-%m-%d %H:%M:%S").unwrap()
    };
    lines.map(read).collect()
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
    let hours = ["Mon 09:00", "Sun 02:30", "Fri 00:00", "Sat 23:59"].map(|hour| hour.parse::<Timetable>().unwrap());
    let calendars = hours.map(calendar);
    let mut compared = 0;
    for zone in ZONES {
        for day in DAYS {
            for clock in ["00:00:00", "02:29:59", "09:00:00", "12:00:00", "23:59:01"] {
                let base = NaiveDateTime::parse_from_str(&format!("{day} {clock}"), "%Y-%m-%d %H:%M:%S").unwrap();
                // An hour that is shown twice, or never, is none that a base time could name.
                if !matches!(zone.from_local_datetime(&base), LocalResult::Single(_)) {
                    continue;
                }
                let want = hours.map(|timetable| shown(zone, timetable, base));
                assert_eq!(next(zone, &calendars, base), want, "{zone} after {base}");
                compared += want.len();
            }
        }
    }
    assert!(compared > 900, "{compared}");
}
