//! This process: what keeps its memory out of other hands.

/// No core dump, and no debugger of another process of the same user (I3). Best effort: a system that
/// knows neither runs on.
#[cfg(unix)]
pub fn protect() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Windows writes no dumps of a process that has not asked for them.
#[cfg(not(unix))]
pub fn protect() {}
