//! The system's own tools: systemctl, launchctl, schtasks. Run without a shell, with a bound, and with words that do not
//! depend on the user's language.

use std::process::Stdio;
use std::time::Duration;

use super::ScheduleError;

/// A manager that does not answer for so long will not.
const PATIENCE: Duration = Duration::from_secs(30);

/// A tool that did not do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failed {
    /// `None` where it did not run, or did not end.
    pub(super) code: Option<i32>,
    pub(super) what: String,
}

impl From<Failed> for ScheduleError {
    fn from(failed: Failed) -> Self {
        Self::Tool(failed.what)
    }
}

/// What it printed, times in UTC.
pub(super) async fn run(program: &str, arguments: &[&str]) -> Result<Vec<u8>, Failed> {
    let typed = format!("{program} {}", arguments.join(" "));
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).env("LC_ALL", "C").env("TZ", "UTC").stdin(Stdio::null()).kill_on_drop(true);
    let ended = match tokio::time::timeout(PATIENCE, command.output()).await {
        Err(_) => Err(format!("`{typed}` gave no answer within {} s", PATIENCE.as_secs())),
        Ok(Err(error)) => Err(format!("`{typed}` cannot be started: {error}")),
        Ok(Ok(ended)) => Ok(ended),
    };
    let ended = ended.map_err(|what| Failed { code: None, what })?;
    if ended.status.success() {
        return Ok(ended.stdout);
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    // schtasks and launchctl complain on either.
    let said = if said.trim().is_empty() { String::from_utf8_lossy(&ended.stdout) } else { said };
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    Err(Failed { code: ended.status.code(), what: format!("`{typed}` failed ({}): {said}", ended.status) })
}

/// As text.
pub(super) async fn text(program: &str, arguments: &[&str]) -> Result<String, Failed> {
    run(program, arguments).await.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn ran(program: &str, arguments: &[&str]) -> Result<String, Failed> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(text(program, arguments))
    }

    #[test]
    fn a_tool_is_told_with_what_it_said() {
        assert_eq!(ran("sh", &["-c", "echo $LC_ALL $TZ"]).unwrap(), "C UTC");
        let failed = ran("sh", &["-c", "echo no bus >&2; exit 3"]).unwrap_err();
        assert_eq!(failed.code, Some(3));
        assert!(failed.what.ends_with("(exit status: 3): no bus"), "{}", failed.what);
        assert_eq!(ran("/no/such/tool", &[]).unwrap_err().code, None);
    }
}
