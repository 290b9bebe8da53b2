//! Lambda on loopback: the runtime API that a function asks for events, and the real binary as its one worker. It knows
//! the protocol (Lambda developer guide, 'Using the Lambda runtime API') and nothing of the purge.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::sync::{Notify, oneshot};

const NEXT: &str = "/2018-06-01/runtime/invocation/next";
/// No answer of the function takes so long in a test.
const PATIENCE: Duration = Duration::from_secs(180);
/// A binary that asks for no event in this time is broken.
const START: Duration = Duration::from_secs(30);

/// What an invocation ended with.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    Answer(Value),
    Error {
        kind: String,
        message: String,
    },
    /// The process ended first.
    Died,
}

impl Ended {
    #[track_caller]
    pub fn answer(self) -> Value {
        match self {
            Self::Answer(value) => value,
            other => panic!("no answer, but {other:?}"),
        }
    }

    /// The words of an error of this kind.
    #[track_caller]
    pub fn error(self, wanted: &str) -> String {
        match self {
            Self::Error { kind, message } if kind == wanted => message,
            other => panic!("no error {wanted}, but {other:?}"),
        }
    }
}

/// One execution environment: invocations come one after the other, as in Lambda.
pub struct Runtime {
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
    child: Child,
    output: [Option<JoinHandle<String>>; 2],
    /// Until the binary asked for its first event.
    pub cold_start: Duration,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<VecDeque<Invocation>>,
    ended: Mutex<Option<Sender<Ended>>>,
    asked: Mutex<Option<Sender<()>>>,
    wake: Notify,
}

struct Invocation {
    request: String,
    event: String,
    deadline: SystemTime,
}

/// An invocation under way.
pub struct Pending(Receiver<Ended>);

impl Pending {
    pub fn wait(self) -> Ended {
        match self.0.recv_timeout(PATIENCE) {
            Ok(ended) => ended,
            Err(RecvTimeoutError::Disconnected) => Ended::Died,
            Err(RecvTimeoutError::Timeout) => panic!("the function did not answer in {PATIENCE:?}"),
        }
    }
}

impl Runtime {
    /// Starts `program` with these variables, and what Lambda itself sets, and no others.
    pub fn start(program: &str, variables: &[(String, String)]) -> Runtime {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        listener.set_nonblocking(true).expect("a non-blocking socket");
        let address = listener.local_addr().expect("the address just bound");
        let shared = Arc::new(Shared::default());
        let (asked, first) = channel();
        *shared.asked.lock().unwrap() = Some(asked);
        let (stop, stopped) = oneshot::channel();
        let of_server = Arc::clone(&shared);
        let server = std::thread::spawn(move || serve(listener, &of_server, stopped));
        let began = Instant::now();
        let mut child = Command::new(program)
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", address.to_string().as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", "keyrot-me-purge"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_REGION", "us-east-1"),
            ])
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the function's binary");
        let output =
            [Some(read_all(child.stdout.take().expect("piped"))), Some(read_all(child.stderr.take().expect("piped")))];
        first.recv_timeout(START).expect("the function asks for an event");
        Runtime { shared, stop: Some(stop), server: Some(server), child, output, cold_start: began.elapsed() }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Invokes with fifteen minutes.
    pub fn invoke(&self, event: &Value) -> Ended {
        self.begin(event, "request-1", Duration::from_secs(900)).wait()
    }

    /// Invokes; `request` is the id that Lambda keeps when it repeats an invocation.
    pub fn begin(&self, event: &Value, request: &str, time: Duration) -> Pending {
        let (ended, receiver) = channel();
        *self.shared.ended.lock().unwrap() = Some(ended);
        let deadline = SystemTime::now() + time;
        let invocation = Invocation { request: request.to_owned(), event: event.to_string(), deadline };
        self.shared.waiting.lock().unwrap().push_back(invocation);
        self.shared.wake.notify_one();
        Pending(receiver)
    }

    /// As the kernel ends a process; the invocation under way dies with it.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.shared.ended.lock().unwrap().take();
    }

    /// Ends it, and gives what it wrote: standard output (metrics) and standard error (log).
    pub fn stop(mut self) -> (String, String) {
        self.kill();
        let [out, err] = std::mem::take(&mut self.output).map(|text| text.expect("read once").join().unwrap());
        (out, err)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.kill();
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

fn read_all(mut pipe: impl std::io::Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn serve(listener: TcpListener, shared: &Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a socket for the runtime");
        let accept = async {
            loop {
                if let Ok((stream, _)) = listener.accept().await {
                    let shared = Arc::clone(shared);
                    tokio::spawn(async move {
                        let service = service_fn(|request| answer(&shared, request));
                        // It ends when the binary does.
                        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                    });
                }
            }
        };
        tokio::select! { () = accept => {}, _ = stopped => {} }
    });
    runtime.shutdown_background();
}

async fn answer(shared: &Shared, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    if path == NEXT {
        return Ok(next(shared).await);
    }
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let ended = match path.rsplit('/').next() {
        Some("response") => Ended::Answer(serde_json::from_slice(&body).expect("an answer of JSON")),
        Some("error") => {
            let error: Value = serde_json::from_slice(&body).expect("an error of JSON");
            let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
            Ended::Error { kind: text("errorType"), message: text("errorMessage") }
        }
        _ => panic!("the runtime API knows no {path}"),
    };
    if let Some(sender) = shared.ended.lock().unwrap().take() {
        let _ = sender.send(ended);
    }
    Ok(Response::builder().status(202).body(Full::new(Bytes::from_static(b"{\"status\":\"OK\"}"))).expect("plain"))
}

/// Waits, as Lambda freezes a function, until there is an event.
async fn next(shared: &Shared) -> Response<Full<Bytes>> {
    if let Some(asked) = shared.asked.lock().unwrap().take() {
        let _ = asked.send(());
    }
    let invocation = loop {
        let waiting = shared.waiting.lock().unwrap().pop_front();
        match waiting {
            Some(invocation) => break invocation,
            None => shared.wake.notified().await,
        }
    };
    let deadline = invocation.deadline.duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    Response::builder()
        .header("lambda-runtime-aws-request-id", invocation.request)
        .header("lambda-runtime-deadline-ms", deadline.to_string())
        .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:keyrot-me-purge")
        .header("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(invocation.event)))
        .expect("plain parts")
}
