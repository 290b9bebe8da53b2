//! Console blocks of our pages: what is typed in them, and what is printed.

/// One line of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    Text(&'a str),
    /// What stands behind `$ ` in a console block, and why it is not run, where the page's source says so before it.
    Typed(&'a str, Option<&'a str>),
    /// What the command before printed, up to an empty line.
    Printed,
}

/// Before a block: `<!-- not run: why -->`.
const NOT_RUN: &str = "<!-- not run: ";

pub fn lines(text: &str) -> Vec<Line<'_>> {
    let (mut in_console, mut printed, mut not_run) = (false, false, None);
    let mut all = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            not_run = not_run.filter(|_| !in_console);
            in_console = line == "```console";
            printed = false;
        }
        if let Some(why) = line.strip_prefix(NOT_RUN) {
            not_run = Some(why.trim_end_matches(" -->"));
        }
        if let Some(typed) = line.strip_prefix("$ ").filter(|_| in_console) {
            all.push(Line::Typed(typed, not_run));
            printed = true;
        } else if printed && !line.is_empty() {
            all.push(Line::Printed);
        } else {
            all.push(Line::Text(line));
            printed = false;
        }
    }
    all
}

#[test]
fn a_page_is_told_apart() {
    let page = "a\n```console\n$ one\nout\n\nmore\n```\n<!-- not run: no stack -->\n```console\n$ two\n$ three\n```\n```console\n$ four\n```\n$ five";
    let typed: Vec<(&str, Option<&str>)> = lines(page)
        .into_iter()
        .filter_map(|line| match line {
            Line::Typed(typed, why) => Some((typed, why)),
            Line::Text(_) | Line::Printed => None,
        })
        .collect();
    assert_eq!(typed, [("one", None), ("two", Some("no stack")), ("three", Some("no stack")), ("four", None)]);
    assert_eq!(lines(page).iter().filter(|line| matches!(line, Line::Printed)).count(), 1);
}
