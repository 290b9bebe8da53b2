//! What a run that nobody started waits for: a laptop that just woke has no network yet.
//!
//! Nothing is changed here, and no code is asked for.

use chrono::TimeDelta;

use crate::keys::secret::{AccessKey, Signer};
use crate::ports::{Cause, Clock, Desk, Iam, World};

/// Between two looks.
const PAUSE: TimeDelta = TimeDelta::seconds(5);

/// Asks STS who `key` is until a connection is made, whatever the answer; for at most `patience`, and no longer than until
/// a stop is requested. Says whether one was made.
pub async fn reachable<W: World>(world: &W, key: &AccessKey, patience: TimeDelta) -> bool {
    let clock = world.clock();
    let until = clock.now() + patience;
    loop {
        let answer = world.iam().identity(&Signer::Key(key.clone())).await;
        match answer {
            Err(error) if error.cause == Cause::Unreachable => {
                world.desk().tell(&format!("no connection ({error}): waiting for the network"));
            }
            _ => return true,
        }
        clock.sleep(PAUSE.min(until - clock.now())).await;
        if clock.stop_requested() || clock.now() >= until {
            return false;
        }
    }
}
