//! The signing side of Signature Version 4, for the one request that this binary sends.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.
use aws_lc_rs::{digest, hmac};
use sigv4::SigningKey;

use super::Settings;

/// What the request is signed for.
const REGION: &str = "us-east-1";
const SERVICE: &str = "bailiwick";

/// The headers of a signed `POST`: name and value, in the order of their names but for the last.
pub(super) fn headers(settings: &Settings, host: &str, path: &str, body: &[u8], now: i64) -> Vec<(&'static str, String)> {
    let time: String = access::iso(now).chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let date = time.get(..8).unwrap_or_default();
    let mut headers = vec![("content-type", "application/json".to_owned()), ("host", host.to_owned()), ("x-amz-date", time.clone())];
    if let Some(token) = &settings.token {
        headers.push(("x-amz-security-token", token.expose().to_owned()));
    }
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let canonical = format!("POST\n{path}\n\n{lines}\n{names}\n{}", sha256(body));
    let scope = format!("{date}/{REGION}/{SERVICE}/aws4_request");
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let key = SigningKey::derive(settings.secret.expose(), date, REGION, SERVICE);
    let signature = hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()), to_sign.as_bytes()).as_ref());
    let credential = format!("{}/{scope}", settings.access_key_id);
    headers.push(("authorization", format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}")));
    headers
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use sigv4::{Body, Request};

    use super::*;
    use crate::config::Secret;

    const NOW: i64 = 1_800_000_000;

    fn settings(token: Option<&str>) -> Settings {
        Settings {
            endpoint: String::new(),
            ca_file: None,
            access_key_id: "AKIDEXAMPLE".into(),
            secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into()),
            token: token.map(|token| Secret::new(token.into())),
            command: None,
        }
    }

    #[test]
    fn what_is_signed_here_is_verified_there() {
        for token in [None, Some("token/with+everything==")] {
            let headers = headers(&settings(token), "127.0.0.1:7650", "/ssh-keys", b"{}", NOW);
            let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            let request = Request { method: "POST", uri: "/ssh-keys", headers: &headers };
            let presented = sigv4::read(&request).unwrap().unwrap();
            assert_eq!((presented.key_id, presented.scope.service), ("AKIDEXAMPLE", "bailiwick"));
            assert_eq!(presented.token.as_deref(), token);
            let scope = presented.scope;
            let key = SigningKey::derive("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", scope.date, scope.region, scope.service);
            assert!(presented.verify(&request, &key, Body::Bytes(b"{}"), NOW).is_ok());
            assert!(presented.verify(&request, &key, Body::Bytes(b"{ }"), NOW).is_err());
        }
    }
}
