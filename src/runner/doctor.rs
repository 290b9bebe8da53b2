//! What `doctor` asks AWS about one key: reads, and two writes about a key that cannot exist.
//!
//! Nothing is changed, and no call is made twice. What an answer means is not decided here.

use chrono::TimeDelta;

use crate::keys::facts::{Identity, KeyFacts, KeyId, LastUsed, Time};
use crate::keys::secret::{AccessKey, Signer};
use crate::ports::{CallError, Cause, Desk, Iam};

/// Events so old are looked up: whether it is permitted is all that matters.
const GLANCE: TimeDelta = TimeDelta::minutes(1);

/// What signs the calls that a rotation's session signs.
#[derive(Debug, Clone)]
pub enum Signs {
    /// The key itself: either a rotation has an MFA session, which is not opened here, or it goes without.
    Key,
    /// A session with the code that the desk gives. The device, where it is configured.
    Mfa { serial: Option<String> },
    /// `--auth-profile`.
    Other(Signer),
}

/// All answers.
#[derive(Debug)]
pub struct Answers {
    pub identity: Result<Identity, CallError>,
    pub keys: Result<Vec<KeyFacts>, CallError>,
    /// Of each listed key that was ever used.
    pub uses: Vec<(KeyId, LastUsed)>,
    pub key_use: Result<(), CallError>,
    /// `None` where nobody told whose key it is.
    pub user: Option<OfUser>,
    /// Service time minus local time.
    pub clock_offset: Option<TimeDelta>,
}

/// What was asked by the user's name.
#[derive(Debug)]
pub struct OfUser {
    pub devices: Result<Vec<String>, CallError>,
    /// Why no session was opened, where one was to be.
    pub session: Result<(), String>,
    /// About a key that cannot exist: `NotFound` is 'permitted'.
    pub update: Result<(), CallError>,
    /// As `update`.
    pub delete: Result<(), CallError>,
    pub trail: Result<(), CallError>,
}

/// Asks all that can be asked at once, at once: two round trips, and two more where a session is opened.
pub async fn ask<I: Iam, D: Desk>(iam: &I, desk: &D, key: &AccessKey, signs: &Signs, now: Time) -> Answers {
    let own = Signer::Key(key.clone());
    let (identity, keys, last) = tokio::join!(iam.identity(&own), iam.list_own_keys(&own), iam.key_use(&own, &key.id));
    let mut answers = Answers {
        key_use: last.as_ref().map(drop).map_err(Clone::clone),
        uses: last.ok().and_then(|told| told.last).map(|last| (key.id.clone(), last)).into_iter().collect(),
        keys,
        user: None,
        clock_offset: iam.clock_offset(),
        identity,
    };
    let Some(name) = answers.identity.as_ref().ok().and_then(|who| who.user()).map(str::to_owned) else {
        return answers;
    };
    let devices = iam.mfa_serials(&own, &name).await;
    let (signer, session) = match signer(iam, desk, key, signs, &devices).await {
        Ok(signer) => (signer, Ok(())),
        Err(why) => (own, Err(why)),
    };
    // What is refused without MFA is asked once more with it.
    let denied = matches!(&answers.keys, Err(error) if error.cause == Cause::AccessDenied);
    if denied && !matches!(signs, Signs::Key) && session.is_ok() {
        answers.keys = iam.list_keys(&signer, &name).await;
    }
    let others = other_uses(iam, &signer, key, &answers).await;
    answers.uses.extend(others);
    let nobodys = KeyId::impossible();
    let (update, delete, trail) = tokio::join!(
        iam.set_active(&signer, &name, &nobodys, false),
        iam.delete_key(&signer, &name, &nobodys),
        iam.keys_made_by(&signer, nobodys.as_str(), now + answers.clock_offset.unwrap_or_default() - GLANCE),
    );
    answers.user = Some(OfUser { devices, session, update, delete, trail: trail.map(drop) });
    answers
}

async fn signer<I: Iam, D: Desk>(
    iam: &I,
    desk: &D,
    key: &AccessKey,
    signs: &Signs,
    devices: &Result<Vec<String>, CallError>,
) -> Result<Signer, String> {
    let configured = match signs {
        Signs::Key => return Ok(Signer::Key(key.clone())),
        Signs::Other(other) => return Ok(other.clone()),
        Signs::Mfa { serial } => serial.clone(),
    };
    let only = || devices.as_ref().ok()?.iter().find(|serial| !serial.contains(":u2f/")).cloned();
    let serial = configured.or_else(only).ok_or("no MFA device is known that gives codes")?;
    let code = desk.mfa_code(&serial, 0).await.map_err(|none| none.message)?;
    iam.open_session(key, &serial, &code).await.map(Signer::Session).map_err(|error| error.to_string())
}

/// When each other key of the user was used last. What is not told is not there.
async fn other_uses<I: Iam>(iam: &I, signer: &Signer, key: &AccessKey, answers: &Answers) -> Vec<(KeyId, LastUsed)> {
    let Ok(keys) = &answers.keys else { return Vec::new() };
    let mut uses = Vec::new();
    for other in keys.iter().filter(|facts| facts.id != key.id) {
        let last = iam.key_use(signer, &other.id).await.ok().and_then(|told| told.last);
        uses.extend(last.map(|last| (other.id.clone(), last)));
    }
    uses
}
