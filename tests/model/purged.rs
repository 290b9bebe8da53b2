//! The purge comes before or in the middle of a rotation and takes one key or both; afterwards one command with
//! `--auth-profile` makes a fresh key.

use super::play::Played;
use super::schedule::{At, Fault, KIND, Nature, Other, Outside, Person, Planned, Schedule, Story, Who};
use super::{PEOPLE, SLOW, dies_after, fails_not, hold};
use keyrot_me::keys::rotation::Blocked;
use keyrot_me::runner::rotate::End;

const STORIES: [Story; 4] =
    [Story::Taken(false), Story::Taken(true), Story::TakenBeside(false), Story::TakenBeside(true)];
const OTHERS: [Other; 4] = [Other::Alice(false), Other::Alice(true), Other::Role(false), Other::Role(true)];

fn plain(story: Story, person: Person, other: Other, nature: Nature) -> Schedule {
    Schedule { nature: Nature { other, ..nature }, ..Schedule::plain(story, person) }
}

#[test]
fn a_key_that_the_purge_took_is_replaced_by_one_command() {
    for nature in [KIND, SLOW] {
        for story in STORIES {
            let Played { last, works, .. } = hold(plain(story, Person::SaidYes, Other::Alice(false), nature));
            let full = matches!(last, Some(End::Blocked(Blocked::BothSlotsTaken { .. })));
            assert_eq!((works, full), (story != Story::TakenBeside(false), story == Story::TakenBeside(false)));
            // Asked, the person gives the dead key up.
            let agreed = hold(plain(story, Person::Agrees, Other::Alice(false), nature));
            assert!(agreed.works, "{story:?}: {:?}", agreed.last);
        }
    }
}

#[test]
fn promises_hold_when_a_process_that_replaces_a_dead_key_dies_at_any_call() {
    let mut points = 0;
    for (story, other, nature) in all() {
        for person in PEOPLE {
            let once = plain(story, person, other, nature);
            for call in 0..hold(once.clone()).calls {
                for fault in [Fault::DiesBefore, Fault::DiesAfter] {
                    let faults = vec![Planned { run: 0, at: At::Call(call), fault }];
                    hold(Schedule { faults, gap: 90, ..once.clone() });
                    points += 1;
                }
            }
        }
    }
    println!("{points} crash points");
}

fn all() -> impl Iterator<Item = (Story, Other, Nature)> {
    let stories = STORIES.into_iter().flat_map(|story| OTHERS.map(|other| (story, other)));
    stories.flat_map(|(story, other)| [KIND, SLOW].map(|nature| (story, other, nature)))
}

/// What the purge may take at once.
const TAKES: [&[Outside]; 6] = [
    &[Outside::SwitchesOff(Who::Old)],
    &[Outside::Deletes(Who::Old)],
    &[Outside::SwitchesOff(Who::New)],
    &[Outside::Deletes(Who::New)],
    &[Outside::SwitchesOff(Who::Old), Outside::SwitchesOff(Who::New)],
    &[Outside::Deletes(Who::Old), Outside::Deletes(Who::New)],
];

/// Not only is nothing lost: the command that is promised to help does help, from wherever it was left.
#[test]
fn wherever_the_purge_came_in_between_one_command_makes_a_fresh_key() {
    let mut played = 0;
    for story in [Story::Rotate, Story::Rollback, Story::RotateAgain, Story::Taken(false), Story::Taken(true)] {
        for takes in TAKES {
            for dies in [true, false] {
                played += everywhere(story, takes, dies);
            }
        }
    }
    println!("{played} purges in between");
}

fn everywhere(story: Story, takes: &[Outside], dies: bool) -> u32 {
    let first = plain(story, Person::SaidYes, Other::Alice(false), KIND);
    let calls = hold(first.clone()).calls;
    for call in 0..calls {
        let mut faults: Vec<Planned> =
            takes.iter().map(|deed| Planned { run: 0, at: At::Call(call), fault: Fault::Outside(*deed) }).collect();
        faults.extend(dies.then(|| dies_after(0, call)));
        let schedule = Schedule { faults, gap: 90, ..first.clone() };
        let Played { last, works, leads_back, .. } = hold(schedule.clone());
        let decided = a_slot_is_missing(last.as_ref()) || (leads_back && back_is_named(last.as_ref()));
        assert!(works || decided, "{last:?}\n{}", fails_not(&schedule));
    }
    calls
}

/// The older key works: `rollback` is what is named.
fn back_is_named(last: Option<&End>) -> bool {
    matches!(last, Some(End::Blocked(Blocked::KeepGone { .. } | Blocked::KeepNotActive { .. })))
}

/// Both slots are full with keys that nobody named: the one decision that a person must take.
fn a_slot_is_missing(last: Option<&End>) -> bool {
    matches!(last, Some(End::Blocked(Blocked::BothSlotsTaken { .. } | Blocked::OtherKey { .. })))
}
