//! Holds a request to its signature.

use hmac::Mac;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::canonical::{self, Hashing, Noticed, Sink};
use crate::payload::{content, hex};
use crate::{Body, Form, Mismatch, Payload, Presented, Reason, Request, SKEW, SigningKey, Style};

/// A request whose signature holds.
#[derive(Debug, Clone, Copy)]
pub struct Verified<'a> {
    /// What of the body the signature covers. Where the body was not seen, somebody must still hold it to this.
    pub payload: Payload,
    /// The host that the client meant to talk to; signed.
    pub host: &'a str,
    /// The signature, in hexadecimal: what the first chunk's signature goes on from ([`crate::chunks`]).
    pub signature: &'a str,
}

/// What the last line of the canonical request says, and what that means for the body.
struct Last<'a> {
    line: Line<'a>,
    payload: Payload,
}

enum Line<'a> {
    Hash([u8; 64]),
    Word(&'a str),
}

impl Line<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Line::Hash(hash) => hash,
            Line::Word(word) => word.as_bytes(),
        }
    }
}

impl<'a> Presented<'a> {
    /// Verifies the signature with the key that belongs to key id, token and scope. `now` is in seconds of the epoch.
    /// `request` is the one that `self` was read from.
    ///
    /// # Errors
    /// A signature out of its time, headers that had to be signed, a body that is not the signed one, and a signature that does not match.
    pub fn verify(&self, request: &Request<'a>, key: &SigningKey, body: Body<'_>, now: i64) -> Result<Verified<'a>, Reason> {
        self.in_time(now)?;
        let last = match self.style {
            Style::Aws => self.whole_body(body)?,
            Style::S3 => self.as_announced()?,
        };
        let mut hash = Sha256::new();
        let mut sink = Hashing::<_, 512>::new(&mut hash);
        let noticed = canonical::write(&mut sink, request, self, last.line.bytes())?;
        sink.flush();
        self.all_signed(request, &noticed)?;
        let hash: [u8; 32] = hash.finalize().into();
        let mut mac = key.mac();
        let mut sink = Hashing::<_, 256>::new(&mut mac);
        self.string_to_sign(&mut sink, &hash);
        sink.flush();
        let right = hex(&mac.finalize().into_bytes().into());
        if noticed.absent || !same(&right, self.signature) {
            return Err(self.mismatch(request, last.line.bytes(), &hash));
        }
        let payload = self.held(body, last.payload)?;
        Ok(Verified { payload, host: self.host, signature: self.signature })
    }

    fn in_time(&self, now: i64) -> Result<(), Reason> {
        let age = now.saturating_sub(self.at);
        if age < -SKEW {
            return Err(Reason::Early { at: self.at, now, presigned: self.form != Form::Header });
        }
        match self.form {
            Form::Header if age > SKEW => Err(Reason::Late { at: self.at, now }),
            Form::Header => Ok(()),
            Form::Query { expires } => {
                let asked = i64::from(expires);
                // Only S3 lets a URL live longer than a clock may be wrong.
                let lifetime = if self.style == Style::S3 { asked } else { asked.min(SKEW) };
                if age > lifetime { Err(Reason::Expired { at: self.at, now, lifetime, asked }) } else { Ok(()) }
            }
        }
    }

    /// Where the signature always covers the body: its hash. What the client says of it must be the same.
    fn whole_body(&self, body: Body<'_>) -> Result<Last<'a>, Reason> {
        let mut claimed = None;
        for word in [self.content.header, self.content.parameter].into_iter().flatten() {
            match content(word)? {
                Payload::Hash(hash) if claimed.replace(hash).is_some_and(|before| before != hash) => {
                    return Err(Reason::Repeated { name: "x-amz-content-sha256".into() });
                }
                Payload::Hash(_) => {}
                Payload::Unsigned | Payload::Streaming | Payload::StreamingTrailer | Payload::StreamingUnsignedTrailer => {
                    return Err(Reason::ContentForeign { value: crate::reason::short(word) });
                }
            }
        }
        let computed = match body {
            Body::Bytes(bytes) => Some(sha256(bytes)),
            Body::Hashed(hash) => Some(hash),
            Body::NotSeen => None,
        };
        let hash = match (computed, claimed) {
            (Some(computed), Some(claimed)) if computed != claimed => return Err(Reason::ContentHash { claimed, computed }),
            (Some(hash), _) | (None, Some(hash)) => hash,
            (None, None) => return Err(Reason::BodyNeeded),
        };
        Ok(Last { line: Line::Hash(hex(&hash)), payload: Payload::Hash(hash) })
    }

    /// S3's way: the client says what of the body it signs, and signs that very word.
    fn as_announced(&self) -> Result<Last<'a>, Reason> {
        let read = |word: Option<&'a str>| word.map(|word| content(word).map(|payload| (word, payload))).transpose();
        let header = read(self.content.header)?;
        let (word, payload) = match self.form {
            Form::Header => header.ok_or(Reason::ContentMissing)?,
            Form::Query { .. } => {
                let parameter = read(self.content.parameter)?;
                let signed = if self.signs("x-amz-content-sha256") { header } else { None };
                match (parameter, signed) {
                    (Some(parameter), Some(signed)) if parameter != signed => {
                        return Err(Reason::Repeated { name: "x-amz-content-sha256".into() });
                    }
                    (parameter, signed) => parameter.or(signed).unwrap_or(("UNSIGNED-PAYLOAD", Payload::Unsigned)),
                }
            }
        };
        let line = Line::Word(word);
        let header = header.map(|(_, payload)| payload);
        // A header that a presigned URL does not sign may ask for more than the URL does, a hash, but not change how the body is read.
        let payload = match (payload, header) {
            (Payload::Unsigned, Some(Payload::Hash(hash))) => Payload::Hash(hash),
            (payload, Some(header)) if payload != header => {
                return Err(Reason::HeadersNotSigned { names: vec!["x-amz-content-sha256".into()] });
            }
            (payload, _) => payload,
        };
        Ok(Last { line, payload })
    }

    /// Every `x-amz-*` header must be signed, since servers act on them; and so must the host.
    fn all_signed(&self, request: &Request<'_>, noticed: &Noticed) -> Result<(), Reason> {
        if !noticed.host {
            return Err(Reason::HostNotSigned);
        }
        let mut names: Vec<Box<str>> = Vec::new();
        let mut exempt = [false; EXEMPT.len()];
        for (place, (name, _)) in request.headers.iter().enumerate() {
            let amz = name.as_bytes().get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"x-amz-"));
            if !amz || noticed.signed.has(place) {
                continue;
            }
            match EXEMPT.iter().zip(&mut exempt).find(|(exempt, _)| self.style == Style::S3 && name.eq_ignore_ascii_case(exempt)) {
                Some((name, true)) => return Err(Reason::Repeated { name: (*name).into() }),
                Some((_, seen)) => *seen = true,
                None => names.push(name.to_ascii_lowercase().into()),
            }
        }
        if names.is_empty() { Ok(()) } else { Err(Reason::HeadersNotSigned { names }) }
    }

    /// What is known of the body against what is signed of it.
    fn held(&self, body: Body<'_>, payload: Payload) -> Result<Payload, Reason> {
        let Payload::Hash(claimed) = payload else { return Ok(payload) };
        let computed = match (self.style, body) {
            // There the hash of the body itself was signed.
            (Style::Aws, _) | (Style::S3, Body::NotSeen) => return Ok(payload),
            (Style::S3, Body::Bytes(bytes)) => sha256(bytes),
            (Style::S3, Body::Hashed(hash)) => hash,
        };
        if computed == claimed { Ok(payload) } else { Err(Reason::ContentHash { claimed, computed }) }
    }

    fn string_to_sign(&self, sink: &mut impl Sink, hash: &[u8; 32]) {
        sink.put(b"AWS4-HMAC-SHA256\n");
        sink.put(self.stamp.as_bytes());
        sink.byte(b'\n');
        self.scope.write(sink);
        sink.byte(b'\n');
        sink.put(&hex(hash));
    }

    /// Both texts once more, to tell the client what it should have signed.
    fn mismatch(&self, request: &Request<'_>, last: &[u8], hash: &[u8; 32]) -> Reason {
        let mut canonical = Vec::new();
        if let Err(reason) = canonical::write(&mut canonical, request, self, last) {
            return reason;
        }
        let mut string_to_sign = Vec::new();
        self.string_to_sign(&mut string_to_sign, hash);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Reason::Mismatch(Box::new(Mismatch {
            key_id: self.key_id.into(),
            canonical_request: text(&canonical),
            string_to_sign: text(&string_to_sign),
            provided: crate::reason::short(self.signature),
        }))
    }
}

/// Compares two signatures in a time that tells nothing of where they differ. The length of a signature is no secret.
pub(crate) fn same(right: &[u8; 64], given: &str) -> bool {
    let Ok(given) = <&[u8; 64]>::try_from(given.as_bytes()) else { return false };
    let words = right.as_chunks::<16>().0.iter().zip(given.as_chunks::<16>().0);
    words.fold(Choice::from(1), |same, (right, given)| same & u128::from_ne_bytes(*right).ct_eq(&u128::from_ne_bytes(*given))).into()
}

/// Many requests have no body, and that one hash is known.
fn sha256(bytes: &[u8]) -> [u8; 32] {
    if bytes.is_empty() { crate::chunks::EMPTY } else { Sha256::digest(bytes).into() }
}

/// What S3 does not ask to be signed: the first is in the canonical request anyway, the others say how the body is wrapped.
const EXEMPT: [&str; 4] = ["x-amz-content-sha256", "x-amz-decoded-content-length", "x-amz-trailer", "x-amz-checksum-algorithm"];
