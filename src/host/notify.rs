//! Notifications on the desktop: without actions, replaced rather than stacked, and never waited for long.
//!
//! They carry what the caller wrote and nothing else: no secret and no MFA code may be in a [`Notice`]. Whoever shows one
//! says the same elsewhere: that a server took it is no proof that somebody has read it.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A desktop that has not answered by then is taken for none.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the desktop calls us.
const APP_NAME: &str = "keyrot-me";

/// What a person is to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notice {
    /// One line, without names that others have chosen: some desktops read markup there.
    pub summary: String,
    /// Plain text; what a desktop would read as markup is escaped.
    pub body: String,
    /// Stays until it is dismissed, where the desktop has that.
    pub urgent: bool,
    /// What was shown about the same thing before, and is to give way.
    pub replaces: Option<Shown>,
}

/// A notification that a desktop took. The number means something only to the very server that gave it: another one, or
/// the same program started anew, may have given it to somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The bus and the server's name on it, which is never given twice.
    pub server: String,
    pub id: u32,
}

/// Nothing could be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no notification could be shown: {why}")]
pub struct NoNotice {
    pub why: String,
}

/// Shows it, within five seconds. `None` where the system tells no number.
///
/// # Errors
/// [`NoNotice`] without a desktop, without a service there, and where it refused or said nothing in time. macOS and
/// Windows do not tell: there, only what the system's library notices is an error.
pub fn show(notice: &Notice) -> Result<Option<Shown>, NoNotice> {
    let notice = notice.clone();
    bounded(PATIENCE, move || imp::show(&notice))
}

/// Which service would show notifications, in its own words; nothing is shown.
///
/// # Errors
/// [`NoNotice`] as for [`show`].
pub fn service() -> Result<String, NoNotice> {
    bounded(PATIENCE, imp::service)
}

/// The work goes on in its thread when it takes too long, and ends with the process.
fn bounded<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, NoNotice> {
    let (says, said) = mpsc::channel();
    thread::spawn(move || {
        // Nobody may be waiting any more.
        let _ = says.send(work());
    });
    match said.recv_timeout(patience) {
        Ok(answer) => answer.map_err(|why| NoNotice { why }),
        Err(mpsc::RecvTimeoutError::Timeout) => {
            Err(NoNotice { why: format!("the desktop gave no answer within {} s", patience.as_secs()) })
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(NoNotice { why: "the library that speaks to the desktop broke off".to_owned() })
        }
    }
}

/// The session bus (Desktop Notifications Specification 1.2, freedesktop.org).
#[cfg(all(unix, not(target_os = "macos")))]
mod imp {
    use notify_rust::{Notification, Timeout, Urgency};

    use super::{APP_NAME, Notice, Shown};

    pub fn show(notice: &Notice) -> Result<Option<Shown>, String> {
        // This first: it starts a service that the bus starts on demand, which has its name only then.
        let capabilities = notify_rust::get_capabilities().map_err(words)?;
        let server = zbus::block_on(server()).ok();
        let mut shown = Notification::new();
        shown.appname(APP_NAME).icon("dialog-password").summary(&notice.summary);
        let markup = capabilities.iter().any(|one| one == "body-markup");
        shown.body(&if markup { escaped(&notice.body) } else { notice.body.clone() });
        if notice.urgent {
            shown.urgency(Urgency::Critical).timeout(Timeout::Never);
        } else {
            shown.urgency(Urgency::Normal);
        }
        if let Some(before) = notice.replaces.as_ref().filter(|before| Some(&before.server) == server.as_ref()) {
            shown.id(before.id);
        }
        let id = shown.show().map_err(words)?.id();
        Ok(server.map(|server| Shown { server, id }))
    }

    pub fn service() -> Result<String, String> {
        let server = notify_rust::get_server_information().map_err(words)?;
        Ok(format!("{} {}", server.name, server.version))
    }

    /// Id of the bus and unique name of the server (D-Bus specification, `GetId` and `GetNameOwner`).
    async fn server() -> zbus::Result<String> {
        let bus = zbus::Connection::session().await?;
        let bus = zbus::fdo::DBusProxy::new(&bus).await?;
        let name = zbus::names::BusName::try_from("org.freedesktop.Notifications")?;
        Ok(format!("{} {}", bus.get_id().await?, bus.get_name_owner(name).await?))
    }

    #[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
    fn words(error: notify_rust::error::Error) -> String {
        error.to_string()
    }

    /// The specification's markup is XML's: these three end it.
    pub(super) fn escaped(text: &str) -> String {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    }
}

/// A bundle, or an application that is registered, is what a notification belongs to here, and a program in a terminal is
/// neither: the terminal's stands in on macOS, PowerShell's (the library's own choice) on Windows.
#[cfg(not(all(unix, not(target_os = "macos"))))]
mod imp {
    use notify_rust::{Notification, Timeout};

    use super::{APP_NAME, Notice, Shown};

    pub fn show(notice: &Notice) -> Result<Option<Shown>, String> {
        // Refused when it was said before: then it is so already.
        #[cfg(target_os = "macos")]
        let _ = notify_rust::set_application("com.apple.Terminal");
        let mut shown = Notification::new();
        shown.appname(APP_NAME).summary(&notice.summary).body(&notice.body);
        if notice.urgent {
            shown.timeout(Timeout::Never);
            #[cfg(target_os = "windows")]
            shown.urgency(notify_rust::Urgency::Critical);
        }
        shown.show().map(|_| None).map_err(|error| error.to_string())
    }

    #[expect(clippy::unnecessary_wraps, reason = "other systems may have none")]
    pub fn service() -> Result<String, String> {
        Ok(if cfg!(target_os = "macos") { "macOS" } else { "Windows" }.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desktop_that_hangs_is_given_up() {
        let (_held, never) = mpsc::channel::<()>();
        let given_up = bounded(Duration::from_millis(20), move || {
            let _ = never.recv();
            Ok(())
        });
        assert!(given_up.unwrap_err().to_string().contains("no answer within"));
        let broken = bounded(PATIENCE, || -> Result<(), String> { panic!("as a library may") });
        assert!(broken.unwrap_err().why.contains("broke off"));
        assert_eq!(bounded(PATIENCE, || Ok(7)), Ok(7));
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn names_that_others_have_chosen_are_no_markup() {
        assert_eq!(imp::escaped("<b>&amp;</b>"), "&lt;b&gt;&amp;amp;&lt;/b&gt;");
    }
}
