//! Whether git keeps a file: a credentials file that is tracked would be published with the next push.
//!
//! Nothing here may change a repository, or run what a repository's own settings name.

use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(2);
const GLANCE: Duration = Duration::from_millis(10);

/// Whether the file, behind its links, is tracked in a git work tree. `None`: not known, because git is not
/// installed, refuses the repository, or did not answer within two seconds.
pub fn is_tracked(path: &Path) -> Option<bool> {
    let target = path.canonicalize().ok()?;
    let (folder, name) = (target.parent()?, target.file_name()?);
    if !folder.ancestors().any(|above| above.join(".git").exists()) {
        return Some(false);
    }
    let mut git = Command::new("git");
    // A repository's file system monitor is a program of its own choice.
    git.arg("-C").arg(folder).args(["-c", "core.fsmonitor=false", "ls-files", "--error-unmatch", "--"]).arg(name);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(name);
    }
    git.env("GIT_LITERAL_PATHSPECS", "1").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match answer(&mut git)?.code()? {
        0 => Some(true),
        1 => Some(false),
        _ => None,
    }
}

fn answer(command: &mut Command) -> Option<ExitStatus> {
    let mut child = command.spawn().ok()?;
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().ok()? {
            return Some(status);
        }
        if started.elapsed() > PATIENCE {
            // Nothing to do about a failure: it ended by itself meanwhile, or the system refuses.
            let _ = child.kill().and_then(|()| child.wait());
            return None;
        }
        sleep(GLANCE);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods)]

    use super::*;

    #[test]
    fn a_tracked_file_is_told_from_one_that_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (tracked, loose) = (folder.path().join("tracked *"), folder.path().join("loose"));
        std::fs::write(&tracked, "").unwrap();
        std::fs::write(&loose, "").unwrap();
        assert_eq!(is_tracked(&tracked), Some(false), "no work tree");
        let git = |words: &[&str]| Command::new("git").arg("-C").arg(folder.path()).args(words).output();
        if git(&["init", "-q"]).is_err() {
            println!("skipped: needs git: a tracked file is told from one that is not");
            return;
        }
        assert_eq!(is_tracked(&tracked), Some(false));
        assert!(git(&["add", "."]).unwrap().status.success());
        assert!(git(&["rm", "-q", "--cached", "loose"]).unwrap().status.success());
        assert_eq!(is_tracked(&tracked), Some(true));
        assert_eq!(is_tracked(&loose), Some(false));
        assert_eq!(is_tracked(&folder.path().join("missing")), None);
        #[cfg(unix)]
        {
            let elsewhere = tempfile::tempdir().unwrap();
            let link = elsewhere.path().join("link");
            std::os::unix::fs::symlink(&tracked, &link).unwrap();
            assert_eq!(is_tracked(&link), Some(true), "behind its link");
        }
        std::fs::write(folder.path().join(".git/HEAD"), "broken").unwrap();
        assert_eq!(is_tracked(&tracked), None);
    }
}
