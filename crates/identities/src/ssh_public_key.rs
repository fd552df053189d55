//! RSA public keys as SSH has them, read from and written as `ssh-rsa AAAA…` and PEM. They come from strangers: every length is checked,
//! and every key has one spelling only, so that two uploads of one key are known as that.
//!
//! Rules: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UploadSSHPublicKey.html>; forms: RFC 4253 (6.6), RFC 4251 (5), RFC 8017
//! (A.1.1), RFC 5280 (4.1). Two numbers are all that there is to read, so no crate is asked that would bring private keys along.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use md5::{Digest, Md5};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bits of the modulus.
const BITS: std::ops::RangeInclusive<usize> = 2_048..=16_384;
/// The longest exponent, in bytes. Everybody's has three; OpenSSL takes no longer one than this.
const LONGEST_EXPONENT: usize = 8;
const NAME: &str = "ssh-rsa";

/// Why a text is no key that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    /// It is neither `TYPE BASE64 COMMENT` nor PEM of a public key.
    #[error("the encoding of the public key is not recognized")]
    Unrecognized,
    /// It is one of them, and what is in it is no RSA key of 2,048 to 16,384 bits.
    #[error("the public key is invalid")]
    Invalid,
}

/// An RSA public key: two numbers, the biggest byte first, without zeros before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshPublicKey {
    exponent: Box<[u8]>,
    modulus: Box<[u8]>,
}

impl SshPublicKey {
    /// Reads `ssh-rsa AAAA… comment`, or PEM of a `PUBLIC KEY` or an `RSA PUBLIC KEY`.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(text: &str) -> Result<Self, NotAKey> {
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
        if text.starts_with("-----BEGIN ") { Self::read_pem(text) } else { Self::read_line(text) }
    }

    fn read_line(text: &str) -> Result<Self, NotAKey> {
        let (kind, rest) = text.split_once([' ', '\t']).ok_or(NotAKey::Unrecognized)?;
        if !["ssh-", "ecdsa-", "sk-"].iter().any(|known| kind.starts_with(known)) || text.contains(['\n', '\r']) {
            return Err(NotAKey::Unrecognized);
        }
        if kind != NAME {
            return Err(NotAKey::Invalid);
        }
        let rest = rest.trim_start_matches([' ', '\t']);
        let encoded = rest.split([' ', '\t']).next().unwrap_or_default();
        Self::of_blob(&BASE64_STANDARD.decode(encoded).map_err(|_| NotAKey::Invalid)?)
    }

    fn read_pem(text: &str) -> Result<Self, NotAKey> {
        for (label, read) in [("PUBLIC KEY", of_info as fn(&[u8]) -> _), ("RSA PUBLIC KEY", of_der)] {
            let body = text
                .strip_prefix(&format!("-----BEGIN {label}-----"))
                .and_then(|rest| rest.strip_suffix(&format!("-----END {label}-----")));
            if let Some(body) = body {
                let encoded: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
                let der = BASE64_STANDARD.decode(encoded).map_err(|_| NotAKey::Invalid)?;
                return read(&der).ok_or(NotAKey::Invalid);
            }
        }
        Err(NotAKey::Unrecognized)
    }

    /// Reads the bytes that stand in base64 after `ssh-rsa`.
    ///
    /// # Errors
    /// Why they are no key.
    pub fn of_blob(blob: &[u8]) -> Result<Self, NotAKey> {
        let mut left = blob;
        let name = string(&mut left).filter(|name| *name == NAME.as_bytes());
        let (exponent, modulus) = (string(&mut left), string(&mut left));
        let (Some(_), Some(exponent), Some(modulus), []) = (name, exponent, modulus, left) else { return Err(NotAKey::Invalid) };
        positive(exponent).zip(positive(modulus)).and_then(|(exponent, modulus)| Self::of(exponent, modulus)).ok_or(NotAKey::Invalid)
    }

    /// A key of two numbers that have no zeros before them.
    fn of(exponent: &[u8], modulus: &[u8]) -> Option<Self> {
        let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
        let bits = modulus.len() * 8 - usize::try_from(modulus.first()?.leading_zeros()).ok()?;
        let fits = BITS.contains(&bits) && is_odd(modulus) && is_odd(exponent) && exponent.len() <= LONGEST_EXPONENT && exponent != [1];
        fits.then(|| SshPublicKey { exponent: exponent.into(), modulus: modulus.into() })
    }

    /// Its bytes in SSH.
    pub fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::with_capacity(self.modulus.len() + 32);
        for part in [NAME.as_bytes(), &signed(&self.exponent), &signed(&self.modulus)] {
            blob.extend_from_slice(&u32::try_from(part.len()).unwrap_or(0).to_be_bytes());
            blob.extend_from_slice(part);
        }
        blob
    }

    /// `ssh-rsa AAAA…`
    pub fn line(&self) -> String {
        format!("{NAME} {}", BASE64_STANDARD.encode(self.blob()))
    }

    /// `-----BEGIN PUBLIC KEY-----`, lines of 64, and the end.
    pub fn pem(&self) -> String {
        let numbers = tlv(0x30, &[tlv(0x02, &signed(&self.modulus)), tlv(0x02, &signed(&self.exponent))].concat());
        let info = tlv(0x30, &[RSA, &tlv(0x03, &[&[0], numbers.as_slice()].concat())].concat());
        let encoded = BASE64_STANDARD.encode(info);
        let lines: Vec<&str> = encoded.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    /// MD5 of the blob, as `ssh-keygen -l -E md5` says it, without the `MD5:` before it.
    pub fn md5(&self) -> String {
        let pairs: Vec<String> = Md5::digest(self.blob()).iter().map(|byte| format!("{byte:02x}")).collect();
        pairs.join(":")
    }

    /// SHA-256 of the blob, as `ssh-keygen -l` and `sshd` say it: `SHA256:…`.
    pub fn sha256(&self) -> String {
        format!("SHA256:{}", BASE64_STANDARD_NO_PAD.encode(digest::digest(&digest::SHA256, &self.blob())))
    }
}

impl Serialize for SshPublicKey {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.line())
    }
}

impl<'de> Deserialize<'de> for SshPublicKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// The next string of SSH: four bytes that say how long it is, and it.
fn string<'a>(left: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = left.split_first_chunk::<4>()?;
    let (string, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *left = rest;
    Some(string)
}

/// A number in its shortest form that is not below zero, without the zero that says so.
fn positive(number: &[u8]) -> Option<&[u8]> {
    match number {
        [0, rest @ ..] if rest.first().is_some_and(|first| *first >= 0x80) => Some(rest),
        [1..=0x7f, ..] => Some(number),
        _ => None,
    }
}

/// The same backwards.
fn signed(number: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if number.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
    [sign, number].concat()
}

/// `SEQUENCE { rsaEncryption, NULL }`.
const RSA: &[u8] = &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// One value of DER with this tag.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let head = match (length.as_slice(), u8::try_from(length.len())) {
        ([], _) => vec![tag, 0],
        ([short @ 0..=0x7f], _) => vec![tag, *short],
        (long, Ok(bytes)) => [&[tag, 0x80 | bytes], long].concat(),
        (_, Err(_)) => vec![tag],
    };
    [head.as_slice(), content].concat()
}

/// The next value of DER, which must have this tag and its length in the shortest form. Lengths have two bytes at most: a text has no more.
fn value<'a>(left: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (length, rest) = match *left {
        [seen, short @ 0..=0x7f, rest @ ..] if *seen == tag => (usize::from(*short), rest),
        [seen, 0x81, length @ 0x80..=0xff, rest @ ..] if *seen == tag => (usize::from(*length), rest),
        [seen, 0x82, high @ 1..=0xff, low, rest @ ..] if *seen == tag => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    *left = rest;
    Some(content)
}

/// `SubjectPublicKeyInfo` of an RSA key.
fn of_info(der: &[u8]) -> Option<SshPublicKey> {
    let mut outside = der;
    let info = value(&mut outside, 0x30)?;
    let mut bits = info.strip_prefix(RSA)?;
    let key = value(&mut bits, 0x03)?.strip_prefix(&[0])?;
    if outside.is_empty() && bits.is_empty() { of_der(key) } else { None }
}

/// `RSAPublicKey`.
fn of_der(der: &[u8]) -> Option<SshPublicKey> {
    let mut outside = der;
    let mut numbers = value(&mut outside, 0x30)?;
    let (modulus, exponent) = (positive(value(&mut numbers, 0x02)?)?, positive(value(&mut numbers, 0x02)?)?);
    if outside.is_empty() && numbers.is_empty() { SshPublicKey::of(exponent, modulus) } else { None }
}

#[cfg(test)]
mod tests;
