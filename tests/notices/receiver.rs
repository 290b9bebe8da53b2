//! A receiver of webhooks: plain HTTP on loopback, which answers as its test says and keeps what it got.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a request is answered with.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Status, and one more header where it is not empty.
    Status(u16, String),
    /// The connection ends.
    Drop,
    /// Nothing comes.
    Hang,
}

pub fn status(status: u16) -> Answer {
    Answer::Status(status, String::new())
}

#[derive(Clone, Debug)]
pub struct Posted {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Posted {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }
}

/// Its thread ends with the process; its socket takes connections until then.
pub struct Receiver {
    address: SocketAddr,
    posted: Arc<Mutex<Vec<Posted>>>,
}

impl Receiver {
    /// Answers in this order, and from then on with the last.
    pub fn start(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let posted = Arc::new(Mutex::new(Vec::new()));
        let (kept, answers) = (Arc::clone(&posted), answers.to_vec());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, answers) = (Arc::clone(&kept), answers.clone());
                std::thread::spawn(move || talk(&stream, &kept, &answers));
            }
        });
        Self { address, posted }
    }

    pub fn url(&self) -> String {
        format!("http://{}/services/T0/s3cr3t-path?token=s3cr3t-query", self.address)
    }

    pub fn posted(&self) -> Vec<Posted> {
        self.posted.lock().unwrap().clone()
    }
}

fn talk(stream: &TcpStream, kept: &Mutex<Vec<Posted>>, answers: &[Answer]) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = request(&mut reader) {
        let number = {
            let mut kept = kept.lock().unwrap();
            kept.push(request);
            kept.len()
        };
        match &answers[(number - 1).min(answers.len() - 1)] {
            Answer::Status(status, header) => {
                let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
                let answer = format!("HTTP/1.1 {status} Said\r\n{header}Content-Length: 2\r\n\r\nok");
                if (&mut &*stream).write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
            Answer::Drop => return,
            // Until the program goes away.
            Answer::Hang => _ = reader.read(&mut [0]),
        }
    }
}

fn request(reader: &mut BufReader<&TcpStream>) -> Option<Posted> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Posted { path, headers, body: String::from_utf8(body).ok()? })
}
