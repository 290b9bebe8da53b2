//! The log of every call, as it arrived and as it ended. No secret, no token, no one-time code gets in.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::clock::Time;
use super::sigv4::Signature;
use super::wire::{Request, Service};

#[derive(Clone, Debug)]
pub struct Call {
    pub number: u64,
    pub service: Service,
    pub action: String,
    /// Whose key the request claims to be signed with; empty if none.
    pub key_id: String,
    /// Whose account that key belongs to; empty if it is not known.
    pub account: String,
    pub region: String,
    pub parameters: BTreeMap<String, String>,
    /// "OK", an AWS error code, the name of a fault that kept the answer away, or "…" while it is being served.
    pub outcome: String,
    pub user_agent: String,
    pub at: Time,
}

#[derive(Default)]
pub struct Calls(Mutex<(u64, Vec<Call>)>);

impl Calls {
    pub fn begin(&self, request: &Request, at: Time, account_of: impl Fn(&str) -> Option<String>) -> Call {
        let signature = Signature::parse(&request.http).ok();
        let key_id = signature.as_ref().map(|it| it.key_id.clone()).unwrap_or_default();
        let account = account_of(&key_id).unwrap_or_default();
        let mut log = self.0.lock().unwrap();
        log.0 += 1;
        let call = Call {
            number: log.0,
            service: request.service,
            action: request.action.clone(),
            key_id,
            account,
            region: signature.map(|it| it.region).unwrap_or_default(),
            parameters: request.kept_params(),
            outcome: "…".to_owned(),
            user_agent: request.user_agent.clone(),
            at,
        };
        log.1.push(call.clone());
        call
    }

    pub fn end(&self, number: u64, outcome: &str) {
        let mut log = self.0.lock().unwrap();
        // In the order of their numbers, as they came; cleared calls are not there any more.
        if let Ok(at) = log.1.binary_search_by_key(&number, |call| call.number) {
            outcome.clone_into(&mut log.1[at].outcome);
        }
    }

    pub fn all(&self) -> Vec<Call> {
        self.0.lock().unwrap().1.clone()
    }

    /// How many calls of this action there were.
    pub fn count(&self, action: &str) -> usize {
        self.0.lock().unwrap().1.iter().filter(|call| call.action == action).count()
    }

    pub fn clear(&self) {
        self.0.lock().unwrap().1.clear();
    }
}
