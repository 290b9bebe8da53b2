//! Whether a run that did not end well needs a person, or only its next turn.

use chrono::TimeDelta;

use crate::cli::machine::Subject;
use crate::cli::rotate::Done;
use crate::keys::facts::Time;
use crate::keys::journal::Rotation;
use crate::keys::lifecycle::purge_at;
use crate::keys::rotation::Blocked;
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
    let mends_itself = match &done.report.end {
        _ if stopped => return Verdict::Later,
        End::Halted(Halt::Stopped) => true,
        End::Halted(Halt::Call(error)) => {
            matches!(error.cause, Cause::Unreachable | Cause::Throttled | Cause::Ambiguous)
        }
        End::Halted(Halt::Unfinished { .. }) => !done.report.rotation.as_ref().is_some_and(|open| lasts(open, done)),
        _ => false,
    };
    let near = purge_is_near(subject, takeable(done), done.report.now);
    if mends_itself && !near { Verdict::Later } else { Verdict::Person { sharp: near } }
}

fn lasts(open: &Rotation, done: &Done) -> bool {
    done.report.now - open.began >= LASTS
}

/// CreateDate of the key, where the purge may still take it: of one that is gone or off already there is nothing left.
pub fn takeable(done: &Done) -> Option<Time> {
    let dead = matches!(
        &done.report.end,
        End::Halted(Halt::CannotSignIn { .. })
            | End::Blocked(Blocked::TargetGone { .. } | Blocked::TargetNotActive { .. })
    );
    done.report.created.filter(|_| !dead)
}

/// The purge takes a key of this CreateDate within `notify.remind_before`.
pub fn purge_is_near(subject: &Subject, created: Option<Time>, now: Time) -> bool {
    let taken = created.and_then(|created| purge_at(created, now, &subject.settings.limits));
    taken.is_some_and(|at| at - now <= subject.settings.remind_before)
}
