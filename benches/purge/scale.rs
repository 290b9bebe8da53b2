//! An organization of any size, made up while it is read, under the program's own runner and reports: what the purge
//! itself keeps in memory, without connections. To be run in a process of its own.

use std::path::Path;
use std::time::Instant;

use chrono::TimeDelta;
use keyrot_me::host::clock::{Stop, SystemClock};
use keyrot_me::host::report::{ReportHeader, Reports};
use keyrot_me::keys::facts::{Identity, KeyFacts, KeyId, LastUsed, Status, Time};
use keyrot_me::keys::purge::{Cap, Rules, Tags, UserFacts};
use keyrot_me::ports::{
    CallError, Clock, Directory, Estate, Gauge, KeyUse, MemberAccount, Page, Progress, RequestId, RoleToAssume,
    TaggedUser,
};
use keyrot_me::runner::purge::{Mode, Purge, Scope, Settings, Users};
use serde::{Deserialize, Serialize};
use tokio::task::yield_now;

use crate::emulator::{GROUP, LIMIT};
use crate::measured;

/// As the command line sets it.
const ACCOUNTS_AT_ONCE: usize = 16;
const ACCOUNTS_ON_A_PAGE: usize = 20;
const USERS_ON_A_PAGE: usize = 1000;

/// Of 20 keys three are over age, as 300 of 2,000.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Size {
    pub accounts: usize,
    pub users: usize,
    /// Of each user.
    pub keys: usize,
    /// What is over age is switched off; else it is a dry run.
    pub apply: bool,
    /// Every key is taken.
    pub all_keys: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Came {
    pub seconds: f64,
    /// In KiB.
    pub peak: u64,
    pub calls: u64,
    pub keys: u64,
    pub complete: bool,
}

/// The process itself. Reports go to files in `folder`.
pub fn simulate(size: &str, folder: &str) {
    let size: Size = serde_json::from_str(size).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let came = runtime.block_on(purge(size, Path::new(folder)));
    println!("{}", serde_json::to_string(&came).unwrap());
}

async fn purge(size: Size, folder: &Path) -> Came {
    let clock = SystemClock { stop: Stop::default() };
    let estate = Fleet { size, now: clock.now() };
    let settings = settings(size);
    let header = ReportHeader {
        applied: size.apply,
        started: clock.now(),
        facts: vec![("users".to_owned(), format!("members of {GROUP}"))],
        rules: serde_json::Map::new(),
    };
    let paths = ["json", "csv", "html"].map(|format| folder.join(format!("purge.{format}")));
    let mut reports = Reports::create(&paths, false, &header).unwrap();
    let began = Instant::now();
    let purge = Purge { estate: &estate, clock: &clock, settings: &settings };
    let ended = purge.run(&mut reports, &Silent).await;
    reports.finish(&ended.summary).unwrap();
    Came {
        seconds: began.elapsed().as_secs_f64(),
        peak: measured::own_peak(),
        calls: ended.summary.calls,
        keys: ended.summary.totals.keys(),
        complete: ended.summary.complete() && ended.report.is_none(),
    }
}

fn settings(size: Size) -> Settings {
    Settings {
        scope: Scope::Organization { units: Vec::new() },
        users: Users::Groups(vec![GROUP.to_owned()]),
        exempt_groups: Vec::new(),
        rules: Rules {
            max_age: if size.all_keys { TimeDelta::zero() } else { TimeDelta::days(LIMIT) },
            grace: TimeDelta::days(7),
            warn_before: TimeDelta::zero(),
            unused_for: None,
            exempt_tag: false,
            own_keys: Vec::new(),
            own_user: None,
            cap: Cap::Percent(100),
        },
        mode: if size.apply { Mode::Apply } else { Mode::DryRun },
        report_last_use: true,
        allow_empty: false,
        owner_tag: None,
        review: None,
        only: Vec::new(),
        finished: Vec::new(),
        role: None,
        external_id: None,
        deadline: None,
        accounts_at_once: ACCOUNTS_AT_ONCE,
        patience: TimeDelta::seconds(20),
    }
}

struct Silent;

impl Gauge for Silent {
    fn show(&self, _: &Progress) {}
}

struct Fleet {
    size: Size,
    now: Time,
}

struct Account {
    id: String,
    size: Size,
    now: Time,
}

fn account_id(n: usize) -> String {
    format!("{:012}", 200_000_000_000 + n)
}

/// The page that begins at `start`, which is also what its token says.
fn page<T>(token: Option<&str>, all: usize, most: usize, item: impl Fn(usize) -> T) -> Page<T> {
    let start: usize = token.map_or(0, |token| token.parse().unwrap());
    let end = all.min(start + most);
    Page { items: (start..end).map(item).collect(), next: (end < all).then(|| end.to_string()) }
}

impl Fleet {
    fn account(&self, id: &str) -> Account {
        Account { id: id.to_owned(), size: self.size, now: self.now }
    }
}

impl Estate for Fleet {
    type Account = Account;

    async fn identity(&self) -> Result<Identity, CallError> {
        let account = account_id(0);
        Ok(Identity { arn: format!("arn:aws:iam::{account}:user/purger"), account })
    }

    async fn management_account(&self) -> Result<String, CallError> {
        Ok(account_id(0))
    }

    async fn accounts_page(&self, _: Option<&str>, token: Option<&str>) -> Result<Page<MemberAccount>, CallError> {
        yield_now().await;
        let member = |n| MemberAccount { id: account_id(n), name: format!("account-{n}"), state: "ACTIVE".to_owned() };
        Ok(page(token, self.size.accounts, ACCOUNTS_ON_A_PAGE, member))
    }

    async fn units_page(&self, _: &str, _: Option<&str>) -> Result<Page<String>, CallError> {
        Ok(Page { items: Vec::new(), next: None })
    }

    fn own(&self) -> Account {
        self.account(&account_id(0))
    }

    async fn assume(&self, role: &RoleToAssume) -> Result<Account, CallError> {
        yield_now().await;
        Ok(self.account(role.arn.split(':').nth(4).unwrap()))
    }

    fn clock_offset(&self) -> Option<TimeDelta> {
        Some(TimeDelta::zero())
    }

    fn signing_key(&self) -> Option<KeyId> {
        None
    }
}

impl Account {
    fn user_facts(&self, n: usize) -> UserFacts {
        UserFacts { name: format!("first.last-{n:06}@example.org"), id: format!("AIDA{}{n:05}", self.id) }
    }

    fn keys(&self, user: &str) -> Vec<KeyFacts> {
        let n: usize = user[11..17].parse().unwrap();
        let key = |slot: usize| {
            let age = if (n * self.size.keys + slot) % 20 < 3 { LIMIT + 10 } else { 1 };
            let id = KeyId::new(format!("AKIA{}{n:06}{slot}", &self.id[3..])).unwrap();
            KeyFacts { id, status: Status::Active, created: self.now - TimeDelta::days(age) }
        };
        (0..self.size.keys).map(key).collect()
    }
}

impl Directory for Account {
    fn account(&self) -> Option<String> {
        Some(self.id.clone())
    }

    async fn group_page(&self, _: &str, marker: Option<&str>) -> Result<Page<UserFacts>, CallError> {
        yield_now().await;
        Ok(page(marker, self.size.users, USERS_ON_A_PAGE, |n| self.user_facts(n)))
    }

    async fn users_page(&self, marker: Option<&str>) -> Result<Page<UserFacts>, CallError> {
        self.group_page("", marker).await
    }

    async fn user(&self, name: &str) -> Result<TaggedUser, CallError> {
        yield_now().await;
        let n: usize = name[11..17].parse().unwrap();
        Ok(TaggedUser { user: self.user_facts(n), created: None, tags: Tags::new() })
    }

    async fn groups_page(&self, _: &str, _: Option<&str>) -> Result<Page<String>, CallError> {
        yield_now().await;
        Ok(Page { items: vec![GROUP.to_owned()], next: None })
    }

    async fn keys_page(&self, user: &str, _: Option<&str>) -> Result<Page<KeyFacts>, CallError> {
        yield_now().await;
        Ok(Page { items: self.keys(user), next: None })
    }

    async fn key_use(&self, _: &KeyId) -> Result<KeyUse, CallError> {
        yield_now().await;
        let last =
            LastUsed { at: self.now - TimeDelta::days(2), service: "s3".to_owned(), region: "eu-west-1".to_owned() };
        Ok(KeyUse { user: None, last: Some(last) })
    }

    async fn tag(&self, _: &str, _: &str, _: &str) -> Result<RequestId, CallError> {
        yield_now().await;
        Ok(None)
    }

    async fn untag(&self, _: &str, _: &[String]) -> Result<RequestId, CallError> {
        yield_now().await;
        Ok(None)
    }

    async fn disable(&self, _: &str, _: &KeyId) -> Result<RequestId, CallError> {
        yield_now().await;
        Ok(Some("01234567-89ab-cdef-0123-456789abcdef".to_owned()))
    }

    async fn delete(&self, _: &str, _: &KeyId) -> Result<RequestId, CallError> {
        yield_now().await;
        Ok(Some("01234567-89ab-cdef-0123-456789abcdef".to_owned()))
    }
}
