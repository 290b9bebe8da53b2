//! What `doctor` finds, and the findings that follow from facts about keys, limits and MFA devices.
//!
//! Pure: others look, and put what they saw into these words.

mod judge;

use std::fmt;

pub use self::judge::{Commands, OtherKey, age, clock, limits, mfa_devices, other_key};

/// What is looked at. The words are for programs, and stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    Config,
    Limits,
    CredentialsFile,
    ConfigFile,
    StateFolder,
    Git,
    Environment,
    Shadowing,
    Profile,
    Endpoint,
    Keychain,
    CredentialProcess,
    Journal,
    Rotation,
    Network,
    SignIn,
    Clock,
    Keys,
    KeyAge,
    MfaDevice,
    MfaSource,
    Permissions,
    Trail,
    Timer,
    LastRun,
    Notifications,
}

impl Check {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Limits => "limits",
            Self::CredentialsFile => "credentials-file",
            Self::ConfigFile => "config-file",
            Self::StateFolder => "state-folder",
            Self::Git => "git",
            Self::Environment => "environment",
            Self::Shadowing => "shadowing",
            Self::Profile => "profile",
            Self::Endpoint => "endpoint",
            Self::Keychain => "keychain",
            Self::CredentialProcess => "credential-process",
            Self::Journal => "journal",
            Self::Rotation => "rotation",
            Self::Network => "network",
            Self::SignIn => "sign-in",
            Self::Clock => "clock",
            Self::Keys => "keys",
            Self::KeyAge => "key-age",
            Self::MfaDevice => "mfa-device",
            Self::MfaSource => "mfa-source",
            Self::Permissions => "permissions",
            Self::Trail => "trail",
            Self::Timer => "timer",
            Self::LastRun => "last-run",
            Self::Notifications => "notifications",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Ok,
    /// Worth knowing; everything works.
    Note,
    /// It needs the user.
    Problem,
}

impl State {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Problem => "problem",
        }
    }
}

/// One check, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub check: Check,
    pub state: State,
    pub what: String,
    /// Why it matters; none where all is well.
    pub why: Option<String>,
    /// The command that mends it; none where all is well.
    pub fix: Option<String>,
    /// `None` where it is about the machine.
    pub profile: Option<String>,
}

impl Finding {
    pub fn ok(check: Check, what: impl Into<String>) -> Self {
        Self { check, state: State::Ok, what: what.into(), why: None, fix: None, profile: None }
    }

    pub fn note(check: Check, what: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: State::Note, why: Some(why.into()), fix: Some(fix.into()), ..Self::ok(check, what) }
    }

    pub fn problem(check: Check, what: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: State::Problem, ..Self::note(check, what, why, fix) }
    }

    #[must_use]
    pub fn of(mut self, profile: &str) -> Self {
        self.profile = Some(profile.to_owned());
        self
    }
}

/// True where nothing needs the user.
#[must_use]
pub fn clean(all: &[Finding]) -> bool {
    all.iter().all(|finding| finding.state != State::Problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_checks_are_all_different() {
        let all = [
            Check::Config,
            Check::Limits,
            Check::CredentialsFile,
            Check::ConfigFile,
            Check::StateFolder,
            Check::Git,
            Check::Environment,
            Check::Shadowing,
            Check::Profile,
            Check::Endpoint,
            Check::Keychain,
            Check::CredentialProcess,
            Check::Journal,
            Check::Rotation,
            Check::Network,
            Check::SignIn,
            Check::Clock,
            Check::Keys,
            Check::KeyAge,
            Check::MfaDevice,
            Check::MfaSource,
            Check::Permissions,
            Check::Trail,
            Check::Timer,
            Check::LastRun,
            Check::Notifications,
        ];
        let words: std::collections::BTreeSet<&str> = all.iter().map(|check| check.as_str()).collect();
        assert_eq!(words.len(), all.len());
    }
}
