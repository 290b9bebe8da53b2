//! A review in words: facts, and tables with their rows, as the page and the screen both show them.
//!
//! Pure. Names, tags and reasons are other people's text: who shows them makes them harmless.

use chrono::TimeDelta;

use super::{Listed, Past, Review, SOON};
use crate::keys::facts::Time;
use crate::keys::words::{duration, when};

/// A list, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// A name for links.
    pub id: &'static str,
    pub title: String,
    pub head: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
    /// Not among the rows.
    pub more: u64,
    /// Shown where there is no row.
    pub instead: &'static str,
}

impl Review {
    /// Label and value, in the order in which they are shown.
    #[must_use]
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let bands = &self.bands;
        let since = self.since.map_or_else(String::new, |since| format!(", since {}", when(since)));
        let mut facts = vec![
            ("period", format!("{}{since}", duration(TimeDelta::seconds(self.period_seconds)))),
            (
                "keys by age",
                format!(
                    "{} under half the limit, {} up to it, {} over it, {} at twice the limit and more",
                    bands.under_half_the_limit, bands.half_to_limit, bands.limit_to_twice, bands.twice_the_limit
                ),
            ),
            ("of them", format!("{} of 90 d and more, {} of 365 d and more", bands.days_90, bands.days_365)),
            ("rotated", format!("{} keys made in the period, the user's only Active ones", self.rotated)),
            ("disabled", format!("{} in the period that are still there, by our records", self.disabled_on_record)),
        ];
        facts.push(("by earlier runs", self.past.as_ref().map_or_else(|| "no --history was given".to_owned(), runs)));
        facts
    }

    /// Every list, the empty ones too.
    #[must_use]
    pub fn tables(&self) -> Vec<Table> {
        let owners = "no --owner-tag, --owner-address or --owner-map was given: not looked for";
        let nobody = if self.without_owner.is_some() { "Every user with keys has one." } else { owners };
        let none = Listed::default();
        let remark = |it: &super::Remark| vec![it.account.clone(), it.user.clone(), it.why.clone()];
        vec![
            table("review-exempt", "Over the limit and exempt".to_owned(), &self.exempt_over_limit, "None.", |it| {
                let until = it.until.map_or_else(|| "as long as the membership lasts".to_owned(), when);
                let age = duration(TimeDelta::seconds(it.age_seconds));
                vec![it.account.clone(), it.user.clone(), it.access_key_id.to_string(), age, it.why.clone(), until]
            })
            .headed(&["Account", "User", "Key", "Age", "Why", "Until"]),
            table(
                "review-ending",
                format!("Exemptions that end within {}", duration(SOON)),
                &self.exemptions_ending,
                "None.",
                |it| vec![it.account.clone(), it.user.clone(), it.reason.clone(), when(it.ends)],
            )
            .headed(&["Account", "User", "Why", "Ends"]),
            table("review-void", "Exemptions that count as none".to_owned(), &self.exemptions_void, "None.", remark)
                .headed(&["Account", "User", "Why"]),
            table(
                "review-owners",
                "Users without an owner's address".to_owned(),
                self.without_owner.as_ref().unwrap_or(&none),
                nobody,
                remark,
            )
            .headed(&["Account", "User", "Why"]),
        ]
    }

    /// The points of the trend, oldest first: when, users with keys, keys, keys over the limit.
    #[must_use]
    pub fn trend(&self) -> Vec<(Time, [u64; 3])> {
        let points = self.past.iter().flat_map(|past| &past.trend);
        points.map(|point| (point.at, [point.users_with_keys, point.keys, point.over_limit])).collect()
    }
}

fn runs(past: &Past) -> String {
    format!("{} with --apply in the period: {} keys disabled, {} deleted", past.runs, past.disabled, past.deleted)
}

fn table<T>(
    id: &'static str,
    title: String,
    list: &Listed<T>,
    instead: &'static str,
    row: impl Fn(&T) -> Vec<String>,
) -> Table {
    Table { id, title, head: Vec::new(), rows: list.entries.iter().map(row).collect(), more: list.more, instead }
}

impl Table {
    fn headed(self, head: &[&'static str]) -> Self {
        Self { head: head.to_vec(), ..self }
    }
}
