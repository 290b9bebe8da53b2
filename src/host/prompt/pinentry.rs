//! MFA codes through pinentry, the dialog that `gpg` asks for passphrases with.
//!
//! The dialog waits on a thread of its own, so that its end, our patience or a signal ends it, whichever comes first.
//! It is shown on the terminal only where the caller names one. What it said that is not an answer is never quoted.

mod leftovers;

use std::time::Duration;

use pinentry::{Error, PassphraseInput};
use secrecy::ExposeSecret;
use tokio::sync::oneshot;

use self::leftovers::{children, echo};
use super::{NoAnswer, is_code};
use crate::host::clock::Stop;
use crate::host::paths;
use crate::keys::secret::SecretKey;

/// How long the dialog waits for the person, in seconds.
const TIMEOUT: u16 = 120;
/// A dialog that does not end by itself then is ended.
const PATIENCE: Duration = Duration::from_secs(TIMEOUT as u64 + 5);
/// How long a dialog that was asked to end may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long a signal that ended the dialog may take to be heard here.
const SIGNAL: Duration = Duration::from_millis(250);
/// How often the person may type something that is no code.
const TRIES: u32 = 3;
/// The crate takes no line of more than 1,000 bytes; a device's ARN has at most 256 (IAM API reference).
const LONGEST_SERIAL: usize = 256;

/// `fully canceled`: the window was closed (libgpg-error, `err-codes.h.in`).
const FULLY_CANCELED: u16 = 198;

#[cfg(not(target_os = "macos"))]
const PROGRAMS: [&str; 1] = ["pinentry"];
/// Homebrew and the GPG Suite install it under this name.
#[cfg(target_os = "macos")]
const PROGRAMS: [&str; 2] = ["pinentry-mac", "pinentry"];

/// A pinentry, and where it may ask.
#[derive(Debug, Clone)]
pub(super) struct Pinentry {
    /// The first of these that is there.
    pub programs: Vec<String>,
    /// Where there is no display; without both nothing is run.
    pub terminal: Option<String>,
    pub patience: Duration,
}

impl Pinentry {
    /// The machine's own, which may ask on this terminal.
    pub fn on(terminal: Option<String>) -> Self {
        Self { programs: PROGRAMS.map(str::to_owned).into(), terminal, patience: PATIENCE }
    }

    /// A code of the device `serial`.
    pub async fn ask(&self, serial: &str, refused: u32, stop: &Stop) -> Result<SecretKey, NoAnswer> {
        if self.terminal.is_none() && !has_display() {
            let why = "pinentry has neither a display nor a terminal to ask on";
            return Err(NoAnswer::nobody_asked(why, "give --mfa-code or --mfa-command"));
        }
        let mut error = (refused > 0).then_some("STS refused that code: wrong, or used before. Wait for the NEXT one.");
        for _ in 0..TRIES {
            match Dialog::open(self, serial, error)?.answer(stop, self.patience).await? {
                Some(code) => return Ok(code),
                None => error = Some("A code has six digits."),
            }
        }
        Err(NoAnswer::somebody_asked(
            &format!("pinentry was given no code of six digits in {TRIES} tries"),
            "run again",
        ))
    }
}

fn missing() -> NoAnswer {
    NoAnswer::nobody_asked("pinentry is not installed", "install it, or take pinentry out of [mfa] in the config file")
}

/// Elsewhere than on other Unix systems there is always one.
fn has_display() -> bool {
    let other_unix = cfg!(all(unix, not(target_os = "macos")));
    !other_unix || paths::env("DISPLAY").or_else(|| paths::env("WAYLAND_DISPLAY")).is_some()
}

type Said = Result<SecretKey, Error>;

/// A dialog on its thread.
struct Dialog {
    said: oneshot::Receiver<Said>,
    thread: oneshot::Receiver<Option<children::Parent>>,
    _terminal: Option<echo::AsItWas>,
}

impl Dialog {
    fn open(pinentry: &Pinentry, serial: &str, error: Option<&'static str>) -> Result<Self, NoAnswer> {
        let found = |name: &&String| PassphraseInput::with_binary(name.as_str()).is_some();
        let program = pinentry.programs.iter().find(found).ok_or_else(missing)?.clone();
        let (says, said) = oneshot::channel();
        let (started, thread) = oneshot::channel();
        let as_it_was = pinentry.terminal.as_deref().and_then(echo::AsItWas::note);
        let (serial, terminal) = (serial.to_owned(), pinentry.terminal.clone());
        std::thread::spawn(move || {
            // Nobody may be waiting any more.
            let _ = started.send(children::Parent::this_thread());
            let _ = says.send(interact(&program, &serial, error, terminal.as_deref()));
        });
        Ok(Self { said, thread, _terminal: as_it_was })
    }

    /// The code that was typed; `None` for anything else that was.
    async fn answer(mut self, stop: &Stop, patience: Duration) -> Result<Option<SecretKey>, NoAnswer> {
        let said = tokio::select! {
            said = tokio::time::timeout(patience, &mut self.said) => said,
            () = stop.wait() => {
                self.end().await;
                return Err(NoAnswer::somebody_asked("pinentry was stopped", "run again"));
            }
        };
        let Ok(said) = said else {
            self.end().await;
            return Err(timed_out(patience.as_secs()));
        };
        // Ctrl-C reaches the dialog and this process: its end may be heard of before the signal is.
        if matches!(said, Ok(Err(_)) | Err(_)) && tokio::time::timeout(SIGNAL, stop.wait()).await.is_ok() {
            return Err(NoAnswer::somebody_asked("pinentry was stopped", "run again"));
        }
        match said {
            Ok(Ok(typed)) if is_code(typed.expose()) => Ok(Some(SecretKey::new(typed.expose().trim().to_owned()))),
            Ok(Ok(_) | Err(Error::Encoding(_))) => Ok(None),
            Ok(Err(error)) => Err(failed(error)),
            Err(_) => Err(NoAnswer::nobody_asked("pinentry broke off", HINT)),
        }
    }

    /// Leaves no process behind where the system tells which one it is; elsewhere the dialog ends with its own
    /// time-out, which it was given.
    async fn end(&mut self) {
        let Ok(Some(parent)) = self.thread.try_recv() else { return };
        for last in [false, true] {
            parent.end_children(last);
            if tokio::time::timeout(FAREWELL, &mut self.said).await.is_ok() {
                return;
            }
        }
    }
}

const HINT: &str = "run `pinentry` by itself and type GETPIN to see what it says";

fn timed_out(seconds: u64) -> NoAnswer {
    NoAnswer::somebody_asked(&format!("pinentry got no answer within {seconds} s"), "run again")
}

/// What a dialog that gave no answer means. An error other than a person's comes before anybody is asked: no display,
/// no terminal, not a pinentry.
fn failed(error: Error) -> NoAnswer {
    match error {
        Error::Cancelled => NoAnswer::somebody_asked("the MFA code was cancelled in pinentry", "run again"),
        Error::Gpg(error) if error.code() == FULLY_CANCELED => failed(Error::Cancelled),
        Error::Timeout => timed_out(TIMEOUT.into()),
        Error::Gpg(error) => NoAnswer::nobody_asked(&format!("pinentry failed: {error}"), HINT),
        // Its words would quote what was read.
        Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            NoAnswer::nobody_asked("pinentry did not speak its protocol", HINT)
        }
        Error::Io(error) => NoAnswer::nobody_asked(&format!("pinentry cannot be used: {error}"), HINT),
        Error::Encoding(_) => NoAnswer::nobody_asked("pinentry did not speak its protocol", HINT),
    }
}

/// Blocks until the dialog is over.
fn interact(program: &str, serial: &str, error: Option<&str>, terminal: Option<&str>) -> Said {
    let found = PassphraseInput::with_binary(program);
    let mut input = found.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))?;
    let serial: String = serial.chars().filter(char::is_ascii).take(LONGEST_SERIAL).collect();
    let description = format!("MFA code of {serial}");
    input.with_title("keyrot-me").with_description(&description).with_prompt("Code:").with_timeout(TIMEOUT);
    if let Some(error) = error {
        input.with_error(error);
    }
    #[cfg(unix)]
    // An empty name is no terminal: without one, pinentry would take the terminal that this process came from.
    input.with_unix_options(pinentry::unix::Options::builder().tty_name(terminal.unwrap_or_default()).build());
    #[cfg(not(unix))]
    let _ = terminal;
    Ok(SecretKey::new(input.interact()?.expose_secret().to_owned()))
}

#[cfg(test)]
mod tests;
