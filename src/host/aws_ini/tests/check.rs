//! The promise of an edit, checked on any bytes at all: used by the tests here and by `fuzz/`.
//!
//! Nothing here may use the module's own positions: the SDK's parser and plain line comparison are the judges.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::env_config::section::EnvConfigSections;
use aws_runtime::env_config::source;
use aws_types::os_shim_internal::{Env, Fs};

use super::aws_ini::{AwsIni, FileKind, Problem};
use super::facts::KeyId;
use super::secret::{AccessKey, SecretKey};

pub const OLD: &str = "AKIAOLD0000000000001";
pub const NEW: &str = "AKIANEW0000000000002";
pub const NEW_SECRET: &str = "new+Secret/1111111111111111111111111111111";

/// What happened to the bytes, for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Refused,
    NotHeld,
    EditRefused,
    Edited,
}

/// As an SDK client gets it.
pub fn sdk(kind: FileKind, text: &str) -> Option<EnvConfigSections> {
    let (file_kind, variable) = match kind {
        FileKind::Credentials => (EnvConfigFileKind::Credentials, "AWS_SHARED_CREDENTIALS_FILE"),
        FileKind::Config => (EnvConfigFileKind::Config, "AWS_CONFIG_FILE"),
    };
    let files = EnvConfigFiles::builder().with_file(file_kind, "/f").build();
    let (env, fs) = (Env::from_slice(&[(variable, "/f")]), Fs::from_slice(&[("/f", text)]));
    match pin!(source::load(&env, &fs, &files)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(source) => EnvConfigSections::parse(source.unwrap()).ok(),
        Poll::Pending => unreachable!("nothing to wait for"),
    }
}

/// # Panics
/// When a promise is broken.
pub fn any_bytes(kind: FileKind, bytes: &[u8]) -> Outcome {
    let file = match AwsIni::parse(kind, bytes) {
        Ok(file) => file,
        Err(error) => {
            let ours = !matches!(error.problem, Problem::SdkRefuses(_) | Problem::SdkDisagrees { .. });
            assert!(ours, "our reading must be the SDK's, or refuse first: {error}");
            return Outcome::Refused;
        }
    };
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(sdk(kind, text).is_some(), "accepted what the SDK refuses");
    let _ = file.keys();
    let new = AccessKey { id: KeyId::new(NEW).unwrap(), secret: SecretKey::new(NEW_SECRET.to_owned()) };
    for profile in file.profiles() {
        lines_come_and_go(kind, &file, profile, &new);
    }
    match file.replace_key(&KeyId::new(OLD).unwrap(), &new) {
        Ok(edited) => {
            edited_as_promised(kind, text, std::str::from_utf8(&edited).unwrap());
            Outcome::Edited
        }
        Err(error) => {
            assert_ne!(error.problem, Problem::EditNotProved);
            if matches!(error.problem, Problem::NotHeld(_)) { Outcome::NotHeld } else { Outcome::EditRefused }
        }
    }
}

/// What is put into a profile is read there, and what is taken out is not: by the SDK.
fn lines_come_and_go(kind: FileKind, file: &AwsIni, profile: &str, key: &AccessKey) {
    let read = |edited: &[u8], name: &str| {
        let sections = sdk(kind, std::str::from_utf8(edited).unwrap()).expect("the SDK reads it");
        sections.get_profile(profile).and_then(|found| found.get(name)).map(str::to_owned)
    };
    match file.with_key(profile, key) {
        Ok(edited) => assert_eq!(read(&edited, "aws_secret_access_key").as_deref(), Some(NEW_SECRET)),
        Err(error) => assert_ne!(error.problem, Problem::EditNotProved),
    }
    match file.without_properties(profile, &["aws_access_key_id", "x"]) {
        Ok(Some(edited)) => assert_eq!((read(&edited, "aws_access_key_id"), read(&edited, "x")), (None, None)),
        Ok(None) => {}
        Err(error) => assert_ne!(error.problem, Problem::EditNotProved),
    }
}

fn edited_as_promised(kind: FileKind, before: &str, after: &str) {
    only_values_differ(before, after);
    let (sdk_before, sdk_after) = (sdk(kind, before).unwrap(), sdk(kind, after).unwrap());
    let mut names: Vec<_> = sdk_before.profiles().collect();
    assert_eq!(names.len(), sdk_after.profiles().count());
    names.sort_unstable();
    for name in names {
        let (was, is) = (sdk_before.get_profile(name).unwrap(), sdk_after.get_profile(name).unwrap());
        if was.get("aws_access_key_id") == Some(OLD) {
            assert_eq!(is.get("aws_access_key_id"), Some(NEW));
            assert_eq!(is.get("aws_secret_access_key"), Some(NEW_SECRET));
        } else if was != is {
            // The SDK merges `[a]` and `[ a ]` in random order: it may differ from itself.
            let spellings = after.lines().filter(|line| line.starts_with('[') && line.contains(name)).count();
            assert!(spellings > 1, "profile {name} changed, and it did not hold the old key");
        }
    }
}

/// Each line is the same, or differs by the new id or the new secret standing where something else stood.
pub fn only_values_differ(before: &str, after: &str) {
    let (old_lines, new_lines): (Vec<_>, Vec<_>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    assert_eq!(old_lines.len(), new_lines.len());
    for (old, new) in old_lines.iter().zip(&new_lines).filter(|(old, new)| old != new) {
        let value = if new.contains(NEW_SECRET) { NEW_SECRET } else { NEW };
        let (head, tail) = new.split_once(value).expect("a changed line holds a new value");
        assert!(head.trim_end_matches([' ', '\t']).ends_with('='), "only a value may change");
        let gone = old.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail)).expect("the rest is as it was");
        assert!(value == NEW_SECRET || gone == OLD, "only the old id may go");
    }
}
