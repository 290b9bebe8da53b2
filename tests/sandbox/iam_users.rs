//! IAM's users, groups, tags, MFA devices and aliases.

use super::clock::iso;
use super::iam::{Context, Done};
use super::paging::Page;
use super::wire::{Failure, element, list, text};
use super::world::{Account, Group, User};

const TAG_QUOTA: usize = 50;

fn user_xml(account: &Account, user: &User) -> String {
    text("Path", &user.path)
        + &text("UserName", &user.name)
        + &text("UserId", &user.id)
        + &text("Arn", &account.user_arn(&user.name))
        + &text("CreateDate", &iso(user.created))
}

fn group_xml(account: &Account, group: &Group) -> String {
    text("Path", &group.path)
        + &text("GroupName", &group.name)
        + &text("GroupId", &group.id)
        + &text("Arn", &account.group_arn(&group.name))
        + &text("CreateDate", &iso(group.created))
}

fn tag_xml((key, value): (&String, &String)) -> String {
    text("Key", key) + &text("Value", value)
}

pub fn get_user(context: &mut Context) -> Result<Done, Failure> {
    let name = context.user_name()?;
    context.allow_on_user(&name)?;
    let account = context.world.account(&context.signer.account);
    let user = account.user(&name)?;
    // Unlike the lists, GetUser shows the tags.
    let tags = if user.tags.is_empty() { String::new() } else { list("Tags", user.tags.iter().map(tag_xml)) };
    Ok(Done::result(element("User", &(user_xml(account, user) + &tags))))
}

pub fn list_users(context: &mut Context) -> Result<Done, Failure> {
    let prefix = context.request.param("PathPrefix").unwrap_or("/");
    let account = context.world.account(&context.signer.account);
    let resource = format!("arn:{}:iam::{}:user{prefix}", account.partition, account.id);
    context.allow(resource.clone(), resource, Vec::new())?;
    let users: Vec<&User> = account.users.values().filter(|user| user.path.starts_with(prefix)).collect();
    let page = Page::of_iam(context.request, users.len(), &context.world.settings)?;
    let members = list("Users", users[page.items.clone()].iter().map(|user| user_xml(account, user)));
    Ok(Done::result(members + &page.tail()))
}

pub fn get_group(context: &mut Context) -> Result<Done, Failure> {
    let name = context.request.required("GroupName")?;
    let account = context.world.account(&context.signer.account);
    context.allow(account.group_arn(name), format!("group {name}"), Vec::new())?;
    // Names are not distinguished by case (IAM API reference, CreateGroup).
    let group = account.groups.values().find(|group| group.name.eq_ignore_ascii_case(name));
    let group = group.ok_or_else(|| Failure::not_found(format!("The group with name {name} cannot be found.")))?;
    let members: Vec<&User> = group.members.iter().filter_map(|member| account.users.get(member)).collect();
    let page = Page::of_iam(context.request, members.len(), &context.world.settings)?;
    let users = list("Users", members[page.items.clone()].iter().map(|user| user_xml(account, user)));
    Ok(Done::result(element("Group", &group_xml(account, group)) + &users + &page.tail()))
}

pub fn list_groups_for_user(context: &mut Context) -> Result<Done, Failure> {
    let name = context.request.required("UserName")?.to_owned();
    context.allow_on_user(&name)?;
    let account = context.world.account(&context.signer.account);
    account.user(&name)?;
    let groups: Vec<&Group> = account.groups.values().filter(|group| group.members.contains(name.as_str())).collect();
    let page = Page::of_iam(context.request, groups.len(), &context.world.settings)?;
    let members = list("Groups", groups[page.items.clone()].iter().map(|group| group_xml(account, group)));
    Ok(Done::result(members + &page.tail()))
}

pub fn list_tags(context: &mut Context) -> Result<Done, Failure> {
    let name = context.request.required("UserName")?.to_owned();
    context.allow_on_user(&name)?;
    let user = context.world.account(&context.signer.account).user(&name)?;
    let page = Page::of_iam(context.request, user.tags.len(), &context.world.settings)?;
    let shown = user.tags.iter().skip(page.items.start).take(page.items.len());
    Ok(Done::result(list("Tags", shown.map(tag_xml)) + &page.tail()))
}

pub fn tag(context: &mut Context) -> Result<Done, Failure> {
    let name = context.request.required("UserName")?.to_owned();
    let request = context.request;
    let member = |n: usize, part: &str| request.param(&format!("Tags.member.{n}.{part}"));
    let tags: Vec<(&str, &str)> =
        (1..).map_while(|n| Some((member(n, "Key")?, member(n, "Value").unwrap_or_default()))).collect();
    for (n, (key, value)) in tags.iter().enumerate() {
        check_tag_text(n, "key", key, 1..=128)?;
        check_tag_text(n, "value", value, 0..=256)?;
    }
    let keys = tags.iter().map(|(key, _)| (*key).to_owned()).collect();
    let mut extra = vec![("aws:TagKeys".to_owned(), keys)];
    extra.extend(tags.iter().map(|(key, value)| (format!("aws:RequestTag/{key}"), vec![(*value).to_owned()])));
    context.allow_on_user_with(&name, extra)?;
    let user = context.world.account_mut(&context.signer.account).user_mut(&name)?;
    let mut all = user.tags.clone();
    all.extend(tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    if all.len() > TAG_QUOTA {
        return Err(Failure::new(409, "LimitExceeded", "The number of tags has reached the maximum limit."));
    }
    user.tags = all;
    Ok(Done::nothing())
}

/// IAM takes letters, digits, white space and `_.:/=+-@` in tags, and nothing else: no semicolon, no comma.
fn check_tag_text(n: usize, part: &str, text: &str, lengths: std::ops::RangeInclusive<usize>) -> Result<(), Failure> {
    let field = format!("Value '{text}' at 'tags.{}.member.{part}' failed to satisfy constraint: Member must", n + 1);
    if !lengths.contains(&text.chars().count()) {
        let (least, most) = lengths.into_inner();
        let bound = if text.chars().count() < least {
            format!("greater than or equal to {least}")
        } else {
            format!("less than or equal to {most}")
        };
        return Err(Failure::validation(&format!("{field} have length {bound}")));
    }
    let taken = |letter: char| letter.is_alphanumeric() || letter == ' ' || "_.:/=+-@".contains(letter);
    if !text.chars().all(taken) {
        let more = if part == "key" { '+' } else { '*' };
        let pattern = format!(r"[\p{{L}}\p{{Z}}\p{{N}}_.:/=+\-@]{more}");
        return Err(Failure::validation(&format!("{field} satisfy regular expression pattern: {pattern}")));
    }
    Ok(())
}

pub fn untag(context: &mut Context) -> Result<Done, Failure> {
    let name = context.request.required("UserName")?.to_owned();
    let keys: Vec<String> = context.request.members("TagKeys").into_iter().map(str::to_owned).collect();
    context.allow_on_user_with(&name, vec![("aws:TagKeys".to_owned(), keys.clone())])?;
    let user = context.world.account_mut(&context.signer.account).user_mut(&name)?;
    user.tags.retain(|key, _| !keys.contains(key));
    Ok(Done::nothing())
}

pub fn list_devices(context: &mut Context) -> Result<Done, Failure> {
    let name = context.user_name()?;
    context.allow_on_user(&name)?;
    let user = context.world.account(&context.signer.account).user(&name)?;
    let page = Page::of_iam(context.request, user.devices.len(), &context.world.settings)?;
    let members = user.devices[page.items.clone()].iter().map(|device| {
        let enabled = text("EnableDate", &iso(device.enabled));
        text("UserName", &name) + &text("SerialNumber", &device.serial) + &enabled
    });
    Ok(Done::result(list("MFADevices", members) + &page.tail()))
}

pub fn list_virtual_devices(context: &mut Context) -> Result<Done, Failure> {
    let account = context.world.account(&context.signer.account);
    let resource = format!("arn:{}:iam::{}:mfa/", account.partition, account.id);
    context.allow(resource.clone(), resource, Vec::new())?;
    let all: Vec<(&User, &str, String)> = account
        .users
        .values()
        .flat_map(|user| user.devices.iter().map(move |it| (user, it.serial.as_str(), iso(it.enabled))))
        .filter(|(_, serial, _)| serial.contains(":mfa/"))
        .collect();
    let page = Page::of_iam(context.request, all.len(), &context.world.settings)?;
    let members = all[page.items.clone()].iter().map(|(user, serial, enabled)| {
        let owner = element("User", &user_xml(account, user));
        text("SerialNumber", serial) + &owner + &text("EnableDate", enabled)
    });
    Ok(Done::result(list("VirtualMFADevices", members) + &page.tail()))
}

pub fn list_aliases(context: &mut Context) -> Result<Done, Failure> {
    context.allow("*".to_owned(), "*".to_owned(), Vec::new())?;
    let account = context.world.account(&context.signer.account);
    let page = Page::of_iam(context.request, usize::from(account.alias.is_some()), &context.world.settings)?;
    let aliases: String = account.alias.iter().take(page.items.len()).map(|alias| text("member", alias)).collect();
    Ok(Done::result(element("AccountAliases", &aliases) + &page.tail()))
}
