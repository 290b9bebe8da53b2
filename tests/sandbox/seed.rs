//! State that tests set and read by hand: accounts, users, groups, roles. What a hand does here happens at once and
//! needs no permission, as if another administrator had done it. Keys and MFA are in `seed_keys`, the rest in
//! `seed_org`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::clock::{Time, whole_seconds};
use super::policy::{OWN_KEYS, Policy};
use super::world::{Account, Group, Role, User, World};
use super::{Control, ids};

/// The account that is there from the start and meant where none is named.
pub const HOME: &str = "123456789012";

/// A user by name in the home account, or by account and name.
#[derive(Clone, Debug)]
pub struct UserRef {
    account: Option<String>,
    pub(super) name: String,
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
    pub(super) fn account(&self, world: &World) -> String {
        self.account.clone().unwrap_or_else(|| world.home.clone())
    }
}

pub(super) fn policies(documents: &[&str]) -> Vec<Policy> {
    documents.iter().map(|document| Policy::parse(document)).collect()
}

impl Control {
    pub(super) fn with_user<T>(&self, user: impl Into<UserRef>, change: impl FnOnce(&mut User) -> T) -> T {
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
        account.groups.values_mut().for_each(|group| _ = group.members.remove(&user.name));
    }

    /// The same user, with the same id and keys, under another name.
    pub fn rename_user(&self, user: impl Into<UserRef>, to: &str) {
        let (user, mut world) = (user.into(), self.world());
        let account = user.account(&world);
        world.rename_user(&account, &user.name, to);
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

    pub fn tags_of(&self, user: impl Into<UserRef>) -> BTreeMap<String, String> {
        self.with_user(user, |user| user.tags.clone())
    }

    pub fn set_tag(&self, user: impl Into<UserRef>, key: &str, value: &str) {
        self.with_user(user, |user| user.tags.insert(key.to_owned(), value.to_owned()));
    }

    pub fn remove_tag(&self, user: impl Into<UserRef>, key: &str) {
        self.with_user(user, |user| user.tags.remove(key));
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
        self.with_group(user, group, |members, user| _ = members.insert(user));
    }

    /// As `join`; a group that is not there yet is made.
    pub fn join_or_add_group(&self, user: impl Into<UserRef>, group: &str) {
        let user = user.into();
        let account = user.account(&self.world());
        if !self.world().account(&account).groups.contains_key(group) {
            self.add_group_in(&account, group, &[]);
        }
        self.join(user, group);
    }

    /// Account and name of every user.
    pub fn users(&self) -> Vec<(String, String)> {
        let world = self.world();
        let of = |(id, account): (&String, &Account)| {
            account.users.keys().map(|name| (id.clone(), name.clone())).collect::<Vec<_>>()
        };
        world.accounts.iter().flat_map(of).collect()
    }

    pub fn leave(&self, user: impl Into<UserRef>, group: &str) {
        self.with_group(user, group, |members, user| _ = members.remove(&user));
    }

    fn with_group(&self, user: impl Into<UserRef>, group: &str, change: impl FnOnce(&mut BTreeSet<String>, String)) {
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
}
