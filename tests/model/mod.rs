//! The model test: the real executor and the real planner, run through faults, crashes and outsiders
//! against an AWS, a store and a clock in memory, with the promises checked after every effect.
//!
//! `KEYROT_MODEL_SCHEDULES=1000000` plays that many random schedules; `KEYROT_MODEL_SEED=n` plays one
//! and prints it.

#![allow(
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    reason = "a schedule's switches are read as words"
)]

mod aws;
mod checks;
mod gate;
mod machine;
mod play;
mod purged;
mod schedule;
mod state;

use play::{Played, play};
use schedule::{At, Fault, KIND, Nature, Op, Other, Outside, Person, Planned, Schedule, Story, Trail, Who};

/// Random schedules of a normal test run.
const SCHEDULES: u64 = 12_000;

const STORIES: [Story; 5] = [Story::Rotate, Story::Rollback, Story::Finish, Story::FinishNow, Story::RotateAgain];
const PEOPLE: [Person; 5] = [Person::SaidYes, Person::Agrees, Person::Declines, Person::Nobody, Person::Timer];

/// An AWS that is as slow and as stale as we have seen it.
const SLOW: Nature =
    Nature { sts_delay: 8, iam_delay: 15, lag: 60, trail: Trail::After(300), sessions_die: true, ..KIND };

fn fails(schedule: &Schedule) -> bool {
    !play(schedule, false).violations.is_empty()
}

/// Leaves out of a failing schedule what it does not need to fail.
fn shrunk(mut schedule: Schedule) -> Schedule {
    let mut smaller = true;
    while smaller {
        smaller = false;
        for less in simpler(&schedule) {
            if less != schedule && fails(&less) {
                schedule = less;
                smaller = true;
                break;
            }
        }
    }
    schedule
}

fn simpler(from: &Schedule) -> Vec<Schedule> {
    let mut found: Vec<Schedule> = (0..from.faults.len())
        .map(|index| {
            let mut less = from.clone();
            less.faults.remove(index);
            less
        })
        .collect();
    let natures = [
        Nature { sts_delay: 0, iam_delay: 0, flaky: false, ..from.nature },
        Nature { lag: 0, ..from.nature },
        Nature { trail: KIND.trail, last_use_denied: false, ..from.nature },
        Nature { sessions_die: false, reads_need_mfa: false, ..from.nature },
        Nature { no_mfa: false, ..from.nature },
        Nature { latency: KIND.latency, skew: 0, whole_offset: false, ..from.nature },
        Nature { strange: false, ..from.nature },
        Nature { retire_after: KIND.retire_after, ..from.nature },
        Nature { other: if from.story.taken() { from.nature.other } else { Other::Nobody }, ..from.nature },
    ];
    found.extend(natures.map(|nature| Schedule { nature, ..from.clone() }));
    if !from.story.taken() {
        found.push(Schedule { story: Story::Rotate, ..from.clone() });
    }
    found.push(Schedule { person: Person::SaidYes, ..from.clone() });
    found.push(Schedule { gap: 5, ..from.clone() });
    found
}

/// Fails with the smallest schedule that shows it, and the story of it.
fn report(schedule: Schedule) -> ! {
    let small = shrunk(schedule);
    let Played { violations, trace, .. } = play(&small, true);
    panic!("{small}\n{}\n\n{}", trace.join("\n"), violations.join("\n"))
}

fn hold(schedule: Schedule) -> Played {
    let played = play(&schedule, false);
    if !played.violations.is_empty() {
        report(schedule)
    }
    played
}

/// The story of a schedule, for a message.
fn fails_not(schedule: &Schedule) -> String {
    format!("{schedule}\n{}", play(schedule, true).trace.join("\n"))
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::vars_os().find(|(key, _)| key == name).and_then(|(_, value)| value.to_str()?.parse().ok())
}

fn natures() -> Vec<Nature> {
    vec![KIND, SLOW, Nature { no_mfa: true, ..KIND }, Nature { reads_need_mfa: true, trail: Trail::After(0), ..SLOW }]
}

#[test]
fn promises_hold_in_random_schedules() {
    if let Some(seed) = from_environment("KEYROT_MODEL_SEED") {
        let schedule = Schedule::random(seed);
        let played = play(&schedule, true);
        println!("{schedule}\n{}\n\n{}", played.trace.join("\n"), played.violations.join("\n"));
        hold(schedule);
        return;
    }
    let many = from_environment("KEYROT_MODEL_SCHEDULES").unwrap_or(SCHEDULES);
    let first = from_environment("KEYROT_MODEL_FROM").unwrap_or(0);
    let crashes: usize = (first..first + many).map(|seed| hold(Schedule::random(seed)).crashes).sum();
    println!("{many} schedules, {crashes} crashes");
}

#[test]
fn promises_hold_without_faults() {
    for story in STORIES.into_iter().chain([Story::BesideAnother(true), Story::BesideAnother(false)]) {
        for person in PEOPLE {
            for nature in natures() {
                hold(Schedule { nature, ..Schedule::plain(story, person) });
            }
        }
    }
}

#[test]
fn promises_hold_when_the_process_dies_at_any_port_call() {
    let mut points = 0;
    for story in STORIES {
        for person in PEOPLE {
            for nature in natures() {
                let plain = Schedule { nature, ..Schedule::plain(story, person) };
                for call in 0..hold(plain.clone()).calls {
                    for fault in [Fault::DiesBefore, Fault::DiesAfter] {
                        let faults = vec![Planned { run: 0, at: At::Call(call), fault }];
                        hold(Schedule { faults, ..plain.clone() });
                        points += 1;
                    }
                }
            }
        }
    }
    println!("{points} crash points");
}

/// Our create is lost before it reached IAM, and somebody else makes a key: at any moment, in use or not.
#[test]
fn promises_hold_when_a_foreign_key_looks_like_the_lost_one() {
    let mut played = 0;
    for person in PEOPLE {
        for (loss, gap) in
            [(Fault::DiesBefore, 0), (Fault::DiesBefore, 40), (Fault::LostBefore, 0), (Fault::LostBefore, 40)]
        {
            for trail in [Trail::Denied, Trail::After(0)] {
                for call in 0..40 {
                    let plain =
                        Schedule { nature: Nature { trail, ..KIND }, gap, ..Schedule::plain(Story::Rotate, person) };
                    let run = usize::from(loss == Fault::DiesBefore || gap > 0);
                    let from = if run == 0 { 18 } else { 0 };
                    let lost = Planned { run: 0, at: At::Nth(Op::CreateKey, 0), fault: loss };
                    let made = Planned { run, at: At::Call(from + call), fault: Fault::Outside(Outside::Creates) };
                    let used = Planned { fault: Fault::Outside(Outside::Uses(Who::Foreign)), ..made };
                    hold(Schedule { faults: vec![lost, made], ..plain.clone() });
                    hold(Schedule { faults: vec![lost, made, used], ..plain });
                    played += 2;
                }
            }
        }
    }
    println!("{played} foreign keys");
}

/// To die before a call is to die after the one before it: here only the latter.
#[test]
fn promises_hold_when_the_process_dies_twice() {
    let mut pairs = 0;
    for story in [Story::Rotate, Story::Rollback, Story::Finish] {
        for (person, nature) in [(Person::SaidYes, KIND), (Person::Timer, SLOW)] {
            let plain = Schedule { nature, gap: 1, ..Schedule::plain(story, person) };
            for call in play(&plain, false).acting {
                pairs += second_crashes(&Schedule { faults: vec![dies_after(0, call)], ..plain.clone() });
            }
        }
    }
    println!("{pairs} pairs of crash points");
}

fn dies_after(run: usize, call: u32) -> Planned {
    Planned { run, at: At::Call(call), fault: Fault::DiesAfter }
}

/// The second run dies after each of its calls, until it has no more.
fn second_crashes(once: &Schedule) -> u32 {
    for call in 0.. {
        let mut twice = once.clone();
        twice.faults.push(dies_after(1, call));
        if hold(twice).crashes < 2 {
            return call;
        }
    }
    0
}
