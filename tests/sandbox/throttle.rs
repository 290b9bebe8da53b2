//! AWS's throttling: one token bucket per account and service, on the sandbox's clock.

use super::clock::Time;
use super::wire::{Failure, Service};
use super::world::World;

pub struct Bucket {
    tokens: f64,
    filled: Time,
}

pub fn admit(world: &mut World, key_id: &str, service: Service, now: Time) -> Result<(), Failure> {
    let Some(&(rate, burst)) = world.settings.rates.get(&service) else { return Ok(()) };
    let Some(account) = world.account_of_signer(key_id) else { return Ok(()) };
    let bucket = world.buckets.entry((account, service)).or_insert(Bucket { tokens: burst, filled: now });
    let elapsed = (now - bucket.filled).to_std().unwrap_or_default().as_secs_f64();
    bucket.tokens = (bucket.tokens + elapsed * rate).min(burst);
    bucket.filled = now;
    if bucket.tokens < 1.0 {
        return Err(Failure::throttled());
    }
    bucket.tokens -= 1.0;
    Ok(())
}
