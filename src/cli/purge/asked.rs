//! What a purge is asked to do, checked before anything is called (exit 2).

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use crate::cli::args::{Notices, Output, Purge};
use crate::cli::error::{Exit, Failure};
use crate::host::owner_map;
use crate::host::report::ReportHeader;
use crate::keys::facts::Time;
use crate::keys::notice::owner::Owners;
use crate::keys::purge::review::Question;
use crate::keys::purge::{Cap, Rules};
use crate::keys::words::duration;
use crate::ports::MemberAccount;
use crate::runner::purge::{Mode, Scope, Settings, Users};

/// Where nothing else is said; a key of a day is not warned of where the limit is shorter.
const WARN_BEFORE: TimeDelta = TimeDelta::hours(24);
/// Throttled calls of one account are repeated so long without a success.
const PATIENCE: TimeDelta = TimeDelta::seconds(20);
/// How far back a review looks, where nothing else is said: it comes each week.
const PERIOD: TimeDelta = TimeDelta::days(7);
/// Each is a role to assume and a few hundred bytes a user; the calls in flight are bounded elsewhere.
const ACCOUNTS_AT_ONCE: usize = 16;

/// The run's settings; `now` in local time.
pub fn settings(args: &Purge, output: Output, now: Time) -> Result<Settings, Failure> {
    let max_age = max_age(args)?;
    names(args)?;
    if args.time_limit.is_some_and(|limit| limit.is_zero()) {
        return Err(refused("--time-limit 0 leaves no time at all", "give it minutes, like 14m"));
    }
    let users = if args.all_users { Users::All } else { Users::Groups(unique(&args.group)) };
    let scope = match (args.org, args.account.is_empty()) {
        (true, _) => Scope::Organization { units: unique(&args.ou) },
        (false, true) => Scope::Own,
        (false, false) => Scope::Accounts(unique(&args.account)),
    };
    if args.external_id.is_some() && scope == Scope::Own && args.role.is_none() {
        return Err(refused(
            "--external-id is for assuming a role, and none is assumed",
            "add --role, --account or --org",
        ));
    }
    Ok(Settings {
        users,
        scope,
        exempt_groups: unique(&args.exempt_group),
        rules: Rules {
            max_age,
            grace: args.grace,
            warn_before: warn_before(args, max_age)?,
            unused_for: args.unused_for,
            exempt_tag: args.exempt_tag,
            own_keys: Vec::new(),
            own_user: None,
            cap: args.max_affected.unwrap_or_default(),
        },
        mode: match (args.report_only, args.apply) {
            (true, _) => Mode::Review,
            (false, true) => Mode::Apply,
            (false, false) => Mode::DryRun,
        },
        report_last_use: output.json || !args.report.is_empty(),
        allow_empty: args.allow_empty,
        owner_tag: args.notices.owner_tag.clone(),
        review: args.report_only.then(|| review(args)).transpose()?,
        only: Vec::new(),
        finished: Vec::new(),
        role: args.role.clone(),
        external_id: args.external_id.clone(),
        deadline: args.time_limit.map(|limit| now + limit),
        accounts_at_once: ACCOUNTS_AT_ONCE,
        patience: PATIENCE,
    })
}

/// What the review is to tell.
fn review(args: &Purge) -> Result<Question, Failure> {
    let period = args.period.unwrap_or(PERIOD);
    if period.is_zero() {
        return Err(refused("--period 0 looks back at nothing", "give it days, like 7d or 30d"));
    }
    Ok(Question { period, owners: owners(args)? })
}

/// Where addresses of owners come from; `None` where nothing says so.
///
/// # Errors
/// [`Failure`] with [`Exit::Usage`] for a map that cannot be used.
pub fn owners(args: &Purge) -> Result<Option<Owners>, Failure> {
    let Notices { owner_tag, owner_address, owner_map, .. } = &args.notices;
    if owner_tag.is_none() && owner_address.is_none() && owner_map.is_none() {
        return Ok(None);
    }
    let map = owner_map.as_deref().map(owner_map::read).transpose();
    let map =
        map.map_err(|problem| refused(problem.to_string(), "a line is like: 111122223333,alice,alice@example.com"))?;
    Ok(Some(Owners { map: map.unwrap_or_default(), template: owner_address.clone() }))
}

fn refused(what: impl Into<String>, next: &str) -> Failure {
    Failure::new(Exit::Usage, what).hint(next)
}

fn max_age(args: &Purge) -> Result<TimeDelta, Failure> {
    match (args.max_age, args.all_keys) {
        (Some(age), false) if age.is_zero() => {
            Err(refused("--max-age 0 takes every key there is", "where that is meant, say so with --all-keys"))
        }
        (Some(age), true) if !age.is_zero() => {
            Err(refused("--all-keys takes every key, and --max-age only some", "leave one of them out"))
        }
        (Some(age), _) => Ok(age),
        (None, _) => Ok(TimeDelta::zero()),
    }
}

fn warn_before(args: &Purge, max_age: TimeDelta) -> Result<TimeDelta, Failure> {
    match args.warn_before {
        Some(before) if before >= max_age && !before.is_zero() => Err(refused(
            format!("--warn-before {} is no shorter than --max-age: every key would be warned of", duration(before)),
            "make it shorter, or 0 for no warnings",
        )),
        Some(before) => Ok(before),
        None if WARN_BEFORE < max_age => Ok(WARN_BEFORE),
        None => Ok(TimeDelta::zero()),
    }
}

/// Names that cannot be (IAM and Organizations API references), and groups that contradict each other.
fn names(args: &Purge) -> Result<(), Failure> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    for group in args.group.iter().chain(&args.exempt_group) {
        if group.is_empty() || group.len() > 128 || !group.bytes().all(known) {
            return Err(refused(
                format!("{group:?} cannot be the name of an IAM group"),
                "names have 1 to 128 letters, digits or _+=,.@-",
            ));
        }
    }
    if let Some(both) = args.group.iter().find(|group| holds(&args.exempt_group, group)) {
        return Err(refused(
            format!("{both:?} is a --group and an --exempt-group: nobody would be left"),
            "name it once",
        ));
    }
    let unit = |id: &str| {
        let tail =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        (id.starts_with("ou-") || id.starts_with("r-")) && id.len() > 5 && tail(id)
    };
    match args.ou.iter().find(|id| !unit(id)) {
        Some(id) => Err(refused(
            format!("{id:?} is not the id of an organizational unit"),
            "it looks like ou-abcd-12345678; the root, r-abcd, is one too",
        )),
        None => Ok(()),
    }
}

/// IAM does not distinguish names by case (API reference, `CreateGroup`); ids have but one.
fn holds(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn unique(names: &[String]) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    names.iter().filter(|name| !name.is_empty()).for_each(|name| {
        if !holds(&once, name) {
            once.push(name.clone());
        }
    });
    once
}

/// What the reports say was asked.
pub fn header(args: &Purge, settings: &Settings, now: Time) -> ReportHeader {
    let rules = &settings.rules;
    let cap = match rules.cap {
        Cap::Default => "25% of the scanned keys, at least 10".to_owned(),
        Cap::Percent(percent) => format!("{percent}%"),
        Cap::Keys(keys) => keys.to_string(),
    };
    let scope = match &settings.scope {
        Scope::Own => "the caller's own account".to_owned(),
        Scope::Accounts(ids) => format!("accounts {}", ids.join(", ")),
        Scope::Listed(members) => format!("accounts {}", ids(members)),
        Scope::Organization { units } if units.is_empty() => "the organization".to_owned(),
        Scope::Organization { units } => format!("the organization below {}", units.join(", ")),
    };
    let users = if args.all_users { "all users".to_owned() } else { format!("members of {}", args.group.join(", ")) };
    let none = |list: &[String]| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
    let max_age = if rules.max_age.is_zero() { "every key".to_owned() } else { duration(rules.max_age) };
    let mut asked = vec![
        ("accounts", scope),
        ("users", users),
        ("age limit", max_age),
        ("grace", duration(rules.grace)),
        ("warned before", duration(rules.warn_before)),
    ];
    asked.extend(rules.unused_for.map(|span| ("only keys not used for", duration(span))));
    asked.push(("exempt groups", none(&settings.exempt_groups)));
    asked.push(("exempt tag counts", if rules.exempt_tag { "yes" } else { "no" }.to_owned()));
    asked.push(("cap for each account", cap.clone()));
    asked.extend(settings.review.as_ref().map(|review| ("looked back", duration(review.period))));
    let facts = asked.into_iter().map(|(label, value)| (label.to_owned(), value)).collect();
    ReportHeader { applied: settings.mode == Mode::Apply, started: now, facts, rules: rules_json(args, settings, &cap) }
}

fn ids(members: &[MemberAccount]) -> String {
    members.iter().map(|member| member.id.as_str()).collect::<Vec<_>>().join(", ")
}

/// The same for programs.
fn rules_json(args: &Purge, settings: &Settings, cap: &str) -> Map<String, Value> {
    let rules = &settings.rules;
    let seconds = |span: TimeDelta| span.num_seconds();
    let all = [
        ("groups", json!(args.group)),
        ("all_users", json!(args.all_users)),
        ("max_age_seconds", json!(seconds(rules.max_age))),
        ("grace_seconds", json!(seconds(rules.grace))),
        ("warn_before_seconds", json!(seconds(rules.warn_before))),
        ("unused_for_seconds", json!(rules.unused_for.map(seconds))),
        ("exempt_groups", json!(settings.exempt_groups)),
        ("exempt_tag", json!(rules.exempt_tag)),
        ("max_affected", json!(cap)),
        ("role", json!(settings.role)),
        ("organization", json!(args.org)),
        ("units", json!(args.ou)),
        ("accounts", json!(args.account)),
        ("report_only", json!(args.report_only)),
    ];
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
