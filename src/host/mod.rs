//! This machine's side: files, locks and what else the operating system offers.
//!
//! Nothing here may import `crate::aws` or `crate::runner`, or decide anything about a rotation.

pub mod atomic_file;
pub mod aws_ini;
pub mod clock;
pub mod config_file;
pub mod console;
pub mod credentials_file;
pub mod file_look;
pub mod gauge;
pub mod git;
pub mod history;
pub mod journal_file;
pub mod key_store;
pub mod keychain;
pub mod last_run;
pub mod lock;
pub mod notices;
pub mod notify;
pub mod other_program;
pub mod owner_map;
pub mod pasted_file;
pub mod paths;
pub mod process;
pub mod process_line;
pub mod profile_files;
pub mod prompt;
pub mod record;
pub mod reminders;
pub mod report;
pub mod schedule;
pub mod secret_file;
pub mod seen;
pub mod tty;
