//! Keys, sessions and MFA devices, as tests set and read them by hand.

use std::time::Duration;

use chrono::TimeDelta;

use super::clock::{Time, delta, iso, whole_seconds};
use super::mfa::Device;
use super::seed::UserRef;
use super::world::{Key, Owner, Session, Use};
use super::{Control, ids};

#[derive(Clone)]
pub struct KeyState {
    pub id: String,
    pub secret: String,
    pub status: String,
    pub created: Time,
}

/// Keys.
impl Control {
    /// Its id and secret. The quota does not bind this hand; a user is never younger than its keys.
    pub fn seed_key(&self, user: impl Into<UserRef>, created: Time, status: &str) -> (String, String) {
        let (user, mut world) = (user.into(), self.world());
        let account = user.account(&world);
        let mut key = Key::new(ids::long_term_key(), ids::secret(), created);
        status.clone_into(&mut key.status);
        let made = (key.id.clone(), key.secret.clone());
        let created = key.created;
        world.add_key(&account, &user.name, key);
        let owner = world.account_mut(&account).users.get_mut(&user.name).expect("it has a key");
        owner.created = owner.created.min(created);
        made
    }

    pub fn keys_of(&self, user: impl Into<UserRef>) -> Vec<KeyState> {
        self.keys_of_ref(&user.into())
    }

    pub(super) fn keys_of_ref(&self, user: &UserRef) -> Vec<KeyState> {
        let state = |key: &Key| KeyState {
            id: key.id.clone(),
            secret: key.secret.clone(),
            status: key.status.clone(),
            created: key.created,
        };
        self.with_user(user.clone(), |user| user.keys.iter().map(state).collect())
    }

    pub fn key(&self, id: &str) -> Option<KeyState> {
        let (account, user) = self.world().owner_of(id)?;
        self.keys_of((account.as_str(), user.as_str())).into_iter().find(|key| key.id == id)
    }

    /// Any status, also those that IAM alone can set, such as Expired.
    pub fn set_status(&self, id: &str, status: &str) {
        let (account, user) = self.world().owner_of(id).expect("a key of the sandbox");
        let now = self.now();
        self.with_user((account.as_str(), user.as_str()), |user| {
            user.remember_list(now);
            user.key_mut(id).expect("its owner's key").set_status(status, now);
        });
    }

    pub fn delete_key(&self, id: &str) {
        let (now, mut world) = (self.now(), self.world());
        let (account, user) = world.owner_of(id).expect("a key of the sandbox");
        world.remove_key(&account, &user, id, now);
    }

    pub fn set_created(&self, id: &str, created: Time) {
        self.world().long_term_key(id).expect("a key of the sandbox").created = whole_seconds(created);
    }

    pub fn set_last_used(&self, id: &str, at: Time, service: &str, region: &str) {
        let used = Use { at, service: service.to_owned(), region: region.to_owned() };
        self.world().long_term_key(id).expect("a key of the sandbox").uses = vec![used];
    }

    /// As if so much time had passed, for a client whose own clock does not move: all that was is older now.
    pub fn age_everything(&self, by: Duration) {
        let by = delta(by);
        let mut world = self.world();
        for user in world.accounts.values_mut().flat_map(|account| account.users.values_mut()) {
            user.created -= by;
            user.lists_before.iter_mut().for_each(|(changed, _)| *changed -= by);
            for key in &mut user.keys {
                key.created -= by;
                key.made -= by;
                key.uses.iter_mut().for_each(|used| used.at -= by);
                key.status_before.iter_mut().for_each(|(changed, _)| *changed -= by);
            }
        }
        let age_session = |session: &mut Session| {
            session.created -= by;
            session.expires -= by;
        };
        world.sessions.values_mut().for_each(age_session);
        for event in &mut world.events {
            event.at -= by;
            event.record["eventTime"] = iso(event.at).into();
        }
    }

    /// Id, secret and token of a session such as `GetSessionToken` with MFA opens, for one hour.
    pub fn open_session(&self, user: impl Into<UserRef>) -> (String, String, String) {
        let (user, now, mut world) = (user.into(), self.now(), self.world());
        let account = user.account(&world);
        let key_id = world.account(&account).user(&user.name).expect("a user of the sandbox").keys[0].id.clone();
        let (secret, token, expires) = (ids::secret(), ids::session_token(), now + TimeDelta::hours(1));
        let owner = Owner::User { name: user.name, key_id };
        let made = (ids::temporary_key(), secret.clone(), token.clone());
        let session = Session { secret, token, account, owner, created: now, expires, mfa: true };
        world.sessions.insert(made.0.clone(), session);
        made
    }

    /// Id, secret and token of what a sign-in at the console gives (`aws login`), for one hour: no key has made it.
    pub fn sign_in(&self, user: impl Into<UserRef>, mfa: bool) -> (String, String, String) {
        let (user, now, mut world) = (user.into(), self.now(), self.world());
        let account = user.account(&world);
        let (secret, token, expires) = (ids::secret(), ids::session_token(), now + TimeDelta::hours(1));
        let owner = Owner::User { name: user.name, key_id: String::new() };
        let made = (ids::temporary_key(), secret.clone(), token.clone());
        let session = Session { secret, token, account, owner, created: now, expires, mfa };
        world.sessions.insert(made.0.clone(), session);
        made
    }

    /// Every session is over, as after a long sleep.
    pub fn expire_sessions(&self) {
        let now = self.now();
        self.world().sessions.values_mut().for_each(|session| session.expires = now);
    }
}

/// MFA.
impl Control {
    /// A virtual device `arn:…:mfa/USER`.
    pub fn add_totp(&self, user: impl Into<UserRef>) -> String {
        self.add_totp_with(user, &ids::totp_seed())
    }

    pub fn add_totp_with(&self, user: impl Into<UserRef>, seed: &[u8]) -> String {
        let user = user.into();
        let serial = self.user_arn(user.clone()).replacen(":user/", ":mfa/", 1);
        let device = Device::new(serial.clone(), seed, self.now());
        self.with_user(user, |user| user.devices.push(device));
        serial
    }

    /// A device that has no codes: `arn:…:u2f/user/USER/…`.
    pub fn add_passkey(&self, user: impl Into<UserRef>) -> String {
        let user = user.into();
        let tail = format!("/passkey-{}", ids::hex_of_length(8));
        let serial = self.user_arn(user.clone()).replacen(":user/", ":u2f/user/", 1) + &tail;
        let device = Device::new(serial.clone(), &ids::totp_seed(), self.now());
        self.with_user(user, |user| user.devices.push(device));
        serial
    }

    pub fn remove_devices(&self, user: impl Into<UserRef>) {
        self.with_user(user, |user| user.devices.clear());
    }

    pub fn totp_now(&self, user: impl Into<UserRef>) -> String {
        let now = self.now();
        self.with_user(user, |user| user.devices.first().expect("an MFA device").code_at(now))
    }

    /// The first code that was not used yet: this step's or a later one's. STS takes one step ahead.
    pub fn next_totp(&self, user: impl Into<UserRef>) -> String {
        let now = self.now();
        self.with_user(user, |user| user.devices.first().expect("an MFA device").next_code(now))
    }

    /// For other generators of codes.
    pub fn totp_seed_base32(&self, user: impl Into<UserRef>) -> String {
        self.with_user(user, |user| user.devices.first().expect("an MFA device").seed_base32())
    }
}
