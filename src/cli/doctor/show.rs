//! Findings for people, and for programs. Words and shapes only.

use serde_json::{Value, json};

use crate::cli::args::Output;
use crate::cli::render::print_json;
use crate::host::console::out;
use crate::keys::doctor::{Finding, State, clean};

pub fn show(all: &[Finding], output: Output) -> anyhow::Result<()> {
    if output.json {
        let checks: Vec<Value> = all.iter().map(as_json).collect();
        return print_json(&json!({ "version": 1, "checks": checks, "clean": clean(all) }));
    }
    let several = several_profiles(all);
    for finding in all.iter().filter(|finding| !output.quiet || finding.state != State::Ok) {
        out(format_args!("{:<8} {:<18} {}", finding.state.as_str(), finding.check, what(finding, several)));
        for (label, text) in [("why:", &finding.why), ("fix:", &finding.fix)] {
            if let Some(text) = text {
                out(format_args!("{:<8} {label} {text}", ""));
            }
        }
    }
    out(summary(all));
    Ok(())
}

fn several_profiles(all: &[Finding]) -> bool {
    let mut named: Vec<&String> = all.iter().filter_map(|finding| finding.profile.as_ref()).collect();
    named.dedup();
    named.sort();
    named.dedup();
    named.len() > 1
}

fn what(finding: &Finding, several: bool) -> String {
    match &finding.profile {
        Some(profile) if several => format!("{profile}: {}", finding.what),
        _ => finding.what.clone(),
    }
}

fn summary(all: &[Finding]) -> String {
    let count = |state| all.iter().filter(|finding| finding.state == state).count();
    let (problems, notes) = (count(State::Problem), count(State::Note));
    let words = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    match (problems, notes) {
        (0, 0) => format!("nothing to mend: {} checks", all.len()),
        (0, _) => format!("nothing to mend: {} checks, {}", all.len(), words(notes, "note")),
        _ => format!("{} and {} in {} checks", words(problems, "problem"), words(notes, "note"), all.len()),
    }
}

fn as_json(finding: &Finding) -> Value {
    json!({
        "check": finding.check.as_str(),
        "state": finding.state.as_str(),
        "what": finding.what,
        "why": finding.why,
        "fix": finding.fix,
        "profile": finding.profile,
    })
}
