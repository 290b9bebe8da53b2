//! Small records in the state folder, as JSON: what words and reminders go by, and nothing else depends on.
//!
//! No secret is kept so. A record that is missing, damaged or too large counts as none; one is replaced whole or not at
//! all, and may be lost in a power cut.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::atomic_file;

/// Larger files are not ours, in bytes.
const MAX_BYTES: u64 = 1 << 20;

#[must_use]
pub fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let mut text = Vec::new();
    File::open(path).ok()?.take(MAX_BYTES).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Its folder must be there.
///
/// # Errors
/// The reason in words.
pub fn write<T: Serialize>(path: &Path, record: &T) -> Result<(), String> {
    let text = serde_json::to_vec(record).map_err(|error| error.to_string())?;
    atomic_file::put(path, &text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods)]

    use super::*;

    #[test]
    fn what_is_no_record_counts_as_none_and_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.json");
        assert_eq!(read::<u32>(&path), None);
        let too_large = "7".repeat(usize::try_from(MAX_BYTES).unwrap() + 1);
        for damage in ["", "{", "\"seven\"", too_large.as_str()] {
            std::fs::write(&path, damage).unwrap();
            assert_eq!(read::<u32>(&path), None);
        }
        write(&path, &7_u32).unwrap();
        assert_eq!(read(&path), Some(7_u32));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
        assert!(write(Path::new("/nowhere/at/all"), &7_u32).is_err());
    }
}
