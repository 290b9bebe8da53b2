//! SES, as far as a notifier needs it: `SendEmail` and `GetSuppressedDestination` of its second API, and what was sent.

use form_urlencoded::parse;
use serde_json::{Value, json};

use super::iam::{Context, Done};
use super::ids;
use super::signer::{Wish, authorize};
use super::wire::{Body, Failure, Http, Request, Service};

const SUPPRESSED: &str = "/v2/email/suppression/addresses/";

#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub to: String,
    pub reply_to: Vec<String>,
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
    /// False: SES took it, and left it lying, for the address bounced before.
    pub delivered: bool,
}

/// What is asked stands in the method and the path.
pub fn understood(http: Http, user_agent: String) -> Option<Request> {
    let mut params = std::collections::BTreeMap::new();
    let action = match (http.method.as_str(), http.path.as_str()) {
        ("POST", "/v2/email/outbound-emails") => "SendEmail",
        ("GET", path) => {
            let address = path.strip_prefix(SUPPRESSED).filter(|address| !address.is_empty())?;
            let address = address.replace('+', "%2B");
            let (address, _) = parse(address.as_bytes()).next()?;
            params.insert("EmailAddress".to_owned(), address.into_owned());
            "GetSuppressedDestination"
        }
        _ => return None,
    };
    let json = serde_json::from_slice(&http.body).unwrap_or(Value::Null);
    Some(Request { service: Service::Ses, action: action.to_owned(), params, json, user_agent, http })
}

pub fn act(context: &mut Context) -> Result<Done, Failure> {
    let body = match context.request.action.as_str() {
        "SendEmail" => send(context)?,
        _ => suppressed(context)?,
    };
    Ok(Done { body: Body::Json(body), trail: Value::Null })
}

fn suppressed(context: &Context) -> Result<Value, Failure> {
    let address = context.request.param("EmailAddress").unwrap_or_default();
    let wish =
        Wish { action: "ses:GetSuppressedDestination", resource: "*".to_owned(), shown: None, extra: Vec::new() };
    authorize(context.world, context.signer, wish, context.now)?;
    let reason = context.world.suppressed.get(address).ok_or_else(|| {
        let message = format!("Email address {address} does not exist on your suppression list.");
        Failure::new(404, "NotFoundException", message)
    })?;
    let at = context.now.timestamp();
    Ok(json!({"SuppressedDestination": {"EmailAddress": address, "Reason": reason, "LastUpdateTime": at}}))
}

fn send(context: &mut Context) -> Result<Value, Failure> {
    let asked = &context.request.json;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let from = text(&asked["FromEmailAddress"]);
    let identity = allowed_identity(context, &from)?;
    let bad = |message: &str| Failure::new(400, "BadRequestException", message);
    let to = asked["Destination"]["ToAddresses"]
        .as_array()
        .filter(|to| to.len() == 1)
        .ok_or_else(|| bad("one recipient"))?;
    let to = text(&to[0]);
    let simple = &asked["Content"]["Simple"];
    let subject = text(&simple["Subject"]["Data"]);
    if subject.contains(['\r', '\n']) || simple["Body"]["Text"]["Data"].as_str().is_none_or(str::is_empty) {
        return Err(bad("Missing final '@domain', line breaks in a header, or no body"));
    }
    let world = &mut *context.world;
    let verified = |address: &str| address_or_domain(address).iter().any(|name| world.identities.contains(*name));
    let unverified =
        if identity.is_none() { Some(&from) } else { Some(&to).filter(|to| world.ses_sandbox && !verified(to)) };
    if let Some(unverified) = unverified {
        let region = context.signer.region.to_uppercase();
        let message = format!(
            "Email address is not verified. The following identities failed the check in region {region}: {unverified}"
        );
        return Err(Failure::new(400, "MessageRejected", message));
    }
    let reply_to = asked["ReplyToAddresses"].as_array().map(|all| all.iter().map(text).collect()).unwrap_or_default();
    let html = simple["Body"]["Html"]["Data"].as_str().map(str::to_owned);
    let delivered = !world.suppressed.contains_key(&to);
    let text = text(&simple["Body"]["Text"]["Data"]);
    world.mails.push(Mail { from, to, reply_to, subject, text, html, delivered });
    Ok(json!({"MessageId": ids::request()}))
}

/// The verified identity that `from` is sent as: the address itself, else its domain.
fn allowed_identity(context: &Context, from: &str) -> Result<Option<String>, Failure> {
    let names = address_or_domain(from);
    let verified = names.into_iter().find(|name| context.world.identities.contains(*name));
    let name = verified.unwrap_or(names[0]);
    let partition = &context.world.account(&context.signer.account).partition;
    let (region, account) = (&context.signer.region, &context.signer.account);
    let resource = format!("arn:{partition}:ses:{region}:{account}:identity/{name}");
    let extra = vec![("ses:fromaddress".to_owned(), vec![from.to_owned()])];
    let wish = Wish { action: "ses:SendEmail", resource: resource.clone(), shown: Some(resource), extra };
    authorize(context.world, context.signer, wish, context.now)?;
    Ok(verified.map(str::to_owned))
}

fn address_or_domain(address: &str) -> [&str; 2] {
    [address, address.rsplit_once('@').map_or(address, |(_, domain)| domain)]
}
