//! AWS as it is on the wire: profiles, endpoints, the calls, and what their errors mean.
//!
//! The only module that knows the SDK. It may import `ports` and `keys`, and never `host`, `cli` or
//! `runner`.

#[cfg(feature = "lambda")]
pub mod bucket;
pub mod credentials;
pub mod directory;
pub mod endpoint;
pub mod error;
pub mod estate;
pub mod http;
pub mod iam;
pub mod post;
pub mod problem;
pub mod profile;
pub mod session;
mod trail;
pub mod webhook;
mod whole;
