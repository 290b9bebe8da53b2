//! The bucket as the function uses it (packaging/aws/README.md, 'In the bucket'): the run's parts, its list of accounts,
//! the reports, the history. Files lie in a folder of this invocation meanwhile.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use futures_util::stream::{self, StreamExt};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio::time::{Instant, timeout_at};

use super::failed::Failed;
use super::log::{Level, Log};
use crate::aws::bucket::{Bucket, Guard, Put};
use crate::host::history::{self, Line};
use crate::keys::facts::Time;
use crate::ports::{CallError, MemberAccount};

const JSON: &str = "application/json";
const HISTORY: &str = "history.jsonl";
/// Objects that are got at once.
const AT_ONCE: usize = 16;
/// The history is changed by others at most so often.
const TRIES: u32 = 3;
/// Numbers of parts that other invocations of the run take meanwhile.
const MOST_TAKEN: usize = 10;
const MOST_PARTS: u32 = 9_999;

pub struct Store<'a> {
    pub bucket: Bucket,
    pub run: &'a str,
    pub log: &'a Log,
    pub folder: TempDir,
    /// When the last put ends.
    pub until: Instant,
}

/// Which parts are meant: those of the whole purge, of a review, or of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parts {
    Purge,
    Review,
    Account(String),
}

impl Parts {
    fn prefix(&self) -> String {
        match self {
            Self::Purge => String::new(),
            Self::Review => "review-".to_owned(),
            Self::Account(id) => format!("{id}-"),
        }
    }

    /// The number in the last part of an object's key; `None` where it is no such part.
    fn number(&self, name: &str) -> Option<u32> {
        let digits = name.strip_prefix(&self.prefix())?.strip_suffix(".json")?;
        let plain = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten()
    }
}

/// An account as accounts.json has it. Without a state it was named by hand, and not by the organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Listed {
    account: String,
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    state: String,
    /// Tells what was asked when it was listed; see [`super::job::Job::digest`].
    #[serde(default)]
    rules: String,
}

impl Store<'_> {
    pub fn accounts_key(&self) -> String {
        format!("runs/{}/accounts.json", self.run)
    }

    fn parts_prefix(&self) -> String {
        format!("runs/{}/parts/", self.run)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn failed(&self, key: &str) -> impl Fn(CallError) -> Failed {
        let address = self.bucket.address(key);
        move |error| Failed::of_bucket(&address, &error)
    }

    /// What is put ends before the invocation does, so that it can still say what it did.
    async fn in_time<T>(&self, key: &str, call: impl Future<Output = Result<T, CallError>>) -> Result<T, Failed> {
        match timeout_at(self.until, call).await {
            Ok(ended) => ended.map_err(self.failed(key)),
            Err(_) => {
                Err(Failed::unexpected(format!("{}: the time of this invocation was over", self.bucket.address(key))))
            }
        }
    }

    /// The parts that are there, as files, in their order; and the number of the last.
    pub async fn parts(&self, which: &Parts) -> Result<(Vec<PathBuf>, u32), Failed> {
        let begin = self.parts_prefix() + &which.prefix();
        let keys = self.bucket.list(&begin).await.map_err(self.failed(&begin))?;
        let number = |key: &String| which.number(key.strip_prefix(&self.parts_prefix())?);
        let keys: Vec<(u32, String)> = keys.into_iter().filter_map(|key| Some((number(&key)?, key))).collect();
        let last = keys.iter().map(|(number, _)| *number).max().unwrap_or_default();
        let files = self.got(keys.into_iter().map(|(_, key)| key).collect()).await?;
        Ok((files, last))
    }

    /// The parts of all accounts, as files, in the order of their names.
    pub async fn parts_of_accounts(&self) -> Result<Vec<PathBuf>, Failed> {
        let begin = self.parts_prefix();
        let mut keys = self.bucket.list(&begin).await.map_err(self.failed(&begin))?;
        keys.retain(|key| {
            let name = key.strip_prefix(&begin).unwrap_or_default();
            let account = name.split('-').next().unwrap_or_default();
            account.len() == 12 && Parts::Account(account.to_owned()).number(name).is_some()
        });
        self.got(keys).await
    }

    async fn got(&self, keys: Vec<String>) -> Result<Vec<PathBuf>, Failed> {
        let each = keys.into_iter().map(|key| async move {
            let here = self.file(key.rsplit('/').next().unwrap_or(&key));
            // A part does not change once it is there.
            if here.is_file() {
                return Ok(here);
            }
            let copied = self.copy(&key, key.rsplit('/').next().unwrap_or(&key)).await?;
            copied.ok_or_else(|| Failed::unexpected(format!("{} is gone", self.bucket.address(&key))))
        });
        let all: Vec<Result<PathBuf, Failed>> = stream::iter(each).buffered(AT_ONCE).collect().await;
        all.into_iter().collect()
    }

    async fn bytes(&self, key: &str) -> Result<Option<Vec<u8>>, Failed> {
        let mut bytes = Vec::new();
        let found = self.bucket.get(key, &mut bytes).await.map_err(self.failed(key))?;
        Ok(found.map(|_| bytes))
    }

    /// Keeps a part under the first number after `last` that is free. Two invocations of one run at once, which Lambda
    /// does not rule out, so have a part each: the engine reads each key again before it writes, and the merge tells a
    /// key once.
    pub async fn add_part(&self, which: &Parts, last: u32, file: &Path) -> Result<String, Failed> {
        for number in (last + 1..=MOST_PARTS).take(MOST_TAKEN) {
            let key = format!("{}{}{number:04}.json", self.parts_prefix(), which.prefix());
            if self.claim(&key, file, JSON).await? {
                // It need not be got again; where it cannot be linked, it is.
                drop(std::fs::hard_link(file, self.file(key.rsplit('/').next().unwrap_or(&key))));
                return Ok(self.bucket.address(&key));
            }
        }
        Err(Failed::unexpected(format!("{}: too many invocations of one run at once", self.parts_prefix())))
    }

    /// Puts a file where nothing is yet. Where something is that this invocation put, an answer was lost.
    pub async fn claim(&self, key: &str, file: &Path, kind: &str) -> Result<bool, Failed> {
        match self.in_time(key, self.bucket.put_file(key, file, kind, &Guard::Absent)).await? {
            Put::Done => Ok(true),
            Put::Refused => self.in_time(key, self.bucket.is_ours(key)).await,
        }
    }

    pub async fn put(&self, key: &str, file: &Path, kind: &str) -> Result<(), Failed> {
        self.in_time(key, self.bucket.put_file(key, file, kind, &Guard::None)).await.map(drop)
    }

    /// A copy of an object as a file; `None` where there is none.
    pub async fn copy(&self, key: &str, name: &str) -> Result<Option<PathBuf>, Failed> {
        let path = self.file(name);
        let created = OpenOptions::new().write(true).create_new(true).open(&path);
        let mut file = created.map_err(|error| Failed::unexpected(format!("{}: {error}", path.display())))?;
        let found = self.bucket.get(key, &mut file).await.map_err(self.failed(key))?;
        Ok(found.map(|_| path))
    }

    /// The accounts of the run, as the step `accounts` found them; `None` before it. Refused where it was asked by other
    /// settings then: they may have been narrowed since.
    pub async fn accounts(&self, rules: &str) -> Result<Option<Vec<MemberAccount>>, Failed> {
        let key = self.accounts_key();
        let Some(bytes) = self.bytes(&key).await? else { return Ok(None) };
        let unread = |why| Failed::unexpected(format!("{}: {why}", self.bucket.address(&key)));
        let listed: Vec<Listed> = serde_json::from_slice(&bytes).map_err(unread)?;
        if listed.iter().any(|one| one.rules != rules) {
            let address = self.bucket.address(&key);
            return Err(Failed::usage(format!("{address} was made by other settings: begin a run with another name")));
        }
        let member = |one: Listed| MemberAccount { id: one.account, name: one.name, state: one.state };
        Ok(Some(listed.into_iter().map(member).collect()))
    }

    /// Keeps the list; false where the run has one already, which stays.
    pub async fn put_accounts(&self, accounts: &[MemberAccount], rules: &str) -> Result<bool, Failed> {
        let key = self.accounts_key();
        let listed = |one: &MemberAccount| Listed {
            account: one.id.clone(),
            name: one.name.clone(),
            state: one.state.clone(),
            rules: rules.to_owned(),
        };
        let listed: Vec<Listed> = accounts.iter().map(listed).collect();
        let bytes = serde_json::to_vec(&listed).map_err(|error| Failed::unexpected(error.to_string()))?;
        let put = self.bucket.put_bytes(&key, bytes, JSON, &Guard::Absent).await;
        put.map(|put| put == Put::Done).map_err(self.failed(&key))
    }

    /// The lines of earlier runs; none where they cannot be read, which is told.
    pub async fn history(&self) -> Vec<Line> {
        let read = async {
            let bytes = self.bytes(HISTORY).await.map_err(|failed| failed.message)?.unwrap_or_default();
            let known = history::parse(&self.bucket.address(HISTORY), &bytes).map_err(|error| error.to_string())?;
            Ok::<_, String>(known.lines)
        };
        read.await.unwrap_or_else(|error| {
            self.log.line(Level::Error, "the history was not read", [("error", error.into())]);
            Vec::new()
        })
    }

    /// The run's line in the history, once, whoever else tells the run. A history that is damaged or cannot be written is
    /// told and left as it is; the reports do not wait for it.
    pub async fn remember(&self, line: &Line) {
        if let Err(error) = self.write_history(line).await {
            self.log.line(Level::Error, "the history was not written", [("error", error.into())]);
        }
    }

    async fn write_history(&self, line: &Line) -> Result<(), String> {
        let name = self.bucket.address(HISTORY);
        for _ in 0..TRIES {
            let mut bytes = Vec::new();
            let found =
                self.in_time(HISTORY, self.bucket.get(HISTORY, &mut bytes)).await.map_err(|error| error.message)?;
            let known = history::parse(&name, &bytes).map_err(|error| error.to_string())?;
            if known.lines.iter().any(|known| known.is_again(line)) {
                return Ok(());
            }
            let whole = history::with_line(&name, &bytes, line).map_err(|error| error.to_string())?;
            let guard = found.map_or(Guard::Absent, Guard::Unchanged);
            let put = self.bucket.put_bytes(HISTORY, whole, "application/jsonl", &guard);
            if self.in_time(HISTORY, put).await.map_err(|error| error.message)? == Put::Done {
                return Ok(());
            }
        }
        Err(format!("{name}: others write it all the time"))
    }

    /// Where the reports of a run stand that began then.
    pub fn reports(&self, began: Time) -> String {
        format!("reports/{}/{}/", began.format("%Y/%m/%d"), self.run)
    }
}
