//! What a person reads who is needed: which key, how old, when the purge takes it, why it was not rotated, what to run.
//!
//! Pure. It is shown on a desktop and in logs: ids, names and times, never a secret.

use chrono::TimeDelta;

use super::facts::KeyId;
use super::words::duration;

/// Letters of a key id that tell one key from another.
const TAIL: usize = 4;

/// The purge that takes the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The moment, as the reader's own clock will show it.
    pub at: String,
    /// Not above zero: the limit is reached, and the hour is not known.
    pub left: TimeDelta,
}

impl Taken {
    fn words(&self) -> String {
        if self.left > TimeDelta::zero() {
            format!("the purge takes it on {}, in {}", self.at, duration(self.left))
        } else {
            "it is over the purge's limit: the next purge takes it".to_owned()
        }
    }
}

/// One reason to call for a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reminder {
    pub profiles: Vec<String>,
    /// `None` where the profile could not even be read.
    pub key: Option<KeyId>,
    /// `None` where nobody tells.
    pub age: Option<TimeDelta>,
    pub purge: Option<Taken>,
    /// The purge is near: said in other words.
    pub sharp: bool,
    pub why: String,
    /// What to run, or to do.
    pub next: String,
    /// What is known of the keys that stand in the way.
    pub others: Vec<String>,
}

impl Reminder {
    /// One line, with nothing in it that somebody else has named.
    #[must_use]
    pub fn summary(&self) -> String {
        let Some(key) = &self.key else { return "The rotation of your AWS access key needs you".to_owned() };
        let name = format!("AWS access key …{}", &key.as_str()[key.as_str().len() - TAIL..]);
        match (&self.purge, self.age) {
            (Some(taken), _) if self.sharp && taken.left > TimeDelta::zero() => {
                format!("The purge takes {name} in {}", duration(taken.left))
            }
            (Some(_), _) if self.sharp => format!("The next purge takes {name}"),
            (_, Some(age)) => format!("{name} is {} old: its rotation needs you", duration(age)),
            (_, None) => format!("The rotation of {name} needs you"),
        }
    }

    /// Several lines.
    #[must_use]
    pub fn body(&self) -> String {
        let mut lines = vec![self.who()];
        lines.extend(self.purge.as_ref().map(|taken| sentence(&taken.words())));
        lines.push(format!("Not rotated: {}.", self.why));
        lines.extend(self.others.iter().cloned());
        lines.push(format!("Next: {}", self.next));
        lines.iter().map(|line| plain(line)).collect::<Vec<_>>().join("\n")
    }

    /// The same in one line, for a log.
    #[must_use]
    pub fn line(&self) -> String {
        let mut parts = vec![self.why.clone()];
        if let (Some(key), Some(age)) = (&self.key, self.age) {
            parts.push(format!("{key} is {} old", duration(age)));
        }
        parts.extend(self.purge.as_ref().map(Taken::words));
        parts.extend(self.others.iter().cloned());
        parts.push(format!("next: {}", self.next));
        format!("{}: not rotated: {}", self.profiles.join(", "), parts.join("; "))
    }

    fn who(&self) -> String {
        let kind = if self.profiles.len() == 1 { "Profile" } else { "Profiles" };
        let key = self.key.as_ref().map(|key| format!(", key {key}")).unwrap_or_default();
        let age = self.age.map(|age| format!(", {} old", duration(age))).unwrap_or_default();
        format!("{kind} {}{key}{age}.", self.profiles.join(", "))
    }
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}

/// Names and messages may hold anything: one line stays one line.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reminder() -> Reminder {
        Reminder {
            profiles: vec!["default".into()],
            key: Some(KeyId::new("AKIAIOSFODNN7EXAMPLE").unwrap()),
            age: Some(TimeDelta::days(40)),
            purge: Some(Taken { at: "Fri 2026-11-27 23:55".into(), left: TimeDelta::hours(86) }),
            sharp: false,
            why: "no code".into(),
            next: "run `keyrot-me rotate`".into(),
            others: Vec::new(),
        }
    }

    #[test]
    fn a_reminder_says_which_key_how_old_when_it_goes_and_what_to_run() {
        assert_eq!(reminder().summary(), "AWS access key …MPLE is 40 d old: its rotation needs you");
        assert_eq!(
            reminder().body(),
            "Profile default, key AKIAIOSFODNN7EXAMPLE, 40 d old.\n\
             The purge takes it on Fri 2026-11-27 23:55, in 3 d 14 h.\n\
             Not rotated: no code.\n\
             Next: run `keyrot-me rotate`"
        );
        assert_eq!(
            reminder().line(),
            "default: not rotated: no code; AKIAIOSFODNN7EXAMPLE is 40 d old; the purge takes it on Fri 2026-11-27 23:55, \
             in 3 d 14 h; next: run `keyrot-me rotate`"
        );
    }

    #[test]
    fn the_sharp_one_has_other_words() {
        let mut sharp = Reminder { sharp: true, ..reminder() };
        assert_eq!(sharp.summary(), "The purge takes AWS access key …MPLE in 3 d 14 h");
        sharp.purge = Some(Taken { at: String::new(), left: TimeDelta::zero() });
        assert_eq!(sharp.summary(), "The next purge takes AWS access key …MPLE");
        assert!(
            sharp.body().contains("\nIt is over the purge's limit: the next purge takes it.\n"),
            "{}",
            sharp.body()
        );
    }

    #[test]
    fn what_nobody_tells_is_left_out() {
        let unknown = Reminder { age: None, purge: None, ..reminder() };
        assert_eq!(unknown.summary(), "The rotation of AWS access key …MPLE needs you");
        assert!(unknown.body().starts_with("Profile default, key AKIAIOSFODNN7EXAMPLE.\nNot rotated"));
        let nothing = Reminder { key: None, profiles: vec!["a".into(), "b".into()], ..unknown };
        assert_eq!(nothing.summary(), "The rotation of your AWS access key needs you");
        assert!(nothing.body().starts_with("Profiles a, b.\n"));
    }

    #[test]
    fn a_name_cannot_make_lines() {
        let odd = Reminder { profiles: vec!["a\nNext: run rm\u{1b}[2J".into()], ..reminder() };
        assert_eq!(odd.body().lines().count(), 4);
        assert!(!odd.body().contains('\u{1b}'));
    }
}
