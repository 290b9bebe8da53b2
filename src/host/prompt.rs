//! The person at the terminal, or the program that stands in for one: MFA codes, questions, progress.
//!
//! A code is never echoed, logged, or put into an environment; what a command prints on standard
//! error is the user's to see.

use std::cell::RefCell;
use std::io::IsTerminal;
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use zeroize::Zeroizing;

use crate::keys::secret::SecretKey;
use crate::ports::{Clock, Desk, NoCode};

use super::clock::{Stop, SystemClock};
use super::console::err;
use super::tty;

/// How long an MFA command may take: a touch of a security key included.
const COMMAND_PATIENCE: Duration = Duration::from_mins(1);
/// More than this no command prints that prints a code.
const COMMAND_OUTPUT: u64 = 4096;
/// TOTP's time step (RFC 6238): the next code comes then.
const CODE_STEP: i64 = 30;

/// Where MFA codes come from, in this order of precedence.
#[derive(Debug)]
pub enum CodeSource {
    /// `--mfa-code`: good once, whatever the number of keys that the run is about.
    Given(Rc<RefCell<Option<SecretKey>>>),
    /// `--mfa-command` or `mfa.command`: a program and its arguments.
    Command(Vec<String>),
    Ask,
}

/// The terminal of this process.
#[derive(Debug)]
pub struct Terminal {
    pub codes: CodeSource,
    pub quiet: bool,
    /// False where nobody may be asked, whatever standard input is.
    pub may_ask: bool,
    pub stop: Stop,
}

impl Terminal {
    /// Whether there is somebody to answer.
    #[must_use]
    pub fn interactive(&self) -> bool {
        self.may_ask && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    fn ask_for_code(&self, mfa_serial: &str, refused: u32) -> Result<SecretKey, NoCode> {
        if !self.interactive() {
            return Err(no_code("there is no terminal to ask for the MFA code on", "give --mfa-code or --mfa-command"));
        }
        if refused > 0 {
            err("STS refused that code: wrong, or used before. wait for the NEXT one");
        }
        loop {
            let typed = tty::hidden_line(&format!("MFA code of {mfa_serial}: "), &self.stop)
                .map_err(|_| no_code("no MFA code was typed", "run again"))?;
            if is_code(&typed) {
                return Ok(SecretKey::new(typed.trim().to_owned()));
            }
            err("a code has six digits");
        }
    }
}

impl Desk for Terminal {
    async fn mfa_code(&self, mfa_serial: &str, refused: u32) -> Result<SecretKey, NoCode> {
        match &self.codes {
            CodeSource::Given(code) => code.borrow_mut().take().ok_or_else(|| {
                let message = if refused > 0 {
                    "STS refused the code given with --mfa-code: wrong, or used before; nothing was changed"
                } else {
                    "a second MFA code is needed, and --mfa-code gives one only"
                };
                no_code(message, "run again with the NEXT code; --mfa-command gives as many as are needed")
            }),
            CodeSource::Command(words) => {
                if refused > 0 {
                    self.wait_for_next_code().await;
                }
                tokio::select! {
                    code = run_command(words, COMMAND_PATIENCE) => code,
                    () = self.stop.wait() => Err(no_code("stopped while the MFA command ran", "run again")),
                }
            }
            CodeSource::Ask => self.ask_for_code(mfa_serial, refused),
        }
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

impl Terminal {
    async fn wait_for_next_code(&self) {
        self.tell("STS refused that code: waiting for the NEXT one");
        let clock = SystemClock { stop: self.stop.clone() };
        let into_step = clock.now().timestamp().rem_euclid(CODE_STEP);
        clock.sleep(chrono::TimeDelta::seconds(CODE_STEP - into_step + 1)).await;
    }
}

fn no_code(message: &str, hint: &str) -> NoCode {
    NoCode { message: message.to_owned(), hint: Some(hint.to_owned()) }
}

/// Six digits: what a TOTP device for AWS shows.
fn is_code(text: &str) -> bool {
    let text = text.trim();
    text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Runs the command without a shell and takes the one code that it prints.
async fn run_command(words: &[String], patience: Duration) -> Result<SecretKey, NoCode> {
    let (program, arguments) = words.split_first().ok_or_else(|| no_code("the MFA command is empty", "see --help"))?;
    let failed = |what: String| NoCode {
        message: format!("the MFA command {program} {what}"),
        hint: Some("run it by itself to see what it says; it has to print the code".to_owned()),
    };
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| failed(format!("cannot be started: {error}")))?;
    let mut printed = Zeroizing::new(Vec::new());
    let work = async {
        if let Some(out) = child.stdout.take() {
            out.take(COMMAND_OUTPUT).read_to_end(&mut printed).await?;
        }
        child.wait().await
    };
    let status = tokio::time::timeout(patience, work)
        .await
        .map_err(|_| failed(format!("gave no answer within {} s", patience.as_secs())))?
        .map_err(|error| failed(format!("cannot be read: {error}")))?;
    if !status.success() {
        return Err(failed(format!("failed ({status})")));
    }
    the_code_in(&printed).ok_or_else(|| failed("did not print exactly one code of six digits".to_owned()))
}

/// The only six-digit word in what was printed.
fn the_code_in(printed: &[u8]) -> Option<SecretKey> {
    let text = std::str::from_utf8(printed).ok()?;
    let mut codes = text.split_whitespace().filter(|word| is_code(word));
    let code = codes.next()?;
    codes.next().is_none().then(|| SecretKey::new(code.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_code_is_taken_from_what_a_command_prints() {
        let code = |text: &str| the_code_in(text.as_bytes()).map(|code| code.expose().to_owned());
        assert_eq!(code("123456\n").as_deref(), Some("123456"));
        assert_eq!(code("your code: 123456 (30 s)\r\n").as_deref(), Some("123456"));
        for bad in ["", "12345", "1234567", "123456 654321", "code=123456", "no such device"] {
            assert_eq!(code(bad), None, "{bad:?}");
        }
    }

    fn run(words: &[&str]) -> Result<SecretKey, NoCode> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run_command(&words, Duration::from_millis(500)))
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_fails_is_named_and_its_output_is_not() {
        assert_eq!(run(&["echo", "123456"]).unwrap().expose(), "123456");
        let failed = run(&["sh", "-c", "echo 123456; exit 3"]).unwrap_err();
        assert!(failed.message.contains("sh failed") && !failed.message.contains("123456"), "{}", failed.message);
        assert!(run(&["/no/such/program"]).unwrap_err().message.contains("cannot be started"));
        assert!(run(&["echo", "rubbish"]).unwrap_err().message.contains("exactly one code"));
        assert!(run(&["echo", "123456 654321"]).unwrap_err().message.contains("exactly one code"));
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_hangs_is_given_up() {
        let given_up = run(&["sleep", "100"]).unwrap_err();
        assert!(given_up.message.contains("gave no answer within"), "{}", given_up.message);
        assert!(!given_up.hint.unwrap().is_empty());
        assert_eq!(COMMAND_PATIENCE, Duration::from_mins(1), "a touch of a security key takes its time");
    }

    #[cfg(unix)]
    #[test]
    fn a_stop_does_not_wait_for_the_command() {
        let stop = Stop::default();
        stop.request();
        let words = ["sleep".to_owned(), "100".to_owned()];
        let terminal = Terminal { codes: CodeSource::Command(words.into()), quiet: true, may_ask: false, stop };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert!(runtime.block_on(terminal.mfa_code("arn", 0)).unwrap_err().message.contains("stopped"));
    }

    #[test]
    fn a_given_code_is_good_once() {
        let terminal = Terminal {
            codes: CodeSource::Given(Rc::new(RefCell::new(Some(SecretKey::new("123456".into()))))),
            quiet: true,
            may_ask: false,
            stop: Stop::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert!(runtime.block_on(terminal.mfa_code("arn", 0)).is_ok());
        let refused = runtime.block_on(terminal.mfa_code("arn", 1)).unwrap_err();
        assert!(refused.hint.unwrap().contains("NEXT"));
        assert_eq!(terminal.confirm("really?"), None);
    }
}
