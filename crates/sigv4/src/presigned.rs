//! Credentials in the query: presigned URLs.

use std::borrow::Cow;

use crate::authorization::{algorithm, scope};
use crate::request::{any, cut, parts};
use crate::time::Stamp;
use crate::{Expiry, LONGEST_EXPIRY, Place, Reason, Scope, percent, reason};

/// The parameters that authentication reads, still percent-encoded.
#[derive(Default)]
pub(crate) struct Parameters<'a> {
    algorithm: Option<&'a str>,
    credential: Option<&'a str>,
    date: Option<&'a str>,
    expires: Option<&'a str>,
    signed_headers: Option<&'a str>,
    signature: Option<&'a str>,
    token: Option<&'a str>,
    content: Option<&'a str>,
    old_key_id: bool,
    old_signature: bool,
}

/// The name of the parameter that the signature does not cover, being the signature.
pub(crate) const SIGNATURE: &str = "X-Amz-Signature";
const CONTENT: &str = "X-Amz-Content-Sha256";

impl<'a> Parameters<'a> {
    /// Finds them. A name twice, in another case or with letters percent-encoded is refused: another reader might see another request.
    pub(crate) fn read(query: &'a str) -> Result<Parameters<'a>, Reason> {
        let mut parameters = Parameters::default();
        for pair in parts(query, b'&') {
            let (sent, value) = cut(pair, b'=').unwrap_or((pair, ""));
            let name = if sent.contains('%') { percent::decode(sent).map_or(Cow::Borrowed(sent), Cow::Owned) } else { Cow::Borrowed(sent) };
            let Some((place, exact)) = parameters.place(&name) else { continue };
            // Libraries that move headers into the query keep the case of the header's name; that this one says is bound by the signature.
            let spelled = sent == exact || exact == CONTENT && name == sent;
            if !spelled || place.replace(value).is_some() {
                return Err(Reason::Repeated { name: exact.into() });
            }
        }
        Ok(parameters)
    }

    /// Where a parameter of this name goes, whatever its case, and its right spelling.
    fn place(&mut self, name: &str) -> Option<(&mut Option<&'a str>, &'static str)> {
        if !name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("X-Amz-")) {
            self.old_key_id |= name == "AWSAccessKeyId";
            self.old_signature |= name == "Signature";
            return None;
        }
        let is = |exact: &str| name.eq_ignore_ascii_case(exact);
        Some(match name.len() {
            10 if is("X-Amz-Date") => (&mut self.date, "X-Amz-Date"),
            13 if is("X-Amz-Expires") => (&mut self.expires, "X-Amz-Expires"),
            15 if is("X-Amz-Algorithm") => (&mut self.algorithm, "X-Amz-Algorithm"),
            15 if is(SIGNATURE) => (&mut self.signature, SIGNATURE),
            16 if is("X-Amz-Credential") => (&mut self.credential, "X-Amz-Credential"),
            19 if is("X-Amz-SignedHeaders") => (&mut self.signed_headers, "X-Amz-SignedHeaders"),
            20 if is("X-Amz-Security-Token") => (&mut self.token, "X-Amz-Security-Token"),
            20 if is(CONTENT) => (&mut self.content, CONTENT),
            _ => return None,
        })
    }

    /// Whether any of them is there, which a request signed in its header has no use for.
    pub(crate) fn any(&self) -> bool {
        self.presigned()
            || self.date.is_some()
            || self.expires.is_some()
            || self.signed_headers.is_some()
            || self.token.is_some()
            || self.old()
    }

    /// Whether the query means to hold credentials.
    pub(crate) fn presigned(&self) -> bool {
        self.algorithm.is_some() || self.credential.is_some() || self.signature.is_some()
    }

    /// Whether it holds those of the signature version before.
    pub(crate) fn old(&self) -> bool {
        self.old_key_id && self.old_signature
    }

    /// The required parameters that are not there.
    fn missing(&self) -> Vec<&'static str> {
        [
            ("X-Amz-Algorithm", self.algorithm),
            ("X-Amz-Credential", self.credential),
            (SIGNATURE, self.signature),
            ("X-Amz-SignedHeaders", self.signed_headers),
            ("X-Amz-Date", self.date),
            ("X-Amz-Expires", self.expires),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.is_none().then_some(name))
        .collect()
    }
}

pub(crate) struct Parts<'a> {
    pub(crate) key_id: &'a str,
    pub(crate) scope: Scope<'a>,
    pub(crate) stamp: Stamp,
    pub(crate) at: i64,
    pub(crate) expires: u32,
    pub(crate) signed_headers: Cow<'a, str>,
    pub(crate) signature: &'a str,
    pub(crate) token: Option<Cow<'a, str>>,
    pub(crate) content: Option<&'a str>,
}

pub(crate) fn read<'a>(parameters: &Parameters<'a>) -> Result<Parts<'a>, Reason> {
    if let Some(name) = parameters.algorithm {
        algorithm(name)?;
    }
    let (Some(_), Some(credential), Some(date), Some(expires), Some(signed_headers), Some(signature)) =
        (parameters.algorithm, parameters.credential, parameters.date, parameters.expires, parameters.signed_headers, parameters.signature)
    else {
        return Err(Reason::MissingParameters { names: parameters.missing() });
    };
    let (key_id, scope) = scope(credential, slashed(credential), Place::Query)?;
    let (stamp, at) = Stamp::read(date).ok_or_else(|| Reason::Date { text: reason::short(date), place: Place::Query })?;
    let decoded = |text| decode(text).ok_or(Reason::Uri);
    Ok(Parts {
        key_id,
        scope,
        stamp,
        at,
        expires: lifetime(expires)?,
        signed_headers: decoded(signed_headers)?,
        signature,
        token: parameters.token.map(decoded).transpose()?,
        content: parameters.content,
    })
}

/// Splits at slashes, which are usually encoded. What is encoded twice has none.
fn slashed(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let slash = text.bytes().position(|byte| matches!(byte, b'/' | b'%')).unwrap_or(text.len());
        let (part, after) = text.split_at_checked(slash)?;
        rest = after.strip_prefix('/').or_else(|| after.strip_prefix("%2F")).or_else(|| after.strip_prefix("%2f"));
        // Another escape stays in its part, where it is refused.
        if rest.is_none() && !after.is_empty() { Some(text) } else { Some(part) }
    })
}

fn decode(text: &str) -> Option<Cow<'_, str>> {
    let text = if text.contains('%') { Cow::Owned(percent::decode(text)?) } else { Cow::Borrowed(text) };
    (!any(text.as_bytes(), |byte| byte.wrapping_sub(b' ') >= 0x5f)).then_some(text)
}

fn lifetime(text: &str) -> Result<u32, Reason> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Reason::Expires { why: Expiry::NotANumber });
    }
    if digits.len() < text.len() {
        return Err(Reason::Expires { why: Expiry::Negative });
    }
    match text.parse() {
        Ok(0) => Err(Reason::Expires { why: Expiry::Zero }),
        Ok(seconds) if seconds <= LONGEST_EXPIRY => Ok(seconds),
        _ => Err(Reason::Expires { why: Expiry::TooLong }),
    }
}
