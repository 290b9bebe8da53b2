//! The AWS SDK's own reading of a file, held against ours.
//!
//! Nothing here may touch a file or the environment: the SDK's parser gets the text and nothing else.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::env_config::property::Property;
use aws_runtime::env_config::section::{EnvConfigSections, Profile};
use aws_runtime::env_config::source;
use aws_types::os_shim_internal::{Env, Fs};

use super::error::{IniError, Problem};
use super::{AwsIni, FileKind, lines};

/// The SDK sees the same profiles with the same properties as `file` does, and no other.
pub(super) fn agrees_with(file: &AwsIni) -> Result<(), IniError> {
    let disagrees = |profile: &str| IniError::whole_file(Problem::SdkDisagrees { profile: profile.to_owned() });
    let sdk = read(file.kind, &file.text)?;
    let ours = file.profiles();
    if let Some(unknown) = sdk.profiles().find(|name| !ours.contains(name)) {
        return Err(disagrees(unknown));
    }
    for profile in ours {
        let same = sdk.get_profile(profile).is_some_and(|read| *read == as_sdk_profile(file, profile));
        // The SDK has no fixed reading of those, and they are never edited.
        if !same && !file.is_spelled_twice(profile) {
            return Err(disagrees(profile));
        }
    }
    Ok(())
}

/// It keeps plain strings, as the SDK itself does whenever it loads a profile: these copies are not wiped.
fn read(kind: FileKind, text: &str) -> Result<EnvConfigSections, IniError> {
    let refused = |why: String| IniError::whole_file(Problem::SdkRefuses(why));
    let kind = match kind {
        FileKind::Credentials => EnvConfigFileKind::Credentials,
        FileKind::Config => EnvConfigFileKind::Config,
    };
    let files = EnvConfigFiles::builder().with_contents(kind, text).build();
    let (env, fs) = (Env::from_slice(&[]), Fs::from_slice(&[]));
    let load = pin!(source::load(&env, &fs, &files));
    // The contents are at hand: the future has nothing to wait for, and one poll ends it.
    match load.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(source)) => EnvConfigSections::parse(source).map_err(|error| refused(error.to_string())),
        Poll::Ready(Err(error)) => Err(refused(error.to_string())),
        Poll::Pending => Err(refused("its parser did not finish".to_owned())),
    }
}

fn as_sdk_profile(file: &AwsIni, profile: &str) -> Profile {
    let mut properties = HashMap::new();
    for block in file.blocks.iter().filter(|block| file.profile_of(block) == Some(profile)) {
        for found in block.properties.iter().filter(|found| lines::is_identifier(&found.name)) {
            let property = Property::new(found.name.clone(), file.value(found).to_string());
            properties.insert(found.name.clone(), property);
        }
    }
    Profile::new(profile, properties)
}
