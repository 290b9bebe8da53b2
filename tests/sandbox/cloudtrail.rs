//! `CloudTrail`: records the other services' calls, and answers `LookupEvents` once they have become visible. Events of
//! IAM are found in the partition's home region only.

use chrono::{DateTime, TimeDelta};
use serde_json::{Map, Value, json};

use super::clock::{Time, iso, whole_seconds};
use super::iam::{Context, Done};
use super::ids;
use super::paging::Page;
use super::signer::{Signer, Who, Wish, authorize};
use super::wire::{Body, Failure, Request, Service, lower_first};
use super::world::World;

const LARGEST_PAGE: usize = 50;
const KEPT_DAYS: i64 = 90;

#[derive(Clone, Debug)]
pub struct Event {
    pub id: String,
    pub name: String,
    pub source: String,
    pub at: Time,
    pub account: String,
    pub region: String,
    pub key_id: String,
    pub user: String,
    pub read_only: bool,
    pub resources: Vec<(String, String)>,
    /// The whole record, as the `CloudTrailEvent` string holds it.
    pub record: Value,
}

pub fn record(context: &mut Context, request_id: &str, outcome: Result<&Value, &Failure>) {
    let Context { world, signer, request, now } = context;
    let read_only = ["Get", "List", "Describe", "Lookup"].iter().any(|verb| request.action.starts_with(verb))
        || request.action == "AssumeRole";
    let user = match &signer.who {
        Who::User(name) => name.clone(),
        Who::Role { session, .. } => session.clone(),
    };
    let parameters = request_parameters(request);
    let id = ids::request();
    let source = format!("{}.amazonaws.com", request.service.name());
    let mut record = json!({
        "eventVersion": "1.11", "userIdentity": identity(world, signer), "eventTime": iso(*now),
        "eventSource": source, "eventName": request.action, "awsRegion": signer.region,
        "sourceIPAddress": signer.address, "userAgent": signer.user_agent, "requestParameters": parameters,
        "responseElements": outcome.ok().cloned().unwrap_or_default(), "requestID": request_id, "eventID": id,
        "readOnly": read_only, "eventType": "AwsApiCall", "managementEvent": true,
        "recipientAccountId": signer.account, "eventCategory": "Management",
    });
    if let Err(failure) = outcome {
        let suffix = if ["LimitExceeded", "NoSuchEntity"].contains(&failure.code.as_str()) { "Exception" } else { "" };
        record["errorCode"] = json!(format!("{}{suffix}", failure.code));
        record["errorMessage"] = json!(failure.message);
    }
    let event = Event {
        id,
        name: request.action.clone(),
        source,
        at: whole_seconds(*now),
        account: signer.account.clone(),
        region: signer.region.clone(),
        key_id: signer.key_id.clone(),
        user,
        read_only,
        resources: resources(&record),
        record,
    };
    world.events.push(event);
}

fn identity(world: &World, signer: &Signer) -> Value {
    let mut identity = json!({
        "principalId": signer.unique_id(world), "arn": signer.arn(world), "accountId": signer.account,
        "accessKeyId": signer.key_id,
    });
    match &signer.who {
        Who::User(name) => {
            identity["type"] = json!("IAMUser");
            identity["userName"] = json!(name);
        }
        Who::Role { .. } => identity["type"] = json!("AssumedRole"),
    }
    if let Some(session) = &signer.session {
        let attributes = json!({"creationDate": iso(session.created), "mfaAuthenticated": session.mfa.to_string()});
        identity["sessionContext"] = json!({"attributes": attributes});
    }
    identity
}

fn request_parameters(request: &Request) -> Value {
    if request.service.speaks_json() {
        let fields = request.json.as_object().into_iter().flatten();
        let lowered: Map<String, Value> = fields.map(|(key, value)| (lower_first(key), value.clone())).collect();
        return if lowered.is_empty() { Value::Null } else { Value::Object(lowered) };
    }
    let simple = request.kept_params().into_iter().filter(|(key, _)| !key.contains(".member."));
    let number = |key: &str, value: String| match value.parse::<i64>() {
        Ok(number) if key == "DurationSeconds" => json!(number),
        _ => json!(value),
    };
    let mut fields: Map<String, Value> = simple.map(|(key, value)| (lower_first(&key), number(&key, value))).collect();
    let member = |n: usize, part: &str| request.param(&format!("Tags.member.{n}.{part}"));
    let tag = |n| Some(json!({"key": member(n, "Key")?, "value": member(n, "Value")?}));
    let tags: Vec<Value> = (1..).map_while(tag).collect();
    if !tags.is_empty() {
        fields.insert("tags".to_owned(), json!(tags));
    }
    let tag_keys = request.members("TagKeys");
    if !tag_keys.is_empty() {
        fields.insert("tagKeys".to_owned(), json!(tag_keys));
    }
    if fields.is_empty() { Value::Null } else { Value::Object(fields) }
}

fn resources(record: &Value) -> Vec<(String, String)> {
    let parameters = &record["requestParameters"];
    let made = &record["responseElements"]["accessKey"]["accessKeyId"];
    let found = [
        ("AWS::IAM::AccessKey", made.as_str().or(parameters["accessKeyId"].as_str())),
        ("AWS::IAM::User", parameters["userName"].as_str()),
        ("AWS::IAM::Role", parameters["roleArn"].as_str()),
    ];
    found.into_iter().filter_map(|(kind, name)| Some((kind.to_owned(), name?.to_owned()))).collect()
}

pub fn act(context: &Context) -> Result<Done, Failure> {
    let request = context.request;
    if request.action != "LookupEvents" {
        return Err(Failure::new(400, "UnknownOperationException", ""));
    }
    let action = "cloudtrail:LookupEvents";
    let wish = Wish { action, resource: "*".to_owned(), shown: None, extra: Vec::new() };
    authorize(context.world, context.signer, wish, context.now)?;
    let filter = Filter::parse(context)?;
    let events = context.world.events.iter().rev().filter(|event| filter.takes(event));
    let mut found: Vec<&Event> = events.collect();
    found.sort_by_key(|event| std::cmp::Reverse(event.at));
    let size = match request.json["MaxResults"].as_u64().map(usize::try_from) {
        None => LARGEST_PAGE,
        Some(Ok(size @ 1..=LARGEST_PAGE)) => size,
        Some(_) => {
            let message = "Max results must be between 1 and 50.";
            return Err(Failure::new(400, "InvalidMaxResultsException", message));
        }
    };
    let token = request.json["NextToken"].as_str();
    let page = Page::cut("LookupEvents", found.len(), size, token, &context.world.settings);
    let page = page.ok_or_else(|| Failure::new(400, "InvalidNextTokenException", "Invalid token."))?;
    let mut answer = json!({"Events": found[page.items].iter().map(|event| shown(event)).collect::<Vec<_>>()});
    if let Some(next) = page.next {
        answer["NextToken"] = json!(next);
    }
    Ok(Done { body: Body::Json(answer), trail: Value::Null })
}

struct Filter {
    account: String,
    region: String,
    from: Time,
    until: Time,
    visible_until: Time,
    attribute: Option<(String, String)>,
}

impl Filter {
    fn parse(context: &Context) -> Result<Filter, Failure> {
        let json = &context.request.json;
        let moment = |name: &str| json[name].as_f64().and_then(from_epoch);
        let from = moment("StartTime").unwrap_or_else(|| context.now - TimeDelta::days(KEPT_DAYS));
        let until = moment("EndTime").unwrap_or(context.now);
        if from > until {
            let message = "The start time must be before the end time.";
            return Err(Failure::new(400, "InvalidTimeRangeException", message));
        }
        let kept_from = context.now - TimeDelta::days(KEPT_DAYS);
        Ok(Filter {
            account: context.signer.account.clone(),
            region: context.signer.region.clone(),
            from: from.max(kept_from),
            until,
            visible_until: context.now - context.world.settings.trail_delay,
            attribute: attribute(&json["LookupAttributes"])?,
        })
    }

    fn takes(&self, event: &Event) -> bool {
        let here = event.account == self.account && event.region == self.region;
        let then = (self.from..=self.until).contains(&event.at) && event.at <= self.visible_until;
        here && then && self.attribute.as_ref().is_none_or(|(key, value)| event.has(key, value))
    }
}

fn attribute(asked: &Value) -> Result<Option<(String, String)>, Failure> {
    let invalid = |message: &str| Err(Failure::new(400, "InvalidLookupAttributesException", message));
    let asked = asked.as_array().map(Vec::as_slice).unwrap_or_default();
    let [attribute] = asked else {
        return if asked.is_empty() { Ok(None) } else { invalid("You can only provide one lookup attribute.") };
    };
    let known =
        ["AccessKeyId", "EventId", "EventName", "EventSource", "ReadOnly", "ResourceName", "ResourceType", "Username"];
    match (attribute["AttributeKey"].as_str(), attribute["AttributeValue"].as_str()) {
        (Some(key), Some(value)) if known.contains(&key) => Ok(Some((key.to_owned(), value.to_owned()))),
        _ => invalid("The lookup attribute is not valid."),
    }
}

fn from_epoch(seconds: f64) -> Option<Time> {
    #[allow(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
    let millis = (seconds * 1000.0).round() as i64;
    DateTime::from_timestamp_millis(millis)
}

impl Event {
    fn has(&self, key: &str, value: &str) -> bool {
        match key {
            "AccessKeyId" => self.key_id == value,
            "EventId" => self.id == value,
            "EventName" => self.name == value,
            "EventSource" => self.source == value,
            "ReadOnly" => self.read_only.to_string() == value,
            "ResourceName" => self.resources.iter().any(|(_, name)| name == value),
            "ResourceType" => self.resources.iter().any(|(kind, _)| kind == value),
            _ => self.user == value,
        }
    }
}

fn shown(event: &Event) -> Value {
    let resources = event.resources.iter().map(|(kind, name)| json!({"ResourceType": kind, "ResourceName": name}));
    json!({
        "EventId": event.id, "EventName": event.name, "ReadOnly": event.read_only.to_string(),
        "AccessKeyId": event.key_id, "EventTime": event.at.timestamp(), "EventSource": event.source,
        "Username": event.user, "Resources": resources.collect::<Vec<_>>(),
        "CloudTrailEvent": event.record.to_string(),
    })
}

/// Whether a service's calls are recorded here at all: SNS's Publish is a data event.
pub fn records(service: Service) -> bool {
    // Of objects only where a trail is told to.
    !matches!(service, Service::Sns | Service::S3 | Service::Ses | Service::SecretsManager)
}
