//! The commands that mend things, as this user's shell reads them. Text only.

use std::fmt::Display;
use std::path::Path;

use crate::cli::args::option;
use crate::keys::doctor::Commands;

/// One word of a command line.
pub fn word(text: impl Display) -> String {
    shell_words::quote(&text.to_string()).into_owned()
}

/// `path` in the user's editor, at a line.
pub fn edit(path: &Path, line: Option<usize>) -> String {
    let path = word(path.display());
    if cfg!(windows) {
        return format!("notepad {path}");
    }
    let line = line.map(|line| format!(" +{line}")).unwrap_or_default();
    format!("${{EDITOR:-vi}}{line} {path}")
}

/// A command about a profile, as it has to be named.
pub fn about(command: &str, profile: &str, is_default: bool) -> String {
    if is_default {
        return command.to_owned();
    }
    format!("{command} {}", shell_words::join(option("--profile", profile)))
}

/// Those that findings about keys name.
pub fn for_keys(profile: &str, is_default: bool) -> Commands {
    Commands {
        rotate: about("keyrot-me rotate", profile, is_default),
        finish: about("keyrot-me finish", profile, is_default),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_where_a_shell_would_read_them_otherwise() {
        assert_eq!(about("keyrot-me rotate", "default", true), "keyrot-me rotate");
        assert_eq!(about("keyrot-me rotate", "my work", false), "keyrot-me rotate --profile 'my work'");
        assert_eq!(about("keyrot-me rotate", "-x", false), "keyrot-me rotate '--profile=-x'");
        if !cfg!(windows) {
            assert_eq!(edit(Path::new("/a b/c.toml"), Some(3)), "${EDITOR:-vi} +3 '/a b/c.toml'");
        }
    }
}
