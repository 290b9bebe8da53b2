//! SNS, as far as a notifier needs it: Publish, and what was published.

use super::iam::{Context, Done, unknown_action};
use super::ids;
use super::signer::{Wish, authorize};
use super::wire::{Failure, text};

#[derive(Clone, Debug)]
pub struct Message {
    pub topic: String,
    pub subject: Option<String>,
    pub text: String,
}

pub fn act(context: &mut Context) -> Result<Done, Failure> {
    let request = context.request;
    if request.action != "Publish" {
        return Err(unknown_action(request));
    }
    let missing = |what: &str| Failure::new(400, "InvalidParameter", format!("Invalid parameter: {what}"));
    let topic = request.param("TopicArn").ok_or_else(|| missing("TopicArn"))?.to_owned();
    let message = request.param("Message").filter(|it| !it.is_empty()).ok_or_else(|| missing("Empty message"))?;
    let shown = Some(topic.clone());
    let wish = Wish { action: "SNS:Publish", resource: topic.clone(), shown, extra: Vec::new() };
    authorize(context.world, context.signer, wish, context.now)?;
    if topic.split(':').nth(3) != Some(context.signer.region.as_str()) {
        return Err(missing("TopicArn"));
    }
    if !context.world.topics.contains(&topic) {
        return Err(Failure::new(404, "NotFound", "Topic does not exist"));
    }
    let subject = request.param("Subject").map(str::to_owned);
    context.world.messages.push(Message { topic, subject, text: message.to_owned() });
    Ok(Done::result(text("MessageId", &ids::request())))
}
