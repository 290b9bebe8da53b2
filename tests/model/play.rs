//! One play: the faulted runs, then up to three without faults, and the judgement of I5.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use chrono::TimeDelta;

use keyrot_me::keys::facts::Time;
use keyrot_me::keys::facts::{KeyId, Status};
use keyrot_me::keys::journal::Rotation;
use keyrot_me::keys::policy::{Goal, Limits, Policy, Settle};
use keyrot_me::keys::rotation::Blocked;
use keyrot_me::keys::secret::{SecretKey, Session, Signer};
use keyrot_me::runner::rotate::{Auth, End, Halt, OtherHalt, OtherProfile, Report, Run, Settings};

use super::gate::Model;
use super::schedule::{Fault, Other, Person, Schedule, Story};
use super::state::{OTHER, State, ThisRun, seconds};

/// What came of a play.
#[derive(Default)]
pub struct Played {
    pub violations: Vec<String>,
    pub trace: Vec<String>,
    /// Port calls of the first faulted run, and which of them do more than read.
    pub calls: u32,
    pub acting: Vec<u32>,
    pub crashes: usize,
    /// How the last run ended.
    pub last: Option<End>,
    /// Every profile holds an Active key.
    pub works: bool,
    /// An Active key lies in the stash, for a rollback.
    pub leads_back: bool,
}

/// How many runs of a schedule have faults.
fn faulted_runs(schedule: &Schedule) -> usize {
    schedule.faults.iter().map(|planned| planned.run + 1).max().unwrap_or(0).max(1)
}

pub fn play(schedule: &Schedule, tracing: bool) -> Played {
    let model = Model::new(State::new(schedule, tracing));
    prelude(&model, schedule);
    let mut played = Played::default();
    let faulted = faulted_runs(schedule);
    for number in 0..faulted {
        let goal = if number == 0 { first_goal(schedule) } else { going_on(schedule) };
        let report = one_run(&model, goal, number, false);
        played.crashes += usize::from(report.is_none());
        if number == 0 {
            model.with(|s| (played.calls, played.acting) = (s.run.calls, s.run.acting.clone()));
        }
    }
    played.last = recover(&model, schedule, faulted);
    let state = model.into_state();
    played.works = state.profiles.iter().all(|(_, key)| state.active(key));
    played.leads_back = state.stash.iter().any(|(_, key)| state.active(key));
    played.violations = state.violations;
    played.trace = state.trace.unwrap_or_default();
    played
}

/// The rotation that some stories begin after.
fn prelude(model: &Model, schedule: &Schedule) {
    let later = match schedule.story {
        Story::Rotate | Story::BesideAnother(_) | Story::Taken(_) | Story::TakenBeside(_) => return,
        Story::Rollback | Story::FinishNow => schedule.nature.retire_after / 2,
        Story::Finish | Story::RotateAgain => schedule.nature.retire_after + 3_600,
    };
    let strange = model.with(|s| std::mem::replace(&mut s.schedule.nature.strange, false));
    let report = one_run(model, Goal::Rotate { older_than: None }, 99, true);
    model.with(|s| {
        s.schedule.nature.strange = strange;
        s.now += seconds(later);
        if !report.is_some_and(|report| report.completed) {
            s.violated("a rotation without faults did not complete".into());
        }
    });
}

fn first_goal(schedule: &Schedule) -> Goal {
    match schedule.story {
        Story::Rollback => Goal::Rollback,
        Story::Finish => Goal::Finish { now: false },
        Story::FinishNow => Goal::Finish { now: true },
        _ => going_on(schedule),
    }
}

fn going_on(schedule: &Schedule) -> Goal {
    match schedule.person {
        Person::Timer => Goal::RotateDue { week: None },
        _ => Goal::Rotate { older_than: None },
    }
}

/// One run of the real executor; `None` when it died.
fn one_run(model: &Model, goal: Goal, number: usize, faults_off: bool) -> Option<Report> {
    let settings = model.with(|s| {
        let policy = policy(&s.schedule, goal, number);
        s.run = ThisRun { number, faults_off, policy: Some(policy.clone()), ..ThisRun::default() };
        s.offset = None;
        s.now += seconds(if number == 0 { 0 } else { s.schedule.gap.max(s.until_the_new_key_signs()) });
        s.note(|| format!("=== {:?}", policy.goal));
        let serial = s.nature().reads_need_mfa.then(|| "arn:aws:iam::123456789012:mfa/alice".to_owned());
        let auth = match s.nature().other {
            _ if policy.other_signs => Auth::Other(other_profile()),
            _ if s.nature().no_mfa => Auth::KeyItself,
            _ => Auth::Mfa { serial },
        };
        Settings { policy, auth, settle: Settle::default() }
    });
    let base = model.with(|s| s.profiles[0].1.clone());
    let run = pin!(Run::new(model, base, settings).run());
    let report = finished(model, run);
    model.with(|s| s.note(|| format!("=== ended: {:?}", report.as_ref().map(|report| &report.end))));
    report
}

/// Ports of the model are ready at once, or never: then the process has died.
fn finished(model: &Model, run: std::pin::Pin<&mut impl Future<Output = Report>>) -> Option<Report> {
    match run.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(report) if !model.with(|s| s.run.dead) => Some(report),
        _ => None,
    }
}

fn other_profile() -> OtherProfile {
    let secret = SecretKey::new("other".into());
    let signer = Signer::Session(Session { id: OTHER.into(), token: secret.clone(), secret, expires: Time::MAX_UTC });
    OtherProfile { name: "other".into(), signer, renew: "aws login --profile other".into() }
}

fn policy(schedule: &Schedule, goal: Goal, number: usize) -> Policy {
    let other_signs = match schedule.nature.other {
        Other::Nobody => false,
        Other::Alice(once) | Other::Role(once) => !once || number == 0,
    };
    Policy {
        goal,
        limits: Limits { max_age: TimeDelta::days(5), purge: None },
        retire_after: seconds(schedule.nature.retire_after),
        replace: Vec::new(),
        yes: schedule.person == Person::SaidYes,
        scheduled: schedule.person == Person::Timer,
        may_start: true,
        other_signs,
    }
}

/// Up to three runs without faults; says how the last one ended.
fn recover(model: &Model, schedule: &Schedule, first: usize) -> Option<End> {
    model.with(|s| s.refused_until = None);
    let mut last = None;
    for number in first..first + 3 {
        let Some(report) = one_run(model, going_on(schedule), number, true) else { return last };
        last = Some(report.end.clone());
        // A key that IAM still refuses now and then, and that has to sign, may cost one run more.
        let patience = schedule.nature.no_mfa && matches!(report.end, End::Halted(_));
        if number == first && !patience {
            model.with(|s| s.check_accounted(&report));
        }
        match judge(model, schedule, &report) {
            Verdict::Complete => {
                model.with(|s| {
                    if !s.meddled {
                        s.check_complete();
                    }
                });
                return last;
            }
            Verdict::Decision => return last,
            Verdict::Wrong(why) => {
                model.with(|s| s.violated(why));
                return last;
            }
            Verdict::GoOn => {}
        }
    }
    model.with(|s| {
        if s.journal.iter().any(Rotation::unfinished) {
            s.violated("I5: three runs without faults did not finish it".into());
        } else if !s.meddled {
            // What was begun is finished; a rotation anew ran into a key that is not accepted everywhere yet.
            s.check_complete();
        }
    });
    last
}

enum Verdict {
    Complete,
    /// A person has to decide, and is told what.
    Decision,
    GoOn,
    Wrong(String),
}

fn judge(model: &Model, schedule: &Schedule, report: &Report) -> Verdict {
    let unfinished = model.with(|s| s.journal.iter().any(Rotation::unfinished));
    match &report.end {
        End::Idle(_) if unfinished => {
            Verdict::Wrong(format!("I5: nothing to do, and yet unfinished: {:?}", report.end))
        }
        End::Idle(_) => Verdict::Complete,
        End::Blocked(blocked) if justified(schedule, blocked) => Verdict::Decision,
        End::Blocked(blocked) => Verdict::Wrong(format!("I5: blocked without need: {blocked:?}")),
        End::Halted(Halt::WrongIdentity { .. }) if schedule.nature.strange => Verdict::Decision,
        End::Halted(Halt::CannotSignIn { key, .. }) if model.with(|s| truly_off(s, key)) => Verdict::Decision,
        End::Halted(Halt::Other(why)) if schedule.story.taken() && nobody_knows(why) => Verdict::Decision,
        End::Halted(_) => Verdict::GoOn,
    }
}

/// Whose key it was that the purge deleted.
fn nobody_knows(why: &OtherHalt) -> bool {
    matches!(why, OtherHalt::OwnerUnknown { .. } | OtherHalt::OwnerInDoubt { .. })
}

fn truly_off(state: &State, id: &KeyId) -> bool {
    (state.meddled || state.taken(id)) && state.key(id).is_none_or(|key| key.status != Status::Active)
}

/// Which decisions may be asked for. Where outsiders act, any: they may have made the need for it.
fn justified(schedule: &Schedule, blocked: &Blocked) -> bool {
    let nobody_says_yes = matches!(schedule.person, Person::Declines | Person::Nobody);
    let timer = schedule.person == Person::Timer;
    if schedule.faults.iter().any(|planned| matches!(planned.fault, Fault::Outside(_))) {
        return true;
    }
    match blocked {
        // A machine that slept between intent and create made its key outside the window: not ours for sure.
        Blocked::OtherKey { .. } => {
            let slept = schedule.faults.iter().any(|planned| matches!(planned.fault, Fault::Slept(_)));
            slept || matches!(schedule.story, Story::BesideAnother(_) | Story::TakenBeside(_))
        }
        Blocked::BothSlotsTaken { .. } => schedule.story == Story::TakenBeside(false),
        Blocked::OrphanUseUnknown { .. } => schedule.nature.last_use_denied,
        Blocked::Orphan { .. } => nobody_says_yes,
        Blocked::RetiredInGrace { .. } | Blocked::OrphanInGrace { .. } => timer || nobody_says_yes,
        // A timer leaves a key that somebody switched off to a person.
        Blocked::TargetGone { .. } | Blocked::TargetNotActive { .. } => timer && schedule.story.taken(),
        // A key that no rotation here has made.
        Blocked::AgeUnknown { .. } => timer && schedule.nature.reads_need_mfa,
        _ => false,
    }
}
