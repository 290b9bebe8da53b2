//! Runs every scenario file of this folder. Files are found, not listed: a new one needs no Rust.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::compare::{Outcome, Table};
use super::file::{Mistake, Run, Scenario};
use super::hands::{Deed, Hand, perform};
use super::laws;
use super::report::Report;
use super::scene::Scene;
use super::stage::Stage;
use crate::sandbox::Gate;
use crate::workstation::Ran;

const FOLDER: &str = "tests/purge";
/// A part of the names of the files to run; all without it.
const ONLY: &str = "SCENARIO";
/// Much of a scenario is waiting for another process.
const AT_ONCE: usize = 4;

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    files
}

#[test]
fn every_scenario_comes_out_as_its_file_says() {
    let only = std::env::var(ONLY).unwrap_or_default();
    let chosen: Vec<PathBuf> =
        files(Path::new(FOLDER)).into_iter().filter(|path| path.to_string_lossy().contains(&only)).collect();
    assert!(!chosen.is_empty(), "{ONLY}={only} means no file of {FOLDER}");
    let (queue, failures) = (Mutex::new(chosen.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(path) = { queue.lock().unwrap().next() } {
                    let ended = played(path);
                    println!("{} {}", if ended.is_ok() { "ok    " } else { "FAILED" }, path.display());
                    failures.lock().unwrap().extend(ended.err());
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "\n\n{}\n{} of {} scenarios failed",
        failures.join("\n"),
        failures.len(),
        chosen.len()
    );
}

#[test]
fn every_file_of_the_folder_is_a_scenario_that_is_run() {
    let found = files(Path::new(FOLDER));
    assert!(found.len() >= 40, "{}", found.len());
    for entry in std::fs::read_dir(FOLDER).unwrap() {
        let path = entry.unwrap().path();
        let code = path.extension().is_some_and(|end| end == "rs") || path.ends_with("README.md");
        assert!(
            code || found.contains(&path),
            "{} is not run: scenarios are *.toml in {FOLDER} itself",
            path.display()
        );
    }
    let titles: Vec<String> =
        found.iter().map(|path| Scenario::read(path).unwrap_or_else(|it| panic!("{it}")).title).collect();
    for (at, title) in titles.iter().enumerate() {
        assert!(!titles[..at].contains(title), "two scenarios have the title {title:?}");
    }
}

/// Also what panics on the way is this file's failure alone.
fn played(path: &Path) -> Result<(), String> {
    let play = || Scenario::read(path).and_then(|scenario| play(&scenario));
    match catch_unwind(AssertUnwindSafe(play)) {
        Ok(ended) => ended.map_err(|why| format!("{}: {why}\n", path.display())),
        Err(_) => Err(format!("{}: the test itself failed, see its message above\n", path.display())),
    }
}

fn play(scenario: &Scenario) -> Result<(), Mistake> {
    let stage = Stage::new(scenario)?;
    for (at, run) in scenario.runs.iter().enumerate() {
        let table = one_run(&stage, run)?;
        if !table.0.is_empty() {
            let (title, why) = (&scenario.title, scenario.why.trim());
            let (number, of) = (at + 1, scenario.runs.len());
            let named = if run.title.is_empty() { String::new() } else { format!(" ({})", run.title) };
            let head = format!("{title}\n{why}\nrun {number} of {of}{named}: keyrot-me purge {}", run.arguments);
            return Err(Mistake(format!("{head}\n{}", table.text())));
        }
    }
    Ok(())
}

/// One run, with everything that others do, and what is wrong with it.
fn one_run(stage: &Stage, run: &Run) -> Result<Table, Mistake> {
    if let Some(after) = run.after {
        stage.sandbox.advance(after.0.to_std().map_err(|why| Mistake(why.to_string()))?);
    }
    let hands: Vec<Hand> = run.hands.iter().map(Hand::read).collect::<Result<_, _>>()?;
    for hand in hands.iter().filter(|hand| hand.moment.is_none()) {
        hand.deed.done(stage)?;
    }
    let run = filled(stage, run)?;
    run.faults.iter().try_for_each(|fault| stage.add_fault(fault))?;
    let mut words = stage.words(&run.arguments)?;
    let reports = reports(stage, &run);
    words.push("--json".to_owned());
    words.extend(reports.iter().flat_map(|path| ["--report".to_owned(), path.display().to_string()]));
    let before = Scene::of(stage);
    stage.sandbox.clear_calls();
    let (ran, others) = run_with_hands(stage, &words, &hands)?;
    stage.sandbox.clear_faults();
    let after = Scene::of(stage);
    let mut table = Table::default();
    if ran.code != Some(run.exit) {
        let found = ran.code.map_or("none: it was killed".to_owned(), |code| code.to_string());
        table.wrong("exit code", run.exit.to_string(), format!("{found}: {}", ran.stderr.trim()));
    }
    laws::of_secrets(&secrets(stage), &[("standard output", &ran.stdout), ("standard error", &ran.stderr)], &mut table);
    if ran.code == Some(2) {
        table.same("calls of a run that was refused", 0, stage.sandbox.calls().len());
        return Ok(table);
    }
    let report = match Report::read(&ran.stdout) {
        Ok(report) => report,
        Err(why) => {
            table.wrong("report", "one JSON object", format!("{why}\n{}", ran.stderr));
            return Ok(table);
        }
    };
    if others != Others::APurge {
        laws::of_calls(&words, &stage.sandbox.calls(), &mut table);
    }
    laws::of_report(&words, &report, &ran, &mut table);
    laws::of_request_ids(&report, &stage.sandbox.calls(), &mut table);
    let names = stage.names();
    Outcome { run: &run, names: &names, ran: &ran, report: &report, before: &before, after: &after, others }
        .compare(&mut table);
    drop(names);
    look_at_reports(stage, &reports, &report, &mut table);
    Ok(table)
}

/// Placeholders in names of tags stand for what they mean at the time of the run.
fn filled(stage: &Stage, run: &Run) -> Result<Run, Mistake> {
    let mut filled = run.clone();
    filled.tags.clear();
    for (user, wanted) in &run.tags {
        let mut tags = BTreeMap::new();
        for (name, value) in wanted {
            tags.insert(stage.fill(name)?, stage.fill(value)?);
        }
        filled.tags.insert(user.clone(), tags);
    }
    Ok(filled)
}

/// What others did in the middle of a run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Others {
    Nothing,
    Something,
    /// Its calls stand among the run's own.
    APurge,
}

/// Also what others did in the middle of the run.
fn run_with_hands(stage: &Stage, words: &[String], hands: &[Hand]) -> Result<(Ran, Others), Mistake> {
    let mut gated: Vec<(&Hand, Gate)> = Vec::new();
    for hand in hands {
        gated.extend(hand.gate(stage)?.map(|gate| (hand, gate)));
    }
    let others = match gated.iter().any(|(hand, _)| matches!(hand.deed, Deed::Purge(_))) {
        true => Others::APurge,
        false if gated.is_empty() => Others::Nothing,
        false => Others::Something,
    };
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let over = &over;
        let busy: Vec<_> =
            gated.into_iter().map(|(hand, gate)| scope.spawn(move || perform(hand, gate, stage, over))).collect();
        let ran = stage.run(words);
        over.store(true, Ordering::SeqCst);
        let done: Result<(), Mistake> = busy.into_iter().try_for_each(|hand| hand.join().unwrap());
        done.map(|()| (ran, others))
    })
}

fn reports(stage: &Stage, run: &Run) -> Vec<PathBuf> {
    let names = ["purge.json", "purge.csv", "purge.html"].iter().filter(|_| run.reports);
    names.map(|name| stage.home.path().join(name)).collect()
}

/// The files say what standard output said.
fn look_at_reports(stage: &Stage, paths: &[PathBuf], report: &Report, table: &mut Table) {
    for path in paths {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for line in &report.keys {
            if !text.contains(&line.access_key_id) {
                table.wrong(&name, format!("a line on {}", line.access_key_id), "none");
            }
        }
        laws::of_secrets(&secrets(stage), &[(&name, &text)], table);
        if path.extension().is_some_and(|end| end == "json") {
            match Report::read(&text) {
                Ok(written) => {
                    let words = |of: &Report| of.keys.iter().map(super::report::KeyLine::words).collect::<Vec<_>>();
                    table.same(&name, format!("{:?}", words(report)), format!("{:?}", words(&written)));
                    table.same(format!("{name}: complete"), report.complete, written.complete);
                }
                Err(why) => table.wrong(&name, "the report as documented", why.to_string()),
            }
        }
    }
}

fn secrets(stage: &Stage) -> Vec<String> {
    let keys = stage.sandbox.users().into_iter();
    let mut all: Vec<String> = keys
        .flat_map(|(account, user)| stage.sandbox.keys_of((account.as_str(), user.as_str())))
        .map(|key| key.secret)
        .collect();
    all.extend(stage.secrets());
    all
}
