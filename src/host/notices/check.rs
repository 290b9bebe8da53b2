//! Templates of the user's own, proved before anything is called.
//!
//! Reads the folder of `--notify-templates`, and changes nothing.

use std::path::Path;

use super::view::{LetterView, SummaryView, TicketView};
use super::{Name, TemplateProblem, Templates};

/// In bytes; more is something else.
const MOST: u64 = 1024 * 1024;

/// Name and text of each file that takes a template's place.
pub fn own_files(folder: &Path) -> Result<Vec<(String, String)>, TemplateProblem> {
    if folder.as_os_str().is_empty() {
        return Ok(Vec::new());
    }
    let failed = |path: &Path, why: String| TemplateProblem { path: path.to_owned(), line: None, why };
    let entries = std::fs::read_dir(folder).map_err(|error| failed(folder, error.to_string()))?;
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| failed(folder, error.to_string()))?.file_name();
        let path = folder.join(&name);
        let Some((_, file, _)) = Name::ALL.iter().find(|(_, file, _)| name.to_str() == Some(*file)) else {
            // An editor's copies and a README may lie beside them; a misspelt template must not go unseen.
            let template =
                path.extension().is_some_and(|end| ["txt", "html", "json"].iter().any(|known| end == *known));
            let known = Name::ALL.map(|(_, file, _)| file).join(", ");
            if template {
                return Err(failed(&path, format!("there is no such template; there are {known}")));
            }
            continue;
        };
        let read = match std::fs::metadata(&path) {
            Ok(meta) if !meta.is_file() => Err("it is not a regular file".to_owned()),
            Ok(meta) if meta.len() > MOST => Err("it is too long".to_owned()),
            _ => std::fs::read_to_string(&path).map_err(|error| error.to_string()),
        };
        found.push(((*file).to_owned(), read.map_err(|why| failed(&path, why))?));
    }
    Ok(found)
}

/// Renders each with made-up keys of every kind.
pub fn try_all(templates: &Templates) -> Result<(), TemplateProblem> {
    for letter in LetterView::examples() {
        templates.letter(&letter)?;
    }
    for summary in SummaryView::examples() {
        templates.slack(&summary)?;
    }
    for ticket in TicketView::examples() {
        templates.ticket(&ticket)?;
    }
    Ok(())
}
