//! The CSV file that the console gives: `Access key ID,Secret access key`, and as it was in former years `User name,
//! Password,Access key ID,Secret access key,Console login link`.
//!
//! The columns are known by their headings. The crate's own buffers are not wiped.

use csv::{ReaderBuilder, StringRecord};

use super::{Found, NotAKey, Problem};

const ID: &str = "access key id";
const SECRET: &str = "secret access key";

/// `None` where the first line has no such headings.
pub(super) fn found(text: &str) -> Option<Result<Vec<Found>, NotAKey>> {
    let heading = text.lines().find(|line| !line.trim().is_empty())?;
    if !heading.to_lowercase().contains(ID) {
        return None;
    }
    // A spreadsheet program saves it with its country's separator.
    let delimiter = [b',', b';', b'\t'].into_iter().find(|byte| heading.as_bytes().contains(byte))?;
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let mut rows = reader.records();
    let filled = |row: &StringRecord| row.iter().any(|cell| !cell.trim().is_empty());
    let Ok(headings) = rows.find(|row| row.as_ref().map_or(true, filled))? else {
        return Some(Err(Problem::Binary.into()));
    };
    let column = |name: &str| headings.iter().position(|cell| cell.trim().eq_ignore_ascii_case(name));
    let id = column(ID)?;
    let Some(secret) = column(SECRET) else { return Some(Err(Problem::Half("the column 'Secret access key'").into())) };
    let found = rows.map(|row| row.map(|row| of_row(text, &row, id, secret)).map_err(|_| Problem::Binary.into()));
    Some(found.collect())
}

fn of_row(text: &str, row: &StringRecord, id: usize, secret: usize) -> Found {
    Found::new(row.position().and_then(|start| line(text, start.byte())), row.get(id), row.get(secret))
}

/// A row's own position counts the blank lines before it in.
fn line(text: &str, start: u64) -> Option<u64> {
    let (before, row) = text.split_at_checked(usize::try_from(start).ok()?)?;
    let blank = row.len() - row.trim_start_matches(['\r', '\n']).len();
    let feeds = before.matches('\n').count() + row[..blank].matches('\n').count();
    u64::try_from(feeds + 1).ok()
}
