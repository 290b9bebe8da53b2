//! Which reminder was shown when: a ledger in the state folder, so that nobody is told twice a day of the same key.
//!
//! It holds key ids, days and the desktop's numbers. Nothing depends on it but the number of reminders: a file that is
//! damaged counts as empty. The caller holds the run lock before it writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::notify::Shown;
use super::record;

const VERSION: u32 = 1;

/// The last reminder of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminded {
    /// On this machine's calendar.
    pub day: NaiveDate,
    pub urgent: bool,
    /// `None` where the desktop gave no number, or nothing could be shown.
    pub shown: Option<Shown>,
}

impl Reminded {
    /// Whether a reminder is due on this day: the first one, or one that has become urgent.
    #[must_use]
    pub fn allows(&self, day: NaiveDate, urgent: bool) -> bool {
        self.day != day || (urgent && !self.urgent)
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Content {
    version: u32,
    reminders: BTreeMap<String, Reminded>,
}

/// `reminders.json`, by key id or by what else a reminder is about.
#[derive(Debug)]
pub struct Reminders {
    path: PathBuf,
    entries: BTreeMap<String, Reminded>,
}

impl Reminders {
    /// Empty where there is none, or none that can be read.
    #[must_use]
    pub fn read(state_folder: &Path) -> Self {
        let path = state_folder.join("reminders.json");
        let content: Option<Content> = record::read(&path);
        let entries = content.filter(|content| content.version == VERSION).map(|content| content.reminders);
        Self { path, entries: entries.unwrap_or_default() }
    }

    #[must_use]
    pub fn last(&self, about: &str) -> Option<&Reminded> {
        self.entries.get(about)
    }

    pub fn note(&mut self, about: &str, reminded: Reminded) {
        self.entries.insert(about.to_owned(), reminded);
    }

    /// Forgets all but this.
    pub fn keep(&mut self, still: impl Fn(&str, &Reminded) -> bool) {
        self.entries.retain(|about, last| still(about, last));
    }

    /// Replaces the file wholly or not at all; the state folder must be there.
    ///
    /// # Errors
    /// The reason in words.
    pub fn write(&self) -> Result<(), String> {
        let content = Content { version: VERSION, reminders: self.entries.clone() };
        record::write(&self.path, &content)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test damages the file")]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn reminded(urgent: bool) -> Reminded {
        let shown = Some(Shown { server: "bus :1.7".to_owned(), id: 3 });
        Reminded { day: day("2026-11-21"), urgent, shown }
    }

    #[test]
    fn one_reminder_a_day_and_an_urgent_one_on_top() {
        let (today, tomorrow) = (day("2026-11-21"), day("2026-11-22"));
        assert!(!reminded(false).allows(today, false) && !reminded(true).allows(today, true));
        assert!(!reminded(true).allows(today, false), "the sharper one stays that day's");
        assert!(reminded(false).allows(today, true), "it replaces that day's");
        assert!(reminded(true).allows(tomorrow, false) && reminded(false).allows(tomorrow, true));
        assert!(reminded(false).allows(day("2026-11-20"), false), "a clock that was set back hides nothing");
    }

    #[test]
    fn what_was_noted_is_read_again_and_keys_that_went_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Reminders::read(folder.path());
        ledger.note("AKIAONE", reminded(false));
        ledger.note("AKIATWO", reminded(true));
        ledger.write().unwrap();
        let mut again = Reminders::read(folder.path());
        assert_eq!((again.last("AKIAONE"), again.last("AKIATWO")), (Some(&reminded(false)), Some(&reminded(true))));
        again.keep(|about, last| about == "AKIATWO" && last.urgent);
        again.write().unwrap();
        assert_eq!(Reminders::read(folder.path()).last("AKIAONE"), None);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn a_damaged_file_counts_as_empty_and_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        for damage in ["", "{", "[]", "{\"version\":2,\"reminders\":{}}", "{\"version\":1,\"reminders\":{\"A\":7}}"] {
            std::fs::write(folder.path().join("reminders.json"), damage).unwrap();
            let mut ledger = Reminders::read(folder.path());
            assert_eq!(ledger.last("A"), None, "{damage}");
            ledger.note("A", reminded(true));
            ledger.write().unwrap();
            assert_eq!(Reminders::read(folder.path()).last("A"), Some(&reminded(true)));
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_told() {
        assert!(Reminders::read(Path::new("/nowhere/at/all")).write().is_err());
    }
}
