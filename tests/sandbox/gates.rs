//! Gates: a call that waits, before it is looked at, until the test lets it go. What happens meanwhile may use the
//! sandbox from anywhere, another client included; a hook cannot do that.

use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::aim::{Aim, Hit};
use super::calls::Call;

#[derive(Default)]
pub struct Gates(Mutex<Vec<Shut>>);

struct Shut {
    aim: Aim,
    arrived: mpsc::Sender<()>,
    opened: oneshot::Receiver<()>,
}

/// The test's end of one gate. Dropped, it is open.
pub struct Gate {
    arrivals: mpsc::Receiver<()>,
    open: oneshot::Sender<()>,
}

impl Gate {
    /// Whether the call came within this time.
    pub fn reached(&self, within: Duration) -> bool {
        self.arrivals.recv_timeout(within).is_ok()
    }

    pub fn open(self) {
        // The client may have gone away.
        let _ = self.open.send(());
    }
}

impl Gates {
    pub fn add(&self, aim: Aim) -> Gate {
        let ((arrived, arrivals), (open, opened)) = (mpsc::channel(), oneshot::channel());
        self.0.lock().unwrap().push(Shut { aim, arrived, opened });
        Gate { arrivals, open }
    }

    /// Returns once every gate for this call is open.
    pub async fn pass(&self, call: &Call) {
        let met: Vec<Shut> = {
            let mut gates = self.0.lock().unwrap();
            gates.extract_if(.., |gate| gate.aim.count(call) != Hit::No).collect()
        };
        for gate in met {
            // Nobody may be waiting for it any more.
            let _ = gate.arrived.send(());
            let _ = gate.opened.await;
        }
    }
}
