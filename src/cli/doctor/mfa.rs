//! Where MFA codes would come from when nobody types them.

use crate::cli::args::Sign;
use crate::cli::doctor::commands;
use crate::cli::doctor::profiles::Subject;
use crate::host::other_program;
use crate::host::paths::Places;
use crate::keys::doctor::{Check, Finding};

/// The names under which pinentry is installed.
const PINENTRY: [&str; 2] = ["pinentry", "pinentry-mac"];

/// `timer`: nobody is there when it runs.
pub fn source(subject: &Subject, sign: &Sign, timer: bool, places: &Places) -> Finding {
    if sign.no_mfa || sign.auth_profile.is_some() {
        return Finding::ok(Check::MfaSource, "no MFA code is needed");
    }
    let edit = commands::edit(&places.settings, None);
    let settings = &subject.settings;
    if let Some(program) = settings.mfa_command.as_ref().and_then(|words| words.first()) {
        return match other_program::find(program) {
            Some(path) => Finding::ok(Check::MfaSource, format!("MFA codes come from {}", path.display())),
            None => Finding::problem(
                Check::MfaSource,
                format!("mfa.command names {program}, which is not there, or cannot be run"),
                "no code comes from it: the timer cannot rotate, and you are asked in another way",
                edit,
            ),
        };
    }
    if settings.pinentry {
        return match PINENTRY.iter().find_map(|name| other_program::find(name)) {
            Some(path) => Finding::ok(Check::MfaSource, format!("MFA codes are asked for by {}", path.display())),
            None => Finding::problem(
                Check::MfaSource,
                "mfa.pinentry is on, and there is no pinentry",
                "nobody can be asked for a code but at a terminal",
                edit,
            ),
        };
    }
    if timer {
        return Finding::note(
            Check::MfaSource,
            "neither mfa.command nor mfa.pinentry is configured",
            "the timer has nobody to ask for a code: it reminds you, and rotates nothing",
            edit,
        );
    }
    Finding::ok(Check::MfaSource, "MFA codes are asked for at the terminal")
}
