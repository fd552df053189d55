//! Signing keys: what a secret access key becomes for one day, region and service.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// The key of one access key for one day, one region and one service. Wiped when dropped; never printed; not compared.
#[derive(Clone)]
pub struct SigningKey {
    bytes: Zeroizing<[u8; 32]>,
    /// HMAC with the key already taken in, which is half of the work on a message as short as a string to sign.
    keyed: Hmac<Sha256>,
}

impl SigningKey {
    /// Derives the key from a secret access key. `date` is the day as `YYYYMMDD`.
    pub fn derive(secret: &str, date: &str, region: &str, service: &str) -> SigningKey {
        let mut first = Zeroizing::new(Vec::with_capacity(4 + secret.len()));
        first.extend_from_slice(b"AWS4");
        first.extend_from_slice(secret.as_bytes());
        let date = Zeroizing::new(hmac(&first, date.as_bytes()));
        let region = Zeroizing::new(hmac(&*date, region.as_bytes()));
        let service = Zeroizing::new(hmac(&*region, service.as_bytes()));
        let mut last = hmac(&*service, b"aws4_request");
        let key = SigningKey::from_bytes(last);
        last.zeroize();
        key
    }

    /// A key that was derived elsewhere.
    pub fn from_bytes(bytes: [u8; 32]) -> SigningKey {
        SigningKey { keyed: keyed(&bytes), bytes: Zeroizing::new(bytes) }
    }

    /// The key itself. Who has it can sign for its day, region and service, so it goes only where that is meant.
    pub fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// An HMAC that has taken in the key and nothing else yet.
    pub(crate) fn mac(&self) -> Hmac<Sha256> {
        self.keyed.clone()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    // HMAC takes keys of any length, so the error cannot be; a key of zeros in its place would verify nothing that anybody signs by right.
    Hmac::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&Default::default()))
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = keyed(key);
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of AWS's page on deriving a signing key.
    #[test]
    fn the_published_example_is_derived() {
        let key = SigningKey::derive("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830", "us-east-1", "iam");
        assert_eq!(crate::payload::hex_text(key.expose()), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    }

    #[test]
    fn a_key_given_as_bytes_signs_alike_and_is_not_printed() {
        let key = SigningKey::derive("secret", "20150830", "eu-west-1", "s3");
        let again = SigningKey::from_bytes(*key.expose());
        assert_eq!(key.mac().chain_update(b"ab").finalize().into_bytes(), again.mac().chain_update(b"ab").finalize().into_bytes());
        assert_eq!(format!("{key:?}"), "SigningKey(..)");
    }
}
