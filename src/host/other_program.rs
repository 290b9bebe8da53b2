//! Programs that this one depends on, or that stand in its place: whether they are there, and which version one is.
//!
//! Nothing is run but `--version` of a program of our own name, and that within seconds.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::paths;

const PATIENCE: Duration = Duration::from_secs(2);
const GLANCE: Duration = Duration::from_millis(5);
/// More is no version, in bytes.
const LONGEST: u64 = 200;

/// The file that `name` starts, as the system looks for it.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let given = Path::new(name);
    if given.components().count() > 1 {
        return is_executable(given).then(|| given.to_owned());
    }
    let folders = paths::env("PATH").unwrap_or_default();
    let file = if cfg!(windows) && given.extension().is_none() { format!("{name}.exe") } else { name.to_owned() };
    std::env::split_paths(&folders).map(|folder| folder.join(&file)).find(|path| is_executable(path))
}

/// Whether it is a file that may be run.
#[cfg(unix)]
#[must_use]
pub fn is_executable(path: &Path) -> bool {
    use rustix::fs::{Access, access};
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
#[must_use]
pub fn is_executable(path: &Path) -> bool {
    path.is_file()
}

/// True where the two names lead to one file.
#[must_use]
pub fn is_same(one: &Path, other: &Path) -> bool {
    one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

/// The version that a program of our own name says it is, such as `0.1.0`.
#[must_use]
pub fn version(program: &Path) -> Option<String> {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let started = Instant::now();
    while child.try_wait().ok()?.is_none() {
        if started.elapsed() > PATIENCE {
            // Nothing to do about a failure: it ended by itself meanwhile, or the system refuses.
            let _ = child.kill().and_then(|()| child.wait());
            return None;
        }
        sleep(GLANCE);
    }
    let mut said = String::new();
    child.stdout.take()?.take(LONGEST).read_to_string(&mut said).ok()?;
    said.trim().strip_prefix("keyrot-me ").map(str::to_owned)
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::disallowed_methods)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn script(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join("keyrot-me");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn a_program_is_found_by_name_and_by_path() {
        let shell = find("sh").unwrap();
        assert!(shell.is_absolute() && is_executable(&shell));
        assert_eq!(find(shell.to_str().unwrap()), Some(shell.clone()));
        assert!(is_same(&shell, &shell.canonicalize().unwrap()));
        for missing in ["no-such-program-anywhere", "/no/such/program", "/etc"] {
            assert_eq!(find(missing), None, "{missing}");
        }
    }

    #[test]
    fn a_version_is_what_our_own_program_says() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(version(&script(folder.path(), "echo keyrot-me 9.9.9")).as_deref(), Some("9.9.9"));
        assert_eq!(version(&script(folder.path(), "echo something else")), None);
        assert_eq!(version(Path::new("/no/such/program")), None);
    }
}
