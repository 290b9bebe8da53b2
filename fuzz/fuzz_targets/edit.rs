//! Any bytes as a credentials or config file: the edit keeps its promise, or refuses.
#![no_main]

use keyrot_me::host::aws_ini;
use keyrot_me::keys::{facts, secret};
use libfuzzer_sys::fuzz_target;

#[path = "../../src/host/aws_ini/tests/check.rs"]
mod check;

fuzz_target!(|bytes: &[u8]| {
    for kind in [aws_ini::FileKind::Credentials, aws_ini::FileKind::Config] {
        check::any_bytes(kind, bytes);
    }
});
