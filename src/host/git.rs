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
