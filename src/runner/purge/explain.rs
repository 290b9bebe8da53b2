//! `--explain`: everything that the rules look at, read for one user.
//!
//! Changes nothing; the words are `keys::purge`'s and `cli`'s.

use super::accounts::Targets;
use super::calls::{Calls, Failed};
use super::scan::Account;
use super::{Purge, Settings, Users};
use crate::keys::facts::{KeyId, Time};
use crate::keys::purge::{self, KeyRead, Rules, Standing, UserRead};
use crate::ports::{Clock, Directory, Estate};

/// One user, as whole as it could be read.
#[derive(Debug)]
pub struct Explained {
    pub account: String,
    pub user: UserRead,
    /// The key that was asked about, where it was one.
    pub key: Option<KeyId>,
    pub rules: Rules,
    pub now: Time,
    /// Reads that did not succeed: the rules leave alone what depends on them.
    pub unread: Vec<String>,
}

impl<E: Estate, C: Clock> Purge<'_, E, C> {
    /// Reads the user, or the user whose key it is.
    ///
    /// # Errors
    /// In words: what was read of it is not enough to say anything.
    pub async fn explain(&self, what: &str) -> Result<Explained, String> {
        let brakes = self.brakes();
        let Targets { list, identity, .. } = self.targets(&brakes).await.map_err(|error| error.to_string())?;
        let [target] = list.as_slice() else {
            return Err("--explain looks into one account: name it with --account".to_owned());
        };
        let directory = self.open(target, &brakes).await.map_err(|error| error.to_string())?;
        let service_now = || self.service_now();
        let id = target.id.clone().unwrap_or_default();
        let account = Account {
            rules: self.rules_in(&id, identity.as_ref()),
            calls: Calls::new(&directory, &brakes, self.settings.patience),
            settings: self.settings,
            service_now: &service_now,
            id,
        };
        let mut explained = account.explain(what).await.map_err(|failed| failed.cause())?;
        if explained.account.is_empty() {
            explained.account = directory.account().unwrap_or_default();
        }
        Ok(explained)
    }
}

impl<D: Directory, C: Clock> Account<'_, D, C> {
    async fn explain(&self, what: &str) -> Result<Explained, Failed> {
        let key = KeyId::new(what).ok();
        let name = match &key {
            Some(key) => self.calls.key_use(key).await?.user.unwrap_or_default(),
            None => what.to_owned(),
        };
        let mut unread = Vec::new();
        let answer = self.calls.user(&name).await?;
        let standing = standing(self.settings, &self.calls.groups_of(&name).await?);
        let keys = self.calls.keys_of(&name).await?.into_iter().map(KeyRead::first);
        let mut user = UserRead { user: answer.user, standing, tags: Some(answer.tags), keys: keys.collect() };
        let now = (self.service_now)();
        for id in purge::decide::wants_last_use(&user, &self.rules, now, true) {
            match self.calls.key_use(&id).await {
                Ok(answer) => user.set_use(&id, answer.last),
                Err(failed) => unread.push(format!("the last use of {id}: {}", failed.cause())),
            }
        }
        Ok(Explained { account: self.id.clone(), user, key, rules: self.rules.clone(), now, unread })
    }
}

/// How a member of these groups stands. Names are not distinguished by case (IAM API reference, `CreateGroup`): the
/// lists have them as they were made, not as they were asked for.
pub(super) fn standing(settings: &Settings, groups: &[String]) -> Standing {
    let is_member = |name: &&String| groups.iter().any(|group| group.eq_ignore_ascii_case(name));
    if let Some(exempt) = settings.exempt_groups.iter().find(is_member) {
        return Standing::Exempt(exempt.clone());
    }
    match &settings.users {
        Users::Groups(targets) if !targets.iter().any(|group| is_member(&group)) => Standing::Outside,
        Users::All | Users::Groups(_) => Standing::Target,
    }
}
