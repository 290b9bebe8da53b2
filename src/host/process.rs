//! This process: what keeps its memory out of other hands, and where its program lies.

use std::io;
use std::path::PathBuf;

use super::paths;

/// This program's absolute path, as a line may name it for years: where a name on `PATH` leads to it, that name, which
/// stays when a package manager puts a new version behind it.
///
/// # Errors
/// Where the system does not say.
pub fn program() -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let target = own.canonicalize()?;
    let name = format!("keyrot-me{}", std::env::consts::EXE_SUFFIX);
    let leads_here = |path: &PathBuf| path.is_absolute() && path.canonicalize().is_ok_and(|found| found == target);
    let folders = paths::env("PATH").unwrap_or_default();
    let named = std::env::split_paths(&folders).map(|folder| folder.join(&name)).find(leads_here);
    Ok(named.unwrap_or(own))
}

/// No core dump, and no debugger of another process of the same user (I3). Best effort: a system that
/// knows neither runs on.
#[cfg(unix)]
pub fn protect() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Windows writes no dumps of a process that has not asked for them.
#[cfg(not(unix))]
pub fn protect() {}
