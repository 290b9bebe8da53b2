//! IAM lists with MFA only: a code is asked for where something will be written, and nowhere else.

use super::*;

fn unlisted(second: i64, rotation: Option<Rotation>, created: Option<i64>) -> Situation {
    let unlisted = Some(Unlisted { created: created.map(at) });
    Situation { unlisted, ..situation(second, rotation, &[]) }
}

fn timer() -> Policy {
    Policy { scheduled: true, ..policy(Goal::RotateDue { week: None }) }
}

const LIST: Decision = Decision::Do(Step::List);

#[test]
fn the_journals_age_says_whether_the_list_is_worth_a_code() {
    assert_eq!(next(&unlisted(0, None, Some(-40 * DAY)), &timer()), LIST);
    let young = Idle::YoungEnough { age: TimeDelta::seconds(DAY) };
    assert_eq!(next(&unlisted(0, None, Some(-DAY)), &timer()), Decision::Idle(young));
    let unknown = Blocked::AgeUnknown { key: id("OLD") };
    assert_eq!(next(&unlisted(0, None, None), &timer()), Decision::Blocked(unknown));
}

#[test]
fn a_retired_key_is_worth_a_code_once_its_grace_is_over() {
    let grace = timer().retire_after.num_seconds();
    let done = || Some(forward(6));
    let retired = |second, created| next(&unlisted(second, done(), created), &timer());
    assert!(matches!(retired(grace - 60, Some(0)), Decision::Idle(Idle::Retired { .. })));
    assert!(matches!(retired(grace - 60, Some(-40 * DAY)), Decision::Blocked(Blocked::RetiredInGrace { .. })));
    assert!(matches!(retired(grace - 60, None), Decision::Blocked(Blocked::AgeUnknown { .. })));
    assert_eq!(retired(grace + 60, None), LIST);
    let mut back = unlisted(100, done(), Some(0));
    back.published = vec![id("OLD"), id("NEW")];
    back.stashed.clear();
    assert_eq!(next(&back, &timer()), LIST, "a profile holds the retired key");
}

#[test]
fn what_is_unfinished_is_worth_a_code() {
    assert_eq!(next(&unlisted(100, Some(lost()), None), &timer()), LIST);
    assert_eq!(next(&unlisted(100, Some(forward(2)), None), &timer()), LIST);
}
