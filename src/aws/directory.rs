//! [`Directory`] over the SDK: IAM of one account, one method, one attempt of one call.
//!
//! Decides nothing and follows no page: it turns answers into our types, or says that it cannot.

use std::fmt;
use std::sync::{Arc, OnceLock};

use chrono::DateTime;

use aws_sdk_iam::types::{StatusType, Tag};
use aws_types::request_id::RequestId as _;

use super::endpoint::Service;
use super::error::{call_error, incomplete, refusal};
use super::iam::{facts, key_use};
use super::session::{Shared, Source, quiet};
use crate::keys::facts::{KeyFacts, KeyId};
use crate::keys::purge::{Tags, UserFacts};
use crate::ports::{CallError, Directory, KeyUse, Page, RequestId, TaggedUser, action};

/// The most that IAM gives at once (IAM API reference, `MaxItems`).
const MOST_ITEMS: i32 = 1000;

/// IAM of one account. A clone is the same account with the same credentials and connections.
#[derive(Clone)]
pub struct AwsDirectory {
    iam: aws_sdk_iam::Client,
    account: Arc<OnceLock<String>>,
}

impl fmt::Debug for AwsDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsDirectory").finish_non_exhaustive()
    }
}

impl AwsDirectory {
    pub(super) fn new(shared: &Shared, source: &Source) -> Self {
        Self { iam: shared.iam(&shared.config_once(Service::Iam, source)), account: Arc::default() }
    }

    /// Every ARN of IAM names the account: `arn:aws:iam::123456789012:group/…`.
    fn seen(&self, arn: &str) {
        if let Some(id) = arn.split(':').nth(4).filter(|id| !id.is_empty()) {
            self.account.get_or_init(|| id.to_owned());
        }
    }
}

impl Directory for AwsDirectory {
    fn account(&self) -> Option<String> {
        self.account.get().cloned()
    }

    async fn group_page(&self, group: &str, marker: Option<&str>) -> Result<Page<UserFacts>, CallError> {
        let call = self.iam.get_group().group_name(group).max_items(MOST_ITEMS).set_marker(marker.map(str::to_owned));
        let answer = quiet(call.send()).await.map_err(|e| call_error(action::GET_GROUP, &e))?;
        let found = answer.group.filter(|found| !found.group_name.is_empty());
        self.seen(&found.ok_or_else(|| incomplete(action::GET_GROUP, "does not speak of the group"))?.arn);
        let items =
            answer.users.into_iter().map(|user| user_facts(action::GET_GROUP, user)).collect::<Result<_, _>>()?;
        Ok(Page { items, next: next(action::GET_GROUP, answer.is_truncated, answer.marker)? })
    }

    async fn users_page(&self, marker: Option<&str>) -> Result<Page<UserFacts>, CallError> {
        let call = self.iam.list_users().max_items(MOST_ITEMS).set_marker(marker.map(str::to_owned));
        let answer = quiet(call.send()).await.map_err(|e| call_error(action::LIST_USERS, &e))?;
        answer.users.first().iter().for_each(|user| self.seen(&user.arn));
        let items =
            answer.users.into_iter().map(|user| user_facts(action::LIST_USERS, user)).collect::<Result<_, _>>()?;
        Ok(Page { items, next: next(action::LIST_USERS, answer.is_truncated, answer.marker)? })
    }

    async fn user(&self, name: &str) -> Result<TaggedUser, CallError> {
        let answer =
            quiet(self.iam.get_user().user_name(name).send()).await.map_err(|e| call_error(action::GET_USER, &e))?;
        let mut user = answer.user.ok_or_else(|| incomplete(action::GET_USER, "holds no user"))?;
        self.seen(&user.arn);
        let mut tags = Tags::new();
        for Tag { key, value, .. } in user.tags.take().unwrap_or_default() {
            if key.is_empty() || tags.insert(key, value).is_some() {
                return Err(incomplete(action::GET_USER, "holds a tag without a name, or twice"));
            }
        }
        // The SDK takes the epoch for a date that is missing.
        let created = Some(user.create_date.secs()).filter(|seconds| *seconds > 0);
        let created = created.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        Ok(TaggedUser { user: user_facts(action::GET_USER, user)?, created, tags })
    }

    async fn groups_page(&self, user: &str, marker: Option<&str>) -> Result<Page<String>, CallError> {
        let call = self.iam.list_groups_for_user().user_name(user).max_items(MOST_ITEMS);
        let answer = quiet(call.set_marker(marker.map(str::to_owned)).send()).await;
        let answer = answer.map_err(|e| call_error(action::LIST_GROUPS_FOR_USER, &e))?;
        let names = answer.groups.into_iter().map(|group| group.group_name);
        let items: Vec<String> = names.collect();
        if items.iter().any(String::is_empty) {
            return Err(incomplete(action::LIST_GROUPS_FOR_USER, "holds a group without a name"));
        }
        Ok(Page { items, next: next(action::LIST_GROUPS_FOR_USER, answer.is_truncated, answer.marker)? })
    }

    async fn keys_page(&self, user: &str, marker: Option<&str>) -> Result<Page<KeyFacts>, CallError> {
        let call = self.iam.list_access_keys().user_name(user).max_items(MOST_ITEMS);
        let answer = quiet(call.set_marker(marker.map(str::to_owned)).send()).await;
        let answer = answer.map_err(|e| call_error(action::LIST_ACCESS_KEYS, &e))?;
        let items = answer.access_key_metadata.iter().map(facts).collect::<Result<_, _>>()?;
        Ok(Page { items, next: next(action::LIST_ACCESS_KEYS, answer.is_truncated, answer.marker)? })
    }

    async fn key_use(&self, key: &KeyId) -> Result<KeyUse, CallError> {
        let call = self.iam.get_access_key_last_used().access_key_id(key.as_str());
        key_use(quiet(call.send()).await.map_err(|e| call_error(action::GET_ACCESS_KEY_LAST_USED, &e))?)
    }

    async fn tag(&self, user: &str, name: &str, value: &str) -> Result<RequestId, CallError> {
        let tag = Tag::builder().key(name).value(value).build();
        let tag = tag.map_err(|_| refusal(action::TAG_USER, "the tag could not be built".into()))?;
        let answer = quiet(self.iam.tag_user().user_name(user).tags(tag).send()).await;
        answer.map(|done| done.request_id().map(str::to_owned)).map_err(|e| call_error(action::TAG_USER, &e))
    }

    async fn untag(&self, user: &str, names: &[String]) -> Result<RequestId, CallError> {
        let call = self.iam.untag_user().user_name(user).set_tag_keys(Some(names.to_vec()));
        let answer = quiet(call.send()).await;
        answer.map(|done| done.request_id().map(str::to_owned)).map_err(|e| call_error(action::UNTAG_USER, &e))
    }

    async fn disable(&self, user: &str, key: &KeyId) -> Result<RequestId, CallError> {
        let call = self.iam.update_access_key().user_name(user).access_key_id(key.as_str());
        let answer = quiet(call.status(StatusType::Inactive).send()).await;
        answer.map(|done| done.request_id().map(str::to_owned)).map_err(|e| call_error(action::UPDATE_ACCESS_KEY, &e))
    }

    async fn delete(&self, user: &str, key: &KeyId) -> Result<RequestId, CallError> {
        let call = self.iam.delete_access_key().user_name(user).access_key_id(key.as_str());
        let answer = quiet(call.send()).await;
        answer.map(|done| done.request_id().map(str::to_owned)).map_err(|e| call_error(action::DELETE_ACCESS_KEY, &e))
    }
}

/// The SDK fills what is missing with empty strings: a user without an id could be anybody.
fn user_facts(action: &'static str, user: aws_sdk_iam::types::User) -> Result<UserFacts, CallError> {
    if user.user_name.is_empty() || user.user_id.is_empty() {
        return Err(incomplete(action, "holds a user without a name or an id"));
    }
    Ok(UserFacts { name: user.user_name, id: user.user_id })
}

/// A list that is cut and does not say where it goes on is not at its end.
fn next(action: &'static str, truncated: bool, marker: Option<String>) -> Result<Option<String>, CallError> {
    match (truncated, marker.filter(|marker| !marker.is_empty())) {
        (false, _) => Ok(None),
        (true, None) => Err(incomplete(action, "is cut, and does not say where it goes on")),
        (true, marker) => Ok(marker),
    }
}
