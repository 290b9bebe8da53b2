//! Windows' task scheduler: a task of this user's own session, started each day, or as soon as the machine is there again.
//!
//! Rendering and reading are pure; the rest runs schtasks. A task's definition has no place for environment variables.

use std::io::Write;

use crate::keys::facts::NotValid;

use super::tool;
use super::xml::{self, escaped};
use super::{Change, Installed, InstalledTask, Read, ScheduleError, Task};

const NAME: &str = "keyrot-me";
const SCHTASKS: &str = "schtasks";
/// How a task of ours is known again: the scheduler writes definitions anew, comments go.
const SOURCE: &str = "keyrot-me schedule install";

/// The task's definition (MS-TSCH 2.5), as text: [`bytes`] is what schtasks reads. Any day in the past begins a daily
/// trigger; without a zone it is the machine's own time.
#[must_use]
pub fn definition(task: &Task) -> String {
    let text = format!(
        r#"<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Source>{SOURCE}</Source>
    <Description>Rotates AWS access keys that are due: {}, and each day what is still due.</Description>
  </RegistrationInfo>
  <Triggers>
    <CalendarTrigger>
      <StartBoundary>{}</StartBoundary>
      <ScheduleByDay>
        <DaysInterval>1</DaysInterval>
      </ScheduleByDay>
    </CalendarTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <Enabled>true</Enabled>
    <ExecutionTimeLimit>PT1H</ExecutionTimeLimit>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{}</Command>
      <Arguments>{}</Arguments>
    </Exec>
  </Actions>
</Task>
"#,
        task.at,
        start(task),
        escaped(&task.program.to_string_lossy()),
        escaped(&command_line(&task.arguments)),
    );
    text.replace('\n', "\r\n")
}

fn start(task: &Task) -> String {
    format!("2026-01-05T{:02}:{:02}:00", task.at.hour(), task.at.minute())
}

/// UTF-16 with a byte order mark, as its first line says.
#[must_use]
pub fn bytes(definition: &str) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(definition.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// Words as `CommandLineToArgvW` reads them: backslashes count double where a quote follows.
fn command_line(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    if !word.is_empty() && !word.contains([' ', '\t', '"']) {
        return word.to_owned();
    }
    let (mut text, mut backslashes) = (String::from('"'), 0);
    for letter in word.chars() {
        match letter {
            '\\' => backslashes += 1,
            '"' => {
                text.push_str(&"\\".repeat(backslashes + 1));
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        text.push(letter);
    }
    text.push_str(&"\\".repeat(backslashes));
    text.push('"');
    text
}

/// The opposite of [`command_line`].
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut inside, mut any, mut backslashes) = (Vec::new(), String::new(), false, false, 0);
    for letter in line.chars() {
        if letter == '\\' {
            backslashes += 1;
            continue;
        }
        let quote = letter == '"';
        word.push_str(&"\\".repeat(if quote { backslashes / 2 } else { backslashes }));
        any |= quote || backslashes > 0;
        match letter {
            '"' if backslashes % 2 == 1 => word.push('"'),
            '"' => inside = !inside,
            ' ' | '\t' if !inside => {
                if any {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            other => {
                word.push(other);
                any = true;
            }
        }
        backslashes = 0;
    }
    word.push_str(&"\\".repeat(backslashes));
    if any || backslashes > 0 {
        words.push(word);
    }
    words
}

/// The scheduler reads `%NAME%` and `$(Arg0)` in its own way, and knows no escape.
///
/// # Errors
/// [`NotValid`] for a word that would not arrive as it is.
pub(super) fn check(task: &Task) -> Result<(), NotValid> {
    let program = task.program.to_string_lossy().into_owned();
    match task.arguments.iter().chain([&program]).find(|word| word.contains('%') || word.contains("$(")) {
        None => Ok(()),
        Some(word) => Err(NotValid {
            what: "word of the task's command line",
            value: word.clone(),
            why: "Windows' task scheduler reads % and $( as variables; choose another path or name",
        }),
    }
}

/// What the scheduler's own copy of a definition says.
pub(super) struct Found {
    pub(super) ours: bool,
    pub(super) enabled: bool,
    pub(super) start: String,
    pub(super) read: Read,
}

pub(super) fn read(definition: &str) -> Option<Found> {
    let texts = xml::texts(definition)?;
    let text = |place: &str| xml::text(&texts, place).unwrap_or_default().to_owned();
    Some(Found {
        ours: text("Task/RegistrationInfo/Source") == SOURCE,
        enabled: text("Task/Settings/Enabled") != "false",
        start: text("Task/Triggers/CalendarTrigger/StartBoundary"),
        read: Read {
            program: text("Task/Actions/Exec/Command").into(),
            arguments: words(&text("Task/Actions/Exec/Arguments")),
        },
    })
}

/// schtasks prints UTF-16 or, into a pipe, the console's code page.
fn decoded(printed: &[u8]) -> String {
    match printed.strip_prefix(&[0xff, 0xfe]) {
        Some(wide) => {
            let units = wide.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        None => String::from_utf8_lossy(printed).trim().to_owned(),
    }
}

async fn asked() -> Result<Option<Found>, ScheduleError> {
    match tool::run(SCHTASKS, &["/Query", "/XML", "/TN", NAME]).await {
        Ok(printed) => match read(&decoded(&printed)) {
            Some(found) => Ok(Some(found)),
            None => Err(ScheduleError::Tool(format!("the task {NAME} is defined in words that are not understood"))),
        },
        // It has one code for all that it cannot find.
        Err(failed) if failed.code == Some(1) => Ok(None),
        Err(failed) => Err(failed.into()),
    }
}

fn refuse_others(found: Option<&Found>) -> Result<(), ScheduleError> {
    match found {
        Some(found) if !found.ours => Err(ScheduleError::NotOurs {
            what: format!("there is a task {NAME} that keyrot-me did not make; nothing was changed"),
            hint: format!("if nobody needs it: schtasks /Delete /TN {NAME}, then run this again"),
        }),
        _ => Ok(()),
    }
}

pub(super) async fn install(task: &Task) -> Result<Installed, ScheduleError> {
    let found = asked().await?;
    refuse_others(found.as_ref())?;
    let same = |found: &Found| {
        found.enabled
            && found.start == start(task)
            && found.read == Read { program: task.program.clone(), arguments: task.arguments.clone() }
    };
    let change = match &found {
        None => Change::New,
        Some(found) if same(found) => Change::None,
        Some(_) => Change::Changed,
    };
    if change != Change::None {
        put(task).await?;
    }
    let lost: Vec<&str> = task.environment.iter().map(|(name, _)| name.as_str()).collect();
    let mut notes = vec!["the task runs while you are logged in; a console window shows while it works".to_owned()];
    if !lost.is_empty() {
        notes.push(format!(
            "a Windows task does not get this window's variables: make these permanent with setx, where they are not: {}",
            lost.join(", ")
        ));
    }
    Ok(Installed { change, places: vec![format!("task {NAME}")], notes })
}

async fn put(task: &Task) -> Result<(), ScheduleError> {
    let failed = |error: std::io::Error| ScheduleError::File(format!("cannot write the task's definition: {error}"));
    let mut file = tempfile::Builder::new().prefix("keyrot-me-task-").suffix(".xml").tempfile().map_err(failed)?;
    file.write_all(&bytes(&definition(task))).map_err(failed)?;
    // Closed: schtasks wants it for itself.
    let path = file.into_temp_path();
    tool::run(SCHTASKS, &["/Create", "/F", "/TN", NAME, "/XML", &path.to_string_lossy()]).await?;
    Ok(())
}

pub(super) async fn look() -> Result<Option<InstalledTask>, ScheduleError> {
    let Some(found) = asked().await?.filter(|found| found.ours) else { return Ok(None) };
    let mut task = found.read.installed(vec![format!("task {NAME}")]);
    if found.enabled {
        task.next = super::next_run(task.at);
    } else {
        task.trouble = Some("the task is disabled: `keyrot-me schedule install` switches it on again".to_owned());
    }
    Ok(Some(task))
}

pub(super) async fn remove() -> Result<bool, ScheduleError> {
    let found = asked().await?;
    refuse_others(found.as_ref())?;
    if found.is_none() {
        return Ok(false);
    }
    tool::run(SCHTASKS, &["/Delete", "/F", "/TN", NAME]).await?;
    Ok(true)
}
