//! MFA codes from a program of the user's choice, such as `ykman`, `op`, `pass otp` or `oathtool`.
//!
//! It is run without a shell and gets nothing from us. Its standard output is ours, and of it exactly one code of six
//! digits; its standard error is the user's to see.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use zeroize::Zeroizing;

use super::{NoAnswer, is_code};
use crate::host::clock::Stop;
use crate::keys::secret::SecretKey;

/// How long an MFA command may take: a touch of a security key included.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);
/// More than this no command prints that prints a code, in bytes.
const OUTPUT: usize = 4096;

/// The one code that the command prints.
pub(super) async fn ask(words: &[String], patience: Duration, stop: &Stop) -> Result<SecretKey, NoAnswer> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(NoAnswer::nobody_asked("the MFA command is empty", "see --help"));
    };
    let failed = |what: String| {
        let why = format!("the MFA command {program} {what}");
        NoAnswer::nobody_asked(&why, "run it by itself to see what it says; it has to print the code")
    };
    let mut printed = Zeroizing::new(Vec::with_capacity(OUTPUT + 1));
    let ended = tokio::select! {
        ended = tokio::time::timeout(patience, run(program, arguments, &mut printed)) => ended,
        () = stop.wait() => {
            let why = format!("the MFA command {program} was stopped");
            return Err(NoAnswer::somebody_asked(&why, "run again"));
        }
    };
    let status = match ended {
        // It may have waited for a touch of the key, or for a password.
        Err(_) => return Err(failed(format!("gave no answer within {} s", patience.as_secs())).after_asking()),
        Ok(Err(RunError::Start(error))) => return Err(failed(format!("cannot be started: {error}"))),
        Ok(Err(RunError::Read(error))) => return Err(failed(format!("cannot be read: {error}"))),
        Ok(Ok(status)) => status,
    };
    if !status.success() {
        return Err(failed(format!("failed ({status})")));
    }
    if printed.len() > OUTPUT {
        return Err(failed(format!("printed more than {OUTPUT} bytes")));
    }
    the_code_in(&printed).ok_or_else(|| failed("did not print exactly one code of six digits".to_owned()))
}

enum RunError {
    Start(std::io::Error),
    Read(std::io::Error),
}

async fn run(program: &str, arguments: &[String], printed: &mut Vec<u8>) -> Result<ExitStatus, RunError> {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    let mut child = command.spawn().map_err(RunError::Start)?;
    if let Some(out) = child.stdout.take() {
        out.take(OUTPUT as u64 + 1).read_to_end(printed).await.map_err(RunError::Read)?;
    }
    child.wait().await.map_err(RunError::Read)
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
        // `ykman oath accounts code` without --single.
        assert_eq!(code("Amazon Web Services:alice@example  493027\n").as_deref(), Some("493027"));
        for bad in ["", "12345", "1234567", "123456 654321", "123456\n123456\n", "code=123456", "no such device"] {
            assert_eq!(code(bad), None, "{bad:?}");
        }
    }

    #[cfg(unix)]
    fn run(words: &[&str]) -> Result<SecretKey, NoAnswer> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(ask(&words, Duration::from_millis(500), &Stop::default()))
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_fails_is_named_and_its_output_is_not() {
        assert_eq!(run(&["echo", "123456"]).unwrap().expose(), "123456");
        for (words, says) in [
            (&["sh", "-c", "echo 123456; exit 3"][..], "sh failed"),
            (&["/no/such/program"], "cannot be started"),
            (&["echo", "rubbish"], "exactly one code"),
            (&["echo", "123456 654321"], "exactly one code"),
            // Cut off there, the second number would pass for a code.
            (&["printf", "%4090s1234567890", ""], "more than 4096 bytes"),
        ] {
            let failed = run(words).unwrap_err();
            assert!(failed.why.contains(says) && !failed.why.contains("123456"), "{}", failed.why);
            assert!(!failed.asked, "{words:?}: the next source may be tried");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_hangs_is_given_up_and_may_have_asked_somebody() {
        let given_up = run(&["sleep", "100"]).unwrap_err();
        assert!(given_up.why.contains("gave no answer within") && given_up.asked, "{}", given_up.why);
        assert!(!given_up.hint.is_empty());
        assert_eq!(PATIENCE, Duration::from_mins(1), "a touch of a security key takes its time");
    }

    #[cfg(unix)]
    #[test]
    fn a_stop_does_not_wait_for_the_command() {
        let stop = Stop::default();
        stop.request();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let words = ["sleep".to_owned(), "100".to_owned()];
        let stopped = runtime.block_on(ask(&words, PATIENCE, &stop)).unwrap_err();
        assert!(stopped.why.contains("stopped") && stopped.asked, "{}", stopped.why);
    }
}
