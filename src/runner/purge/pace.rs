//! How fast the calls of one account may come: learnt from its answers, since IAM's limits are unpublished.
//!
//! A state machine without a clock of its own: times come in as seconds since the purge began.
//!
//! Behind the calls a token bucket of unknown rate and depth is supposed. Whenever it refuses, it holds less
//! than one token, so the calls served between two refusals are what came in between: that measures its rate
//! to one call, and no table of limits is needed. Own code, because `governor` keeps to a rate that is known,
//! and the SDK's adaptive retry mode takes dozens of refusals to find one.

/// Calls at once at first: few are on their way to be refused when the bucket runs dry.
const FIRST_WINDOW: u32 = 2;
/// The window stays small until it would have emptied a bucket of so many calls per s and of so many in hand:
/// where there is such a limit, it shows itself before many calls are on their way.
const USUAL_RATE: f64 = 20.0;
const USUAL_DEPTH: f64 = 50.0;
/// Further calls, beyond the usual rate, before each doubling of the window from then on.
const CLEAN: f64 = 24.0;
/// How long a full window is kept, in s: far from the service a small one empties no bucket.
const LONGEST_STEP: f64 = 1.5;
/// How long the small window after a refusal is kept, in s: one and as many as it is wide, up to this. One that
/// nearly fits takes long to empty the bucket, and is not to be blamed.
const LONGEST_FIT: f64 = 4.0;
/// The pause after the first refusal, in s: the tokens of a second measure the rate to a few per cent.
const PAUSE: f64 = 1.0;
/// It is shorter where fewer calls than this were served before: a shallower bucket is full earlier, and what it
/// would get then is lost.
const CALLS_PER_PAUSE: f64 = 20.0;
const SHORTEST_PAUSE: f64 = 0.05;
/// The longest pause, in s: one call each 10 s asks whether an account that serves nothing is back.
const LONGEST_PAUSE: f64 = 10.0;
/// Below the measured rate, so that the bucket is not kept at the brink.
const MARGIN: f64 = 0.99;
/// What a refusal leaves of the pace at least: the mean since the last one is too low where it has grown since.
const LARGEST_CUT: f64 = 0.8;
/// A measured rate has grown by this share after a time in proportion to the interval measured, and then ever
/// faster: IAM's other callers come and go.
const DOUBT: f64 = 0.01;
const MEMORY: f64 = 3.0;
/// That interval, in s, at most: an account that is freed is at double rate after 50 s, and one that is not
/// refuses about each 15 s.
const LONGEST_MEMORY: f64 = 3.5;
/// A call that is late by up to this, in s, is made up for: timers are late, and a bucket fills meanwhile.
const CREDIT: f64 = 0.5;
/// A time no farther off than this, in s, has come: a caller whose timer rounds down must not spin.
const SOON: f64 = 1e-6;

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Any answer of the service but a throttling one, a denial included.
    Served,
    /// Throttled: nothing was done, and the caller must ask again.
    Refused,
    /// A broken connection or a 5xx: says nothing about the rate.
    Lost,
}

/// Whether a call may go out.
#[derive(Debug, PartialEq)]
pub enum Admission {
    Go(Ticket),
    /// Not before this time; ask again then.
    At(f64),
    /// Enough calls are on their way: ask again after the next answer.
    WhenAnswered,
}

/// One call on its way. Each must come back through [`Pace::answered`], a cancelled call's as [`Answer::Lost`]:
/// a ticket that is dropped keeps its slot for ever.
#[derive(Debug, PartialEq)]
#[must_use]
pub struct Ticket {
    number: u64,
    sent: f64,
}

/// A refusal that was acted upon.
#[derive(Debug)]
struct Mark {
    /// The refused call.
    number: u64,
    sent: f64,
    /// Calls before this number were under way when it was answered: their refusals are the same wave.
    wave_end: u64,
    /// Calls after the refused one that were not served.
    unserved: u64,
}

#[derive(Debug)]
enum Phase {
    /// Never refused: the window opens step by step.
    Opening(Opening),
    /// Unpaced through a small window, until the next refusal tells the rate. `amid`: served amid the wave.
    Measuring { amid: u32, since: f64 },
    /// At a measured rate that grows slowly.
    Paced(Rate),
}

/// The first calls.
#[derive(Debug)]
struct Opening {
    /// By how much a bucket of the usual rate would be drained by now.
    drained: f64,
    /// Where the window doubles.
    enough: f64,
    last_served: f64,
    /// Since when the window has been full.
    since: f64,
}

impl Opening {
    fn new() -> Self {
        Self { drained: 0.0, enough: USUAL_DEPTH, last_served: 0.0, since: 0.0 }
    }

    /// The window after one more call was served. One that is not full proves nothing, and stays.
    fn served(&mut self, now: f64, window: u32, full: bool) -> u32 {
        self.drained = (self.drained - USUAL_RATE * (now - self.last_served)).max(0.0) + 1.0;
        self.last_served = now;
        if !full {
            self.since = now;
            return window;
        }
        let wider = if self.drained >= self.enough {
            window
        } else if now - self.since >= LONGEST_STEP {
            (window / 4).max(1)
        } else {
            return window;
        };
        self.since = now;
        self.enough = if self.drained >= USUAL_DEPTH { self.drained + CLEAN } else { USUAL_DEPTH };
        window.saturating_add(wider)
    }
}

/// Calls per s, growing with the time spent at it.
#[derive(Debug)]
struct Rate {
    base: f64,
    /// How long it was measured, in s.
    interval: f64,
    /// Time at this pace, in s.
    age: f64,
}

impl Rate {
    fn measured(base: f64, interval: f64) -> Self {
        Self { base: base.max(1.0 / LONGEST_PAUSE), interval: interval.clamp(SHORTEST_PAUSE, LONGEST_MEMORY), age: 0.0 }
    }

    fn now(&self) -> f64 {
        self.base * (1.0 + DOUBT * (self.age / (MEMORY * self.interval)).powi(3))
    }
}

/// The pace of one account.
#[derive(Debug)]
pub struct Pace {
    most_in_flight: u32,
    window: u32,
    in_flight: u32,
    phase: Phase,
    /// The latest time seen: a clock that steps back is held.
    now: f64,
    /// No call before this time.
    next: f64,
    /// The last pause, in s.
    pause: f64,
    mark: Option<Mark>,
    starved_since: Option<f64>,
    calls: u64,
    served: u64,
    throttled: u64,
}

impl Pace {
    /// At most `most_in_flight` calls at once, and at least one.
    pub fn new(most_in_flight: u32) -> Self {
        let most_in_flight = most_in_flight.max(1);
        Self {
            most_in_flight,
            window: FIRST_WINDOW.min(most_in_flight),
            in_flight: 0,
            phase: Phase::Opening(Opening::new()),
            now: 0.0,
            next: 0.0,
            pause: PAUSE,
            mark: None,
            starved_since: None,
            calls: 0,
            served: 0,
            throttled: 0,
        }
    }

    /// Whether a call may go out at `now`. With none on its way the answer is never `WhenAnswered`.
    pub fn ask(&mut self, now: f64) -> Admission {
        self.tick(now);
        if self.in_flight >= self.window {
            return Admission::WhenAnswered;
        }
        if self.next - self.now > SOON {
            return Admission::At(self.next);
        }
        if let Phase::Paced(rate) = &mut self.phase {
            let gap = 1.0 / rate.now();
            // An idle caller proves nothing: the pace grows with use only.
            if self.now - self.next > CREDIT {
                self.next = self.now - CREDIT;
            } else {
                rate.age += gap;
            }
            self.next += gap;
        }
        let ticket = Ticket { number: self.calls, sent: self.now };
        self.in_flight += 1;
        self.calls += 1;
        Admission::Go(ticket)
    }

    /// Takes the answer to a call.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is good for one answer")]
    pub fn answered(&mut self, ticket: Ticket, now: f64, answer: Answer) {
        let Ticket { number, sent } = ticket;
        self.tick(now);
        let window_was_full = self.in_flight >= self.window;
        self.in_flight = self.in_flight.saturating_sub(1);
        let of_last_wave = self.mark.as_ref().is_some_and(|mark| number < mark.wave_end);
        if answer != Answer::Served
            && let Some(mark) = &mut self.mark
        {
            mark.unserved += u64::from(number > mark.number);
        }
        match answer {
            Answer::Lost => {}
            Answer::Served => {
                self.starved_since = None;
                self.served += 1;
                self.widen(of_last_wave, window_was_full);
            }
            Answer::Refused => {
                self.throttled += 1;
                self.starved_since.get_or_insert(self.now);
                if !of_last_wave {
                    self.refused(number, sent);
                }
            }
        }
    }

    /// Since when refusals have come, in s, without one call served.
    pub fn starved_since(&self) -> Option<f64> {
        self.starved_since
    }

    /// Calls sent.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// Calls refused.
    pub fn throttled(&self) -> u64 {
        self.throttled
    }

    fn tick(&mut self, now: f64) {
        if now.is_finite() {
            self.now = self.now.max(now);
        }
    }

    fn widen(&mut self, of_last_wave: bool, window_was_full: bool) {
        let window = match &mut self.phase {
            Phase::Opening(opening) => opening.served(self.now, self.window, window_was_full),
            // So many calls are on their way at once at the bucket's own rate.
            Phase::Measuring { amid, .. } if of_last_wave => {
                *amid += 1;
                self.window.max(*amid)
            }
            Phase::Measuring { since, .. }
                if window_was_full && self.now - *since >= (1.0 + f64::from(self.window)).min(LONGEST_FIT) =>
            {
                *since = self.now;
                self.window.saturating_add(1)
            }
            Phase::Measuring { .. } | Phase::Paced(_) => return,
        };
        self.window = window.min(self.most_in_flight);
    }

    /// The first refusal of a wave.
    fn refused(&mut self, number: u64, sent: f64) {
        let since = self.mark.as_ref().map(|mark| {
            let calls = (number - mark.number - 1).saturating_sub(mark.unserved - 1);
            (float(calls), (sent - mark.sent).max(SOON))
        });
        match (&self.phase, since) {
            (_, None) => self.measure_after((float(self.served) / CALLS_PER_PAUSE).clamp(SHORTEST_PAUSE, PAUSE)),
            (_, Some((calls, _))) if calls < 1.0 => {
                self.measure_after((2.0 * self.pause).clamp(SHORTEST_PAUSE, LONGEST_PAUSE));
            }
            (Phase::Paced(rate), Some((calls, seconds))) => {
                let last = rate.now();
                let base = (MARGIN * calls / seconds).max(LARGEST_CUT * last);
                self.go_on_at(Rate::measured(base, seconds));
            }
            // It serves again after a long pause, and not necessarily since its beginning.
            (_, Some((calls, _))) if self.pause > PAUSE && calls >= CALLS_PER_PAUSE => self.measure_after(PAUSE),
            (_, Some((calls, seconds))) => self.go_on_at(Rate::measured(MARGIN * calls / seconds, seconds)),
        }
        self.mark = Some(Mark { number, sent, wave_end: self.calls, unserved: 0 });
    }

    fn measure_after(&mut self, pause: f64) {
        self.pause = pause;
        self.next = self.now + pause;
        self.window = 1;
        self.phase = Phase::Measuring { amid: 0, since: self.next };
    }

    /// The first call after two gaps: the bucket needs a token in hand against calls that arrive unevenly.
    fn go_on_at(&mut self, rate: Rate) {
        self.pause = 1.0 / rate.now();
        self.next = self.now + (2.0 * self.pause).min(LONGEST_PAUSE);
        self.window = self.most_in_flight;
        self.phase = Phase::Paced(rate);
    }
}

/// Counts beyond 4 billion are as good as 4 billion here.
fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests;
