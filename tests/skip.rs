//! What a test says when this machine cannot show what it is for: in words, and counted.

use std::sync::atomic::{AtomicUsize, Ordering};

static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// `why` names what is missing, such as `needs ptrace: the sweep over system calls`.
pub fn skip(why: &str) {
    let so_far = SKIPPED.fetch_add(1, Ordering::SeqCst) + 1;
    println!("skipped: {why} ({so_far} skipped so far)");
}
