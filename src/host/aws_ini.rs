//! A lossless view of an AWS credentials or config file, and the edit that keeps every other byte.
//!
//! What the file says is what the AWS SDK reads in it: [`AwsIni::parse`] fails where the SDK's parser
//! and ours differ, and an edited text is returned only after it was read again. Nothing here may touch
//! the file system, and no value of the file may reach a message or a log.
//!
//! botocore (the AWS CLI) differs from the SDK in three ways that matter here. It refuses a file in which
//! any section or property stands twice; we refuse that only in a profile that is to be edited, and leave
//! it alone elsewhere. It takes ` # note` behind a value for a part of the value. It skips indented comments,
//! which the SDK appends to the value above.

mod edit;
mod error;
mod lines;
mod sdk;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;

use zeroize::Zeroizing;

pub use self::error::{IniError, Problem};
use self::lines::{Block, Property};
use crate::keys::facts::KeyId;
use crate::keys::secret::{AccessKey, SecretKey};

/// Larger files are refused, in bytes: real ones have a few KiB.
pub const MAX_BYTES: usize = 1 << 20;

const ID: &str = "aws_access_key_id";
const SECRET: &str = "aws_secret_access_key";
const TOKEN: &str = "aws_session_token";

/// Whether the AWS SDK takes a section of this name for a profile.
#[must_use]
pub fn is_profile_name(name: &str) -> bool {
    !name.is_empty() && lines::is_identifier(name)
}

/// Which of the two AWS files: they name their sections differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `~/.aws/credentials`: `[work]`.
    Credentials,
    /// `~/.aws/config`: `[profile work]`, but `[default]`.
    Config,
}

/// The text of one file, and where its sections and values stand.
pub struct AwsIni {
    kind: FileKind,
    text: Zeroizing<String>,
    blocks: Vec<Block>,
}

/// A profile with both halves of an access key, as the SDK reads it. Lines are 1-based.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldKey {
    pub profile: String,
    /// The key, or why it cannot be a long-term key.
    pub key: Result<AccessKey, &'static str>,
    /// The profile also has an `aws_session_token`: a temporary key, or a leftover that spoils a long-term one.
    pub has_session_token: bool,
    pub header_line: usize,
    pub id_line: usize,
    pub secret_line: usize,
}

impl AwsIni {
    /// Reads `bytes` as the SDK does.
    ///
    /// # Errors
    /// [`IniError`] with the line and the fix for whatever the SDK or botocore cannot read, except
    /// duplicates (see above) and botocore's stricter nested blocks.
    pub fn parse(kind: FileKind, bytes: &[u8]) -> Result<Self, IniError> {
        let text = readable_text(bytes)?;
        let blocks = lines::scan(text)?;
        let file = Self { kind, text: Zeroizing::new(text.to_owned()), blocks };
        sdk::agrees_with(&file)?;
        Ok(file)
    }

    /// The profiles that the SDK sees, in the file's order.
    pub fn profiles(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for block in &self.blocks {
            if let Some(name) = self.profile_of(block)
                && !names.contains(&name)
            {
                names.push(name);
            }
        }
        names
    }

    /// A property of a profile, such as `mfa_serial` or `source_profile`, as the SDK reads it.
    /// Never a secret: those come out of [`AwsIni::keys`], in their own type.
    pub fn get(&self, profile: &str, property: &str) -> Option<String> {
        let property = property.to_ascii_lowercase();
        if [SECRET, TOKEN].contains(&property.as_str()) {
            return None;
        }
        let (_, found) = self.find(profile, &property)?;
        Some(self.value(found).to_string())
    }

    /// Every profile that holds an access key, in the file's order.
    pub fn keys(&self) -> Vec<HeldKey> {
        self.profiles().into_iter().filter_map(|profile| self.held_by(profile)).collect()
    }

    /// The text with the new key in every section that holds the old id, and each other byte as it was.
    ///
    /// Sections that the SDK ignores but other tools read (a `[default]` beside `[profile default]`,
    /// names with spaces) are edited too: the old key is about to be switched off for them as well.
    ///
    /// # Errors
    /// [`IniError`] when no section holds the id, a section that does is ambiguous, or the result would not
    /// read as meant. Nothing is returned then.
    pub fn replace_key(&self, old: &KeyId, new: &AccessKey) -> Result<Zeroizing<Vec<u8>>, IniError> {
        if !is_writable(&new.secret) {
            return Err(IniError::whole_file(Problem::SecretNotWritable));
        }
        let mut edits = Vec::new();
        for block in self.blocks.iter().filter(|block| self.holds(block, old)) {
            let (id, secret) = self.only_pair(block)?;
            edits.push((id, new.id.as_str()));
            edits.push((secret, new.secret.expose()));
        }
        if edits.is_empty() {
            return Err(IniError::whole_file(Problem::NotHeld(old.clone())));
        }
        edits.sort_by_key(|(property, _)| property.value.start);
        let edited = self.splice(&edits);
        self.prove(&edits, &edited)?;
        Ok(edited)
    }

    fn held_by(&self, profile: &str) -> Option<HeldKey> {
        let (block, id) = self.find(profile, ID)?;
        let (_, secret) = self.find(profile, SECRET)?;
        Some(HeldKey {
            profile: profile.to_owned(),
            key: self.access_key(profile, id, secret),
            has_session_token: self.find(profile, TOKEN).is_some(),
            header_line: block.line,
            id_line: id.line,
            secret_line: secret.line,
        })
    }

    fn access_key(&self, profile: &str, id: &Property, secret: &Property) -> Result<AccessKey, &'static str> {
        if self.is_spelled_twice(profile) {
            return Err("the profile has two headers that differ in their spaces only");
        }
        if !id.more.is_empty() || !secret.more.is_empty() {
            return Err("the id or the secret goes on over more than one line");
        }
        if secret.value.is_empty() {
            return Err("the secret is empty");
        }
        // Not the error's own words: they quote the value, and id and secret may have changed places.
        let id = KeyId::new(self.line_value(id)).map_err(|_| "the id is not that of a long-term access key")?;
        Ok(AccessKey { id, secret: SecretKey::new(self.line_value(secret).to_owned()) })
    }

    /// The profile that the SDK takes from this block.
    fn profile_of<'a>(&self, block: &'a Block) -> Option<&'a str> {
        let shadowed = block.name.is_plain_default()
            && self.kind == FileKind::Config
            && self.blocks.iter().any(|other| other.name.is_prefixed_default());
        if shadowed { None } else { block.name.profile(self.kind) }
    }

    /// The property that counts: the last one.
    fn find(&self, profile: &str, property: &str) -> Option<(&Block, &Property)> {
        let of_profile = self.blocks.iter().rev().filter(|block| self.profile_of(block) == Some(profile));
        let mut all = of_profile.flat_map(|block| block.properties.iter().rev().map(move |found| (block, found)));
        all.find(|(_, found)| found.name == property)
    }

    /// `[a]` beside `[ a ]`: the SDK merges them in random order.
    fn is_spelled_twice(&self, profile: &str) -> bool {
        let mut spellings = self
            .blocks
            .iter()
            .filter(|block| self.profile_of(block) == Some(profile))
            .map(|block| &self.text[block.raw_name.clone()]);
        let first = spellings.next();
        spellings.any(|other| Some(other) != first)
    }

    fn holds(&self, block: &Block, id: &KeyId) -> bool {
        block.name.may_hold_keys(self.kind)
            && block.properties.iter().any(|found| found.name == ID && self.line_value(found) == id.as_str())
    }

    /// Id and secret of a block in which nothing stands twice.
    fn only_pair<'a>(&self, block: &'a Block) -> Result<(&'a Property, &'a Property), IniError> {
        self.refuse_duplicates(block)?;
        Ok((self.one_line(block, ID)?, self.one_line(block, SECRET)?))
    }

    fn one_line<'a>(&self, block: &'a Block, name: &'static str) -> Result<&'a Property, IniError> {
        let section = || self.text[block.raw_name.clone()].to_owned();
        let Some(found) = block.properties.iter().find(|found| found.name == name) else {
            return Err(IniError::at(block.line, Problem::NoSecret { section: section() }));
        };
        if found.more.is_empty() {
            return Ok(found);
        }
        Err(IniError::at(found.line, Problem::SeveralLines { section: section(), property: name }))
    }

    fn refuse_duplicates(&self, block: &Block) -> Result<(), IniError> {
        let section = || self.text[block.raw_name.clone()].to_owned();
        let mut same_name = self.blocks.iter().filter(|other| other.name == block.name);
        if let (Some(first), Some(again)) = (same_name.next(), same_name.next()) {
            let problem = Problem::DuplicateSection { section: section(), first: first.line };
            return Err(IniError::at(again.line, problem));
        }
        let mut first_lines = HashMap::new();
        for found in &block.properties {
            if let Some(first) = first_lines.insert(&found.name, found.line) {
                let property = found.name.clone();
                let problem = Problem::DuplicateProperty { section: section(), property, first };
                return Err(IniError::at(found.line, problem));
            }
        }
        Ok(())
    }

    fn splice(&self, edits: &[(&Property, &str)]) -> Zeroizing<Vec<u8>> {
        let longest = self.text.len() + edits.iter().map(|(_, new)| new.len()).sum::<usize>();
        // Reserved at once: growing would leave copies of the secrets behind.
        let mut out = Zeroizing::new(Vec::with_capacity(longest));
        let mut copied = 0;
        for (property, new) in edits {
            out.extend_from_slice(&self.text.as_bytes()[copied..property.value.start]);
            out.extend_from_slice(new.as_bytes());
            copied = property.value.end;
        }
        out.extend_from_slice(&self.text.as_bytes()[copied..]);
        out
    }

    /// The edited text, read again by us and by the SDK, says what was meant and nothing else.
    fn prove(&self, edits: &[(&Property, &str)], edited: &[u8]) -> Result<(), IniError> {
        let not_proved = || IniError::whole_file(Problem::EditNotProved);
        let after = Self::parse(self.kind, edited).map_err(|_| not_proved())?;
        let meant = self.reading(|property| {
            let edit = edits.iter().find(|(edited, _)| std::ptr::eq(*edited, property));
            edit.map_or_else(|| self.value(property), |(_, new)| Zeroizing::new((*new).to_owned()))
        });
        let read = after.reading(|property| after.value(property));
        if meant == read { Ok(()) } else { Err(not_proved()) }
    }

    /// All that the file says, in order: line, section, property, value.
    fn reading(&self, value: impl Fn(&Property) -> Zeroizing<String>) -> Vec<(usize, &str, &str, Zeroizing<String>)> {
        let mut all = Vec::new();
        for block in &self.blocks {
            let section = &self.text[block.raw_name.clone()];
            all.extend(block.properties.iter().map(|p| (p.line, section, p.name.as_str(), value(p))));
        }
        all
    }

    fn line_value(&self, property: &Property) -> &str {
        &self.text[property.value.clone()]
    }

    fn value(&self, property: &Property) -> Zeroizing<String> {
        let mut value = Zeroizing::new(self.line_value(property).to_owned());
        for line in &property.more {
            value.push('\n');
            value.push_str(&self.text[line.clone()]);
        }
        value
    }
}

impl fmt::Debug for AwsIni {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsIni").field("kind", &self.kind).field("profiles", &self.profiles()).finish_non_exhaustive()
    }
}

fn is_writable(secret: &SecretKey) -> bool {
    let secret = secret.expose();
    !secret.is_empty() && !secret.starts_with(['#', ';']) && secret.bytes().all(|b| b.is_ascii_graphic())
}

fn readable_text(bytes: &[u8]) -> Result<&str, IniError> {
    let line_of = |at: usize| bytes[..at].split(|b| *b == b'\n').count();
    if bytes.len() > MAX_BYTES {
        return Err(IniError::whole_file(Problem::TooLarge));
    }
    if [&b"\xEF\xBB\xBF"[..], b"\xFF\xFE", b"\xFE\xFF"].iter().any(|mark| bytes.starts_with(mark)) {
        return Err(IniError::at(1, Problem::ByteOrderMark));
    }
    if let Some(at) = bytes.iter().position(|b| *b == 0) {
        return Err(IniError::at(line_of(at), Problem::Nul));
    }
    std::str::from_utf8(bytes).map_err(|error| IniError::at(line_of(error.valid_up_to()), Problem::NotUtf8))
}
