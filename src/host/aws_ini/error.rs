//! What can be wrong with an AWS credentials or config file, and what to do about it.
//!
//! Nothing here may carry a value out of the file: section and property names and line numbers only.

use crate::keys::facts::KeyId;

/// A file that cannot be read, or an edit that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", self.place())]
pub struct IniError {
    /// 1-based; `None` where the whole file is meant.
    pub line: Option<usize>,
    pub problem: Problem,
}

impl IniError {
    pub(super) fn at(line: usize, problem: Problem) -> Self {
        Self { line: Some(line), problem }
    }

    pub(super) fn whole_file(problem: Problem) -> Self {
        Self { line: None, problem }
    }

    fn place(&self) -> String {
        self.line.map(|line| format!("line {line}: ")).unwrap_or_default()
    }

    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        self.problem.hint()
    }
}

/// The wrong itself. Lines are 1-based.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    #[error("the file is larger than 1 MiB")]
    TooLarge,
    #[error("the file starts with a byte order mark, which AWS tools refuse")]
    ByteOrderMark,
    #[error("the text is not UTF-8")]
    NotUtf8,
    #[error("there is a NUL byte in the text")]
    Nul,
    #[error("a carriage return stands without its line feed")]
    LoneCarriageReturn,
    #[error("the section header does not end with ']'")]
    UnclosedHeader,
    #[error("a property stands before any section header")]
    BeforeAnySection,
    #[error("the first property of a section is indented")]
    IndentedFirstProperty,
    #[error("there is no '=' on the line")]
    NoEquals,
    #[error("there is no name before the '='")]
    NoName,
    #[error("a line of the nested block under '{under}' is not 'name = value'")]
    BadNestedLine { under: String },
    #[error("section [{section}] stands here again; it began on line {first}")]
    DuplicateSection { section: String, first: usize },
    #[error("'{property}' stands twice in section [{section}]; the first is on line {first}")]
    DuplicateProperty { section: String, property: String, first: usize },
    #[error("the value of '{property}' in section [{section}] goes on over more than one line")]
    SeveralLines { section: String, property: &'static str },
    #[error("section [{section}] has an aws_access_key_id but no aws_secret_access_key")]
    NoSecret { section: String },
    #[error("no profile in the file holds the access key {0}")]
    NotHeld(KeyId),
    #[error("a comment stands behind the value of '{property}' in section [{section}]")]
    CommentBehind { section: String, property: &'static str },
    #[error("section [{section}] has an aws_session_token, which would spoil a long-term key")]
    HasToken { section: String },
    #[error("'{0}' cannot be the name of a profile that every AWS tool reads")]
    ProfileName(String),
    #[error("the new value of '{property}' has characters that the file cannot carry")]
    ValueNotWritable { property: &'static str },
    #[error("the new secret has characters that the file cannot carry")]
    SecretNotWritable,
    #[error("the AWS SDK cannot read the file: {0}")]
    SdkRefuses(String),
    #[error("the AWS SDK reads profile '{profile}' in another way than keyrot-me does")]
    SdkDisagrees { profile: String },
    #[error("the edited text would not read as it was meant to")]
    EditNotProved,
}

impl Problem {
    fn hint(&self) -> &'static str {
        match self {
            Self::TooLarge => "is this really an AWS credentials or config file? check the path",
            Self::ByteOrderMark => "save the file as UTF-8 without a byte order mark",
            Self::NotUtf8 => "save the file as UTF-8",
            Self::Nul => "restore the file from a copy, or delete the NUL bytes",
            Self::LoneCarriageReturn => "save the file with LF or CRLF line ends",
            Self::UnclosedHeader => "close the header: [name], with nothing but a comment behind it",
            Self::BeforeAnySection => "put a header such as [default] above it",
            Self::IndentedFirstProperty => "remove the spaces at the start of the line",
            Self::NoEquals => "write it as 'name = value' (not 'name: value'), or make it a comment with '#'",
            Self::NoName => "write it as 'name = value', or delete the line",
            Self::BadNestedLine { .. } => "write each indented line as 'name = value'; comments cannot stand there",
            Self::DuplicateSection { .. } => "merge the two sections into one: AWS tools disagree on which one counts",
            Self::DuplicateProperty { .. } => "delete one of the two lines: AWS tools disagree on which one counts",
            Self::SeveralLines { .. } => "put the value on one line, and let no indented line follow it",
            Self::NoSecret { .. } => "add the secret to the section, or delete the aws_access_key_id line",
            Self::NotHeld(_) => "look with 'keyrot-me status' which profiles hold which key",
            Self::CommentBehind { .. } => {
                "put the comment on a line of its own: the AWS CLI takes it for a part of the value"
            }
            Self::HasToken { .. } => "delete that line: it is left over from a temporary key",
            Self::ProfileName(_) => "use letters, digits and _-/.%@:+ only",
            Self::ValueNotWritable { .. } => "it has to be one line without comment signs behind spaces",
            Self::SecretNotWritable => {
                "a secret access key has visible ASCII characters only, and no '#' or ';' in front"
            }
            Self::SdkRefuses(_) => "repair the line that the message names",
            Self::SdkDisagrees { .. } => "give that profile one header and plain 'name = value' lines",
            Self::EditNotProved => "nothing was written; please report this with the file's shape, never its secrets",
        }
    }
}
