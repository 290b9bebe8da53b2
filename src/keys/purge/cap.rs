//! How much of one account a run may disable and delete.
//!
//! Pure; decided after the account's scan and before its first write (DESIGN section 4).

use std::str::FromStr;

use super::super::facts::NotValid;

/// Percent of the scanned keys that a run may take where nothing else is said.
const DEFAULT_PERCENT: u64 = 25;
/// A small account must be purgeable without a word: so many keys are within the default whatever the share.
const DEFAULT_FLOOR: u64 = 10;

/// `--max-affected`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cap {
    /// 25 % of the scanned keys, and at least 10.
    #[default]
    Default,
    /// Of the scanned keys, rounded down.
    Percent(u64),
    Keys(u64),
}

impl Cap {
    /// How many keys may be disabled and deleted where `scanned` were evaluated.
    #[must_use]
    pub fn allows(self, scanned: u64) -> u64 {
        match self {
            Self::Default => (scanned * DEFAULT_PERCENT / 100).max(DEFAULT_FLOOR),
            Self::Percent(percent) => scanned * percent / 100,
            Self::Keys(keys) => keys,
        }
    }
}

impl FromStr for Cap {
    type Err = NotValid;

    /// `25%` or a number of keys.
    fn from_str(text: &str) -> Result<Self, NotValid> {
        let not_valid = |why| NotValid { what: "cap", value: text.to_owned(), why };
        let number = |digits: &str| {
            let digits = digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits);
            digits
                .and_then(|digits| digits.parse().ok())
                .ok_or_else(|| not_valid("write it as 25% or as a number of keys"))
        };
        match text.strip_suffix('%') {
            None => Ok(Self::Keys(number(text)?)),
            Some(digits) => match number(digits)? {
                percent @ 0..=100 => Ok(Self::Percent(percent)),
                _ => Err(not_valid("there are no more than 100 %")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_a_quarter_and_never_less_than_ten() {
        for (scanned, allowed) in [(0, 10), (39, 10), (40, 10), (44, 11), (2_000, 500)] {
            assert_eq!(Cap::Default.allows(scanned), allowed, "{scanned}");
        }
        assert_eq!(Cap::Percent(25).allows(7), 1);
        assert_eq!(Cap::Percent(100).allows(7), 7);
        assert_eq!(Cap::Keys(3).allows(7_000), 3);
    }

    #[test]
    fn a_cap_is_a_percentage_or_a_number() {
        assert_eq!("25%".parse(), Ok(Cap::Percent(25)));
        assert_eq!("0".parse(), Ok(Cap::Keys(0)));
        for bad in ["", "%", "101%", "-1", "+5", "1.5", "25 %", "all"] {
            assert!(bad.parse::<Cap>().is_err(), "{bad:?}");
        }
    }
}
