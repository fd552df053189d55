//! The requests that botocore signed (`make.py`), and a server in small that authenticates them.

use std::collections::HashMap;

use serde::Deserialize;
use sigv4::{Body, Form, Payload, Reason, Request, SigningKey};

/// All that `signatures.json` holds.
#[derive(Deserialize)]
pub struct Vectors {
    pub at: i64,
    keys: HashMap<String, Vec<String>>,
    pub cases: Vec<Case>,
}

#[derive(Deserialize)]
pub struct Case {
    pub name: String,
    pub service: String,
    pub region: String,
    pub temporary: bool,
    pub method: String,
    pub uri: String,
    headers: Vec<(String, String)>,
    body: String,
    /// What the signature must turn out to say of the body; `refused` where it must not be accepted.
    pub payload: String,
    pub expires: Option<u32>,
    pub chunks: Option<Vec<(String, String)>>,
    pub trailer: Option<Trailer>,
}

#[derive(Deserialize)]
pub struct Trailer {
    pub headers: Vec<(String, String)>,
    pub signature: String,
}

/// A request that can be changed.
#[derive(Clone, Debug)]
pub struct Wire {
    pub method: String,
    pub uri: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

pub fn vectors() -> Vectors {
    serde_json::from_str(include_str!("signatures.json")).unwrap()
}

impl Vectors {
    pub fn case(&self, name: &str) -> &Case {
        self.cases.iter().find(|case| case.name == name).unwrap_or_else(|| panic!("no case {name}"))
    }

    /// The cases whose signature must be accepted.
    pub fn good(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(|case| case.payload != "refused")
    }

    pub fn secret(&self, temporary: bool) -> &str {
        &self.keys[if temporary { "temporary" } else { "long_term" }][1]
    }

    pub fn token(&self) -> &str {
        &self.keys["temporary"][2]
    }

    /// What a server does with a request: the credentials, the key that belongs to them, the signature.
    /// Only the errors of signatures are told apart; a key id that nobody has and a token that is not its own fail as `None`.
    pub fn authenticate(&self, wire: &Wire, service: &str, now: i64) -> Result<Payload, Option<Reason>> {
        let headers: Vec<(&str, &[u8])> = wire.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let request = Request { method: &wire.method, uri: &wire.uri, headers: &headers };
        let presented = sigv4::read(&request)?.ok_or(None)?;
        presented.scope.require_service(service)?;
        let keys = self.keys.values().find(|keys| keys[0] == presented.key_id).ok_or(None)?;
        if presented.token.as_deref() != keys.get(2).map(|token| &**token) {
            return Err(None);
        }
        let key = SigningKey::derive(&keys[1], presented.scope.date, presented.scope.region, presented.scope.service);
        let verified = presented.verify(&request, &key, Body::Bytes(&wire.body), now)?;
        let host = wire.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host")).map(|(_, value)| &**value);
        assert_eq!(Some(verified.host.as_bytes()), host);
        assert_eq!(presented.form == Form::Header, wire.header("authorization").is_some());
        Ok(verified.payload)
    }
}

impl Case {
    pub fn wire(&self) -> Wire {
        Wire {
            method: self.method.clone(),
            uri: self.uri.clone(),
            headers: self.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect(),
            body: base64(&self.body),
        }
    }

    pub fn is_presigned(&self) -> bool {
        self.expires.is_some()
    }
}

impl Wire {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(sent, _)| sent.eq_ignore_ascii_case(name));
        found.map(|(_, value)| str::from_utf8(value).unwrap())
    }

    /// The same with a header changed, or added if it was not there.
    pub fn with(&self, name: &str, value: &str) -> Wire {
        let mut wire = self.without(name);
        wire.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        wire
    }

    pub fn and(&self, name: &str, value: &str) -> Wire {
        let mut wire = self.clone();
        wire.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        wire
    }

    pub fn without(&self, name: &str) -> Wire {
        let mut wire = self.clone();
        wire.headers.retain(|(sent, _)| !sent.eq_ignore_ascii_case(name));
        wire
    }

    pub fn at(&self, uri: impl Into<String>) -> Wire {
        Wire { uri: uri.into(), ..self.clone() }
    }

    /// The same with one text of the credentials replaced, wherever they are. Each must be there.
    pub fn replacing(&self, from: &str, to: &str) -> Wire {
        match self.header("authorization") {
            Some(value) => {
                assert!(value.contains(from), "{from} in {value}");
                self.with("Authorization", &value.replace(from, to))
            }
            None => {
                let (from, to) = (from.replace('/', "%2F"), to.replace('/', "%2F"));
                assert!(self.uri.contains(&from), "{from} in {}", self.uri);
                self.at(self.uri.replace(&from, &to))
            }
        }
    }

    pub fn signature(&self) -> &str {
        let place = self.header("authorization").unwrap_or(&self.uri);
        let text = place.split("Signature=").nth(1).unwrap();
        text.split(['&', ',']).next().unwrap()
    }

    pub fn with_signature(&self, signature: &str) -> Wire {
        self.replacing(&format!("Signature={}", self.signature()), &format!("Signature={signature}"))
    }
}

fn base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let digit = |c: u8| b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".iter().position(|d| *d == c).unwrap() as u32;
    for quad in text.trim_end_matches('=').as_bytes().chunks(4) {
        let number = quad.iter().fold(0, |number, c| number << 6 | digit(*c)) << (6 * (4 - quad.len()));
        bytes.extend_from_slice(&number.to_be_bytes()[1..quad.len()]);
    }
    bytes
}
