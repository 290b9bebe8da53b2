//! The listening end: HTTP/1 on loopback in a thread and runtime of its own, so that blocking tests and child
//! processes can use it. It knows connections, and nothing of AWS.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::Sleep;

use super::flow::{Answer, Reply, serve};
use super::wire::Http;
use super::{Shared, side_door};

pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(shared: Arc<Shared>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        listener.set_nonblocking(true).expect("a non-blocking socket");
        let address = listener.local_addr().expect("the address just bound");
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || run(listener, shared, stopped));
        Server { address, stop: Some(stop), thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(listener: TcpListener, shared: Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime for the sandbox");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a socket for the runtime");
        tokio::select! {
            () = accept(&listener, shared) => {}
            _ = stopped => {}
        }
    });
    runtime.shutdown_background();
}

async fn accept(listener: &tokio::net::TcpListener, shared: Arc<Shared>) {
    loop {
        if let Ok((stream, peer)) = listener.accept().await {
            tokio::spawn(talk(stream, peer.ip(), Arc::clone(&shared)));
        }
    }
}

async fn talk(stream: TcpStream, peer: IpAddr, shared: Arc<Shared>) {
    let reset = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request| {
        let (shared, reset) = (Arc::clone(&shared), Arc::clone(&reset));
        async move { handle(&shared, &reset, peer, request).await }
    });
    let mut builder = http1::Builder::new();
    builder.auto_date_header(false);
    let mut connection = builder.serve_connection(TokioIo::new(stream), service);
    // Its error is how a fault ends a connection.
    let _ = (&mut connection).await;
    let stream = connection.into_parts().io.into_inner();
    if reset.load(Ordering::SeqCst) {
        // Closing without linger sends a reset.
        let _ = stream.set_zero_linger();
    }
}

async fn handle(
    shared: &Arc<Shared>,
    reset: &AtomicBool,
    peer: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<ReplyBody>, Ended> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Ended)?.to_bytes();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let http = Http {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect(),
        body,
        peer,
    };
    if let Some(answer) = side_door(shared, &http) {
        return Ok(Response::new(ReplyBody::Whole(Some(Bytes::from(answer)))));
    }
    match serve(shared, http).await {
        Reply::Whole(answer) => Ok(response(&answer, ReplyBody::Whole(Some(answer.body.clone())))),
        Reply::Cut(answer) => Ok(response(&answer, ReplyBody::cut(&answer.body))),
        Reply::Never => std::future::pending().await,
        Reply::Close => Err(Ended),
        Reply::Reset => {
            reset.store(true, Ordering::SeqCst);
            Err(Ended)
        }
    }
}

fn response(answer: &Answer, body: ReplyBody) -> Response<ReplyBody> {
    let builder =
        answer.headers.iter().fold(Response::builder(), |builder, (name, value)| builder.header(*name, value));
    builder
        .status(answer.status)
        .header("content-type", answer.content_type)
        .header("x-amzn-requestid", &answer.request_id)
        .header("date", &answer.date)
        .body(body)
        .expect("a response of plain parts")
}

/// The connection ends here, on purpose.
#[derive(Debug)]
struct Ended;

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sandbox ended the connection")
    }
}

impl std::error::Error for Ended {}

enum ReplyBody {
    Whole(Option<Bytes>),
    Cut { promised: u64, half: Option<Bytes>, pause: Pin<Box<Sleep>> },
}

impl ReplyBody {
    fn cut(body: &Bytes) -> ReplyBody {
        // The pause lets the first half leave before the connection ends.
        let pause = Box::pin(tokio::time::sleep(Duration::from_millis(20)));
        ReplyBody::Cut { promised: body.len() as u64, half: Some(body.slice(..body.len() / 2)), pause }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut *self {
            ReplyBody::Whole(body) => Poll::Ready(body.take().map(|body| Ok(Frame::data(body)))),
            ReplyBody::Cut { half, pause, .. } => match half.take() {
                Some(half) => Poll::Ready(Some(Ok(Frame::data(half)))),
                None => pause.as_mut().poll(context).map(|()| Some(Err(io::Error::other("cut")))),
            },
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            ReplyBody::Whole(body) => SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64)),
            ReplyBody::Cut { promised, .. } => SizeHint::with_exact(*promised),
        }
    }
}
