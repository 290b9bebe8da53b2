//! The purge's writes, in the order that survives a death in between: disable, then record; record anew
//! before disabling where an older record stands, which would else lend its grace; delete, then drop the
//! record.

use super::act::{Acted, Done, Next};
use super::calls::Failed;
use super::scan::Account;
use crate::keys::purge::records::{self, Disabling, disabled_tag, orphaned};
use crate::keys::purge::row::{KeyRow, Outcome, Skipped};
use crate::keys::purge::{UserRead, Verb};
use crate::ports::{Cause, Clock, Directory};

impl<D: Directory, C: Clock> Account<'_, D, C> {
    /// Disables and records; with `--grace 0` the deletion follows in a round of its own.
    pub async fn switch_off(&self, mut row: KeyRow, user: &UserRead, done: &mut Done) -> Result<Next, Failed> {
        let mut unrecorded = None;
        let before = user.tags.as_ref().map(|tags| records::record(tags, &row.key, (self.service_now)()));
        if before.is_some_and(|record| record != records::Record::None) && !done.recorded {
            unrecorded = self.record(&row, user, done).await.err();
            if unrecorded.is_some()
                && let Err(failed) = self.calls.untag(&row.user.name, &[disabled_tag(&row.key)]).await
            {
                let cause = "the record of an earlier disabling can be neither renewed nor removed, and would have it deleted without grace".to_owned();
                return Ok(Next::end(Acted::failure(row, cause).after(&failed)));
            }
        }
        let answer = self.calls.disable(&row.user.name, &row.key).await;
        done.tried_disable |= !matches!(answer, Err(Failed::Stopped(_)));
        match answer {
            Ok(request_id) => done.request_id = request_id,
            Err(failed) => return self.not_written(row, done, failed),
        }
        done.disabled = true;
        row.at = (self.service_now)();
        if unrecorded.is_none() && !done.recorded {
            unrecorded = self.record(&row, user, done).await.err();
        }
        if row.decision.verb == Verb::Delete && unrecorded.is_none() {
            return Box::pin(self.round(&row, done)).await;
        }
        row.decision.verb = Verb::Disable;
        Ok(Next::end(self.disabled(row, user, done, unrecorded).await))
    }

    /// Writes when the key was disabled, once.
    pub async fn record(&self, row: &KeyRow, user: &UserRead, done: &mut Done) -> Result<(), Failed> {
        if !done.recorded {
            let now = (self.service_now)();
            let before = user.tags.as_ref().map(|tags| records::record(tags, &row.key, now));
            let value = Disabling::again(before.as_ref().and_then(records::Record::valid), now).to_value();
            let name = disabled_tag(&row.key);
            let tag = async || self.calls.tag(&row.user.name, &name, &value).await;
            match tag().await {
                Err(Failed::Call(error)) if error.cause == Cause::QuotaFull => {
                    // A run that died left records of keys that are gone: they make room.
                    let orphans = orphans(user);
                    if orphans.is_empty() {
                        return Err(Failed::Call(error));
                    }
                    self.calls.untag(&row.user.name, &orphans).await?;
                    tag().await?;
                }
                tagged => _ = tagged?,
            }
            done.recorded = true;
        }
        Ok(())
    }

    /// An over-age Inactive key whose disabling nobody recorded: its grace begins now.
    pub async fn begin_grace(&self, mut row: KeyRow, user: &UserRead) -> Acted {
        let mut done = Done::default();
        match self.record(&row, user, &mut done).await {
            Ok(()) => {
                row.outcome = Outcome::Done;
                self.swept(row, user).await
            }
            Err(failed) => {
                let cause = format!("its disabling could not be recorded: {}", failed.cause());
                Acted::failure(row, cause).after(&failed)
            }
        }
    }

    /// A key that this run disabled. Without its record it will not be deleted, and the coverage is incomplete.
    pub async fn disabled(&self, mut row: KeyRow, user: &UserRead, done: &Done, unrecorded: Option<Failed>) -> Acted {
        row.outcome = Outcome::Done;
        row.request_id.clone_from(&done.request_id);
        let Some(failed) = unrecorded else { return self.swept(row, user).await };
        let cause = format!("its disabling could not be recorded, so it will not be deleted: {}", failed.cause());
        row.decision.note = Some(cause.clone());
        Acted::incomplete(row, cause).after(&failed)
    }

    /// Only a key with a record, whatever the grace: one without gets it first.
    pub async fn delete(&self, mut row: KeyRow, user: &UserRead, done: &mut Done) -> Result<Next, Failed> {
        let now = (self.service_now)();
        let record = user.tags.as_ref().map(|tags| records::record(tags, &row.key, now));
        done.recorded |= record.as_ref().and_then(records::Record::valid).is_some();
        if let Err(failed) = self.record(&row, user, done).await {
            let cause = format!("its disabling could not be recorded: {}", failed.cause());
            if done.disabled {
                row.decision.verb = Verb::Disable;
                return Ok(Next::end(self.disabled(row, user, done, Some(failed)).await));
            }
            return Ok(Next::end(Acted::failure(row, cause).after(&failed)));
        }
        let answer = self.calls.delete(&row.user.name, &row.key).await;
        done.tried_delete |= !matches!(answer, Err(Failed::Stopped(_)));
        match answer {
            Ok(request_id) => done.request_id = request_id,
            Err(failed) => return self.not_written(row, done, failed),
        }
        row.at = (self.service_now)();
        Ok(Next::end(self.deleted(row, user, done).await))
    }

    /// The record goes with its key, and with it those of other keys that are gone.
    pub async fn deleted(&self, mut row: KeyRow, user: &UserRead, done: &Done) -> Acted {
        let left: Vec<_> = user.keys.iter().map(|key| key.facts.id.clone()).filter(|key| *key != row.key).collect();
        let mut names = user.tags.as_ref().map(|tags| orphaned(tags, &left)).unwrap_or_default();
        let own = disabled_tag(&row.key);
        if !names.contains(&own) {
            names.push(own);
        }
        row.outcome = Outcome::Done;
        row.request_id.clone_from(&done.request_id);
        self.untagged(row, &names).await
    }

    /// A record that outlives its key takes one of IAM's 50 tags: that it could not be removed is named.
    pub async fn untagged(&self, mut row: KeyRow, names: &[String]) -> Acted {
        let Err(failed) = self.calls.untag(&row.user.name, names).await else { return Acted::whole(row) };
        let cause = format!("records of keys that are gone could not be removed: {}", failed.cause());
        row.decision.note = Some(cause.clone());
        let skipped = Skipped { what: format!("tags of user/{}", row.user.name), cause };
        Acted { skipped: Some(skipped), ..Acted::whole(row) }
    }

    /// A refusal for good ends here; what may succeed later is looked at again.
    fn not_written(&self, row: KeyRow, done: &Done, failed: Failed) -> Result<Next, Failed> {
        let Failed::Call(error) = failed else { return Err(failed) };
        let later = matches!(error.cause, Cause::Throttled | Cause::Ambiguous | Cause::Unreachable | Cause::NotFound);
        // A key that is off by our hand is told as that, though it could not be deleted.
        if self.calls.broken().is_some() || (done.disabled && !later) {
            return Err(Failed::Call(error));
        }
        Ok(if later { Next::Again(error) } else { Next::end(Acted::failure(row, error.to_string())) })
    }
}

/// The names of our records of keys that the user has no more.
pub fn orphans(user: &UserRead) -> Vec<String> {
    let keys: Vec<_> = user.keys.iter().map(|key| key.facts.id.clone()).collect();
    user.tags.as_ref().map(|tags| orphaned(tags, &keys)).unwrap_or_default()
}
