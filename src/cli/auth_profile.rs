//! `--auth-profile`: the credentials of another profile, got once, before anything is called at IAM.

use crate::aws::credentials::{EstateProblem, signer_of};
use crate::aws::endpoint::Destination;
use crate::aws::problem::ProfileProblem;
use crate::aws::profile::ProfileFiles;
use crate::cli::args::Sign;
use crate::cli::error::{Exit, Failure};
use crate::cli::machine::{Workplace, usage};
use crate::host::paths::{self, Places};
use crate::keys::facts::KeyId;
use crate::keys::secret::Signer;
use crate::runner::rotate::OtherProfile;

/// The named profile's credentials, where one is named. `replace` is the key that the user gives up.
pub async fn resolve(
    sign: &Sign,
    workplace: &Workplace,
    replace: Option<&KeyId>,
) -> Result<Option<OtherProfile>, Failure> {
    let Some(name) = &sign.auth_profile else { return Ok(None) };
    let other = signer(name, &workplace.places).await?;
    if let Signer::Key(key) = &other.signer {
        refuse_as_signer(name, &key.id, workplace, replace)?;
    }
    Ok(Some(other))
}

/// The credentials that profile `name` has now.
pub async fn signer(name: &str, places: &Places) -> Result<OtherProfile, Failure> {
    let files = ProfileFiles::load(&places.credentials, &places.config).await.map_err(|problem| usage(&problem))?;
    known(&files, name)?;
    let destination = Destination::for_profile(&files, Some(name), &paths::env)
        .await
        .map_err(|error| Failure::new(Exit::Usage, error.to_string()).hint(error.hint()))?;
    let (signer, renew) = signer_of(destination, name).await.map_err(|problem| no_credentials(&problem))?;
    Ok(OtherProfile { name: name.to_owned(), signer, renew })
}

/// The profile is there, and says by whom it signs.
pub fn known(files: &ProfileFiles, name: &str) -> Result<(), Failure> {
    match files.resolve(name) {
        Err(
            problem @ (ProfileProblem::Unknown { .. }
            | ProfileProblem::Cycle { .. }
            | ProfileProblem::RoleWithoutSource { .. }),
        ) => Err(usage(&problem)),
        _ => Ok(()),
    }
}

/// A key that signs must outlive the run.
fn refuse_as_signer(name: &str, key: &KeyId, workplace: &Workplace, replace: Option<&KeyId>) -> Result<(), Failure> {
    if replace == Some(key) {
        return Err(Failure::new(Exit::Usage, format!("{key} cannot be given up: profile '{name}' signs with it"))
            .hint("name the other key with --replace, or another profile with --auth-profile"));
    }
    if workplace.subjects.iter().any(|subject| subject.signing.key.id == *key) {
        return Err(Failure::new(Exit::Usage, format!("profile '{name}' holds {key}, which is to be rotated itself"))
            .hint("--no-mfa lets a key sign for itself; --auth-profile names a profile with other credentials"));
    }
    Ok(())
}

fn no_credentials(problem: &EstateProblem) -> Failure {
    let (exit, hint) = match problem {
        EstateProblem::Unusable { .. } => (Exit::CannotSignIn, problem.hint()),
        EstateProblem::Empty { .. } => {
            (Exit::Usage, "name a profile that signs in, such as one of 'aws configure sso' or 'aws login'".to_owned())
        }
        _ => (Exit::Usage, problem.hint()),
    };
    Failure::new(exit, problem.to_string()).hint(hint)
}
