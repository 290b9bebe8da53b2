//! Which accounts a purge is about, and how it comes into each.
//!
//! A list of accounts that cannot be read to its end is an error: a part of an organization is never taken
//! for the whole.

use std::collections::HashSet;

use chrono::TimeDelta;

use super::calls::Brakes;
use super::{Purge, Scope};
use crate::keys::facts::Identity;
use crate::keys::purge::row::{AccountSummary, Skipped};
use crate::ports::{CallError, Cause, Clock, Estate, MemberAccount, Page, RoleToAssume};

/// Where nothing else is said.
const DEFAULT_ROLE: &str = "keyrot-me-purge";
/// A call outside the accounts is made so often, when it is throttled or its answer lost.
const ATTEMPTS: u32 = 5;
/// Milliseconds before the second attempt; doubled before each further one.
const FIRST_BACKOFF: i64 = 250;
/// More pages or units than an organization can have are a server that goes in circles.
const MOST_PAGES: usize = 5_000;

/// Everything that one run is about.
pub struct Targets {
    pub list: Vec<Target>,
    /// There is none, whatever is left to do.
    pub empty: bool,
    /// Of `Settings::only` those that are not among the accounts.
    pub missing: Vec<String>,
    /// The caller's, where it was needed.
    pub identity: Option<Identity>,
}

/// One account.
pub struct Target {
    /// `None`: the caller's own, not named yet.
    pub id: Option<String>,
    pub name: String,
    /// Why it is not part of the purge.
    pub left: Option<String>,
    pub way: Way,
    /// It came from the organization's list, and was not named by hand.
    pub listed: bool,
}

/// How to come into an account.
pub enum Way {
    /// With the caller's own credentials.
    Own,
    Assume(RoleToAssume),
}

impl<E: Estate, C: Clock> Purge<'_, E, C> {
    /// The accounts that [`Purge::run`] would be about now: those of the organization with their states, others without.
    ///
    /// # Errors
    /// [`CallError`] where a list could not be read to its end.
    pub async fn accounts(&self) -> Result<Vec<MemberAccount>, CallError> {
        let brakes = self.brakes();
        if let Scope::Organization { units } = &self.settings.scope {
            let mut members = self.members_of(units, &brakes).await?;
            members.retain(|member| self.is_meant(&member.id));
            return Ok(members);
        }
        let own = patiently(&brakes, async || self.estate.identity().await).await?;
        let ids = match &self.settings.scope {
            Scope::Accounts(ids) => ids.clone(),
            _ => vec![own.account],
        };
        let plain = |id: String| MemberAccount { id, name: String::new(), state: String::new() };
        Ok(ids.into_iter().filter(|id| self.is_meant(id)).map(plain).collect())
    }

    /// All accounts that are left to do, and the caller's identity where it was needed.
    pub(super) async fn targets(&self, brakes: &Brakes<'_, C>) -> Result<Targets, CallError> {
        let settings = self.settings;
        let alone = settings.scope == Scope::Own && settings.role.is_none();
        let narrowed = !settings.only.is_empty() || !settings.finished.is_empty();
        let identity = if alone && !narrowed && self.estate.signing_key().is_some() {
            None
        } else {
            Some(patiently(brakes, async || self.estate.identity().await).await?)
        };
        let mut list = self.all_targets(identity.as_ref(), brakes).await?;
        let empty = list.is_empty();
        let is_there = |id: &&String| list.iter().any(|target| target.id.as_ref() == Some(*id));
        let missing = settings.only.iter().filter(|id| !is_there(id)).cloned().collect();
        list.retain(|target| target.id.as_ref().is_none_or(|id| self.is_meant(id) && !settings.finished.contains(id)));
        Ok(Targets { list, empty, missing, identity })
    }

    fn is_meant(&self, id: &String) -> bool {
        self.settings.only.is_empty() || self.settings.only.contains(id)
    }

    async fn all_targets(&self, identity: Option<&Identity>, brakes: &Brakes<'_, C>) -> Result<Vec<Target>, CallError> {
        let settings = self.settings;
        Ok(match (&settings.scope, identity) {
            (Scope::Own, Some(own)) if settings.role.is_some() => vec![self.named(&own.account, own)],
            (Scope::Own, own) => vec![Target {
                id: own.map(|own| own.account.clone()),
                name: String::new(),
                left: None,
                way: Way::Own,
                listed: false,
            }],
            (Scope::Accounts(ids), Some(own)) => {
                let mut known = HashSet::new();
                ids.iter().filter(|id| known.insert(*id)).map(|id| self.named(id, own)).collect()
            }
            (Scope::Organization { units }, Some(own)) => {
                let members = self.members_of(units, brakes).await?;
                members.into_iter().map(|member| self.listed(member, own)).collect()
            }
            (Scope::Listed(members), Some(own)) => {
                let target = |member: &MemberAccount| match member.state.as_str() {
                    "" => self.named(&member.id, own),
                    _ => self.listed(member.clone(), own),
                };
                members.iter().map(target).collect()
            }
            (Scope::Accounts(_) | Scope::Organization { .. } | Scope::Listed(_), None) => Vec::new(),
        })
    }

    fn named(&self, id: &str, own: &Identity) -> Target {
        let way = if id == own.account && self.settings.role.is_none() { Way::Own } else { self.role_in(id, own) };
        Target { id: Some(id.to_owned()), name: String::new(), left: None, way, listed: false }
    }

    fn listed(&self, member: MemberAccount, own: &Identity) -> Target {
        let left = (member.state != "ACTIVE").then(|| format!("its state is {}", member.state));
        Target { way: self.role_in(&member.id, own), id: Some(member.id), name: member.name, left, listed: true }
    }

    fn role_in(&self, account: &str, own: &Identity) -> Way {
        let role = self.settings.role.as_deref().unwrap_or(DEFAULT_ROLE);
        Way::Assume(RoleToAssume {
            arn: format!("arn:{}:iam::{account}:role/{role}", own.partition()),
            session_name: format!("keyrot-me-purge-{}", self.clock.now().format("%Y%m%dT%H%M%SZ")),
            external_id: self.settings.external_id.clone(),
        })
    }

    /// Each account once; of units, those below them too.
    async fn members_of(&self, units: &[String], brakes: &Brakes<'_, C>) -> Result<Vec<MemberAccount>, CallError> {
        if units.is_empty() {
            return all(brakes, async |token: Option<&str>| self.estate.accounts_page(None, token).await).await;
        }
        let (mut members, mut known) = (Vec::new(), HashSet::new());
        let (mut open, mut visited) = (units.to_vec(), HashSet::new());
        while let Some(unit) = open.pop() {
            if !visited.insert(unit.clone()) {
                continue;
            }
            let here =
                all(brakes, async |token: Option<&str>| self.estate.accounts_page(Some(&unit), token).await).await?;
            members.extend(here.into_iter().filter(|member| known.insert(member.id.clone())));
            open.extend(all(brakes, async |token: Option<&str>| self.estate.units_page(&unit, token).await).await?);
        }
        members.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(members)
    }
}

/// An account that was asked for and is none of the run's: named, and the run is incomplete.
pub(super) fn not_there(id: &str) -> AccountSummary {
    let cause = "it is not among the accounts of the settings; nothing was done in it".to_owned();
    let skipped = vec![Skipped { what: format!("account/{id}"), cause }];
    AccountSummary { account: id.to_owned(), skipped, ..AccountSummary::default() }
}

/// An organization or unit that somebody emptied, or that was named by mistake.
pub(super) fn none_there() -> Skipped {
    let cause = "it has no accounts there (--allow-empty where that is right)".to_owned();
    Skipped { what: "organization".to_owned(), cause }
}

/// Follows a list to its end.
async fn all<T, C: Clock>(
    brakes: &Brakes<'_, C>,
    page: impl AsyncFn(Option<&str>) -> Result<Page<T>, CallError>,
) -> Result<Vec<T>, CallError> {
    let (mut items, mut token) = (Vec::new(), None::<String>);
    for _ in 0..MOST_PAGES {
        let answer = patiently(brakes, async || page(token.as_deref()).await).await?;
        items.extend(answer.items);
        match answer.next {
            None => return Ok(items),
            next if next == token => break,
            next => token = next,
        }
    }
    let message = "the list goes on without end".to_owned();
    Err(CallError { action: "organizations:List", cause: Cause::Ambiguous, code: None, message })
}

/// True where the same call may succeed later.
pub(super) fn passes(error: &CallError) -> bool {
    matches!(error.cause, Cause::Throttled | Cause::Ambiguous | Cause::Unreachable)
}

/// True where it was not tried any longer since the run was to end.
pub(super) fn given_up<C: Clock>(error: &CallError, brakes: &Brakes<'_, C>) -> bool {
    passes(error) && brakes.stopped().is_some()
}

/// Repeats what is throttled or lost, for a while. These calls are few, and other services' than IAM's.
pub(super) async fn patiently<T, C: Clock>(
    brakes: &Brakes<'_, C>,
    call: impl AsyncFn() -> Result<T, CallError>,
) -> Result<T, CallError> {
    let mut attempt = 1;
    loop {
        match call().await {
            Err(error) if passes(&error) && attempt < ATTEMPTS && brakes.stopped().is_none() => {
                brakes.clock.sleep(TimeDelta::milliseconds(FIRST_BACKOFF << (attempt - 1))).await;
                attempt += 1;
            }
            ended => return ended,
        }
    }
}
