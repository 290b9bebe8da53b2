//! State that tests set and read by hand: accounts, users, keys, groups, roles, events. What a hand does here happens
//! at once and needs no permission, as if another administrator had done it.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;

use super::Control;
use super::clock::{Time, delta, whole_seconds};
use super::cloudtrail::Event;
use super::ids;
use super::mfa::Device;
use super::organizations::Organization;
use super::policy::{OWN_KEYS, Policy};
use super::sns::Message;
use super::world::{Group, Key, Role, Session, Use, User, World};

/// The account that is there from the start and meant where none is named.
pub const HOME: &str = "123456789012";

/// A user by name in the home account, or by account and name.
#[derive(Clone, Debug)]
pub struct UserRef {
    account: Option<String>,
    name: String,
}

impl From<&str> for UserRef {
    fn from(name: &str) -> Self {
        UserRef { account: None, name: name.to_owned() }
    }
}

impl From<(&str, &str)> for UserRef {
    fn from((account, name): (&str, &str)) -> Self {
        UserRef { account: Some(account.to_owned()), name: name.to_owned() }
    }
}

impl UserRef {
    fn account(&self, world: &World) -> String {
        self.account.clone().unwrap_or_else(|| world.home.clone())
    }
}

#[derive(Clone)]
pub struct KeyState {
    pub id: String,
    pub secret: String,
    pub status: String,
    pub created: Time,
}

fn policies(documents: &[&str]) -> Vec<Policy> {
    documents.iter().map(|document| Policy::parse(document)).collect()
}

impl Control {
    fn with_user<T>(&self, user: impl Into<UserRef>, change: impl FnOnce(&mut User) -> T) -> T {
        let (user, mut world) = (user.into(), self.world());
        let account = user.account(&world);
        let account = world.account_mut(&account);
        change(account.users.get_mut(&user.name).unwrap_or_else(|| panic!("the sandbox has no user {}", user.name)))
    }

    /// Alice with a TOTP device and a key of 40 days, bob with one of 60, both in Developers.
    pub fn standard(&self) {
        self.add_user("alice");
        self.add_totp("alice");
        self.seed_key("alice", self.now() - TimeDelta::days(40), "Active");
        self.add_user("bob");
        self.seed_key("bob", self.now() - TimeDelta::days(60), "Active");
        self.add_group("Developers", &["alice", "bob"]);
    }

    pub fn add_account(&self, id: &str) {
        self.add_account_in("aws", id);
    }

    /// Partitions: aws, aws-cn, aws-us-gov.
    pub fn add_account_in(&self, partition: &str, id: &str) {
        let now = self.now();
        self.world().add_account(id, partition, now);
    }

    pub fn set_alias(&self, account: &str, alias: &str) {
        self.world().account_mut(account).alias = Some(alias.to_owned());
    }

    /// With full access to its own keys.
    pub fn add_user(&self, user: impl Into<UserRef>) {
        self.add_user_at("/", user);
    }

    pub fn add_user_at(&self, path: &str, user: impl Into<UserRef>) {
        let (user, now, mut world) = (user.into(), self.now(), self.world());
        let account = user.account(&world);
        world.add_user(&account, &user.name, path, policies(&[OWN_KEYS]), now);
    }

    /// The user is gone; one of the same name made later has another id.
    pub fn delete_user(&self, user: impl Into<UserRef>) {
        let user = user.into();
        self.keys_of_ref(&user).iter().for_each(|key| self.delete_key(&key.id));
        let mut world = self.world();
        let account = user.account(&world);
        let account = world.account_mut(&account);
        account.users.remove(&user.name);
        account.groups.values_mut().for_each(|group| group.members.retain(|member| *member != user.name));
    }

    /// Instead of those it had.
    pub fn set_policies(&self, user: impl Into<UserRef>, documents: &[&str]) {
        self.with_user(user, |user| user.policies = policies(documents));
    }

    pub fn add_policy(&self, user: impl Into<UserRef>, document: &str) {
        self.with_user(user, |user| user.policies.push(Policy::parse(document)));
    }

    pub fn user_arn(&self, user: impl Into<UserRef>) -> String {
        let (user, world) = (user.into(), self.world());
        world.account(&user.account(&world)).user_arn(&user.name)
    }

    pub fn user_id(&self, user: impl Into<UserRef>) -> String {
        self.with_user(user, |user| user.id.clone())
    }

    pub fn set_user_created(&self, user: impl Into<UserRef>, created: Time) {
        self.with_user(user, |user| user.created = whole_seconds(created));
    }

    pub fn tags_of(&self, user: impl Into<UserRef>) -> std::collections::BTreeMap<String, String> {
        self.with_user(user, |user| user.tags.clone())
    }

    pub fn set_tag(&self, user: impl Into<UserRef>, key: &str, value: &str) {
        self.with_user(user, |user| user.tags.insert(key.to_owned(), value.to_owned()));
    }

    pub fn add_group(&self, name: &str, members: &[&str]) {
        let home = self.world().home.clone();
        self.add_group_in(&home, name, members);
    }

    pub fn add_group_in(&self, account: &str, name: &str, members: &[&str]) {
        let group = Group {
            name: name.to_owned(),
            path: "/".to_owned(),
            id: ids::group(),
            created: whole_seconds(self.now()),
            members: members.iter().map(|member| (*member).to_owned()).collect(),
            policies: Vec::new(),
        };
        self.world().account_mut(account).groups.insert(name.to_owned(), group);
    }

    pub fn join(&self, user: impl Into<UserRef>, group: &str) {
        self.with_group(user, group, |members, user| members.push(user));
    }

    pub fn leave(&self, user: impl Into<UserRef>, group: &str) {
        self.with_group(user, group, |members, user| members.retain(|member| *member != user));
    }

    fn with_group(&self, user: impl Into<UserRef>, group: &str, change: impl FnOnce(&mut Vec<String>, String)) {
        let (user, mut world) = (user.into(), self.world());
        let account = user.account(&world);
        let group = world.account_mut(&account).groups.get_mut(group).expect("a group of the sandbox");
        change(&mut group.members, user.name);
    }

    pub fn set_group_policies(&self, account: &str, group: &str, documents: &[&str]) {
        let mut world = self.world();
        let group = world.account_mut(account).groups.get_mut(group).expect("a group of the sandbox");
        group.policies = policies(documents);
    }

    /// The trust policy names who may take the role; the others what the role may do.
    pub fn add_role(&self, account: &str, name: &str, trust: &str, documents: &[&str]) -> String {
        let role = Role {
            name: name.to_owned(),
            id: ids::role(),
            trust: Policy::parse(trust),
            policies: policies(documents),
            max_seconds: 3_600,
        };
        let mut world = self.world();
        let account = world.account_mut(account);
        account.roles.insert(name.to_owned(), role);
        account.role_arn(name)
    }

    pub fn add_topic(&self, account: &str, name: &str) -> String {
        let mut world = self.world();
        let at = world.account(account);
        let arn = format!("arn:{}:sns:{}:{account}:{name}", at.partition, at.home_region());
        world.topics.insert(arn.clone());
        arn
    }

    pub fn messages(&self) -> Vec<Message> {
        self.world().messages.clone()
    }
}

/// Keys.
impl Control {
    /// Its id and secret. The quota does not bind this hand.
    pub fn seed_key(&self, user: impl Into<UserRef>, created: Time, status: &str) -> (String, String) {
        let (user, mut world) = (user.into(), self.world());
        let account = user.account(&world);
        let mut key = Key::new(ids::long_term_key(), ids::secret(), created);
        status.clone_into(&mut key.status);
        let made = (key.id.clone(), key.secret.clone());
        world.add_key(&account, &user.name, key);
        made
    }

    pub fn keys_of(&self, user: impl Into<UserRef>) -> Vec<KeyState> {
        self.keys_of_ref(&user.into())
    }

    fn keys_of_ref(&self, user: &UserRef) -> Vec<KeyState> {
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
        world.events.iter_mut().for_each(|event| event.at -= by);
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

/// CloudTrail and Organizations.
impl Control {
    /// All that was recorded, visible or not.
    pub fn events(&self) -> Vec<Event> {
        self.world().events.clone()
    }

    /// Something that another client did with a key, in the home region of its account.
    pub fn seed_event(&self, key_id: &str, name: &str, source: &str, at: Time, user_agent: &str, address: &str) {
        let mut world = self.world();
        let (account, user) = world.owner_of(key_id).expect("a key of the sandbox");
        let region = world.account(&account).home_region();
        let id = ids::request();
        let record = serde_json::json!({
            "eventVersion": "1.11", "eventID": id, "eventName": name, "eventSource": source, "awsRegion": region,
            "eventTime": super::clock::iso(at), "userAgent": user_agent, "sourceIPAddress": address,
            "userIdentity": {"type": "IAMUser", "accountId": account, "accessKeyId": key_id, "userName": user},
            "requestParameters": Value::Null, "responseElements": Value::Null, "recipientAccountId": account,
        });
        let event = Event {
            id,
            name: name.to_owned(),
            source: source.to_owned(),
            at: whole_seconds(at),
            account,
            region: region.to_owned(),
            key_id: key_id.to_owned(),
            user,
            read_only: false,
            resources: Vec::new(),
            record,
        };
        world.events.push(event);
    }

    /// The account becomes the management account; all others join under the root. Answers the root's id.
    pub fn make_organization(&self, management: &str) -> String {
        let mut world = self.world();
        let mut organization = Organization::new(management);
        let root = organization.root.clone();
        for account in world.accounts.keys() {
            organization.places.insert(account.clone(), root.clone());
        }
        world.organization = Some(organization);
        root
    }

    pub fn organization_id(&self) -> String {
        self.world().organization.as_ref().expect("an organization").id.clone()
    }

    pub fn add_unit(&self, parent: &str, name: &str) -> String {
        self.world().organization.as_mut().expect("an organization").add_unit(parent, name)
    }

    /// Moves the account there; one outside the organization joins.
    pub fn place(&self, account: &str, parent: &str) {
        let mut world = self.world();
        world.account(account);
        let organization = world.organization.as_mut().expect("an organization");
        assert!(organization.knows_parent(parent), "{parent} is neither root nor unit");
        organization.places.insert(account.to_owned(), parent.to_owned());
    }

    /// ACTIVE, SUSPENDED, PENDING_CLOSURE, …
    pub fn set_account_state(&self, account: &str, state: &str) {
        state.clone_into(&mut self.world().account_mut(account).state);
    }

    /// None at all means that all is allowed.
    pub fn set_control_policies(&self, account: &str, documents: &[&str]) {
        self.world().account_mut(account).control_policies = policies(documents);
    }
}
