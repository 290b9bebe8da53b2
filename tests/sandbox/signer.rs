//! Who is calling, and may they: from a signed request to a known caller, and from a caller and an action to yes or
//! AWS's refusal.

use std::collections::BTreeMap;

use super::clock::Time;
use super::policy::{Ask, Policy, Verdict, judge};
use super::sigv4::Signature;
use super::wire::{Failure, Request, Service};
use super::world::{Owner, Session, Use, World};

#[derive(Clone)]
pub struct Signer {
    pub account: String,
    pub key_id: String,
    pub region: String,
    pub who: Who,
    /// None for a long-term key.
    pub session: Option<Session>,
    pub user_agent: String,
    pub address: String,
}

#[derive(Clone)]
pub enum Who {
    User(String),
    Role { name: String, session: String },
}

pub fn authenticate(world: &mut World, request: &Request, now: Time) -> Result<Signer, Failure> {
    let signature = Signature::parse(&request.http)?;
    let service = request.service;
    if signature.service != service.name() {
        let message = format!("Credential should be scoped to correct service: '{}'. ", service.name());
        return Err(Failure::new(403, "SignatureDoesNotMatch", message));
    }
    let (secret, session) = match &signature.token {
        None => (secret_of_key(world, &signature.key_id, service, now)?, None),
        Some(token) => {
            let session = session_of(world, &signature.key_id, token, now)?;
            (session.secret.clone(), Some(session))
        }
    };
    signature.check_time(now, world.settings.clock_tolerance)?;
    signature.check(&request.http, &secret)?;
    if let Some(session) = &session
        && service == Service::Iam
        && !session.mfa
        && matches!(session.owner, Owner::User { .. })
    {
        return Err(Failure::invalid_token());
    }
    let signer = Signer::new(world, request, &signature, session);
    note_use(world, &signer, service, now);
    Ok(signer)
}

fn secret_of_key(world: &mut World, key_id: &str, service: Service, now: Time) -> Result<String, Failure> {
    let revocation_delay = world.settings.revocation_delay;
    let key = world.long_term_key(key_id).ok_or_else(Failure::invalid_token)?;
    if !key.works(now, revocation_delay) || !key.has_reached(service, now) {
        return Err(Failure::invalid_token());
    }
    Ok(key.secret.clone())
}

fn session_of(world: &mut World, key_id: &str, token: &str, now: Time) -> Result<Session, Failure> {
    let session = world.sessions.get(key_id).filter(|session| session.token == token).cloned();
    let session = session.ok_or_else(Failure::invalid_token)?;
    if session.expires <= now {
        return Err(Failure::new(403, "ExpiredToken", "The security token included in the request is expired"));
    }
    let account = world.account(&session.account);
    let owner_exists = match &session.owner {
        Owner::User { name, .. } => account.users.contains_key(name),
        Owner::Role { name, .. } => account.roles.contains_key(name),
    };
    let maker_works = match &session.owner {
        // A sign-in at the console is made by no key.
        Owner::User { key_id, .. } if world.settings.sessions_die_with_their_key && !key_id.is_empty() => {
            world.long_term_key(key_id).is_some_and(|key| key.status == "Active")
        }
        _ => true,
    };
    if owner_exists && maker_works { Ok(session) } else { Err(Failure::invalid_token()) }
}

/// Only the first use in each quarter of an hour is recorded.
fn note_use(world: &mut World, signer: &Signer, service: Service, now: Time) {
    let region = signer.region.clone();
    let Some(key) = world.long_term_key(&signer.key_id) else { return };
    if key.uses.last().is_none_or(|last| now - last.at >= chrono::TimeDelta::minutes(15)) {
        key.uses.push(Use { at: now, service: service.name().to_owned(), region });
    }
}

impl Signer {
    fn new(world: &World, request: &Request, signature: &Signature, session: Option<Session>) -> Signer {
        let (account, who) = match &session {
            None => {
                let (account, user) = world.owner_of(&signature.key_id).expect("its secret was found");
                (account, Who::User(user))
            }
            Some(session) => {
                let who = match &session.owner {
                    Owner::User { name, .. } => Who::User(name.clone()),
                    Owner::Role { name, session } => Who::Role { name: name.clone(), session: session.clone() },
                };
                (session.account.clone(), who)
            }
        };
        let global = request.service == Service::Iam || request.service == Service::Organizations;
        let region = if global { world.account(&account).home_region().to_owned() } else { signature.region.clone() };
        Signer {
            key_id: signature.key_id.clone(),
            region,
            who,
            session,
            user_agent: request.user_agent.clone(),
            address: request.http.peer.to_string(),
            account,
        }
    }

    pub fn arn(&self, world: &World) -> String {
        let account = world.account(&self.account);
        match &self.who {
            Who::User(name) => account.user_arn(name),
            Who::Role { name, session } => {
                format!("arn:{}:sts::{}:assumed-role/{name}/{session}", account.partition, account.id)
            }
        }
    }

    /// `AIDA…` of a user, `AROA…:session` of a role.
    pub fn unique_id(&self, world: &World) -> String {
        let account = world.account(&self.account);
        match &self.who {
            Who::User(name) => account.users[name].id.clone(),
            Who::Role { name, session } => format!("{}:{session}", account.roles[name].id),
        }
    }

    /// The ARN that `aws:PrincipalArn` and trust policies mean: the role, not its session.
    pub fn principal_arn(&self, world: &World) -> String {
        match &self.who {
            Who::User(_) => self.arn(world),
            Who::Role { name, .. } => world.account(&self.account).role_arn(name),
        }
    }

    pub fn policies<'a>(&self, world: &'a World) -> Vec<&'a Policy> {
        let account = world.account(&self.account);
        match &self.who {
            Who::User(name) => {
                let groups = account.groups.values().filter(|group| group.members.contains(name));
                account.users[name].policies.iter().chain(groups.flat_map(|group| &group.policies)).collect()
            }
            Who::Role { name, .. } => account.roles[name].policies.iter().collect(),
        }
    }

    pub fn context(&self, world: &World, now: Time) -> BTreeMap<String, Vec<String>> {
        let mut context = BTreeMap::new();
        let mut put = |key: &str, value: String| context.insert(key.to_lowercase(), vec![value]);
        put("aws:PrincipalArn", self.principal_arn(world));
        put("aws:PrincipalAccount", self.account.clone());
        put("aws:userid", self.unique_id(world));
        put("aws:SourceIp", self.address.clone());
        put("aws:UserAgent", self.user_agent.clone());
        put("aws:RequestedRegion", self.region.clone());
        match &self.who {
            Who::User(name) => {
                put("aws:username", name.clone());
                put("aws:PrincipalType", "User".to_owned());
            }
            Who::Role { .. } => _ = put("aws:PrincipalType", "AssumedRole".to_owned()),
        }
        if let Some(organization) = world.organization.as_ref().filter(|it| it.holds(&self.account)) {
            put("aws:PrincipalOrgID", organization.id.clone());
        }
        // A long-term key's request has neither MFA key at all.
        if let Some(session) = &self.session {
            put("aws:MultiFactorAuthPresent", session.mfa.to_string());
            if session.mfa {
                put("aws:MultiFactorAuthAge", (now - session.created).num_seconds().to_string());
            }
        }
        context
    }
}

/// One action on one resource. `shown` is how the refusal names the resource, where it names one.
pub struct Wish<'a> {
    pub action: &'a str,
    pub resource: String,
    pub shown: Option<String>,
    pub extra: Vec<(String, Vec<String>)>,
}

pub fn authorize(world: &World, signer: &Signer, wish: Wish, now: Time) -> Result<(), Failure> {
    let mut context = signer.context(world, now);
    context.extend(wish.extra.into_iter().map(|(key, values)| (key.to_lowercase(), values)));
    let ask = Ask { action: wish.action.to_owned(), resource: wish.resource, context, principals: Vec::new() };
    let action = wish.action;
    let reason = match (judge(signer.policies(world), &ask), control_verdict(world, signer, &ask)) {
        (_, Verdict::Denied) => "with an explicit deny in a service control policy".to_owned(),
        (Verdict::Denied, _) => "with an explicit deny in an identity-based policy".to_owned(),
        (_, Verdict::NotAllowed) => format!("because no service control policy allows the {action} action"),
        (Verdict::NotAllowed, _) => format!("because no identity-based policy allows the {action} action"),
        (Verdict::Allowed, Verdict::Allowed) => return Ok(()),
    };
    let on = wish.shown.map(|shown| format!(" on resource: {shown}")).unwrap_or_default();
    let arn = signer.arn(world);
    Err(Failure::denied(format!("User: {arn} is not authorized to perform: {action}{on} {reason}")))
}

/// Service control policies bind every account but the management account; none at all means all is allowed.
pub fn control_verdict(world: &World, signer: &Signer, ask: &Ask) -> Verdict {
    let policies = &world.account(&signer.account).control_policies;
    let manages = world.organization.as_ref().is_some_and(|it| it.management == signer.account);
    if policies.is_empty() || manages { Verdict::Allowed } else { judge(policies, ask) }
}
