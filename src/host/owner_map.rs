//! The file of `--owner-map`: owners' addresses as CSV.
//!
//! Reads, and changes nothing. Addresses are no secrets; what a line holds is shown where it is wrong.

use std::path::{Path, PathBuf};

use crate::keys::notice::is_address;
use crate::keys::notice::owner::{EVERY_ACCOUNT, OwnerMap};

const COLUMNS: [&str; 3] = ["account", "user", "address"];

/// A map that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the owners' map {}{}: {why}", path.display(), line.map_or_else(String::new, |line| format!(":{line}")))]
pub struct MapProblem {
    pub path: PathBuf,
    pub line: Option<u64>,
    pub why: String,
}

/// Columns account, user, address, in any order; an account of `*` is every one.
///
/// # Errors
/// [`MapProblem`] with the line.
pub fn read(path: &Path) -> Result<OwnerMap, MapProblem> {
    let problem = |line, why: String| MapProblem { path: path.to_owned(), line, why };
    let bytes = std::fs::read(path).map_err(|error| problem(None, error.to_string()))?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let header = reader.headers().map_err(|error| problem(Some(1), words(&error)))?.clone();
    let at = |column: &str| header.iter().position(|name| name.eq_ignore_ascii_case(column));
    let [Some(account), Some(user), Some(address)] = COLUMNS.map(at) else {
        return Err(problem(Some(1), "its first line must be account,user,address".to_owned()));
    };
    let mut map = OwnerMap::default();
    for row in reader.records() {
        let row = row.map_err(|error| problem(error.position().map(csv::Position::line), words(&error)))?;
        let line = row.position().map(csv::Position::line);
        let [account, user, address] = [account, user, address].map(|column| row.get(column).unwrap_or_default());
        add(&mut map, account, user, address).map_err(|why| problem(line, why))?;
    }
    Ok(map)
}

fn add(map: &mut OwnerMap, account: &str, user: &str, address: &str) -> Result<(), String> {
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if !digits && account != EVERY_ACCOUNT {
        return Err(format!("{account:?} is no account id (twelve digits, or * for every account)"));
    }
    if user.is_empty() {
        return Err("the user is missing".to_owned());
    }
    if !is_address(address) {
        return Err(format!("{address:?} is no mail address"));
    }
    if !map.add(account, user, address) {
        return Err(format!("user {user:?} of account {account} stands here a second time"));
    }
    Ok(())
}

/// Without the position, which stands before it.
fn words(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} fields, and the first line {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(text: &[u8]) -> Result<OwnerMap, MapProblem> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file.as_file(), text).unwrap();
        read(file.path())
    }

    #[test]
    fn a_map_is_read_with_its_columns_in_any_order() {
        let text = b"\xef\xbb\xbfUser, Address ,account\r\nalice,a@b.example,*\r\n\"o'neill, bob\",b@b.example,111122223333\r\n";
        let mut want = OwnerMap::default();
        want.add("*", "alice", "a@b.example");
        want.add("111122223333", "o'neill, bob", "b@b.example");
        assert_eq!(map(text).unwrap(), want);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_value() {
        let of = |text: &[u8]| {
            let problem = map(text).unwrap_err();
            (problem.line, problem.why)
        };
        let headed = |line: &str| format!("account,user,address\n*,a,a@b.example\n{line}\n").into_bytes();
        assert_eq!(of(&headed("12,bob,b@b.example")).0, Some(3));
        assert!(of(&headed("12,bob,b@b.example")).1.contains("\"12\""));
        assert!(of(&headed("*,bob,b@b.example;c@d.example")).1.contains("b@b.example;c@d.example"));
        assert!(of(&headed("*,,b@b.example")).1.contains("user is missing"));
        assert!(of(&headed("*,A,b@b.example")).1.contains("second time"));
        assert_eq!(of(&headed("*,bob")), (Some(3), "it has 2 fields, and the first line 3".to_owned()));
        assert_eq!(of(b"account,user\n"), (Some(1), "its first line must be account,user,address".to_owned()));
        assert_eq!(of(b"account,user,address\n*,\xff,a@b.example\n").1, "it is not UTF-8");
        let missing = read(Path::new("/nowhere/owners.csv")).unwrap_err();
        assert!(missing.to_string().starts_with("the owners' map /nowhere/owners.csv: "), "{missing}");
    }
}
