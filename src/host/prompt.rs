//! The person at the terminal, or the program that stands in for one: MFA codes, questions, progress.
//!
//! A code is never echoed, logged, or put into an environment. Sources of codes are tried in order; the next one only
//! while nobody was asked.

mod command;
mod pinentry;

use std::cell::{Cell, RefCell};
use std::io::IsTerminal;
use std::rc::Rc;

use crate::keys::secret::SecretKey;
use crate::ports::{Clock, Desk, NoCode};

use self::pinentry::Pinentry;
use super::clock::{Stop, SystemClock};
use super::console::err;
use super::tty;

/// TOTP's time step (RFC 6238): the next code comes then.
const CODE_STEP: i64 = 30;

/// Where an MFA code comes from.
#[derive(Debug, Clone)]
pub enum CodeSource {
    /// `--mfa-code`: good once, whatever the number of keys that the run is about, and followed by no other source.
    Given(Rc<RefCell<Option<SecretKey>>>),
    /// `--mfa-command` or `mfa.command`: a program and its arguments.
    Command(Vec<String>),
    /// Where `mfa.pinentry` is on.
    Pinentry,
    /// Hidden, at the terminal.
    Typed,
}

/// A source that gave no code.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NoAnswer {
    why: String,
    hint: String,
    /// Somebody was, or may have been: no other source is to ask again.
    asked: bool,
}

impl NoAnswer {
    fn nobody_asked(why: &str, hint: &str) -> Self {
        Self { why: why.to_owned(), hint: hint.to_owned(), asked: false }
    }

    fn somebody_asked(why: &str, hint: &str) -> Self {
        Self::nobody_asked(why, hint).after_asking()
    }

    fn after_asking(self) -> Self {
        Self { asked: true, ..self }
    }
}

/// The terminal of this process.
#[derive(Debug)]
pub struct Terminal {
    /// In the order in which they are tried.
    codes: Vec<CodeSource>,
    /// The source that gave the last code is asked for the next one.
    at: Cell<usize>,
    quiet: bool,
    /// False where nobody may be asked at the terminal, whatever standard input is.
    may_ask: bool,
    stop: Stop,
}

impl Terminal {
    #[must_use]
    pub fn new(codes: Vec<CodeSource>, quiet: bool, may_ask: bool, stop: Stop) -> Self {
        Self { codes, at: Cell::new(0), quiet, may_ask, stop }
    }

    /// Whether there is somebody to answer.
    #[must_use]
    pub fn interactive(&self) -> bool {
        self.may_ask && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    async fn ask(&self, source: &CodeSource, mfa_serial: &str, refused: u32) -> Result<SecretKey, NoAnswer> {
        match source {
            CodeSource::Given(code) => code.borrow_mut().take().ok_or_else(|| given_twice(refused)),
            CodeSource::Command(words) => {
                if refused > 0 {
                    self.wait_for_next_code().await;
                }
                command::ask(words, command::PATIENCE, &self.stop).await
            }
            CodeSource::Pinentry => {
                let terminal = self.may_ask.then(tty::name).flatten();
                Pinentry::on(terminal).ask(mfa_serial, refused, &self.stop).await
            }
            CodeSource::Typed => self.ask_for_code(mfa_serial, refused),
        }
    }

    fn ask_for_code(&self, mfa_serial: &str, refused: u32) -> Result<SecretKey, NoAnswer> {
        if !self.interactive() {
            let why = "there is no terminal to ask for the MFA code on";
            return Err(NoAnswer::nobody_asked(why, "give --mfa-code or --mfa-command"));
        }
        if refused > 0 {
            err("STS refused that code: wrong, or used before. wait for the NEXT one");
        }
        loop {
            let typed = tty::hidden_line(&format!("MFA code of {mfa_serial}: "), &self.stop)
                .map_err(|_| NoAnswer::somebody_asked("no MFA code was typed", "run again"))?;
            if is_code(&typed) {
                return Ok(SecretKey::new(typed.trim().to_owned()));
            }
            err("a code has six digits");
        }
    }

    async fn wait_for_next_code(&self) {
        self.tell("STS refused that code: waiting for the NEXT one");
        let clock = SystemClock { stop: self.stop.clone() };
        let into_step = clock.now().timestamp().rem_euclid(CODE_STEP);
        clock.sleep(chrono::TimeDelta::seconds(CODE_STEP - into_step + 1)).await;
    }
}

impl Desk for Terminal {
    async fn mfa_code(&self, mfa_serial: &str, refused: u32) -> Result<SecretKey, NoCode> {
        let mut failures: Vec<NoAnswer> = Vec::new();
        for (at, source) in self.codes.iter().enumerate().skip(self.at.get()) {
            if let Some(failed) = failures.last().filter(|_| !matches!(source, CodeSource::Typed) || self.interactive())
            {
                self.tell(&format!("{}: asking in another way", failed.why));
            }
            match self.ask(source, mfa_serial, refused).await {
                Ok(code) => {
                    self.at.set(at);
                    return Ok(code);
                }
                Err(failed) => failures.push(failed),
            }
            if failures.last().is_some_and(|failed| failed.asked) {
                break;
            }
        }
        Err(no_code(&failures))
    }

    fn confirm(&self, question: &str) -> Option<bool> {
        if !self.interactive() {
            return None;
        }
        let Ok(answer) = tty::line(&format!("{question} [y/N] "), &self.stop) else {
            err("");
            return None;
        };
        Some(matches!(answer.trim(), "y" | "Y" | "yes"))
    }

    fn tell(&self, line: &str) {
        if !self.quiet {
            err(format_args!("  {line}"));
        }
    }
}

fn given_twice(refused: u32) -> NoAnswer {
    let why = if refused > 0 {
        "STS refused the code given with --mfa-code: wrong, or used before; nothing was changed"
    } else {
        "a second MFA code is needed, and --mfa-code gives one only"
    };
    NoAnswer::somebody_asked(why, "run again with the NEXT code; --mfa-command gives as many as are needed")
}

/// Every source that was tried, with why it gave nothing.
fn no_code(failures: &[NoAnswer]) -> NoCode {
    if failures.is_empty() {
        let message = "no MFA code can be had without a person: no program is set that prints it".to_owned();
        return NoCode { message, hint: Some("set command under [mfa] in the config file".to_owned()) };
    }
    let tried = failures.iter().map(|failed| failed.why.as_str()).collect::<Vec<_>>().join("; ");
    let message = if failures.len() == 1 { tried } else { format!("no MFA code could be had: {tried}") };
    NoCode { message, hint: failures.first().map(|failed| failed.hint.clone()) }
}

/// Six digits: what a TOTP device for AWS shows.
fn is_code(text: &str) -> bool {
    let text = text.trim();
    text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(terminal: &Terminal, refused: u32) -> Result<SecretKey, NoCode> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(terminal.mfa_code("arn:aws:iam::123456789012:mfa/alice", refused))
    }

    fn nobody_at(codes: Vec<CodeSource>) -> Terminal {
        Terminal::new(codes, true, false, Stop::default())
    }

    fn command(words: &[&str]) -> CodeSource {
        CodeSource::Command(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn a_given_code_is_good_once_and_followed_by_no_other_source() {
        let given = CodeSource::Given(Rc::new(RefCell::new(Some(SecretKey::new("123456".into())))));
        let terminal = nobody_at(vec![given, command(&["echo", "654321"])]);
        assert!(asked(&terminal, 0).is_ok());
        let refused = asked(&terminal, 1).unwrap_err();
        assert!(refused.hint.unwrap().contains("NEXT"));
        assert_eq!(terminal.confirm("really?"), None);
    }

    #[cfg(unix)]
    #[test]
    fn the_next_source_is_tried_while_nobody_was_asked_and_stays_the_one() {
        let terminal = nobody_at(vec![command(&["/no/such/program"]), command(&["echo", "654321"])]);
        assert_eq!(asked(&terminal, 0).unwrap().expose(), "654321");
        assert_eq!(terminal.at.get(), 1);
        let hopeless = nobody_at(vec![command(&["/no/such/program"]), command(&["false"]), CodeSource::Typed]);
        let all = asked(&hopeless, 0).unwrap_err();
        for word in ["no MFA code could be had: ", "/no/such/program", "false failed", "no terminal"] {
            assert!(all.message.contains(word), "{}", all.message);
        }
        assert!(all.hint.unwrap().contains("run it by itself"), "the hint is about the first");
    }

    #[cfg(unix)]
    #[test]
    fn a_source_that_was_stopped_is_followed_by_no_other() {
        let terminal = nobody_at(vec![command(&["sleep", "100"]), command(&["echo", "654321"])]);
        terminal.stop.request();
        assert!(asked(&terminal, 0).unwrap_err().message.ends_with("was stopped"));
    }
}
