//! Writes that are refused and writes whose answers are lost: the report says what is true at IAM, and nothing is
//! deleted that was not to be. Deaths are `kill`'s.

use std::time::Duration;

use super::closed::GROUPS;
use super::compare::Table;
use super::trial::{Case, Seen, World, play_all, seen, seen_while, set};
use crate::sandbox::{Always, Fault, When};

/// As [`GROUPS`], with disabling and deleting in one run.
const AT_ONCE: World = World {
    arguments: "--group Developers --exempt-group KeyExempt --exempt-tag --max-age 5d --grace 0 --apply",
    ends: &[("a1", "gone"), ("a2", "gone"), ("b1", "gone"), ("c1", "gone")],
    ..GROUPS
};

const WRITES: [&str; 4] = ["TagUser", "UntagUser", "UpdateAccessKey", "DeleteAccessKey"];

/// Nothing happened.
fn refusals() -> Vec<(&'static str, Fault)> {
    vec![
        ("denied", Fault::denied()),
        ("500 before acting", Fault::ErrorBefore(500)),
        ("connection refused", Fault::Refuse),
        ("a web page", Fault::Html),
    ]
}

/// It happened, and the answer says otherwise or nothing.
fn losses() -> Vec<(&'static str, Fault)> {
    vec![
        ("dropped after acting", Fault::ActAndDrop),
        ("500 after acting", Fault::ErrorAfter(500)),
        ("garbage after acting", Fault::Garbage),
        ("cut after acting", Fault::CutAnswer),
    ]
}

fn broken(world: &World, action: &'static str, fault: &Fault, when: When) -> Seen {
    seen(world, |stage| stage.sandbox.fault(action, when, fault.clone()))
}

/// For each write in both worlds; `play` gets world, action and fault.
fn each(faults: &[(&'static str, Fault)], play: fn(&World, &'static str, &Fault, &mut Table)) -> Vec<Case> {
    let mut all = Vec::new();
    for (name, world) in [("with grace", GROUPS), ("without grace", AT_ONCE)] {
        for (how, fault) in faults {
            for action in WRITES {
                let fault = fault.clone();
                let play = move |table: &mut Table| play(&world, action, &fault, table);
                all.push(Case { name: format!("{action}, {name}: {how}"), play: Box::new(play) });
            }
        }
    }
    all
}

/// Nothing is done that was not to be, and no key is deleted without its record.
fn no_harm(seen: &Seen, world: &World, table: &mut Table) {
    seen.hold_laws(table);
    for label in seen.labels() {
        let (before, after) = (seen.before.status(&label), seen.after.status(&label));
        let end = world.ends.iter().find(|(known, _)| *known == label).map_or(before, |(_, end)| end);
        let on_the_way = end == "gone" && after == "Inactive";
        if after != before && after != end && !on_the_way {
            table.wrong(format!("{label} at IAM"), format!("{before} or {end}"), after);
        }
    }
}

fn incomplete(seen: &Seen, table: &mut Table) {
    table.same("exit code", 20, seen.ran.code.unwrap_or(-1));
    let skips = seen.report.iter().flat_map(super::report::Report::skips).count();
    if skips == 0 {
        table.wrong("left out", "what could not be written", "nothing");
    }
}

fn refused_for_good(world: &World, action: &'static str, fault: &Fault, table: &mut Table) {
    let seen = broken(world, action, fault, Always);
    no_harm(&seen, world, table);
    incomplete(&seen, table);
    let deleted = seen.labels().into_iter().filter(|label| seen.after.status(label) == "gone");
    for label in deleted.filter(|label| action == "DeleteAccessKey" || (action == "TagUser" && label != "b1")) {
        table.wrong(format!("{label} at IAM"), "not deleted", "gone");
    }
    let off = ["a1", "a2"].into_iter().filter(|label| seen.after.status(label) != "Active");
    for label in off.filter(|_| action == "UpdateAccessKey") {
        table.wrong(format!("{label} at IAM"), "Active", "switched off");
    }
}

fn always_lost(world: &World, action: &'static str, fault: &Fault, table: &mut Table) {
    let seen = broken(world, action, fault, Always);
    no_harm(&seen, world, table);
    if action.ends_with("AccessKey") {
        // The key itself is looked at, so what was lost is found.
        seen.ended_well(world, table);
    } else {
        incomplete(&seen, table);
    }
}

fn got_over(world: &World, action: &'static str, fault: &Fault, table: &mut Table) {
    let seen = broken(world, action, fault, When::Nth(1));
    seen.hold_laws(table);
    seen.ended_well(world, table);
}

#[test]
fn a_write_that_is_refused_for_good_is_reported_as_it_is() {
    play_all(each(&refusals(), refused_for_good));
}

#[test]
fn a_write_whose_answer_is_always_lost_is_reported_as_it_is() {
    play_all(each(&losses(), always_lost));
}

#[test]
fn a_write_that_is_refused_once_is_made_in_the_end() {
    let mut passing = refusals();
    passing.retain(|(how, _)| *how != "denied");
    passing.push(("throttled", Fault::Throttle));
    play_all(each(&passing, got_over));
}

#[test]
fn a_write_whose_answer_is_lost_once_is_found_done() {
    play_all(each(&losses(), got_over));
}

/// Writes that wait for the program's patience or time-outs, each for many seconds.
pub fn patient() -> Vec<Case> {
    let hangs = || vec![("hangs after acting", Fault::ActAndHang)];
    let mut all = each(&[("throttled for good", Fault::Throttle)], refused_for_good);
    all.extend(each(&hangs(), always_lost));
    all.extend(each(&hangs(), got_over));
    all
}

#[test]
fn a_run_whose_time_is_over_says_so_and_leaves_a_whole_report() {
    let arguments = format!("{} --time-limit 5s", GROUPS.arguments);
    let stopped = held(&arguments, |_| std::thread::sleep(Duration::from_secs(5)));
    stopped_early(&stopped, "out-of-time");
}

/// Holds the first `UpdateAccessKey` for as long as `meanwhile` takes.
fn held(arguments: &str, meanwhile: impl FnOnce(u32)) -> Seen {
    let stage = set(&GROUPS);
    let gate = stage.sandbox.gate("UpdateAccessKey", None, 1);
    seen_while(stage, arguments, |_, pid| {
        assert!(gate.reached(Duration::from_secs(60)), "no write was made");
        meanwhile(pid);
        gate.open();
    })
}

fn stopped_early(seen: &Seen, why: &str) {
    let mut table = Table::default();
    seen.hold_laws(&mut table);
    table.same("exit code", 20, seen.ran.code.unwrap_or(-1));
    let report = seen.report.as_ref();
    table.same("complete", "Some(false)", format!("{:?}", report.map(|report| report.complete)));
    table.same("stopped", format!("{:?}", Some(why)), format!("{:?}", report.and_then(|it| it.stopped.as_deref())));
    let left = report.is_some_and(|report| report.skips().any(|(_, skip)| skip.what.starts_with("account/")));
    table.same("what is left to do is named", true, left);
    let off = ["a1", "a2"].into_iter().filter(|label| seen.after.status(label) == "Inactive").count();
    table.same("keys of alice that were switched off", 1, off);
    assert!(table.0.is_empty(), "\n{}", table.text());
}
