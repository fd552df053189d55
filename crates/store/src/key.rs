//! The bytes that order records and find them.
//!
//! Keys and entries are bytes compared by memcmp on every back end, so collations play no part. Parts delimit themselves: a prefix of
//! parts is a prefix of bytes. No part begins with 255.

use arn::{AccessKeyId, AccountId, Arn, UniqueId};

/// Something that can be part of a key. Two values that count as the same (`Alice`, `alice`) encode to the same bytes: a type that folds
/// says so here, and nobody who looks one up can forget it.
pub trait KeyPart {
    /// Appends the bytes of this part.
    fn encode(&self, out: &mut Vec<u8>);

    /// The bytes of this part alone.
    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(48);
        self.encode(&mut out);
        out
    }
}

impl KeyPart for str {
    /// Ends with 0; a 0 inside becomes 0 255, and no part begins with 255.
    fn encode(&self, out: &mut Vec<u8>) {
        for piece in self.as_bytes().split_inclusive(|b| *b == 0) {
            out.extend_from_slice(piece);
            if piece.ends_with(&[0]) {
                out.push(255);
            }
        }
        out.push(0);
    }
}

impl KeyPart for u64 {
    /// How many bytes, then those bytes, the biggest first: in the order of the numbers.
    fn encode(&self, out: &mut Vec<u8>) {
        let skip = self.leading_zeros() / 8;
        out.push(u8::try_from(8 - skip).unwrap_or(8));
        out.extend(self.to_be_bytes().into_iter().skip(skip as usize));
    }
}

impl KeyPart for i64 {
    /// Eight bytes in the order of the numbers, below zero first. Not the same bytes as a `u64`'s.
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(8);
        out.extend_from_slice(&(self.cast_unsigned() ^ (1 << 63)).to_be_bytes());
    }
}

impl KeyPart for u32 {
    fn encode(&self, out: &mut Vec<u8>) {
        u64::from(*self).encode(out);
    }
}

impl KeyPart for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
}

impl KeyPart for String {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_str().encode(out);
    }
}

impl KeyPart for Box<str> {
    fn encode(&self, out: &mut Vec<u8>) {
        (**self).encode(out);
    }
}

impl KeyPart for AccountId {
    /// Its twelve digits.
    fn encode(&self, out: &mut Vec<u8>) {
        self.to_string().encode(out);
    }
}

impl KeyPart for UniqueId {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_str().encode(out);
    }
}

impl KeyPart for AccessKeyId {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_str().encode(out);
    }
}

impl KeyPart for Arn {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_str().encode(out);
    }
}

impl<T: KeyPart + ?Sized> KeyPart for &T {
    fn encode(&self, out: &mut Vec<u8>) {
        (**self).encode(out);
    }
}

impl<A: KeyPart, B: KeyPart> KeyPart for (A, B) {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        self.1.encode(out);
    }
}

impl<A: KeyPart, B: KeyPart, C: KeyPart> KeyPart for (A, B, C) {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        self.1.encode(out);
        self.2.encode(out);
    }
}

/// The end of what begins with these parts, or is them: the next part does not begin with 255. A part that goes on where one of these
/// ends (`u` and a 0, after `u`) comes after it.
pub(crate) fn past(parts: &[u8]) -> Vec<u8> {
    [parts, &[255]].concat()
}
