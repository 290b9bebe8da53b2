//! The line `credential_process = … credential-process --profile P` in the AWS config file: written so that every
//! AWS SDK reads it alike, and known again as ours.
//!
//! Text only. On Unix botocore splits it as a POSIX shell does and the other SDKs hand it to `sh -c`; on Windows they
//! split it as C programs do or hand it to `cmd.exe /C`.

use std::path::{Path, PathBuf};

use crate::keys::facts::NotValid;

/// The subcommand that hands out a key.
const COMMAND: &str = "credential-process";
/// The program's name, whatever its folder.
const PROGRAM: &str = "keyrot-me";

/// The value of `credential_process` for `program` handing out the key of `profile`.
///
/// # Errors
/// [`NotValid`] for a path or a profile that the SDKs would not all read alike.
pub fn line(program: &Path, profile: &str) -> Result<String, NotValid> {
    let not_valid = |what, value: &str, why| NotValid { what, value: value.to_owned(), why };
    let path = program.to_string_lossy();
    if program.to_str().is_none() || !program.is_absolute() {
        return Err(not_valid("path of this program", &path, "it has to be absolute and readable text"));
    }
    let word = |what, text: &str| {
        quoted(text)
            .ok_or_else(|| not_valid(what, text, "the AWS SDKs do not agree on how to read it in a command line"))
    };
    let (program, name) = (word("path of this program", &path)?, word("profile", profile)?);
    // A name that begins with a dash would be taken for an option of its own.
    let joined = if profile.starts_with('-') { '=' } else { ' ' };
    let line = format!("{program} {COMMAND} --profile{joined}{name}");
    // Otherwise no later run would know where the key is.
    if entry_of(&line).as_deref() == Some(profile) {
        return Ok(line);
    }
    Err(not_valid("path of this program", &path, "it has to be called keyrot-me, to be known again"))
}

/// The entry of the keychain that `command` asks this program for; `None` where it is another program's.
#[must_use]
pub fn entry_of(command: &str) -> Option<String> {
    let words = words(command)?;
    let (program, arguments) = words.split_first()?;
    let name = Path::new(program).file_name()?.to_str()?;
    let name = if cfg!(windows) { name.strip_suffix(".exe").unwrap_or(name) } else { name };
    if name != PROGRAM || arguments.first()? != COMMAND {
        return None;
    }
    let mut rest = arguments.iter().skip(1);
    while let Some(word) = rest.next() {
        if let Some(profile) = word.strip_prefix("--profile=") {
            return Some(profile.to_owned());
        }
        if word == "--profile" {
            return rest.next().cloned();
        }
    }
    None
}

/// The program that `command` starts, where it is named by its absolute path.
#[must_use]
pub fn program_of(command: &str) -> Option<PathBuf> {
    words(command)?.into_iter().next().map(PathBuf::from).filter(|program| program.is_absolute())
}

/// Plain characters stand as they are; spaces need double quotes; what a shell or an ini file reads in its own way
/// even there is refused.
fn quoted(text: &str) -> Option<String> {
    let plain = |c: char| c.is_alphanumeric() || "_-/.,%@:+=~".contains(c) || cfg!(windows) && c == '\\';
    let quotable = |c: char| plain(c) || " ()[]{}&'^".contains(c);
    let comment = text.contains(" #") || text.contains(" ;");
    if text.is_empty() || comment || !text.chars().all(quotable) || cfg!(windows) && text.contains(['%', '^']) {
        return None;
    }
    Some(if text.chars().all(plain) && !text.starts_with('~') { text.to_owned() } else { format!("\"{text}\"") })
}

#[cfg(unix)]
fn words(command: &str) -> Option<Vec<String>> {
    shell_words::split(command).ok()
}

/// Double quotes hold words together; a backslash is a backslash.
#[cfg(not(unix))]
fn words(command: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut inside) = (Vec::new(), String::new(), false);
    for c in command.chars() {
        match c {
            '"' => inside = !inside,
            ' ' | '\t' if !inside => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            other => word.push(other),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    (!inside).then_some(words)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_known_again() {
        for (program, profile, want) in [
            ("/usr/bin/keyrot-me", "default", "/usr/bin/keyrot-me credential-process --profile default"),
            ("/opt/my tools/keyrot-me", "work", "\"/opt/my tools/keyrot-me\" credential-process --profile work"),
            (
                "/opt/it's (here)/keyrot-me",
                "a@b.c",
                "\"/opt/it's (here)/keyrot-me\" credential-process --profile a@b.c",
            ),
            ("/bin/keyrot-me", "-x", "/bin/keyrot-me credential-process --profile=-x"),
        ] {
            let written = line(Path::new(program), profile).unwrap();
            assert_eq!(written, want);
            assert_eq!(entry_of(&written).as_deref(), Some(profile));
            assert_eq!(program_of(&written).as_deref(), Some(Path::new(program)));
        }
    }

    #[test]
    fn what_a_shell_would_read_in_its_own_way_is_refused() {
        for program in
            ["/a$b/keyrot-me", "/a`b/keyrot-me", "/a\"b/keyrot-me", "/a\\b/keyrot-me", "/a #b/keyrot-me", "keyrot-me"]
        {
            assert!(line(Path::new(program), "work").is_err(), "{program}");
        }
        assert!(line(Path::new("/bin/keyrot-me"), "a\nb").is_err());
        assert!(line(Path::new("/bin/kr"), "work").unwrap_err().to_string().contains("called keyrot-me"));
    }

    #[test]
    fn other_programs_and_other_commands_are_not_ours() {
        for other in [
            "/usr/bin/aws-vault export --format=json work",
            "keyrot-me status --profile work",
            "keyrot-me credential-process",
            "sh -c 'keyrot-me credential-process --profile work'",
            "'keyrot-me",
            "",
        ] {
            assert_eq!(entry_of(other), None, "{other}");
        }
        assert_eq!(entry_of("keyrot-me credential-process --profile=work").as_deref(), Some("work"));
        assert_eq!(program_of("keyrot-me credential-process --profile=work"), None, "found on the path, wherever");
        assert_eq!(entry_of("~/bin/keyrot-me credential-process -q --profile 'my work'").as_deref(), Some("my work"));
    }
}
