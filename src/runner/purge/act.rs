//! One key's act: everything that the rules look at is read again right before the write (I4), and a lost
//! answer is observed, never assumed.
//!
//! The writes themselves are `writes`'.

use tokio::time::Instant;

use super::Users;
use super::calls::Failed;
use super::explain::standing;
use super::scan::{ANOTHER_USER, Account, skip_of};
use super::writes::orphans;
use crate::keys::facts::Status;
use crate::keys::purge::row::{ExemptUser, KeyRow, Outcome, Skipped};
use crate::keys::purge::{self, Decision, KeyRead, Rule, Standing, Use, UserRead, Verb};
use crate::ports::{CallError, Cause, Clock, Directory, RequestId};

/// A write whose answer was lost is tried again, after a look, so often.
const ROUNDS: u32 = 3;

/// What came of one key.
#[derive(Debug)]
pub struct Acted {
    pub row: KeyRow,
    /// What is incomplete because of it.
    pub skipped: Option<Skipped>,
    /// An exemption that the scan did not see yet.
    pub exempt: Option<ExemptUser>,
    /// The run ended before it was done with: nothing was done to it, or not all.
    pub left: bool,
}

impl Acted {
    pub fn whole(row: KeyRow) -> Self {
        Self { row, skipped: None, exempt: None, left: false }
    }

    pub fn incomplete(row: KeyRow, cause: String) -> Self {
        let what = format!("key/{} of user/{}", row.key, row.user.name);
        Self { row, skipped: Some(Skipped { what, cause }), exempt: None, left: false }
    }

    /// The same key, where `failed` is why it was not done with.
    pub fn after(self, failed: &Failed) -> Self {
        Self { left: matches!(failed, Failed::Stopped(_)), ..self }
    }

    /// A write that did not succeed.
    pub fn failure(mut row: KeyRow, cause: String) -> Self {
        row.outcome = Outcome::Failed(cause.clone());
        Self::incomplete(row, cause)
    }
}

/// What this run has done to the key so far.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Done {
    /// An attempt was made whose answer may have been lost.
    pub tried_disable: bool,
    pub tried_delete: bool,
    pub disabled: bool,
    /// The record of this disabling stands.
    pub recorded: bool,
    pub request_id: RequestId,
}

/// How a round ended.
pub enum Next {
    /// After a look, since the answer may have been lost, or there was none.
    Again(CallError),
    End(Box<Acted>),
}

impl Next {
    pub fn end(acted: Acted) -> Self {
        Self::End(Box::new(acted))
    }
}

/// The key as it is right now.
enum Fresh {
    /// With the rules' decision on it.
    There(Box<UserRead>, KeyRead, Decision),
    KeyGone(Box<UserRead>),
    UserGone(&'static str),
}

impl<D: Directory, C: Clock> Account<'_, D, C> {
    /// Carries out what the scan decided, as far as a fresh look still says so.
    pub async fn act(&self, planned: KeyRow) -> Acted {
        let (mut done, mut rounds, mut refused, began) = (Done::default(), 0, 0, Instant::now());
        loop {
            let error = match self.round(&planned, &mut done).await {
                Ok(Next::End(acted)) => return *acted,
                Ok(Next::Again(error)) => error,
                Err(failed) => return self.broken_off(planned, &done, &failed),
            };
            if error.cause == Cause::Throttled {
                refused += 1;
                if self.calls.throttled_out(error.action, refused, began) {
                    let error = self.calls.give_up(error);
                    return self.broken_off(planned, &done, &Failed::Call(error));
                }
            } else {
                rounds += 1;
                if rounds == ROUNDS {
                    return self.broken_off(planned, &done, &Failed::Call(error));
                }
            }
        }
    }

    /// One look, and the write that it calls for.
    pub async fn round(&self, planned: &KeyRow, done: &mut Done) -> Result<Next, Failed> {
        let (user, key, decision) = match self.fresh(planned).await? {
            Fresh::There(user, key, decision) => (user, key, decision),
            Fresh::KeyGone(user) => return Ok(Next::end(self.gone(planned, &user, done).await)),
            Fresh::UserGone(cause) => {
                let acted = self.half_done(planned, done, cause).unwrap_or_else(|| self.changed(planned, cause));
                return Ok(Next::end(acted));
            }
        };
        // Our own attempt, whose answer was lost, did it.
        done.disabled |= done.tried_disable && key.facts.status == Status::Inactive;
        let mut row = self.row(&user, &key, decision, (self.service_now)());
        row.last_used.clone_from(&planned.last_used);
        if done.disabled {
            return self.after_disabling(planned, row, &user, done).await;
        }
        let counted = |verb| matches!(verb, Verb::Disable | Verb::Delete);
        match row.decision.verb {
            // The cap was decided without it.
            verb if counted(verb) && !counted(planned.decision.verb) => Ok(Next::end(Acted::whole(row))),
            Verb::Disable | Verb::Delete if key.facts.status == Status::Active => {
                self.switch_off(row, &user, done).await
            }
            Verb::Delete => self.delete(row, &user, done).await,
            Verb::Wait if row.decision.rule == Rule::NoRecord => Ok(Next::end(self.begin_grace(row, &user).await)),
            Verb::Skip => {
                let skipped = Some(skip_of(&row));
                Ok(Next::end(Acted { skipped, ..Acted::whole(row) }))
            }
            Verb::Exempt => {
                let exempt = super::scan::exemption_of(&user, std::slice::from_ref(&row));
                Ok(Next::end(Acted { exempt, ..Acted::whole(row) }))
            }
            _ => Ok(Next::end(Acted::whole(row))),
        }
    }

    /// The key is off by our hand: what is left is the record, and with `--grace 0` the deletion. Whatever an
    /// older record says of the grace, this disabling's begins now.
    async fn after_disabling(
        &self,
        planned: &KeyRow,
        mut row: KeyRow,
        user: &UserRead,
        done: &mut Done,
    ) -> Result<Next, Failed> {
        let to_delete = self.rules.grace.is_zero() && row.decision.verb == Verb::Delete;
        row.status.clone_from(&planned.status);
        row.decision = Decision { until: None, ..planned.decision.clone() };
        if to_delete {
            return self.delete(row, user, done).await;
        }
        row.decision.verb = Verb::Disable;
        let unrecorded = self.record(&row, user, done).await.err();
        Ok(Next::end(self.disabled(row, user, done, unrecorded).await))
    }

    /// `GetUser`, `ListGroupsForUser`, `ListAccessKeys`, in this order: the key's own state is the newest.
    async fn fresh(&self, planned: &KeyRow) -> Result<Fresh, Failed> {
        let name = &planned.user.name;
        let answer = match self.calls.user(name).await {
            Err(Failed::Call(error)) if error.cause == Cause::NotFound => {
                return Ok(Fresh::UserGone("it was renamed or deleted since the scan"));
            }
            answer => answer?,
        };
        if answer.user.id != planned.user.id {
            return Ok(Fresh::UserGone(ANOTHER_USER));
        }
        let standing = self.standing(name).await?;
        let keys = self.calls.keys_of(name).await?.into_iter().map(KeyRead::first);
        let mut read = UserRead { user: answer.user, standing, tags: Some(answer.tags), keys: keys.collect() };
        let Some(key) = read.keys.iter_mut().find(|key| key.facts.id == planned.key) else {
            return Ok(Fresh::KeyGone(Box::new(read)));
        };
        if planned.status == Status::Active {
            key.seen_active = Some(planned.at);
            // Asked for at the scan where a rule needs it; a use since then is within its unpublished lag anyway.
            // Of a key that was not Active then, nothing need have been asked.
            key.used = planned.last_used.clone().map_or(Use::Never, Use::Last);
        }
        let key = key.clone();
        let decision = purge::decide(&read, &key, &self.rules, (self.service_now)());
        Ok(Fresh::There(Box::new(read), key, decision))
    }

    /// How the user stands now. Where all users are asked for and no group is exempt, no list is needed.
    async fn standing(&self, user: &str) -> Result<Standing, Failed> {
        if matches!(self.settings.users, Users::All) && self.settings.exempt_groups.is_empty() {
            return Ok(Standing::Target);
        }
        Ok(standing(self.settings, &self.calls.groups_of(user).await?))
    }

    /// Not listed any more: by our own attempt whose answer was lost, or by somebody else.
    async fn gone(&self, planned: &KeyRow, user: &UserRead, done: &Done) -> Acted {
        let mut row = planned.clone();
        row.at = (self.service_now)();
        if done.tried_delete {
            return self.deleted(row, user, done).await;
        }
        row.decision = Decision {
            note: Some("somebody deleted it since the scan".to_owned()),
            ..Decision::new(Verb::Skip, Rule::Gone)
        };
        self.swept(row, user).await
    }

    fn changed(&self, planned: &KeyRow, cause: &str) -> Acted {
        let mut row = planned.clone();
        row.at = (self.service_now)();
        row.decision = Decision { note: Some(cause.to_owned()), ..Decision::new(Verb::Skip, Rule::Changed) };
        let skipped = Skipped { what: format!("user/{}", row.user.name), cause: cause.to_owned() };
        Acted { skipped: Some(skipped), ..Acted::whole(row) }
    }

    /// What this run did to the key, where it cannot do the rest of it; `None` where it did nothing yet.
    fn half_done(&self, planned: &KeyRow, done: &Done, cause: &str) -> Option<Acted> {
        let mut row = planned.clone();
        row.at = (self.service_now)();
        if done.disabled {
            row.decision.verb = Verb::Disable;
            row.outcome = Outcome::Done;
            row.request_id.clone_from(&done.request_id);
            let left = if done.recorded { "not deleted yet" } else { "not recorded yet" };
            row.decision.note = Some(format!("{left}: {cause}"));
            return Some(Acted::incomplete(row, format!("{left}: {cause}")));
        }
        (done.tried_disable || done.tried_delete).then(|| Acted::failure(row, cause.to_owned()))
    }

    /// The records of keys that are not there any more go.
    pub async fn swept(&self, row: KeyRow, user: &UserRead) -> Acted {
        let names = orphans(user);
        if names.is_empty() {
            return Acted::whole(row);
        }
        self.untagged(row, &names).await
    }

    /// The re-read or the write did not succeed: nothing more is known of the key than before.
    fn broken_off(&self, planned: KeyRow, done: &Done, failed: &Failed) -> Acted {
        let cause = failed.cause();
        if let Some(acted) = self.half_done(&planned, done, &cause) {
            return acted.after(failed);
        }
        let mut row = planned;
        row.at = (self.service_now)();
        match failed {
            Failed::Stopped(_) => Acted::whole(row).after(failed),
            Failed::Call(_) => {
                row.decision = Decision { note: Some(cause.clone()), ..Decision::new(Verb::Skip, Rule::Unread) };
                Acted::incomplete(row, cause)
            }
        }
    }
}
