//! Simulations of the pace against token buckets, in virtual time: no clock, no chance.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::*;

/// IAM's side: refused calls cost no token.
struct Bucket {
    /// (from when, tokens per s), in order.
    rates: Vec<(f64, f64)>,
    depth: f64,
    tokens: f64,
    at: f64,
}

impl Bucket {
    fn new(rate: f64, depth: f64) -> Self {
        Self { rates: vec![(0.0, rate)], depth, tokens: depth, at: 0.0 }
    }

    fn take(&mut self, now: f64) -> bool {
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

/// A generator of our own: the same figures on every machine.
struct Dice(u64);

impl Dice {
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
struct Run {
    pace: Pace,
    left: u64,
    served: u64,
    ended: f64,
    /// When it will ask again.
    wake: u64,
}

struct Call {
    run: usize,
    ticket: Option<Ticket>,
    back: u64,
    served: bool,
}

struct World {
    bucket: Option<Bucket>,
    latency: f64,
    /// ± this share of the latency.
    jitter: f64,
    /// Timers fire late by up to this, in s.
    lateness: f64,
    dice: Dice,
    runs: Vec<Run>,
    calls: Vec<Call>,
    events: BinaryHeap<Reverse<(u64, What, usize)>>,
}

impl World {
    fn new(bucket: Option<Bucket>, latency: f64, jitter: f64, calls: &[u64]) -> Self {
        let runs = calls.iter().map(|left| Run { pace: Pace::new(64), left: *left, served: 0, ended: 0.0, wake: 0 });
        let (runs, dice) = (runs.collect(), Dice(7));
        Self { bucket, latency, jitter, lateness: 0.0, dice, runs, calls: Vec::new(), events: BinaryHeap::new() }
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
                    self.calls.push(Call { run, ticket: Some(ticket), back, served: false });
                    self.events.push(Reverse((now + nanos(way / 2.0), What::Arrive(call), run)));
                }
            }
        }
    }

    fn play(mut self) -> Vec<Run> {
        for run in 0..self.runs.len() {
            self.ask(0, run);
        }
        while let Some(Reverse((now, what, run))) = self.events.pop() {
            match what {
                What::Wake => self.ask(now, run),
                What::Arrive(call) => {
                    self.calls[call].served = self.bucket.as_mut().is_none_or(|bucket| bucket.take(seconds(now)));
                    let back = self.calls[call].back;
                    self.events.push(Reverse((back, What::Answer(call), run)));
                }
                What::Answer(call) => {
                    let call = &mut self.calls[call];
                    let answer = if call.served { Answer::Served } else { Answer::Refused };
                    let run = &mut self.runs[call.run];
                    run.pace.answered(call.ticket.take().unwrap(), seconds(now), answer);
                    run.served += u64::from(call.served);
                    run.left += u64::from(!call.served);
                    run.ended = seconds(now);
                    let run = call.run;
                    self.ask(now, run);
                }
            }
        }
        for run in &self.runs {
            assert_eq!((run.left, run.pace.calls()), (0, run.served + run.pace.throttled()));
        }
        self.runs
    }
}

#[test]
fn a_throttled_run_takes_the_buckets_own_time() {
    for latency in [0.001, 0.005, 0.03] {
        let run = World::new(Some(Bucket::new(20.0, 40.0)), latency, 0.3, &[375]).play().pop().unwrap();
        let ideal = (375.0 - 40.0) / 20.0;
        assert!(run.ended <= 1.05 * ideal && run.pace.throttled() <= 5, "{} {}", run.ended, run.pace.throttled());
    }
}

#[test]
fn a_run_that_is_never_throttled_soon_uses_the_whole_window() {
    for (calls, within) in [(51, 1.0), (1803, 2.5)] {
        let run = World::new(None, 0.03, 0.3, &[calls]).play().pop().unwrap();
        assert!(run.ended < within, "{calls} calls: {} s", run.ended);
    }
}
