//! Adding, setting and removing properties of one profile; each other byte stays as it was.
//!
//! As for [`AwsIni::replace_key`], an edited text is returned only after it was read again, by us and by the SDK. What
//! AWS tools read in different ways, in the section that is to be edited, is refused with its line.

use std::ops::Range;

use zeroize::Zeroizing;

use super::error::{IniError, Problem};
use super::lines::{self, Block, Property};
use super::{AwsIni, FileKind, ID, SECRET, TOKEN, is_writable};
use crate::keys::facts::KeyId;
use crate::keys::secret::AccessKey;

/// Bytes of the text, and what stands there instead: borrowed, so that no copy of a secret is made.
type Edit<'a> = (Range<usize>, Vec<&'a str>);
/// Section as written, property, value.
pub(super) type Said = (String, String, Zeroizing<String>);

impl AwsIni {
    /// The text with `name = value` in the profile's section: where the property stands already, else behind the
    /// section's last one, else in a new section at the end. `name` is in lower case.
    ///
    /// # Errors
    /// [`IniError`] when the section is ambiguous, the value goes on over several lines or has a comment behind it, or
    /// the result would not read as meant.
    pub fn with_property(
        &self,
        profile: &str,
        name: &'static str,
        value: &str,
    ) -> Result<Zeroizing<Vec<u8>>, IniError> {
        if !can_stand(value) {
            return Err(IniError::whole_file(Problem::ValueNotWritable { property: name }));
        }
        self.with_values(profile, &[(name, value)])
    }

    /// The text with this key in the profile's section, id and secret placed as by [`AwsIni::with_property`].
    ///
    /// # Errors
    /// As there; also where a session token stands in the section.
    pub fn with_key(&self, profile: &str, key: &AccessKey) -> Result<Zeroizing<Vec<u8>>, IniError> {
        if !is_writable(&key.secret) {
            return Err(IniError::whole_file(Problem::SecretNotWritable));
        }
        if let Some((block, token)) = self.find(profile, TOKEN) {
            return Err(IniError::at(token.line, Problem::HasToken { section: self.section(block) }));
        }
        self.with_values(profile, &[(ID, key.id.as_str()), (SECRET, key.secret.expose())])
    }

    /// The text without the lines of these properties (in lower case) of the profile; `None` where there are none.
    ///
    /// A file whose last line has no line end stays one, unless the last line is empty then.
    ///
    /// # Errors
    /// [`IniError`] when a section that has one of them is ambiguous, or a value goes on over several lines.
    pub fn without_properties(
        &self,
        profile: &str,
        names: &[&'static str],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, IniError> {
        let has_one = |block: &&Block| block.properties.iter().any(|found| names.contains(&found.name.as_str()));
        if !self.sections_of(profile).any(|block| has_one(&block)) {
            return Ok(None);
        }
        let Some(block) = self.only_section(profile)? else { return Ok(None) };
        let mut gone = Vec::new();
        for name in names.iter().filter(|name| block.properties.iter().any(|found| found.name == **name)) {
            gone.push(self.one_line(block, name)?);
        }
        gone.sort_by_key(|property| property.line);
        let mut edits: Vec<Edit> =
            gone.iter().map(|property| (self.whole_line(property.value.start), Vec::new())).collect();
        self.leave_no_line_end_behind(&mut edits);
        let kept = |property: &Property| !gone.iter().any(|one| std::ptr::eq(*one, property));
        let mut meant = Vec::new();
        for block in &self.blocks {
            meant.extend(block.properties.iter().filter(|one| kept(one)).map(|one| self.said(block, one)));
        }
        let edited = self.apply(edits);
        self.prove_edit(&meant, &edited)?;
        Ok(Some(edited))
    }

    /// Every section that some AWS tool takes for a profile and that holds this key id: the profile that the SDK sees
    /// there, if any, and the section's line, 1-based.
    pub fn sections_with(&self, id: &KeyId) -> Vec<(Option<String>, usize)> {
        let holding = self.blocks.iter().filter(|block| self.holds(block, id));
        holding.map(|block| (self.profile_of(block).map(str::to_owned), block.line)).collect()
    }

    fn with_values(&self, profile: &str, values: &[(&'static str, &str)]) -> Result<Zeroizing<Vec<u8>>, IniError> {
        let (edits, meant) = match self.only_section(profile)? {
            Some(block) => self.in_section(block, values)?,
            None => self.in_new_section(profile, values)?,
        };
        let edited = self.apply(edits);
        self.prove_edit(&meant, &edited)?;
        Ok(edited)
    }

    fn in_section<'a>(
        &'a self,
        block: &'a Block,
        values: &[(&'static str, &'a str)],
    ) -> Result<(Vec<Edit<'a>>, Vec<Said>), IniError> {
        let mut edits: Vec<Edit> = Vec::new();
        let mut new = Vec::new();
        for (name, value) in values {
            if block.properties.iter().any(|found| found.name == *name) {
                let found = self.one_line(block, name)?;
                self.refuse_comment_behind(block, found, name)?;
                edits.push((found.value.clone(), vec![*value]));
            } else {
                new.push((*name, *value));
            }
        }
        edits.sort_by_key(|(at, _)| at.start);
        edits.extend(self.added_lines(block, &new));
        let mut meant = Vec::new();
        for other in &self.blocks {
            let edited = |said: Said| match values.iter().find(|(name, _)| *name == said.1) {
                Some((_, value)) if std::ptr::eq(other, block) => (said.0, said.1, Zeroizing::new((*value).to_owned())),
                _ => said,
            };
            meant.extend(other.properties.iter().map(|property| edited(self.said(other, property))));
            if std::ptr::eq(other, block) {
                meant.extend(new.iter().map(|(name, value)| said(&self.section(block), name, value)));
            }
        }
        Ok((edits, meant))
    }

    /// New lines behind the last one of the section that says something.
    fn added_lines<'a>(&'a self, block: &Block, new: &[(&'static str, &'a str)]) -> Option<Edit<'a>> {
        let last = block.properties.last();
        let last = last.map_or(block.raw_name.end, |property| {
            property.more.last().map_or(property.value.start, |line| line.start)
        });
        let (at, end) = (self.whole_line(last).end, self.line_end());
        let open = !self.text[..at].ends_with('\n');
        let line = |(name, value): &(&'static str, &'a str)| {
            if open { [end, name, " = ", *value] } else { [*name, " = ", *value, end] }
        };
        (!new.is_empty()).then(|| (at..at, new.iter().flat_map(line).collect()))
    }

    fn in_new_section<'a>(
        &'a self,
        profile: &'a str,
        values: &[(&'static str, &'a str)],
    ) -> Result<(Vec<Edit<'a>>, Vec<Said>), IniError> {
        if profile.is_empty() || !lines::is_identifier(profile) {
            return Err(IniError::whole_file(Problem::ProfileName(profile.to_owned())));
        }
        let prefix = if self.kind == FileKind::Config && profile != "default" { "profile " } else { "" };
        let end = self.line_end();
        let mut pieces = Vec::new();
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            pieces.push(end);
        }
        let last_line = self.text.lines().next_back().unwrap_or_default();
        if !last_line.trim().is_empty() {
            pieces.push(end);
        }
        pieces.extend(["[", prefix, profile, "]", end]);
        pieces.extend(values.iter().flat_map(|(name, value)| [*name, " = ", *value, end]));
        let mut meant = Vec::new();
        for block in &self.blocks {
            meant.extend(block.properties.iter().map(|property| self.said(block, property)));
        }
        let section = format!("{prefix}{profile}");
        meant.extend(values.iter().map(|(name, value)| said(&section, name, value)));
        Ok((vec![(self.text.len()..self.text.len(), pieces)], meant))
    }

    /// The sections that some AWS tool takes for the profile's: `[default]` beside `[profile default]` too.
    fn sections_of(&self, profile: &str) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(move |block| block.name.profile(self.kind) == Some(profile))
    }

    fn only_section(&self, profile: &str) -> Result<Option<&Block>, IniError> {
        let mut found = self.sections_of(profile);
        let Some(block) = found.next() else { return Ok(None) };
        if let Some(again) = found.next() {
            let problem = Problem::DuplicateSection { section: self.section(again), first: block.line };
            return Err(IniError::at(again.line, problem));
        }
        self.refuse_duplicates(block)?;
        Ok(Some(block))
    }

    /// botocore takes such a comment for a part of the value, the SDKs do not.
    fn refuse_comment_behind(&self, block: &Block, found: &Property, name: &'static str) -> Result<(), IniError> {
        let line_end = self.whole_line(found.value.start).end;
        if self.text[found.value.end..line_end].trim().is_empty() {
            return Ok(());
        }
        Err(IniError::at(found.line, Problem::CommentBehind { section: self.section(block), property: name }))
    }

    fn section(&self, block: &Block) -> String {
        self.text[block.raw_name.clone()].to_owned()
    }

    /// The line around `at`, its line end included.
    fn whole_line(&self, at: usize) -> Range<usize> {
        let start = self.text[..at].rfind('\n').map_or(0, |before| before + 1);
        let end = self.text[at..].find('\n').map_or(self.text.len(), |behind| at + behind + 1);
        start..end
    }

    /// As the file's first line ends.
    fn line_end(&self) -> &'static str {
        let first = self.text.find('\n');
        if first.is_some_and(|at| self.text[..at].ends_with('\r')) { "\r\n" } else { "\n" }
    }

    /// Where the last lines go and had no line end, the one before them loses its own.
    fn leave_no_line_end_behind(&self, gone: &mut [Edit]) {
        let mut end = self.text.len();
        if self.text.ends_with('\n') {
            return;
        }
        for (at, _) in gone.iter_mut().rev() {
            if at.end != end {
                return;
            }
            let before = &self.text[..at.start];
            let kept = before.strip_suffix('\n').map_or(before, |line| line.strip_suffix('\r').unwrap_or(line));
            // An empty line is nothing but its line end.
            if kept.is_empty() || kept.ends_with('\n') {
                return;
            }
            end = at.start;
            at.start = kept.len();
        }
    }

    fn apply(&self, edits: Vec<Edit>) -> Zeroizing<Vec<u8>> {
        let longest = self.text.len() + edits.iter().flat_map(|(_, new)| new).map(|piece| piece.len()).sum::<usize>();
        // Reserved at once: growing would leave copies of the secrets behind.
        let mut out = Zeroizing::new(Vec::with_capacity(longest));
        let mut copied = 0;
        for (at, new) in edits {
            out.extend_from_slice(&self.text.as_bytes()[copied..at.start.max(copied)]);
            for piece in new {
                out.extend_from_slice(piece.as_bytes());
            }
            copied = at.end;
        }
        out.extend_from_slice(&self.text.as_bytes()[copied..]);
        out
    }

    fn said(&self, block: &Block, property: &Property) -> Said {
        (self.section(block), property.name.clone(), self.value(property))
    }

    /// The edited text, read again by us and by the SDK, says what was meant and nothing else.
    pub(super) fn prove_edit(&self, meant: &[Said], edited: &[u8]) -> Result<(), IniError> {
        let not_proved = || IniError::whole_file(Problem::EditNotProved);
        let after = Self::parse(self.kind, edited).map_err(|_| not_proved())?;
        let mut read = Vec::new();
        for block in &after.blocks {
            read.extend(block.properties.iter().map(|property| after.said(block, property)));
        }
        if meant == read { Ok(()) } else { Err(not_proved()) }
    }
}

fn said(section: &str, name: &str, value: &str) -> Said {
    (section.to_owned(), name.to_owned(), Zeroizing::new(value.to_owned()))
}

/// Every AWS tool reads the whole of it as the value, and as one line.
fn can_stand(value: &str) -> bool {
    let mut after_white = true;
    let begins_comment = value.chars().any(|c| {
        let begins = after_white && ['#', ';'].contains(&c);
        after_white = c.is_whitespace();
        begins
    });
    !value.is_empty() && value.trim() == value && !begins_comment && !value.chars().any(char::is_control)
}
