//! What AWS would store: accounts, users, keys, groups, roles, sessions, and nothing of the rules. Plain data and
//! look-ups; the rules themselves live with the services.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::TimeDelta;

use super::clock::{Time, whole_seconds};
use super::cloudtrail::Event;
use super::ids;
use super::mail::Mail;
use super::mfa::Device;
use super::organizations::Organization;
use super::policy::Policy;
use super::s3::Store;
use super::settings::{Propagation, Settings};
use super::sns::Message;
use super::throttle::Bucket;
use super::wire::{Failure, Service};

#[derive(Default)]
pub struct World {
    pub accounts: BTreeMap<String, Account>,
    /// The account meant where a test names none.
    pub home: String,
    pub sessions: HashMap<String, Session>,
    pub events: Vec<Event>,
    pub organization: Option<Organization>,
    pub topics: HashSet<String>,
    pub messages: Vec<Message>,
    /// Addresses and domains that SES may send from.
    pub identities: HashSet<String>,
    pub ses_sandbox: bool,
    /// The account's suppression list, with the reasons.
    pub suppressed: HashMap<String, String>,
    pub mails: Vec<Mail>,
    /// By ARN.
    pub secrets: HashMap<String, String>,
    pub stores: BTreeMap<String, Store>,
    pub buckets: HashMap<(String, Service), Bucket>,
    pub settings: Settings,
    key_owners: HashMap<String, (String, String)>,
    /// Of every key that ever was: deleting takes nothing out of it.
    key_accounts: HashMap<String, String>,
}

pub struct Account {
    pub id: String,
    pub partition: String,
    pub name: String,
    pub alias: Option<String>,
    pub state: String,
    pub joined: Time,
    pub users: BTreeMap<String, User>,
    pub groups: BTreeMap<String, Group>,
    pub roles: BTreeMap<String, Role>,
    pub control_policies: Vec<Policy>,
}

pub struct User {
    pub name: String,
    pub path: String,
    pub id: String,
    pub created: Time,
    pub keys: Vec<Key>,
    /// The lists as they were before each change, for stale answers.
    pub lists_before: Vec<(Time, Vec<Listed>)>,
    pub devices: Vec<Device>,
    pub policies: Vec<Policy>,
    pub tags: BTreeMap<String, String>,
}

pub struct Key {
    pub id: String,
    pub secret: String,
    pub status: String,
    pub created: Time,
    /// `created` before it was cut to whole seconds: propagation counts from here.
    pub made: Time,
    /// When the status last changed and what it was before.
    pub status_before: Option<(Time, String)>,
    pub propagation: HashMap<Service, Propagation>,
    pub calls: HashMap<Service, usize>,
    pub uses: Vec<Use>,
}

#[derive(Clone, Debug)]
pub struct Use {
    pub at: Time,
    pub service: String,
    pub region: String,
}

/// One row of `ListAccessKeys`.
#[derive(Clone, Debug)]
pub struct Listed {
    pub id: String,
    pub status: String,
    pub created: Time,
}

pub struct Group {
    pub name: String,
    pub path: String,
    pub id: String,
    pub created: Time,
    pub members: BTreeSet<String>,
    pub policies: Vec<Policy>,
}

pub struct Role {
    pub name: String,
    pub id: String,
    pub trust: Policy,
    pub policies: Vec<Policy>,
    pub max_seconds: i64,
}

#[derive(Clone)]
pub struct Session {
    pub secret: String,
    pub token: String,
    pub account: String,
    pub owner: Owner,
    pub created: Time,
    pub expires: Time,
    pub mfa: bool,
}

#[derive(Clone)]
pub enum Owner {
    User { name: String, key_id: String },
    Role { name: String, session: String },
}

impl Account {
    pub fn user_arn(&self, name: &str) -> String {
        let path = self.users.get(name).map_or("/", |user| &user.path);
        format!("arn:{}:iam::{}:user{path}{name}", self.partition, self.id)
    }

    pub fn group_arn(&self, name: &str) -> String {
        let path = self.groups.get(name).map_or("/", |group| &group.path);
        format!("arn:{}:iam::{}:group{path}{name}", self.partition, self.id)
    }

    pub fn role_arn(&self, name: &str) -> String {
        format!("arn:{}:iam::{}:role/{name}", self.partition, self.id)
    }

    pub fn user(&self, name: &str) -> Result<&User, Failure> {
        self.users.get(name).ok_or_else(|| no_user(name))
    }

    pub fn user_mut(&mut self, name: &str) -> Result<&mut User, Failure> {
        self.users.get_mut(name).ok_or_else(|| no_user(name))
    }

    /// Where IAM's events are found and its keys' uses counted.
    pub fn home_region(&self) -> &'static str {
        match self.partition.as_str() {
            "aws-cn" => "cn-north-1",
            "aws-us-gov" => "us-gov-west-1",
            _ => "us-east-1",
        }
    }
}

fn no_user(name: &str) -> Failure {
    Failure::not_found(format!("The user with name {name} cannot be found."))
}

impl User {
    pub fn listed(&self) -> Vec<Listed> {
        let row = |key: &Key| Listed { id: key.id.clone(), status: key.status.clone(), created: key.created };
        self.keys.iter().map(row).collect()
    }

    /// Every change of a user's keys begins here, so that stale lists can be answered.
    pub fn remember_list(&mut self, now: Time) {
        let list = self.listed();
        self.lists_before.push((now, list));
    }

    pub fn key_mut(&mut self, id: &str) -> Option<&mut Key> {
        self.keys.iter_mut().find(|key| key.id == id)
    }
}

impl Key {
    pub fn new(id: String, secret: String, created: Time) -> Key {
        Key {
            id,
            secret,
            status: "Active".to_owned(),
            created: whole_seconds(created),
            made: created,
            status_before: None,
            propagation: HashMap::new(),
            calls: HashMap::new(),
            uses: Vec::new(),
        }
    }

    pub fn set_status(&mut self, status: &str, now: Time) {
        let before = std::mem::replace(&mut self.status, status.to_owned());
        if before != status {
            self.status_before = Some((now, before));
        }
    }

    pub fn works(&self, now: Time, revocation_delay: TimeDelta) -> bool {
        match &self.status_before {
            Some((changed, before)) if now < *changed + revocation_delay => before == "Active",
            _ => self.status == "Active",
        }
    }

    /// Counts the call.
    pub fn has_reached(&mut self, service: Service, now: Time) -> bool {
        let calls = self.calls.entry(service).or_default();
        *calls += 1;
        let Some(propagation) = self.propagation.get(&service) else { return true };
        now >= self.made + propagation.delay && propagation.script.get(*calls - 1).copied().unwrap_or(true)
    }
}

impl World {
    pub fn account(&self, id: &str) -> &Account {
        self.accounts.get(id).unwrap_or_else(|| panic!("the sandbox has no account {id}"))
    }

    pub fn account_mut(&mut self, id: &str) -> &mut Account {
        self.accounts.get_mut(id).unwrap_or_else(|| panic!("the sandbox has no account {id}"))
    }

    /// The account and user of a long-term key.
    pub fn owner_of(&self, key_id: &str) -> Option<(String, String)> {
        self.key_owners.get(key_id).cloned()
    }

    pub fn account_of_key(&self, key_id: &str) -> Option<&str> {
        self.key_accounts.get(key_id).map(String::as_str)
    }

    pub fn account_of_signer(&self, key_id: &str) -> Option<String> {
        let session = || self.sessions.get(key_id).map(|session| session.account.clone());
        self.owner_of(key_id).map(|(account, _)| account).or_else(session)
    }

    pub fn long_term_key(&mut self, key_id: &str) -> Option<&mut Key> {
        let (account, user) = self.owner_of(key_id)?;
        self.accounts.get_mut(&account)?.users.get_mut(&user)?.key_mut(key_id)
    }

    pub fn add_key(&mut self, account: &str, user: &str, key: Key) {
        self.key_owners.insert(key.id.clone(), (account.to_owned(), user.to_owned()));
        self.key_accounts.insert(key.id.clone(), account.to_owned());
        let user = self.account_mut(account).users.get_mut(user).expect("a user of the sandbox");
        user.keys.push(key);
    }

    pub fn remove_key(&mut self, account: &str, user: &str, key_id: &str, now: Time) {
        self.key_owners.remove(key_id);
        let user = self.account_mut(account).users.get_mut(user).expect("a user of the sandbox");
        user.remember_list(now);
        user.keys.retain(|key| key.id != key_id);
    }

    /// The same user, its keys and places in groups included, by another name.
    pub fn rename_user(&mut self, account: &str, from: &str, to: &str) {
        let place = self.account_mut(account);
        let mut user = place.users.remove(from).unwrap_or_else(|| panic!("the sandbox has no user {from}"));
        to.clone_into(&mut user.name);
        let keys: Vec<String> = user.keys.iter().map(|key| key.id.clone()).collect();
        let before = place.users.insert(to.to_owned(), user);
        assert!(before.is_none(), "user {to} is there already");
        let named = |group: &mut Group| group.members.remove(from) && group.members.insert(to.to_owned());
        place.groups.values_mut().for_each(|group| _ = named(group));
        for key in keys {
            self.key_owners.insert(key, (account.to_owned(), to.to_owned()));
        }
    }

    pub fn add_account(&mut self, id: &str, partition: &str, now: Time) {
        assert!(id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()), "{id} is no account id");
        let account = Account {
            id: id.to_owned(),
            partition: partition.to_owned(),
            name: format!("account-{id}"),
            alias: None,
            state: "ACTIVE".to_owned(),
            joined: whole_seconds(now),
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            roles: BTreeMap::new(),
            control_policies: Vec::new(),
        };
        assert!(self.accounts.insert(id.to_owned(), account).is_none(), "account {id} is there already");
        if self.home.is_empty() {
            id.clone_into(&mut self.home);
        }
    }

    pub fn add_user(&mut self, account: &str, name: &str, path: &str, policies: Vec<Policy>, now: Time) {
        let user = User {
            name: name.to_owned(),
            path: path.to_owned(),
            id: ids::user(),
            created: whole_seconds(now),
            keys: Vec::new(),
            lists_before: Vec::new(),
            devices: Vec::new(),
            policies,
            tags: BTreeMap::new(),
        };
        let before = self.account_mut(account).users.insert(name.to_owned(), user);
        assert!(before.is_none(), "user {name} is there already");
    }
}
