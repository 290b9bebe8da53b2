//! What a purge tells people by message, and where it goes.
//!
//! Pure: no text is rendered and nothing is sent here.

use std::fmt;
use std::str::FromStr;

use super::facts::NotValid;

pub mod gather;
pub mod letters;
pub mod owner;
pub mod told;

/// One place that notices go to, as `--notify` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channel {
    /// `sns:ARN`: a summary of the run.
    Topic(String),
    /// `ses:ADDRESS`: mail to the owners of the keys, from this address.
    Mail { from: String },
    /// `slack:SOURCE`: a summary of the run, as a Slack-style incoming webhook takes it.
    Chat(Source),
    /// `ticket:SOURCE`: a JSON object for each key that was disabled or deleted.
    Ticket(Source),
}

/// Where a webhook's address is kept. The address itself is a secret: whoever knows it may post, so it stands neither
/// among the arguments nor in the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    File(String),
    /// The ARN of a secret in Secrets Manager.
    Secret(String),
}

impl FromStr for Channel {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        let refused = |why| NotValid { what: "target of notices", value: shown(text), why };
        let known = "it begins with sns:, ses:, slack: or ticket:";
        let (kind, rest) = text.split_once(':').ok_or_else(|| refused(known))?;
        match kind {
            "sns" if is_arn(rest, "sns") => Ok(Self::Topic(rest.to_owned())),
            "sns" => Err(refused("after sns: comes the ARN of a topic, arn:aws:sns:REGION:ACCOUNT:NAME")),
            "ses" if is_address(rest) => Ok(Self::Mail { from: rest.to_owned() }),
            "ses" => Err(refused("after ses: comes the address that the mail is from")),
            "slack" => source(rest).map(Self::Chat).map_err(refused),
            "ticket" => source(rest).map(Self::Ticket).map_err(refused),
            _ => Err(refused(known)),
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(arn) => write!(f, "sns:{arn}"),
            Self::Mail { from } => write!(f, "ses:{from}"),
            Self::Chat(source) => write!(f, "slack:{source}"),
            Self::Ticket(source) => write!(f, "ticket:{source}"),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(name) | Self::Secret(name) => f.write_str(name),
        }
    }
}

fn source(text: &str) -> Result<Source, &'static str> {
    if text.contains("://") {
        return Err("the address is a secret: put it into a file or into Secrets Manager, and name that");
    }
    if is_address_without_scheme(text) {
        return Err(
            "that is an address, which is a secret, or a file whose name wants ./ before it: put the address into \
                    a file or into Secrets Manager, and name that",
        );
    }
    if is_arn(text, "secretsmanager") {
        return Ok(Source::Secret(text.to_owned()));
    }
    if text.is_empty() || text.starts_with("arn:") {
        return Err("after it comes a file, or the ARN of a secret, that holds the webhook's address");
    }
    Ok(Source::File(text.to_owned()))
}

/// An address that was given in place of its source is not repeated.
fn shown(text: &str) -> String {
    if let Some((kind, _)) = text.split_once(':').filter(|(_, rest)| is_address_without_scheme(rest)) {
        return format!("{kind}:…");
    }
    text.split_once("://").map_or_else(|| text.to_owned(), |(before, _)| format!("{before}://…"))
}

/// `hooks.example.com/services/…`, with or without `//`; files look so too, seldom.
fn is_address_without_scheme(text: &str) -> bool {
    let host = |text: &str| text.split_once('/').is_some_and(|(host, _)| host.contains('.') && !host.starts_with('.'));
    !text.starts_with("arn:") && (text.strip_prefix("//").is_some_and(host) || host(text))
}

fn is_arn(text: &str, service: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", partition, found, region, account, name]
        if partition.starts_with("aws") && *found == service && !region.is_empty() && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty())
}

/// Not what an address may be, but what cannot be one: a letter that ends a header, two recipients.
pub fn is_address(text: &str) -> bool {
    let plain = !text.chars().any(|c| c.is_control() || c.is_whitespace() || ",;<>()".contains(c));
    let parts = text.rsplit_once('@');
    plain && text.len() <= 254 && parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_read_and_shown_again() {
        for text in [
            "sns:arn:aws:sns:eu-west-1:111122223333:keyrot-me",
            "ses:security@example.com",
            "slack:/etc/keyrot-me/slack",
            "slack:arn:aws:secretsmanager:eu-west-1:111122223333:secret:slack-a1b2c3",
            "ticket:hook.json",
        ] {
            assert_eq!(text.parse::<Channel>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_channel_is_refused_and_a_webhooks_address_is_not_repeated() {
        for text in
            ["", "slack", "slack:", "sns:topic", "ses:nobody", "ses:a@b.c,d@e.f", "fax:1", "slack:arn:aws:sns:a:1:b"]
        {
            assert!(text.parse::<Channel>().is_err(), "{text}");
        }
        let refused = "slack:https://hooks.example.com/services/T0/B0/secret".parse::<Channel>().unwrap_err();
        assert!(!refused.to_string().contains("hooks"), "{refused}");
        assert!(refused.to_string().contains("put it into a file"), "{refused}");
        for address in ["hooks.example.com/services/T0/B0/xyzzy", "//hooks.example.com/xyzzy", "a.example:443/xyzzy"] {
            let refused = format!("slack:{address}").parse::<Channel>().unwrap_err().to_string();
            assert!(!refused.contains("xyzzy") && !refused.contains("example"), "{refused}");
            assert!(refused.contains("that is an address"), "{refused}");
        }
        for file in
            ["./hooks.d/slack", "../a.b/slack", ".config/slack", "slack.json", "/etc/a.d/slack", "folder/a.json"]
        {
            assert!(format!("slack:{file}").parse::<Channel>().is_ok(), "{file}");
        }
    }
}
