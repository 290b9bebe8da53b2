//! Sends what the purge tells people: SNS, SES and webhooks, and reads the webhooks that Secrets Manager keeps.
//!
//! What is said, to whom, and what comes of a failure is decided elsewhere. No secret is in an error.

use std::fmt;

use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use aws_types::SdkConfig;

use super::endpoint::Service;
use super::error::{call_error, incomplete, refusal};
use super::session::{Shared, Source, quiet};
use super::webhook::{Undelivered, Webhook};
use crate::keys::secret::SecretKey;
use crate::ports::{CallError, Cause};

const PUBLISH: &str = "sns:Publish";
const SEND: &str = "ses:SendEmail";
const SUPPRESSED: &str = "ses:GetSuppressedDestination";
const SECRET: &str = "secretsmanager:GetSecretValue";

/// One mail. Subject and bodies may hold any letter.
#[derive(Debug, Clone, Copy)]
pub struct Mail<'a> {
    pub from: &'a str,
    pub to: &'a str,
    pub reply_to: Option<&'a str>,
    pub subject: &'a str,
    pub text: &'a str,
    pub html: Option<&'a str>,
}

/// AWS's ways to tell somebody something, as one set of credentials may use them.
pub struct AwsPost {
    shared: Shared,
    source: Source,
}

impl fmt::Debug for AwsPost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsPost").field("destination", &self.shared.destination).finish_non_exhaustive()
    }
}

impl AwsPost {
    pub(super) fn new(shared: Shared, source: Source) -> Self {
        Self { shared, source }
    }

    /// `sns:Publish`, repeated where its answer is lost or it is throttled.
    ///
    /// # Errors
    /// [`CallError`] of the last attempt.
    pub async fn publish(&self, topic: &str, subject: &str, text: &str) -> Result<(), CallError> {
        let client = aws_sdk_sns::Client::new(&self.config(Service::Sns, region_of(topic)));
        let call = client.publish().topic_arn(topic).subject(subject).message(text);
        quiet(Box::pin(call.send())).await.map(|_| ()).map_err(|e| call_error(PUBLISH, &e))
    }

    /// `ses:SendEmail` in the run's region, repeated like [`Self::publish`].
    ///
    /// # Errors
    /// [`CallError`] of the last attempt.
    pub async fn mail(&self, mail: Mail<'_>) -> Result<(), CallError> {
        let content = |text: &str| {
            let built = Content::builder().data(text).charset("UTF-8").build();
            built.map_err(|error| refusal(SEND, error.to_string()))
        };
        let mut body = Body::builder().text(content(mail.text)?);
        if let Some(html) = mail.html {
            body = body.html(content(html)?);
        }
        let message = Message::builder().subject(content(mail.subject)?).body(body.build()).build();
        let call = self.ses().send_email().from_email_address(mail.from);
        let call = call.destination(Destination::builder().to_addresses(mail.to).build());
        let call = call.set_reply_to_addresses(mail.reply_to.map(|address| vec![address.to_owned()]));
        let call = call.content(EmailContent::builder().simple(message).build());
        quiet(Box::pin(call.send())).await.map(|_| ()).map_err(|e| call_error(SEND, &e))
    }

    /// `ses:GetSuppressedDestination`: why the account writes to this address no more (`BOUNCE`, `COMPLAINT`); `None`
    /// where it does.
    ///
    /// # Errors
    /// [`CallError`] of the last attempt.
    pub async fn suppressed(&self, address: &str) -> Result<Option<String>, CallError> {
        let call = self.ses().get_suppressed_destination().email_address(address);
        match quiet(Box::pin(call.send())).await.map_err(|e| call_error(SUPPRESSED, &e)) {
            Ok(answer) => match answer.suppressed_destination {
                Some(found) => Ok(Some(found.reason.as_str().to_owned())),
                None => Err(incomplete(SUPPRESSED, "names no destination")),
            },
            Err(error) if error.cause == Cause::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `secretsmanager:GetSecretValue`, in the region that the ARN names.
    ///
    /// # Errors
    /// [`CallError`] of the last attempt.
    pub async fn secret(&self, arn: &str) -> Result<SecretKey, CallError> {
        let client = aws_sdk_secretsmanager::Client::new(&self.config(Service::SecretsManager, region_of(arn)));
        let answer = quiet(Box::pin(client.get_secret_value().secret_id(arn).send())).await;
        let answer = answer.map_err(|e| call_error(SECRET, &e))?;
        let text = answer.secret_string.ok_or_else(|| refusal(SECRET, "it holds no text".to_owned()))?;
        Ok(SecretKey::new(text))
    }

    /// One attempt to post JSON to a webhook. With a `key` the receiver can tell a repetition.
    ///
    /// # Errors
    /// [`Undelivered`], which says whether it may be tried again.
    pub async fn deliver(&self, hook: &Webhook, json: &str, key: Option<&str>) -> Result<(), Undelivered> {
        hook.post(&self.shared.connector, self.shared.limits.attempt, json, key).await
    }

    fn ses(&self) -> aws_sdk_sesv2::Client {
        aws_sdk_sesv2::Client::new(&self.config(Service::SesV2, None))
    }

    fn config(&self, service: Service, region: Option<&str>) -> SdkConfig {
        self.shared.config_in(service, &self.source, region)
    }
}

fn region_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(3).filter(|region| !region.is_empty())
}
