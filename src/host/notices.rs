//! The words of the purge's notices: templates, ours or the user's, and what they are given.
//!
//! Names, tags and messages are other people's text: control characters go before a template sees them, HTML and JSON
//! escape the rest by the file's name. Nothing is sent here, and no secret comes here.

mod check;
mod view;

use std::fmt;
use std::path::{Path, PathBuf};

use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, UndefinedBehavior};

pub use self::view::{Besides, HeldBack, LetterView, SummaryView, TicketView};

/// Each template, and the file of `--notify-templates` that takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    MailText,
    MailHtml,
    MailSubject,
    Summary,
    Slack,
    Ticket,
}

impl Name {
    const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::MailText, "mail.txt", include_str!("notices/mail.txt")),
        (Self::MailHtml, "mail.html", include_str!("notices/mail.html")),
        (Self::MailSubject, "mail_subject.txt", include_str!("notices/mail_subject.txt")),
        (Self::Summary, "summary.txt", include_str!("notices/summary.txt")),
        (Self::Slack, "slack.json", include_str!("notices/slack.json")),
        (Self::Ticket, "ticket.json", include_str!("notices/ticket.json")),
    ];

    fn file(self) -> &'static str {
        Self::ALL.iter().find(|(name, ..)| *name == self).map_or("", |(_, file, _)| file)
    }
}

/// Subjects are cut here, in characters: RFC 5322 allows lines of 998, and people read the first few words.
const SUBJECT_LIMIT: usize = 150;
/// In characters. SNS takes 262,144 bytes of at most four for a character; Slack takes 40,000 characters, and an escaped
/// one may be five.
const SUMMARY_LIMIT: usize = 7_500;

/// A template that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TemplateProblem {
    pub path: PathBuf,
    pub line: Option<usize>,
    pub why: String,
}

impl fmt::Display for TemplateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line.map_or_else(String::new, |line| format!(":{line}"));
        write!(f, "the template {}{line}: {}", self.path.display(), self.why)
    }
}

/// A mail's parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// All templates, parsed and tried.
pub struct Templates {
    environment: Box<Environment<'static>>,
    /// Where they lie, for messages.
    folder: PathBuf,
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Templates {
    /// Ours; each file of `folder` that has the name of one takes its place. Every template is rendered once with made-up
    /// keys, so that what is wrong with it shows before anything is called.
    ///
    /// # Errors
    /// [`TemplateProblem`] with file and line.
    pub fn load(folder: Option<&Path>) -> Result<Self, TemplateProblem> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_filter("slack", slack);
        let folder = folder.unwrap_or(Path::new("")).to_owned();
        let files = check::own_files(&folder)?;
        for (_, file, ours) in Name::ALL {
            let path = folder.join(file);
            let source = match files.iter().find(|(name, _)| name == file) {
                Some((_, source)) => source.clone(),
                None => ours.to_owned(),
            };
            environment.add_template_owned(file, source).map_err(|error| problem(path, &error))?;
        }
        let templates = Self { environment: Box::new(environment), folder };
        check::try_all(&templates)?;
        Ok(templates)
    }

    /// # Errors
    /// [`TemplateProblem`] where a template fails on these keys alone.
    pub fn letter(&self, view: &LetterView) -> Result<Letter, TemplateProblem> {
        let value = Value::from(Serde(view));
        Ok(Letter {
            subject: one_line(&self.render(Name::MailSubject, value.clone())?),
            text: self.render(Name::MailText, value.clone())?,
            html: self.render(Name::MailHtml, value)?,
        })
    }

    /// Bounded: every channel takes it whole.
    ///
    /// # Errors
    /// As [`Self::letter`].
    pub fn summary(&self, view: &SummaryView) -> Result<String, TemplateProblem> {
        let text = self.render(Name::Summary, Value::from(Serde(view)))?;
        let text = text.trim_end();
        Ok(match text.char_indices().nth(SUMMARY_LIMIT) {
            Some((at, _)) => format!("{}\n[cut: the report has all of it]", &text[..at]),
            None => text.to_owned(),
        })
    }

    /// What is posted to a Slack-style webhook; JSON.
    ///
    /// # Errors
    /// As [`Self::letter`], and where it is not JSON.
    pub fn slack(&self, view: &SummaryView) -> Result<String, TemplateProblem> {
        let view = SummaryView { summary: self.summary(view)?, ..view.clone() };
        self.json(Name::Slack, Value::from(Serde(view)))
    }

    /// JSON.
    ///
    /// # Errors
    /// As [`Self::slack`].
    pub fn ticket(&self, view: &TicketView) -> Result<String, TemplateProblem> {
        self.json(Name::Ticket, Value::from(Serde(view)))
    }

    fn json(&self, name: Name, value: Value) -> Result<String, TemplateProblem> {
        let text = self.render(name, value)?;
        match serde_json::from_str::<serde_json::Value>(&text) {
            Ok(_) => Ok(text),
            Err(error) => {
                let why = format!("what it makes is not JSON: {error}");
                Err(TemplateProblem { path: self.folder.join(name.file()), line: None, why })
            }
        }
    }

    fn render(&self, name: Name, value: Value) -> Result<String, TemplateProblem> {
        let rendered = self.environment.get_template(name.file()).and_then(|template| template.render(value));
        rendered.map_err(|error| problem(self.folder.join(name.file()), &error))
    }
}

fn problem(path: PathBuf, error: &Error) -> TemplateProblem {
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    TemplateProblem { path, line: error.line(), why: detail }
}

/// Slack's control characters (Slack API, 'Formatting text for app surfaces'): without this a user named `<!channel>`
/// calls everybody.
fn slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A header's value: a line break in it would begin another header.
fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SUBJECT_LIMIT).collect()
}

#[cfg(test)]
mod tests;
