//! What is verified: a request as it was sent, before anything decoded or normalized it.

/// A request as it came over the wire.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query as sent, percent-encoding untouched. It begins with a slash.
    pub uri: &'a str,
    /// The headers as sent, in their order, one entry a line; names in any case. For HTTP/2 the caller adds `host` from `:authority`.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl<'a> Request<'a> {
    pub(crate) fn path(&self) -> &'a str {
        cut(self.uri, b'?').map_or(self.uri, |(path, _)| path)
    }

    pub(crate) fn query(&self) -> &'a str {
        cut(self.uri, b'?').map_or("", |(_, query)| query)
    }
}

/// What is before and after the first `byte`, which is of ASCII.
pub(crate) fn cut(text: &str, byte: u8) -> Option<(&str, &str)> {
    let place = memchr::memchr(byte, text.as_bytes())?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// The parts between each `byte`, which is of ASCII.
pub(crate) fn parts(text: &str, byte: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        match cut(text, byte) {
            Some((part, after)) => {
                rest = Some(after);
                Some(part)
            }
            None => rest.take(),
        }
    })
}

/// Whether two header names are one. Servers hand them over in lower case, so that comes first.
#[inline]
pub(crate) fn same_name(sent: &str, name: &str) -> bool {
    sent.len() == name.len() && (sent == name || sent.eq_ignore_ascii_case(name))
}

/// Whether any byte passes a test. Sixteen at a time and without an early exit inside, so that the compiler may test them all at once: a
/// session token has hundreds.
#[inline]
pub(crate) fn any(bytes: &[u8], test: impl Fn(u8) -> bool) -> bool {
    let among = |bytes: &[u8]| bytes.iter().fold(false, |found, byte| found | test(*byte));
    let (chunks, rest) = bytes.as_chunks::<16>();
    chunks.iter().any(|chunk| among(chunk)) || among(rest)
}

/// What is known of a request's body.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// All of it: it is hashed here.
    Bytes(&'a [u8]),
    /// The SHA-256 that the caller computed over it.
    Hashed([u8; 32]),
    /// Nothing. The hash that the signature covers is reported in [`crate::Verified::payload`], and somebody must still hold the body to it.
    NotSeen,
}

/// How a service wants paths and bodies written down for signing. The service in the credential scope tells which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// The path is normalized and percent-encoded a second time; the signature covers the body's hash, always.
    Aws,
    /// The path is taken as it is; `x-amz-content-sha256` says what of the body is signed.
    S3,
}

impl Style {
    /// The style of a service, by its name in credential scopes.
    pub fn of(service: &str) -> Style {
        match service {
            "s3" | "s3-outposts" | "s3-object-lambda" | "s3express" => Style::S3,
            _ => Style::Aws,
        }
    }
}
