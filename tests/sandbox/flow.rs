//! The way of one call: log, hooks, gates, fault, throttle, signature, action, record, fault, answer. The only place that
//! knows this order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Bytes;

use super::calls::Call;
use super::clock::imf;
use super::faults::Fault;
use super::iam::{self, Context, Done};
use super::signer::authenticate;
use super::wire::{Body, Failure, Http, Rendered, Request, Service, render};
use super::{Hooks, Shared, cloudtrail, ids, mail, organizations, s3, secrets, sns, sts, throttle};

/// What goes back over the connection.
#[derive(Debug)]
pub enum Reply {
    Whole(Answer),
    /// Half of it, then the end.
    Cut(Answer),
    Never,
    Close,
    Reset,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    pub request_id: String,
    pub date: String,
    pub body: Bytes,
    pub headers: Vec<(&'static str, String)>,
}

pub async fn serve(shared: &Arc<Shared>, http: Http) -> Reply {
    let Some(request) = Request::parse(http) else {
        let failure = Failure::new(404, "UnknownOperationException", "the sandbox knows no such service or action");
        return whole(shared, &render(Service::Iam, "", "", &Err(failure)), ids::request());
    };
    let signs = |key_id: &str| shared.world.lock().unwrap().account_of_signer(key_id);
    let call = shared.calls.begin(&request, shared.clock.now(), signs);
    run_hooks(shared, |shared| &shared.before, &call).await;
    shared.gates.pass(&call).await;
    let fault = shared.faults.next(&call);
    if let Some(fault) = &fault
        && let Some((outcome, reply)) = before(shared, &request, fault).await
    {
        shared.calls.end(call.number, &outcome);
        return reply;
    }
    let request_id = ids::request();
    let outcome = perform(shared, &request, &request_id).map_err(|failure| failure.worded_for(request.service));
    shared.calls.end(call.number, outcome.as_ref().map_or_else(|failure| failure.code.as_str(), |_| "OK"));
    run_hooks(shared, |shared| &shared.after, &call).await;
    let rendered = render(request.service, &request.action, &request_id, &outcome);
    match fault {
        Some(fault) => {
            let (outcome, reply) = after(shared, &request, &fault, rendered, request_id).await;
            if let Some(outcome) = outcome {
                shared.calls.end(call.number, &outcome);
            }
            reply
        }
        None => whole(shared, &rendered, request_id),
    }
}

/// Hooks may block and may use the sandbox, so they run outside the event loop and hold none of its locks.
async fn run_hooks(shared: &Arc<Shared>, which: fn(&Shared) -> &Hooks, call: &Call) {
    if which(shared).all().is_empty() {
        return;
    }
    let (shared, call) = (Arc::clone(shared), call.clone());
    let run = tokio::task::spawn_blocking(move || which(&shared).run(&call)).await;
    run.expect("a hook of the test panicked");
}

fn perform(shared: &Shared, request: &Request, request_id: &str) -> Result<Body, Failure> {
    let mut world = shared.world.lock().unwrap();
    let world = &mut *world;
    let now = shared.clock.now();
    if let Ok(signature) = super::sigv4::Signature::parse(&request.http) {
        throttle::admit(world, &signature.key_id, request.service, now)?;
    }
    if !request.known_version() {
        return Err(iam::unknown_action(request));
    }
    let signer = authenticate(world, request, now)?;
    let result = act(Context { world: &mut *world, signer: &signer, request, now });
    if cloudtrail::records(request.service) {
        let mut context = Context { world, signer: &signer, request, now };
        cloudtrail::record(&mut context, request_id, result.as_ref().map(|done| &done.trail));
    }
    result.map(|done| done.body)
}

fn act(mut context: Context) -> Result<Done, Failure> {
    match context.request.service {
        Service::Iam => iam::act(&mut context),
        Service::Sts => sts::act(&mut context),
        Service::Sns => sns::act(&mut context),
        Service::Organizations => organizations::act(&context),
        Service::CloudTrail => cloudtrail::act(&context),
        Service::S3 => s3::act(&mut context),
        Service::Ses => mail::act(&mut context),
        Service::SecretsManager => secrets::act(&context),
    }
}

/// A fault that comes before acting, and keeps the action from happening; a delay only delays.
async fn before(shared: &Shared, request: &Request, fault: &Fault) -> Option<(String, Reply)> {
    let refusal = |failure: Failure| {
        let failure = failure.worded_for(request.service);
        let (code, request_id) = (failure.code.clone(), ids::request());
        let rendered = render(request.service, &request.action, &request_id, &Err(failure));
        Some((code, whole(shared, &rendered, request_id)))
    };
    match fault {
        Fault::Refuse => Some(("Refuse".to_owned(), Reply::Reset)),
        Fault::ErrorBefore(status) => refusal(server_error(*status)),
        Fault::Hang => Some(("Hang".to_owned(), Reply::Never)),
        Fault::Throttle => refusal(Failure::throttled()),
        Fault::Deny { code, message } => refusal(Failure::new(403, code, message.as_str())),
        Fault::Html => {
            let body = "<!DOCTYPE html><html><body><h1>Sign in to the hotel network</h1></body></html>".to_owned();
            let page = Rendered { status: 200, content_type: "text/html", body, headers: Vec::new() };
            Some(("Html".to_owned(), whole(shared, &page, ids::request())))
        }
        Fault::KillBefore => {
            kill_client(shared).await;
            Some(("KillBefore".to_owned(), Reply::Close))
        }
        Fault::Delay(delay) => {
            tokio::time::sleep(*delay).await;
            None
        }
        Fault::ErrorAfter(_)
        | Fault::ActAndDrop
        | Fault::ActAndHang
        | Fault::Garbage
        | Fault::CutAnswer
        | Fault::LostMarker
        | Fault::HalfAnswer
        | Fault::KillAfter => None,
    }
}

/// A fault that comes after acting, and spoils the answer. The first part is how the log names it.
async fn after(
    shared: &Shared,
    request: &Request,
    fault: &Fault,
    rendered: Rendered,
    request_id: String,
) -> (Option<String>, Reply) {
    let named = |name: &str, reply| (Some(name.to_owned()), reply);
    match fault {
        Fault::ErrorAfter(status) => {
            let failure = server_error(*status).worded_for(request.service);
            let code = failure.code.clone();
            let spoilt = render(request.service, &request.action, &request_id, &Err(failure));
            named(&code, whole(shared, &spoilt, request_id))
        }
        Fault::ActAndDrop => named("ActAndDrop", Reply::Close),
        Fault::ActAndHang => named("ActAndHang", Reply::Never),
        Fault::Garbage => {
            let garbage = Rendered { body: "\u{1}\u{2}<<<}{ no answer".to_owned(), ..rendered };
            named("Garbage", whole(shared, &garbage, request_id))
        }
        Fault::CutAnswer => named("CutAnswer", Reply::Cut(answer(shared, &rendered, request_id))),
        Fault::LostMarker => {
            let goes_on = "<IsTruncated>true</IsTruncated>";
            let body = match rendered.body.split_once("<Marker>").zip(rendered.body.split_once("</Marker>")) {
                Some(((before, _), (_, behind))) => format!("{before}{behind}"),
                None => rendered.body.replace("<IsTruncated>false</IsTruncated>", goes_on),
            };
            assert!(body.contains(goes_on), "{} is no list of IAM's", request.action);
            named("LostMarker", whole(shared, &Rendered { body, ..rendered }, request_id))
        }
        Fault::HalfAnswer => {
            let half = rendered.body.chars().take(rendered.body.chars().count() / 2).collect();
            named("HalfAnswer", whole(shared, &Rendered { body: half, ..rendered }, request_id))
        }
        Fault::KillAfter => {
            kill_client(shared).await;
            named("KillAfter", Reply::Close)
        }
        _ => (None, whole(shared, &rendered, request_id)),
    }
}

fn server_error(status: u16) -> Failure {
    if status == 503 {
        let message = "The request has failed due to a temporary failure of the server.";
        return Failure::new(503, "ServiceUnavailable", message);
    }
    let message = "The request processing has failed because of an unknown error, exception or failure.";
    Failure::new(500, "ServiceFailure", message)
}

fn whole(shared: &Shared, rendered: &Rendered, request_id: String) -> Reply {
    Reply::Whole(answer(shared, rendered, request_id))
}

fn answer(shared: &Shared, rendered: &Rendered, request_id: String) -> Answer {
    Answer {
        status: rendered.status,
        content_type: rendered.content_type,
        date: imf(shared.clock.now()),
        body: Bytes::from(rendered.body.clone()),
        headers: rendered.headers.clone(),
        request_id,
    }
}

/// The test learns the pid only after the client has started, so there may be a moment to wait for it.
async fn kill_client(shared: &Shared) {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        if let Some(pid) = *shared.client.lock().unwrap() {
            return kill(pid);
        }
        assert!(Instant::now() < deadline, "the test named no client to kill");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[cfg(unix)]
fn kill(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
    // It may have ended by itself.
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}

#[cfg(not(unix))]
fn kill(_: u32) {
    panic!("the sandbox can kill clients on Unix only");
}
