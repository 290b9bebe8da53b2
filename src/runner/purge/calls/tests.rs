//! Stops, and giving up.

use super::*;
use crate::keys::facts::Time;
use crate::keys::journal::RotationId;

/// Asked to stop from the start.
struct Stopping;

impl Clock for Stopping {
    fn now(&self) -> Time {
        Time::default()
    }
    async fn sleep(&self, _: TimeDelta) {}
    fn stop_requested(&self) -> bool {
        true
    }
    fn new_rotation_id(&self) -> RotationId {
        RotationId::from_bits(0)
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_stop_nothing_new_is_begun_and_what_completes_a_write_for_seconds_only() {
    let brakes = Brakes::new(&Stopping, None, 1);
    assert_eq!(brakes.refusal(Urgency::Ordinary), Some(Stopped::Asked));
    assert_eq!(brakes.refusal(Urgency::Completing), None);
    tokio::time::advance(LAST_WORDS / 2).await;
    assert_eq!(brakes.refusal(Urgency::Completing), None);
    tokio::time::advance(LAST_WORDS / 2).await;
    assert_eq!(brakes.refusal(Urgency::Completing), Some(Stopped::Asked));
}

/// What the test says it is.
#[derive(Default)]
struct Said {
    now: Cell<Time>,
    stop: Cell<bool>,
}

impl Clock for Said {
    fn now(&self) -> Time {
        self.now.get()
    }
    async fn sleep(&self, _: TimeDelta) {}
    fn stop_requested(&self) -> bool {
        self.stop.get()
    }
    fn new_rotation_id(&self) -> RotationId {
        RotationId::from_bits(0)
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_words_after_a_deadline_end_by_it_however_late_it_was_noticed() {
    let deadline = Time::default();
    for noticed in [0, 10, 14] {
        let clock = Said::default();
        let brakes = Brakes::new(&clock, Some(deadline), 1);
        clock.now.set(deadline + TimeDelta::seconds(noticed));
        assert_eq!(brakes.refusal(Urgency::Ordinary), Some(Stopped::OutOfTime));
        clock.now.set(deadline + TimeDelta::milliseconds(14_999));
        assert_eq!(brakes.refusal(Urgency::Completing), None, "noticed after {noticed} s");
        clock.now.set(deadline + LAST_WORDS_AFTER_DEADLINE);
        assert_eq!(brakes.refusal(Urgency::Completing), Some(Stopped::OutOfTime), "noticed after {noticed} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waited_for_others_is_not_sent_after_a_stop() {
    let (clock, one) = (Said::default(), One::default());
    let brakes = Brakes::new(&clock, None, 1);
    let calls = Calls::new(&one, &brakes, TimeDelta::seconds(20));
    let key = KeyId::new("AKIAIOSFODNN7EXAMPLE").unwrap();
    let stop = async {
        while one.sent.get() == 0 {
            tokio::task::yield_now().await;
        }
        // The other call is admitted, and waits for this one to end.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        clock.stop.set(true);
        one.answer.notify_waiters();
    };
    let (first, second, ()) = tokio::join!(calls.disable("alice", &key), calls.disable("bob", &key), stop);
    assert_eq!((first, second), (Ok(None), Err(Failed::Stopped(Stopped::Asked))));
    assert_eq!((one.sent.get(), calls.made()), (1, (1, 0)));
    assert!(matches!(calls.pace.borrow_mut().ask(calls.elapsed()), Admission::Go(_)), "its slot is free again");
}

/// Of its calls one is ever made, and answered when the test says so.
#[derive(Default)]
struct One {
    sent: Cell<u32>,
    answer: Notify,
}

impl Directory for One {
    fn account(&self) -> Option<String> {
        None
    }
    async fn group_page(&self, _: &str, _: Option<&str>) -> Result<Page<UserFacts>, CallError> {
        unreachable!()
    }
    async fn users_page(&self, _: Option<&str>) -> Result<Page<UserFacts>, CallError> {
        unreachable!()
    }
    async fn user(&self, _: &str) -> Result<TaggedUser, CallError> {
        unreachable!()
    }
    async fn groups_page(&self, _: &str, _: Option<&str>) -> Result<Page<String>, CallError> {
        unreachable!()
    }
    async fn keys_page(&self, _: &str, _: Option<&str>) -> Result<Page<KeyFacts>, CallError> {
        unreachable!()
    }
    async fn key_use(&self, _: &KeyId) -> Result<KeyUse, CallError> {
        unreachable!()
    }
    async fn tag(&self, _: &str, _: &str, _: &str) -> Result<RequestId, CallError> {
        unreachable!()
    }
    async fn untag(&self, _: &str, _: &[String]) -> Result<RequestId, CallError> {
        unreachable!()
    }
    async fn disable(&self, _: &str, _: &KeyId) -> Result<RequestId, CallError> {
        self.sent.set(self.sent.get() + 1);
        self.answer.notified().await;
        Ok(None)
    }
    async fn delete(&self, _: &str, _: &KeyId) -> Result<RequestId, CallError> {
        unreachable!()
    }
}

const DELETE: &str = action::DELETE_ACCESS_KEY;

#[tokio::test(start_paused = true)]
async fn an_action_is_throttled_out_by_the_refusals_of_all_its_callers() {
    let brakes = Brakes::new(&Stopping, None, 1);
    let one = One::default();
    let calls = Calls::new(&one, &brakes, TimeDelta::seconds(20));
    let began = Instant::now();
    for _ in 0..FEWEST_REFUSALS {
        calls.count(DELETE, Answer::Refused);
    }
    assert!(!calls.throttled_out(DELETE, 2, began), "it was not long enough");
    tokio::time::advance(Duration::from_secs(20)).await;
    assert!(calls.throttled_out(DELETE, 2, began));
    assert!(!calls.throttled_out(DELETE, 1, began), "this caller asked once only");
    assert!(!calls.throttled_out(action::TAG_USER, 2, began), "that is another action");
    calls.count(DELETE, Answer::Served);
    assert!(!calls.throttled_out(DELETE, 2, began), "it was served since");
    assert!(calls.throttled_out(DELETE, FEWEST_REFUSALS, began), "this caller alone was refused so often");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_on_in_an_account_that_is_given_up() {
    let brakes = Brakes::new(&Stopping, None, 1);
    let one = One::default();
    let calls = Calls::new(&one, &brakes, TimeDelta::seconds(20));
    let message = String::new();
    calls.give_up(CallError { action: DELETE, cause: Cause::Throttled, code: None, message });
    assert!(calls.throttled_out(action::TAG_USER, 0, Instant::now()));
}
