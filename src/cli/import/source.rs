//! Where an imported key comes from: a file, standard input, or the person's hands. And what becomes of the file.
//!
//! Errors name the place and never quote it.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::cli::error::{Exit, Failure, halted};
use crate::host::clock::Stop;
use crate::host::pasted_file::{self, NotReadable};
use crate::host::tty;
use crate::keys::pasted::{self, NotAKey};
use crate::keys::secret::AccessKey;
use crate::runner::rotate::Halt;

/// A key, and the file that it was in.
pub struct Taken {
    pub key: AccessKey,
    pub file: Option<TakenFile>,
}

pub struct TakenFile {
    pub path: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
}

/// Why erasing a key's file proves little.
pub const NO_PROOF: &str =
    "erasing proves nothing on SSDs, in snapshots and backups, and in folders that are synced elsewhere";

/// Reads the key. `erase` says that the file is to be erased in the end: what speaks against it is told now.
pub fn take(source: Option<&Path>, erase: bool, stop: &Stop) -> Result<Taken, Failure> {
    match source {
        None => typed(stop).map(|key| Taken { key, file: None }),
        Some(path) if path == Path::new("-") => {
            if erase {
                return Err(Failure::new(Exit::Usage, "standard input cannot be erased").hint("leave --erase out"));
            }
            if std::io::stdin().is_terminal() {
                return Err(Failure::new(Exit::Usage, "standard input is the terminal, which would show the secret")
                    .hint("leave the - out: the secret is asked for, hidden"));
            }
            let bytes = pasted_file::read_stdin().map_err(|error| unreadable(&error))?;
            let key = pasted::read(&bytes).map_err(|not| not_a_key("standard input", &not))?;
            Ok(Taken { key, file: None })
        }
        Some(path) => {
            let bytes = pasted_file::read(path).map_err(|error| unreadable(&error))?;
            let key = pasted::read(&bytes).map_err(|not| not_a_key(&path.display().to_string(), &not))?;
            let file = TakenFile { path: path.to_owned(), bytes };
            match file.obstacle().filter(|_| erase) {
                Some(why) => Err(Failure::new(Exit::Usage, format!("--erase would not erase the key: {why}"))
                    .hint("leave --erase out, and see to that file yourself")),
                // A pipe is gone once it was read.
                None => Ok(Taken { key, file: path.is_file().then_some(file) }),
            }
        }
    }
}

impl TakenFile {
    /// Why it is not to be erased.
    pub fn obstacle(&self) -> Option<String> {
        pasted_file::obstacle(&self.path, &self.bytes)
    }

    pub fn erase(&self) -> Result<(), Failure> {
        pasted_file::erase(&self.path).map_err(|error| Failure::new(Exit::Store, error.to_string()).hint(error.hint()))
    }
}

fn typed(stop: &Stop) -> Result<AccessKey, Failure> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Failure::new(Exit::Usage, "there is no terminal to type the key on")
            .hint("name the console's CSV file, or - to read standard input"));
    }
    let broken_off = |_| {
        if stop.requested() {
            return halted(&Halt::Stopped);
        }
        Failure::new(Exit::Usage, "no key was typed").hint("run again; nothing was changed")
    };
    stop.listen();
    // The secret is easily pasted here, by itself or right behind the id.
    let id = tty::hidden_line("Access key id (not shown): ", stop).map_err(broken_off)?;
    let secret = tty::hidden_line("Secret access key (not shown): ", stop).map_err(broken_off)?;
    pasted::typed(&id, &secret).map_err(|not| not_a_key("what was typed", &not))
}

fn unreadable(error: &NotReadable) -> Failure {
    Failure::new(Exit::Usage, error.to_string())
        .hint("name the CSV file that the console gave, or - for standard input")
}

fn not_a_key(place: &str, not: &NotAKey) -> Failure {
    let line = not.line.map(|line| format!(":{line}")).unwrap_or_default();
    Failure::new(Exit::Usage, format!("{place}{line}: {not}")).hint(not.problem.hint())
}
