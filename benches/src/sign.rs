//! A signer of Signature Version 4, for load: it signs a request once, and the load sends it again and again, as AWS lets clients do.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::time::{SystemTime, UNIX_EPOCH};

/// An access key.
#[derive(Clone, Debug)]
pub struct Key {
    pub id: String,
    pub secret: String,
    pub token: Option<String>,
}

/// A request to be signed.
pub struct Unsigned<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub host: &'a str,
    pub service: &'a str,
    pub content_type: Option<&'a str>,
    /// `X-Amz-Target`, by which JSON services are told what to do.
    pub target: Option<&'a str>,
    pub body: &'a [u8],
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Seconds since the epoch.
#[expect(clippy::disallowed_methods, reason = "servers that are measured have the real time")]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// `20260102T030405Z`.
fn stamp() -> String {
    let seconds = now();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days to a date, by the civil calendar's four-hundred-year cycle.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60)
}

/// The headers of the signed request, in their order.
pub fn headers(request: &Unsigned<'_>, key: &Key) -> Vec<(String, String)> {
    let stamp = stamp();
    let (date, region) = (&stamp[..8], "us-east-1");
    let payload = hex(&Sha256::digest(request.body));
    let mut headers = Vec::new();
    if let Some(kind) = request.content_type {
        headers.push(("content-type".to_owned(), kind.to_owned()));
    }
    headers.push(("host".to_owned(), request.host.to_owned()));
    if request.service == "s3" {
        headers.push(("x-amz-content-sha256".to_owned(), payload.clone()));
    }
    headers.push(("x-amz-date".to_owned(), stamp.clone()));
    if let Some(token) = &key.token {
        headers.push(("x-amz-security-token".to_owned(), token.clone()));
    }
    if let Some(target) = request.target {
        headers.push(("x-amz-target".to_owned(), target.to_owned()));
    }
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let (path, query) = request.path.split_once('?').unwrap_or((request.path, ""));
    let canonical = format!("{}\n{path}\n{query}\n{lines}\n{names}\n{payload}", request.method);
    let scope = format!("{date}/{region}/{}/aws4_request", request.service);
    let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let mut signing = hmac(format!("AWS4{}", key.secret).as_bytes(), date);
    for part in [region, request.service, "aws4_request"] {
        signing = hmac(&signing, part);
    }
    let signature = hex(&hmac(&signing, &text));
    let authorization = format!("AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}", key.id);
    headers.push(("authorization".to_owned(), authorization));
    headers
}

/// The whole request as bytes of HTTP/1.1.
pub fn bytes(request: &Unsigned<'_>, key: &Key) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.path);
    for (name, value) in headers(request, key) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", request.body.len()));
    [head.as_bytes(), request.body].concat()
}

/// A call of the Query protocol.
pub fn query(host: &str, service: &str, body: &str, key: &Key) -> Vec<u8> {
    let content_type = Some("application/x-www-form-urlencoded; charset=utf-8");
    bytes(&Unsigned { method: "POST", path: "/", host, service, content_type, target: None, body: body.as_bytes() }, key)
}

/// A call of Organizations.
pub fn organizations(host: &str, operation: &str, body: &serde_json::Value, key: &Key) -> Vec<u8> {
    let (target, body) = (format!("AWSOrganizationsV20161128.{operation}"), body.to_string());
    let content_type = Some("application/x-amz-json-1.1");
    let target = Some(target.as_str());
    bytes(&Unsigned { method: "POST", path: "/", host, service: "organizations", content_type, target, body: body.as_bytes() }, key)
}
