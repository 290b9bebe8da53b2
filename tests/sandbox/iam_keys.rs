//! IAM's access keys: the two-key quota, stale lists, propagation of new keys, last use.

use serde_json::json;

use super::clock::{Time, iso};
use super::iam::{Context, Done};
use super::ids;
use super::paging::Page;
use super::wire::{Body, Failure, element, list as xml_list, text};
use super::world::{Key, Listed, User};

const QUOTA: usize = 2;

pub fn list(context: &mut Context) -> Result<Done, Failure> {
    let name = context.user_name_unless_implied_by_key()?;
    context.allow_on_user(&name)?;
    let settings = &context.world.settings;
    let user = context.world.account(&context.signer.account).user(&name)?;
    let rows = listed_as_of(user, context.now - settings.stale_lists);
    let page = Page::of_iam(context.request, rows.len(), settings)?;
    let members = rows[page.items.clone()].iter().map(|row| {
        text("UserName", &name)
            + &text("AccessKeyId", &row.id)
            + &text("Status", &row.status)
            + &text("CreateDate", &iso(row.created))
    });
    let rows = xml_list("AccessKeyMetadata", members);
    Ok(Done::result(text("UserName", &name) + &rows + &page.tail()))
}

fn listed_as_of(user: &User, moment: Time) -> Vec<Listed> {
    let later_change = user.lists_before.iter().find(|(changed, _)| *changed > moment);
    later_change.map_or_else(|| user.listed(), |(_, before)| before.clone())
}

pub fn create(context: &mut Context) -> Result<Done, Failure> {
    let name = context.user_name()?;
    context.allow_on_user(&name)?;
    let (account, now) = (context.signer.account.clone(), context.now);
    let propagation = context.world.settings.propagation.clone();
    let user = context.world.account_mut(&account).user_mut(&name)?;
    if user.keys.len() >= QUOTA {
        let message = format!("Cannot exceed quota for AccessKeysPerUser: {QUOTA}");
        return Err(Failure::new(409, "LimitExceeded", message));
    }
    user.remember_list(now);
    let mut key = Key::new(ids::long_term_key(), ids::secret(), now);
    key.propagation = propagation;
    let done = created(&name, &key);
    context.world.add_key(&account, &name, key);
    Ok(done)
}

fn created(user: &str, key: &Key) -> Done {
    let inner = text("UserName", user)
        + &text("AccessKeyId", &key.id)
        + &text("Status", &key.status)
        + &text("SecretAccessKey", &key.secret)
        + &text("CreateDate", &iso(key.created));
    let made = key.created.format("%b %-d, %Y %-I:%M:%S %p").to_string();
    let trail = json!({"accessKey": {
        "userName": user, "accessKeyId": key.id, "status": key.status, "createDate": made,
    }});
    Done { body: Body::Xml(Some(element("AccessKey", &inner))), trail }
}

pub fn update(context: &mut Context) -> Result<Done, Failure> {
    let name = context.user_name_unless_implied_by_key()?;
    let key_id = key_id(context)?;
    let status = context.request.required("Status")?.to_owned();
    if !["Active", "Inactive"].contains(&status.as_str()) {
        let what = "failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]";
        return Err(Failure::validation(&format!("Value '{status}' at 'status' {what}")));
    }
    context.allow_on_user(&name)?;
    let user = context.world.account_mut(&context.signer.account).user_mut(&name)?;
    find(user, &key_id)?;
    user.remember_list(context.now);
    user.key_mut(&key_id).expect("just found").set_status(&status, context.now);
    Ok(Done::nothing())
}

pub fn delete(context: &mut Context) -> Result<Done, Failure> {
    let name = context.user_name()?;
    let key_id = key_id(context)?;
    context.allow_on_user(&name)?;
    let account = context.signer.account.clone();
    find(context.world.account_mut(&account).user_mut(&name)?, &key_id)?;
    context.world.remove_key(&account, &name, &key_id, context.now);
    Ok(Done::nothing())
}

pub fn last_used(context: &mut Context) -> Result<Done, Failure> {
    let key_id = key_id(context)?;
    let owner = context.world.owner_of(&key_id).filter(|(account, _)| *account == context.signer.account);
    let Some((account, name)) = owner else {
        context.allow("*".to_owned(), format!("access key {key_id}"), Vec::new())?;
        return Err(no_key(&key_id));
    };
    context.allow_on_user(&name)?;
    let known_until = context.now - context.world.settings.last_used_lag;
    let user = context.world.account(&account).user(&name)?;
    let key = user.keys.iter().find(|key| key.id == key_id).ok_or_else(|| no_key(&key_id))?;
    let inner = match key.uses.iter().rev().find(|used| used.at <= known_until) {
        None => text("ServiceName", "N/A") + &text("Region", "N/A"),
        Some(last) => {
            let date = text("LastUsedDate", &iso(last.at));
            date + &text("ServiceName", &last.service) + &text("Region", &last.region)
        }
    };
    Ok(Done::result(text("UserName", &name) + &element("AccessKeyLastUsed", &inner)))
}

fn key_id(context: &Context) -> Result<String, Failure> {
    let id = context.request.required("AccessKeyId")?;
    if id.len() < 16 {
        let what = "failed to satisfy constraint: Member must have length greater than or equal to 16";
        return Err(Failure::validation(&format!("Value '{id}' at 'accessKeyId' {what}")));
    }
    Ok(id.to_owned())
}

fn find<'a>(user: &'a mut User, key_id: &str) -> Result<&'a mut Key, Failure> {
    user.key_mut(key_id).ok_or_else(|| no_key(key_id))
}

fn no_key(key_id: &str) -> Failure {
    Failure::not_found(format!("The Access Key with id {key_id} cannot be found."))
}
