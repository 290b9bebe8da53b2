//! The fault script: which call of which action goes wrong, and how. It only decides; `flow` carries it out.

use std::sync::Mutex;
use std::time::Duration;

use super::aim::{Aim, Hit};
use super::calls::Call;

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
    /// The answer is one of IAM's lists, says that it goes on, and does not say where.
    LostMarker,
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

#[derive(Default)]
pub struct FaultScript(Mutex<Vec<Entry>>);

struct Entry {
    aim: Aim,
    fault: Fault,
}

impl FaultScript {
    pub fn add(&self, aim: Aim, fault: Fault) {
        self.0.lock().unwrap().push(Entry { aim, fault });
    }

    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// Counts this call everywhere it counts. A numbered entry goes before a standing one, an older before a newer.
    pub fn next(&self, call: &Call) -> Option<Fault> {
        let mut entries = self.0.lock().unwrap();
        let (mut numbered, mut standing) = (None, None);
        entries.retain_mut(|entry| {
            let hit = entry.aim.count(call);
            match hit {
                Hit::No => {}
                Hit::Last => _ = numbered.get_or_insert_with(|| entry.fault.clone()),
                Hit::Standing => _ = standing.get_or_insert_with(|| entry.fault.clone()),
            }
            hit != Hit::Last
        });
        numbered.or(standing)
    }
}
