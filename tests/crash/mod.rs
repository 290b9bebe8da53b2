//! Crashes and faults of the real program: whatever happens in the middle of a command, no key is lost and the
//! next runs put it right. The tools are in `bench`, what must hold
//! in `invariants`.

mod bench;
mod calls;
mod company;
mod disk;
mod disks;
mod import;
mod invariants;
mod keychain;
mod lost_create;
mod outsiders;
mod service;
mod system_calls;

pub use bench::under;
pub use system_calls::can_trace;

use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
