//! One account from its groups to its last write: scan, cap, act.
//!
//! Keys that may be written to are held back until the cap is decided; every other row is told at once.

use std::cell::{Cell, RefCell};

use futures_util::stream::{self, StreamExt};

use super::Mode;
use super::act::Acted;
use super::calls::{Failed, stopped_words};
use super::scan::{Account, Evaluated, Members};
use super::teller::Teller;
use crate::keys::facts::Time;
use crate::keys::purge::row::{AccountSummary, CapHit, ExemptBy, ExemptUser, KeyRow, Outcome, Skipped};
use crate::keys::purge::{Rule, Standing, Totals, UserFacts, Verb};
use crate::ports::{Clock, Directory, Gauge, PurgeReport};

/// Users that are written to at once; the keys of one user come one after the other.
const WRITES_AT_ONCE: usize = 16;

/// What the scan left to do.
struct Scanned {
    pending: Vec<KeyRow>,
    planned: Totals,
    /// Users that were not looked at, and why.
    left: Option<(u64, Failed)>,
}

impl<D: Directory, C: Clock> Account<'_, D, C> {
    /// The whole account, told to `teller` as it goes on.
    pub async fn purge<R: PurgeReport, G: Gauge>(
        &self,
        members: Members,
        summary: &mut AccountSummary,
        teller: &Teller<'_, R, G, C>,
    ) {
        let now = (self.service_now)();
        summary.users_exempt = members.exempt.len() as u64;
        summary.users_expected = summary.users_exempt + members.targets.len() as u64;
        let mut users: Vec<(UserFacts, Standing)> =
            members.targets.into_iter().map(|user| (user, Standing::Target)).collect();
        if self.settings.mode == Mode::Review {
            users.extend(members.exempt.into_iter().map(|(user, group)| (user, Standing::Exempt(group))));
        } else {
            summary.users_evaluated = summary.users_exempt;
            summary.exemptions = members.exempt.into_iter().map(exempt_by_group).collect();
        }
        teller.progressed(|progress| progress.users += users.len() as u64);
        let scanned = self.scan(users, now, summary, teller).await;
        let affected = scanned.planned.of(Verb::Disable) + scanned.planned.of(Verb::Delete);
        let allowed = self.rules.cap.allows(summary.keys_evaluated);
        // A review has other keys before it than a purge, and is about none of them.
        if affected > allowed && self.settings.mode != Mode::Review {
            summary.cap = Some(CapHit { affected, allowed, scanned: summary.keys_evaluated });
        }
        let ended_early = scanned.left.is_some();
        if let Some((users, failed)) = scanned.left {
            summary.cut_short = matches!(failed, Failed::Stopped(_));
            let cause = format!("{users} of {} users were not looked at: {}", summary.users_expected, failed.cause());
            summary.skipped.push(Skipped { what: format!("account/{}", self.id), cause });
        }
        if summary.cap.is_some() || ended_early {
            scanned.pending.iter().for_each(|row| teller.key(row, summary));
        } else {
            self.write(scanned.pending, summary, teller).await;
        }
    }

    async fn scan<R: PurgeReport, G: Gauge>(
        &self,
        users: Vec<(UserFacts, Standing)>,
        now: Time,
        summary: &mut AccountSummary,
        teller: &Teller<'_, R, G, C>,
    ) -> Scanned {
        let mut scanned = Scanned { pending: Vec::new(), planned: Totals::default(), left: None };
        self.evaluate(users, now, |ended| {
            match ended {
                Ok(evaluated) => self.take(evaluated, &mut scanned, summary, teller),
                Err(failed) => {
                    let left = scanned.left.get_or_insert((0, failed));
                    left.0 += 1;
                }
            }
            let (calls, throttled) = self.calls.made();
            let (more, refused) = (calls - summary.calls, throttled - summary.throttled);
            (summary.calls, summary.throttled) = (calls, throttled);
            teller.progressed(|progress| {
                progress.users_done += 1;
                progress.calls += more;
                progress.throttled += refused;
            });
        })
        .await;
        scanned
    }

    fn take<R: PurgeReport, G: Gauge>(
        &self,
        evaluated: Evaluated,
        scanned: &mut Scanned,
        summary: &mut AccountSummary,
        teller: &Teller<'_, R, G, C>,
    ) {
        summary.users_evaluated += u64::from(evaluated.whole);
        summary.skipped.extend(evaluated.skipped);
        summary.exemptions.extend(evaluated.exempt);
        if let Some(review) = &evaluated.review {
            summary.review.get_or_insert_default().add(review);
        }
        // A purge does not list the keys of members of exempt groups: numbers of both can be compared.
        let counted = evaluated.rows.iter().all(|row| row.decision.rule != Rule::ExemptGroup);
        if counted {
            summary.census.add_user(&evaluated.rows, self.rules.max_age);
        }
        for row in evaluated.rows {
            summary.keys_evaluated += 1;
            scanned.planned.count(row.decision.verb);
            if self.settings.mode == Mode::Apply && needs_a_write(&row) {
                scanned.pending.push(row);
            } else {
                teller.key(&row, summary);
            }
        }
    }

    async fn write<R: PurgeReport, G: Gauge>(
        &self,
        pending: Vec<KeyRow>,
        summary: &mut AccountSummary,
        teller: &Teller<'_, R, G, C>,
    ) {
        teller.progressed(|progress| progress.writes += pending.len() as u64);
        let users = by_user(pending);
        let (told, left) = (RefCell::new(&mut *summary), Cell::new(0));
        // Each key at once: a user that is slow must not keep from the report what was done to others.
        let act = async |rows: Vec<KeyRow>| {
            for row in rows {
                let Acted { row, skipped, exempt, left: was_left } = self.act(row).await;
                let mut summary = told.borrow_mut();
                summary.failed += u64::from(matches!(row.outcome, Outcome::Failed(_)));
                summary.skipped.extend(skipped);
                summary.exemptions.extend(exempt);
                left.set(left.get() + u64::from(was_left));
                teller.key(&row, &mut summary);
                teller.progressed(|progress| progress.writes_done += 1);
            }
        };
        stream::iter(users).for_each_concurrent(WRITES_AT_ONCE, act).await;
        let left = left.get();
        if left > 0 {
            summary.cut_short = true;
            let cause = format!("{left} keys are left to do, or to finish: the run ended before");
            summary.skipped.push(Skipped { what: format!("account/{}", self.id), cause });
        }
    }
}

/// The keys that a run with `--apply` writes to, or to whose owner's tags.
fn needs_a_write(row: &KeyRow) -> bool {
    match row.decision.verb {
        Verb::Disable | Verb::Delete => true,
        Verb::Wait => row.decision.rule == Rule::NoRecord,
        Verb::Keep | Verb::Warn | Verb::Exempt | Verb::Skip => false,
    }
}

/// The rows of one user stand together, as the scan made them.
fn by_user(rows: Vec<KeyRow>) -> Vec<Vec<KeyRow>> {
    let mut users: Vec<Vec<KeyRow>> = Vec::new();
    for row in rows {
        match users.last_mut().filter(|user| user[0].user == row.user) {
            Some(user) => user.push(row),
            None => users.push(vec![row]),
        }
    }
    users
}

fn exempt_by_group((user, group): (UserFacts, String)) -> ExemptUser {
    ExemptUser { user, by: ExemptBy::Group(group), keys: Vec::new() }
}

/// Why an account that could not be opened, or the rest of a run, was left out.
pub fn not_begun(account: &str, why: crate::keys::purge::row::Stopped) -> Skipped {
    Skipped { what: format!("account/{account}"), cause: stopped_words(why).to_owned() }
}
