//! The section of the HTML report that a review adds.
//!
//! The words are `keys`'; here is the drawing of the trend. Nothing here may decide what a review holds.

use askama::Template;

use crate::keys::facts::Time;
use crate::keys::purge::review::{Review, Table};
use crate::keys::words::when;

/// Of the drawing, in its own units.
const WIDTH: u64 = 640;
const HEIGHT: u64 = 120;
/// Around it, so that no point is cut.
const MARGIN: u64 = 6;

#[derive(Template)]
#[template(path = "page_review.html", config = "src/host/report/askama.toml")]
pub struct Section {
    facts: Vec<(&'static str, String)>,
    tables: Vec<Table>,
    trend: Vec<Dot>,
    /// Through all points.
    line: String,
    width: u64,
    height: u64,
}

struct Dot {
    at: String,
    users: u64,
    keys: u64,
    over_limit: u64,
    x: u64,
    y: u64,
}

impl Section {
    pub fn of(review: &Review) -> Self {
        let points = review.trend();
        let most = points.iter().map(|(_, [users, ..])| *users).max().unwrap_or_default().max(1);
        let steps = points.len().saturating_sub(1).max(1) as u64;
        let dot = |(number, (at, [users, keys, over_limit])): (u64, (Time, [u64; 3]))| Dot {
            at: when(at),
            users,
            keys,
            over_limit,
            x: MARGIN + number * (WIDTH - 2 * MARGIN) / steps,
            y: HEIGHT - MARGIN - scaled(users, most),
        };
        let trend: Vec<Dot> = (0..).zip(points).map(dot).collect();
        let line = trend.iter().map(|dot| format!("{},{}", dot.x, dot.y)).collect::<Vec<_>>().join(" ");
        Self { facts: review.facts(), tables: review.tables(), trend, line, width: WIDTH, height: HEIGHT }
    }
}

/// The scale begins at zero: a small step is not to look like a large one.
fn scaled(users: u64, most: u64) -> u64 {
    let share = u128::from(users) * u128::from(HEIGHT - 2 * MARGIN) / u128::from(most);
    u64::try_from(share).unwrap_or_default()
}
