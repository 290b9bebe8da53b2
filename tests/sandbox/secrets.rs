//! Secrets Manager, as far as a notifier needs it: `GetSecretValue` by ARN.

use serde_json::{Value, json};

use super::iam::{Context, Done};
use super::signer::{Wish, authorize};
use super::wire::{Body, Failure};

pub fn act(context: &Context) -> Result<Done, Failure> {
    if context.request.action != "GetSecretValue" {
        return Err(Failure::new(400, "UnknownOperationException", ""));
    }
    let arn = context.request.json["SecretId"].as_str().unwrap_or_default().to_owned();
    let wish = Wish {
        action: "secretsmanager:GetSecretValue",
        resource: arn.clone(),
        shown: Some(arn.clone()),
        extra: Vec::new(),
    };
    authorize(context.world, context.signer, wish, context.now)?;
    let here = arn.split(':').nth(3) == Some(context.signer.region.as_str());
    let text = context.world.secrets.get(&arn).filter(|_| here).ok_or_else(|| {
        Failure::new(400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    })?;
    let name = arn.rsplit(':').next().and_then(|tail| tail.rsplit_once('-')).map_or("", |(name, _)| name);
    let body = json!({"ARN": arn, "Name": name, "SecretString": text, "VersionStages": ["AWSCURRENT"]});
    Ok(Done { body: Body::Json(body), trail: Value::Null })
}
