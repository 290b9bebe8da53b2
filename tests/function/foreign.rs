//! moto's S3, which we did not write: the same guards hold there.

use super::bucket::{guards_hold, with_key};
use crate::foreign::moto::Moto;

#[test]
fn a_foreign_s3_keeps_the_guards_too() {
    let Some(moto) = Moto::start() else { return };
    // A bucket is made as any client makes one.
    let url = moto.url().trim_start_matches("http://").to_owned();
    let request =
        format!("PUT /keyrot-me-reports HTTP/1.1\r\nhost: {url}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let mut stream = std::net::TcpStream::connect(&url).unwrap();
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.contains(" 200 "), "{answer}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(guards_hold(&with_key(moto.url(), "AKIAADMIN00000000001", "any", "keyrot-me-reports")));
}
