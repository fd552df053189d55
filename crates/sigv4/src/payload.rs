//! What a signature says of the body.

use crate::Reason;
use crate::chunks::EMPTY;

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

/// [`EMPTY`] in hexadecimal.
const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

impl Payload {
    /// Reads a value of `x-amz-content-sha256`: a hash in lower-case hexadecimal or one of S3's words.
    pub(crate) fn read(word: &str) -> Option<Payload> {
        match word {
            "UNSIGNED-PAYLOAD" => Some(Payload::Unsigned),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Some(Payload::Streaming),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Some(Payload::StreamingTrailer),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Some(Payload::StreamingUnsignedTrailer),
            // Most requests have no body.
            NOTHING => Some(Payload::Hash(EMPTY)),
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
        *pair = PAIRS.get(usize::from(*byte)).copied().unwrap_or_default();
    }
    text
}

/// Both digits of every byte.
#[expect(clippy::indexing_slicing, reason = "the compiler evaluates it, and would refuse an index out of bounds")]
const PAIRS: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
};

pub(crate) fn hex_text(bytes: &[u8; 32]) -> String {
    hex(bytes).into_iter().map(char::from).collect()
}

/// The opposite of [`hex`]; lower case only.
pub(crate) fn unhex(text: &str) -> Option<[u8; 32]> {
    let text: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    let mut wrong = 0;
    for (byte, [high, low]) in bytes.iter_mut().zip(text.as_chunks::<2>().0) {
        let (high, low) = (value(*high), value(*low));
        wrong |= high | low;
        *byte = high << 4 | low & 15;
    }
    (wrong < 16).then_some(bytes)
}

/// What a digit says; 16 or more for what is none. Without branches, since hashes are not predictable.
const fn value(digit: u8) -> u8 {
    let number = digit.wrapping_sub(b'0');
    let letter = digit.wrapping_sub(b'a');
    let number = if number < 10 { number } else { 255 };
    if letter < 6 { letter + 10 } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_goes_both_ways() {
        let bytes: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 8 + 7).unwrap());
        assert_eq!(unhex(&hex_text(&bytes)), Some(bytes));
        assert_eq!(hex_text(&EMPTY), NOTHING);
        assert_eq!(Payload::read(NOTHING), Some(Payload::Hash(EMPTY)));
    }

    #[test]
    fn only_lower_case_digits_are_a_hash() {
        for place in [0, 1, 31, 62, 63] {
            for byte in (0..128).filter(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
                let mut text = NOTHING.as_bytes().to_vec();
                text[place] = byte;
                assert_eq!(unhex(str::from_utf8(&text).unwrap()), None, "{byte} at {place}");
            }
        }
        assert_eq!(unhex(NOTHING.split_at(63).0), None);
        assert_eq!(unhex(&format!("{NOTHING}0")), None);
    }

    #[test]
    fn every_mode_has_its_word() {
        for payload in
            [Payload::Hash([7; 32]), Payload::Unsigned, Payload::Streaming, Payload::StreamingTrailer, Payload::StreamingUnsignedTrailer]
        {
            assert_eq!(Payload::read(&payload.word()), Some(payload));
        }
    }
}
