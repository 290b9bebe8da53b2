//! Where things lie, and the environment: read here, once, and nowhere else.
//!
//! It touches no file. Nothing else in `src` may call `std::env::var`.

use std::path::{Path, PathBuf};

/// The environment of this process and the folders of this user.
#[derive(Debug, Clone)]
pub struct Places {
    /// `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/credentials`.
    pub credentials: PathBuf,
    /// `AWS_CONFIG_FILE`, else `~/.aws/config`.
    pub config: PathBuf,
    /// `KEYROT_ME_CONFIG`, else `keyrot-me/config.toml` in the platform's config folder.
    pub settings: PathBuf,
    /// True when `KEYROT_ME_CONFIG` names the settings: then they have to be there.
    pub settings_named: bool,
    /// `keyrot-me` in the platform's state folder (where there is none, the local data folder).
    pub state: PathBuf,
}

/// The AWS tools take these before any file.
pub const SHADOWS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// There is no home folder to look in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this user has no home folder, and {missing} does not say where to look instead")]
pub struct NoHome {
    pub missing: &'static str,
}

/// The value of an environment variable; empty counts as unset, as it does for the AWS tools.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Names and values of the variables that begin with `prefix`, in the order of their names; empty ones are unset.
#[cfg(feature = "lambda")]
#[must_use]
pub fn env_with(prefix: &str) -> Vec<(String, String)> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
    };
    let ours = |(name, value): &(String, String)| name.starts_with(prefix) && !value.is_empty();
    let mut found: Vec<(String, String)> = std::env::vars_os().filter_map(text).filter(ours).collect();
    found.sort();
    found
}

impl Places {
    /// # Errors
    /// [`NoHome`] when a place needs the home folder and there is none.
    pub fn find() -> Result<Self, NoHome> {
        Self::resolve(
            &env,
            dirs::home_dir().as_deref(),
            dirs::config_dir(),
            dirs::state_dir().or_else(dirs::data_local_dir),
        )
    }

    fn resolve(
        env: &dyn Fn(&str) -> Option<String>,
        home: Option<&Path>,
        config_dir: Option<PathBuf>,
        state_dir: Option<PathBuf>,
    ) -> Result<Self, NoHome> {
        let aws = |variable: &'static str, file: &str| match (env(variable), home) {
            (Some(named), _) => Ok(expand_home(&named, home)),
            (None, Some(home)) => Ok(home.join(".aws").join(file)),
            (None, None) => Err(NoHome { missing: variable }),
        };
        let named = env("KEYROT_ME_CONFIG");
        Ok(Self {
            credentials: aws("AWS_SHARED_CREDENTIALS_FILE", "credentials")?,
            config: aws("AWS_CONFIG_FILE", "config")?,
            settings_named: named.is_some(),
            settings: match named {
                Some(named) => expand_home(&named, home),
                None => config_dir.ok_or(NoHome { missing: "KEYROT_ME_CONFIG" })?.join("keyrot-me").join("config.toml"),
            },
            state: state_dir.ok_or(NoHome { missing: "XDG_STATE_HOME" })?.join("keyrot-me"),
        })
    }
}

/// `~/` at the start is the home folder: the AWS SDKs read their variables so.
fn expand_home(named: &str, home: Option<&Path>) -> PathBuf {
    match (named.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(named),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(vars: &[(&str, &str)], home: Option<&str>) -> Result<Places, NoHome> {
        let env = |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let home = home.map(PathBuf::from);
        Places::resolve(
            &env,
            home.as_deref(),
            home.as_ref().map(|home| home.join(".config")),
            home.as_ref().map(|home| home.join(".local/state")),
        )
    }

    #[test]
    fn the_usual_places_lie_under_the_home_folder() {
        let places = resolve(&[], Some("/home/alice")).unwrap();
        assert_eq!(places.credentials, Path::new("/home/alice/.aws/credentials"));
        assert_eq!(places.config, Path::new("/home/alice/.aws/config"));
        assert_eq!(places.settings, Path::new("/home/alice/.config/keyrot-me/config.toml"));
        assert_eq!(places.state, Path::new("/home/alice/.local/state/keyrot-me"));
        assert!(!places.settings_named);
    }

    #[test]
    fn variables_name_other_places_and_a_tilde_is_the_home_folder() {
        let vars =
            [("AWS_SHARED_CREDENTIALS_FILE", "~/keys"), ("AWS_CONFIG_FILE", "/etc/aws"), ("KEYROT_ME_CONFIG", "/c")];
        let places = resolve(&vars, Some("/home/alice")).unwrap();
        assert_eq!(places.credentials, Path::new("/home/alice/keys"));
        assert_eq!(places.config, Path::new("/etc/aws"));
        assert_eq!(places.settings, Path::new("/c"));
        assert!(places.settings_named);
    }

    #[test]
    fn without_a_home_the_error_names_the_variable_that_helps() {
        assert_eq!(resolve(&[], None).unwrap_err().missing, "AWS_SHARED_CREDENTIALS_FILE");
    }
}
