//! Lines such as `aws_access_key_id = …` of an AWS file, and `export AWS_ACCESS_KEY_ID=…` of a shell, PowerShell and
//! cmd.exe included.

use zeroize::Zeroizing;

use super::{Found, value};

enum Part {
    Id,
    Secret,
    Session,
}

/// A key per id; a secret belongs to the id before it, or to the one after it where there is none.
pub(super) fn found(text: &str) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for (at, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with('[') {
            // A section of an AWS file is a place of its own.
            found.push(Found::default());
        }
        let Some((part, text)) = assignment(line) else { continue };
        let taken = found.last().is_none_or(|open| match part {
            Part::Id => open.id.is_some(),
            Part::Secret => open.secret.is_some(),
            Part::Session => open.session,
        });
        if taken {
            found.push(Found::default());
        }
        let Some(open) = found.last_mut() else { continue };
        match part {
            Part::Id => open.id = Some(text),
            Part::Secret => open.secret = Some(text),
            Part::Session => open.session = true,
        }
        // The secret's line is the one to look at.
        if open.line.is_none() || matches!(part, Part::Secret) {
            open.line = Some(at);
        }
    }
    found
}

fn assignment(line: &str) -> Option<(Part, Zeroizing<String>)> {
    let line = without_prefix(line.trim(), &["export ", "set ", "$env:"]);
    let (name, assigned) = line.split_once('=')?;
    let part = match name.trim().to_ascii_uppercase().as_str() {
        "AWS_ACCESS_KEY_ID" => Part::Id,
        "AWS_SECRET_ACCESS_KEY" => Part::Secret,
        "AWS_SESSION_TOKEN" | "AWS_SECURITY_TOKEN" => Part::Session,
        _ => return None,
    };
    let assigned = assigned.trim().trim_end_matches(';').trim();
    let quoted = ['"', '\''].into_iter().find_map(|quote| assigned.strip_prefix(quote)?.strip_suffix(quote));
    Some((part, value(Some(quoted.unwrap_or(assigned)))?))
}

/// Whatever of the prefixes stands there, in any case.
fn without_prefix<'a>(line: &'a str, prefixes: &[&str]) -> &'a str {
    let mut rest = line;
    for prefix in prefixes {
        if rest.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)) {
            rest = rest[prefix.len()..].trim_start();
        }
    }
    rest
}
