//! What somebody else does, before a run or in the middle of it, right before one of its calls.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::file::{Age, Key, LastUsed, Mistake, User};
use super::stage::Stage;
use crate::sandbox::Gate;

/// How long until it is looked again whether the run has ended without the call.
const GLANCE: Duration = Duration::from_millis(50);

/// One deed, as the file tells it.
pub struct Hand {
    pub deed: Deed,
    pub moment: Option<Moment>,
    /// As the author wrote it, for messages.
    pub told: String,
}

/// Right before this call of the program.
#[derive(Deserialize)]
pub struct Moment {
    #[serde(rename = "before")]
    action: String,
    about: Option<String>,
    #[serde(default = "first")]
    nth: usize,
}

fn first() -> usize {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneKey {
    key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    key: String,
    status: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    user: String,
    account: Option<String>,
    label: String,
    age: Age,
    status: Option<String>,
    last_used: Option<LastUsed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneUser {
    user: String,
    account: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    user: String,
    account: Option<String>,
    to: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    user: String,
    account: Option<String>,
    group: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    user: String,
    account: Option<String>,
    name: String,
    value: Option<String>,
}

/// A second purge, from its beginning to its end.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purge {
    arguments: String,
    exit: i32,
}

pub enum Deed {
    SwitchOn(OneKey),
    SwitchOff(OneKey),
    SetStatus(Status),
    DeleteKey(OneKey),
    AddKey(NewKey),
    DeleteUser(OneUser),
    MakeUser(Box<User>),
    Rename(Rename),
    Join(Membership),
    Leave(Membership),
    Tag(Tag),
    Untag(Tag),
    Purge(Purge),
}

impl Hand {
    pub fn read(table: &toml::Table) -> Result<Self, Mistake> {
        let simple = |(name, value): (&String, &toml::Value)| Some(format!("{name} = {:?}", value.as_str()?));
        let told = table.iter().filter_map(simple).collect::<Vec<_>>().join(", ");
        let named = |why: String| Mistake(format!("[[run.hand]] {told}: {why}"));
        let mut rest = table.clone();
        let mut moment = toml::Table::new();
        for field in ["before", "about", "nth"] {
            moment.extend(rest.remove_entry(field));
        }
        let moment = if moment.is_empty() { None } else { Some(fields(moment).map_err(named)?) };
        let Some(toml::Value::String(deed)) = rest.remove("do") else {
            return Err(named("`do` must say what is done".to_owned()));
        };
        let deed = Deed::read(&deed, rest).map_err(named)?;
        Ok(Self { deed, moment, told })
    }

    /// The gate for a deed in the middle of a run.
    pub fn gate(&self, stage: &Stage) -> Result<Option<Gate>, Mistake> {
        let Some(moment) = &self.moment else { return Ok(None) };
        let about = moment.about.as_ref().map(|about| stage.fill(about)).transpose()?;
        Ok(Some(stage.sandbox.gate(&moment.action, about.as_deref(), moment.nth)))
    }
}

impl Deed {
    fn read(name: &str, of: toml::Table) -> Result<Self, String> {
        Ok(match name {
            "switch on" => Self::SwitchOn(fields(of)?),
            "switch off" => Self::SwitchOff(fields(of)?),
            "set status" => Self::SetStatus(fields(of)?),
            "delete key" => Self::DeleteKey(fields(of)?),
            "add key" => Self::AddKey(fields(of)?),
            "delete user" => Self::DeleteUser(fields(of)?),
            "make user" => Self::MakeUser(fields(of)?),
            "rename user" => Self::Rename(fields(of)?),
            "join" => Self::Join(fields(of)?),
            "leave" => Self::Leave(fields(of)?),
            "tag" => Self::Tag(fields(of)?),
            "untag" => Self::Untag(fields(of)?),
            "purge" => Self::Purge(fields(of)?),
            _ => return Err(format!("nobody here can do {name:?}")),
        })
    }

    pub fn done(&self, stage: &Stage) -> Result<(), Mistake> {
        let sandbox = &stage.sandbox;
        let place = |user: &str, of: &Option<String>| Ok((account(stage, of.as_ref())?, user.to_owned()));
        match self {
            Self::SwitchOn(of) => sandbox.set_status(&stage.key(&of.key)?.id, "Active"),
            Self::SwitchOff(of) => sandbox.set_status(&stage.key(&of.key)?.id, "Inactive"),
            Self::SetStatus(of) => sandbox.set_status(&stage.key(&of.key)?.id, &of.status),
            Self::DeleteKey(of) => sandbox.delete_key(&stage.key(&of.key)?.id),
            Self::DeleteUser(of) => sandbox.delete_user(pair(&place(&of.user, &of.account)?)),
            Self::Rename(of) => sandbox.rename_user(pair(&place(&of.user, &of.account)?), &of.to),
            Self::Join(of) => sandbox.join_or_add_group(pair(&place(&of.user, &of.account)?), &of.group),
            Self::Leave(of) => sandbox.leave(pair(&place(&of.user, &of.account)?), &of.group),
            Self::Tag(of) => {
                let value = stage.fill(of.value.as_deref().unwrap_or_default())?;
                sandbox.set_tag(pair(&place(&of.user, &of.account)?), &stage.fill(&of.name)?, &value);
            }
            Self::Untag(of) => {
                sandbox.remove_tag(pair(&place(&of.user, &of.account)?), &stage.fill(&of.name)?);
            }
            Self::Purge(of) => return purge(stage, of),
            Self::AddKey(new) => return add_key(stage, new),
            Self::MakeUser(user) => return stage.add_user(user),
        }
        Ok(())
    }
}

fn purge(stage: &Stage, of: &Purge) -> Result<(), Mistake> {
    let ran = stage.run(&stage.words(&of.arguments)?);
    if ran.code == Some(of.exit) {
        return Ok(());
    }
    Err(Mistake(format!("the purge by another hand ended with {:?}, not {}:\n{}", ran.code, of.exit, ran.stderr)))
}

fn add_key(stage: &Stage, new: &NewKey) -> Result<(), Mistake> {
    let (status, last_used) = (new.status.clone(), new.last_used.clone());
    let key = Key { label: new.label.clone(), age: new.age, status, last_used };
    stage.add_key((&account(stage, new.account.as_ref())?, &new.user), &key)
}

fn account(stage: &Stage, name: Option<&String>) -> Result<String, Mistake> {
    stage.account(name.map_or("home", String::as_str))
}

fn pair((account, user): &(String, String)) -> (&str, &str) {
    (account, user)
}

fn fields<T: DeserializeOwned>(table: toml::Table) -> Result<T, String> {
    table.try_into().map_err(|error: toml::de::Error| error.message().to_owned())
}

/// Waits for its moment and does it; what kept it from happening.
pub fn perform(hand: &Hand, gate: Gate, stage: &Stage, run_is_over: &AtomicBool) -> Result<(), Mistake> {
    while !gate.reached(GLANCE) {
        if run_is_over.load(Ordering::SeqCst) {
            return Err(Mistake(format!("[[run.hand]] {}: the run never made that call", hand.told)));
        }
    }
    let done = hand.deed.done(stage);
    gate.open();
    done
}
