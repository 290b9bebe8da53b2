//! Which calls a fault or a gate is for: an action, whom it is about, and the how-manieth of them. It counts, and
//! knows nothing of what then happens.

use super::calls::Call;

/// Which future call: the n-th counted from now (1 is the next), that and all later ones, or every one.
#[derive(Clone, Copy, Debug)]
pub enum When {
    Nth(usize),
    From(usize),
    Always,
}

pub use When::Always;

impl From<usize> for When {
    fn from(n: usize) -> When {
        assert!(n > 0, "calls are counted from 1");
        When::Nth(n)
    }
}

#[derive(Debug)]
pub struct Aim {
    action: String,
    about: Option<String>,
    when: When,
}

/// What a call is to an aim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    No,
    /// This one alone, and no later one.
    Last,
    Standing,
}

impl Aim {
    /// The action `*` is any. `about` is a user, group, key or parent that the call names, or the account that signs
    /// or is signed in to.
    pub fn new(action: &str, about: Option<&str>, when: When) -> Aim {
        Aim { action: action.to_owned(), about: about.map(str::to_owned), when }
    }

    /// Counts this call, if it is one of those.
    pub fn count(&mut self, call: &Call) -> Hit {
        if !self.means(call) {
            return Hit::No;
        }
        match &mut self.when {
            Always | When::From(0 | 1) => Hit::Standing,
            When::Nth(1) => Hit::Last,
            When::Nth(left) | When::From(left) => {
                *left -= 1;
                Hit::No
            }
        }
    }

    fn means(&self, call: &Call) -> bool {
        let action = self.action == "*" || self.action == call.action;
        action && self.about.as_ref().is_none_or(|about| is_about(call, about))
    }
}

fn is_about(call: &Call, what: &str) -> bool {
    // Only an ARN has colons: there the account stands among the parts.
    let named = call.parameters.values().any(|value| value == what || value.split(':').any(|part| part == what));
    named || call.account == what
}
