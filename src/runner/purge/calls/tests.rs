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

/// No call of it is ever made.
struct Nowhere;

impl Directory for Nowhere {
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
        unreachable!()
    }
    async fn delete(&self, _: &str, _: &KeyId) -> Result<RequestId, CallError> {
        unreachable!()
    }
}

const DELETE: &str = action::DELETE_ACCESS_KEY;

#[tokio::test(start_paused = true)]
async fn an_action_is_throttled_out_by_the_refusals_of_all_its_callers() {
    let brakes = Brakes::new(&Stopping, None, 1);
    let calls = Calls::new(&Nowhere, &brakes, TimeDelta::seconds(20));
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
    let calls = Calls::new(&Nowhere, &brakes, TimeDelta::seconds(20));
    let message = String::new();
    calls.give_up(CallError { action: DELETE, cause: Cause::Throttled, code: None, message });
    assert!(calls.throttled_out(action::TAG_USER, 0, Instant::now()));
}
