//! Fail closed: every read of the purge, failing in every way, leaves alone what depends on it, is named, and is no
//! success; and what passes is read again.

use std::sync::Arc;

use super::compare::Table;
use super::stage::Stage;
use super::trial::{Case, Seen, World, play_all, seen};
use crate::sandbox::{Fault, When};

/// One user to disable, with two keys and in two groups; one to delete; one whose record is missing; two exempt.
pub const GROUPS: World = World {
    text: r#"
        title = "a group with exemptions"
        why = ""
        [[user]]
        name = "alice"
        groups = ["Developers", "Second"]
        keys = [{ label = "a1", age = "6d" }, { label = "a2", age = "7d" }]
        [[user]]
        name = "bob"
        groups = ["Developers", "Second"]
        tags = { "keyrot-me/disabled/{b1}" = "first={now-8d} last={now-8d} n=1" }
        keys = [{ label = "b1", age = "60d", status = "Inactive" }, { label = "b2", age = "1d" }]
        [[user]]
        name = "carol"
        groups = ["Developers", "Second"]
        keys = [{ label = "c1", age = "60d", status = "Inactive" }, { label = "c2", age = "1d" }]
        [[user]]
        name = "dan"
        groups = ["Developers", "Second"]
        tags = { "keyrot-me/exempt" = "{today+30d} OPS-7 vendor migration" }
        keys = [{ label = "d1", age = "60d" }, { label = "d2", age = "60d", status = "Inactive" }]
        [[user]]
        name = "eve"
        groups = ["Developers", "KeyExempt"]
        keys = [{ label = "e1", age = "60d" }]
        [[user]]
        name = "fay"
        groups = ["KeyExempt"]
        keys = [{ label = "f1", age = "60d" }]
    "#,
    arguments: "--group Developers --exempt-group KeyExempt --exempt-tag --max-age 5d --apply",
    ends: &[("a1", "Inactive"), ("a2", "Inactive"), ("b1", "gone")],
};

const EVERYBODY: World =
    World { arguments: "--all-users --exempt-group KeyExempt --exempt-tag --max-age 5d --apply", ..GROUPS };

const ORGANIZATION: World = World {
    text: r#"
        title = "an organization"
        why = ""
        [organization]
        unit = [{ name = "Top" }, { name = "Below", in = "Top" }, { name = "Beside", in = "Top" }]
        [[account]]
        name = "prod"
        unit = "Below"
        [[account]]
        name = "dev"
        unit = "Below"
        [[user]]
        name = "alice"
        account = "prod"
        groups = ["Developers"]
        keys = [{ label = "p1", age = "6d" }]
        [[user]]
        name = "alice"
        account = "dev"
        groups = ["Developers"]
        keys = [{ label = "v1", age = "6d" }]
    "#,
    arguments: "--org --group Developers --max-age 5d --apply",
    ends: &[("p1", "Inactive"), ("v1", "Inactive")],
};

const UNITS: World = World { arguments: "--org --ou {Top} --group Developers --max-age 5d --apply", ..ORGANIZATION };

/// One read of the purge.
#[derive(Clone, Copy)]
struct Read {
    world: World,
    action: &'static str,
    about: &'static str,
    /// The first of those calls that is this read: the ones before are another's.
    first: usize,
    /// As `first`, where no page holds more than one item.
    first_of_short_pages: usize,
    /// What depends on it.
    leaves: &'static [&'static str],
    /// What the skip names.
    names: &'static str,
}

const fn read(
    world: World,
    action: &'static str,
    about: &'static str,
    leaves: &'static [&'static str],
    names: &'static str,
) -> Read {
    Read { world, action, about, first: 1, first_of_short_pages: 1, leaves, names }
}

/// Read a second time, right before a write.
const fn again(read: Read, first: usize, first_of_short_pages: usize) -> Read {
    Read { first, first_of_short_pages, ..read }
}

const ALL: &[&str] = &["a1", "a2", "b1", "b2", "c1", "c2", "d1", "d2", "e1", "f1"];
const ALICE: &[&str] = &["a1", "a2"];
const BOB: &[&str] = &["b1"];
const CAROL: &[&str] = &["c1"];

/// Lists, which come in pages.
const LISTS: [Read; 14] = [
    read(GROUPS, "GetGroup", "Developers", ALL, "group/Developers"),
    read(GROUPS, "GetGroup", "KeyExempt", ALL, "group/KeyExempt"),
    read(EVERYBODY, "GetGroup", "KeyExempt", ALL, "group/KeyExempt"),
    read(EVERYBODY, "ListUsers", "{home}", ALL, "users"),
    read(GROUPS, "ListAccessKeys", "alice", ALICE, "user/alice"),
    again(read(GROUPS, "ListAccessKeys", "alice", ALICE, "user/alice"), 2, 3),
    again(read(GROUPS, "ListAccessKeys", "bob", BOB, "user/bob"), 2, 3),
    again(read(GROUPS, "ListAccessKeys", "carol", CAROL, "user/carol"), 2, 3),
    read(GROUPS, "ListGroupsForUser", "alice", ALICE, "user/alice"),
    read(GROUPS, "ListGroupsForUser", "bob", BOB, "user/bob"),
    read(GROUPS, "ListGroupsForUser", "carol", CAROL, "user/carol"),
    read(ORGANIZATION, "ListAccounts", "{home}", &["p1", "v1"], "organization"),
    read(UNITS, "ListAccountsForParent", "{Below}", &["p1", "v1"], "organization"),
    read(UNITS, "ListOrganizationalUnitsForParent", "{Top}", &["p1", "v1"], "organization"),
];

const SINGLE: [Read; 11] = [
    read(GROUPS, "GetUser", "alice", ALICE, "user/alice"),
    read(GROUPS, "GetUser", "bob", BOB, "user/bob"),
    read(GROUPS, "GetUser", "dan", &["d1", "d2"], "user/dan"),
    again(read(GROUPS, "GetUser", "alice", ALICE, "user/alice"), 2, 2),
    again(read(GROUPS, "GetUser", "bob", BOB, "user/bob"), 2, 2),
    again(read(GROUPS, "GetUser", "carol", CAROL, "user/carol"), 2, 2),
    read(GROUPS, "GetAccessKeyLastUsed", "{a1}", &["a1"], "key/"),
    read(GROUPS, "GetAccessKeyLastUsed", "{b1}", &["b1"], "key/"),
    read(ORGANIZATION, "AssumeRole", "{dev}", &["v1"], "account/"),
    read(ORGANIZATION, "GetCallerIdentity", "{home}", &["p1", "v1"], "organization"),
    read(ORGANIZATION, "DescribeOrganization", "{home}", &["purger"], "account/"),
];

impl Read {
    fn break_from(&self, stage: &Stage, first: usize, fault: &Fault) {
        let about = stage.fill(self.about).unwrap_or_else(|why| panic!("{why}"));
        stage.sandbox.fault_about(self.action, &about, When::From(first), fault.clone());
    }

    fn break_once(&self, stage: &Stage, fault: &Fault) {
        let about = stage.fill(self.about).unwrap_or_else(|why| panic!("{why}"));
        stage.sandbox.fault_about(self.action, &about, self.first, fault.clone());
    }

    fn case(self, how: &str, break_it: impl Fn(&Stage) + Send + Sync + 'static, rest: Rest) -> Case {
        let told = if self.first > 1 { "read again before the write" } else { "in the scan" };
        Case {
            name: format!("{} of {} ({told}): {how}", self.action, self.about),
            play: Box::new(move |table| self.closed(&seen(&self.world, |stage| break_it(stage)), rest, table)),
        }
    }

    fn closed(&self, seen: &Seen, rest: Rest, table: &mut Table) {
        let signed_out = seen.ran.code == Some(9) && rest == Rest::MayBeLeft;
        if seen.ran.code != Some(20) && !signed_out {
            table.wrong("exit code", "20", format!("{:?}: {}", seen.ran.code, seen.ran.stderr.trim()));
        }
        seen.hold_laws(table);
        if let Some(report) = &seen.report {
            let named = report.skips().any(|(_, skip)| rest == Rest::MayBeLeft || skip.what.contains(self.names));
            if !named {
                let found = report
                    .skips()
                    .map(|(_, skip)| format!("{}: {}", skip.what, skip.cause))
                    .collect::<Vec<_>>()
                    .join("; ");
                table.wrong("left out", format!("… {} …", self.names), found);
            }
        }
        for label in seen.labels() {
            let (untouched, wanted) = (seen.untouched(&label), self.wanted(seen, &label));
            let found = seen.after.status(&label);
            if self.leaves.contains(&label.as_str()) {
                if !untouched {
                    table.wrong(format!("{label} at IAM"), "untouched", found);
                }
            } else if found != wanted && !(untouched && rest == Rest::MayBeLeft) {
                table.wrong(format!("{label} at IAM"), wanted, found);
            }
        }
    }

    fn wanted<'a>(&self, seen: &'a Seen, label: &str) -> &'a str {
        let end = self.world.ends.iter().find(|(known, _)| *known == label);
        end.map_or_else(|| seen.before.status(label), |(_, end)| end)
    }
}

/// What becomes of keys that do not depend on the broken read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    IsDone,
    /// The account as a whole was given up.
    MayBeLeft,
}

fn broken(read: Read, how: &'static str, fault: &Fault, rest: Rest) -> Case {
    let fault = fault.clone();
    read.case(how, move |stage| read.break_from(stage, read.first, &fault), rest)
}

fn every_read(how: &'static str, fault: &Fault, rest: Rest) -> Vec<Case> {
    LISTS.iter().chain(&SINGLE).map(|read| broken(*read, how, fault, rest)).collect()
}

fn code(code: &str) -> Fault {
    Fault::Deny { code: code.to_owned(), message: "by the fault script".to_owned() }
}

#[test]
fn the_worlds_come_out_well_where_nothing_is_broken() {
    let whole = |name: &str, world: World| Case {
        name: name.to_owned(),
        play: Box::new(move |table| {
            let seen = seen(&world, |_| ());
            seen.hold_laws(table);
            seen.ended_well(&world, table);
        }),
    };
    play_all(vec![
        whole("groups", GROUPS),
        whole("everybody", EVERYBODY),
        whole("organization", ORGANIZATION),
        whole("units", UNITS),
    ]);
}

#[test]
fn a_read_that_is_denied_leaves_its_keys_alone() {
    play_all(every_read("denied", &Fault::denied(), Rest::IsDone));
}

#[test]
fn a_read_that_fails_at_the_server_leaves_its_keys_alone() {
    play_all(every_read("500", &Fault::ErrorBefore(500), Rest::IsDone));
}

/// Reads that wait for the program's patience or time-outs, each for many seconds.
pub fn patient() -> Vec<Case> {
    let mut all = every_read("throttled", &Fault::Throttle, Rest::MayBeLeft);
    let one_of_each_kind = [LISTS[0], LISTS[5], LISTS[11], SINGLE[3], SINGLE[6], SINGLE[8]];
    all.extend(one_of_each_kind.map(|read| broken(read, "hangs", &Fault::Hang, Rest::IsDone)));
    all
}

#[test]
fn a_read_whose_answer_is_cut_leaves_its_keys_alone() {
    play_all(every_read("cut", &Fault::CutAnswer, Rest::IsDone));
}

#[test]
fn a_read_that_is_answered_with_garbage_leaves_its_keys_alone() {
    play_all(every_read("garbage", &Fault::Garbage, Rest::IsDone));
}

#[test]
fn a_read_that_is_answered_with_a_web_page_leaves_its_keys_alone() {
    play_all(every_read("html", &Fault::Html, Rest::IsDone));
}

#[test]
fn a_read_that_is_never_answered_leaves_its_keys_alone() {
    play_all(every_read("dropped", &Fault::ActAndDrop, Rest::IsDone));
    play_all(every_read("refused", &Fault::Refuse, Rest::IsDone));
}

#[test]
fn a_read_that_no_longer_takes_the_credentials_leaves_its_keys_alone() {
    play_all(every_read("key not accepted", &code("InvalidClientTokenId"), Rest::MayBeLeft));
    play_all(every_read("session expired", &code("ExpiredToken"), Rest::MayBeLeft));
}

#[test]
fn a_list_whose_second_page_fails_is_no_short_list() {
    let second_page = |read: &Read, empty: bool| {
        let read = *read;
        // Behind an empty page every page comes in two calls.
        let nth = if empty { 2 * read.first_of_short_pages } else { read.first_of_short_pages + 1 };
        let break_it = move |stage: &Stage| {
            stage.sandbox.short_pages(1);
            stage.sandbox.empty_pages(empty);
            read.break_from(stage, nth, &Fault::denied());
        };
        read.case(if empty { "denied behind an empty page" } else { "second page denied" }, break_it, Rest::IsDone)
    };
    play_all(LISTS.iter().flat_map(|read| [second_page(read, false), second_page(read, true)]).collect());
}

#[test]
fn a_list_that_does_not_say_where_it_goes_on_is_no_whole_list() {
    let iam = LISTS.into_iter().filter(|read| !read.leaves.contains(&"p1"));
    play_all(iam.map(|read| broken(read, "lost marker", &Fault::LostMarker, Rest::IsDone)).collect());
}

#[test]
fn what_passes_is_read_again_and_the_purge_is_complete() {
    let passing = [
        ("throttled once", Fault::Throttle),
        ("500 once", Fault::ErrorBefore(500)),
        ("503 once", Fault::ErrorBefore(503)),
        ("dropped once", Fault::ActAndDrop),
        ("refused once", Fault::Refuse),
        ("cut once", Fault::CutAnswer),
    ];
    let case = |read: &Read, how: &str, fault: &Fault| {
        let (read, fault) = (*read, Arc::new(fault.clone()));
        Case {
            name: format!("{} of {}: {how}", read.action, read.about),
            play: Box::new(move |table: &mut Table| {
                let seen = seen(&read.world, |stage| read.break_once(stage, &fault));
                seen.hold_laws(table);
                seen.ended_well(&read.world, table);
            }),
        }
    };
    let reads: Vec<Read> = LISTS.into_iter().chain(SINGLE).collect();
    play_all(reads.iter().flat_map(|read| passing.iter().map(|(how, fault)| case(read, how, fault))).collect());
}

#[test]
fn credentials_that_are_refused_at_the_door_exit_9_and_nothing_is_done() {
    let refused = |how: &'static str, world: World, break_it: fn(&Stage)| Case {
        name: how.to_owned(),
        play: Box::new(move |table: &mut Table| {
            let seen = seen(&world, break_it);
            table.same("exit code", 9, seen.ran.code.unwrap_or(-1));
            for label in seen.labels().into_iter().filter(|label| !seen.untouched(label)) {
                table.wrong(format!("{label} at IAM"), "untouched", seen.after.status(&label));
            }
        }),
    };
    let switch_off = |stage: &Stage| {
        let id = stage.key("purger").map(|key| key.id).unwrap_or_default();
        stage.sandbox.set_status(&id, "Inactive");
    };
    play_all(vec![
        refused("the purge's own key is off, in one account", GROUPS, switch_off),
        refused("the purge's own key is off, in an organization", ORGANIZATION, switch_off),
    ]);
}
