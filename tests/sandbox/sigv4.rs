//! Signature Version 4, the server's side: reads the Authorization header and computes the signature again from the
//! key's secret. Written here and not taken from the SDK, so that it can contradict the SDK.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::clock::Time;
use super::wire::{Failure, Http};

const FORMAT: &str = "%Y%m%dT%H%M%SZ";

pub struct Signature {
    pub key_id: String,
    pub region: String,
    pub service: String,
    pub token: Option<String>,
    scope_date: String,
    signed_headers: Vec<String>,
    claimed: String,
    amz_date: String,
    signed_at: Time,
}

impl Signature {
    pub fn parse(http: &Http) -> Result<Signature, Failure> {
        let Some(authorization) = http.header("authorization") else {
            let message = "Request is missing Authentication Token";
            return Err(Failure::new(403, "MissingAuthenticationToken", message));
        };
        Self::parse_parts(http, authorization)
            .ok_or_else(|| Failure::new(400, "IncompleteSignature", format!("Authorization={authorization}")))
    }

    fn parse_parts(http: &Http, authorization: &str) -> Option<Signature> {
        let fields = authorization.strip_prefix("AWS4-HMAC-SHA256")?;
        let field = |name: &str| fields.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
        let scope: Vec<&str> = field("Credential")?.split('/').collect();
        let [key_id, date, region, service, "aws4_request"] = scope[..] else { return None };
        let amz_date = http.header("x-amz-date")?.to_owned();
        let signed_at: DateTime<Utc> = NaiveDateTime::parse_from_str(&amz_date, FORMAT).ok()?.and_utc();
        let signed_headers: Vec<String> = field("SignedHeaders")?.split(';').map(str::to_owned).collect();
        let must_be_signed = |name: &str| name == "host" || name.starts_with("x-amz-date");
        let unsigned = |name: &str| must_be_signed(name) && !signed_headers.iter().any(|signed| signed == name);
        if http.headers.iter().any(|(name, _)| unsigned(name)) {
            return None;
        }
        Some(Signature {
            key_id: key_id.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            token: http.header("x-amz-security-token").map(str::to_owned),
            scope_date: date.to_owned(),
            claimed: field("Signature")?.to_owned(),
            signed_headers,
            amz_date,
            signed_at,
        })
    }

    pub fn check_time(&self, now: Time, tolerance: Option<TimeDelta>) -> Result<(), Failure> {
        let Some(tolerance) = tolerance else { return Ok(()) };
        let (signed, minutes, at) = (&self.amz_date, tolerance.num_minutes(), now.format(FORMAT));
        let mismatch = |message| Err(Failure::new(403, "SignatureDoesNotMatch", message));
        if self.signed_at < now - tolerance {
            let limit = (now - tolerance).format(FORMAT);
            return mismatch(format!(
                "Signature expired: {signed} is now earlier than {limit} ({at} - {minutes} min.)"
            ));
        }
        if self.signed_at > now + tolerance {
            let limit = (now + tolerance).format(FORMAT);
            let message =
                format!("Signature not yet current: {signed} is still later than {limit} ({at} + {minutes} min.)");
            return mismatch(message);
        }
        Ok(())
    }

    pub fn check(&self, http: &Http, secret: &str) -> Result<(), Failure> {
        if self.amz_date.starts_with(&self.scope_date) && self.expected(http, secret) == self.claimed {
            return Ok(());
        }
        let message = "The request signature we calculated does not match the signature you provided. Check your AWS \
                       Secret Access Key and signing method. Consult the service documentation for details.";
        Err(Failure::new(403, "SignatureDoesNotMatch", message))
    }

    fn expected(&self, http: &Http, secret: &str) -> String {
        let scope = format!("{}/{}/{}/aws4_request", self.scope_date, self.region, self.service);
        let request = hex(&Sha256::digest(self.canonical_request(http)));
        let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{request}", self.amz_date);
        let key = [&self.scope_date, &self.region, &self.service, "aws4_request"]
            .iter()
            .fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac(&key, part));
        hex(&hmac(&key, &to_sign))
    }

    fn canonical_request(&self, http: &Http) -> String {
        let headers: String = self.signed_headers.iter().map(|name| canonical_header(http, name)).collect();
        let mut query: Vec<&str> = http.query.split('&').filter(|pair| !pair.is_empty()).collect();
        query.sort_unstable();
        // S3 alone does not encode the path a second time.
        let path = if self.service == "s3" { http.path.clone() } else { http.path.replace('%', "%25") };
        [
            &http.method,
            &path,
            &query.join("&"),
            &headers,
            &self.signed_headers.join(";"),
            &http.header("x-amz-content-sha256").map_or_else(|| hex(&Sha256::digest(&http.body)), str::to_owned),
        ]
        .map(String::as_str)
        .join("\n")
    }
}

/// What S3 checks besides: a hash that was signed is the body's.
pub fn body_is_as_signed(http: &Http) -> bool {
    match http.header("x-amz-content-sha256") {
        None | Some("UNSIGNED-PAYLOAD") => true,
        Some(signed) => signed == hex(&Sha256::digest(&http.body)),
    }
}

fn canonical_header(http: &Http, name: &str) -> String {
    let same_name = http.headers.iter().filter(|(key, _)| key == name);
    let values: Vec<String> =
        same_name.map(|(_, value)| value.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    format!("{name}:{}\n", values.join(","))
}

fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string");
        text
    })
}
