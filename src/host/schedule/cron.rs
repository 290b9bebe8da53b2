//! The crontab line for machines without a scheduler of ours. Text only: nobody's crontab is touched.

use super::Task;

/// To be pasted into `crontab -e`. cron has a `%` mean a line break unless a backslash stands before it (crontab(5)), and
/// hands the rest to `sh`.
pub(super) fn line(task: &Task) -> String {
    let environment = task.environment.iter().map(|(name, value)| format!("{name}={}", shell_words::quote(value)));
    let words = std::iter::once(task.program.to_string_lossy().into_owned()).chain(task.arguments.iter().cloned());
    let words = words.map(|word| shell_words::quote(&word).into_owned());
    let command = environment.chain(words).collect::<Vec<_>>().join(" ");
    format!("{} {} * * * {}", task.at.minute(), task.at.hour(), command.replace('%', "\\%"))
}
