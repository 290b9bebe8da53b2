//! STS: `GetCallerIdentity`, `GetSessionToken` with MFA, `AssumeRole` with trust policies.

use chrono::TimeDelta;
use serde_json::json;

use super::clock::{Time, iso, whole_seconds};
use super::iam::{Context, Done, unknown_action};
use super::ids;
use super::mfa;
use super::policy::{Ask, Policy, Verdict, judge};
use super::signer::{Signer, Who, Wish, authorize, control_verdict};
use super::wire::{Body, Failure, element, text};
use super::world::{Owner, Session, World};

pub fn act(context: &mut Context) -> Result<Done, Failure> {
    match context.request.action.as_str() {
        "GetCallerIdentity" => Ok(caller_identity(context)),
        "GetSessionToken" => session_token(context),
        "AssumeRole" => assume_role(context),
        "GetAccessKeyInfo" => access_key_info(context),
        _ => Err(unknown_action(context.request)),
    }
}

/// Needs no permission, and no policy can deny it.
fn caller_identity(context: &Context) -> Done {
    let (world, signer) = (&*context.world, context.signer);
    let arn = text("Arn", &signer.arn(world));
    Done::result(arn + &text("UserId", &signer.unique_id(world)) + &text("Account", &signer.account))
}

/// The account of any key there is or was, of whatever account.
fn access_key_info(context: &Context) -> Result<Done, Failure> {
    let key_id = context.request.required("AccessKeyId")?;
    let wish = Wish { action: "sts:GetAccessKeyInfo", resource: "*".to_owned(), shown: None, extra: Vec::new() };
    authorize(context.world, context.signer, wish, context.now)?;
    match context.world.account_of_key(key_id) {
        Some(account) => Ok(Done::result(text("Account", account))),
        None => Err(Failure::validation(&format!("The access key {key_id} does not exist"))),
    }
}

fn seconds(context: &Context, default: i64, longest: i64) -> Result<i64, Failure> {
    let Some(asked) = context.request.param("DurationSeconds") else { return Ok(default) };
    let what = "at 'durationSeconds' failed to satisfy constraint: Member must have value";
    match asked.parse() {
        Ok(seconds) if seconds < 900 => {
            Err(Failure::validation(&format!("Value '{asked}' {what} greater than or equal to 900")))
        }
        Ok(seconds) if seconds > longest => {
            Err(Failure::validation(&format!("Value '{asked}' {what} less than or equal to {longest}")))
        }
        Ok(seconds) => Ok(seconds),
        Err(_) => Err(Failure::new(400, "MalformedInput", "DurationSeconds is no number")),
    }
}

fn session_token(context: &mut Context) -> Result<Done, Failure> {
    let user = match (&context.signer.session, &context.signer.who) {
        (None, Who::User(user)) => user.clone(),
        _ => return Err(Failure::denied("Cannot call GetSessionToken with session credentials")),
    };
    let seconds = seconds(context, 43_200, 129_600)?;
    let (account, now) = (context.signer.account.clone(), context.now);
    let owner = Owner::User { name: user.clone(), key_id: context.signer.key_id.clone() };
    let mfa = show_mfa(context, &user)?;
    let (key_id, session) = open(&account, owner, seconds, mfa, now);
    let done = answer(&key_id, &session, "");
    context.world.sessions.insert(key_id, session);
    Ok(done)
}

fn show_mfa(context: &mut Context, user: &str) -> Result<bool, Failure> {
    let (serial, code) = (context.request.param("SerialNumber"), context.request.param("TokenCode"));
    let user = context.world.account_mut(&context.signer.account).user_mut(user)?;
    mfa::check(user, serial, code, context.now)
}

fn open(account: &str, owner: Owner, seconds: i64, mfa: bool, now: Time) -> (String, Session) {
    let session = Session {
        secret: ids::secret(),
        token: ids::session_token(),
        account: account.to_owned(),
        owner,
        created: now,
        expires: whole_seconds(now) + TimeDelta::seconds(seconds),
        mfa,
    };
    (ids::temporary_key(), session)
}

fn answer(key_id: &str, session: &Session, more: &str) -> Done {
    let credentials = text("AccessKeyId", key_id)
        + &text("SecretAccessKey", &session.secret)
        + &text("SessionToken", &session.token)
        + &text("Expiration", &iso(session.expires));
    let expiration = session.expires.format("%b %-d, %Y %-I:%M:%S %p").to_string();
    let trail = json!({"credentials": {"accessKeyId": key_id, "expiration": expiration}});
    Done { body: Body::Xml(Some(element("Credentials", &credentials) + more)), trail }
}

fn assume_role(context: &mut Context) -> Result<Done, Failure> {
    let arn = context.request.required("RoleArn")?.to_owned();
    let session_name = context.request.required("RoleSessionName")?.to_owned();
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
    if !(2..=64).contains(&session_name.len()) || !session_name.chars().all(fits) {
        let what = "failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*";
        return Err(Failure::validation(&format!("Value '{session_name}' at 'roleSessionName' {what}")));
    }
    let seconds = seconds(context, 3_600, 43_200)?;
    let mfa = match context.signer.who.clone() {
        Who::User(user) => show_mfa(context, &user)?,
        Who::Role { .. } => false,
    };
    let (account, role) = may_assume(context, &arn, mfa)?;
    let longest = context.world.account(&account).roles[&role].max_seconds;
    if seconds > longest {
        let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(Failure::new(400, "ValidationError", message));
    }
    if matches!(context.signer.who, Who::Role { .. }) && seconds > 3_600 {
        let message =
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
        return Err(Failure::new(400, "ValidationError", message));
    }
    // A role's session carries no MFA context, whatever was shown to get it.
    let owner = Owner::Role { name: role, session: session_name };
    let (key_id, session) = open(&account, owner, seconds, false, context.now);
    let caller = Signer { account, who: who_of(&session.owner), ..context.signer.clone() };
    let ids = text("AssumedRoleId", &caller.unique_id(context.world)) + &text("Arn", &caller.arn(context.world));
    let done = answer(&key_id, &session, &element("AssumedRoleUser", &ids));
    context.world.sessions.insert(key_id, session);
    Ok(done)
}

fn who_of(owner: &Owner) -> Who {
    match owner {
        Owner::User { name, .. } => Who::User(name.clone()),
        Owner::Role { name, session } => Who::Role { name: name.clone(), session: session.clone() },
    }
}

/// The role's account and name. A role that is not there is refused like one that may not be taken.
fn may_assume(context: &Context, arn: &str, mfa: bool) -> Result<(String, String), Failure> {
    let (world, signer) = (&*context.world, context.signer);
    if let Some((account, role, trust)) = find_role(world, arn)
        && permitted(context, arn, trust, account == signer.account, mfa)
    {
        return Ok((account, role));
    }
    let caller = signer.arn(world);
    Err(Failure::denied(format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}")))
}

fn find_role<'a>(world: &'a World, arn: &str) -> Option<(String, String, &'a Policy)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "iam", "", account, role] = parts[..] else { return None };
    let account = world.accounts.get(account)?;
    let role = account.roles.get(role.strip_prefix("role/")?)?;
    Some((account.id.clone(), role.name.clone(), &role.trust))
}

/// Across accounts both sides must allow it; within one, a trust that names the caller itself is enough.
fn permitted(context: &Context, arn: &str, trust: &Policy, same_account: bool, mfa: bool) -> bool {
    let (world, signer) = (&*context.world, context.signer);
    let mut scene = signer.context(world, context.now);
    if let Some(external_id) = context.request.param("ExternalId") {
        scene.insert("sts:externalid".to_owned(), vec![external_id.to_owned()]);
    }
    if mfa {
        scene.insert("aws:multifactorauthpresent".to_owned(), vec!["true".to_owned()]);
        scene.insert("aws:multifactorauthage".to_owned(), vec!["0".to_owned()]);
    }
    let direct = vec![signer.arn(world), signer.principal_arn(world)];
    let partition = &world.account(&signer.account).partition;
    let through_account = vec![signer.account.clone(), format!("arn:{partition}:iam::{}:root", signer.account)];
    let ask = |principals: Vec<String>| Ask {
        action: "sts:AssumeRole".to_owned(),
        resource: arn.to_owned(),
        context: scene.clone(),
        principals,
    };
    let everyone = ask([direct.clone(), through_account].concat());
    let trusted = judge([trust], &everyone);
    let named = judge([trust], &ask(direct)) == Verdict::Allowed;
    let own = judge(signer.policies(world), &everyone);
    let control = control_verdict(world, signer, &everyone);
    trusted == Verdict::Allowed
        && control == Verdict::Allowed
        && own != Verdict::Denied
        && (own == Verdict::Allowed || (same_account && named))
}
