//! The sandbox: a stand-in for AWS (IAM, STS, `CloudTrail`, Organizations, SNS, SES, Secrets Manager, S3) on loopback, with
//! AWS's rules, a clock that tests move and a script of faults. It must not use the crate's own code: it stands for AWS, not for us.
//!
//! `Sandbox` owns the server and stops it on drop. Everything else is on `Control`, which `Sandbox` derefs to and which
//! hooks may clone. Settings are in this file, the state tests set and read in `seed`.

mod aim;
mod calls;
mod clock;
mod cloudtrail;
mod faults;
mod flow;
mod gates;
mod iam;
mod iam_keys;
mod iam_users;
mod ids;
mod mail;
mod mfa;
mod organizations;
mod paging;
mod policy;
mod policy_conditions;
mod s3;
mod secrets;
mod seed;
mod seed_keys;
mod seed_notices;
mod seed_org;
mod seed_s3;
mod server;
mod settings;
mod signer;
mod sigv4;
mod sns;
mod sts;
mod throttle;
mod wire;
mod world;

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use aim::{Always, When};
pub use calls::Call;
pub use clock::Time;
pub use cloudtrail::Event;
pub use faults::Fault;
pub use gates::Gate;
pub use mail::Mail;
pub use policy::{
    ADMINISTRATOR, Ask, LOOKUP_EVENTS, MFA_DEMANDED, MFA_DEMANDED_TO_READ, OWN_KEYS, Policy, Verdict, judge,
};
pub use seed::{HOME, UserRef};
pub use seed_keys::KeyState;
pub use sns::Message;
pub use wire::Service;

use aim::Aim;
use clock::{Clock, delta};
use faults::FaultScript;
use gates::Gates;
use server::Server;
pub use settings::AccountFields;
use settings::Settings;
use wire::Http;
use world::World;

pub struct Sandbox {
    server: Server,
    control: Control,
}

#[derive(Clone)]
pub struct Control(Arc<Shared>);

pub struct Shared {
    world: Mutex<World>,
    clock: Clock,
    calls: calls::Calls,
    faults: FaultScript,
    gates: Gates,
    before: Hooks,
    after: Hooks,
    client: Mutex<Option<u32>>,
}

type Hook = Box<dyn FnMut(&Call) + Send>;

/// A hook must not add hooks.
#[derive(Default)]
pub struct Hooks(Mutex<Vec<Hook>>);

impl Hooks {
    /// A hook that panicked must not hide its own message behind a poisoned lock.
    fn all(&self) -> MutexGuard<'_, Vec<Hook>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, call: &Call) {
        self.all().iter_mut().for_each(|hook| hook(call));
    }
}

impl Sandbox {
    /// With one empty account.
    pub fn start() -> Sandbox {
        let shared = Arc::new(Shared {
            world: Mutex::default(),
            clock: Clock::default(),
            calls: calls::Calls::default(),
            faults: FaultScript::default(),
            gates: Gates::default(),
            before: Hooks::default(),
            after: Hooks::default(),
            client: Mutex::default(),
        });
        let sandbox = Sandbox { server: Server::start(Arc::clone(&shared)), control: Control(shared) };
        sandbox.add_account(HOME);
        sandbox
    }

    /// For `AWS_ENDPOINT_URL`: every service is behind it.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// For hooks: a handle that does not keep the server running.
    pub fn control(&self) -> Control {
        self.control.clone()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Hooks may hold a Control, which holds them.
        self.clear_hooks();
    }
}

impl Deref for Sandbox {
    type Target = Control;

    fn deref(&self) -> &Control {
        &self.control
    }
}

/// The clock, the log, faults and hooks.
impl Control {
    pub fn now(&self) -> Time {
        self.0.clock.now()
    }

    /// Clients that sign with real time are refused beyond five minutes; see `accept_any_clock`.
    pub fn advance(&self, by: Duration) {
        self.0.clock.advance(by);
    }

    pub fn set(&self, to: Time) {
        self.0.clock.set(to);
    }

    pub fn calls(&self) -> Vec<Call> {
        self.0.calls.all()
    }

    pub fn count(&self, action: &str) -> usize {
        self.0.calls.count(action)
    }

    pub fn clear_calls(&self) {
        self.0.calls.clear();
    }

    /// The n-th future call of the action (1 is the next one; `*` is any action), or `Always`.
    pub fn fault(&self, action: &str, when: impl Into<When>, fault: Fault) {
        self.0.faults.add(Aim::new(action, None, when.into()), fault);
    }

    /// As `fault`, for the calls that are about this user, group, key, unit or account.
    pub fn fault_about(&self, action: &str, about: &str, when: impl Into<When>, fault: Fault) {
        self.0.faults.add(Aim::new(action, Some(about), when.into()), fault);
    }

    /// Holds the n-th future call of the action, about this user, group, key, unit or account if one is named.
    pub fn gate(&self, action: &str, about: Option<&str>, n: usize) -> Gate {
        self.0.gates.add(Aim::new(action, about, n.into()))
    }

    pub fn throttle_next(&self, action: &str, calls: usize) {
        (1..=calls).for_each(|n| self.fault(action, n, Fault::Throttle));
    }

    pub fn deny(&self, action: &str) {
        self.fault(action, Always, Fault::denied());
    }

    pub fn clear_faults(&self) {
        self.0.faults.clear();
    }

    /// Before the call is looked at, its fault included.
    pub fn on_call(&self, hook: impl FnMut(&Call) + Send + 'static) {
        self.0.before.all().push(Box::new(hook));
    }

    /// After it happened (or was refused) and before it is answered.
    pub fn after_call(&self, hook: impl FnMut(&Call) + Send + 'static) {
        self.0.after.all().push(Box::new(hook));
    }

    pub fn clear_hooks(&self) {
        self.0.before.all().clear();
        self.0.after.all().clear();
    }

    /// Whom `KillBefore` and `KillAfter` kill.
    pub fn set_client(&self, pid: Option<u32>) {
        *self.0.client.lock().unwrap() = pid;
    }

    /// For hooks that send it a signal. The test may learn the pid only after the first call has come.
    pub fn client(&self) -> u32 {
        let deadline = std::time::Instant::now() + Duration::from_secs(5);
        loop {
            if let Some(pid) = *self.0.client.lock().unwrap() {
                return pid;
            }
            assert!(std::time::Instant::now() < deadline, "the test named no client");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap()
    }

    fn settings(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.world().settings);
    }
}

/// Settings of the rules. All times are the sandbox clock's.
impl Control {
    /// A key made from now on is unknown to the service for so long.
    pub fn propagation(&self, service: Service, delay: Duration) {
        self.settings(|it| it.propagation.entry(service).or_default().delay = delta(delay));
    }

    /// Whether the service knows a key made from now on at its first, second, … call; later calls it does.
    pub fn propagation_script(&self, service: Service, accepted: &[bool]) {
        self.settings(|it| it.propagation.entry(service).or_default().script = accepted.to_vec());
    }

    /// A changed status takes so long to count.
    pub fn revocation_delay(&self, delay: Duration) {
        self.settings(|it| it.revocation_delay = delta(delay));
    }

    /// `ListAccessKeys` shows things as they were so long ago.
    pub fn stale_lists(&self, age: Duration) {
        self.settings(|it| it.stale_lists = delta(age));
    }

    /// The other reading of what AWS leaves open: a session ends when the key that made it is switched off.
    pub fn sessions_die_with_their_key(&self, die: bool) {
        self.settings(|it| it.sessions_die_with_their_key = die);
    }

    /// No page holds more than this, whatever was asked for.
    pub fn short_pages(&self, most: usize) {
        self.settings(|it| it.page_limit = Some(most));
    }

    /// Each page is preceded by an empty one.
    pub fn empty_pages(&self, on: bool) {
        self.settings(|it| it.empty_pages = on);
    }

    pub fn last_used_lag(&self, lag: Duration) {
        self.settings(|it| it.last_used_lag = delta(lag));
    }

    /// Five minutes unless set.
    pub fn trail_delay(&self, delay: Duration) {
        self.settings(|it| it.trail_delay = delta(delay));
    }

    /// Calls per second and burst, for each account by itself.
    pub fn rate(&self, service: Service, per_second: f64, burst: f64) {
        self.settings(|it| _ = it.rates.insert(service, (per_second, burst)));
    }

    /// Signatures of any time are accepted, so that a program on real time can live through the sandbox's week.
    pub fn accept_any_clock(&self) {
        self.settings(|it| it.clock_tolerance = None);
    }

    /// Which of the two fields the accounts of Organizations carry.
    pub fn account_fields(&self, fields: AccountFields) {
        self.settings(|it| it.account_fields = fields);
    }
}

/// `GET /sandbox/totp/USER` or `/sandbox/totp/ACCOUNT/USER`: the next unused code, for programs that ask for codes.
fn side_door(shared: &Arc<Shared>, http: &Http) -> Option<String> {
    let path = http.path.strip_prefix("/sandbox/totp/")?;
    let control = Control(Arc::clone(shared));
    Some(match path.split_once('/') {
        Some(place) => control.next_totp(place),
        None => control.next_totp(path),
    })
}
