//! launchd: an agent of this user's graphical session, started each day; what was slept through is made up for on waking
//! (launchd.plist(5), `StartCalendarInterval`).
//!
//! Rendering and reading are pure; the rest runs launchctl.

use std::path::{Path, PathBuf};

use super::seal::{self, BLANK, Found, sealed};
use super::tool::{self, Failed};
use super::xml::{self, escaped};
use super::{Change, Installed, InstalledTask, Read, ScheduleError, Task};

const LABEL: &str = "me.keyrot.keyrot-me";
const LAUNCHCTL: &str = "launchctl";
const UNMASK: &str = "remove that link, then install again";

/// `me.keyrot.keyrot-me.plist`. launchd keeps no log of what an agent says: `log` is where that goes, a line a day.
#[must_use]
pub fn agent(task: &Task, log: &Path) -> String {
    let words = std::iter::once(task.program.to_string_lossy().into_owned()).chain(task.arguments.iter().cloned());
    let string = |text: &str| ["\t\t<string>", &escaped(text), "</string>\n"].concat();
    let key = |text: &str| ["\t\t<key>", &escaped(text), "</key>\n"].concat();
    let words: String = words.map(|word| string(&word)).collect();
    let environment: String = task.environment.iter().map(|(name, value)| key(name) + &string(value)).collect();
    sealed(&format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Written by `keyrot-me schedule install` ({BLANK}). -->
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>{LABEL}</string>
	<key>ProgramArguments</key>
	<array>
{words}	</array>
	<key>EnvironmentVariables</key>
	<dict>
{environment}	</dict>
	<key>StartCalendarInterval</key>
	<dict>
		<key>Hour</key>
		<integer>{}</integer>
		<key>Minute</key>
		<integer>{}</integer>
	</dict>
	<key>ProcessType</key>
	<string>Background</string>
	<key>LowPriorityIO</key>
	<true/>
	<key>ExitTimeOut</key>
	<integer>120</integer>
	<key>Umask</key>
	<integer>63</integer>
	<key>StandardErrorPath</key>
	<string>{}</string>
</dict>
</plist>
"#,
        task.at.hour(),
        task.at.minute(),
        escaped(&log.to_string_lossy())
    ))
}

/// What an agent of ours starts: the opposite of [`agent`].
pub(super) fn read(agent: &str) -> Option<Read> {
    let texts = xml::texts(agent)?;
    let mut words = texts.into_iter().filter(|(path, _)| path == "plist/dict/array/string").map(|(_, text)| text);
    Some(Read { program: words.next()?.into(), arguments: words.collect() })
}

fn library() -> Result<PathBuf, ScheduleError> {
    let home = dirs::home_dir().ok_or_else(|| ScheduleError::File("this user has no home folder".to_owned()))?;
    Ok(home.join("Library"))
}

fn plist() -> Result<PathBuf, ScheduleError> {
    Ok(library()?.join("LaunchAgents").join(format!("{LABEL}.plist")))
}

fn log() -> Result<PathBuf, ScheduleError> {
    Ok(library()?.join("Logs").join("keyrot-me.log"))
}

/// The user's graphical session.
async fn domain() -> Result<String, Failed> {
    Ok(format!("gui/{}", tool::text("id", &["-u"]).await?))
}

pub(super) async fn install(task: &Task) -> Result<Installed, ScheduleError> {
    let (path, log, domain) = (plist()?, log()?, domain().await?);
    let text = agent(task, &log);
    let before = seal::look(&path)?;
    seal::refuse_others(&path, &before, UNMASK)?;
    let service = format!("{domain}/{LABEL}");
    let loaded = tool::run(LAUNCHCTL, &["print", &service]).await.is_ok();
    let change = match &before {
        Found::Ours(here) if *here == text && loaded => Change::None,
        Found::Nothing => Change::New,
        _ => Change::Changed,
    };
    let places = vec![path.display().to_string()];
    let notes = vec![format!("the timer runs while you are logged in; what it says is in {}", log.display())];
    if change != Change::None
        && let Err(error) = put(&path, &text, &domain).await
    {
        seal::restore(&path, &before);
        return Err(error);
    }
    Ok(Installed { change, places, notes })
}

async fn put(path: &Path, text: &str, domain: &str) -> Result<(), ScheduleError> {
    seal::write(path, text)?;
    let service = format!("{domain}/{LABEL}");
    // It says no where none is loaded.
    let _ = tool::run(LAUNCHCTL, &["bootout", &service]).await;
    tool::run(LAUNCHCTL, &["enable", &service]).await?;
    tool::run(LAUNCHCTL, &["bootstrap", domain, &path.to_string_lossy()]).await?;
    Ok(())
}

pub(super) async fn look() -> Result<Option<InstalledTask>, ScheduleError> {
    let path = plist()?;
    let found = seal::look(&path)?;
    let Some(text) = found.text() else { return Ok(None) };
    let mut task = read(text).unwrap_or_default().installed(vec![path.display().to_string()]);
    match tool::text(LAUNCHCTL, &["print", &format!("{}/{LABEL}", domain().await?)]).await {
        Ok(said) => {
            task.last_exit = last_exit(&said);
            task.next = super::next_run(task.at);
        }
        Err(failed) => {
            task.trouble = Some(format!(
                "launchd does not have it loaded ({}): `keyrot-me schedule install` loads it again",
                failed.what
            ));
        }
    }
    Ok(Some(task))
}

/// Of what `launchctl print` says, which is written for people: nothing where it says it in another way.
fn last_exit(said: &str) -> Option<i32> {
    let line = said.lines().find_map(|line| line.trim().strip_prefix("last exit code = "))?;
    line.split([':', ' ']).next()?.parse().ok()
}

pub(super) async fn remove() -> Result<bool, ScheduleError> {
    let path = plist()?;
    let found = seal::look(&path)?;
    match found {
        Found::Nothing => return Ok(false),
        Found::Masked | Found::Foreign(_) => seal::refuse_others(&path, &found, UNMASK)?,
        Found::Ours(_) | Found::Edited(_) => {}
    }
    // It says no where none is loaded.
    let _ = tool::run(LAUNCHCTL, &["bootout", &format!("{}/{LABEL}", domain().await?)]).await;
    seal::remove(&path)?;
    seal::remove(&log()?)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_exit_code_is_read_where_launchctl_tells_it() {
        assert_eq!(last_exit("x = {\n\truns = 3\n\tlast exit code = 10\n}"), Some(10));
        assert_eq!(last_exit("\tlast exit code = 78: EX_CONFIG"), Some(78));
        assert_eq!(last_exit("\tlast exit code = (never exited)"), None);
        assert_eq!(last_exit("\truns = 0"), None);
    }
}
