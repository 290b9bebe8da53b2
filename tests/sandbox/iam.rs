//! IAM: which function serves which action, and what all of them share. Keys are in `iam_keys`, the rest in `iam_users`.

use serde_json::Value;

use super::clock::Time;
use super::signer::{Signer, Who, Wish, authorize};
use super::wire::{Body, Failure, Request};
use super::world::World;
use super::{iam_keys, iam_users};

/// An answer, and what `CloudTrail` keeps of it.
#[derive(Debug)]
pub struct Done {
    pub body: Body,
    pub trail: Value,
}

impl Done {
    pub fn result(inner: String) -> Done {
        Done { body: Body::Xml(Some(inner)), trail: Value::Null }
    }

    pub fn nothing() -> Done {
        Done { body: Body::Xml(None), trail: Value::Null }
    }
}

/// Everything one call may look at.
pub struct Context<'a> {
    pub world: &'a mut World,
    pub signer: &'a Signer,
    pub request: &'a Request,
    pub now: Time,
}

pub fn act(context: &mut Context) -> Result<Done, Failure> {
    match context.request.action.as_str() {
        "ListAccessKeys" => iam_keys::list(context),
        "CreateAccessKey" => iam_keys::create(context),
        "UpdateAccessKey" => iam_keys::update(context),
        "DeleteAccessKey" => iam_keys::delete(context),
        "GetAccessKeyLastUsed" => iam_keys::last_used(context),
        "GetUser" => iam_users::get_user(context),
        "ListUsers" => iam_users::list_users(context),
        "GetGroup" => iam_users::get_group(context),
        "ListGroupsForUser" => iam_users::list_groups_for_user(context),
        "ListUserTags" => iam_users::list_tags(context),
        "TagUser" => iam_users::tag(context),
        "UntagUser" => iam_users::untag(context),
        "ListMFADevices" => iam_users::list_devices(context),
        "ListVirtualMFADevices" => iam_users::list_virtual_devices(context),
        "ListAccountAliases" => iam_users::list_aliases(context),
        _ => Err(unknown_action(context.request)),
    }
}

pub fn unknown_action(request: &Request) -> Failure {
    let version = request.param("Version").unwrap_or("NO_VERSION_SPECIFIED");
    let message = format!("Could not find operation {} for version {version}", request.action);
    Failure::new(400, "InvalidAction", message)
}

impl Context<'_> {
    /// The user an action is about: the caller's own if none is named.
    pub fn user_name(&self) -> Result<String, Failure> {
        match (self.request.param("UserName"), &self.signer.who) {
            (Some(name), _) => Ok(name.to_owned()),
            (None, Who::User(own)) => Ok(own.clone()),
            (None, Who::Role { .. }) => Err(must_name_user()),
        }
    }

    /// For the actions that want the name from temporary credentials.
    pub fn user_name_unless_implied_by_key(&self) -> Result<String, Failure> {
        if self.request.param("UserName").is_none() && self.signer.session.is_some() {
            return Err(must_name_user());
        }
        self.user_name()
    }

    pub fn allow_on_user(&self, user: &str) -> Result<(), Failure> {
        self.allow_on_user_with(user, Vec::new())
    }

    pub fn allow_on_user_with(&self, user: &str, mut extra: Vec<(String, Vec<String>)>) -> Result<(), Failure> {
        let account = self.world.account(&self.signer.account);
        for (key, value) in account.users.get(user).iter().flat_map(|user| &user.tags) {
            extra.push((format!("aws:ResourceTag/{key}"), vec![value.clone()]));
            extra.push((format!("iam:ResourceTag/{key}"), vec![value.clone()]));
        }
        self.allow(account.user_arn(user), format!("user {user}"), extra)
    }

    pub fn allow(&self, resource: String, shown: String, extra: Vec<(String, Vec<String>)>) -> Result<(), Failure> {
        let action = format!("iam:{}", self.request.action);
        authorize(self.world, self.signer, Wish { action: &action, resource, shown: Some(shown), extra }, self.now)
    }
}

fn must_name_user() -> Failure {
    Failure::new(400, "ValidationError", "Must specify userName when calling with non-User credentials")
}
