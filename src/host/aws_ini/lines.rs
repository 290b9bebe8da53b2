//! Where things stand in an AWS ini file: sections, properties and the bytes of their values.
//!
//! A second reading of the text beside the SDK's, which keeps no positions; the rules are those of
//! `aws-runtime` (`env_config/parse.rs`, `normalize.rs`), and [`super::AwsIni::parse`] holds the two
//! against each other on every file. Nothing here may touch a file or copy a value.

use std::ops::Range;

use super::FileKind;
use super::error::{IniError, Problem};

/// What the SDK takes for white space around names and values: nothing else, not even NBSP.
const WHITE: &[char] = &[' ', '\t'];
const COMMENT: &[char] = &['#', ';'];

/// One header and the properties under it, up to the next header. A section written twice is two blocks.
pub(super) struct Block {
    /// 1-based.
    pub line: usize,
    /// Between the brackets, as written: the SDK merges blocks by this text first.
    pub raw_name: Range<usize>,
    pub name: Name,
    pub properties: Vec<Property>,
}

/// A block's name as the SDK splits it: `[profile work]`, `[default]`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Name {
    prefix: Option<String>,
    suffix: String,
}

pub(super) struct Property {
    /// 1-based.
    pub line: usize,
    /// In lower case, as the SDK looks it up.
    pub name: String,
    /// On the property's own line, without comment and outer white space.
    pub value: Range<usize>,
    /// Indented lines that follow, trimmed: a value of several lines, or a nested block.
    pub more: Vec<Range<usize>>,
}

impl Name {
    fn parse(raw: &str) -> Self {
        let raw = raw.trim_matches(WHITE);
        match raw.split_once(WHITE) {
            Some((prefix, suffix)) => Self { prefix: Some(prefix.trim().to_owned()), suffix: suffix.trim().to_owned() },
            None => Self { prefix: None, suffix: raw.trim().to_owned() },
        }
    }

    /// The profile that the SDK sees in such a block, if any.
    pub fn profile(&self, kind: FileKind) -> Option<&str> {
        let counts = match (kind, self.prefix.as_deref()) {
            (FileKind::Credentials, None) | (FileKind::Config, Some("profile")) => true,
            (FileKind::Config, None) => self.suffix == "default",
            (_, Some(_)) => false,
        };
        (counts && is_identifier(&self.suffix)).then_some(self.suffix.as_str())
    }

    /// Whether some AWS tool may take the block for a profile: botocore also accepts names such as
    /// `[my profile]` in the credentials file and `[profile "my profile"]` in the config file.
    pub fn may_hold_keys(&self, kind: FileKind) -> bool {
        match kind {
            FileKind::Credentials => true,
            FileKind::Config => self.prefix.as_deref() == Some("profile") || self.profile(kind).is_some(),
        }
    }

    /// `[profile default]`, which makes the SDK ignore `[default]` in a config file.
    pub fn is_prefixed_default(&self) -> bool {
        self.prefix.as_deref() == Some("profile") && self.suffix == "default"
    }

    pub fn is_plain_default(&self) -> bool {
        self.prefix.is_none() && self.suffix == "default"
    }
}

/// Names outside this set are ignored by the SDK (`normalize.rs`, `validate_identifier`).
pub(super) fn is_identifier(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "_-/.%@:+".contains(c))
}

/// Finds every block and property of `text`, or the first line that AWS tools refuse.
pub(super) fn scan(text: &str) -> Result<Vec<Block>, IniError> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut start = 0;
    for (index, whole) in text.split_inclusive('\n').enumerate() {
        let content = whole.strip_suffix('\n').map_or(whole, |line| line.strip_suffix('\r').unwrap_or(line));
        read_line(text, start..start + content.len(), index + 1, &mut blocks)?;
        start += whole.len();
    }
    Ok(blocks)
}

fn read_line(text: &str, at: Range<usize>, line: usize, blocks: &mut Vec<Block>) -> Result<(), IniError> {
    let content = &text[at.clone()];
    if content.contains('\r') {
        return Err(IniError::at(line, Problem::LoneCarriageReturn));
    }
    if content.trim_matches(WHITE).is_empty() || content.starts_with(COMMENT) {
        return Ok(());
    }
    if content.starts_with('[') {
        blocks.push(header(text, at, line)?);
        return Ok(());
    }
    let Some(block) = blocks.last_mut() else {
        return Err(IniError::at(line, Problem::BeforeAnySection));
    };
    if content.starts_with(WHITE) {
        return continue_value(text, at, line, block);
    }
    block.properties.push(property(text, at, line)?);
    Ok(())
}

fn header(text: &str, at: Range<usize>, line: usize) -> Result<Block, IniError> {
    let at = without_comment(text, at, false);
    let inner = text[at.clone()].strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let Some(inner) = inner else {
        return Err(IniError::at(line, Problem::UnclosedHeader));
    };
    let name = Name::parse(inner);
    Ok(Block { line, raw_name: at.start + 1..at.start + 1 + inner.len(), name, properties: Vec::new() })
}

fn property(text: &str, at: Range<usize>, line: usize) -> Result<Property, IniError> {
    let (name, value) = split_property(text, at).map_err(|problem| IniError::at(line, problem))?;
    Ok(Property { line, name: text[name].to_ascii_lowercase(), value, more: Vec::new() })
}

fn continue_value(text: &str, at: Range<usize>, line: usize, block: &mut Block) -> Result<(), IniError> {
    let Some(property) = block.properties.last_mut() else {
        return Err(IniError::at(line, Problem::IndentedFirstProperty));
    };
    let opens_nested_block = property.value.is_empty();
    if opens_nested_block && split_property(text, at.clone()).is_err() {
        return Err(IniError::at(line, Problem::BadNestedLine { under: property.name.clone() }));
    }
    property.more.push(trimmed(text, at));
    Ok(())
}

/// Name and value of `name = value # comment`.
fn split_property(text: &str, at: Range<usize>) -> Result<(Range<usize>, Range<usize>), Problem> {
    let at = without_comment(text, at, true);
    let equals = text[at.clone()].find('=').ok_or(Problem::NoEquals)?;
    let name = trimmed(text, at.start..at.start + equals);
    if name.is_empty() {
        return Err(Problem::NoName);
    }
    Ok((name, trimmed(text, at.start + equals + 1..at.end)))
}

/// In a property a comment sign counts behind white space only; in a header it counts anywhere.
fn without_comment(text: &str, at: Range<usize>, needs_white_before: bool) -> Range<usize> {
    let at = trimmed(text, at);
    let mut after_white = false;
    for (index, c) in text[at.clone()].char_indices() {
        if COMMENT.contains(&c) && (after_white || !needs_white_before) {
            return trimmed(text, at.start..at.start + index);
        }
        after_white = c.is_whitespace();
    }
    at
}

fn trimmed(text: &str, at: Range<usize>) -> Range<usize> {
    let kept = text[at.clone()].trim_start_matches(WHITE);
    let start = at.end - kept.len();
    start..start + kept.trim_end_matches(WHITE).len()
}
