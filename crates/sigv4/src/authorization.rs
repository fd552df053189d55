//! The `Authorization` header: `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.

use crate::reason::{self, Missing};
use crate::request::{any, cut, parts};
use crate::{Place, Reason, Scope};

pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const ASYMMETRIC: &str = "AWS4-ECDSA-P256-SHA256";
const TERMINATOR: &str = "aws4_request";

pub(crate) struct Parts<'a> {
    pub(crate) key_id: &'a str,
    pub(crate) scope: Scope<'a>,
    pub(crate) signed_headers: &'a str,
    pub(crate) signature: &'a str,
}

/// Reads the header's value. `dated` says whether the request has a date, which AWS asks for in the same sentence.
pub(crate) fn read<'a>(value: &'a str, dated: bool) -> Result<Parts<'a>, Reason> {
    if any(value.as_bytes(), |byte| byte.is_ascii_control()) {
        return Err(Reason::Header { name: "authorization".into() });
    }
    let rest = match value.strip_prefix("AWS4-HMAC-SHA256 ") {
        Some(rest) => rest,
        None => {
            algorithm(cut(value, b' ').map_or(value, |(scheme, _)| scheme))?;
            ""
        }
    };
    let (mut credential, mut signed_headers, mut signature) = (None, None, None);
    for part in parts(rest, b',').map(str::trim_ascii).filter(|part| !part.is_empty()) {
        let (place, text) = if let Some(text) = part.strip_prefix("Credential=") {
            (&mut credential, text)
        } else if let Some(text) = part.strip_prefix("SignedHeaders=") {
            (&mut signed_headers, text)
        } else if let Some(text) = part.strip_prefix("Signature=") {
            (&mut signature, text)
        } else if let Some((name, _)) = cut(part, b'=') {
            // Nobody sends another one, and one that is passed over here could be read elsewhere.
            return Err(Reason::Repeated { name: reason::short(name) });
        } else {
            return Err(Reason::NotPair { part: reason::short(part), authorization: reason::without_signature(value) });
        };
        if place.replace(text).is_some() {
            return Err(Reason::Repeated { name: cut(part, b'=').map_or(part, |(name, _)| name).into() });
        }
    }
    let (Some(credential), Some(signed_headers), Some(signature), true) = (credential, signed_headers, signature, dated) else {
        return Err(Reason::Missing(Missing {
            credential: credential.is_none(),
            signature: signature.is_none(),
            signed_headers: signed_headers.is_none(),
            date: !dated,
            authorization: reason::without_signature(value),
        }));
    };
    let (key_id, scope) = scope(credential, parts(credential, b'/'), Place::Header)?;
    Ok(Parts { key_id, scope, signed_headers, signature })
}

/// Refuses every algorithm but ours.
pub(crate) fn algorithm(name: &str) -> Result<(), Reason> {
    match name {
        ALGORITHM => Ok(()),
        ASYMMETRIC => Err(Reason::Asymmetric),
        other => Err(Reason::Scheme { scheme: reason::short(other) }),
    }
}

/// Key id and scope out of the five parts of a credential.
pub(crate) fn scope<'a>(text: &str, mut parts: impl Iterator<Item = &'a str>, place: Place) -> Result<(&'a str, Scope<'a>), Reason> {
    let malformed = || Reason::Credential { text: reason::short(text), place };
    let mut part = || parts.next();
    let (Some(key_id), Some(date), Some(region), Some(service), Some(terminator), None) = (part(), part(), part(), part(), part(), part())
    else {
        return Err(malformed());
    };
    // They become lines of the string to sign, so nothing in them may end a line or a part.
    let named = |name: &str| {
        (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    if key_id.is_empty() || key_id.contains('%') || !named(date) || !named(region) || !named(service) {
        return Err(malformed());
    }
    if terminator != TERMINATOR {
        return Err(Reason::ScopeTerminator { given: reason::short(terminator) });
    }
    Ok((key_id, Scope { date, region, service }))
}
