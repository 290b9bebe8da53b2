//! Buckets, and sessions of roles such as Lambda gives a function, as tests set and read them by hand.

use chrono::TimeDelta;
use hyper::body::Bytes;

use super::policy::Policy;
use super::s3::{Object, Store};
use super::world::{Owner, Session};
use super::{Control, ids};

impl Control {
    pub fn add_bucket(&self, account: &str, name: &str) {
        let store = Store { account: account.to_owned(), ..Store::default() };
        self.world().stores.insert(name.to_owned(), store);
    }

    /// The keys of all objects, in their order.
    pub fn objects(&self, bucket: &str) -> Vec<String> {
        self.world().stores[bucket].objects.keys().cloned().collect()
    }

    /// Content and content type.
    pub fn object(&self, bucket: &str, key: &str) -> Option<(String, String)> {
        let world = self.world();
        let object = world.stores[bucket].objects.get(key)?;
        Some((String::from_utf8(object.bytes.to_vec()).expect("objects of text"), object.kind.clone()))
    }

    pub fn put_object(&self, bucket: &str, key: &str, text: &str) {
        let object = Object::new(Bytes::from(text.to_owned()), "application/octet-stream");
        self.world().stores.get_mut(bucket).expect("a bucket").objects.insert(key.to_owned(), object);
    }

    pub fn delete_object(&self, bucket: &str, key: &str) {
        self.world().stores.get_mut(bucket).expect("a bucket").objects.remove(key);
    }

    /// Beside the policies that it has.
    pub fn allow_role(&self, account: &str, role: &str, document: &str) {
        let mut world = self.world();
        let role = world.account_mut(account).roles.get_mut(role).expect("a role of the sandbox");
        role.policies.push(Policy::parse(document));
    }

    /// In the place of those that it has.
    pub fn set_role_policies(&self, account: &str, role: &str, documents: &[&str]) {
        let mut world = self.world();
        let role = world.account_mut(account).roles.get_mut(role).expect("a role of the sandbox");
        role.policies = documents.iter().map(|document| Policy::parse(document)).collect();
    }

    pub fn remove_role(&self, account: &str, role: &str) {
        self.world().account_mut(account).roles.remove(role);
    }

    /// Id, secret and token of a session of this role, for twelve hours.
    pub fn role_session(&self, account: &str, role: &str) -> (String, String, String) {
        let (now, mut world) = (self.now(), self.world());
        let made = (ids::temporary_key(), ids::secret(), ids::session_token());
        let session = Session {
            secret: made.1.clone(),
            token: made.2.clone(),
            account: account.to_owned(),
            owner: Owner::Role { name: role.to_owned(), session: "function".to_owned() },
            created: now,
            expires: now + TimeDelta::hours(12),
            mfa: false,
        };
        world.sessions.insert(made.0.clone(), session);
        made
    }
}
