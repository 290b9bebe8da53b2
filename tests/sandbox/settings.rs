//! What tests can set about the rules: delays, lags, pages, rates. Plain data; `mod` holds the methods that set it.

use std::collections::HashMap;

use chrono::TimeDelta;

use super::wire::Service;

/// How a new key becomes known to one service.
#[derive(Clone, Default)]
pub struct Propagation {
    pub delay: TimeDelta,
    /// Whether call n (from 0) is accepted; calls beyond the list are.
    pub script: Vec<bool>,
}

pub struct Settings {
    pub propagation: HashMap<Service, Propagation>,
    pub revocation_delay: TimeDelta,
    pub stale_lists: TimeDelta,
    pub sessions_die_with_their_key: bool,
    pub page_limit: Option<usize>,
    pub empty_pages: bool,
    pub last_used_lag: TimeDelta,
    pub trail_delay: TimeDelta,
    /// Calls per second and burst, per account.
    pub rates: HashMap<Service, (f64, f64)>,
    /// None: any clock is right.
    pub clock_tolerance: Option<TimeDelta>,
    pub account_fields: AccountFields,
}

/// `Status` is being replaced by `State`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum AccountFields {
    Both,
    StatusOnly,
    StateOnly,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            propagation: HashMap::new(),
            revocation_delay: TimeDelta::zero(),
            stale_lists: TimeDelta::zero(),
            sessions_die_with_their_key: false,
            page_limit: None,
            empty_pages: false,
            last_used_lag: TimeDelta::zero(),
            trail_delay: TimeDelta::minutes(5),
            rates: HashMap::new(),
            clock_tolerance: Some(TimeDelta::minutes(5)),
            account_fields: AccountFields::Both,
        }
    }
}
