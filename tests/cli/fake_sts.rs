//! An STS that says of every key what a test wants: the sandbox cannot lie about whose key it is.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use crate::workstation::Workstation;

pub struct FakeSts {
    url: String,
}

impl FakeSts {
    /// `arn_of` gets the head of the request, and so the key id.
    pub fn start(mut arn_of: impl FnMut(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(&mut stream.unwrap(), &mut arn_of);
            }
        });
        Self { url }
    }

    /// The program with this STS and the sandbox's IAM.
    pub fn command(&self, station: &Workstation, arguments: &[&str]) -> Command {
        let mut command = station.command(arguments);
        command.env("AWS_ENDPOINT_URL_STS", &self.url);
        command
    }
}

/// One request, one answer, and the connection is closed.
fn answer(stream: &mut TcpStream, arn_of: &mut impl FnMut(&str) -> String) {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    while !request.ends_with(b"Action=GetCallerIdentity&Version=2011-06-15") {
        match stream.read(&mut piece) {
            Ok(length) if length > 0 => request.extend_from_slice(&piece[..length]),
            _ => return,
        }
    }
    let arn = arn_of(&String::from_utf8_lossy(&request));
    let account = arn.split(':').nth(4).unwrap();
    let body = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>{arn}</Arn><UserId>AIDAEXAMPLE</UserId><Account>{account}</Account></GetCallerIdentityResult>\
         </GetCallerIdentityResponse>"
    );
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
}
