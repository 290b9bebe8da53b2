//! Which of a rotation's calls IAM refuses.
//!
//! Reads are made; `UpdateAccessKey` and `DeleteAccessKey` are asked about a key that cannot exist: 'no such key' means
//! permitted. For `CreateAccessKey` there is no harmless question.

use crate::cli::args::Doctor;
use crate::keys::doctor::{Check, Finding};
use crate::ports::{CallError, Cause};
use crate::runner::doctor::{Answers, OfUser, Signs};

const NOT_ASKED: &str = "CreateAccessKey is not probed: there is no harmless way to ask";

/// What one call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Permitted,
    Refused,
    Unknown,
}

fn answer<T>(of: &Result<T, CallError>) -> Answer {
    match of {
        Ok(_) => Answer::Permitted,
        Err(error) => match error.cause {
            Cause::NotFound => Answer::Permitted,
            // IAM tells sessions without MFA that their key is none.
            Cause::AccessDenied | Cause::KeyNotAccepted => Answer::Refused,
            _ => Answer::Unknown,
        },
    }
}

/// `user` is whose key it is, and `who` the name.
pub fn judge(args: &Doctor, signs: &Signs, answers: &Answers, user: &OfUser, who: &str) -> Vec<Finding> {
    // A rotation would have a session, which is not opened here.
    let without_mfa = matches!(signs, Signs::Key) && !args.sign.no_mfa || user.session.is_err();
    let mut found = Vec::new();
    if let Err(why) = &user.session {
        found.push(Finding::problem(
            Check::SignIn,
            format!("no MFA session could be opened: {why}"),
            "a rotation stops there; what IAM permits with MFA is not known",
            "keyrot-me doctor --mfa-command COMMAND",
        ));
    }
    found.push(reads(answers, user, who));
    found.push(writes(user, without_mfa, who));
    found.push(trail(user, without_mfa, who));
    found
}

/// The policy that ships with the program, given to a user.
fn attach(who: &str) -> String {
    let who = crate::cli::doctor::commands::word(who);
    format!(
        "aws iam put-user-policy --user-name {who} --policy-name keyrot-me --policy-document \
         file://packaging/iam/self-service.json"
    )
}

fn reads(answers: &Answers, user: &OfUser, who: &str) -> Finding {
    let all = [
        ("ListAccessKeys", answer(&answers.keys), "status knows only what the journal knows"),
        ("GetAccessKeyLastUsed", answer(&answers.key_use), "nobody can say whether a key is in use"),
        ("ListMFADevices", answer(&user.devices), "the MFA device has to be configured"),
    ];
    let refused: Vec<_> = all.iter().filter(|(_, answer, _)| *answer != Answer::Permitted).collect();
    if refused.is_empty() {
        return Finding::ok(Check::Permissions, "IAM permits ListAccessKeys, GetAccessKeyLastUsed and ListMFADevices");
    }
    let names: Vec<&str> = refused.iter().map(|(name, ..)| *name).collect();
    let why: Vec<&str> = refused.iter().map(|(.., why)| *why).collect();
    let what = format!("IAM refuses {}", names.join(", "));
    Finding::note(Check::Permissions, what, why.join("; "), attach(who))
}

fn writes(user: &OfUser, without_mfa: bool, who: &str) -> Finding {
    let all = [("UpdateAccessKey", answer(&user.update)), ("DeleteAccessKey", answer(&user.delete))];
    let named = |wanted: Answer| -> Vec<&str> {
        all.iter().filter(|(_, answer)| *answer == wanted).map(|(name, _)| *name).collect()
    };
    let (permitted, refused, unknown) = (named(Answer::Permitted), named(Answer::Refused), named(Answer::Unknown));
    if !unknown.is_empty() {
        return Finding::note(
            Check::Permissions,
            format!("whether IAM permits {} could not be asked", unknown.join(" and ")),
            "a rotation may stop in its middle",
            "keyrot-me doctor",
        );
    }
    if without_mfa {
        if permitted.is_empty() {
            return Finding::ok(
                Check::Permissions,
                format!(
                    "IAM refuses {} without MFA, as it should; what it permits with MFA was not asked (--mfa-command \
                     does); {NOT_ASKED}",
                    refused.join(" and ")
                ),
            );
        }
        return Finding::note(
            Check::Permissions,
            format!("IAM permits {} without MFA", permitted.join(" and ")),
            "whoever steals the key can do what you can: the policy should demand MFA",
            attach(who),
        );
    }
    if refused.is_empty() {
        return Finding::ok(Check::Permissions, format!("IAM permits {}; {NOT_ASKED}", permitted.join(" and ")));
    }
    Finding::problem(
        Check::Permissions,
        format!("IAM refuses {}", refused.join(" and ")),
        "a rotation makes a key and then stops: two keys work, and the old one stays",
        attach(who),
    )
}

/// Without it a lost answer is resolved by waiting and asking.
fn trail(user: &OfUser, without_mfa: bool, who: &str) -> Finding {
    match answer(&user.trail) {
        Answer::Permitted => Finding::ok(Check::Trail, "cloudtrail:LookupEvents is permitted"),
        _ if without_mfa => Finding::ok(
            Check::Trail,
            "cloudtrail:LookupEvents is refused without MFA; with MFA it was not asked (--mfa-command does)",
        ),
        _ => Finding::note(
            Check::Trail,
            "cloudtrail:LookupEvents is refused",
            "when the answer to a create is lost, whose key it was is found by waiting and asking",
            attach(who),
        ),
    }
}
