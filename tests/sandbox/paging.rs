//! Pages of a list: IAM's `MaxItems`/`Marker` and the JSON services' `MaxResults`/`NextToken`, with short and empty
//! pages where a test asks for them. A token is good only for the list it came from.

use std::ops::Range;

use super::settings::Settings;
use super::wire::{Failure, Request, text};

pub struct Page {
    pub items: Range<usize>,
    pub next: Option<String>,
}

impl Page {
    /// None: the token is not one of this list's.
    pub fn cut(list: &str, total: usize, size: usize, token: Option<&str>, settings: &Settings) -> Option<Page> {
        let (start, emptied) = match token {
            None => (0, false),
            Some(token) => open(list, token)?,
        };
        if settings.empty_pages && !emptied && total > 0 {
            return Some(Page { items: 0..0, next: Some(seal(list, start, true)) });
        }
        let size = settings.page_limit.map_or(size, |limit| limit.min(size)).max(1);
        let end = total.min(start.saturating_add(size));
        let next = (end < total).then(|| seal(list, end, false));
        Some(Page { items: start.min(end)..end, next })
    }

    /// IAM's: 100 items unless asked otherwise, at most 1000.
    pub fn of_iam(request: &Request, total: usize, settings: &Settings) -> Result<Page, Failure> {
        let size = match request.param("MaxItems") {
            None => 100,
            Some(asked) => asked.parse().ok().filter(|size| (1..=1000).contains(size)).ok_or_else(|| {
                let bound = if asked.starts_with(['-', '0']) {
                    "greater than or equal to 1"
                } else {
                    "less than or equal to 1000"
                };
                let what = "failed to satisfy constraint: Member must have value";
                Failure::validation(&format!("Value '{asked}' at 'maxItems' {what} {bound}"))
            })?,
        };
        let page = Page::cut(&request.action, total, size, request.param("Marker"), settings);
        page.ok_or_else(|| {
            Failure::new(400, "ValidationError", "Invalid Marker: the marker is not valid for this list")
        })
    }

    /// `<IsTruncated>` and `<Marker>`.
    pub fn tail(&self) -> String {
        let marker = self.next.as_ref().map(|next| text("Marker", next)).unwrap_or_default();
        text("IsTruncated", if self.next.is_some() { "true" } else { "false" }) + &marker
    }
}

fn seal(list: &str, start: usize, emptied: bool) -> String {
    let plain = format!("{list}|{start}|{}", u8::from(emptied));
    let rotated = plain.bytes().map(|byte| char::from(if byte == b'|' { b'.' } else { byte ^ 1 }));
    format!("AAE{}", rotated.collect::<String>())
}

fn open(list: &str, token: &str) -> Option<(usize, bool)> {
    let sealed = token.strip_prefix("AAE")?;
    let plain: String = sealed.bytes().map(|byte| char::from(if byte == b'.' { b'|' } else { byte ^ 1 })).collect();
    let parts: Vec<&str> = plain.split('|').collect();
    let [name, start, emptied] = parts[..] else { return None };
    (name == list).then_some((start.parse().ok()?, emptied == "1"))
}
