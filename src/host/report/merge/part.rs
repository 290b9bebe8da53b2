//! One part, read as a stream: each key and each account is handed on as it comes.
//!
//! What is kept does not grow with the part. Nothing here may know that there are other parts.

use std::cell::RefCell;
use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::marker::PhantomData;
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::MergeError;
use super::text::{AccountText, KeyText, SkippedText, Text, stopped};
use crate::host::report::ReportHeader;
use crate::host::report::json::VERSION;
use crate::keys::facts::Time;
use crate::keys::purge::review::{Past, Review};
use crate::keys::purge::row::{AccountSummary, KeyRow, Skipped, Stopped};

/// Bytes that are read at once.
const BUFFER: usize = 64 * 1024;

/// Who is told what a part holds.
pub trait Listener {
    /// False: the keys are not even looked at.
    const KEYS: bool;

    fn key(&mut self, row: KeyRow) -> Result<(), MergeError>;
    fn account(&mut self, account: AccountSummary) -> Result<(), MergeError>;
}

/// What a part says besides keys and accounts.
#[derive(Debug)]
pub struct Frame {
    pub header: ReportHeader,
    pub skipped: Vec<Skipped>,
    /// What a review says of earlier runs.
    pub past: Option<Past>,
    pub stopped: Option<Stopped>,
    pub ended: Time,
}

/// Reads the part at `path` to its end.
///
/// # Errors
/// [`MergeError`], which names it.
pub fn read(path: &Path, listener: &mut impl Listener) -> Result<Frame, MergeError> {
    let name = || path.display().to_string();
    let file = File::open(path).map_err(|error| MergeError::Unread { path: name(), why: error.to_string() })?;
    let mut text = serde_json::Deserializer::from_reader(BufReader::with_capacity(BUFFER, file));
    let fault = RefCell::new(None);
    let whole = Whole { path, listener, fault: &fault };
    let read = whole.deserialize(&mut text).and_then(|frame| text.end().map(|()| frame));
    read.map_err(|error| fault.take().unwrap_or_else(|| because(name(), &error)))
}

fn because(path: String, error: &serde_json::Error) -> MergeError {
    if error.is_eof() {
        return MergeError::CutOff { path };
    }
    if error.is_io() {
        return MergeError::Unread { path, why: error.to_string() };
    }
    let (text, place) = (error.to_string(), format!(" at line {} column {}", error.line(), error.column()));
    let why = text.strip_suffix(&place).unwrap_or(&text).to_owned();
    MergeError::NotOurs { path, place: format!("line {}", error.line()), why }
}

/// The object; what went wrong beyond its text is left in `fault`.
struct Whole<'a, L> {
    path: &'a Path,
    listener: &'a mut L,
    fault: &'a RefCell<Option<MergeError>>,
}

impl<'de, L: Listener> DeserializeSeed<'de> for Whole<'_, L> {
    type Value = Frame;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Frame, D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// The members that are read, as far as they came.
#[derive(Default)]
struct Members {
    version: Option<u64>,
    applied: Option<bool>,
    started: Option<Time>,
    rules: Option<Map<String, Value>>,
    keys: Option<()>,
    accounts: Option<()>,
    skipped: Option<Vec<SkippedText>>,
    review: Option<Review>,
    stopped: Option<String>,
    ended: Option<Time>,
    complete: Option<bool>,
}

impl<'de, L: Listener> Visitor<'de> for Whole<'_, L> {
    type Value = Frame;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the object that 'keyrot-me purge --report FILE.json' writes")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Frame, A::Error> {
        let mut found = Members::default();
        while let Some(member) = map.next_key::<String>()? {
            if found.version.is_none() && member != "version" {
                return Err(A::Error::custom("it does not begin with a version"));
            }
            match member.as_str() {
                "version" => found.version = Some(self.known(map.next_value()?)?),
                "applied" => found.applied = Some(map.next_value()?),
                "started" => found.started = Some(map.next_value()?),
                "rules" => found.rules = Some(map.next_value()?),
                "keys" => {
                    let tell = L::KEYS.then_some(L::key as Tell<L, KeyRow>);
                    found.keys = Some(map.next_value_seed(self.items::<KeyText>(tell))?);
                }
                "accounts" => {
                    let tell = Some(L::account as Tell<L, AccountSummary>);
                    found.accounts = Some(map.next_value_seed(self.items::<AccountText>(tell))?);
                }
                "skipped" => found.skipped = Some(map.next_value()?),
                "review" => found.review = map.next_value()?,
                "stopped" => found.stopped = map.next_value()?,
                "ended" => found.ended = Some(map.next_value()?),
                "complete" => found.complete = Some(map.next_value()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        found.frame().map_err(A::Error::custom)
    }
}

impl<L> Whole<'_, L> {
    fn items<X: Text>(&mut self, tell: Option<Tell<L, X::Fact>>) -> Items<'_, L, X> {
        Items { path: self.path, listener: self.listener, tell, fault: self.fault, text: PhantomData }
    }

    fn known<E: serde::de::Error>(&self, version: u64) -> Result<u64, E> {
        if version == u64::from(VERSION) {
            return Ok(version);
        }
        let path = self.path.display().to_string();
        *self.fault.borrow_mut() = Some(MergeError::Version { path, version, known: VERSION });
        Err(E::custom("another version"))
    }
}

impl Members {
    fn frame(self) -> Result<Frame, String> {
        let missing = |member: &str| format!("it has no {member:?}");
        self.keys.ok_or_else(|| missing("keys"))?;
        self.accounts.ok_or_else(|| missing("accounts"))?;
        self.complete.ok_or_else(|| missing("complete"))?;
        let header = ReportHeader {
            applied: self.applied.ok_or_else(|| missing("applied"))?,
            started: self.started.ok_or_else(|| missing("started"))?,
            facts: Vec::new(),
            rules: self.rules.ok_or_else(|| missing("rules"))?,
        };
        let skipped = self.skipped.ok_or_else(|| missing("skipped"))?;
        Ok(Frame {
            header,
            skipped: skipped.into_iter().map(SkippedText::skipped).collect(),
            past: self.review.and_then(|review| review.past),
            stopped: stopped(self.stopped.as_deref())?,
            ended: self.ended.ok_or_else(|| missing("ended"))?,
        })
    }
}

type Tell<L, T> = fn(&mut L, T) -> Result<(), MergeError>;

/// A list whose items are told one by one; without `tell` nobody is told.
struct Items<'a, L, X: Text> {
    path: &'a Path,
    listener: &'a mut L,
    tell: Option<Tell<L, X::Fact>>,
    fault: &'a RefCell<Option<MergeError>>,
    text: PhantomData<X>,
}

impl<'de, L, X: Text> DeserializeSeed<'de> for Items<'_, L, X> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, L, X: Text> Visitor<'de> for Items<'_, L, X> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some(tell) = self.tell else {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        };
        let mut number = 0;
        while let Some(text) = list.next_element::<X>()? {
            number += 1;
            // The text was read beyond it already: its line is not known any more.
            let not_ours = |why| {
                let path = self.path.display().to_string();
                MergeError::NotOurs { path, place: format!("{} {number}", X::WHAT), why }
            };
            text.fact().map_err(not_ours).and_then(|fact| tell(self.listener, fact)).map_err(|error| {
                *self.fault.borrow_mut() = Some(error);
                A::Error::custom("it ended here")
            })?;
        }
        Ok(())
    }
}
