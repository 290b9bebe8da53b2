//! Which variables of this shell the timer gets: those that say where things are. Nothing else, and never a secret.
//!
//! It reads nothing itself.

use std::path::Path;

/// Files and folders: relative ones are made absolute, for the timer starts elsewhere.
const PATHS: [&str; 6] = [
    "KEYROT_ME_CONFIG",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
    "AWS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];
/// Taken as they are. The XDG specification has relative folders ignored.
const WORDS: [&str; 10] = [
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "XDG_DATA_HOME",
    "NO_PROXY",
    "no_proxy",
];
/// Taken unless they hold a password.
const URLS: [&str; 8] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_IAM",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_CLOUDTRAIL",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
];
/// What programs need that print MFA codes or hand out credentials.
const FOR_PROGRAMS: [&str; 3] = ["PATH", "GNUPGHOME", "PASSWORD_STORE_DIR"];

/// What the timer gets, and what it does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    /// In a fixed order.
    pub set: Vec<(String, String)>,
    /// Names of URLs with a password in them.
    pub left_out: Vec<&'static str>,
}

/// `for_programs`: other programs will be started.
#[must_use]
pub fn carried(env: &dyn Fn(&str) -> Option<String>, for_programs: bool) -> Carried {
    let mut carried = Carried::default();
    let mut put = |name: &str, value: String| carried.set.push((name.to_owned(), value));
    for name in PATHS {
        if let Some(value) = env(name) {
            put(name, absolute(value));
        }
    }
    for name in WORDS.iter().chain(FOR_PROGRAMS.iter().filter(|_| for_programs)) {
        if let Some(value) = env(name) {
            put(name, value);
        }
    }
    for name in URLS {
        match env(name) {
            Some(url) if holds_password(&url) => carried.left_out.push(name),
            Some(url) => carried.set.push((name.to_owned(), url)),
            None => {}
        }
    }
    carried
}

/// `~/` is left to those who read the variable.
fn absolute(path: String) -> String {
    if path.starts_with("~/") {
        return path;
    }
    std::path::absolute(Path::new(&path)).ok().and_then(|path| path.to_str().map(str::to_owned)).unwrap_or(path)
}

/// A name without a password counts too: some proxies take a token there.
fn holds_password(url: &str) -> bool {
    let behind = url.split_once("://").map_or(url, |(_, rest)| rest);
    behind.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(vars: &[(&str, &str)], for_programs: bool) -> Carried {
        let env = |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        carried(&env, for_programs)
    }

    #[test]
    fn places_are_carried_and_secrets_are_not() {
        let all = of(
            &[
                ("AWS_SECRET_ACCESS_KEY", "x"),
                ("AWS_SESSION_TOKEN", "x"),
                ("AWS_ACCESS_KEY_ID", "x"),
                ("AWS_PROFILE", "work"),
                ("PATH", "/bin"),
                ("AWS_REGION", "eu-central-1"),
                ("AWS_CONFIG_FILE", "~/aws"),
                ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ],
            false,
        );
        let names: Vec<&str> = all.set.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["AWS_CONFIG_FILE", "AWS_REGION", "AWS_ENDPOINT_URL"]);
        assert_eq!(all.set[0].1, "~/aws");
        assert_eq!(of(&[("PATH", "/bin")], true).set.len(), 1);
    }

    #[test]
    fn a_relative_file_is_named_by_its_absolute_path() {
        let found = of(&[("KEYROT_ME_CONFIG", "here.toml")], false);
        assert!(Path::new(&found.set[0].1).is_absolute(), "{found:?}");
        assert!(found.set[0].1.ends_with("here.toml"));
    }

    #[test]
    fn a_url_with_a_password_is_left_out_and_named() {
        for url in ["http://me:secret@proxy:3128", "me:secret@proxy:3128", "http://token@proxy", "http://u:p/w@proxy/"]
        {
            let found = of(&[("HTTPS_PROXY", url)], false);
            assert_eq!((found.set.len(), found.left_out.as_slice()), (0, &["HTTPS_PROXY"][..]), "{url}");
        }
        assert_eq!(of(&[("https_proxy", "http://proxy:3128")], false).set.len(), 1);
    }
}
