//! How many calls a purge makes, by action: exactly those of DESIGN section 4's formula, as the sandbox counted them.
//!
//! The real program runs against the sandbox; nothing here uses the program's own code.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use chrono::TimeDelta;

use crate::program;
use crate::sandbox::{ADMINISTRATOR, Sandbox};
use crate::workstation::Ran;

const GROUP: &str = "Developers";
const EXEMPT: &str = "Robots";
/// Days; the limit of every run is thirty.
const OVER_AGE: i64 = 40;

/// So many calls of each action, and none of any other.
type Calls = [(&'static str, usize)];

/// A dry run. Every user has one key.
#[derive(Clone, Copy)]
struct Dry {
    members: usize,
    /// The first of the members, with over-age keys that cost nothing.
    exempt: usize,
    /// Of the others, how many have an over-age key …
    over_age: usize,
    /// … and how many of those keys are Inactive.
    off: usize,
    arguments: &'static str,
    calls: &'static Calls,
}

const NOBODY: Dry = Dry { members: 0, exempt: 0, over_age: 0, off: 0, arguments: "", calls: &[] };

/// One key's write under `--apply`, by what its user is like.
struct Write {
    status: &'static str,
    /// Days since we recorded its disabling.
    recorded: Option<i64>,
    arguments: &'static str,
    /// Beyond the scan's own.
    calls: &'static Calls,
}

#[test]
fn two_thousand_members_cost_1803_calls() {
    const CALLS: &Calls = &[("GetGroup", 3), ("ListAccessKeys", 1_500), ("GetAccessKeyLastUsed", 300)];
    assert_eq!(sum(CALLS), 1_803);
    let arguments = "--group Developers --exempt-group Robots --json";
    dry(&Dry { members: 2_000, exempt: 500, over_age: 300, off: 0, arguments, calls: CALLS });
}

#[test]
fn a_dry_run_makes_the_calls_of_the_formula() {
    let team = Dry { members: 12, over_age: 5, ..NOBODY };
    let cases = [
        // A group is one page at least.
        Dry { arguments: "--group Developers --allow-empty --json", calls: &[("GetGroup", 1)], ..NOBODY },
        Dry {
            members: 1,
            arguments: "--group Developers --json",
            calls: &[("GetGroup", 1), ("ListAccessKeys", 1)],
            ..NOBODY
        },
        // A last use is asked for where the report shows it, or a rule looks at it.
        Dry { arguments: "--group Developers", calls: &[("GetGroup", 1), ("ListAccessKeys", 12)], ..team },
        Dry {
            arguments: "--group Developers --json",
            calls: &[("GetGroup", 1), ("ListAccessKeys", 12), ("GetAccessKeyLastUsed", 5)],
            ..team
        },
        Dry {
            arguments: "--group Developers --report REPORT",
            calls: &[("GetGroup", 1), ("ListAccessKeys", 12), ("GetAccessKeyLastUsed", 5)],
            ..team
        },
        Dry {
            off: 2,
            arguments: "--group Developers --unused-for 10d",
            calls: &[("GetGroup", 1), ("ListAccessKeys", 12), ("GetAccessKeyLastUsed", 3), ("GetUser", 2)],
            ..team
        },
        // An over-age Inactive key has its record read, and with --exempt-tag every over-age key's owner.
        Dry {
            off: 3,
            arguments: "--group Developers",
            calls: &[("GetGroup", 1), ("ListAccessKeys", 12), ("GetUser", 3)],
            ..team
        },
        Dry {
            off: 3,
            arguments: "--group Developers --exempt-tag --json",
            calls: &[("GetGroup", 1), ("ListAccessKeys", 12), ("GetUser", 5), ("GetAccessKeyLastUsed", 5)],
            ..team
        },
        // A dry run tells no owner, and asks for none; a review asks of everybody with keys.
        Dry {
            arguments: "--group Developers --owner-tag owner --notify ses:keys@example.com",
            calls: &[("GetGroup", 1), ("ListAccessKeys", 12)],
            ..team
        },
        Dry {
            off: 3,
            arguments: "--group Developers --report-only --owner-tag owner",
            calls: &[("GetGroup", 1), ("ListAccessKeys", 12), ("GetUser", 12)],
            ..team
        },
        // Exempt members are dropped before any call about them.
        Dry {
            exempt: 7,
            arguments: "--group Developers --exempt-group Robots --json",
            calls: &[("GetGroup", 2), ("ListAccessKeys", 5), ("GetAccessKeyLastUsed", 5)],
            ..team
        },
        Dry {
            members: 4,
            exempt: 4,
            arguments: "--group Developers --exempt-group Robots --json",
            calls: &[("GetGroup", 2)],
            ..NOBODY
        },
        // A user of two groups is looked at once.
        Dry {
            exempt: 7,
            arguments: "--group Developers --group Robots --json",
            calls: &[("GetGroup", 2), ("ListAccessKeys", 12), ("GetAccessKeyLastUsed", 12)],
            ..team
        },
        // The thirteenth user is the one that the purge runs as.
        Dry {
            arguments: "--all-users --json",
            calls: &[("ListUsers", 1), ("ListAccessKeys", 13), ("GetAccessKeyLastUsed", 5)],
            ..team
        },
        Dry {
            exempt: 7,
            arguments: "--all-users --exempt-group Robots",
            calls: &[("GetGroup", 1), ("ListUsers", 1), ("ListAccessKeys", 6)],
            ..team
        },
    ];
    cases.iter().for_each(dry);
}

#[test]
fn a_page_holds_a_thousand_users_and_no_more() {
    let all_exempt =
        |members, arguments, calls| Dry { members, exempt: members, over_age: 0, off: 0, arguments, calls };
    let groups = "--group Developers --exempt-group Robots";
    dry(&all_exempt(1_000, groups, &[("GetGroup", 2)]));
    dry(&all_exempt(1_001, groups, &[("GetGroup", 4)]));
    let all = "--all-users --exempt-group Robots";
    dry(&all_exempt(999, all, &[("GetGroup", 1), ("ListUsers", 1), ("ListAccessKeys", 1)]));
    dry(&all_exempt(1_000, all, &[("GetGroup", 1), ("ListUsers", 2), ("ListAccessKeys", 1)]));
}

#[test]
fn each_write_reads_its_user_again_and_nothing_more() {
    let cases = [
        Write {
            status: "Active",
            recorded: None,
            arguments: "--group Developers",
            calls: &[
                ("GetUser", 1),
                ("ListGroupsForUser", 1),
                ("ListAccessKeys", 1),
                ("UpdateAccessKey", 1),
                ("TagUser", 1),
            ],
        },
        // Who is asked for with everybody and no exempt group has no membership to lose.
        Write {
            status: "Active",
            recorded: None,
            arguments: "--all-users",
            calls: &[("GetUser", 1), ("ListAccessKeys", 1), ("UpdateAccessKey", 1), ("TagUser", 1)],
        },
        // One GetUser is the scan's: for the record of an Inactive key.
        Write {
            status: "Inactive",
            recorded: None,
            arguments: "--group Developers",
            calls: &[("GetUser", 2), ("ListGroupsForUser", 1), ("ListAccessKeys", 1), ("TagUser", 1)],
        },
        Write {
            status: "Inactive",
            recorded: Some(8),
            arguments: "--group Developers",
            calls: &[
                ("GetUser", 2),
                ("ListGroupsForUser", 1),
                ("ListAccessKeys", 1),
                ("DeleteAccessKey", 1),
                ("UntagUser", 1),
            ],
        },
        Write { status: "Inactive", recorded: Some(6), arguments: "--group Developers", calls: &[("GetUser", 1)] },
        // Two writes, and two looks.
        Write {
            status: "Active",
            recorded: None,
            arguments: "--group Developers --grace 0",
            calls: &[
                ("GetUser", 2),
                ("ListGroupsForUser", 2),
                ("ListAccessKeys", 2),
                ("UpdateAccessKey", 1),
                ("TagUser", 1),
                ("DeleteAccessKey", 1),
                ("UntagUser", 1),
            ],
        },
    ];
    cases.iter().for_each(write);
}

/// With a tag that names owners, each user who is warned of a key costs a `GetUser`, where somebody is to be told.
#[test]
fn an_owners_tag_costs_one_call_for_each_user_who_is_warned() {
    let users = [("alice", 29), ("bob", 29), ("carol", 3)];
    for (arguments, asked) in [("--apply", 0), ("--apply --owner-tag owner --notify ses:keys@example.com", 2)] {
        let account = Account::new();
        for (user, age) in users {
            account.add(user, age, "Active");
            account.sandbox.set_tag(user, "owner", "owner@example.com");
        }
        account.group(GROUP, &users.map(|(user, _)| user.to_owned()));
        account.sandbox.verify_identity("example.com");
        account.purge(&format!("--group Developers --warn-before 2d {arguments}"));
        let mut want = expected(&[("GetGroup", 1), ("ListAccessKeys", 3)]);
        if asked > 0 {
            want.extend(expected(&[("GetUser", asked), ("GetSuppressedDestination", 1), ("SendEmail", 1)]));
        }
        assert_eq!(account.counted(), want, "{arguments}");
    }
}

#[track_caller]
fn dry(case: &Dry) {
    let account = Account::new();
    let everybody: Vec<String> = (0..case.members).map(|n| format!("user-{n:04}")).collect();
    for (n, user) in everybody.iter().enumerate() {
        let old = n < case.exempt + case.over_age;
        let off = (case.exempt..case.exempt + case.off).contains(&n);
        account.add(user, if old { OVER_AGE } else { 1 }, if off { "Inactive" } else { "Active" });
    }
    account.group(GROUP, &everybody);
    account.group(EXEMPT, &everybody[..case.exempt]);
    let ran = account.purge(case.arguments);
    assert_eq!(account.counted(), expected(case.calls), "{}: {ran:?}", case.arguments);
    if case.arguments.contains("--json") {
        let told = ran.json();
        assert_eq!((&told["complete"], &told["calls"]), (&true.into(), &sum(case.calls).into()), "{ran:?}");
    }
}

#[track_caller]
fn write(case: &Write) {
    let account = Account::new();
    let id = account.add("bob", OVER_AGE, case.status);
    account.group(GROUP, &["bob".to_owned()]);
    if let Some(days) = case.recorded {
        let at = (account.sandbox.now() - TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:%SZ");
        account.sandbox.set_tag("bob", &format!("keyrot-me/disabled/{id}"), &format!("first={at} last={at} n=1"));
    }
    // The user that the purge runs as is one of all users.
    let scan: &Calls = if case.arguments.contains("--all-users") {
        &[("ListUsers", 1), ("ListAccessKeys", 2)]
    } else {
        &[("GetGroup", 1), ("ListAccessKeys", 1)]
    };
    let ran = account.purge(&format!("{} --apply", case.arguments));
    let mut all = expected(scan);
    case.calls.iter().for_each(|(action, count)| *all.entry((*action).to_owned()).or_default() += count);
    assert_eq!(account.counted(), all, "{} {:?}: {ran:?}", case.arguments, case.recorded);
}

fn sum(calls: &Calls) -> usize {
    calls.iter().map(|(_, count)| count).sum()
}

fn expected(calls: &Calls) -> BTreeMap<String, usize> {
    calls.iter().map(|(action, count)| ((*action).to_owned(), *count)).collect()
}

/// One account, and the user with a long-term key that the purge runs as.
struct Account {
    sandbox: Sandbox,
    home: tempfile::TempDir,
    key: (String, String),
}

impl Account {
    fn new() -> Self {
        let sandbox = Sandbox::start();
        sandbox.add_user("purger");
        sandbox.set_policies("purger", &[ADMINISTRATOR]);
        let key = sandbox.seed_key("purger", sandbox.now() - TimeDelta::days(1), "Active");
        Self { sandbox, home: tempfile::tempdir().unwrap(), key }
    }

    /// A user with one key of so many days; its id.
    fn add(&self, user: &str, age: i64, status: &str) -> String {
        self.sandbox.add_user(user);
        self.sandbox.seed_key(user, self.sandbox.now() - TimeDelta::days(age), status).0
    }

    fn group(&self, name: &str, members: &[String]) {
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        self.sandbox.add_group(name, &members);
    }

    /// To an end that is no failure.
    #[track_caller]
    fn purge(&self, arguments: &str) -> Ran {
        let report = self.home.path().join("report.json");
        let words =
            arguments.split_whitespace().map(|word| if word == "REPORT" { report.as_os_str() } else { word.as_ref() });
        let mut command = Command::new(program());
        command.args(["purge", "--max-age", "30d"]).args(words).env_clear().stdin(Stdio::null());
        command.env("HOME", self.home.path()).env("AWS_REGION", "us-east-1");
        command.env("AWS_ENDPOINT_URL", self.sandbox.url());
        command.env("AWS_ACCESS_KEY_ID", &self.key.0).env("AWS_SECRET_ACCESS_KEY", &self.key.1);
        Ran::from(command.output().unwrap()).expect(0)
    }

    fn counted(&self) -> BTreeMap<String, usize> {
        self.sandbox.calls().into_iter().fold(BTreeMap::new(), |mut counts, call| {
            *counts.entry(call.action).or_default() += 1;
            counts
        })
    }
}
