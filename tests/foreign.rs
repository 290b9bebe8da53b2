//! The foreign check: the real program against moto server, an emulator that others wrote, so that the
//! sandbox's reading of AWS is not only ours. It proves the wire (parameters, answers, dates with
//! microseconds, error codes) and, with authentication enforced, every signature that we send.
//!
//! What moto cannot give, and the sandbox must:
//! - A switched-off key still works there: S9b, rollback and `finish` are seen in the lists only.
//! - `GetSessionToken` takes any code and gives everybody the same key, which nothing accepts once
//!   authentication is enforced: codes, devices and sessions are not checked, and with enforcement a
//!   rotation can be signed by the key itself only.
//! - Conditions and `${aws:username}` in policies do not work: no rule that demands MFA.
//! - New keys work at once, lists are never stale, nothing is throttled or cut into pages.
//! - Its refusals of keys, signatures and rights come as `text/html`, with the code wrapped where no SDK but
//!   Python's looks for it. That the program takes them for a proxy's is right; so only that it stops, and that
//!   nothing changes, is checked here, and no create is refused: its answer would count as lost.
//! - No `LookupEvents`: who made a lost key is not to be found out.
//! - A key's age cannot be set over the wire: keys here are seconds old, and limits of seconds make them due.

pub mod moto;
mod purge;
mod rotation;

pub use moto::Moto;
