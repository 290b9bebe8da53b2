//! Why a profile cannot be rotated, each reason in its own words and with its own way out.
//!
//! Words only: nothing here reads a file or decides.

use std::path::PathBuf;

use super::profile::ProcessProfile;

/// A profile without a long-term key that signs for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileProblem {
    #[error("{} cannot be read: {why}", path.display())]
    Unreadable { path: PathBuf, why: String },
    #[error("{} does not parse: {why}", path.display())]
    Unparsable { path: PathBuf, why: String },
    #[error("there is no profile '{name}'{}", named_by.as_ref().map_or_else(String::new, |by| format!(", which '{by}' names as its source_profile")))]
    Unknown {
        name: String,
        /// The profile whose name is most like it, when one is like it at all.
        nearest: Option<String>,
        known: Vec<String>,
        /// The profile whose `source_profile` it is.
        named_by: Option<String>,
    },
    #[error("source_profile goes in a circle: {}", chain.join(" -> "))]
    Cycle { chain: Vec<String> },
    #[error("profile '{profile}' has a role_arn, and neither source_profile nor credential_source")]
    RoleWithoutSource { profile: String },
    #[error("profile '{profile}' signs in through IAM Identity Center (SSO) and has no access key to rotate")]
    Sso { profile: String },
    #[error("profile '{profile}' signs in with a web identity token and has no access key to rotate")]
    WebIdentity { profile: String },
    #[error("profile '{profile}' takes its credentials from {taken_from}, and has no access key to rotate")]
    CredentialSource { profile: String, taken_from: String },
    #[error("profile '{profile}' signs in through 'aws login' and has no access key to rotate")]
    Login { profile: String },
    #[error("profile '{}' takes its credentials from a program (credential_process)", .0.signing)]
    Process(Box<ProcessProfile>),
    #[error("profile '{profile}' holds temporary credentials, which expire by themselves")]
    Temporary { profile: String },
    #[error("profile '{profile}' has only half a key: {missing} is missing")]
    HalfKey { profile: String, missing: &'static str },
    #[error("aws_access_key_id of profile '{profile}' is not an access key id: {why}")]
    BadKeyId { profile: String, why: &'static str },
    #[error("profile '{profile}' has no access key")]
    NoKeys { profile: String },
}

impl ProfileProblem {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { .. } => "check its owner and mode".into(),
            Self::Unparsable { .. } => "mend or remove that line; the AWS tools cannot read the file either".into(),
            Self::Unknown { nearest, known, .. } => unknown(nearest.as_deref(), known),
            Self::Cycle { .. } => "one of these profiles must hold the key itself".into(),
            Self::RoleWithoutSource { .. } => "give it source_profile = the profile that holds the key".into(),
            Self::Sso { .. } | Self::WebIdentity { .. } | Self::CredentialSource { .. } => {
                "nothing to rotate here; name the profile that holds an IAM user's key with --profile".into()
            }
            Self::Login { .. } => "name the profile that holds an IAM user's key with --profile".into(),
            Self::Process(_) => {
                "another program has the key; name a profile whose key is in the AWS files or, by `keyrot-me store move`, \
                 in the keychain"
                    .into()
            }
            Self::Temporary { .. } => "name the profile that holds the long-term key (AKIA…) with --profile".into(),
            Self::HalfKey { .. } | Self::BadKeyId { .. } => "put the whole key there: aws configure".into(),
            Self::NoKeys { .. } => {
                "put a key there with 'aws configure', or name another profile with --profile".into()
            }
        }
    }
}

fn unknown(nearest: Option<&str>, known: &[String]) -> String {
    let meant = nearest.map_or_else(String::new, |name| format!("did you mean '{name}'? "));
    if known.is_empty() {
        "there are no profiles at all: 'aws configure' makes one".into()
    } else {
        format!("{meant}there are: {}", known.join(", "))
    }
}
