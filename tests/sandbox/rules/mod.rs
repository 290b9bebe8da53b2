//! The sandbox's rules, each held by a test of its own, through the real SDK clients where the program has them.

mod client;
mod faults;
mod signing;
