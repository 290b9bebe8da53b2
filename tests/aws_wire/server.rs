//! A server that answers by script and keeps what it was sent.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// What the server does with the next request.
#[derive(Clone)]
pub enum Reply {
    /// Status, content type, body and the `Date`, where it is not now.
    Answer(u16, &'static str, String, Option<&'static str>),
    /// Read the request, then close the connection.
    Drop,
    /// Never answer.
    Hang,
}

pub struct Seen {
    pub body: String,
    pub user_agent: String,
    pub authorization: String,
    pub connection: usize,
}

#[derive(Clone, Default)]
pub struct Wire {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    pub seen: Arc<Mutex<Vec<Seen>>>,
}

impl Wire {
    /// A server with these replies, in order; the last one is repeated.
    pub async fn start(replies: Vec<Reply>) -> (Self, SocketAddr) {
        let wire = Self { replies: Arc::new(Mutex::new(replies.into())), ..Self::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let server = wire.clone();
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let server = server.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| server.clone().answer(request, connection));
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        (wire, at)
    }

    async fn answer(self, request: Request<Incoming>, connection: usize) -> Result<Response<Full<Bytes>>, Cut> {
        let header = |name: &str| request.headers().get(name).map_or("", |v| v.to_str().unwrap()).to_owned();
        let (user_agent, authorization) = (header("user-agent"), header("authorization"));
        let body = String::from_utf8(request.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
        self.seen.lock().unwrap().push(Seen { body, user_agent, authorization, connection });
        let reply = {
            let mut replies = self.replies.lock().unwrap();
            if replies.len() > 1 { replies.pop_front().unwrap() } else { replies[0].clone() }
        };
        match reply {
            Reply::Answer(status, kind, body, date) => {
                let mut answer = Response::builder().status(status).header("content-type", kind);
                if let Some(date) = date {
                    answer = answer.header("date", date);
                }
                Ok(answer.body(Full::new(body.into())).unwrap())
            }
            Reply::Drop => Err(Cut),
            Reply::Hang => std::future::pending().await,
        }
    }

    pub fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub fn body(&self, n: usize) -> String {
        self.seen.lock().unwrap()[n].body.clone()
    }
}

/// Makes hyper close the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut")]
struct Cut;
