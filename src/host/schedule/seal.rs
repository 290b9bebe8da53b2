//! Files that this program writes for a scheduler, and knows again: as it left them, edited since, or somebody else's.
//!
//! The seal is a checksum against accidents, not against anybody.

use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::host::atomic_file::{self, FileError};

use super::ScheduleError;

/// What a rendered text carries in a comment until it is sealed.
pub(super) const BLANK: &str = "keyrot-me-seal-0000000000000000";
/// The part of it that stays.
const MARK: &str = "keyrot-me-seal-";
/// Larger files are nobody's timer, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// What lies under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// As this program wrote it.
    Ours(String),
    /// This program wrote it, and somebody changed it.
    Edited(String),
    /// A link to nowhere, by which systemd knows units that are not to be started.
    Masked,
    /// With what it is instead.
    Foreign(&'static str),
}

impl Found {
    /// What may be told of it, whoever wrote it last.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Ours(text) | Self::Edited(text) => Some(text),
            Self::Nothing | Self::Masked | Self::Foreign(_) => None,
        }
    }
}

/// `text` with its own checksum in the place of [`BLANK`].
pub(super) fn sealed(text: &str) -> String {
    text.replacen(BLANK, &format!("{MARK}{:016x}", checksum(text)), 1)
}

/// FNV-1a, 64 bits.
fn checksum(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn judged(text: String) -> Found {
    let Some((before, behind)) = text.split_once(MARK) else { return Found::Foreign("another program's file") };
    let unsealed = behind.get(16..).map(|rest| format!("{before}{BLANK}{rest}"));
    if unsealed.is_some_and(|unsealed| sealed(&unsealed) == text) { Found::Ours(text) } else { Found::Edited(text) }
}

/// Looks at `path` and follows no link: a mask is one.
pub(super) fn look(path: &Path) -> Result<Found, ScheduleError> {
    let unreadable = |error: std::io::Error| ScheduleError::File(format!("cannot read {}: {error}", path.display()));
    let kind = match std::fs::symlink_metadata(path) {
        Ok(found) => found.file_type(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(unreadable(error)),
    };
    if kind.is_symlink() {
        let masked = std::fs::read_link(path).is_ok_and(|target| target == Path::new("/dev/null"));
        return Ok(if masked { Found::Masked } else { Found::Foreign("a link") });
    }
    if !kind.is_file() {
        return Ok(Found::Foreign("no file"));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(String::from_utf8(bytes).map_or(Found::Foreign("another program's file"), judged))
}

/// Refuses to write over what is not as this program left it.
pub(super) fn refuse_others(path: &Path, found: &Found, unmask: &str) -> Result<(), ScheduleError> {
    let path = path.display();
    match found {
        Found::Nothing | Found::Ours(_) => Ok(()),
        Found::Edited(_) => Err(ScheduleError::NotOurs {
            what: format!("{path} was edited since it was installed; nothing was changed"),
            hint: "`keyrot-me schedule remove` takes it away, then install again; for systemd, changes of your own \
                   belong into `systemctl --user edit keyrot-me.timer`, which stays"
                .to_owned(),
        }),
        Found::Masked => Err(ScheduleError::NotOurs {
            what: format!("{path} is masked: somebody switched this timer off for good; nothing was changed"),
            hint: unmask.to_owned(),
        }),
        Found::Foreign(what) => Err(ScheduleError::NotOurs {
            what: format!("{path} is {what}, not one that keyrot-me wrote; nothing was changed"),
            hint: "move it away, then run this again".to_owned(),
        }),
    }
}

/// Puts `text` there.
pub(super) fn write(path: &Path, text: &str) -> Result<(), ScheduleError> {
    let failed = |error: FileError| ScheduleError::File(error.to_string());
    if path.symlink_metadata().is_ok() {
        return atomic_file::read_for_edit(path).and_then(|old| old.replace(text.as_bytes())).map_err(failed);
    }
    atomic_file::create_file(path, text.as_bytes()).map_err(failed)
}

/// What stood there before comes back.
pub(super) fn restore(path: &Path, before: &Found) {
    // The failure that led here is the one to tell of.
    let _ = match before {
        Found::Ours(text) => write(path, text),
        Found::Nothing => remove(path),
        Found::Edited(_) | Found::Masked | Found::Foreign(_) => Ok(()),
    };
}

/// None is no error.
pub(super) fn remove(path: &Path) -> Result<(), ScheduleError> {
    atomic_file::erase(path).map_err(|error| ScheduleError::File(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_file_is_known_again_and_so_is_an_edited_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/x.timer");
        assert_eq!(look(&path).unwrap(), Found::Nothing);
        let text = sealed(&format!("# {BLANK}\n[Timer]\n"));
        assert_ne!(text, sealed(&format!("# {BLANK}\n[Timer] \n")));
        for _ in 0..2 {
            write(&path, &text).unwrap();
            assert_eq!(look(&path).unwrap(), Found::Ours(text.clone()));
        }
        write(&path, &text.replace("[Timer]", "[Timer]\nPersistent=false")).unwrap();
        let edited = look(&path).unwrap();
        assert!(matches!(edited, Found::Edited(_)));
        assert!(refuse_others(&path, &edited, "").unwrap_err().to_string().contains("was edited"));
        write(&path, "[Timer]\n").unwrap();
        assert_eq!(look(&path).unwrap(), Found::Foreign("another program's file"));
        restore(&path, &Found::Nothing);
        assert_eq!(look(&path).unwrap(), Found::Nothing);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_never_ours() {
        let folder = tempfile::tempdir().unwrap();
        let (mask, link) = (folder.path().join("mask"), folder.path().join("link"));
        std::os::unix::fs::symlink("/dev/null", &mask).unwrap();
        std::os::unix::fs::symlink(folder.path().join("gone"), &link).unwrap();
        let unmask = refuse_others(&mask, &look(&mask).unwrap(), "unmask it").unwrap_err();
        assert!(matches!(unmask, ScheduleError::NotOurs { hint, .. } if hint == "unmask it"));
        assert!(refuse_others(&link, &look(&link).unwrap(), "").unwrap_err().to_string().contains("is a link"));
    }
}
