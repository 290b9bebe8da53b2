//! Who signs: the profile's own key, and the one MFA session of a run (S1).

use chrono::TimeDelta;

use crate::keys::facts::Identity;
use crate::keys::journal::{Phase, Rotation};
use crate::keys::rotation::STALE_FOR;
use crate::keys::secret::{AccessKey, Session, Signer};
use crate::ports::{CallError, Cause, Clock, Desk, Iam, Journal, SecretStore, World};

use super::{Auth, CLOCK_TOLERANCE, Halt, Run, stopped};

/// Codes that STS may refuse in one run before we stop asking.
const MOST_REFUSED: u32 = 3;

/// A session that ends sooner than this is not begun a step with.
const SESSION_RESERVE: TimeDelta = TimeDelta::seconds(90);

impl<W: World> Run<'_, W> {
    /// The first call of a run: whose key this is, whether it works, and how the clocks compare.
    pub(super) async fn sign_in(&mut self) -> Result<(), Halt> {
        let answer = self.identity_of(&self.base).await;
        // Before the answer is judged: a wrong clock makes every signature wrong.
        if let Some(by) = self.world.iam().clock_offset().filter(|by| by.abs() > CLOCK_TOLERANCE) {
            return Err(Halt::ClockOff { by });
        }
        self.accepted = answer.is_ok().then(|| self.now());
        let who = match (self.other().cloned(), answer) {
            (Some(other), answer) => self.sign_in_by(&other, answer).await?,
            (None, Err(error)) if error.cause == Cause::KeyNotAccepted => self.sign_in_otherwise(error).await?,
            (None, answer) => answer.map_err(|error| sign_in_refused(&self.base, error))?,
        };
        if who.user().is_none() {
            return Err(Halt::NotAUser { arn: who.arn });
        }
        self.who = Some(who);
        Ok(())
    }

    async fn identity_of(&self, key: &AccessKey) -> Result<Identity, CallError> {
        self.world.iam().identity(&Signer::Key(key.clone())).await
    }

    /// The profile's key is refused: it may be too new to be accepted everywhere, or somebody switched
    /// it off, or wrote the retired one back, while the other key of the rotation is on this machine.
    async fn sign_in_otherwise(&mut self, refused: CallError) -> Result<Identity, Halt> {
        let base = self.base.id.clone();
        let mut rotations = self.world.journal().rotations()?;
        rotations.retain(|rotation| rotation.phase != Phase::Closed && rotation.is_about(&base));
        for rotation in &rotations {
            let others = self.other_keys(rotation)?;
            if others.is_empty() && rotation.keep.as_ref() != Some(&base) {
                continue;
            }
            loop {
                if let Some(who) = self.any_accepted(&others, rotation).await {
                    return Ok(who);
                }
                if self.now() >= rotation.last_event + STALE_FOR || self.world.clock().stop_requested() {
                    break;
                }
                self.world.clock().sleep(TimeDelta::seconds(1)).await;
                if let Ok(who) = self.identity_of(&self.base).await {
                    self.accepted = Some(self.now());
                    return Ok(who);
                }
            }
        }
        Err(sign_in_refused(&self.base, refused))
    }

    /// The other key of a rotation, as this machine holds it.
    fn other_keys(&self, rotation: &Rotation) -> Result<Vec<AccessKey>, Halt> {
        let published = self.world.store().published()?.into_iter().map(|held| held.key);
        let published = published.filter(|key| rotation.is_about(&key.id));
        let mut others: Vec<AccessKey> = published.chain(self.world.store().stashed(&rotation.id)?).collect();
        others.retain(|key| key.id != self.base.id);
        Ok(others)
    }

    async fn any_accepted(&mut self, others: &[AccessKey], rotation: &Rotation) -> Option<Identity> {
        for other in others {
            if let Some(who) = self.identity_of(other).await.ok().filter(|who| *who == rotation.who) {
                self.tell(&format!("{} is refused: {} of the same rotation signs", self.base.id, other.id));
                self.signing = other.clone();
                return Some(who);
            }
        }
        None
    }

    /// The user name that every IAM call is given.
    pub(super) fn user(&self) -> String {
        self.who.as_ref().and_then(|who| who.user()).unwrap_or_default().to_owned()
    }

    /// What signs IAM's writes, opened when the first of them needs it.
    pub(super) async fn signer(&mut self) -> Result<Signer, Halt> {
        match &self.settings.auth {
            Auth::KeyItself => return Ok(Signer::Key(self.signing.clone())),
            Auth::Other(other) => return Ok(other.signer.clone()),
            Auth::Mfa { .. } => {}
        }
        let still_good = self.session.as_ref().filter(|session| session.expires - self.now() > SESSION_RESERVE);
        let session = match still_good {
            Some(session) => session.clone(),
            None => self.open_session().await?,
        };
        Ok(Signer::Session(session))
    }

    /// What signs a look without anybody being asked for a code.
    pub(super) fn without_asking(&self) -> Signer {
        match (&self.settings.auth, &self.session) {
            (Auth::Other(other), _) => other.signer.clone(),
            (_, Some(session)) => Signer::Session(session.clone()),
            (_, None) => Signer::Key(self.signing.clone()),
        }
    }

    /// Performs `call` with what signs IAM's writes; once more with a new session when the first one's
    /// time was over (the laptop slept).
    pub(super) async fn signed<T>(&mut self, call: impl AsyncFn(&Signer) -> Result<T, CallError>) -> Result<T, Halt> {
        self.signed_raw(call).await?.map_err(Halt::from)
    }

    /// As [`Run::signed`], with the call's own error kept apart from what stopped the signing.
    pub(super) async fn signed_raw<T>(
        &mut self,
        call: impl AsyncFn(&Signer) -> Result<T, CallError>,
    ) -> Result<Result<T, CallError>, Halt> {
        let signer = self.signer().await?;
        let first = call(&signer).await;
        if self.other().is_some() || !matches!(&first, Err(error) if error.cause == Cause::SessionExpired) {
            return Ok(first);
        }
        self.session = None;
        self.tell("the session's time is over: a new code is needed");
        let signer = self.signer().await?;
        Ok(call(&signer).await)
    }

    async fn open_session(&mut self) -> Result<Session, Halt> {
        let serial = self.mfa_serial().await?;
        while self.codes_refused < MOST_REFUSED {
            let code = self.world.desk().mfa_code(&serial, self.codes_refused).await;
            if self.world.clock().stop_requested() {
                return Err(stopped(self.open_rotation()?.as_ref()));
            }
            let code = code.map_err(|none| Halt::Mfa { why: none.message, hint: none.hint })?;
            match self.world.iam().open_session(&self.signing, &serial, &code).await {
                Ok(session) => {
                    self.session = Some(session.clone());
                    return Ok(session);
                }
                Err(error) if error.cause == Cause::MfaCodeRefused => self.codes_refused += 1,
                Err(error) if error.cause == Cause::MfaDeviceUnknown => {
                    return Err(Halt::Mfa {
                        why: format!("STS does not know the MFA device {serial} for this user"),
                        hint: Some("name the right one with --mfa-serial, or leave it out to have it looked up".into()),
                    });
                }
                Err(error) => return Err(sign_in_refused(&self.signing, error)),
            }
        }
        Err(Halt::Mfa {
            why: format!("STS refused {MOST_REFUSED} codes; nothing was changed by them"),
            hint: Some("check the clock of the authenticator and run again with a code that was not used yet".into()),
        })
    }

    /// The device's serial: named, else the one the last rotation used, else IAM's only one.
    async fn mfa_serial(&mut self) -> Result<String, Halt> {
        if let Some(serial) = &self.mfa_serial {
            return Ok(serial.clone());
        }
        let remembered = self.rotations()?.into_iter().rev().find_map(|rotation| rotation.mfa_serial);
        let serial = match remembered {
            Some(serial) => serial,
            None => self.look_up_mfa_serial().await?,
        };
        self.mfa_serial = Some(serial.clone());
        Ok(serial)
    }

    async fn look_up_mfa_serial(&self) -> Result<String, Halt> {
        let signer = Signer::Key(self.signing.clone());
        let serials = self.world.iam().mfa_serials(&signer, &self.user()).await.map_err(|error| match error.cause {
            Cause::AccessDenied => Halt::Mfa {
                why: "IAM does not let this key list its MFA devices".to_owned(),
                hint: Some("name the device with --mfa-serial, or mfa_serial in the profile".to_owned()),
            },
            _ => error.into(),
        })?;
        let totp: Vec<&String> = serials.iter().filter(|serial| !serial.contains(":u2f/")).collect();
        match totp.as_slice() {
            [one] => Ok((*one).clone()),
            [] if serials.is_empty() => Err(Halt::Mfa {
                why: "this user has no MFA device".to_owned(),
                hint: Some("register one, or sign with the key itself: --no-mfa".to_owned()),
            }),
            [] => Err(Halt::Mfa {
                why: "this user has passkeys or security keys only, and STS takes TOTP codes only".to_owned(),
                hint: Some(
                    "sign in with `aws login --profile NAME`, then `keyrot-me rotate --auth-profile NAME`; \
                     or register a TOTP device as well"
                        .to_owned(),
                ),
            }),
            several => Err(Halt::Mfa {
                why: format!("this user has {} MFA devices", several.len()),
                hint: Some(format!(
                    "name one with --mfa-serial: {}",
                    several.iter().map(|serial| serial.as_str()).collect::<Vec<_>>().join(", ")
                )),
            }),
        }
    }
}

pub(super) fn sign_in_refused(key: &AccessKey, error: CallError) -> Halt {
    match error.cause {
        Cause::KeyNotAccepted | Cause::SignatureRefused => Halt::CannotSignIn { key: key.id.clone(), error },
        _ => error.into(),
    }
}
