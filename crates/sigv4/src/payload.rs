//! What a signature says of the body.

use crate::Reason;

/// What of the body is signed. All but the first are S3's words, which mean nothing to other services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// The whole body, by its SHA-256.
    Hash([u8; 32]),
    /// Nothing of it.
    Unsigned,
    /// Each chunk has a signature of its own ([`crate::chunks`]).
    Streaming,
    /// Each chunk has a signature of its own, and so have the trailing headers.
    StreamingTrailer,
    /// The body comes in chunks without signatures, and trailing headers (a checksum) follow it.
    StreamingUnsignedTrailer,
}

impl Payload {
    /// Reads a value of `x-amz-content-sha256`: a hash in lower-case hexadecimal or one of S3's words.
    pub(crate) fn read(word: &str) -> Option<Payload> {
        match word {
            "UNSIGNED-PAYLOAD" => Some(Payload::Unsigned),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Some(Payload::Streaming),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Some(Payload::StreamingTrailer),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Some(Payload::StreamingUnsignedTrailer),
            hash => unhex(hash).map(Payload::Hash),
        }
    }

    /// The mode in one word: `hash`, `unsigned` or `streaming`.
    pub fn mode(&self) -> &'static str {
        match self {
            Payload::Hash(_) => "hash",
            Payload::Unsigned => "unsigned",
            Payload::Streaming | Payload::StreamingTrailer | Payload::StreamingUnsignedTrailer => "streaming",
        }
    }

    /// Whether chunks are signed one by one, so that the day key is needed beyond the request's head.
    pub fn has_signed_chunks(&self) -> bool {
        matches!(self, Payload::Streaming | Payload::StreamingTrailer)
    }

    /// The value of `x-amz-content-sha256` that means this.
    pub fn word(&self) -> String {
        match self {
            Payload::Hash(hash) => hex_text(hash),
            Payload::Unsigned => "UNSIGNED-PAYLOAD".to_owned(),
            Payload::Streaming => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD".to_owned(),
            Payload::StreamingTrailer => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER".to_owned(),
            Payload::StreamingUnsignedTrailer => "STREAMING-UNSIGNED-PAYLOAD-TRAILER".to_owned(),
        }
    }
}

/// A value of `x-amz-content-sha256` or the reason why it is none.
pub(crate) fn content(word: &str) -> Result<Payload, Reason> {
    Payload::read(word).ok_or_else(|| Reason::ContentWord { value: crate::reason::short(word) })
}

/// 64 characters for 32 bytes, in lower case.
pub(crate) fn hex(bytes: &[u8; 32]) -> [u8; 64] {
    let mut text = [0; 64];
    for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 15)];
    }
    text
}

pub(crate) fn hex_text(bytes: &[u8; 32]) -> String {
    hex(bytes).into_iter().map(char::from).collect()
}

const fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

/// The opposite of [`hex`]; lower case only.
pub(crate) fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 {
        return None;
    }
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    for (byte, [high, low]) in bytes.iter_mut().zip(text.as_bytes().as_chunks::<2>().0) {
        *byte = value(*high)? << 4 | value(*low)?;
    }
    Some(bytes)
}
