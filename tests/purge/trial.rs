//! One world, played with something broken in it: what was said, and how keys stood before and after. The many cases
//! of a test go in parallel, and each is named where it fails.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use super::compare::Table;
use super::file::Scenario;
use super::laws;
use super::report::{KeyLine, Report};
use super::scene::Scene;
use super::stage::Stage;
use crate::sandbox::Call;
use crate::workstation::Ran;

/// Cases wait much more than they work: for repetitions, and for time-outs.
const AT_ONCE: usize = 60;

/// Accounts and users as a scenario file tells them, and how the purge is called there.
#[derive(Clone, Copy)]
pub struct World {
    pub text: &'static str,
    pub arguments: &'static str,
    /// How each label ends where nothing is broken; others stay as they were.
    pub ends: &'static [(&'static str, &'static str)],
}

pub struct Seen {
    pub stage: Stage,
    pub ran: Ran,
    pub report: Option<Report>,
    pub before: Scene,
    pub after: Scene,
    pub calls: Vec<Call>,
    pub words: Vec<String>,
}

/// Plays the world once, after `break_it`.
pub fn seen(world: &World, break_it: impl FnOnce(&Stage)) -> Seen {
    let stage = set(world);
    break_it(&stage);
    again(stage, world)
}

pub fn set(world: &World) -> Stage {
    let stage = Scenario::parse(world.text).and_then(|scenario| Stage::new(&scenario));
    stage.unwrap_or_else(|why| panic!("{why}"))
}

/// Plays it on a stage that is there already.
pub fn again(stage: Stage, world: &World) -> Seen {
    seen_while(stage, world.arguments, |_, _| ())
}

/// `meanwhile` gets the process id.
pub fn seen_while(stage: Stage, arguments: &str, meanwhile: impl FnOnce(&Stage, u32)) -> Seen {
    let mut words = stage.words(arguments).unwrap_or_else(|why| panic!("{why}"));
    words.push("--json".to_owned());
    stage.sandbox.clear_calls();
    let before = Scene::of(&stage);
    let ran = stage.run_while(&words, |pid| meanwhile(&stage, pid));
    let after = Scene::of(&stage);
    let (report, calls) = (Report::read(&ran.stdout).ok(), stage.sandbox.calls());
    Seen { stage, ran, report, before, after, calls, words }
}

impl Seen {
    pub fn line(&self, label: &str) -> Option<&KeyLine> {
        let id = self.stage.key(label).ok()?.id;
        self.report.as_ref()?.keys.iter().find(|line| line.access_key_id == id)
    }

    /// Status, and whether there is a record.
    pub fn state<'a>(&self, scene: &'a Scene, label: &str) -> (&'a str, bool) {
        let id = self.stage.key(label).map(|key| key.id).unwrap_or_default();
        (scene.status(label), scene.record(&id).is_some())
    }

    pub fn untouched(&self, label: &str) -> bool {
        self.state(&self.before, label) == self.state(&self.after, label)
    }

    pub fn labels(&self) -> Vec<String> {
        self.stage.names().keys.keys().cloned().collect()
    }

    /// What holds of every run, and that the report tells the truth about every key.
    pub fn hold_laws(&self, table: &mut Table) {
        laws::of_calls(&self.words, &self.calls, table);
        let Some(report) = &self.report else {
            if !self.ran.stdout.is_empty() {
                table.wrong("standard output", "one JSON object or nothing", self.ran.stdout.as_str());
            }
            return;
        };
        laws::of_report(&self.words, report, &self.ran, table);
        laws::of_request_ids(report, &self.calls, table);
        for label in self.labels() {
            let (before, after) = (self.before.status(&label), self.after.status(&label));
            let said = self.line(&label).map_or("nothing".to_owned(), |line| line.words() + &line.remarks());
            let told = |decision: &str| {
                self.line(&label).is_some_and(|line| line.decision == decision && line.result == "done")
            };
            let true_to_life = match (before, after) {
                (_, _) if before == after => !told("disable") && !told("delete"),
                (_, "gone") => told("delete"),
                _ => told("disable"),
            };
            if !true_to_life {
                table.wrong(format!("report on {label}"), format!("{before} before, {after} after"), said);
            }
        }
    }

    /// As where nothing is broken.
    pub fn ended_well(&self, world: &World, table: &mut Table) {
        table.same("exit code", 0, self.ran.code.unwrap_or(-1));
        let ends: BTreeMap<&str, &str> = world.ends.iter().copied().collect();
        for label in self.labels() {
            let wanted = ends.get(label.as_str()).copied().unwrap_or(self.before.status(&label));
            table.same(format!("{label} at IAM"), wanted, self.after.status(&label));
        }
    }
}

pub struct Case {
    pub name: String,
    pub play: Box<dyn Fn(&mut Table) + Send + Sync>,
}

/// Plays all; fails with every case that went wrong.
#[track_caller]
pub fn play_all(cases: Vec<Case>) {
    let number = cases.len();
    assert!(number > 0);
    let (queue, failures) = (Mutex::new(VecDeque::from(cases)), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(number) {
            scope.spawn(|| {
                while let Some(case) = { queue.lock().unwrap().pop_front() } {
                    let failed = failure(&case);
                    failures.lock().unwrap().extend(failed);
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "\n\n{}\n{} of {number} cases failed", failures.join("\n"), failures.len());
}

fn failure(case: &Case) -> Option<String> {
    let mut table = Table::default();
    match catch_unwind(AssertUnwindSafe(|| (case.play)(&mut table))) {
        Ok(()) if table.0.is_empty() => None,
        Ok(()) => Some(format!("{}\n{}", case.name, table.text())),
        Err(_) => Some(format!("{}: panicked, see above", case.name)),
    }
}
