//! One-time codes per RFC 6238: SHA-1, 30 seconds, six digits, one step of grace to either side, each code once.

use std::collections::BTreeSet;

use totp_rs::{Builder, Secret, Totp};

use super::clock::Time;
use super::wire::Failure;
use super::world::User;

pub struct Device {
    pub serial: String,
    pub enabled: Time,
    totp: Totp,
    used_steps: BTreeSet<u64>,
}

const STEP: u64 = 30;

fn seconds(now: Time) -> u64 {
    u64::try_from(now.timestamp()).expect("a time after 1970")
}

impl Device {
    pub fn new(serial: String, seed: &[u8], enabled: Time) -> Device {
        let totp = Builder::new().with_secret(Secret::from(seed)).build().expect("a seed of RFC 6238's length");
        Device { serial, enabled, totp, used_steps: BTreeSet::new() }
    }

    pub fn code_at(&self, now: Time) -> String {
        self.totp.generate(seconds(now)).to_string()
    }

    /// The first code from now on that was not used yet.
    pub fn next_code(&self, now: Time) -> String {
        let mut step = seconds(now) / STEP;
        while self.used_steps.contains(&step) {
            step += 1;
        }
        self.totp.generate(step * STEP).to_string()
    }

    pub fn seed_base32(&self) -> String {
        self.totp.secret().to_base32()
    }

    fn take(&mut self, code: &str, now: Time) -> Result<(), Failure> {
        let step = self.totp.check(code, seconds(now)).filter(|step| !self.used_steps.contains(step));
        let Some(step) = step else {
            return Err(Failure::denied("MultiFactorAuthentication failed with invalid MFA one time pass code. "));
        };
        self.used_steps.insert(step);
        Ok(())
    }
}

/// Whether the caller showed MFA; an error if it tried and failed.
pub fn check(user: &mut User, serial: Option<&str>, code: Option<&str>, now: Time) -> Result<bool, Failure> {
    let (serial, code) = match (serial, code) {
        (None, None) => return Ok(false),
        (Some(serial), Some(code)) => (serial, code),
        _ => {
            let message =
                "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.";
            return Err(Failure::denied(message));
        }
    };
    if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        let what = "Value at 'tokenCode' failed to satisfy constraint: Member must satisfy regular expression pattern: \
                    [\\d]*";
        return Err(Failure::validation(what));
    }
    // STS takes codes only, so a passkey's serial is as good as none.
    let fits = |device: &&mut Device| device.serial == serial && !serial.contains(":u2f/");
    let Some(device) = user.devices.iter_mut().find(fits) else {
        let message = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial \
                       number is valid and associated with this user.";
        return Err(Failure::denied(message));
    };
    device.take(code, now)?;
    Ok(true)
}
