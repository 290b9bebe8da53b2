//! Token buckets and the purges that call them, in virtual time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::super::*;

/// IAM's side: refused calls cost no token.
pub struct Bucket {
    /// (from when, tokens per s), in order.
    pub rates: Vec<(f64, f64)>,
    depth: f64,
    pub tokens: f64,
    pub at: f64,
}

impl Bucket {
    pub fn new(rate: f64, depth: f64) -> Self {
        Self { rates: vec![(0.0, rate)], depth, tokens: depth, at: 0.0 }
    }

    pub fn take(&mut self, now: f64) -> bool {
        for (i, (from, rate)) in self.rates.iter().enumerate() {
            let until = self.rates.get(i + 1).map_or(f64::INFINITY, |next| next.0);
            let seconds = (now.min(until) - self.at.max(*from)).max(0.0);
            self.tokens = (self.tokens + seconds * rate).min(self.depth);
        }
        self.at = now;
        let served = self.tokens >= 1.0;
        self.tokens -= f64::from(u8::from(served));
        served
    }
}

pub fn answer(served: bool) -> Answer {
    if served { Answer::Served } else { Answer::Refused }
}

/// A generator of our own: the same figures on every machine.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(7919));
        dice.roll();
        dice
    }

    /// In 0..1.
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 32).unwrap()) / f64::from(u32::MAX)
    }
}

/// Virtual time in whole ns, so that events are ordered.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9).ceil() as u64
}

#[allow(clippy::cast_precision_loss)]
fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Wake,
    Arrive(usize),
    Answer(usize),
}

/// One purge: so many calls, all wanted at once.
pub struct Run {
    pub pace: Pace,
    left: u64,
    served: u64,
    lost: u64,
    pub ended: f64,
    /// When it will ask again.
    wake: u64,
}

struct Call {
    run: usize,
    ticket: Option<Ticket>,
    back: u64,
    answer: Answer,
}

pub struct World {
    bucket: Option<Bucket>,
    latency: f64,
    /// ± this share of the latency.
    jitter: f64,
    /// Timers fire late by up to this, in s.
    pub lateness: f64,
    /// The share of the served calls whose answers are lost.
    pub lost: f64,
    pub dice: Dice,
    runs: Vec<Run>,
    calls: Vec<Call>,
    events: BinaryHeap<Reverse<(u64, What, usize)>>,
}

impl World {
    pub fn new(bucket: Option<Bucket>, latency: f64, jitter: f64, calls: &[u64]) -> Self {
        let runs =
            calls.iter().map(|left| Run { pace: Pace::new(64), left: *left, served: 0, lost: 0, ended: 0.0, wake: 0 });
        let (runs, dice) = (runs.collect(), Dice::new(7));
        Self {
            bucket,
            latency,
            jitter,
            lateness: 0.0,
            lost: 0.0,
            dice,
            runs,
            calls: Vec::new(),
            events: BinaryHeap::new(),
        }
    }

    fn ask(&mut self, now: u64, run: usize) {
        while self.runs[run].left > 0 {
            match self.runs[run].pace.ask(seconds(now)) {
                Admission::WhenAnswered => return,
                Admission::At(time) => {
                    assert!(time.is_finite() && time > seconds(now), "{time} at {now}");
                    let wake = nanos(time + self.lateness * self.dice.roll());
                    if self.runs[run].wake <= now || wake < self.runs[run].wake {
                        self.runs[run].wake = wake;
                        self.events.push(Reverse((wake, What::Wake, run)));
                    }
                    return;
                }
                Admission::Go(ticket) => {
                    self.runs[run].left -= 1;
                    let way = self.latency * (1.0 + self.jitter * (2.0 * self.dice.roll() - 1.0));
                    let (call, back) = (self.calls.len(), now + nanos(way));
                    self.calls.push(Call { run, ticket: Some(ticket), back, answer: Answer::Lost });
                    self.events.push(Reverse((now + nanos(way / 2.0), What::Arrive(call), run)));
                }
            }
        }
    }

    pub fn play(mut self) -> Vec<Run> {
        for run in 0..self.runs.len() {
            self.ask(0, run);
        }
        while let Some(Reverse((now, what, run))) = self.events.pop() {
            match what {
                What::Wake => self.ask(now, run),
                What::Arrive(call) => {
                    let served = self.bucket.as_mut().is_none_or(|bucket| bucket.take(seconds(now)));
                    let lost = served && self.lost > 0.0 && self.dice.roll() < self.lost;
                    let (index, call) = (call, &mut self.calls[call]);
                    call.answer = if lost { Answer::Lost } else { answer(served) };
                    self.events.push(Reverse((call.back, What::Answer(index), run)));
                }
                What::Answer(call) => {
                    let call = &mut self.calls[call];
                    let (run, served) = (&mut self.runs[call.run], call.answer == Answer::Served);
                    run.pace.answered(call.ticket.take().unwrap(), seconds(now), call.answer);
                    run.served += u64::from(served);
                    run.lost += u64::from(call.answer == Answer::Lost);
                    run.left += u64::from(!served);
                    run.ended = seconds(now);
                    let run = call.run;
                    self.ask(now, run);
                }
            }
        }
        for run in &self.runs {
            assert_eq!((run.left, run.pace.calls()), (0, run.served + run.lost + run.pace.throttled()));
        }
        self.runs
    }
}
