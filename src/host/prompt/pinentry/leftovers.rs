//! What a dialog that does not end by itself leaves: a process, and a terminal without echo.
//!
//! Best effort, and only what was ours: where the system does not tell, nothing is done.

/// The processes that one thread of ours has started: the crate does not tell.
#[cfg(target_os = "linux")]
pub mod children {
    use std::fs;
    use std::path::{Path, PathBuf};

    use rustix::process::{Pid, Signal, kill_process};

    /// A thread, as /proc names it (proc(5), `/proc/thread-self`, `/proc/pid/task/tid/children`).
    #[derive(Debug)]
    pub struct Parent(PathBuf);

    impl Parent {
        pub fn this_thread() -> Option<Self> {
            Some(Self(Path::new("/proc").join(fs::read_link("/proc/thread-self").ok()?)))
        }

        /// Interrupts them, upon which a dialog on the terminal tidies up; `last` kills them.
        pub fn end_children(&self, last: bool) {
            let listed = fs::read_to_string(self.0.join("children")).unwrap_or_default();
            for pid in listed.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)) {
                // It may have ended by itself.
                let _ = kill_process(pid, if last { Signal::KILL } else { Signal::INT });
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub mod children {
    #[derive(Debug)]
    pub struct Parent;

    impl Parent {
        pub fn this_thread() -> Option<Self> {
            None
        }

        pub fn end_children(&self, _last: bool) {}
    }
}

/// A dialog that was killed leaves the terminal without echo.
#[cfg(unix)]
pub mod echo {
    use std::fs::File;

    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

    pub struct AsItWas(File, Termios);

    impl AsItWas {
        pub fn note(terminal: &str) -> Option<Self> {
            let file = File::open(terminal).ok()?;
            let termios = tcgetattr(&file).ok()?;
            Some(Self(file, termios))
        }
    }

    impl Drop for AsItWas {
        fn drop(&mut self) {
            // A terminal that is gone has no echo.
            let _ = tcsetattr(&self.0, OptionalActions::Now, &self.1);
        }
    }
}

#[cfg(not(unix))]
pub mod echo {
    pub struct AsItWas;

    impl AsItWas {
        pub fn note(_terminal: &str) -> Option<Self> {
            None
        }
    }
}
