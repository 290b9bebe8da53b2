//! How fast the calls of one account may come: learnt from its answers, since IAM's limits are unpublished.
//!
//! A state machine without a clock of its own: times come in as seconds since the purge began.
//!
//! Behind the calls a token bucket of unknown rate and depth is supposed. Whenever it refuses, it holds less
//! than one token, so the calls served between two refusals are what came in between: that measures its rate
//! to one call, and no table of limits is needed. Own code, because `governor` keeps to a rate that is known,
//! and the SDK's adaptive retry mode takes dozens of refusals to find one.

/// Two calls at once at first: a burst allowance runs dry here, where few calls are on their way to be refused.
const FIRST_WINDOW: u32 = 2;
/// Answers without a refusal before the window opens. A burst allowance of 40, at 30 ms a call, is gone by then.
const FIRST_CLEAN: u32 = 64;
/// Answers without a refusal before each further step.
const NEXT_CLEAN: u32 = 32;
/// Bounds of the pause after the first refusal, in s: the tokens of a second measure the rate to a few per cent.
const PAUSE: (f64, f64) = (0.05, 1.0);
/// So many calls served before the first refusal are worth a pause of 1 s. A shallower bucket is full earlier,
/// and what it would then have got is lost.
const CALLS_PER_PAUSE: f64 = 20.0;
/// The longest pause, in s: one call each 10 s asks whether an account that serves nothing is back.
const LONGEST_PAUSE: f64 = 10.0;
/// Below the measured rate, so that the bucket is not kept at the brink.
const MARGIN: f64 = 0.99;
/// After a refusal that cannot be measured, because the caller was idle before it.
const BLIND_MARGIN: f64 = 0.95;
/// No single refusal costs more than half of the rate.
const LARGEST_CUT: f64 = 0.5;
/// The least uncertainty of a measured rate that growth goes by: IAM's other callers come and go.
const LEAST_DOUBT: f64 = 0.01;
/// Growth waits in proportion to the interval measured, in s at most: so a freed account is at double rate in 46 s.
const LONGEST_MEMORY: f64 = 5.0;
/// A call that comes late by no more, in s, is made up for. Timers are late, and a bucket fills meanwhile.
const CREDIT: f64 = 0.25;
/// A time no farther off than this, in s, has come: a caller whose timer rounds down must not spin.
const SOON: f64 = 1e-6;
/// Calls per s at most, so that growth stays a number.
const FASTEST: f64 = 1e6;

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
    /// The pace alone held calls back since: a bucket that ran over in between would falsify the measure.
    exact: bool,
}

#[derive(Debug)]
enum Phase {
    /// Never refused: the window opens as answers come.
    Opening { clean: u32, needed: u32 },
    /// Unpaced through a small window, until the next refusal tells the rate.
    Measuring { clean: u32 },
    /// At a measured rate that grows slowly.
    Paced(Rate),
}

/// Calls per s, growing with the time spent at it.
#[derive(Debug)]
struct Rate {
    base: f64,
    /// How far off the measure may be, as a share of it.
    doubt: f64,
    /// How long it was measured, in s.
    memory: f64,
    /// Time at this pace, in s.
    age: f64,
}

impl Rate {
    fn measured(base: f64, calls: f64, seconds: f64) -> Self {
        let slowest = 1.0 / LONGEST_PAUSE;
        let doubt = (1.0 / calls.max(1.0)).max(LEAST_DOUBT);
        let memory = seconds.clamp(PAUSE.0, LONGEST_MEMORY);
        Self { base: base.clamp(slowest, FASTEST), doubt, memory, age: 0.0 }
    }

    /// Stays near what was measured for about as long as that took, then feels for more ever faster.
    fn now(&self) -> f64 {
        let growth = self.doubt * (self.age / (2.0 * self.memory)).powi(3);
        (self.base * (1.0 + growth)).min(FASTEST)
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
            phase: Phase::Opening { clean: 0, needed: FIRST_CLEAN },
            now: 0.0,
            next: 0.0,
            pause: PAUSE.0,
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
            if self.now - self.next > CREDIT {
                self.next = self.now - CREDIT;
                if let Some(mark) = &mut self.mark {
                    mark.exact = false;
                }
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

    /// A window that is not used proves nothing, and stays.
    fn widen(&mut self, of_last_wave: bool, window_was_full: bool) {
        match &mut self.phase {
            Phase::Opening { clean, needed } if window_was_full => {
                *clean += 1;
                if *clean >= *needed {
                    self.window = (self.window * 2).min(self.most_in_flight);
                    (*clean, *needed) = (0, NEXT_CLEAN);
                }
            }
            // Served amid a wave of refusals: so many calls fit on their way at the bucket's rate.
            Phase::Measuring { .. } if of_last_wave => self.window = (self.window + 1).min(self.most_in_flight),
            Phase::Measuring { clean } if window_was_full => {
                *clean += 1;
                if *clean >= NEXT_CLEAN {
                    self.window = (self.window + 1).min(self.most_in_flight);
                    *clean = 0;
                }
            }
            _ => {}
        }
    }

    /// The first refusal of a wave.
    fn refused(&mut self, number: u64, sent: f64) {
        let since = self.mark.as_ref().map(|mark| {
            let calls = (number - mark.number - 1).saturating_sub(mark.unserved - 1);
            (float(calls), (sent - mark.sent).max(1e-6), mark.exact)
        });
        match (&self.phase, since) {
            (_, None) => self.measure_after((float(self.served) / CALLS_PER_PAUSE).clamp(PAUSE.0, PAUSE.1)),
            (_, Some((calls, _, _))) if calls < 1.0 => self.measure_after((2.0 * self.pause).min(LONGEST_PAUSE)),
            (Phase::Paced(rate), Some((calls, seconds, exact))) => {
                let last = rate.now();
                let measured = if exact { MARGIN * (calls / seconds).min(last) } else { BLIND_MARGIN * last };
                self.go_on_at(Rate::measured(measured.max(LARGEST_CUT * last), calls, seconds));
            }
            (_, Some((calls, seconds, _))) => {
                self.go_on_at(Rate::measured(MARGIN * calls / seconds, calls, seconds));
            }
        }
        self.mark = Some(Mark { number, sent, wave_end: self.calls, unserved: 0, exact: true });
    }

    fn measure_after(&mut self, pause: f64) {
        self.pause = pause;
        self.next = self.now + pause;
        self.window = 1;
        self.phase = Phase::Measuring { clean: 0 };
    }

    /// The first call after two gaps: the bucket needs a token in hand against calls that arrive unevenly.
    fn go_on_at(&mut self, rate: Rate) {
        self.pause = 1.0 / rate.now();
        self.next = self.now + 2.0 * self.pause;
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
