//! Who is told what by mail: one letter for each owner with all of its keys, and none to any owner where there would be
//! more letters than the limit.
//!
//! Pure. What is kept does not grow with the keys: rows up to the limit, then counts.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::told::Told;

/// Keys that one message lists; the report has all of them.
pub const MOST_KEYS: usize = 100;

/// Keys of one message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// With the reason why it goes to the team, where it does.
    pub keys: Vec<(Told, Option<String>)>,
    /// Beyond [`MOST_KEYS`].
    pub more: u64,
}

impl Batch {
    pub fn add(&mut self, told: Told, reason: Option<String>) {
        if self.keys.len() < MOST_KEYS {
            self.keys.push((told, reason));
        } else {
            self.more += 1;
        }
    }

    pub fn append(&mut self, other: Self, reason: Option<&str>) {
        self.more += other.more;
        for (told, own) in other.keys {
            self.add(told, own.or_else(|| reason.map(str::to_owned)));
        }
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.keys.len() as u64 + self.more
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// Letters that were not written since there were too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub owners: u64,
    pub keys: u64,
}

/// The letters of one run, or of one account of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letters {
    most: usize,
    /// By address in small letters; empty once there are too many.
    owners: BTreeMap<String, (String, Batch)>,
    /// A number for each owner: eight bytes, where the rows of one may be thousands.
    known: HashSet<u64>,
    keys: u64,
    /// Keys whose owner is not known, each with the reason.
    pub orphans: Batch,
}

impl Letters {
    /// At most so many owners are written to.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// `owner` is an address, or why there is none.
    pub fn add(&mut self, owner: Result<String, String>, told: Told) {
        match owner {
            Ok(address) => {
                let name = address.to_lowercase();
                self.keys += 1;
                self.count(number(&name));
                if !self.too_many() {
                    self.owners.entry(name).or_insert_with(|| (address, Batch::default())).1.add(told, None);
                }
            }
            Err(why) => self.orphans.add(told, Some(why)),
        }
    }

    pub fn append(&mut self, other: Self) {
        self.keys += other.keys;
        other.known.into_iter().for_each(|owner| self.count(owner));
        self.orphans.append(other.orphans, None);
        if !self.too_many() {
            for (name, (address, batch)) in other.owners {
                self.owners.entry(name).or_insert_with(|| (address, Batch::default())).1.append(batch, None);
            }
        }
    }

    fn count(&mut self, owner: u64) {
        self.known.insert(owner);
        if self.too_many() {
            self.owners.clear();
        }
    }

    fn too_many(&self) -> bool {
        self.known.len() > self.most
    }

    #[must_use]
    pub fn held(&self) -> Option<Held> {
        self.too_many().then_some(Held { owners: self.known.len() as u64, keys: self.keys })
    }

    /// Address and keys of each owner that is written to.
    pub fn into_owners(self) -> impl Iterator<Item = (String, Batch)> {
        self.owners.into_values()
    }
}

fn number(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// Keys that get a ticket each, or none of them where there are too many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tickets {
    most: usize,
    keys: Vec<Told>,
    count: u64,
}

impl Tickets {
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    pub fn add(&mut self, told: Told) {
        self.count += 1;
        if self.keys.len() < self.most {
            self.keys.push(told);
        } else {
            self.keys.clear();
        }
    }

    /// How many were held back.
    #[must_use]
    pub fn held(&self) -> u64 {
        if self.count > self.most as u64 { self.count } else { 0 }
    }

    #[must_use]
    pub fn keys(&self) -> &[Told] {
        if self.held() > 0 { &[] } else { &self.keys }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::keys::facts::{KeyId, Time};
    use crate::keys::notice::told::Event;

    fn told(n: usize) -> Told {
        let at: Time = "2026-11-20T23:55:00Z".parse().unwrap();
        Told {
            account: "111122223333".to_owned(),
            user: format!("user-{n}"),
            key: KeyId::new(format!("AKIAEXAMPLE{n:09}")).unwrap(),
            created: at - TimeDelta::days(9),
            age: TimeDelta::days(9),
            event: Event::Disabled,
            at,
            then: None,
            note: None,
        }
    }

    fn letters(most: usize, owners: impl IntoIterator<Item = &'static str>) -> Letters {
        let mut letters = Letters::new(most);
        owners.into_iter().enumerate().for_each(|(n, owner)| letters.add(Ok(owner.to_owned()), told(n)));
        letters
    }

    #[test]
    fn an_owner_gets_one_letter_with_all_keys_whatever_the_case_of_its_address() {
        let letters = letters(1, ["a@b.example", "A@b.Example", "a@b.example"]);
        assert_eq!(letters.held(), None);
        let sent: Vec<_> = letters.into_owners().collect();
        assert_eq!((sent.len(), sent[0].0.as_str(), sent[0].1.count()), (1, "a@b.example", 3));
    }

    #[test]
    fn above_the_limit_nobody_is_written_to_and_all_are_counted() {
        let mut over = letters(2, ["a@b.example", "b@b.example", "c@b.example", "a@b.example"]);
        assert_eq!(over.held(), Some(Held { owners: 3, keys: 4 }));
        over.add(Ok("d@b.example".to_owned()), told(9));
        assert_eq!(over.held(), Some(Held { owners: 4, keys: 5 }));
        assert_eq!(over.into_owners().count(), 0);
        assert_eq!(letters(2, ["a@b.example", "b@b.example"]).into_owners().count(), 2);
    }

    #[test]
    fn letters_of_accounts_add_up_to_those_of_the_run() {
        let (one, two) = (letters(3, ["a@b.example", "b@b.example"]), letters(3, ["b@b.example", "c@b.example"]));
        let mut all = Letters::new(3);
        all.append(one.clone());
        all.append(two.clone());
        assert_eq!(all.held(), None);
        let counts: Vec<_> = all.into_owners().map(|(address, batch)| (address, batch.count())).collect();
        assert_eq!(
            counts,
            [("a@b.example", 1), ("b@b.example", 2), ("c@b.example", 1)].map(|(a, n)| (a.to_owned(), n))
        );
        let mut few = Letters::new(2);
        few.append(one);
        few.append(two);
        assert_eq!(few.held(), Some(Held { owners: 3, keys: 4 }));
    }

    #[test]
    fn a_letter_lists_a_hundred_keys_and_counts_the_others() {
        let mut letters = Letters::new(1);
        (0..MOST_KEYS + 7).for_each(|n| letters.add(Err("unknown".to_owned()), told(n)));
        assert_eq!((letters.orphans.keys.len(), letters.orphans.more), (MOST_KEYS, 7));
        assert_eq!(letters.orphans.count(), 107);
    }

    #[test]
    fn tickets_are_all_sent_or_none() {
        let mut tickets = Tickets::new(2);
        (0..2).for_each(|n| tickets.add(told(n)));
        assert_eq!((tickets.keys().len(), tickets.held()), (2, 0));
        (2..6).for_each(|n| tickets.add(told(n)));
        assert_eq!((tickets.keys().len(), tickets.held()), (0, 6));
    }
}
