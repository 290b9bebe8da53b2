//! Figures for the note: cold start, time, memory. Run by hand, with a release build named by `KEYROT_PURGE_LAMBDA`.

use std::time::Instant;

use serde_json::json;

use super::Rig;

/// The most that a process had in memory, in KiB (proc(5), `VmHWM`).
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
#[ignore = "measures: KEYROT_PURGE_LAMBDA=target/release/purge-lambda cargo test … figures -- --ignored --nocapture"]
fn cold_start_time_and_memory() {
    for (accounts, users) in [(0, 0), (1, 4), (20, 4), (20, 50), (100, 4)] {
        let rig = Rig::new(accounts, users);
        let runtime = rig.start();
        let began = Instant::now();
        let answer = runtime.invoke(&json!({"run": "friday"})).answer();
        let (took, memory, start) = (began.elapsed(), peak(runtime.pid()), runtime.cold_start);
        assert_eq!((&answer["complete"], &answer["done"]["disable"]), (&json!(true), &json!(accounts * users)));
        println!(
            "{accounts} accounts of {users} users: asks for events after {start:?}, answers in {took:?}, {} calls, {memory} KiB",
            rig.sandbox.calls().len()
        );
    }
}
