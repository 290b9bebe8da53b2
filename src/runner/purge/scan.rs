//! One account's scan: whose keys, what is read of them, and what the rules say.
//!
//! Changes nothing. What cannot be read is named and left alone.

use std::collections::{HashMap, HashSet};

use futures_util::stream::{self, StreamExt};

use super::calls::{Calls, Failed};
use super::{Mode, Settings, Users};
use crate::keys::facts::{KeyId, Time};
use crate::keys::lifecycle;
use crate::keys::purge::review::{Review, Seen};
use crate::keys::purge::row::{AccountSummary, ExemptBy, ExemptUser, KeyRow, Outcome, Skipped};
use crate::keys::purge::{self, Decision, KeyRead, Rule, Rules, Standing, UserFacts, UserRead, Verb};
use crate::ports::{Clock, Directory};

/// Its keys belong to nobody who was listed.
pub const ANOTHER_USER: &str = "it was deleted and another user of this name made since the list was read";
/// Users that are read at once; the pace bounds what is in flight.
const USERS_AT_ONCE: usize = 128;

/// What one account's calls need.
pub struct Account<'a, D, C> {
    pub id: String,
    pub calls: Calls<'a, D, C>,
    pub settings: &'a Settings,
    pub rules: Rules,
    pub service_now: &'a dyn Fn() -> Time,
}

/// Whose keys are looked at.
pub struct Members {
    pub targets: Vec<UserFacts>,
    pub exempt: Vec<(UserFacts, String)>,
}

/// One user's end: rows for its keys, or why it was left out.
pub struct Evaluated {
    pub rows: Vec<KeyRow>,
    pub exempt: Option<ExemptUser>,
    /// With [`Mode::Review`].
    pub review: Option<Review>,
    pub skipped: Vec<Skipped>,
    /// A decision was made on each of its keys.
    pub whole: bool,
}

impl<D: Directory, C: Clock> Account<'_, D, C> {
    /// Reads the groups to their ends. Nothing is done in an account where one cannot be read.
    pub async fn members(&self, summary: &mut AccountSummary) -> Option<Members> {
        match self.listed(&mut summary.skipped).await {
            Ok(members) => Some(members),
            Err((what, failed)) => {
                summary.cut_short = matches!(failed, Failed::Stopped(_));
                let cause = failed.cause();
                let cause = format!("{}; nothing was done in this account", cause.trim_end_matches('.'));
                summary.skipped.push(Skipped { what, cause });
                None
            }
        }
    }

    /// `Err` names the list that could not be read.
    async fn listed(&self, skipped: &mut Vec<Skipped>) -> Result<Members, (String, Failed)> {
        let mut exempt_by: HashMap<String, String> = HashMap::new();
        for name in &self.settings.exempt_groups {
            for member in self.group(name).await?.1 {
                exempt_by.entry(member.id).or_insert_with(|| name.clone());
            }
        }
        let mut lists = Vec::new();
        match &self.settings.users {
            Users::All => {
                let what = "users".to_owned();
                lists.push(self.calls.users().await.map(|all| (what.clone(), all)).map_err(|failed| (what, failed))?);
            }
            Users::Groups(groups) => {
                for name in groups {
                    lists.push(self.group(name).await?);
                }
            }
        }
        let (mut members, mut known) = (Members { targets: Vec::new(), exempt: Vec::new() }, HashSet::new());
        for (what, list) in lists {
            if list.is_empty() && !self.settings.allow_empty {
                let cause = "it has no members (--allow-empty where that is right)".to_owned();
                skipped.push(Skipped { what, cause });
            }
            for user in list.into_iter().filter(|user| known.insert(user.id.clone())) {
                match exempt_by.get(&user.id) {
                    Some(group) => members.exempt.push((user, group.clone())),
                    None => members.targets.push(user),
                }
            }
        }
        Ok(members)
    }

    async fn group(&self, name: &str) -> Result<(String, Vec<UserFacts>), (String, Failed)> {
        let what = format!("group/{name}");
        match self.calls.group(name).await {
            Ok(members) => Ok((what, members)),
            Err(failed) => Err((what, failed)),
        }
    }

    /// Reads and judges every user, `ended` being told of each in order.
    pub async fn evaluate(
        &self,
        users: Vec<(UserFacts, Standing)>,
        now: Time,
        mut ended: impl FnMut(Result<Evaluated, Failed>),
    ) {
        let all = stream::iter(users).map(|(user, standing)| self.user(user, standing, now));
        let mut all = all.buffered(USERS_AT_ONCE);
        while let Some(evaluated) = all.next().await {
            ended(evaluated);
        }
    }

    /// `Err` only where the run or the account ended before the user was looked at.
    async fn user(&self, user: UserFacts, standing: Standing, now: Time) -> Result<Evaluated, Failed> {
        let keys = match self.calls.keys_of(&user.name).await {
            Ok(keys) => keys,
            Err(failed) => {
                let cause = self.of_this_user(failed)?;
                return Ok(Evaluated::left_out(&user, cause));
            }
        };
        let keys = keys.into_iter().map(KeyRead::first).collect();
        let mut read = UserRead { user, standing, tags: None, keys };
        let mut unread = Unread::default();
        let reviewed = self.settings.mode == Mode::Review && !read.keys.is_empty();
        if reviewed || purge::decide::wants_tags(&read, &self.rules, now) {
            match self.calls.user(&read.user.name).await {
                Ok(answer) if answer.user.id == read.user.id => {
                    (read.tags, unread.made) = (Some(answer.tags), answer.created);
                }
                Ok(_) => return Ok(Evaluated::left_out(&read.user, ANOTHER_USER.to_owned())),
                Err(failed) => unread.tags = Some(self.of_this_user(failed)?),
            }
        }
        for id in purge::decide::wants_last_use(&read, &self.rules, now, self.settings.report_last_use) {
            match self.calls.key_use(&id).await {
                Ok(answer) => read.set_use(&id, answer.last),
                Err(failed) => _ = unread.uses.insert(id, self.of_this_user(failed)?),
            }
        }
        let judged = self.judged(&read, &unread, now);
        if read.tags.is_some() || unread.tags.is_some() || !self.owner_is_asked_for(&judged.rows) {
            return Ok(judged);
        }
        // Whom a notice goes to decides nothing about a key: without an answer nobody is known.
        match self.calls.user(&read.user.name).await {
            Ok(answer) if answer.user.id == read.user.id => read.tags = Some(answer.tags),
            Ok(_) => {}
            Err(failed) => _ = self.of_this_user(failed)?,
        }
        Ok(self.judged(&read, &unread, now))
    }

    /// Of a key that is warned of; keys that are written to are read again anyway.
    fn owner_is_asked_for(&self, rows: &[KeyRow]) -> bool {
        let due = match self.settings.mode {
            // A review has all tags already.
            Mode::DryRun | Mode::Review => false,
            Mode::Apply => rows.iter().any(|row| row.decision.verb == Verb::Warn),
        };
        due && self.settings.owner_tag.is_some()
    }

    /// What concerns this user alone, in words; else the error again.
    fn of_this_user(&self, failed: Failed) -> Result<String, Failed> {
        match failed {
            Failed::Call(error) if self.calls.broken().is_none() => Ok(error.to_string()),
            failed => Err(failed),
        }
    }

    fn judged(&self, read: &UserRead, unread: &Unread, now: Time) -> Evaluated {
        let row = |key: &KeyRead| {
            let decision = unread.amend(key, purge::decide(read, key, &self.rules, now));
            self.row(read, key, decision, now)
        };
        let rows: Vec<KeyRow> = read.keys.iter().map(row).collect();
        let mut skipped: Vec<Skipped> =
            rows.iter().filter(|row| row.decision.verb == Verb::Skip).map(skip_of).collect();
        let asked = self.settings.review.as_ref().filter(|_| self.settings.mode == Mode::Review);
        if let Some(cause) = unread.tags.as_ref().filter(|_| asked.is_some() && skipped.is_empty()) {
            skipped.push(Skipped { what: format!("tags of user/{}", read.user.name), cause: cause.clone() });
        }
        let seen = Seen {
            account: &self.id,
            read,
            made: unread.made,
            rows: &rows,
            limit: self.rules.max_age,
            exempt_tag: self.rules.exempt_tag,
            now,
        };
        let review = asked.map(|asked| Review::of_user(&seen, asked));
        let exempt = exemption_of(read, &rows).or_else(|| exempt_without_keys(read));
        Evaluated { exempt, review, whole: skipped.is_empty(), skipped, rows }
    }

    pub fn row(&self, read: &UserRead, key: &KeyRead, decision: Decision, now: Time) -> KeyRow {
        KeyRow {
            account: self.id.clone(),
            user: read.user.clone(),
            key: key.facts.id.clone(),
            status: key.facts.status.clone(),
            created: key.facts.created,
            age: lifecycle::age(key.facts.created, now),
            last_used: key.used.last().cloned(),
            contact: self.contact(read),
            decision,
            outcome: Outcome::Planned,
            request_id: None,
            at: now,
        }
    }
}

impl<D, C> Account<'_, D, C> {
    /// Whom notices about this user's keys go to, as its tag says; tags are compared without regard to case
    /// (IAM user guide, 'Tags for IAM identities').
    fn contact(&self, read: &UserRead) -> Option<String> {
        let (name, tags) = (self.settings.owner_tag.as_ref()?, read.tags.as_ref()?);
        tags.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
    }
}

/// Reads that did not succeed, with their causes; and what was read besides.
#[derive(Default)]
struct Unread {
    /// When the user was made.
    made: Option<Time>,
    tags: Option<String>,
    uses: HashMap<KeyId, String>,
}

impl Unread {
    /// A read that was asked for and failed leaves the key alone, whether or not the rules would have needed it.
    fn amend(&self, key: &KeyRead, decision: Decision) -> Decision {
        let cause = match decision.rule {
            Rule::Unread => self.tags.as_ref().or_else(|| self.uses.get(&key.facts.id)),
            _ => self.uses.get(&key.facts.id),
        };
        match cause {
            Some(cause) => Decision { note: Some(cause.clone()), ..Decision::new(Verb::Skip, Rule::Unread) },
            None => decision,
        }
    }
}

impl Evaluated {
    fn left_out(user: &UserFacts, cause: String) -> Self {
        let skipped = vec![Skipped { what: format!("user/{}", user.name), cause }];
        Self { rows: Vec::new(), exempt: None, review: None, skipped, whole: false }
    }
}

/// How a skipped key is named among what was left out.
pub fn skip_of(row: &KeyRow) -> Skipped {
    let cause = row.decision.note.clone().unwrap_or_else(|| row.decision.rule.as_str().to_owned());
    Skipped { what: format!("key/{} of user/{}", row.key, row.user.name), cause }
}

/// The exemption that spared keys of `read`, where one did.
pub fn exemption_of(read: &UserRead, rows: &[KeyRow]) -> Option<ExemptUser> {
    let spared: Vec<&KeyRow> = rows.iter().filter(|row| row.decision.verb == Verb::Exempt).collect();
    let first = spared.first()?;
    let by = match &read.standing {
        Standing::Exempt(group) => ExemptBy::Group(group.clone()),
        Standing::Target | Standing::Outside => {
            ExemptBy::Tag { reason: first.decision.note.clone()?, ends: first.decision.until? }
        }
    };
    Some(ExemptUser { user: read.user.clone(), by, keys: spared.iter().map(|row| row.key.clone()).collect() })
}

/// A member of an exempt group whom a review looked at.
fn exempt_without_keys(read: &UserRead) -> Option<ExemptUser> {
    match &read.standing {
        Standing::Exempt(group) => {
            Some(ExemptUser { user: read.user.clone(), by: ExemptBy::Group(group.clone()), keys: Vec::new() })
        }
        Standing::Target | Standing::Outside => None,
    }
}
