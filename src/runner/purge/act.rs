//! One key's write: everything that the rules look at is read again right before it (I4), and a lost answer
//! is observed, never assumed.
//!
//! Order: disable, then record; delete, then drop the record. A run that dies in between leaves a key that
//! the next run understands.

use tokio::time::Instant;

use super::Users;
use super::calls::Failed;
use super::explain::standing;
use super::scan::{ANOTHER_USER, Account};
use crate::keys::facts::{KeyId, Status, Time};
use crate::keys::purge::records::{Disabling, disabled_tag, orphaned};
use crate::keys::purge::row::{KeyRow, Outcome, Skipped};
use crate::keys::purge::{self, Decision, KeyRead, Rule, Standing, Use, UserRead, Verb};
use crate::ports::{CallError, Cause, Clock, Directory};

/// A write whose answer was lost is tried again, after a look, so often.
const ROUNDS: u32 = 3;

/// What came of one key.
pub struct Acted {
    pub row: KeyRow,
    /// What is incomplete because of it.
    pub skipped: Option<Skipped>,
    /// The run ended before anything was done to it.
    pub left: bool,
}

/// What this run has done to the key so far.
#[derive(Default)]
struct Done {
    /// An attempt was made whose answer may have been lost.
    tried_disable: bool,
    tried_delete: bool,
    disabled: bool,
    request_id: Option<String>,
}

enum Next {
    Again(CallError),
    End(Box<Acted>),
}

impl Next {
    fn end(acted: Acted) -> Self {
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
                if self.calls.throttled_out(refused, began) {
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

    async fn round(&self, planned: &KeyRow, done: &mut Done) -> Result<Next, Failed> {
        let (user, key, decision) = match self.fresh(planned).await? {
            Fresh::There(user, key, decision) => (user, key, decision),
            Fresh::KeyGone(user) => return Ok(Next::end(self.gone(planned, &user, done).await)),
            Fresh::UserGone(cause) => return Ok(Next::end(self.changed(planned, cause))),
        };
        let mut row = self.row(&user, &key, decision, (self.service_now)());
        row.last_used.clone_from(&planned.last_used);
        if done.disabled {
            row.status.clone_from(&planned.status);
            row.decision.rule = planned.decision.rule;
        }
        if done.tried_disable && key.facts.status == Status::Inactive {
            // Our own attempt, whose answer was lost, did it.
            done.disabled = true;
        }
        let counted = |verb| matches!(verb, Verb::Disable | Verb::Delete);
        if counted(row.decision.verb) && !counted(planned.decision.verb) {
            // The cap was decided without it.
            return Ok(Next::end(ended(row)));
        }
        match row.decision.verb {
            Verb::Disable | Verb::Delete if key.facts.status == Status::Active => {
                self.switch_off(row, &user, done).await
            }
            Verb::Delete => self.delete(row, &user, done).await,
            Verb::Wait if done.disabled => Ok(Next::end(self.recorded(planned, row, &user, done).await?)),
            Verb::Wait if row.decision.rule == Rule::NoRecord => Ok(Next::end(self.record(row, &user).await?)),
            Verb::Skip => {
                let skipped = Some(super::scan::skip_of(&row));
                Ok(Next::end(Acted { row, skipped, left: false }))
            }
            _ => Ok(Next::end(ended(row))),
        }
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
        let keys = self.calls.keys_of(name).await?.into_iter().map(|facts| KeyRead { facts, used: Use::NotAsked });
        let mut read = UserRead { user: answer.user, standing, tags: Some(answer.tags), keys: keys.collect() };
        // Asked for at the scan; a use since then is within its unpublished lag anyway.
        read.set_use(&planned.key, planned.last_used.clone());
        let Some(key) = read.keys.iter().find(|key| key.facts.id == planned.key).cloned() else {
            return Ok(Fresh::KeyGone(Box::new(read)));
        };
        let decision = purge::decide(&read, &key, &self.rules, (self.service_now)());
        Ok(Fresh::There(Box::new(read), key, decision))
    }

    /// How the user stands now. Who is asked for with all users and no exempt group needs no list.
    async fn standing(&self, user: &str) -> Result<Standing, Failed> {
        if matches!(self.settings.users, Users::All) && self.settings.exempt_groups.is_empty() {
            return Ok(Standing::Target);
        }
        Ok(standing(self.settings, &self.calls.groups_of(user).await?))
    }

    /// Disables, and records when. With `--grace 0` the deletion follows in the next round.
    async fn switch_off(&self, mut row: KeyRow, user: &UserRead, done: &mut Done) -> Result<Next, Failed> {
        done.tried_disable = true;
        match self.calls.disable(&row.user.name, &row.key).await {
            Ok(request_id) => done.request_id = request_id,
            Err(failed) => return self.not_written(row, failed),
        }
        done.disabled = true;
        row.at = (self.service_now)();
        let before = purge::decide::recorded(user.tags.as_ref(), &row.key, row.at);
        let unrecorded = self.write_record(&row.user.name, &row.key, before.as_ref(), row.at).await.err();
        if row.decision.verb == Verb::Delete && unrecorded.is_none() {
            return Box::pin(self.round(&row.clone(), done)).await;
        }
        row.decision.verb = Verb::Disable;
        Ok(Next::end(finished(row, done, unrecorded)))
    }

    /// Our own disabling, found done after its answer was lost: what is missing is the record.
    async fn recorded(&self, planned: &KeyRow, mut row: KeyRow, user: &UserRead, done: &Done) -> Result<Acted, Failed> {
        row.at = (self.service_now)();
        let before = purge::decide::recorded(user.tags.as_ref(), &row.key, row.at);
        let unrecorded = self.write_record(&row.user.name, &row.key, before.as_ref(), row.at).await.err();
        row.decision = Decision { verb: Verb::Disable, ..planned.decision.clone() };
        row.status = planned.status.clone();
        Ok(finished(row, done, unrecorded))
    }

    /// An over-age Inactive key whose disabling nobody recorded: its grace begins now.
    async fn record(&self, mut row: KeyRow, user: &UserRead) -> Result<Acted, Failed> {
        row.at = (self.service_now)();
        let before = purge::decide::recorded(user.tags.as_ref(), &row.key, row.at);
        let unrecorded = self.write_record(&row.user.name, &row.key, before.as_ref(), row.at).await.err();
        Ok(finished(row, &Done::default(), unrecorded))
    }

    async fn write_record(&self, user: &str, key: &KeyId, before: Option<&Disabling>, at: Time) -> Result<(), Failed> {
        let value = Disabling::again(before, at).to_value();
        self.calls.tag(user, &disabled_tag(key), &value).await.map(drop)
    }

    /// Only a key with a record, whatever the grace: one without gets it first.
    async fn delete(&self, mut row: KeyRow, user: &UserRead, done: &mut Done) -> Result<Next, Failed> {
        row.at = (self.service_now)();
        if purge::decide::recorded(user.tags.as_ref(), &row.key, row.at).is_none()
            && let Err(failed) = self.write_record(&row.user.name, &row.key, None, row.at).await
        {
            row.outcome = Outcome::Failed(format!("its disabling could not be recorded: {}", failed.cause()));
            return Ok(Next::end(failure(row)));
        }
        done.tried_delete = true;
        match self.calls.delete(&row.user.name, &row.key).await {
            Ok(request_id) => done.request_id = request_id,
            Err(failed) => return self.not_written(row, failed),
        }
        row.at = (self.service_now)();
        Ok(Next::end(self.deleted(row, user, done).await))
    }

    /// The record goes with its key, and records of other keys that are gone with it.
    async fn deleted(&self, mut row: KeyRow, user: &UserRead, done: &Done) -> Acted {
        let left: Vec<KeyId> = user.keys.iter().map(|key| key.facts.id.clone()).filter(|key| *key != row.key).collect();
        let mut names = user.tags.as_ref().map(|tags| orphaned(tags, &left)).unwrap_or_default();
        let own = disabled_tag(&row.key);
        if !names.contains(&own) {
            names.push(own);
        }
        row.outcome = Outcome::Done;
        row.request_id.clone_from(&done.request_id);
        if let Err(failed) = self.calls.untag(&row.user.name, &names).await {
            row.decision.note = Some(format!("its record could not be removed: {}", failed.cause()));
            let what = format!("tags of user/{}", row.user.name);
            return Acted { skipped: Some(Skipped { what, cause: failed.cause() }), row, left: false };
        }
        ended(row)
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
        ended(row)
    }

    fn changed(&self, planned: &KeyRow, cause: &str) -> Acted {
        let mut row = planned.clone();
        row.at = (self.service_now)();
        row.decision = Decision { note: Some(cause.to_owned()), ..Decision::new(Verb::Skip, Rule::Changed) };
        let skipped = Skipped { what: format!("user/{}", row.user.name), cause: cause.to_owned() };
        Acted { row, skipped: Some(skipped), left: false }
    }

    /// A refusal for good ends here; what may succeed later is looked at again.
    fn not_written(&self, mut row: KeyRow, failed: Failed) -> Result<Next, Failed> {
        match failed {
            Failed::Call(error) if self.calls.broken().is_some() => Err(Failed::Call(error)),
            Failed::Call(error)
                if matches!(
                    error.cause,
                    Cause::Throttled | Cause::Ambiguous | Cause::Unreachable | Cause::NotFound
                ) =>
            {
                Ok(Next::Again(error))
            }
            Failed::Call(error) => {
                row.outcome = Outcome::Failed(error.to_string());
                Ok(Next::end(failure(row)))
            }
            Failed::Stopped(_) => Err(failed),
        }
    }

    /// The re-read or the write did not succeed: nothing more is known of the key than before.
    fn broken_off(&self, planned: KeyRow, done: &Done, failed: &Failed) -> Acted {
        let mut row = planned;
        row.at = (self.service_now)();
        let cause = failed.cause();
        if done.disabled {
            row.decision.verb = Verb::Disable;
            row.decision.note = Some(format!("not deleted yet: {cause}"));
            row.request_id.clone_from(&done.request_id);
            row.outcome = Outcome::Done;
            let skipped = Some(skipped_key(&row, cause));
            return Acted { row, skipped, left: false };
        }
        if done.tried_disable || done.tried_delete {
            row.outcome = Outcome::Failed(cause);
            return failure(row);
        }
        match failed {
            Failed::Stopped(_) => Acted { row, skipped: None, left: true },
            Failed::Call(_) => {
                row.decision = Decision { note: Some(cause.clone()), ..Decision::new(Verb::Skip, Rule::Unread) };
                let skipped = Some(skipped_key(&row, cause));
                Acted { row, skipped, left: false }
            }
        }
    }
}

fn skipped_key(row: &KeyRow, cause: String) -> Skipped {
    Skipped { what: format!("key/{} of user/{}", row.key, row.user.name), cause }
}

fn ended(row: KeyRow) -> Acted {
    Acted { row, skipped: None, left: false }
}

/// A write that was made; without its record the key will not be deleted, and the coverage is incomplete.
fn finished(mut row: KeyRow, done: &Done, unrecorded: Option<Failed>) -> Acted {
    row.outcome = Outcome::Done;
    row.request_id.clone_from(&done.request_id);
    let Some(failed) = unrecorded else { return ended(row) };
    let cause = format!("its disabling could not be recorded, so it will not be deleted: {}", failed.cause());
    row.decision.note = Some(cause.clone());
    if row.decision.verb == Verb::Wait {
        row.outcome = Outcome::Failed(cause.clone());
    }
    let skipped = Some(skipped_key(&row, cause));
    Acted { row, skipped, left: false }
}

fn failure(row: KeyRow) -> Acted {
    let cause = match &row.outcome {
        Outcome::Failed(cause) => cause.clone(),
        Outcome::Planned | Outcome::Done => String::new(),
    };
    let skipped = Some(skipped_key(&row, cause));
    Acted { row, skipped, left: false }
}
