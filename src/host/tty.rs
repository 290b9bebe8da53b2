//! A line from the person at the terminal, hidden or shown; a wish to stop ends the wait.
//!
//! Blocks the thread: nothing else is to be done meanwhile. Signals are heard on a thread of their own.

use std::io::{self, ErrorKind, IsTerminal, Write};

use zeroize::Zeroizing;

use super::clock::Stop;

/// Asks on standard error and reads a line from standard input.
///
/// # Errors
/// `Interrupted` where a stop was requested first, `UnexpectedEof` at the end of the input.
pub fn line(question: &str, stop: &Stop) -> io::Result<Zeroizing<String>> {
    ask(question)?;
    read(stop)
}

/// As [`line`], and what is typed is not shown. The echo is off before the question is there, and on again
/// whatever comes of it.
pub fn hidden_line(question: &str, stop: &Stop) -> io::Result<Zeroizing<String>> {
    let _silence = imp::Silence::begin()?;
    ask(question)?;
    let typed = read(stop);
    // The person's own line feed is not shown either.
    let _ = writeln!(io::stderr());
    typed
}

/// The terminal of this process, by a name that its children can open; `None` where there is none.
#[must_use]
pub fn name() -> Option<String> {
    imp::name()
}

/// A person watches what is written on standard error.
#[must_use]
pub fn watches() -> bool {
    io::stderr().is_terminal()
}

fn ask(question: &str) -> io::Result<()> {
    let mut stderr = io::stderr();
    write!(stderr, "{question}")?;
    stderr.flush()
}

fn read(stop: &Stop) -> io::Result<Zeroizing<String>> {
    while !imp::is_typed()? {
        if stop.requested() {
            return Err(ErrorKind::Interrupted.into());
        }
    }
    let typed = imp::read_line()?;
    // Ctrl-C on Windows ends the read itself.
    if stop.requested() {
        return Err(ErrorKind::Interrupted.into());
    }
    if typed.is_empty() { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(typed) }
}

#[cfg(unix)]
mod imp {
    use std::io;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
    use zeroize::Zeroizing;

    /// How soon a stop is noticed.
    const GLANCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
    /// A terminal gives no longer lines.
    const LONGEST: usize = 4096;

    /// The controlling terminal, else the one that standard input is.
    pub fn name() -> Option<String> {
        const CONTROLLING: &str = "/dev/tty";
        if std::fs::File::open(CONTROLLING).is_ok() {
            return Some(CONTROLLING.to_owned());
        }
        rustix::termios::ttyname(io::stdin(), Vec::new()).ok()?.into_string().ok()
    }

    /// The terminal's echo is off until this is dropped.
    pub struct Silence(Termios);

    impl Silence {
        pub fn begin() -> io::Result<Self> {
            let before = tcgetattr(io::stdin())?;
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
            tcsetattr(io::stdin(), OptionalActions::Now, &silent)?;
            Ok(Self(before))
        }
    }

    impl Drop for Silence {
        fn drop(&mut self) {
            // A terminal that is gone has no echo.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
        }
    }

    pub fn is_typed() -> io::Result<bool> {
        let stdin = io::stdin();
        match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&GLANCE)) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// A terminal gives one line at a time: no buffer of ours keeps what was typed.
    pub fn read_line() -> io::Result<Zeroizing<String>> {
        let mut bytes = Zeroizing::new([0; LONGEST]);
        let length = rustix::io::retry_on_intr(|| rustix::io::read(io::stdin(), &mut bytes[..]))?;
        Ok(Zeroizing::new(String::from_utf8_lossy(&bytes[..length]).into_owned()))
    }
}

#[cfg(not(unix))]
mod imp {
    use std::io::{self, BufRead};
    use std::sync::atomic::{AtomicBool, Ordering};

    use zeroize::Zeroizing;

    static SILENT: AtomicBool = AtomicBool::new(false);

    /// Programs that ask here have a window of their own.
    pub fn name() -> Option<String> {
        None
    }

    pub struct Silence;

    impl Silence {
        pub fn begin() -> io::Result<Self> {
            SILENT.store(true, Ordering::Relaxed);
            Ok(Self)
        }
    }

    impl Drop for Silence {
        fn drop(&mut self) {
            SILENT.store(false, Ordering::Relaxed);
        }
    }

    pub fn is_typed() -> io::Result<bool> {
        Ok(true)
    }

    pub fn read_line() -> io::Result<Zeroizing<String>> {
        if SILENT.load(Ordering::Relaxed) {
            return rpassword::read_password().map(|typed| Zeroizing::new(typed + "\n"));
        }
        let mut line = Zeroizing::new(String::new());
        io::stdin().lock().read_line(&mut line)?;
        Ok(line)
    }
}
