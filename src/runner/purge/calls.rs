//! The calls into one account: paced, repeated where that is safe, and lists followed to their end.
//!
//! A list that stops half-way is an error here, never a short list (I4).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::{Mutex, Notify, Semaphore};
use tokio::time::Instant;

use super::pace::{Admission, Answer, Pace, Ticket};
use crate::keys::facts::{KeyFacts, KeyId};
use crate::keys::purge::UserFacts;
use crate::keys::purge::row::Stopped;
use crate::ports::{CallError, Cause, Clock, Directory, KeyUse, Page, RequestId, TaggedUser, action};

/// Calls of one account that may be in flight together, where nothing throttles.
const MOST_IN_FLIGHT: u32 = 64;
/// After a stop, what completes a write is begun for so long: who asked waits.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// After the deadline for so long, in s, whenever it was noticed: a write that was under way then is answered or given up
/// before, and a function that is killed 40 s after it has the rest for its report.
const LAST_WORDS_AFTER_DEADLINE: TimeDelta = TimeDelta::seconds(15);
/// After a stop the clock does not sleep any more: what waits its turn looks so often.
const GLANCE: Duration = Duration::from_millis(50);
/// A call whose answer was lost is made again so often.
const REPETITIONS: u32 = 2;
/// Milliseconds before the first repetition; three times that before the second.
const FIRST_BACKOFF: i64 = 200;
/// A call is throttled out no sooner than after so many refusals: of its own, or of its action's in a row.
const FEWEST_REFUSALS: u32 = 6;
/// A caller asks so often at least before it believes its action's row: that may be a single wave, long over.
const FEWEST_TRIES: u32 = 2;
/// More pages than IAM's quotas can fill (5,000 users, 300 groups) are a server that goes in circles.
const MOST_PAGES: u32 = 1_000;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    Call(CallError),
    /// The run was to end before the call was made.
    Stopped(Stopped),
}

impl Failed {
    /// In words for a report.
    pub fn cause(&self) -> String {
        match self {
            Self::Call(error) => error.to_string(),
            Self::Stopped(why) => stopped_words(*why).to_owned(),
        }
    }
}

/// True where the credentials will sign no other call either.
pub fn signs_nothing(error: &CallError) -> bool {
    matches!(error.cause, Cause::KeyNotAccepted | Cause::SessionExpired | Cause::SignatureRefused)
}

/// What a report says of a stop.
pub fn stopped_words(why: Stopped) -> &'static str {
    match why {
        Stopped::Asked => "the run was stopped before its end",
        Stopped::OutOfTime => "the run's time was over",
        Stopped::Unreported => "a report could not be written any more",
    }
}

/// The whole run's brakes, shared by all accounts.
pub struct Brakes<'a, C> {
    pub clock: &'a C,
    /// In local time.
    pub deadline: Option<crate::keys::facts::Time>,
    /// Of all accounts together: each call in flight is a connection with its buffers.
    pub in_flight: Semaphore,
    /// A report could not be written: nothing may be done that is not on record.
    pub unreported: Cell<bool>,
    /// When it was first seen that the run is to end.
    seen: Cell<Option<Instant>>,
}

impl<'a, C: Clock> Brakes<'a, C> {
    pub fn new(clock: &'a C, deadline: Option<crate::keys::facts::Time>, in_flight: usize) -> Self {
        let in_flight = Semaphore::new(in_flight);
        Self { clock, deadline, in_flight, unreported: Cell::new(false), seen: Cell::default() }
    }

    /// Why a call of this urgency is not to be begun any more.
    fn refusal(&self, urgency: Urgency) -> Option<Stopped> {
        let why = self.stopped()?;
        let seen = self.seen.get().unwrap_or_else(Instant::now);
        self.seen.set(Some(seen));
        let over = match why {
            Stopped::OutOfTime => self.is_past(LAST_WORDS_AFTER_DEADLINE),
            Stopped::Asked | Stopped::Unreported => seen.elapsed() >= LAST_WORDS,
        };
        (urgency == Urgency::Ordinary || over).then_some(why)
    }

    /// True where the deadline was so long ago.
    fn is_past(&self, by: TimeDelta) -> bool {
        self.deadline.is_some_and(|deadline| self.clock.now() >= deadline + by)
    }

    pub fn stopped(&self) -> Option<Stopped> {
        if self.unreported.get() {
            Some(Stopped::Unreported)
        } else if self.clock.stop_requested() {
            Some(Stopped::Asked)
        } else if self.is_past(TimeDelta::zero()) {
            Some(Stopped::OutOfTime)
        } else {
            None
        }
    }
}

/// Whether a call may still be begun after a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    Ordinary,
    /// It completes a write that was made already.
    Completing,
}

/// Refusals without one call served between them.
struct Row {
    refused: u32,
    since: Instant,
}

/// One account's calls.
pub struct Calls<'a, D, C> {
    directory: &'a D,
    brakes: &'a Brakes<'a, C>,
    patience: TimeDelta,
    pace: RefCell<Pace>,
    answered: Notify,
    /// Calls that were admitted, and stopped before they were sent.
    unsent: Cell<u64>,
    /// One caller asks the pace at a time, so that an answer wakes one and not all.
    door: Mutex<()>,
    began: Instant,
    /// Of each action since it was last served.
    rows: RefCell<BTreeMap<&'static str, Row>>,
    /// Set once no further call can succeed: throttled out, or the credentials are not taken any more.
    broken: RefCell<Option<CallError>>,
}

impl<'a, D: Directory, C: Clock> Calls<'a, D, C> {
    pub fn new(directory: &'a D, brakes: &'a Brakes<'a, C>, patience: TimeDelta) -> Self {
        Self {
            directory,
            brakes,
            patience,
            pace: RefCell::new(Pace::new(MOST_IN_FLIGHT)),
            answered: Notify::new(),
            unsent: Cell::default(),
            door: Mutex::new(()),
            began: Instant::now(),
            rows: RefCell::default(),
            broken: RefCell::default(),
        }
    }

    /// Calls made, and how many of them were throttled.
    pub fn made(&self) -> (u64, u64) {
        let pace = self.pace.borrow();
        (pace.calls() - self.unsent.get(), pace.throttled())
    }

    /// The error after which this account is given up.
    pub fn broken(&self) -> Option<CallError> {
        self.broken.borrow().clone()
    }

    pub async fn group(&self, name: &str) -> Result<Vec<UserFacts>, Failed> {
        self.all(action::GET_GROUP, async |marker: Option<&str>| self.directory.group_page(name, marker).await).await
    }

    pub async fn users(&self) -> Result<Vec<UserFacts>, Failed> {
        self.all(action::LIST_USERS, async |marker: Option<&str>| self.directory.users_page(marker).await).await
    }

    pub async fn user(&self, name: &str) -> Result<TaggedUser, Failed> {
        self.repeated(action::GET_USER, Urgency::Ordinary, async || self.directory.user(name).await).await
    }

    pub async fn groups_of(&self, user: &str) -> Result<Vec<String>, Failed> {
        self.all(action::LIST_GROUPS_FOR_USER, async |marker: Option<&str>| {
            self.directory.groups_page(user, marker).await
        })
        .await
    }

    pub async fn keys_of(&self, user: &str) -> Result<Vec<KeyFacts>, Failed> {
        self.all(action::LIST_ACCESS_KEYS, async |marker: Option<&str>| self.directory.keys_page(user, marker).await)
            .await
    }

    pub async fn key_use(&self, key: &KeyId) -> Result<KeyUse, Failed> {
        self.repeated(action::GET_ACCESS_KEY_LAST_USED, Urgency::Ordinary, async || self.directory.key_use(key).await)
            .await
    }

    pub async fn tag(&self, user: &str, name: &str, value: &str) -> Result<RequestId, Failed> {
        self.repeated(action::TAG_USER, Urgency::Completing, async || self.directory.tag(user, name, value).await).await
    }

    pub async fn untag(&self, user: &str, names: &[String]) -> Result<RequestId, Failed> {
        self.repeated(action::UNTAG_USER, Urgency::Completing, async || self.directory.untag(user, names).await).await
    }

    /// Never repeated: what was read before it would be stale.
    pub async fn disable(&self, user: &str, key: &KeyId) -> Result<RequestId, Failed> {
        self.once(action::UPDATE_ACCESS_KEY, Urgency::Ordinary, &async || self.directory.disable(user, key).await).await
    }

    /// Never repeated: what was read before it would be stale.
    pub async fn delete(&self, user: &str, key: &KeyId) -> Result<RequestId, Failed> {
        self.once(action::DELETE_ACCESS_KEY, Urgency::Ordinary, &async || self.directory.delete(user, key).await).await
    }

    /// Follows a list to its end.
    async fn all<T>(
        &self,
        action: &'static str,
        page: impl AsyncFn(Option<&str>) -> Result<Page<T>, CallError>,
    ) -> Result<Vec<T>, Failed> {
        let (mut items, mut marker) = (Vec::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            let answer = self.repeated(action, Urgency::Ordinary, async || page(marker.as_deref()).await).await?;
            items.extend(answer.items);
            match answer.next {
                None => return Ok(items),
                next if next == marker => break,
                next => marker = next,
            }
        }
        let message = "the list goes on without end".to_owned();
        Err(Failed::Call(CallError { action, cause: Cause::Ambiguous, code: None, message }))
    }

    /// Makes a call that may be made again: until it is answered, throttled out, or lost too often.
    async fn repeated<T>(
        &self,
        action: &'static str,
        urgency: Urgency,
        call: impl AsyncFn() -> Result<T, CallError>,
    ) -> Result<T, Failed> {
        let (mut lost, mut refused, began) = (0, 0, Instant::now());
        loop {
            let error = match self.once(action, urgency, &call).await {
                Err(Failed::Call(error)) => error,
                ended => return ended,
            };
            match error.cause {
                Cause::Throttled => {
                    refused += 1;
                    if self.throttled_out(action, refused, began) {
                        return Err(Failed::Call(self.give_up(error)));
                    }
                }
                Cause::Ambiguous | Cause::Unreachable if lost < REPETITIONS => {
                    self.brakes.clock.sleep(TimeDelta::milliseconds(FIRST_BACKOFF * 3_i64.pow(lost))).await;
                    lost += 1;
                }
                _ => return Err(Failed::Call(error)),
            }
        }
    }

    /// True where the account is given up already, or a call that began then was refused often and long enough: it
    /// alone, or all calls of its action. Each refusal slows the account down, so that several callers who waited
    /// one after the other would wait for minutes.
    pub fn throttled_out(&self, action: &'static str, refused: u32, began: Instant) -> bool {
        let long = |since: Instant| TimeDelta::from_std(since.elapsed()).is_ok_and(|spent| spent >= self.patience);
        let by_row = |row: &Row| refused >= FEWEST_TRIES && row.refused >= FEWEST_REFUSALS && long(row.since);
        self.broken.borrow().is_some()
            || (refused >= FEWEST_REFUSALS && long(began))
            || self.rows.borrow().get(action).is_some_and(by_row)
    }

    fn count(&self, action: &'static str, answer: Answer) {
        let mut rows = self.rows.borrow_mut();
        match answer {
            Answer::Refused => {
                let row = rows.entry(action).or_insert_with(|| Row { refused: 0, since: Instant::now() });
                row.refused += 1;
            }
            Answer::Served => drop(rows.remove(action)),
            Answer::Lost => {}
        }
    }

    /// Nothing more is asked of this account.
    pub fn give_up(&self, error: CallError) -> CallError {
        self.broken.borrow_mut().get_or_insert(error).clone()
    }

    /// One call at the account's pace.
    async fn once<T>(
        &self,
        action: &'static str,
        urgency: Urgency,
        call: &impl AsyncFn() -> Result<T, CallError>,
    ) -> Result<T, Failed> {
        let ticket = self.admitted(urgency).await?;
        let permit = self.brakes.in_flight.acquire().await;
        // It may have waited long for the other accounts' calls.
        if let Some(why) = self.brakes.refusal(urgency) {
            self.unsent.set(self.unsent.get() + 1);
            self.returned(ticket, Answer::Lost);
            return Err(Failed::Stopped(why));
        }
        // On the heap, and only now: an SDK call's state is 10 KiB, and many more calls wait than are under way.
        let answer = Box::pin(call()).await;
        drop(permit);
        let kind = match answer.as_ref().map_err(|error| error.cause) {
            Err(Cause::Throttled) => Answer::Refused,
            Err(Cause::Ambiguous | Cause::Unreachable) => Answer::Lost,
            _ => Answer::Served,
        };
        self.count(action, kind);
        self.returned(ticket, kind);
        answer.map_err(|error| Failed::Call(if signs_nothing(&error) { self.give_up(error) } else { error }))
    }

    fn returned(&self, ticket: Ticket, kind: Answer) {
        self.pace.borrow_mut().answered(ticket, self.elapsed(), kind);
        self.answered.notify_waiters();
    }

    async fn admitted(&self, urgency: Urgency) -> Result<Ticket, Failed> {
        let _one_at_a_time = self.door.lock().await;
        loop {
            if let Some(error) = self.broken() {
                return Err(Failed::Call(error));
            }
            if let Some(why) = self.brakes.refusal(urgency) {
                return Err(Failed::Stopped(why));
            }
            let answered = self.answered.notified();
            let admission = self.pace.borrow_mut().ask(self.elapsed());
            match admission {
                Admission::Go(ticket) => return Ok(ticket),
                Admission::At(at) => self.sleep_until(at, answered).await,
                Admission::WhenAnswered => answered.await,
            }
        }
    }

    /// An answer may change the pace before its time.
    async fn sleep_until(&self, at: f64, answered: impl Future<Output = ()>) {
        let wait = Duration::try_from_secs_f64(at - self.elapsed()).unwrap_or_default();
        let slept = async {
            match self.brakes.stopped() {
                None => self.brakes.clock.sleep(TimeDelta::from_std(wait).unwrap_or_default()).await,
                Some(_) => tokio::time::sleep(wait.min(GLANCE)).await,
            }
        };
        tokio::select! { () = slept => {}, () = answered => {} }
    }

    fn elapsed(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }
}

#[cfg(test)]
mod tests;
