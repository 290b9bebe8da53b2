//! Where notices go: the targets of `--notify`, each checked, and its webhook read.
//!
//! A webhook's address is a secret: errors name the source that holds it.

use std::path::Path;

use crate::aws::post::AwsPost;
use crate::aws::webhook::Webhook;
use crate::cli::error::{Exit, Failure};
use crate::host::console::err;
use crate::host::secret_file;
use crate::keys::notice::{Channel, Source};
use crate::keys::secret::SecretKey;
use crate::ports::Cause;

/// All targets, by kind.
#[derive(Debug, Default)]
pub struct Channels {
    pub topics: Vec<String>,
    /// The address that mail is from.
    pub mail: Option<String>,
    pub chats: Vec<Hook>,
    pub tickets: Vec<Hook>,
}

/// A webhook and where it is kept.
#[derive(Debug)]
pub struct Hook {
    /// As `--notify` names it.
    pub name: String,
    source: Source,
    webhook: Option<Result<Webhook, String>>,
}

impl Hook {
    /// # Errors
    /// Why it could not be read.
    pub fn webhook(&self) -> Result<&Webhook, &str> {
        match &self.webhook {
            Some(Ok(webhook)) => Ok(webhook),
            Some(Err(why)) => Err(why),
            None => Err("it was not read"),
        }
    }

    fn of_file(&self, file: &str) -> Result<Webhook, Failure> {
        let read = secret_file::read(Path::new(file)).map_err(|why| {
            let next = "it holds the webhook's address alone, or JSON {\"url\": …, \"headers\": …}";
            Failure::new(Exit::Usage, format!("{}: the file cannot be read: {why}", self.name)).hint(next)
        })?;
        if read.others_can_read {
            err(format_args!("warning: {file} holds a webhook's address and can be read by others: chmod 600 {file}"));
        }
        self.parsed(&read.text)
    }

    fn parsed(&self, text: &SecretKey) -> Result<Webhook, Failure> {
        Webhook::parse(text).map_err(|problem| {
            let next = "put the webhook's https address there, or JSON {\"url\": …, \"headers\": …}";
            Failure::new(Exit::Usage, format!("{}: {problem}", self.name)).hint(next)
        })
    }

    /// What is wrong with the secret itself is refused; what is wrong with the wire, or with the credentials of the whole
    /// run, is not this webhook's to tell.
    async fn of_secret(&self, arn: &str, post: &AwsPost) -> Result<Result<Webhook, String>, Failure> {
        match post.secret(arn).await {
            Ok(text) => self.parsed(&text).map(Ok),
            Err(error) if matches!(error.cause, Cause::AccessDenied | Cause::NotFound | Cause::Refused) => {
                Err(Failure::new(Exit::Usage, format!("{}: {error}", self.name))
                    .hint("the purge's credentials need secretsmanager:GetSecretValue on it; nothing was done"))
            }
            Err(error) => Ok(Err(error.to_string())),
        }
    }
}

impl Channels {
    /// # Errors
    /// [`Failure`] with [`Exit::Usage`].
    pub fn read(targets: &[Channel]) -> Result<Self, Failure> {
        let mut all = Self::default();
        for (number, target) in targets.iter().enumerate() {
            if targets[..number].contains(target) {
                return Err(Failure::new(Exit::Usage, format!("--notify {target} is given twice")).hint("name it once"));
            }
            match target {
                Channel::Topic(arn) => all.topics.push(arn.clone()),
                Channel::Mail { from } => {
                    if all.mail.replace(from.clone()).is_some() {
                        return Err(Failure::new(
                            Exit::Usage,
                            "--notify ses: is given twice: each owner would get two mails",
                        )
                        .hint("name one address that mail is from"));
                    }
                }
                Channel::Chat(source) => all.chats.push(hook(target, source)?),
                Channel::Ticket(source) => all.tickets.push(hook(target, source)?),
            }
        }
        Ok(all)
    }

    /// # Errors
    /// [`Failure`] with [`Exit::Usage`].
    pub async fn read_secrets(&mut self, post: &AwsPost) -> Result<(), Failure> {
        for hook in self.chats.iter_mut().chain(&mut self.tickets) {
            if let Source::Secret(arn) = &hook.source {
                hook.webhook = Some(hook.of_secret(arn, post).await?);
            }
        }
        Ok(())
    }

    /// As [`Self::read_secrets`], once keys were touched: a secret that is refused costs its notices and nothing else.
    #[cfg(feature = "lambda")]
    pub async fn read_what_can_be(&mut self, post: &AwsPost) {
        for hook in self.chats.iter_mut().chain(&mut self.tickets) {
            if let Source::Secret(arn) = &hook.source {
                let read = hook.of_secret(arn, post).await;
                hook.webhook = Some(read.unwrap_or_else(|failure| Err(failure.message)));
            }
        }
    }
}

fn hook(target: &Channel, source: &Source) -> Result<Hook, Failure> {
    let mut hook = Hook { name: target.to_string(), source: source.clone(), webhook: None };
    if let Source::File(file) = source {
        hook.webhook = Some(Ok(hook.of_file(file)?));
    }
    Ok(hook)
}
