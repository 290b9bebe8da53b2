//! `credential-process`: hands a profile's key to an AWS tool, by the `credential_process` contract, version 1.
//!
//! No runtime, no AWS client, no network, no program started: it is run before each call of somebody's AWS tool. On
//! standard output is the key or nothing.

use zeroize::Zeroizing;

use crate::cli::args::CredentialProcess;
use crate::cli::error::{Exit, Failure};
use crate::cli::machine::{found_places, settings};
use crate::host::console::{out_bytes, output_gone};
use crate::host::credentials_file;
use crate::host::key_store;
use crate::host::keychain::{self, Entry, Keychain};
use crate::host::paths::Places;
use crate::keys::secret::AccessKey;
use crate::ports::StoreError;

pub fn run(args: &CredentialProcess) -> Result<Exit, Failure> {
    let places = found_places()?;
    let key = held(&places, &args.profile)?.ok_or_else(|| {
        Failure::new(
            Exit::CannotSignIn,
            format!("neither the AWS files nor the keychain hold a key of profile '{}'", args.profile),
        )
        .hint(format!("put one there: `keyrot-me import --profile {}`", args.profile))
    })?;
    let mut text: Zeroizing<Vec<u8>> = keychain::write_key(&key);
    text.push(b'\n');
    out_bytes(&text);
    if output_gone() {
        return Err(Failure::new(Exit::Unexpected, "nobody took the key from standard output")
            .hint("this command is run by AWS tools, which read it"));
    }
    Ok(Exit::Done)
}

/// The file wins over the keychain, as it does in every AWS tool that reads both.
fn held(places: &Places, profile: &str) -> Result<Option<AccessKey>, Failure> {
    if let Some(key) = credentials_file::key_of(places, profile)? {
        return Ok(Some(key));
    }
    let keychain = Keychain::new(settings(places)?.keychain_wait);
    Ok(key_store::published(&keychain, &Entry::Profile(profile.to_owned())).map_err(StoreError::from)?)
}
