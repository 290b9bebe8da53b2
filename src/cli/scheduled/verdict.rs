//! Whether a run that did not end well needs a person, or only its next turn.

use chrono::TimeDelta;

use crate::cli::error::Exit;
use crate::cli::machine::Subject;
use crate::cli::rotate::Done;
use crate::keys::journal::Rotation;
use crate::keys::lifecycle::purge_at;
use crate::ports::Cause;
use crate::runner::rotate::{End, Halt};

/// A rotation that the run before this one, a day ago, has left unfinished already does not mend itself.
const LASTS: TimeDelta = TimeDelta::hours(20);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The next run goes on by itself.
    Later,
    /// `sharp`: the purge takes the key within `notify.remind_before`.
    Person { sharp: bool },
}

/// For a run that failed.
pub fn judge(subject: &Subject, done: &Done, stopped: bool) -> Verdict {
    let sharp = purge_is_near(subject, done);
    let mends_itself = match &done.report.end {
        _ if stopped => return Verdict::Later,
        End::Halted(Halt::Stopped) => true,
        End::Halted(Halt::Call(error)) => {
            matches!(error.cause, Cause::Unreachable | Cause::Throttled | Cause::Ambiguous)
        }
        End::Halted(Halt::Unfinished { .. }) => !done.report.rotation.as_ref().is_some_and(|open| lasts(open, done)),
        _ => false,
    };
    if mends_itself && !sharp { Verdict::Later } else { Verdict::Person { sharp } }
}

fn lasts(open: &Rotation, done: &Done) -> bool {
    done.report.now - open.began >= LASTS
}

/// Of a key that is gone or off already, there is nothing left to take.
fn purge_is_near(subject: &Subject, done: &Done) -> bool {
    let report = &done.report;
    let taken = report.created.and_then(|created| purge_at(created, report.now, &done.limits));
    is_alive(done) && taken.is_some_and(|at| at - report.now <= subject.settings.remind_before)
}

/// Nothing says that the key does not work any more.
pub fn is_alive(done: &Done) -> bool {
    done.failure.as_ref().is_none_or(|failure| failure.exit != Exit::CannotSignIn)
}
