//! Bodies that are signed chunk by chunk (`aws-chunked` with `STREAMING-AWS4-HMAC-SHA256-PAYLOAD` and `…-TRAILER`).
//! Rules: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html> and `sigv4-streaming-trailers.html` beside it.
//! Each chunk's signature goes on from the one before, the first from the request's own. The last chunk is empty; after it may come trailing
//! headers with a signature of their own. Cutting the chunks out of the body is the server's part: here are hashes and signatures.

use hmac::Mac;
use sha2::{Digest, Sha256};

use crate::canonical::{Hashing, Sink};
use crate::payload::{hex, unhex};
use crate::verify::same;
use crate::{Payload, Scope, SigningKey};

/// The SHA-256 of nothing: the hash of the last chunk, and a line of every chunk's string to sign.
pub const EMPTY: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
    0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// Why a chunk or a trailer is refused. After any of them the body is not the client's, and what was written of it must not stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The signature is not the one that these bytes have at this place.
    #[error("The chunk signature we calculated does not match the signature you provided.")]
    Signature,
    /// Something came after the end.
    #[error("The body goes on after its last chunk.")]
    AfterEnd,
    /// A trailer came before the last chunk, or where none was announced.
    #[error("The trailer is not where it was announced to be.")]
    Trailer,
    /// The time is not of the form `20150830T123600Z`, or the seed is not a signature.
    #[error("The signature that the chunks go on from is malformed.")]
    Seed,
}

/// The chunks of one body, in their order.
#[derive(Debug, Clone)]
pub struct Chain<'a> {
    key: &'a SigningKey,
    timestamp: &'a str,
    scope: Scope<'a>,
    previous: [u8; 64],
    place: Place,
    trailer: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Chunks,
    Trailer,
    End,
    Broken,
}

impl<'a> Chain<'a> {
    /// Begins after a request that was verified. `seed` is its signature, `timestamp` its time and `scope` its scope.
    ///
    /// # Errors
    /// [`Broken::Seed`], also where `payload` announces no signed chunks.
    pub fn new(key: &'a SigningKey, timestamp: &'a str, scope: Scope<'a>, seed: &str, payload: Payload) -> Result<Chain<'a>, Broken> {
        let seed = unhex(seed).ok_or(Broken::Seed)?;
        if !payload.has_signed_chunks() || crate::time::Stamp::read(timestamp).is_none_or(|(stamp, _)| stamp.day() != scope.date) {
            return Err(Broken::Seed);
        }
        Ok(Chain { key, timestamp, scope, previous: hex(&seed), place: Place::Chunks, trailer: payload == Payload::StreamingTrailer })
    }

    /// Verifies the next chunk by the SHA-256 of its data. An empty chunk is the last one.
    ///
    /// # Errors
    /// [`Broken::Signature`], [`Broken::AfterEnd`]. Nothing is accepted after an error.
    pub fn chunk(&mut self, sha256: [u8; 32], signature: &str) -> Result<(), Broken> {
        if self.place != Place::Chunks {
            return Err(Broken::AfterEnd);
        }
        self.step("AWS4-HMAC-SHA256-PAYLOAD\n", Some(&EMPTY), &sha256, signature)?;
        if sha256 == EMPTY {
            self.place = if self.trailer { Place::Trailer } else { Place::End };
        }
        Ok(())
    }

    /// Verifies the trailing headers, in the order in which they came. `x-amz-trailer-signature` itself is not one of them.
    ///
    /// # Errors
    /// [`Broken::Trailer`], [`Broken::Signature`].
    pub fn trailer<'h>(&mut self, headers: impl IntoIterator<Item = (&'h str, &'h str)>, signature: &str) -> Result<(), Broken> {
        self.trailer_hashed(trailer_hash(headers), signature)
    }

    /// The same by [`trailer_hash`].
    ///
    /// # Errors
    /// As [`Chain::trailer`].
    pub fn trailer_hashed(&mut self, sha256: [u8; 32], signature: &str) -> Result<(), Broken> {
        if self.place != Place::Trailer {
            return Err(Broken::Trailer);
        }
        self.step("AWS4-HMAC-SHA256-TRAILER\n", None, &sha256, signature)?;
        self.place = Place::End;
        Ok(())
    }

    /// Whether the body is whole: its last chunk, and the trailer if one was announced, were verified. A body that ends before is cut off.
    pub fn is_whole(&self) -> bool {
        self.place == Place::End
    }

    /// The signature that the next chunk goes on from, so that a verifier may stop here and go on elsewhere.
    pub fn previous(&self) -> &str {
        str::from_utf8(&self.previous).unwrap_or_default()
    }

    fn step(&mut self, algorithm: &str, extra: Option<&[u8; 32]>, sha256: &[u8; 32], signature: &str) -> Result<(), Broken> {
        let mut mac = self.key.mac();
        let mut sink = Hashing::<_, 512>::new(&mut mac);
        sink.put(algorithm.as_bytes());
        sink.put(self.timestamp.as_bytes());
        sink.byte(b'\n');
        self.scope.write(&mut sink);
        sink.byte(b'\n');
        sink.put(&self.previous);
        sink.byte(b'\n');
        if let Some(extra) = extra {
            sink.put(&hex(extra));
            sink.byte(b'\n');
        }
        sink.put(&hex(sha256));
        sink.flush();
        let right = hex(&mac.finalize().into_bytes().into());
        if same(&right, signature) {
            self.previous = right;
            Ok(())
        } else {
            self.place = Place::Broken;
            Err(Broken::Signature)
        }
    }
}

/// The SHA-256 that a trailer's signature covers: a line `name:value` for each header, names in lower case, values without blanks at their ends.
pub fn trailer_hash<'h>(headers: impl IntoIterator<Item = (&'h str, &'h str)>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for (name, value) in headers {
        for piece in [&name.trim().to_ascii_lowercase(), ":", value.trim(), "\n"] {
            hash.update(piece.as_bytes());
        }
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
