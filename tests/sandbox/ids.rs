//! Identifiers and secrets of the shapes AWS hands out. Random, and nothing else: it knows no state.

const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &[u8] = b"0123456789abcdef";

fn random(alphabet: &[u8], length: usize) -> String {
    let mut bytes = vec![0u8; length];
    getrandom::fill(&mut bytes).expect("the system's random numbers");
    // Each alphabet's length divides 256, so no letter is favoured.
    bytes.iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])).collect()
}

pub fn long_term_key() -> String {
    format!("AKIA{}", random(BASE32, 16))
}

pub fn temporary_key() -> String {
    format!("ASIA{}", random(BASE32, 16))
}

pub fn user() -> String {
    format!("AIDA{}", random(BASE32, 17))
}

pub fn group() -> String {
    format!("AGPA{}", random(BASE32, 17))
}

pub fn role() -> String {
    format!("AROA{}", random(BASE32, 17))
}

/// Forty characters that always hold a `/` and a `+`, which careless quoting breaks on.
pub fn secret() -> String {
    let (a, b, c) = (random(BASE64, 12), random(BASE64, 13), random(BASE64, 13));
    format!("{a}/{b}+{c}")
}

pub fn session_token() -> String {
    format!("IQoJb3JpZ2luX2Vj{}==", random(BASE64, 200))
}

pub fn totp_seed() -> Vec<u8> {
    let mut seed = vec![0u8; 20];
    getrandom::fill(&mut seed).expect("the system's random numbers");
    seed
}

pub fn request() -> String {
    let part = |length| random(HEX, length);
    format!("{}-{}-4{}-a{}-{}", part(8), part(4), part(3), part(3), part(12))
}

pub fn hex_of_length(length: usize) -> String {
    random(HEX, length)
}
