//! Crashes and faults of the real program: whatever happens in the middle of a command, no key is lost and the
//! next runs put it right. The measures themselves are in `bench`.

mod bench;
mod calls;
mod system_calls;

use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
