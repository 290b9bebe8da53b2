//! The command line of the purge's notices.

#![allow(clippy::doc_markdown, reason = "these comments are the help that people read, not Markdown")]

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::keys::notice::Channel;

#[derive(Debug, Args)]
pub struct Notices {
    /// Tell people: sns:TOPIC_ARN, ses:FROM_ADDRESS, slack:SOURCE or ticket:SOURCE; may be given several times
    ///
    /// SOURCE is a file, or the ARN of a secret in Secrets Manager, that holds the address of the webhook: whoever knows the
    /// address may post there, so it is never an argument. sns and slack get a summary of the run; ses writes to the
    /// owners of keys that are warned of, were disabled or were deleted; ticket gets a JSON object for each key that was
    /// disabled or deleted. A dry run sends summaries only.
    #[arg(long, value_name = "TARGET", help_heading = "Notices")]
    pub notify: Vec<Channel>,
    /// Above so many owners, or tickets, none of them is written to, and the team is told [default: 50]
    #[arg(long, value_name = "N", requires = "notify", help_heading = "Notices")]
    pub notify_limit: Option<u32>,
    /// Folder with templates that take the place of our own
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, requires = "notify", help_heading = "Notices")]
    pub notify_templates: Option<PathBuf>,
    /// User tag that holds the owner's mail address
    #[arg(long, value_name = "TAG", help_heading = "Notices")]
    pub owner_tag: Option<String>,
    /// The owner's address where the tag says nothing, like {user}@example.com
    #[arg(long, value_name = "TEMPLATE", help_heading = "Notices")]
    pub owner_address: Option<String>,
    /// CSV file of owners' addresses: account,user,address; it goes before the tag, and an account of * is every one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Notices")]
    pub owner_map: Option<PathBuf>,
    /// Who is written to where a key has no owner's address or mail to it bounced before
    #[arg(long, value_name = "ADDRESS", requires = "notify", help_heading = "Notices")]
    pub team_address: Option<String>,
}
