//! The fault script: which call of which action goes wrong, and how. It only decides; `flow` carries it out.

use std::sync::Mutex;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is reset; nothing happened.
    Refuse,
    /// 500 or 503; nothing happened.
    ErrorBefore(u16),
    /// 500 or 503, but it happened.
    ErrorAfter(u16),
    /// It happened, and the connection closes without an answer.
    ActAndDrop,
    /// No answer ever; nothing happened.
    Hang,
    /// No answer ever, but it happened.
    ActAndHang,
    /// A late answer; it happens after the delay.
    Delay(Duration),
    Throttle,
    /// 403 with this code and message; nothing happened.
    Deny {
        code: String,
        message: String,
    },
    /// It happened, and the answer is 200 with a body that is no answer.
    Garbage,
    /// It happened, and the connection closes in the middle of the answer.
    CutAnswer,
    /// It happened, and the answer is 200 with the first half of the document, sent as if it were all.
    HalfAnswer,
    /// 200 and a web page, as a captive portal gives; nothing happened.
    Html,
    /// The client process is killed; nothing happened.
    KillBefore,
    /// It happened, and the client process is killed before it hears so.
    KillAfter,
}

impl Fault {
    pub fn denied() -> Fault {
        Fault::Deny { code: "AccessDenied".to_owned(), message: "denied by the fault script".to_owned() }
    }
}

/// Which future call of an action: the n-th counted from now (1 is the next), or every one.
#[derive(Clone, Copy, Debug)]
pub enum When {
    Nth(usize),
    Always,
}

pub use When::Always;

impl From<usize> for When {
    fn from(n: usize) -> When {
        assert!(n > 0, "calls are counted from 1");
        When::Nth(n)
    }
}

#[derive(Default)]
pub struct FaultScript(Mutex<Vec<Entry>>);

struct Entry {
    action: String,
    when: When,
    fault: Fault,
}

impl FaultScript {
    /// The action `*` is any.
    pub fn add(&self, action: &str, when: When, fault: Fault) {
        self.0.lock().unwrap().push(Entry { action: action.to_owned(), when, fault });
    }

    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// Counts this call everywhere it counts. A numbered entry goes before a standing one, an older before a newer.
    pub fn next(&self, action: &str) -> Option<Fault> {
        let mut entries = self.0.lock().unwrap();
        let (mut numbered, mut standing) = (None, None);
        entries.retain_mut(|entry| {
            if entry.action != action && entry.action != "*" {
                return true;
            }
            match &mut entry.when {
                Always => {
                    standing.get_or_insert_with(|| entry.fault.clone());
                    true
                }
                When::Nth(1) => {
                    numbered.get_or_insert_with(|| entry.fault.clone());
                    false
                }
                When::Nth(left) => {
                    *left -= 1;
                    true
                }
            }
        });
        numbered.or(standing)
    }
}
