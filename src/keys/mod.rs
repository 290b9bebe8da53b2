//! The rules of access keys: pure data and pure functions.
//!
//! Nothing here may read a clock, a file, the environment or the network, or know the SDK.

pub mod countdown;
pub mod doctor;
pub mod facts;
pub mod health;
pub mod journal;
pub mod lifecycle;
pub mod notice;
pub mod pasted;
pub mod policy;
pub mod preview;
pub mod purge;
pub mod reminder;
pub mod rotation;
pub mod secret;
pub mod short;
pub mod timetable;
pub mod words;
