//! What people read of a review on standard output. Words only; nothing is decided here.

use super::people::show;
use crate::keys::purge::review::{Review, Table};
use crate::keys::words::when;

/// Rows of one list that are shown; reports hold more.
const MOST_SHOWN: usize = 20;
/// From nothing to the most.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

pub fn tell(review: &Review) {
    show("review");
    for (label, value) in review.facts() {
        show(format_args!("  {label:<16} {value}"));
    }
    review.tables().iter().for_each(list);
    trend(review);
}

fn list(table: &Table) {
    let count = table.rows.len() as u64 + table.more;
    if table.rows.is_empty() {
        show(format_args!("{}: {}", table.title, table.instead.trim_end_matches('.').to_lowercase()));
        return;
    }
    show(format_args!("{}: {count}", table.title));
    for row in table.rows.iter().take(MOST_SHOWN) {
        show(format_args!("  {}", row.join("  ")));
    }
    let shown = table.rows.len().min(MOST_SHOWN) as u64;
    if count > shown {
        show(format_args!("  and {} more: see --report", count - shown));
    }
}

fn trend(review: &Review) {
    let points = review.trend();
    let (Some((first, _)), true) = (points.first(), points.len() > 1) else { return };
    let users: Vec<u64> = points.iter().map(|(_, [users, ..])| *users).collect();
    let most = users.iter().max().copied().unwrap_or_default().max(1);
    let bar = |users: &u64| BARS[usize::try_from(users * 7 / most).unwrap_or_default().min(7)];
    let bars: String = users.iter().map(bar).collect();
    let numbers = users.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
    show(format_args!("IAM users with keys since {}: {bars} {numbers}", when(*first)));
}
