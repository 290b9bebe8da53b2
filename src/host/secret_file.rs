//! A small file that holds a secret, such as a webhook's address.
//!
//! Reads, and changes nothing. What the file holds is in no error.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use crate::keys::secret::SecretKey;

/// In bytes; more is something else.
const MOST: u64 = 64 * 1024;

/// What the file holds.
#[derive(Debug)]
pub struct SecretFile {
    pub text: SecretKey,
    /// Group or others may read it: worth a warning.
    pub others_can_read: bool,
}

/// # Errors
/// Why it cannot be read, in words that do not name it.
pub fn read(path: &Path) -> Result<SecretFile, String> {
    // Opening a pipe would wait for its writer.
    let found = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !found.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let file = File::open(path).map_err(|error| error.to_string())?;
    let meta = file.metadata().map_err(|error| error.to_string())?;
    let mut text = String::with_capacity(usize::try_from(meta.len().min(MOST)).unwrap_or_default() + 1);
    let read = file.take(MOST + 1).read_to_string(&mut text);
    let text = SecretKey::new(text);
    match read {
        Ok(length) if length as u64 > MOST => Err("it is too long".to_owned()),
        Ok(_) => Ok(SecretFile { text, others_can_read: others_can_read(&meta) }),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err("it is not UTF-8".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(unix)]
fn others_can_read(meta: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    meta.mode() & 0o044 != 0
}

/// Its access list is not looked at.
#[cfg(not(unix))]
fn others_can_read(_: &Metadata) -> bool {
    false
}
