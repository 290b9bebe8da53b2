//! The gate that every port call goes through: it counts, strikes with the planned faults, lets the
//! process die, and has the invariants checked after every effect.

use std::cell::RefCell;
use std::future;

use chrono::TimeDelta;

use keyrot_me::keys::facts::Time;
use keyrot_me::ports::{CallError, Cause, StoreError, World};

use super::schedule::{At, Fault, Op, Planned};
use super::state::{CALL_TIMEOUT, State, seconds};

/// The whole world of one play.
pub struct Model(RefCell<State>);

impl World for Model {
    type Iam = Self;
    type Store = Self;
    type Journal = Self;
    type Clock = Self;
    type Desk = Self;

    fn iam(&self) -> &Self {
        self
    }
    fn store(&self) -> &Self {
        self
    }
    fn journal(&self) -> &Self {
        self
    }
    fn clock(&self) -> &Self {
        self
    }
    fn desk(&self) -> &Self {
        self
    }
}

impl Model {
    pub fn new(state: State) -> Self {
        Self(RefCell::new(state))
    }

    pub fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.0.borrow_mut())
    }

    pub fn into_state(self) -> State {
        self.0.into_inner()
    }

    /// A call on the wire.
    pub async fn call<T>(
        &self,
        op: Op,
        what: &str,
        act: impl FnOnce(&mut State) -> Result<T, Cause>,
    ) -> Result<T, CallError> {
        let Some(faults) = self.with(|s| s.enter(op, what)) else { return future::pending().await };
        let answer = self.with(|s| s.answer(op, &faults, act));
        if !self.with(|s| s.leave(op, &faults, answer.as_ref().err().copied())) {
            return future::pending().await;
        }
        answer.map_err(|cause| CallError { action: "iam:Model", cause, code: None, message: format!("{op:?}") })
    }

    /// A call on the disk.
    pub fn disk<T>(
        &self,
        op: Op,
        what: &str,
        act: impl FnOnce(&mut State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let gone = || StoreError { message: format!("{op:?} failed"), hint: None, needs_decision: false };
        let Some(faults) = self.with(|s| s.enter(op, what)) else { return Err(gone()) };
        let fails =
            |s: &State, acts| faults.contains(&Fault::DiskFull(acts)) || (!acts && s.run.disk_full && !op.reads());
        if self.with(|s| fails(s, false)) {
            self.with(|s| s.note(|| "   failed".into()));
            return Err(gone());
        }
        let done = self.with(act);
        let fails_after = faults.contains(&Fault::DiskFull(true));
        if !self.with(|s| s.leave(op, &faults, None)) || fails_after {
            return Err(gone());
        }
        done
    }
}

impl State {
    /// The faults that strike this call, or `None` for a process that is dead.
    pub fn enter(&mut self, op: Op, what: &str) -> Option<Vec<Fault>> {
        if self.run.dead {
            return None;
        }
        let (call, nth) = (self.run.calls, self.run.of_op[op as usize]);
        self.run.calls += 1;
        self.run.of_op[op as usize] += 1;
        if !op.reads() {
            self.run.acting.push(call);
        }
        if !op.reads() {
            self.note(|| format!("{op:?} {what}"));
        }
        let strikes = |planned: &&Planned| {
            planned.run == self.run.number && (planned.at == At::Call(call) || planned.at == At::Nth(op, nth))
        };
        let off = self.run.faults_off;
        let faults: Vec<Fault> =
            self.schedule.faults.iter().filter(strikes).filter(|_| !off).map(|planned| planned.fault).collect();
        for fault in &faults {
            self.note(|| format!("-- {fault:?} at {op:?}"));
            self.befall(*fault);
        }
        (!self.run.dead).then_some(faults)
    }

    fn befall(&mut self, fault: Fault) {
        match fault {
            Fault::DiesBefore => self.run.dead = true,
            Fault::Slept(long) => self.now += seconds(long),
            Fault::NewKeyRefused(long) => self.refused_until = Some(self.now + seconds(long)),
            Fault::Stop => self.run.stop = true,
            Fault::DiskStaysFull => self.run.disk_full = true,
            Fault::Outside(deed) => self.meddle(deed),
            _ => {}
        }
    }

    fn answer<T>(
        &mut self,
        op: Op,
        faults: &[Fault],
        act: impl FnOnce(&mut Self) -> Result<T, Cause>,
    ) -> Result<T, Cause> {
        self.now += TimeDelta::milliseconds(self.schedule.nature.latency / 2);
        for fault in faults {
            match fault {
                Fault::LostBefore => return self.lost(),
                Fault::LostAfter => {
                    let _ = act(self);
                    self.remember();
                    return self.lost();
                }
                Fault::Unreachable => return Err(Cause::Unreachable),
                Fault::Throttled => return self.refused(Cause::Throttled),
                Fault::Denied if op != Op::Identity => return self.refused(Cause::AccessDenied),
                Fault::SessionExpired if !matches!(op, Op::Identity | Op::OpenSession) => {
                    return self.refused(Cause::SessionExpired);
                }
                Fault::CodeRefused if op == Op::OpenSession => return self.refused(Cause::MfaCodeRefused),
                _ => {}
            }
        }
        let answer = act(self);
        self.remember();
        self.answered();
        if let (Op::CreateKey, Some(create)) = (op, self.creates.last_mut()) {
            create.ended = self.now;
        }
        answer
    }

    fn lost<T>(&mut self) -> Result<T, Cause> {
        self.now += seconds(CALL_TIMEOUT);
        Err(Cause::Ambiguous)
    }

    fn refused<T>(&mut self, cause: Cause) -> Result<T, Cause> {
        self.answered();
        Err(cause)
    }

    /// Every answer carries a `Date`, in whole seconds.
    fn answered(&mut self) {
        let date = Time::from_timestamp(self.now.timestamp(), 0).unwrap();
        self.now += TimeDelta::milliseconds(self.schedule.nature.latency / 2);
        let offset = date - (self.now + self.skew);
        self.offset = Some(if self.schedule.nature.whole_offset { seconds(offset.num_seconds()) } else { offset });
    }

    /// After the effect. False when the process died right here.
    fn leave(&mut self, op: Op, faults: &[Fault], refusal: Option<Cause>) -> bool {
        if let Some(cause) = refusal {
            self.note(|| format!("   {cause:?}"));
        }
        if !op.reads() {
            self.check_always();
        }
        if faults.contains(&Fault::DiesAfter) {
            self.run.dead = true;
        }
        !self.run.dead
    }
}
