//! What `doctor` finds, and the findings that follow from facts about keys, limits and MFA devices.
//!
//! Pure: others look, and put what they saw into these words.

use std::fmt;

use chrono::TimeDelta;

use super::countdown::Countdown;
use super::facts::{KeyFacts, KeyId, LastUsed, Status, Time};
use super::journal::{Phase, Rotation};
use super::lifecycle::{self, Freshness};
use super::policy::Limits;
use super::words::{duration, when};

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

/// A clock this far off makes codes that STS refuses, where they are made on this machine: a code is good for its own
/// 30 seconds and those around (RFC 6238, section 5.2).
const CODES_GO_WRONG: TimeDelta = TimeDelta::seconds(30);

/// Sets the clock by the network, and keeps it so.
const SET_CLOCK: &str = if cfg!(windows) {
    "w32tm /resync"
} else if cfg!(target_os = "macos") {
    "sudo sntp -sS time.apple.com"
} else {
    "timedatectl set-ntp true"
};

/// `offset` is service time minus local time; beyond `tolerance` a rotation refuses to begin.
#[must_use]
pub fn clock(offset: TimeDelta, tolerance: TimeDelta) -> Finding {
    let by = offset.abs();
    let way = if offset > TimeDelta::zero() { "behind" } else { "ahead of" };
    let what = format!("this machine's clock is {} {way} AWS's", duration(by));
    if by > tolerance {
        return Finding::problem(
            Check::Clock,
            what,
            "AWS refuses what is signed at another time: no rotation begins",
            SET_CLOCK,
        );
    }
    if by > CODES_GO_WRONG {
        return Finding::note(Check::Clock, what, "MFA codes that are made on this machine may be refused", SET_CLOCK);
    }
    Finding::ok(Check::Clock, format!("this machine's clock agrees with AWS's ({} s apart)", by.num_seconds()))
}

/// Limits under which a key is taken before it is due. `mend` edits them.
#[must_use]
pub fn limits(limits: &Limits, mend: &str) -> Finding {
    let Some(purge) = &limits.purge else {
        return Finding::ok(
            Check::Limits,
            format!("a key is due at {}; no [purge] is configured", duration(limits.max_age)),
        );
    };
    if purge.limit >= limits.max_age {
        let (due, taken) = (duration(limits.max_age), duration(purge.limit));
        return Finding::ok(Check::Limits, format!("a key is due at {due}, and the purge takes it from {taken} on"));
    }
    let what = format!(
        "rotation.max_age, {}, is longer than purge.limit, {}",
        duration(limits.max_age),
        duration(purge.limit)
    );
    match &purge.at {
        None => Finding::problem(Check::Limits, what, "the purge takes the key before a rotation calls it due", mend),
        Some(_) => Finding::note(
            Check::Limits,
            what,
            "a key is called due only because the next purge would take it; max_age says nothing",
            mend,
        ),
    }
}

/// How old the profile's own key is. `rotate` is the command that replaces it.
#[must_use]
pub fn age(created: Time, now: Time, limits: &Limits, rotate: &str) -> Finding {
    let old = duration(lifecycle::age(created, now));
    let countdown = Countdown::of(created, now, limits).map(|countdown| countdown.long());
    let counted = countdown.as_ref().map(|words| format!(": {words}")).unwrap_or_default();
    let what = format!("the key is {old} old{counted}");
    match lifecycle::freshness(created, now, limits) {
        Freshness::Fresh => Finding::ok(Check::KeyAge, what),
        Freshness::Due => Finding::note(Check::KeyAge, what, "it is due", rotate),
        Freshness::Overdue => {
            Finding::problem(Check::KeyAge, what, "it is over the limit: the purge switches it off", rotate)
        }
    }
}

/// A key of the user other than the profile's.
#[derive(Debug, Clone)]
pub struct OtherKey<'a> {
    pub facts: &'a KeyFacts,
    pub last_used: Option<&'a LastUsed>,
    /// The profiles of this machine that hold it.
    pub profiles: Vec<String>,
}

/// What stands in the second of IAM's two slots.
#[must_use]
pub fn other_key(
    other: &OtherKey<'_>,
    rotations: &[Rotation],
    grace: TimeDelta,
    now: Time,
    commands: &Commands,
) -> Finding {
    let id = &other.facts.id;
    let about = |rotation: &&Rotation| rotation.phase != Phase::Closed && rotation.is_about(id);
    match rotations.iter().find(about) {
        Some(rotation) if rotation.unfinished() => {
            Finding::ok(Check::Keys, format!("{id} belongs to the rotation that is unfinished"))
        }
        Some(Rotation { phase: Phase::Retired { at }, retire, .. }) if retire == id => {
            retired(other, *at, grace, now, commands)
        }
        _ => strange(other, now, commands),
    }
}

/// The commands that findings name, as this user has to type them.
#[derive(Debug, Clone)]
pub struct Commands {
    pub rotate: String,
    pub finish: String,
}

fn retired(other: &OtherKey<'_>, at: Time, grace: TimeDelta, now: Time, commands: &Commands) -> Finding {
    let id = &other.facts.id;
    if other.facts.status == Status::Active {
        return Finding::problem(
            Check::Keys,
            format!("the retired key {id} is on again ({})", used(other.last_used)),
            "somebody needs it: it is not deleted, and the next rotation stops",
            switch_off(id),
        );
    }
    if lifecycle::past_grace(at, grace, now) {
        return Finding::note(
            Check::Keys,
            format!("the retired key {id} is past its grace"),
            "it fills one of IAM's two slots until it is deleted",
            &commands.finish,
        );
    }
    let until = when(lifecycle::delete_after(at, grace));
    Finding::ok(Check::Keys, format!("the retired key {id} is off, and kept until {until}"))
}

fn strange(other: &OtherKey<'_>, now: Time, commands: &Commands) -> Finding {
    let facts = other.facts;
    let holders = match other.profiles.as_slice() {
        [] => "no profile here holds it".to_owned(),
        names => format!("profile {} holds it", names.join(", ")),
    };
    let what = format!(
        "the user has a second key, {} ({}, {} old, {}); {holders}",
        facts.id,
        facts.status,
        duration(lifecycle::age(facts.created, now)),
        used(other.last_used)
    );
    let why = "IAM allows two keys: no new one can be made, and a rotation stops";
    Finding::problem(Check::Keys, what, why, format!("{} --replace {}", commands.rotate, facts.id))
}

fn switch_off(id: &KeyId) -> String {
    format!("aws iam update-access-key --status Inactive --access-key-id {id}")
}

fn used(last: Option<&LastUsed>) -> String {
    match last {
        Some(used) => format!("last used {} by {}", when(used.at), used.service),
        None => "no use recorded".to_owned(),
    }
}

/// The user's MFA devices against the one that is configured.
#[must_use]
pub fn mfa_devices(serials: &[String], configured: Option<&str>, rotate: &str, mend: &str) -> Finding {
    const STS: &str = "STS takes TOTP codes only";
    let codes: Vec<&String> = serials.iter().filter(|serial| !serial.contains(":u2f/")).collect();
    if serials.is_empty() {
        return Finding::problem(
            Check::MfaDevice,
            "the user has no MFA device",
            "a rotation signs with an MFA code; --no-mfa does without where the policy lets it",
            format!("{rotate} --no-mfa"),
        );
    }
    if codes.is_empty() {
        return Finding::problem(
            Check::MfaDevice,
            "the user has passkeys or security keys only",
            format!("{STS}: sign in with `aws login` and use that profile, or register a TOTP device as well"),
            format!("{rotate} --auth-profile login"),
        );
    }
    let listed = || codes.iter().map(|serial| serial.as_str()).collect::<Vec<_>>().join(", ");
    match configured {
        Some(named) if codes.iter().any(|serial| *serial == named) => {
            Finding::ok(Check::MfaDevice, format!("codes come from {named}"))
        }
        Some(named) => Finding::problem(
            Check::MfaDevice,
            format!("the configured MFA device {named} is none of the user's: {}", listed()),
            format!("STS refuses its codes ({STS})"),
            mend,
        ),
        None if codes.len() > 1 => Finding::problem(
            Check::MfaDevice,
            format!("the user has {} MFA devices and none is configured: {}", codes.len(), listed()),
            "a rotation has to be told which one gives the code",
            format!("{rotate} --mfa-serial {}", codes[0]),
        ),
        None => Finding::ok(Check::MfaDevice, format!("codes come from {}", listed())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::policy::{PurgeLimit, WeeklyHour};

    fn state(finding: &Finding) -> State {
        assert_eq!(finding.state == State::Ok, finding.fix.is_none() && finding.why.is_none(), "{finding:?}");
        finding.state
    }

    #[test]
    fn a_clock_is_judged_by_the_rotations_own_tolerance() {
        let tolerance = TimeDelta::minutes(5);
        let of = |seconds| clock(TimeDelta::seconds(seconds), tolerance);
        let states = [0, 30, -30, 31, -300, 301, -301].map(|seconds| state(&of(seconds)));
        assert_eq!(states, [State::Ok, State::Ok, State::Ok, State::Note, State::Note, State::Problem, State::Problem]);
        assert!(of(301).what.contains("behind") && of(-301).what.contains("ahead of"));
    }

    #[test]
    fn a_limit_below_the_age_at_which_a_key_is_due_is_told() {
        let of = |max_age, limit, at| {
            let purge = Some(PurgeLimit { limit: TimeDelta::days(limit), at });
            state(&limits(&Limits { max_age: TimeDelta::days(max_age), purge }, "edit"))
        };
        let friday = || Some(WeeklyHour::new("Fri 23:55", "UTC").unwrap());
        assert_eq!([of(5, 5, None), of(6, 5, None), of(6, 5, friday())], [State::Ok, State::Problem, State::Note]);
        assert_eq!(state(&limits(&Limits { max_age: TimeDelta::days(5), purge: None }, "edit")), State::Ok);
    }

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

    #[test]
    fn only_a_device_that_has_codes_serves() {
        let (totp, other, passkey) =
            ("arn:aws:iam::1:mfa/alice", "arn:aws:iam::1:mfa/old", "arn:aws:iam::1:u2f/user/a/k");
        let of = |serials: &[&str], configured| {
            let serials: Vec<String> = serials.iter().map(|serial| (*serial).to_owned()).collect();
            state(&mfa_devices(&serials, configured, "keyrot-me rotate", "edit"))
        };
        assert_eq!(of(&[totp], None), State::Ok);
        assert_eq!(of(&[totp, passkey], Some(totp)), State::Ok);
        for (serials, configured) in [
            (&[][..], None),
            (&[passkey], None),
            (&[totp], Some(other)),
            (&[totp, other], None),
            (&[passkey], Some(passkey)),
        ] {
            assert_eq!(of(serials, configured), State::Problem, "{serials:?} {configured:?}");
        }
    }
}
