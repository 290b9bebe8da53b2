//! A client that does next to nothing: one signed request, sent again and again over many connections. What it
//! reaches is the emulator's own speed, beside which a program's time is to be read.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::emulator::Address;

const BODY: &str = "Action=ListAccessKeys&Version=2010-05-08&UserName=user-0000";

/// How long `calls` took over `connections`.
pub fn load(address: &Address, connections: usize, calls: usize) -> Duration {
    let request = signed(address);
    let host = address.url.trim_start_matches("http://");
    let streams: Vec<TcpStream> = (0..connections).map(|_| TcpStream::connect(host).unwrap()).collect();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for (n, stream) in streams.into_iter().enumerate() {
            let share = calls / connections + usize::from(n < calls % connections);
            let request = &request;
            scope.spawn(move || ask(stream, request, share));
        }
    });
    began.elapsed()
}

fn ask(mut stream: TcpStream, request: &str, times: usize) {
    stream.set_nodelay(true).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    for _ in 0..times {
        stream.write_all(request.as_bytes()).unwrap();
        let (mut line, mut length, mut status) = (String::new(), 0, String::new());
        while line != "\r\n" {
            line.clear();
            answers.read_line(&mut line).unwrap();
            if status.is_empty() {
                status.clone_from(&line);
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        answers.read_exact(&mut body).unwrap();
        assert!(status.contains(" 200 "), "{status}{}", String::from_utf8_lossy(&body));
    }
}

/// Signature Version 4 of the one request.
fn signed(address: &Address) -> String {
    let host = address.url.trim_start_matches("http://");
    let date = chrono::Utc::now().format("%Y%m%dT%H%M%SZ").to_string();
    let canonical =
        format!("POST\n/\n\nhost:{host}\nx-amz-date:{date}\n\nhost;x-amz-date\n{}", hex(&Sha256::digest(BODY)));
    let scope = [&date[..8], "us-east-1", "iam", "aws4_request"];
    let to_sign =
        format!("AWS4-HMAC-SHA256\n{date}\n{}\n{}", scope.join("/"), hex(&Sha256::digest(canonical.as_bytes())));
    let key = scope.iter().fold(format!("AWS4{}", address.secret).into_bytes(), |key, part| hmac(&key, part));
    let (credential, signature) = (format!("{}/{}", address.key_id, scope.join("/")), hex(&hmac(&key, &to_sign)));
    format!(
        "POST / HTTP/1.1\r\nhost: {host}\r\nx-amz-date: {date}\r\nauthorization: AWS4-HMAC-SHA256 \
         Credential={credential}, SignedHeaders=host;x-amz-date, Signature={signature}\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    )
}

fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}
