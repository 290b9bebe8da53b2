//! The sandbox's rules, each held by a test of its own, through the real SDK clients where the program has them.

mod aims;
pub mod client;
mod faults;
mod keys;
mod limits;
mod mfa;
mod notices;
mod organizations;
mod policies;
mod roles;
mod signing;
mod trail;
mod way_back;
